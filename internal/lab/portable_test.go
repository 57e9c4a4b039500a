package lab

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// These tests need no guests and run everywhere.

func TestValidate(t *testing.T) {
	if err := FourNodes().Validate(); err != nil {
		t.Fatalf("the example: %v", err)
	}
	for name, c := range map[string]struct {
		change func(*Topology)
		want   string
	}{
		"no guests":     {func(t *Topology) { t.Guests = nil }, "needs a region and a guest"},
		"no engine":     {func(t *Topology) { t.Engine = netip.Addr{} }, "engine needs an IPv4 address"},
		"engine inside": {func(t *Topology) { t.Engine = netip.MustParseAddr("10.0.9.9") }, "lies inside region ap-northeast-1"},
		"same name":     {func(t *Topology) { t.Guests[1].Name = "LK_P_A" }, `guest "LK_P_A": no name, or the name is taken`},
		"same address":  {func(t *Topology) { t.Guests[1].Addr = t.Guests[0].Addr }, "address 10.0.0.10 is taken"},
		"no region":     {func(t *Topology) { t.Guests[1].Region = "eu-west-1" }, `no region "eu-west-1"`},
		"no subnet":     {func(t *Topology) { t.Guests[1].Addr = netip.MustParseAddr("10.0.99.1") }, "10.0.99.1 is in no subnet"},
		"client":        {func(t *Topology) { t.Regions[0].Client = netip.MustParseAddr("10.0.99.1") }, "is in none of its subnets"},
	} {
		top := FourNodes()
		c.change(&top)
		if err := top.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want something with %q", name, err, c.want)
		}
	}
}

func TestOutages(t *testing.T) {
	start := time.Now()
	ms := func(n int) time.Time { return start.Add(time.Duration(n) * time.Millisecond) }
	ok := func(at int, who string) Attempt { return Attempt{Start: ms(at), End: ms(at + 10), Answer: who} }
	bad := func(at int) Attempt { return Attempt{Start: ms(at), End: ms(at + 900), Err: errors.New("no answer")} }

	got := Outages([]Attempt{bad(0), ok(50, "A"), ok(100, "A"), bad(150), bad(200), ok(250, "B"), bad(300), ok(350, "B"), bad(400)})
	want := []struct {
		length, gap   int
		before, after string
		failed        int
	}{{60, 60, "", "A", 1}, {110, 160, "A", "B", 2}, {60, 110, "B", "B", 1}}
	if len(got) != len(want)+1 {
		t.Fatalf("got %d outages: %v", len(got), got)
	}
	for i, w := range want {
		o := got[i]
		if o.Length() != time.Duration(w.length)*time.Millisecond || o.Gap != time.Duration(w.gap)*time.Millisecond || o.Before != w.before || o.After != w.after || o.Failed != w.failed {
			t.Errorf("outage %d: %+v, want %+v", i, o, w)
		}
	}
	if last := got[len(got)-1]; !last.To.IsZero() || last.Before != "B" {
		t.Errorf("an outage that lasts: %+v", last)
	}
	if (Outage{}).Length() != 0 || len(Outages(nil)) != 0 {
		t.Error("no attempts make no outage")
	}
}

func TestProbeHidesNothingBehindASlowAttempt(t *testing.T) {
	now := time.Now()
	p := &Probe{underway: map[time.Time]bool{now.Add(time.Second): true}}
	p.end(Attempt{Start: now.Add(2 * time.Second), Answer: "B"})
	p.end(Attempt{Start: now, Answer: "A"})
	if got := p.Attempts(); len(got) != 1 || got[0].Answer != "A" {
		t.Errorf("while an earlier attempt is under way: %v", got)
	}
	p.end(Attempt{Start: now.Add(time.Second), Err: errors.New("no answer")})
	if got := p.Attempts(); len(got) != 3 || got[1].Err == nil {
		t.Errorf("in the end: %v", got)
	}
}

