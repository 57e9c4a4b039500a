package datakeeper

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// md counts how much differs between the members, in windows of 64 KiB, and does not say on which. So after a comparison that
// found something each node reads its own leg (task "locate"), and what is found is on record: a leg that differs stays a
// member, but is no copy that is promoted without a person's word, and nothing is repaired. Which side is right the mirror
// cannot know.
//
// No node reads another one's disk for that: such a read would hang with the link, and with it whatever waits for its end.

const (
	// locateLimit is how long is looked for; what is not read by then is said not to have been.
	locateLimit = 75 * time.Second
	// sumsTime bounds one script, in seconds: an exclusion may have to wait for it.
	sumsTime = 3
	mib      = 1 << 20
	block    = 4096
	// sumsMost is how many MiB one script may read, so that its answer stays short.
	sumsMost = 256
)

// located is what was found on one member.
type located struct {
	number int
	blocks int64
	whole  bool // everything was read
}

// newLocated reads "- NODE=NUMBER:BLOCKS:yes|no …"; what makes no sense is left out, and told by nobody.
func newLocated(rest string) map[string]located {
	out := map[string]located{}
	for _, w := range strings.Fields(rest) {
		node, v, ok := strings.Cut(w, "=")
		f := strings.Split(v, ":")
		if !ok || node == "" || len(f) != 3 {
			continue
		}
		n, nerr := strconv.Atoi(f[0])
		blocks, berr := strconv.ParseInt(f[1], 10, 64)
		if nerr == nil && berr == nil && n >= 0 && blocks >= 0 {
			out[node] = located{number: n, blocks: blocks, whole: f[2] == "yes"}
		}
	}
	return out
}

func (w worker) locate(ctx context.Context) kits.Report {
	l := locator{worker: w, bytes: w.rec.Sectors * 512, ends: time.Now().Add(locateLimit), all: map[string]located{}}
	for _, n := range sortedKeys(w.rec.Legs) {
		if leg := w.rec.Legs[n]; leg.State == InSync && w.in.On[n] != nil {
			l.all[n] = located{number: leg.Number, whole: true}
		}
	}
	if r := l.disks(ctx); r.Outcome != kits.OK {
		return r
	}
	var args []string
	for _, n := range sortedKeys(l.all) {
		d := l.all[n]
		args = append(args, fmt.Sprintf("%s=%d:%d:%s", n, d.number, d.blocks, map[bool]string{true: "yes", false: "no"}[d.whole]))
	}
	_, r := w.run(ctx, w.rec.Source, "located", locatedSh, args...)
	if r.Outcome == kits.OK {
		r.Reason = found(w.in, w.rec, l.all)
	}
	return r
}

// locator is one search.
type locator struct {
	worker
	bytes int64
	ends  time.Time
	all   map[string]located
}

// disks reads all of them, as many MiB at a time as each manages. Only the source's own silence ends it.
func (l *locator) disks(ctx context.Context) kits.Report {
	for at := int64(0); at*mib < l.bytes; {
		if time.Now().After(l.ends) {
			l.unread(sortedKeys(l.all)...)
			break
		}
		sums, r := l.sums(ctx, l.nodes(), at, mib, sumsMost)
		own := sums[l.rec.Source]
		if r.Outcome != kits.OK || len(own) == 0 {
			return orUnreadable(r, l.in)
		}
		read := len(own)
		for _, n := range l.nodes() {
			if len(sums[n]) == 0 {
				l.unread(n)
				continue
			}
			read = min(read, len(sums[n]))
		}
		for i := range read {
			if r := l.piece(ctx, at+int64(i), sums, i); r.Outcome != kits.OK {
				return r
			}
		}
		at += int64(read)
	}
	return kits.Report{Outcome: kits.OK}
}

func orUnreadable(r kits.Report, in kits.Instance) kits.Report {
	if r.Outcome == kits.OK {
		return kits.Report{Reason: why(in, "unreadable", "what %s said about its disk cannot be read", in.Node.Name)}
	}
	return r
}

// nodes are the source and those that are read beside it.
func (l *locator) nodes() []string {
	out := []string{l.rec.Source}
	for _, n := range sortedKeys(l.all) {
		if l.all[n].whole {
			out = append(out, n)
		}
	}
	return out
}

func (l *locator) unread(nodes ...string) {
	for _, n := range nodes {
		d := l.all[n]
		d.whole = false
		l.all[n] = d
	}
}

// piece looks at one MiB on those nodes on which it differs from the source's. What is being written differs for a while: a block
// counts when it stays the same on both sides from one look to another, and in between everything had arrived there.
func (l *locator) piece(ctx context.Context, at int64, sums map[string][]string, i int) kits.Report {
	var suspect []string
	for _, n := range l.nodes() {
		if s := sums[n]; len(s) > i && s[i] != sums[l.rec.Source][i] {
			suspect = append(suspect, n)
		}
	}
	if len(suspect) == 0 {
		return kits.Report{Outcome: kits.OK}
	}
	before, r := l.sums(ctx, append([]string{l.rec.Source}, suspect...), at, block, 1)
	if r.Outcome != kits.OK {
		return r
	}
	arrived, r := l.arrived(ctx, suspect)
	if r.Outcome != kits.OK {
		return r
	}
	after, r := l.sums(ctx, append([]string{l.rec.Source}, suspect...), at, block, 1)
	if r.Outcome != kits.OK {
		return r
	}
	for _, n := range suspect {
		if !arrived[n] || len(after[n]) == 0 || len(before[n]) != len(after[n]) {
			l.unread(n)
			continue
		}
		d := l.all[n]
		d.blocks += steady(before[l.rec.Source], after[l.rec.Source], before[n], after[n])
		l.all[n] = d
	}
	return kits.Report{Outcome: kits.OK}
}

