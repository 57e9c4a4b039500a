package kittest_test

import (
	"testing"
	"time"

	"github.com/ferry-ha/ferry/kits/datakeeper"
)

// An asynchronous copy far away does not slow commits down, is never promoted without force, and by force is.
func TestMirrorAsynchronous(t *testing.T) {
	m := newMirror(t, datakeeper.HierarchyNew)
	m.attrs["LK_P_B"][datakeeper.FieldMode] = datakeeper.ModeAsynchronous
	m.mustPromote("LK_P_A")
	if got := m.sh("LK_P_A", "blkid -p -o value -s TYPE "+mirrorDev); got != "ext4" {
		t.Errorf("the new file system is %q", got)
	}
	m.begin()
	t.Logf("in sync after %v", m.inSync("LK_P_B"))
	m.must(m.lab.Latency(t.Context(), "LK_P_B", 80*time.Millisecond, 0))
	m.sh("LK_P_A", "mkdir -p /data && mount "+mirrorDev+" /data")
	alone := m.sh("LK_P_A", `perl -MTime::HiRes -MIO::Handle -e 'open(my $f, ">", "/data/f") or die; my $t = Time::HiRes::time(); for (1..200) { syswrite($f, "x" x 4096); $f->sync } printf "%.2f", (Time::HiRes::time() - $t) * 1000 / 200'`)
	t.Logf("%s ms for each commit of 4 KiB on ext4, 80 ms away", alone)
	if no := m.promote("LK_P_B", false); no == nil || no.Code != "datakeeper.asynchronous" {
		t.Errorf("an asynchronous copy: %+v", no)
	} else {
		t.Log(no.Text)
	}
	m.must(m.lab.Latency(t.Context(), "LK_P_B", 0, 0))
	m.sh("LK_P_A", "sync; sleep 3")
	m.must(m.lab.Guest("LK_P_A").PowerOff(t.Context()))
	if no := m.promote("LK_P_B", true); no != nil {
		m.fatal("by force: %+v", no)
	}
	m.sh("LK_P_B", "mkdir -p /data && mount "+mirrorDev+" /data && test $(stat -c %s /data/f) = 819200 && umount /data")
	m.power("LK_P_A")
	t.Logf("the old source is copied in full: %v", m.inSync("LK_P_A"))
	m.sameDisks()
}

// A stale copy that a person forces is what it was; the other side is overwritten.
func TestMirrorForced(t *testing.T) {
	m, w := ready(t)
	m.attrs["LK_P_B"][datakeeper.FieldPaused] = "true"
	m.notInSync("LK_P_B")
	w.start("LK_P_A", 7)
	time.Sleep(2 * time.Second)
	w.end()
	m.lost()
	m.stopOn("LK_P_A")
	m.attrs["LK_P_B"][datakeeper.FieldPaused] = "false"
	if no := m.promote("LK_P_B", false); no == nil || no.Code != "datakeeper.stale" {
		t.Errorf("a paused copy: %+v", no)
	} else {
		t.Log(no.Text)
	}
	if no := m.promote("LK_P_B", true); no != nil {
		m.fatal("by force: %+v", no)
	}
	m.begin()
	t.Logf("the other is copied in full: %v", m.inSync("LK_P_A"))
	m.sameDisks()
	// A node that took part in a newer generation does not start at an older one.
	m.lost()
	m.stopOn("LK_P_B")
}
