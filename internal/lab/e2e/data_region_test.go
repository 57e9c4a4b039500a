package e2e

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
)

// Both nodes of a zone pair lose their power: what is left are asynchronous copies, and a person has to accept their age.

// regionLost takes the power of both nodes of the active region under a writer, has the loss accepted, and returns another
// writer, of the database in the other region. No row is lost that was acknowledged before the moment that the question named.
func (d *database) regionLost(active, other, to string) *writer {
	d.t.Helper()
	w := d.write()
	w.more(40)
	d.untilInSync(to)
	var both sync.WaitGroup
	for _, n := range []string{active, other} {
		both.Go(func() {
			if err := d.l.Guest(n).PowerOff(ctx(d.t)); err != nil {
				d.t.Error(err)
			}
		})
	}
	both.Wait()
	off := time.Now()
	w.end()
	d.mark("%s and %s without power, %d rows acknowledged", active, other, w.count())

	q := d.questionOf(to)
	said := d.copyOf(q)
	d.mark("asked; proven %v; the copy of %s had everything %.1f s before the power went", q.Proven, said.Node, off.Sub(said.Last).Seconds())
	if list := d.must("confirm", "list"); !strings.Contains(list, "DATA LOSS") || !strings.Contains(list, "old") || !strings.Contains(list, to) {
		d.t.Errorf("the question does not say how old the copy is:\n%s", list)
	}
	yes := []string{"confirm", "yes", q.ID, "--region", q.ToRegion}
	if !q.Proven {
		yes = append(yes, "--node-is-off", q.From)
	}
	_, errs, code := d.ferry(yes...)
	if code != 107 || !strings.Contains(errs, "--accept-data-loss") || !strings.Contains(errs, "DATA LOSS") {
		d.t.Errorf("a plain yes: exit %d\n%s", code, errs)
	}
	if at := activeAt(d.snapshot(), mirrorTag); at != active {
		d.t.Errorf("after a plain yes the mirror is claimed by %s", at)
	}
	for try := 1; ; try++ { // on a busy machine a node may not answer in time; nothing has changed then, and the question stands
		out, errs, code := d.ferry(append(yes, "--accept-data-loss", "--wait")...)
		if code == 0 {
			break
		}
		if try == 4 {
			d.t.Fatalf("the loss accepted: exit %d\n%s%s", code, out, errs)
		}
		d.t.Logf("the loss accepted: exit %d: %s", code, errs)
		yes[2] = d.questionOf(to).ID
	}
	d.far.Store(to[:4] == "LK_S")
	d.holds(pgTag, to)
	d.mark("in service on %s", to)
	d.oneSource(to)
	d.lostSince(w, said.Last, off)
	next := d.write()
	next.more(20)
	return next
}

// questionOf waits for the one about a move to this node. Others may stand before it, of a node that was slow to answer.
func (d *database) questionOf(to string) (found policy.Question) {
	d.t.Helper()
	d.until("a question about "+to, func(sn *api.Snapshot) bool {
		i := slices.IndexFunc(sn.Questions, func(q policy.Question) bool { return q.State == policy.Pending && q.To == to })
		if i >= 0 {
			found = sn.Questions[i]
		}
		return i >= 0
	})
	return found
}

// copyOf is what a question says of the mirror's data.
func (d *database) copyOf(q policy.Question) policy.Copy {
	d.t.Helper()
	if len(q.Copies) != 1 || q.Copies[0].Tag != mirrorTag || q.Copies[0].Node != q.To {
		d.t.Fatalf("copies: %+v", q.Copies)
	}
	c := q.Copies[0]
	if c.Price.Code != "datakeeper.asynchronous" || c.Last.IsZero() {
		d.t.Fatalf("the copy of %s: %+v", c.Node, c)
	}
	return c
}

// lostSince demands that every row is there that was acknowledged before a copy's age began; ages are told in whole seconds.
func (d *database) lostSince(w *writer, last, off time.Time) {
	d.t.Helper()
	missing := map[int]bool{}
	for _, n := range w.lost() {
		missing[n] = true
	}
	early, oldest := 0, time.Duration(0)
	for i, n := range w.acked {
		if !missing[n] {
			continue
		}
		oldest = max(oldest, off.Sub(w.at[i]))
		if w.at[i].Before(last.Add(-time.Second)) {
			early++
		}
	}
	if early > 0 {
		d.t.Errorf("%d rows are lost that were acknowledged before %s, when the copy was said to have everything", early, last)
	}
	d.mark("%d of %d acknowledged rows lost, the oldest %.1f s before the power went; said were %.1f s", len(missing), len(w.acked), oldest.Seconds(), off.Sub(last).Seconds())
}
