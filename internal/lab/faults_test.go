package lab_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/lab"
)

func TestPowerOffAndOn(t *testing.T) {
	l := estate.Lab(t)
	ctx := bounded(t)
	a, b := l.Guest("LK_P_A"), l.Guest("LK_P_B")
	serve(t, a)
	must(t, l.SetTable(ctx, lab.PrimaryRegion, vipTo(l, a.Spec().ENI)))
	sh(t, a, "mkdir -p /var/lib/ferry && echo claim 7 >/var/lib/ferry/claim && sync /var/lib/ferry/claim && touch /run/marker")
	p := l.Client().Probe(ctx, vipPort, interval)
	defer p.Stop()
	must(t, p.WaitAnswer(ctx, "LK_P_A"))

	start := time.Now()
	must(t, a.PowerOff(ctx))
	t.Logf("power off took %v", time.Since(start))
	must(t, a.PowerOff(ctx))
	if a.Running() || fromNS(t, l, lab.EngineNS, a) || fromGuest(t, b, a) {
		t.Error("a guest without power answers")
	}

	start = time.Now()
	must(t, a.PowerOn(ctx))
	must(t, a.WaitSSH(ctx))
	t.Logf("power on to ssh took %v", time.Since(start))
	if got := sh(t, a, "cat /var/lib/ferry/claim; ls /run/marker 2>/dev/null; ip -o -4 addr show to "+vip); got != "claim 7" {
		t.Errorf("after the boot: %q; want the disk kept, the rest gone", got)
	}
	serve(t, a)
	must(t, p.WaitAnswer(ctx, "LK_P_A"))
	p.Stop()
	if o := p.Outage(); o.Failed < 10 || o.Before != o.After {
		t.Errorf("the probe saw %v", o)
	}
}

func TestShutdownIsOrderly(t *testing.T) {
	l := estate.Lab(t)
	ctx := bounded(t)
	g := l.Guest("LK_S_B")
	sh(t, g, `systemd-run --quiet --unit=lab-last -p ExecStop="/bin/sh -c 'echo stopped >/var/tmp/last; sync'" sleep 1000`)
	start := time.Now()
	must(t, g.Shutdown(ctx))
	t.Logf("shutdown took %v", time.Since(start))
	if g.Running() {
		t.Error("the guest still has power")
	}
	must(t, g.PowerOn(ctx))
	must(t, g.WaitSSH(ctx))
	if got := sh(t, g, "cat /var/tmp/last; rm -f /var/tmp/last"); got != "stopped" {
		t.Errorf("the unit's stop left %q", got)
	}
}

func TestHangAndResume(t *testing.T) {
	l := estate.Lab(t)
	ctx := bounded(t)
	a, b := l.Guest("LK_P_A"), l.Guest("LK_P_B")
	sh(t, a, "systemd-run --quiet --unit=lab-busy sh -c 'while :; do :; done'; systemd-run --quiet --unit=lab-idle sleep 1000")
	must(t, a.Hang(ctx))
	if !a.Running() || fromNS(t, l, lab.EngineNS, a) || fromGuest(t, b, a) {
		t.Error("a hung guest has power and answers nobody")
	}
	short, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	if _, err := a.Sh(short, ":"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a script on a hung guest: %v", err)
	}
	must(t, a.Resume())
	must(t, a.WaitSSH(ctx))
	if got := sh(t, a, "systemctl is-active lab-busy lab-idle"); got != "active\nactive" {
		t.Errorf("after the hang: %q", got)
	}
	if !fromNS(t, l, lab.EngineNS, a) || !fromGuest(t, b, a) {
		t.Error("the guest does not answer after the hang")
	}
	if off := time.Now().Unix() - number(t, sh(t, a, "date +%s")); off < -1 || off > 5 {
		t.Errorf("after the hang the clock is off by %d s", off)
	}
}

