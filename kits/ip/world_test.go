package ip

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/kittest"
)

const vip = "10.1.0.10"

func instanceOn(node string) kits.Instance {
	addr := map[string]string{kittest.NodeA: kittest.AddrA, kittest.NodeB: kittest.AddrB}[node]
	return kits.Instance{
		Tag: "service/ip-www", Kit: "ip", Cluster: "service",
		Node:        kits.Node{Name: node, Address: addr},
		Attrs:       map[string]string{FieldAddress: vip},
		EstateCIDRs: []string{"192.0.2.0/24"},
		Tuning:      map[string]string{NoBroadcastPing: "1"},
	}
}

func newWorld(t *testing.T) *kittest.Netns {
	w := kittest.NewNetns(t)
	w.Make = instanceOn
	return w
}

func TestConformanceOnThisKernel(t *testing.T) { kittest.Conformance(t, Kit{}, newWorld(t)) }

func TestScriptsAreClean(t *testing.T) {
	for name, body := range map[string]string{"check": checkSh, "start": startSh, "stop": stopSh, "eligible": eligibleSh} {
		kittest.Lint(t, name, libSh+"\n"+body)
	}
}

func check(t *testing.T, w *kittest.Netns, node string) kits.Report {
	t.Helper()
	return Kit{}.Check(t.Context(), w.Host(node), instanceOn(node))
}

func want(t *testing.T, r kits.Report, o kits.Outcome, p kits.Presence, code string) {
	t.Helper()
	if r.Outcome != o || r.Presence != p || r.Reason.Code != code {
		t.Errorf("got %v %q %q (%s), want %v %q %q", r.Outcome, r.Presence, r.Reason.Code, r.Reason.Text, o, p, code)
	}
}

// SPEC 7, nodes: "VIP answered by another node is not 'here'".
func TestVIPAnsweredByAnotherNodeIsNotHere(t *testing.T) {
	w := newWorld(t)
	w.Do(t, kittest.NodeB, "ip", "addr", "add", vip+"/32", "dev", kittest.Cable)
	w.Do(t, kittest.NodeA, "ip", "route", "add", vip+"/32", "dev", kittest.Cable)
	w.Do(t, kittest.NodeA, "busybox", "ping", "-c", "1", "-W", "2", vip)
	want(t, check(t, w, kittest.NodeA), kits.Failed, kits.Absent, "ip.absent")
	want(t, check(t, w, kittest.NodeB), kits.OK, kits.Present, "")
}

// SPEC 7, nodes: "VIP on a link that is down = failed".
func TestVIPOnALinkThatIsDownIsFailed(t *testing.T) {
	w := newWorld(t)
	if r := (Kit{}).Start(t.Context(), w.Host(kittest.NodeA), instanceOn(kittest.NodeA)); r.Outcome != kits.OK {
		t.Fatal(r)
	}
	w.Do(t, kittest.NodeB, "ip", "link", "set", kittest.Cable, "down") // takes A's carrier away
	want(t, check(t, w, kittest.NodeA), kits.Failed, kits.Present, "ip.link-down")
	if r := (Kit{}).Stop(t.Context(), w.Host(kittest.NodeA), instanceOn(kittest.NodeA)); r.Outcome != kits.OK {
		t.Error(r)
	}
	r := Kit{}.Start(t.Context(), w.Host(kittest.NodeA), instanceOn(kittest.NodeA))
	want(t, r, kits.Failed, kits.Absent, "ip.link-down")
	if e := (Kit{}).Eligible(t.Context(), w.Host(kittest.NodeA), instanceOn(kittest.NodeA)); e.Outcome != kits.Failed || e.Reason.Code != "ip.link-down" {
		t.Error(e)
	}
}

