package lab_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/lab"
)

// estate is the one lab of this test binary.
var estate = lab.NewShared(lab.Options{})

func TestMain(m *testing.M) { os.Exit(estate.Main(m)) }

const (
	vip      = "10.1.0.10"
	vipPort  = vip + ":8080"
	interval = 50 * time.Millisecond
)

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sh runs a script that has to succeed.
func sh(t *testing.T, g *lab.Guest, script string) string {
	t.Helper()
	out, err := g.Sh(bounded(t), script)
	if err != nil {
		t.Fatalf("%s\n%s", err, out)
	}
	return strings.TrimSpace(out)
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	must(t, err)
	return n
}

// vipTo is the primary region's table with the virtual IP at an interface.
func vipTo(l *lab.Lab, eni string) []lab.Route {
	routes := l.Topology().Regions[0].Routes
	return append([]lab.Route{{Dest: netip.MustParsePrefix(vip + "/32"), ENI: eni}}, routes...)
}

// serve makes a guest ready to answer for the virtual IP.
func serve(t *testing.T, g *lab.Guest) {
	t.Helper()
	sh(t, g, "ip addr replace "+vip+"/32 dev "+lab.Interface+"\n"+lab.WWW().Start())
}

// fromNS says whether a guest's sshd is reachable from a namespace.
func fromNS(t *testing.T, l *lab.Lab, ns string, to *lab.Guest) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(bounded(t), time.Second)
	defer cancel()
	c, err := l.Dial(ctx, ns, "tcp", to.Addr().String()+":22")
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// fromGuest says whether one guest reaches another's sshd.
func fromGuest(t *testing.T, from, to *lab.Guest) bool {
	t.Helper()
	out, err := from.Sh(bounded(t), fmt.Sprintf("nc -z -w 1 %s 22 && echo yes || echo no", to.Addr()))
	if err != nil {
		t.Errorf("asking %s: %v", from.Name(), err)
	}
	return strings.TrimSpace(out) == "yes"
}

func TestEngineLogsInToEveryGuest(t *testing.T) {
	l := estate.Lab(t)
	for _, g := range l.Guests() {
		for _, user := range []string{"root", "ferry"} {
			t.Run(user+"@"+g.Name(), func(t *testing.T) {
				t.Parallel()
				checkLogin(t, l, g, user)
			})
		}
	}
}

// checkLogin logs in with the system's ssh and the lab's ssh_config, and looks at what a kit needs on a node.
func checkLogin(t *testing.T, l *lab.Lab, g *lab.Guest, user string) {
	const script = "set -e; hostname; id -un; sudo -n id -u; date +%s; systemctl is-system-running; sudo -n systemd-run --quiet --wait --pipe echo unit"
	out, err := l.Command(bounded(t), lab.EngineNS, "ssh", "-F", l.SSHConfig().Config, "-l", user, g.Name(), script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f := strings.Fields(string(out))
	if len(f) != 6 {
		t.Fatalf("got %q", out)
	}
	if off := time.Since(time.Unix(number(t, f[3]), 0)); off < -time.Second || off > 10*time.Second {
		t.Errorf("the clock is off by %v", off)
	}
	f[3] = "TIME"
	if got, want := strings.Join(f, " "), g.Name()+" "+user+" 0 TIME running unit"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestVirtualIPFollowsTheRouteTable(t *testing.T) {
	l := estate.Lab(t)
	ctx := bounded(t)
	a, b := l.Guest("LK_P_A"), l.Guest("LK_P_B")
	serve(t, a)
	must(t, l.SetTable(ctx, lab.PrimaryRegion, vipTo(l, a.Spec().ENI)))

	p := l.Client().Probe(ctx, vipPort, interval)
	defer p.Stop()
	must(t, p.WaitAnswer(ctx, "LK_P_A"))
	remote, err := l.ClientIn(lab.StandbyRegion).Ask(ctx, vipPort)
	if err != nil || remote != "LK_P_A" {
		t.Errorf("the client in the standby region got %q, %v", remote, err)
	}

	// The address on a second guest, loudly announced, moves nothing: only the table does.
	serve(t, b)
	sh(t, b, "arping -U -c 2 -w 2 -I "+lab.Interface+" -s "+vip+" "+vip+" || true")
	if got, err := l.Client().Ask(ctx, vipPort); err != nil || got != "LK_P_A" {
		t.Errorf("after an announcement the client got %q, %v; want LK_P_A", got, err)
	}

	sh(t, a, "ip addr del "+vip+"/32 dev "+lab.Interface)
	must(t, p.WaitFailure(ctx))
	must(t, l.SetTable(ctx, lab.PrimaryRegion, vipTo(l, b.Spec().ENI)))
	must(t, p.WaitAnswer(ctx, "LK_P_B"))
	p.Stop()
	o := p.Outage()
	t.Logf("switchover by hand: %v", o)
	if o.Before != "LK_P_A" || o.After != "LK_P_B" || o.Length() <= 0 || o.Gap < o.Length() {
		t.Errorf("the probe saw %+v", o)
	}

	must(t, l.SetTable(ctx, lab.PrimaryRegion, l.Topology().Regions[0].Routes))
	if got, err := l.Client().Ask(ctx, vipPort); err == nil {
		t.Errorf("without a route, %q answered", got)
	}
}

func TestBlackholeAndUnknownInterface(t *testing.T) {
	l := estate.Lab(t)
	ctx := bounded(t)
	a := l.Guest("LK_P_A")
	serve(t, a)
	for name, r := range map[string]lab.Route{
		"blackhole":        {Dest: netip.MustParsePrefix(vip + "/32"), ENI: a.Spec().ENI, Blackhole: true},
		"foreign":          {Dest: netip.MustParsePrefix(vip + "/32"), ENI: l.Guest("LK_S_A").Spec().ENI},
		"somewhere unseen": {Dest: netip.MustParsePrefix(vip + "/32"), ENI: "eni-nobody"},
	} {
		must(t, l.SetTable(ctx, lab.PrimaryRegion, []lab.Route{r}))
		if got, err := l.Client().Ask(ctx, vipPort); err == nil {
			t.Errorf("%s: %q answered", name, got)
		}
	}
	if err := l.SetTable(ctx, "eu-nowhere-1", nil); err == nil {
		t.Error("a table of an unknown region was accepted")
	}
}

func TestSourceDestCheckDropsTheVirtualIP(t *testing.T) {
	l := estate.Lab(t)
	ctx := bounded(t)
	a := l.Guest("LK_P_A")
	serve(t, a)
	must(t, l.SetTable(ctx, lab.PrimaryRegion, vipTo(l, a.Spec().ENI)))
	for _, on := range []bool{true, false} {
		must(t, l.SetSourceDestCheck(ctx, "LK_P_A", on))
		if _, err := l.Client().Ask(ctx, vipPort); (err != nil) != on {
			t.Errorf("source/dest check %t: error %v", on, err)
		}
		if !fromNS(t, l, lab.EngineNS, a) {
			t.Errorf("source/dest check %t: the guest's own address does not answer", on)
		}
	}
}
