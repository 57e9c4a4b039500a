package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/lab"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/kittest"
	"github.com/ferry-ha/ferry/kits/kittest/onlab"
	"github.com/ferry-ha/ferry/kits/openswan"
)

// tunnels are the lab's VPN nodes of the Primary Region as the kit's tests see them.
type tunnels struct {
	*onlab.Hosts
	t *testing.T
	l *lab.Lab
}

func newTunnels(t *testing.T) *tunnels {
	l := eight().Lab(t)
	return &tunnels{onlab.New(t, l), t, l}
}

func (w *tunnels) Nodes() []string { return []string{"VPN_P_A", "VPN_P_B"} }

// Instance is each node's own tunnel. Pauses are short, so that the tests are.
func (w *tunnels) Instance(node string) kits.Instance {
	conn := "vpn1"
	if strings.HasSuffix(node, "_B") {
		conn = "vpn2"
	}
	return kits.Instance{
		Tag: "vpn/openswan-vpn1", Kit: "openswan", Cluster: "vpn", Node: w.Node(node),
		Attrs:  map[string]string{openswan.FieldConnection: conn},
		Tuning: map[string]string{openswan.PingTimeout: "1", openswan.CheckTries: "2", openswan.CheckInterval: "1"},
		Active: "VPN_P_A",
		Children: []kits.Relative{{Tag: "vpn/ec2-vpn1", Kit: "ec2", On: map[string]map[string]string{
			node: {"type": "route-table", "destinations": "172.16.0.0/16,10.2.0.0/16"},
		}}},
	}
}

func TestVPNKitConforms(t *testing.T) {
	kittest.ConformanceStanding(t, openswan.Kit{}, newTunnels(t))
}

// kept is a host that keeps what the check's script printed, for testdata of the kit: set FERRY_CAPTURE to a directory.
type kept struct {
	kits.Host
	t    *testing.T
	name string
}

func (h kept) Run(ctx context.Context, s kits.Script) (kits.Result, error) {
	res, err := h.Host.Run(ctx, s)
	if dir := os.Getenv("FERRY_CAPTURE"); dir != "" && err == nil && s.Name == "openswan/check" {
		name := strings.ReplaceAll(h.name+"-"+h.Node(), " ", "-") + ".txt"
		must(h.t, os.WriteFile(filepath.Join(dir, name), []byte(res.Stdout), 0o644))
	}
	return res, err
}

// brief is a report on one line.
func brief(r kits.Report) string {
	s := fmt.Sprint(r.Outcome)
	if r.Reason.Text != "" {
		s += " " + r.Reason.Code + " (" + r.Reason.Text + ")"
	}
	return s
}

func (w *tunnels) check(state, node string) kits.Report {
	w.t.Helper()
	start := time.Now()
	r := openswan.Kit{}.Check(ctx(w.t), kept{w.Host(node), w.t, state}, w.Instance(node))
	w.t.Logf("%s: check on %s in %.1f s: %s", state, node, time.Since(start).Seconds(), brief(r))
	return r
}

func (w *tunnels) recover(state, node string) kits.Report {
	w.t.Helper()
	start := time.Now()
	r := openswan.Kit{}.Recover(ctx(w.t), kept{w.Host(node), w.t, state + " after recovery"}, w.Instance(node))
	w.t.Logf("%s: recover on %s in %.1f s: %s", state, node, time.Since(start).Seconds(), brief(r))
	return r
}

// vpnState is a state of a tunnel, and what the kit makes of it.
type vpnState struct {
	name  string
	fault func(p pair) error
	// here and there: what the checks on the nodes of the Primary and the Standby Region find: "ok", the reason of a
	// failure, or nothing where nobody is asked.
	here, there string
	// cured: what the recovery in the Primary Region ends with, "ok" or the reason of the failure.
	cured string
	end   func(p pair) error // what else has to happen before it helps
}

// pair is one tunnel with its ends.
type pair struct {
	w          *tunnels
	conn       string
	here, peer string
}

func (p pair) lab() *lab.Lab { return p.w.l }

func nothing(pair) error { return nil }

func heal(p pair) error { return p.lab().HealTunnel(ctx(p.w.t), p.conn) }

const (
	noPing = "openswan.no-ping"
	dead   = "openswan.daemon-dead"
)

// vpnStates are tried on the two tunnels at the same time, each list on one.
var vpnStates = [2][]vpnState{{
	{"up", nothing, "ok", "ok", "ok", nothing},
	{"way lost", func(p pair) error { return p.lab().CutTunnel(ctx(p.w.t), p.conn) }, noPing, noPing, noPing, heal},
	{"lost one way", func(p pair) error { return p.lab().CutTunnelFrom(ctx(p.w.t), p.conn, p.peer) }, noPing, noPing, noPing, heal},
	{"data path dead", func(p pair) error { return p.lab().CutTunnelData(ctx(p.w.t), p.conn) }, noPing, noPing, noPing, heal},
	{"pluto hung", func(p pair) error { return p.lab().HangPluto(ctx(p.w.t), p.here) }, "openswan.daemon-hung", "ok", "ok", nothing},
	{"wrong secret", wrongSecret, noPing, noPing, "openswan.refused", rightSecret},
	{"pluto stopped", func(p pair) error { return p.lab().StopPluto(ctx(p.w.t), p.here) }, dead, noPing, "ok", nothing},
}, {
	{"pings refused", func(p pair) error { return p.lab().RefusePings(ctx(p.w.t), p.conn, p.peer) }, noPing, noPing, noPing,
		func(p pair) error { return p.lab().StopPluto(ctx(p.w.t), p.peer) }},
	{"peer's pluto stopped", upThatLies, noPing, dead, noPing, func(p pair) error { return p.lab().StartPluto(ctx(p.w.t), p.peer) }},
	{"pluto killed", func(p pair) error { return p.lab().KillPluto(ctx(p.w.t), p.here) }, "", "", "ok", nothing},
	{"pluto broken", func(p pair) error { return p.lab().BreakPluto(ctx(p.w.t), p.here) }, dead, noPing, dead,
		func(p pair) error { return p.lab().MendPluto(ctx(p.w.t), p.here) }},
	{"not loaded", func(p pair) error { return p.lab().Unload(ctx(p.w.t), p.conn, p.here) }, "openswan.not-loaded", noPing, "ok", nothing},
	{"peer gone", func(p pair) error { return p.lab().Guest(p.peer).PowerOff(ctx(p.w.t)) }, noPing, "", noPing, powerOn},
}}

