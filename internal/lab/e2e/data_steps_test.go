package e2e

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
)

// TestLongDataPowerOffAtEveryStep: a planned move inside the region, once for each of its steps, and as that step begins the source
// loses its power; then the same with the target. After each of them no acknowledged row is lost, there is one source, and all
// disks are equal. FERRY_RUNS bounds how many are played, FERRY_STEP is the first step (0), FERRY_VICTIM plays the source's or the
// target's alone.
func TestLongDataPowerOffAtEveryStep(t *testing.T) {
	most, err := strconv.Atoi(os.Getenv("FERRY_RUNS"))
	if err != nil {
		most = 1000
	}
	first, _ := strconv.Atoi(os.Getenv("FERRY_STEP"))
	d := newDatabase(t, 6)
	at := "LK_P_A"
	for _, victim := range []string{"source", "target"} {
		if only := os.Getenv("FERRY_VICTIM"); only != "" && only != victim {
			continue
		}
		for k := first; most > 0; k++ {
			other := map[string]string{"LK_P_A": "LK_P_B", "LK_P_B": "LK_P_A"}[at]
			loses := map[string]string{"source": at, "target": other}[victim]
			w := d.write()
			w.more(5)
			step := d.powerOffAt(k, other, loses)
			if step == "" { // there was no such step: the move came to its end
				d.holds(pgTag, other)
				w.end()
				at = other
				break
			}
			most--
			d.mark("%s loses its power at step %d, %s: %s", loses, k, step, d.ended())
			d.powerOn(loses)
			at = d.oneHasIt(at, other)
			w.more(5)
			d.mark("on %s; longest time without a row %.1f s", at, w.gap.Seconds())
			d.sound(w, at, others(at)...)
			if t.Failed() {
				t.Fatalf("the %s lost its power at step %d, %s", victim, k, step)
			}
			d.put(pgTag, at)
			d.untilInSync(others(at)...)
		}
	}
}

// powerOffAt moves the database to a node and takes a node's power as soon as the move's k-th step has begun. It returns that
// step's name when the move has ended; empty when the move ended without it.
func (d *database) powerOffAt(k int, to, loses string) (step string) {
	d.t.Helper()
	before := d.newest().ID
	done := make(chan struct{})
	go func() { defer close(done); d.ferry("in-service", string(pgTag), "--on", to, "--yes") }()
	for over := false; ; {
		if op := d.newest(); op.ID != before && op.Plan.Goal.Tag == pgTag && op.Plan.Goal.Node == to && k < len(op.Steps) && !op.Steps[k].Began.IsZero() {
			must(d.t, d.l.Guest(loses).PowerOff(ctx(d.t)))
			<-done
			return op.Steps[k].ID
		}
		if over {
			return ""
		}
		select {
		case <-done:
			over = true // and look once more
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// newest is the operation that began last; without an ID when there is none.
func (d *database) newest() api.Operation {
	d.t.Helper()
	c, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ops, err := d.client.Operations(c, 1)
	must(d.t, err)
	if len(ops) == 0 {
		return api.Operation{}
	}
	return ops[0]
}

// ended tells how the newest operation stands.
func (d *database) ended() string {
	op := d.newest()
	return string(op.Plan.Goal.Kind) + " " + string(op.Outcome)
}

// oneHasIt waits until one of two nodes has the database, all are alive and nothing moves.
func (d *database) oneHasIt(a, b string) (at string) {
	d.t.Helper()
	d.until("one of the two has it, and nothing moves", func(sn *api.Snapshot) bool {
		at = activeAt(sn, pgTag)
		return allAlive(sn) && (at == a || at == b) && len(sn.Running) == 0 && activeAt(sn, mirrorTag) == at
	})
	return at
}

// others are the service nodes beside one.
func others(node string) (all []string) {
	for _, n := range serviceNodes {
		if n != node {
			all = append(all, n)
		}
	}
	return all
}