// TestCuts checks every cut for what it takes away and what it leaves.
func TestCuts(t *testing.T) {
	l := estate.Lab(t)
	ctx := bounded(t)
	pa, pb, sa := l.Guest("LK_P_A"), l.Guest("LK_P_B"), l.Guest("LK_S_A")
	ways := map[string]func() bool{
		"pa-pb":     func() bool { return fromGuest(t, pa, pb) },
		"pb-pa":     func() bool { return fromGuest(t, pb, pa) },
		"pa-sa":     func() bool { return fromGuest(t, pa, sa) },
		"pb-sa":     func() bool { return fromGuest(t, pb, sa) },
		"sa-pa":     func() bool { return fromGuest(t, sa, pa) },
		"engine-pa": func() bool { return fromNS(t, l, lab.EngineNS, pa) },
		"engine-sa": func() bool { return fromNS(t, l, lab.EngineNS, sa) },
		"client-pa": func() bool { return fromNS(t, l, lab.ClientNS(lab.PrimaryRegion), pa) },
		"client-sa": func() bool { return fromNS(t, l, lab.ClientNS(lab.PrimaryRegion), sa) },
	}
	for _, c := range []struct {
		name string
		cut  func() error
		gone string
	}{
		{"nothing", func() error { return nil }, ""},
		{"pair in one region", func() error { return l.Cut(ctx, "LK_P_A", "LK_P_B") }, "pa-pb pb-pa"},
		{"pair across regions", func() error { return l.Cut(ctx, "LK_P_A", "LK_S_A") }, "pa-sa sa-pa"},
		{"one guest", func() error { return l.CutGuest(ctx, "LK_P_A") }, "pa-pb pb-pa pa-sa sa-pa engine-pa client-pa"},
		{"engine", func() error { return l.CutEngine(ctx) }, "engine-pa engine-sa"},
		{"engine from a region", func() error { return l.Cut(ctx, lab.EngineNS, lab.StandbyRegion) }, "engine-sa"},
		{"engine from a guest", func() error { return l.Cut(ctx, lab.EngineNS, "LK_P_A") }, "engine-pa"},
		{"regions", func() error { return l.CutRegions(ctx) }, "pa-sa pb-sa sa-pa client-sa"},
		{"client from a guest", func() error { return l.Cut(ctx, lab.ClientNS(lab.PrimaryRegion), "LK_S_A") }, "client-sa"},
	} {
		must(t, c.cut())
		var wg sync.WaitGroup
		for way, open := range ways {
			wg.Go(func() {
				if want := !strings.Contains(" "+c.gone+" ", " "+way+" "); open() != want {
					t.Errorf("cut %s: %s open is %t, want %t", c.name, way, !want, want)
				}
			})
		}
		wg.Wait()
		must(t, l.Heal(ctx))
	}
	if err := l.Cut(ctx, "LK_P_A", "LK_P_X"); err == nil {
		t.Error("a cut from an unknown guest was accepted")
	}
}

func TestLatency(t *testing.T) {
	l := estate.Lab(t)
	ctx := bounded(t)
	pa, sa := l.Guest("LK_P_A"), l.Guest("LK_S_A")
	connect := func() time.Duration {
		start := time.Now()
		if !fromNS(t, l, lab.EngineNS, sa) {
			t.Fatal("no connection")
		}
		return time.Since(start)
	}
	must(t, l.Latency(ctx, "LK_S_A", 80*time.Millisecond, 0))
	if d := connect(); d < 80*time.Millisecond || d > 500*time.Millisecond {
		t.Errorf("with 80 ms of latency a connection took %v", d)
	}
	must(t, l.Latency(ctx, "LK_S_A", 0, 100))
	if fromGuest(t, pa, sa) {
		t.Error("a guest that loses all packets answers")
	}
	must(t, l.Latency(ctx, "LK_S_A", 0, 0))
	connect()
}

func TestHarnessReachesAGuestWithoutSSHD(t *testing.T) {
	l := estate.Lab(t)
	a := l.Guest("LK_S_B")
	sh(t, a, "systemctl stop ssh")
	if fromNS(t, l, lab.EngineNS, a) {
		t.Error("the node's sshd still answers")
	}
	if got := sh(t, a, "hostname"); got != "LK_S_B" {
		t.Errorf("the harness got %q", got)
	}
	report, err := l.Reset(bounded(t))
	must(t, err)
	if len(report.Fresh) > 0 || !fromNS(t, l, lab.EngineNS, a) {
		t.Errorf("the reset did not bring sshd back in place: %+v", report)
	}
}