func TestLabID(t *testing.T) {
	for name, want := range map[string]string{
		"flab12-a1b2c3":                       "flab12-a1b2c3",
		"flab12-a1b2c3-router-ap-northeast-1": "flab12-a1b2c3",
		"flab-a1b2c3":                         "",
		"flab12":                              "",
		"lab12-a1b2c3":                        "",
		"flab0-a1b2c3":                        "",
		"flabby-1":                            "",
		"flab99999999999999999999-x":          "",
	} {
		id, _, ok := labID(name)
		if ok != (want != "") || (ok && id != want) {
			t.Errorf("%s: %q, %t; want %q", name, id, ok, want)
		}
	}
	if !processLives(os.Getpid()) {
		t.Error("this process lives")
	}
}

func TestPackageLists(t *testing.T) {
	if len(Packages()) == 0 || len(lines(guestPackages)) < 10 {
		t.Error("a package list is empty")
	}
	for _, p := range append(Packages(), lines(guestPackages)...) {
		if strings.ContainsAny(p, " \t,#") {
			t.Errorf("%q is no package name", p)
		}
	}
	if a, b := imageKey("6.1.1"), imageKey("6.1.2"); a == b || len(a) != 16 {
		t.Errorf("image keys %q and %q", a, b)
	}
}

func TestFilter(t *testing.T) {
	l := unbuilt(FourNodes())
	l.guests[2].checked = true
	l.cuts = []cut{{from: "LK_P_A", to: "LK_S_A"}, {from: "LK_P_B", to: everything}, {from: EngineNS, to: StandbyRegion, oneWay: true}}
	for i, want := range []string{`
iifname "g0" oifname "peer1" ip daddr 172.16.0.10 drop
iifname "peer1" ip saddr 172.16.0.10 oifname "g0" drop
iifname "g1" drop
oifname "g1" drop
iifname "eng" oifname "peer1" drop`, `
iifname "peer0" ip saddr 10.0.0.10 oifname "g2" drop
iifname "g2" oifname "peer0" ip daddr 10.0.0.10 drop
iifname "peer0" ip saddr 10.0.10.10 drop
oifname "peer0" ip daddr 10.0.10.10 drop
iifname "eng" drop
iifname "g2" ip saddr != 172.16.0.10 drop
oifname "g2" ip daddr != 172.16.0.10 drop`} {
		_, forward, _ := strings.Cut(l.filter(i), "policy accept;")
		forward, _, _ = strings.Cut(forward, "\n}")
		if forward != want {
			t.Errorf("router %d:%s\nwant:%s", i, forward, want)
		}
	}
}

