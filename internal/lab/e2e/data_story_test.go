package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
)

// TestLongDataMovesInsideTheRegion: a planned switchover and back, under a writer.
func TestLongDataMovesInsideTheRegion(t *testing.T) {
	d := newDatabase(t, 1)
	w := d.write()
	w.more(20)
	d.put(pgTag, "LK_P_B")
	d.untilInSync("LK_P_A", "LK_S_A", "LK_S_B")
	w.more(20)
	d.put(pgTag, "LK_P_A")
	w.more(20)
	d.sound(w, "LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B")
}

// TestDataSourceLosesPower: the other zone takes over by itself with everything that was acknowledged; the old source comes
// back as a target. The copies are compared under the writer, also when blocks of one of them change by themselves. Then both
// nodes of the zone lose their power, and a person accepts the age of the other region's copy.
func TestDataSourceLosesPower(t *testing.T) {
	d := newDatabase(t, 2)
	w := d.write()
	w.more(40)
	must(t, d.l.Guest("LK_P_A").PowerOff(ctx(t)))
	d.holds(pgTag, "LK_P_B")
	d.mark("in service on LK_P_B")
	w.more(20)
	d.powerOn("LK_P_A")
	d.untilInSync("LK_P_A", "LK_S_A", "LK_S_B")
	d.comparison("LK_P_B", "LK_P_A")
	w.more(20)
	if lost := w.lost(); len(lost) > 0 {
		t.Errorf("%d of %d acknowledged rows are lost: %v", len(lost), len(w.acked), lost)
	}
	d.oneSource("LK_P_B")
	w = d.regionLost("LK_P_B", "LK_P_A", "LK_S_A")
	d.powerOn("LK_P_A")
	d.powerOn("LK_P_B")
	d.untilInSync("LK_P_A", "LK_P_B", "LK_S_B")
	w.more(20)
	d.sound(w, "LK_S_A", "LK_P_A", "LK_P_B", "LK_S_B")
}

// powerOn boots a guest with its disk.
func (d *database) powerOn(node string) {
	d.t.Helper()
	must(d.t, d.l.Guest(node).PowerOn(ctx(d.t)))
	must(d.t, d.l.Guest(node).WaitSSH(ctx(d.t)))
	must(d.t, d.disks[node].Attach(ctx(d.t)))
}

// TestDataTargetIsCutOff: writes wait until the exclusion is on record, then go on; the stale copy is not promoted when the
// source is lost after that, except by force, which says its price.
func TestDataTargetIsCutOff(t *testing.T) {
	d := newDatabase(t, 3)
	w := d.write()
	w.more(20)
	must(t, d.l.Cut(ctx(t), "LK_P_A", "LK_P_B"))
	d.until("LK_P_B excluded", func(sn *api.Snapshot) bool {
		return strings.HasPrefix(live(sn, "LK_P_B", "state"), "Target, out of sync") || strings.HasPrefix(live(sn, "LK_P_B", "state"), "Target, not")
	})
	w.more(20)
	must(t, d.l.Guest("LK_P_A").PowerOff(ctx(t)))
	d.until("a decision that nothing may take over", func(sn *api.Snapshot) bool { return verdict(sn, "LK_P_A") != "alive" })
	d.never("a stale copy was promoted", patience/10, func(sn *api.Snapshot) bool {
		return activeAt(sn, mirrorTag) != "LK_P_A" // the attempt asks the node first, and is refused
	})
	_, errs, code := d.ferry("in-service", string(pgTag), "--on", "LK_P_B", "--yes")
	if code != 107 || !strings.Contains(errs, "out of date") {
		t.Errorf("a stale copy: exit %d\n%s", code, errs)
	}
	must(t, d.l.Heal(ctx(t)))
	d.powerOn("LK_P_A")
	d.holds(pgTag, "LK_P_A")
	d.untilInSync("LK_P_B", "LK_S_A", "LK_S_B")
	w.more(20)
	d.sound(w, "LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B")
}

// TestLongDataTargetLosesPower: its copy is brought up to date when it is back.
func TestLongDataTargetLosesPower(t *testing.T) {
	d := newDatabase(t, 4)
	w := d.write()
	w.more(20)
	must(t, d.l.Guest("LK_P_B").PowerOff(ctx(t)))
	w.more(40)
	d.powerOn("LK_P_B")
	d.untilInSync("LK_P_B")
	d.sound(w, "LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B")
}

// TestDataCrossesWithoutForce: a planned move to the other region and back, under a writer, without --force: the copies there are
// asynchronous, and nothing is lost all the same.
func TestDataCrossesWithoutForce(t *testing.T) {
	d := newDatabase(t, 5)
	w := d.write()
	w.more(40)
	d.cross("LK_S_A")
	w.more(40)
	d.untilInSync("LK_P_A", "LK_P_B", "LK_S_B")
	d.refusedAfterBoot("LK_P_B")
	w.more(20)
	d.cross("LK_P_A")
	w.more(40)
	d.sound(w, "LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B")
}

// cross moves the database to a node of the other region; the client goes with it. A refusal changes nothing; on a busy machine
// a node may not answer in time, and a person would try again.
func (d *database) cross(node string) {
	d.t.Helper()
	region := d.estate.Server(node).Region
	began := time.Now()
	for try := 1; ; try++ {
		out, errs, code := d.ferry("in-service", string(pgTag), "--on", node, "--confirm-region", region, "--yes")
		if code == 0 {
			break
		}
		takenBack := code == 1 && strings.Contains(out+errs, "all is as before") // a link that is slow for a moment
		if code != 107 && code != 75 && !takenBack || try == 6 {
			d.t.Fatalf("in-service on %s: exit %d\n%s%s", node, code, out, errs)
		}
		d.t.Logf("in-service on %s refused, trying again: %s", node, errs)
		time.Sleep(5 * time.Second)
	}
	d.far.Store(region == farRegion)
	d.mark("in service on %s after %.1f s", node, time.Since(began).Seconds())
}

// refusedAfterBoot: a target that lost its power is refused until its copy has been brought up to date.
func (d *database) refusedAfterBoot(node string) {
	d.t.Helper()
	must(d.t, d.l.Guest(node).PowerOff(ctx(d.t)))
	d.powerOn(node)
	_, errs, code := d.ferry("in-service", string(pgTag), "--on", node, "--confirm-region", d.estate.Server(node).Region, "--yes")
	if code == 0 {
		d.t.Errorf("%s was promoted right after its boot", node)
	}
	d.mark("refused right after its boot: %s", strings.TrimSpace(errs))
	d.untilInSync(node)
}
