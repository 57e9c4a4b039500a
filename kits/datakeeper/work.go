package datakeeper

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// taskLimit bounds one script of a task.
const taskLimit = 2 * time.Minute

// Work carries one task out.
func (k Kit) Work(ctx context.Context, on func(string) kits.Host, in kits.Instance, t kits.Task) kits.Report {
	rec, err := decode(in.Record)
	if err != nil || rec == nil {
		return kits.Report{Outcome: kits.Failed, Reason: why(in, "no-record", "the mirror %s has no record that can be read", in.Tag)}
	}
	w := worker{on: on, in: in, rec: rec}
	switch t.Name {
	case taskExclude:
		return w.exclude(ctx)
	case taskThaw:
		_, r := w.run(ctx, t.Node, "thaw", thawSh)
		return r
	case taskJoin:
		return w.join(ctx, t.Node)
	case taskVerify:
		return w.verify(ctx)
	case taskLocate:
		return w.locate(ctx)
	}
	return kits.Report{Outcome: kits.Failed, Permanent: true, Reason: why(in, "no-task", "%q is nothing that a mirror does", t.Name)}
}

type worker struct {
	on  func(string) kits.Host
	in  kits.Instance
	rec *Record
}

// run runs a mutating script on a node, and says OK when it did its work.
func (w worker) run(ctx context.Context, node, name, body string, args ...string) (answer, kits.Report) {
	return w.runWith(ctx, node, name, body, nil, args...)
}

func (w worker) runWith(ctx context.Context, node, name, body string, stdin []byte, args ...string) (answer, kits.Report) {
	in := at(w.in, node)
	s := script(name, body, in, w.rec, args...)
	s.Deadline, s.Mutates, s.Stdin = taskLimit, true, stdin
	res, err := w.on(node).Run(ctx, s)
	a, bad := read(in, name, res, err)
	if bad != nil {
		return a, *bad
	}
	return a, kits.Report{Outcome: kits.OK}
}

// exclude ends every connection that is older than the record's number for its leg. A leg that the record has in sync keeps
// its number, so nothing happens to it.
func (w worker) exclude(ctx context.Context) kits.Report {
	var args []string
	for _, n := range sortedKeys(w.rec.Legs) {
		if leg := w.rec.Legs[n]; leg.State == Out {
			args = append(args, n+"="+strconv.Itoa(leg.Number))
		}
	}
	if len(args) == 0 {
		return kits.Report{Outcome: kits.OK}
	}
	_, r := w.run(ctx, w.rec.Source, taskExclude, excludeSh, args...)
	return r
}

// join brings a leg in, in two tasks: the first, while the record still calls it out, has it served and connected, and writes
// nothing to it. A pulse shows the connection, and only then is it recorded that the leg is being copied to. The second gives
// it to the array. So what the record calls half a copy is one, and not merely a node that could not be reached.
func (w worker) join(ctx context.Context, node string) kits.Report {
	leg, ok := w.rec.Legs[node]
	switch {
	case !ok || leg.State == InSync:
		return kits.Report{Outcome: kits.Failed, Reason: why(w.in, "not-joining", "the record does not say that %s is to join", node)}
	case leg.State == Out:
		return w.connect(ctx, node, leg)
	}
	did, r := w.add(ctx, node, leg)
	if r.Outcome != kits.OK || did != "not-connected" {
		return r
	}
	if r = w.connect(ctx, node, leg); r.Outcome != kits.OK {
		return r
	}
	_, r = w.add(ctx, node, leg)
	return r
}

// connect has the leg served, and the source connect it.
func (w worker) connect(ctx context.Context, node string, leg Leg) kits.Report {
	how, dirty := "full", ""
	if leg.Partial {
		how = "partial"
	}
	if leg.Partial && leg.Merge {
		var r kits.Report
		if how, dirty, r = w.dirty(ctx, node); r.Outcome == kits.Unknown {
			return r
		}
	}
	port, r := w.serve(ctx, node)
	if r.Outcome != kits.OK {
		return r
	}
	_, r = w.runWith(ctx, w.rec.Source, "connect", connectSh, []byte(dirty),
		node, address(at(w.in, node)), port, strconv.Itoa(leg.Number), modeOf(w.in, w.rec.Source, node), how, w.in.Tune(TunePatience, defaultPatience))
	return r
}

// add gives the leg to the array, and says what that did.
func (w worker) add(ctx context.Context, node string, leg Leg) (string, kits.Report) {
	a, r := w.run(ctx, w.rec.Source, "add", addSh, node, strconv.Itoa(leg.Number), strconv.Itoa(max(len(w.in.On), 2)),
		w.in.Tune(TuneSpeedMin, defaultSpeedMin), w.in.Tune(TuneSpeedMax, defaultSpeedMax))
	m, _ := a.get("did")
	did := kits.OneLine(m.rest, 20)
	if r.Outcome == kits.OK {
		r.Details = map[string]string{"resync": did}
	}
	return did, r
}

// serve has a node serve its leg to the source, and says on which port.
func (w worker) serve(ctx context.Context, node string) (string, kits.Report) {
	target, source := at(w.in, node), at(w.in, w.rec.Source)
	port, only := target.Attrs[FieldPort], "only"
	if port == "" {
		port, only = strconv.Itoa(firstPort), "first"
	}
	a, r := w.run(ctx, node, "serve", serveSh, address(target), address(source), port, only, strconv.FormatInt(w.rec.Sectors, 10))
	if r.Outcome != kits.OK {
		return "", r
	}
	m, ok := a.get("serves")
	if p, err := strconv.Atoi(m.rest); !ok || err != nil || p < 1 || p > 65535 {
		return "", kits.Report{Reason: why(target, "unreadable", "what %s said about serving its disk cannot be read", node)}
	}
	return m.rest, r
}

// dirty asks a former source what it wrote by itself. What cannot be told is copied in full.
func (w worker) dirty(ctx context.Context, node string) (how, chunks string, r kits.Report) {
	a, r := w.run(ctx, node, "dirty", dirtySh)
	switch r.Outcome {
	case kits.Unknown:
		return "", "", r
	case kits.Failed:
		return "full", "", r
	}
	chunks, err := ranges(a)
	if err != nil {
		return "full", "", r
	}
	return "partial", chunks, r
}

// ranges reads "5" and "7-9" from dirty's answer.
func ranges(a answer) (string, error) {
	m, ok := a.get("chunks")
	all, err := strconv.Atoi(m.rest)
	if !ok || err != nil || all < 1 {
		return "", fmt.Errorf("no number of chunks")
	}
	var out []string
	for _, l := range m.lines {
		if l = strings.TrimSpace(l); l == "" {
			continue
		}
		from, to, two := strings.Cut(l, "-")
		if !two {
			to = from
		}
		f, ferr := strconv.Atoi(from)
		t, terr := strconv.Atoi(to)
		if ferr != nil || terr != nil || f < 0 || t < f || t >= all {
			return "", fmt.Errorf("%q is no range of chunks", kits.OneLine(l, 40))
		}
		out = append(out, l)
	}
	return strings.Join(out, " "), nil
}