// wrongSecret is a key that was changed on one end, and the tunnel negotiated anew.
func wrongSecret(p pair) error {
	if err := p.lab().SetSecret(ctx(p.w.t), p.conn, p.here, "changed-on-one-side-and-forgotten-on-the-other"); err != nil {
		return err
	}
	_, err := p.lab().Guest(p.here).Sh(ctx(p.w.t), "systemctl restart ipsec; sleep 1")
	return err
}

func rightSecret(p pair) error {
	for _, t := range p.lab().Topology().Tunnels {
		if t.Connection == p.conn {
			return p.lab().SetSecret(ctx(p.w.t), p.conn, p.here, t.Secret())
		}
	}
	return fmt.Errorf("no tunnel %s", p.conn)
}

// upThatLies is a tunnel whose peer's pluto has just been stopped, so that the second attempt to bring it up says success.
func upThatLies(p pair) error {
	said := ""
	for range 3 { // on a loaded machine the first attempt may be cut off before pluto has it; then the second one is the first
		out, err := p.lab().Guest(p.here).Sh(ctx(p.w.t), "timeout 1 ipsec auto --up "+p.conn+" >/dev/null; timeout 9 ipsec auto --up "+p.conn+"; echo $?")
		if err != nil {
			return err
		}
		// What is up of before says nothing here: the peer's pluto does not run.
		if lines := strings.Split(strings.TrimSpace(out), "\n"); lines[len(lines)-1] == "0" {
			return nil
		}
		said = out
	}
	p.w.t.Errorf("the attempt tells the truth: %s", said)
	return nil
}

func powerOn(p pair) error {
	if err := p.lab().Guest(p.peer).PowerOn(ctx(p.w.t)); err != nil {
		return err
	}
	return p.lab().Guest(p.peer).WaitSSH(ctx(p.w.t))
}

func TestVPNKitInEveryState(t *testing.T) {
	l := eight().Lab(t)
	t.Run("states", func(t *testing.T) {
		for i, states := range vpnStates {
			tun := l.Topology().Tunnels[i]
			t.Run(tun.Connection, func(t *testing.T) {
				t.Parallel()
				w := &tunnels{onlab.New(t, l), t, l}
				for _, s := range states {
					pair{w, tun.Connection, tun.Ends[0].Guest, tun.Ends[1].Guest}.try(s)
				}
			})
		}
	})
}

// outcome is "ok", "unknown" or the reason of a failure.
func outcome(r kits.Report) string {
	if r.Outcome == kits.Failed {
		return r.Reason.Code
	}
	return fmt.Sprint(r.Outcome)
}

// again asks up to three times until the answer is the one that is wanted.
func again(want string, ask func() kits.Report) (r kits.Report, ok bool) {
	for range 3 {
		if r = ask(); outcome(r) == want {
			return r, true
		}
	}
	return r, false
}

func (p pair) try(s vpnState) {
	t := p.w.t
	must(t, s.fault(p))
	for node, want := range map[string]string{p.here: s.here, p.peer: s.there} {
		if want == "" {
			continue
		}
		// Moments after the fault the daemons may be in the middle of something; three checks in a row are not.
		if r, ok := again(want, func() kits.Report { return p.w.check(s.name, node) }); !ok {
			t.Errorf("%s: the check on %s gives %s, want %s", s.name, node, brief(r), want)
		}
	}
	if r, ok := again(s.cured, func() kits.Report { return p.w.recover(s.name, p.here) }); !ok {
		t.Errorf("%s: the recovery gives %s, want %s", s.name, brief(r), s.cured)
	}
	must(t, s.end(p))
	if s.name == "pings refused" {
		return // the next state goes on from here
	}
	p.whole(s.name)
}

// whole waits until the tunnel is up with every part. What both ends negotiate at the same time may end in part; that the
// engine finds with the next check and recovers again, and so does this.
func (p pair) whole(state string) {
	var why string
	for range 4 {
		r := p.w.recover(state+" mended", p.here)
		up, cancel := context.WithTimeout(p.w.t.Context(), 15*time.Second)
		err := p.lab().WaitTunnel(up, p.conn)
		cancel()
		if r.Outcome == kits.OK && err == nil {
			return
		}
		why = fmt.Sprintf("the recovery gives %s, the tunnel %v\n%s", brief(r), err, r.Output)
		p.w.t.Logf("%s: mended, %s", state, why)
	}
	p.tell()
	p.w.t.Errorf("%s: mended, and not whole after four recoveries: %s", state, why)
}

// tell logs what the daemons of both ends say.
func (p pair) tell() {
	for _, g := range []string{p.here, p.peer} {
		out, err := p.lab().Guest(g).Sh(ctx(p.w.t), "ipsec status | grep -E '^000 #|newest IPsec'; journalctl --no-pager -q -u ipsec -o short-precise -n 60 | grep -v -E 'proposal|[1-4]:ESP|[1-4]:IKE'")
		p.w.t.Logf("%s: %v\n%s", g, err, out)
	}
}