// steady counts the blocks that differ, and that did not change on either side.
func steady(own, ownLater, far, farLater []string) (n int64) {
	for i := range min(len(own), len(ownLater), len(far), len(farLater)) {
		if own[i] == ownLater[i] && far[i] == farLater[i] && own[i] != far[i] {
			n++
		}
	}
	return n
}

// arrived waits until nothing was under way to each of these nodes at some moment; those to which something always was are left out.
func (l *locator) arrived(ctx context.Context, nodes []string) (map[string]bool, kits.Report) {
	out := map[string]bool{}
	for try := 0; try < 20 && len(out) < len(nodes); try++ {
		select {
		case <-ctx.Done():
			return out, kits.Report{}
		case <-time.After(500 * time.Millisecond):
		}
		in := at(l.in, l.rec.Source)
		res, err := l.on(l.rec.Source).Run(ctx, script("pulse", pulseSh, in, l.rec))
		a, bad := read(in, "locate", res, err)
		if bad != nil {
			return out, *bad
		}
		seen, perr := newLook(a)
		if perr != nil || seen.array == nil {
			return out, kits.Report{Reason: why(in, "unreadable", "what %s said about the mirror %s cannot be read: %v", in.Node.Name, in.Tag, perr)}
		}
		for _, n := range nodes {
			if f, ok := seen.far[n]; ok && f.flights == 0 && !f.frozen() && f.current(seen.array) {
				out[n] = true
			}
		}
	}
	return out, kits.Report{Outcome: kits.OK}
}

// sums asks nodes for the sums of their own legs, at once. One that does not answer, beside the source, is left out.
func (l *locator) sums(ctx context.Context, nodes []string, first int64, unit, many int) (map[string][]string, kits.Report) {
	type told struct {
		node string
		sums []string
		r    kits.Report
	}
	answers := make(chan told, len(nodes))
	for _, n := range nodes {
		h := l.on(n) // in this goroutine: hosts are numbered in order
		go func() {
			in := at(l.in, n)
			s := script("sums", sumsSh, in, l.rec, fmt.Sprint(first), fmt.Sprint(unit), fmt.Sprint(many), fmt.Sprint(l.bytes), fmt.Sprint(sumsTime))
			s.Deadline, s.Mutates = taskLimit, true
			res, err := h.Run(ctx, s)
			a, bad := read(in, taskLocate, res, err)
			if bad != nil {
				answers <- told{node: n, r: *bad}
				return
			}
			m, _ := a.get("sums")
			answers <- told{n, m.lines, kits.Report{Outcome: kits.OK}}
		}()
	}
	out, own := map[string][]string{}, kits.Report{}
	for range nodes {
		t := <-answers
		if t.r.Outcome == kits.OK {
			out[t.node] = t.sums
		}
		if t.node == l.rec.Source {
			own = t.r
		}
	}
	return out, own
}

// found says on which nodes a comparison's differences are.
func found(in kits.Instance, rec *Record, all map[string]located) kits.Reason {
	var on, unread []string
	for _, n := range sortedKeys(all) {
		if all[n].blocks > 0 {
			on = append(on, fmt.Sprintf("%s: %d", n, all[n].blocks))
		}
		if !all[n].whole {
			unread = append(unread, n)
		}
	}
	where, not := strings.Join(on, ", "), strings.Join(unread, ", ")
	if where == "" {
		where = "-"
	}
	text := fmt.Sprintf("blocks of 4 KiB of %s that differ from the data of %s: %s. Nothing was changed; what is promoted without force is not among those", in.Tag, rec.Source, where)
	if not != "" {
		text += fmt.Sprintf(" (not read to the end: %s)", not)
	} else {
		not = "-"
	}
	return kits.Why("datakeeper.located", text, "tag", in.Tag, "node", rec.Source, "where", where, "unread", not)
}

// differences puts what was found into the record, and has it looked for after a comparison that found something.
func (k *keeping) differences(l *look) {
	for n, d := range l.located {
		leg, ok := k.rec.Legs[n]
		if ok && leg.State == InSync && leg.Number == d.number && d.blocks > leg.Differs {
			leg.Differs, leg.Complete = d.blocks, false
			k.rec.Legs[n] = leg
		}
	}
	members := slices.ContainsFunc(values(k.rec.Legs), func(l Leg) bool { return l.State == InSync })
	if l.located == nil && l.array.mismatches > 0 && l.array.action == "idle" && members {
		k.kept.Tasks = append(k.kept.Tasks, kits.Task{
			Name: taskLocate, Node: k.rec.Source,
			Why: kits.Why("datakeeper.locating", fmt.Sprintf("the copies of %s differ; on which node, and how much, is looked for", k.in.Tag), "tag", k.in.Tag, "node", k.rec.Source),
		})
	}
}
