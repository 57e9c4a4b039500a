package lab_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/lab"
)

func TestResetOfAMess(t *testing.T) {
	l := estate.Lab(t)
	ctx := bounded(t)
	pa, pb, sa, sb := l.Guest("LK_P_A"), l.Guest("LK_P_B"), l.Guest("LK_S_A"), l.Guest("LK_S_B")
	for _, g := range []*lab.Guest{pa, pb} {
		serve(t, g)
	}
	sh(t, pa, lab.WWW().Break()+`
mkdir -p /var/lib/ferry /run/ferry && echo 1 >/var/lib/ferry/claim
systemd-run --quiet --unit=ferry-op-7 sleep 1000
systemd-run --quiet --unit=ferry-failed false
nft add table inet x; nft 'add chain inet x i { type filter hook input priority 0; policy drop; }' & sleep 0.2; true`)
	must(t, l.SetTable(ctx, lab.PrimaryRegion, vipTo(l, pa.Spec().ENI)))
	must(t, l.Latency(ctx, "LK_P_B", 100*time.Millisecond, 0))
	must(t, l.Cut(ctx, "LK_P_A", "LK_P_B"))
	must(t, l.CutEngine(ctx))
	must(t, sa.Hang(ctx))
	must(t, sb.PowerOff(ctx))

	report, err := l.Reset(ctx)
	must(t, err)
	t.Logf("reset of a mess: %+v", report)
	if !slices.Contains(report.Fresh, "LK_S_B") || !slices.Contains(report.Cleaned, "LK_P_B") || !slices.Contains(report.Cleaned, "LK_S_A") {
		t.Errorf("report %+v", report)
	}
	for _, g := range l.Guests() {
		got := sh(t, g, `ip -o -4 addr show dev `+lab.Interface+` | wc -l; ls -d /var/lib/ferry /run/ferry /etc/lab-* 2>/dev/null
systemctl list-units --all --plain --no-legend 'ferry-*' 'lab-*'; nft list tables; systemctl --failed --plain --no-legend; tc qdisc show dev `+lab.Interface+` | grep netem`+"\ntrue")
		if got != "1" {
			t.Errorf("%s is not clean: %s", g.Name(), got)
		}
		if !fromNS(t, l, lab.EngineNS, g) {
			t.Errorf("%s does not answer the engine", g.Name())
		}
	}
	if got, err := l.Client().Ask(ctx, vipPort); err == nil {
		t.Errorf("after the reset %q answers at the virtual IP", got)
	}

	report, err = l.Reset(ctx)
	must(t, err)
	t.Logf("reset of a clean lab: %v", report.Took)
	if len(report.Fresh) > 0 {
		t.Errorf("a clean lab needed fresh disks: %+v", report)
	}
	sh(t, pa, "touch /root/spoiled")
	pa.Spoil()
	report, err = l.Reset(ctx)
	must(t, err)
	t.Logf("one fresh disk: %v", report.Took)
	if got := sh(t, pa, "ls /root/spoiled 2>/dev/null; echo ."); got != "." || fmt.Sprint(report.Fresh) != "[LK_P_A]" {
		t.Errorf("a spoiled guest kept %q; report %+v", got, report)
	}
}

// TestServiceScripts takes the test service through its life, each step twice: a kit repeats them, too.
func TestServiceScripts(t *testing.T) {
	l := estate.Lab(t)
	g, w := l.Guest("LK_S_A"), lab.WWW()
	fails := func(what, script string) {
		t.Helper()
		if _, err := g.Sh(bounded(t), script); err == nil {
			t.Errorf("%s succeeded", what)
		}
	}
	start := time.Now()
	sh(t, g, w.Start())
	t.Logf("start took %v", time.Since(start))
	sh(t, g, w.Start())
	sh(t, g, w.Check())
	sh(t, g, w.Kill())
	fails("a check after a crash", w.Check())
	sh(t, g, w.Start())
	sh(t, g, w.Check())
	for range 2 {
		sh(t, g, w.Stop())
		fails("a check after a stop", w.Check())
	}
	sh(t, g, w.Start())
	for range 2 {
		sh(t, g, w.Break())
		fails("a check of a broken service", w.Check())
		fails("a start of a broken service", w.Start())
	}
	sh(t, g, w.Mend())
	sh(t, g, w.Start())
	sh(t, g, w.Check())
}