func TestRequireNamesWhatIsMissing(t *testing.T) {
	if supported() != nil || os.Geteuid() != 0 {
		t.Skip("without root or Linux, that is what Require says first")
	}
	dir := t.TempDir()
	for _, p := range Packages() {
		if p != "nftables" && p != "mmdebstrap" {
			if err := os.WriteFile(filepath.Join(dir, programOf(p)), []byte("#!/bin/sh\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Setenv("PATH", dir)
	err := Require()
	if want := "apt-get install -y --no-install-recommends mmdebstrap nftables"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want it to end with %q", err, want)
	}
}

// TestScriptsParse reads every script that runs in a guest with the machine's own shell.
func TestScriptsParse(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no sh on this machine")
	}
	l := unbuilt(EightNodes())
	g, vpn := l.guests[0], l.guests[4]
	w := WWW()
	for name, script := range map[string]string{
		"clean": g.cleanScript(), "up": g.upScript(), "clean vpn": vpn.cleanScript(), "up vpn": vpn.upScript(), "customize": string(customizeScript),
		"start": w.Start(), "stop": w.Stop(), "check": w.Check(), "break": w.Break(), "kill": w.Kill(), "mend": w.Mend(),
	} {
		cmd := exec.Command("sh", "-n")
		cmd.Stdin = strings.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if name != "customize" && strings.Contains(script, "$UNIT") || strings.Contains(script, "$NIC") || strings.Contains(script, "$VPN") || strings.Contains(script, "$CONF") {
			t.Errorf("%s: a placeholder is left", name)
		}
	}
}

func TestEightNodes(t *testing.T) {
	if err := EightNodes().Validate(); err != nil {
		t.Fatalf("the example: %v", err)
	}
	for name, c := range map[string]struct {
		change func(*Topology)
		want   string
	}{
		"peer link":      {func(t *Topology) { t.NoPeerLink = false }, "has no peer link"},
		"no public":      {func(t *Topology) { t.Guests[4].Public = netip.Addr{} }, `"VPN_P_A" is no guest with a public address`},
		"private":        {func(t *Topology) { t.Guests[4].Public = netip.MustParseAddr("10.9.9.9") }, "10.9.9.9 is no public IPv4 address"},
		"public twice":   {func(t *Topology) { t.Guests[5].Public = t.Guests[4].Public }, "is taken"},
		"same name":      {func(t *Topology) { t.Tunnels[1].Connection = "vpn1" }, `tunnel "vpn1": no name, or the name is taken`},
		"in one region":  {func(t *Topology) { t.Tunnels[0].Ends[1].Guest = "VPN_P_B" }, "both ends are in one region"},
		"no such guest":  {func(t *Topology) { t.Tunnels[0].Ends[1].Guest = "VPN_X" }, `"VPN_X" is no guest`},
		"nothing behind": {func(t *Topology) { t.Tunnels[0].Ends[1].Networks = nil }, "has no networks"},
	} {
		top := EightNodes()
		c.change(&top)
		if err := top.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want something with %q", name, err, c.want)
		}
	}
	top := EightNodes()
	top.SetENI("VPN_S_A", "eni-other")
	if r := top.Regions[1].Routes; top.Guests[6].ENI != "eni-other" || r[0].ENI != "eni-other" || r[1].ENI != "eni-other" || top.Regions[0].Routes[0].ENI != "eni-vpn-p-a" {
		t.Errorf("after another name for an interface: %+v", top)
	}
}

func TestFilterWithTunnels(t *testing.T) {
	l := unbuilt(EightNodes())
	l.cuts = []cut{{from: "LK_P_A", to: "LK_S_A"}, {from: EngineNS, to: StandbyRegion, oneWay: true}, {from: PrimaryRegion, to: StandbyRegion}}
	l.tunnelCuts = []tunnelCut{{connection: "vpn1"}, {connection: "vpn2", data: true, from: "VPN_S_B"}}
	for i, want := range []string{`
iifname "g0" ip daddr 172.16.0.10 drop
ip saddr 172.16.0.10 oifname "g0" drop
iifname "eng" ip daddr { 172.16.0.0/16, 10.2.0.0/16 } drop
oifname "inet1" drop
iifname "inet1" drop
iifname "g4" ip daddr 54.254.156.254 drop`, `
ip saddr 10.0.0.10 oifname "g2" drop
iifname "g2" ip daddr 10.0.0.10 drop
iifname "eng" drop
iifname "inet0" drop
oifname "inet0" drop
iifname "g6" ip daddr 54.249.2.50 drop
iifname "g7" ip daddr 54.249.2.51 udp dport 4500 @th,64,32 != 0 drop
iifname "g7" ip daddr 54.249.2.51 meta l4proto esp drop`} {
		_, forward, _ := strings.Cut(l.filter(i), "policy accept;")
		forward, _, _ = strings.Cut(forward, "\n}")
		if forward != want {
			t.Errorf("router %d:%s\nwant:%s", i, forward, want)
		}
	}
}

func unbuilt(top Topology) *Lab {
	l := &Lab{top: top}
	for i, s := range top.Guests {
		g := &Guest{lab: l, spec: s, index: i}
		g.region, _ = top.regionIndex(s.Region)
		l.guests = append(l.guests, g)
	}
	return l
}