// SPEC 7, nodes: "VIP added by hand is noticed", also on the wrong interface or
// with another prefix length.
func TestVIPAddedByHandIsNoticed(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		cidr, dev string
		outcome   kits.Outcome
		code      string
	}{
		{vip + "/32", kittest.Cable, kits.OK, ""},
		{vip + "/24", kittest.Cable, kits.OK, "ip.netmask"},
		{vip + "/32", "lo", kits.Failed, "ip.other-interface"},
	} {
		w.Do(t, kittest.NodeB, "ip", "addr", "add", c.cidr, "dev", c.dev)
		r := check(t, w, kittest.NodeB)
		want(t, r, c.outcome, kits.Present, c.code)
		if r.Impaired != (c.code == "ip.netmask") {
			t.Errorf("%s: impaired %v", c.cidr, r.Impaired)
		}
		// A start puts it right, a stop takes it away wherever it is.
		want(t, Kit{}.Recover(t.Context(), w.Host(kittest.NodeB), instanceOn(kittest.NodeB)), kits.OK, kits.Present, "")
		want(t, Kit{}.Stop(t.Context(), w.Host(kittest.NodeB), instanceOn(kittest.NodeB)), kits.OK, kits.Absent, "")
	}
}

func TestBroadcastPing(t *testing.T) {
	if _, err := exec.LookPath("ping"); err != nil {
		t.Skip("left out: ping (iputils) is not installed; its output is judged in TestJudgeCheck")
	}
	w := newWorld(t)
	in := instanceOn(kittest.NodeA)
	in.Tuning[NoBroadcastPing] = "0"
	if r := (Kit{}).Start(t.Context(), w.Host(kittest.NodeA), in); r.Outcome != kits.OK {
		t.Fatal(r)
	}
	r := Kit{}.Check(t.Context(), w.Host(kittest.NodeA), in)
	want(t, r, kits.Failed, kits.Present, "ip.nobody-answers")
	w.Do(t, kittest.NodeB, "sysctl", "-qw", "net.ipv4.icmp_echo_ignore_broadcasts=0")
	r = Kit{}.Check(t.Context(), w.Host(kittest.NodeA), in)
	want(t, r, kits.OK, kits.Present, "")
}

func TestMissingInterface(t *testing.T) {
	w := newWorld(t)
	in := instanceOn(kittest.NodeA)
	in.Attrs[FieldInterface] = "nope0"
	want(t, Kit{}.Start(t.Context(), w.Host(kittest.NodeA), in), kits.Failed, kits.Absent, "ip.no-interface")
	if e := (Kit{}).Eligible(t.Context(), w.Host(kittest.NodeA), in); e.Reason.Code != "ip.no-interface" {
		t.Error(e)
	}
	in.Attrs[FieldInterface], in.Node.Address = "", "192.0.2.99"
	want(t, Kit{}.Start(t.Context(), w.Host(kittest.NodeA), in), kits.Failed, kits.Absent, "ip.which-interface")
}

func TestNodeWithoutIproute2(t *testing.T) {
	w := newWorld(t)
	in := instanceOn(kittest.NodeA)
	h := noPath{w.Host(kittest.NodeA)}
	want(t, Kit{}.Check(t.Context(), h, in), kits.Unknown, "", "ip.no-tool")
	want(t, Kit{}.Stop(t.Context(), h, in), kits.Unknown, "", "ip.no-tool")
	want(t, Kit{}.Start(t.Context(), h, in), kits.Failed, "", "ip.no-tool")
	if e := (Kit{}).Eligible(t.Context(), h, in); e.Outcome != kits.Failed || e.Reason.Code != "ip.no-tool" {
		t.Error(e)
	}
}

// noPath hides every program from the script.
type noPath struct{ kits.Host }

func (h noPath) Run(ctx context.Context, s kits.Script) (kits.Result, error) {
	s.Body = "PATH=/nowhere\n" + strings.Replace(s.Body, "PATH=$PATH:/usr/sbin:/sbin", "", 1)
	return h.Host.Run(ctx, s)
}

// The scripts must mean the same in every shell that nodes have.
func TestOtherShells(t *testing.T) {
	w := newWorld(t)
	for _, shell := range [][]string{{"dash"}, {"bash", "--posix"}, {"busybox", "sh"}} {
		h := w.HostWith(kittest.NodeA, shell...)
		in := instanceOn(kittest.NodeA)
		want(t, Kit{}.Start(t.Context(), h, in), kits.OK, kits.Present, "")
		want(t, Kit{}.Check(t.Context(), h, in), kits.OK, kits.Present, "")
		want(t, Kit{}.Stop(t.Context(), h, in), kits.OK, kits.Absent, "")
	}
}
