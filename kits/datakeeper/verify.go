package datakeeper

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/ferry-ha/ferry/kits"
)

var _ kits.Orderer = Kit{}

// verifyWait is how long the task waits for a comparison, in seconds; one that takes longer is followed by the pulses. An
// exclusion may have to wait for it, and writes with that.
const verifyWait = 5

// Orders: the copies can be compared while there are some.
func (Kit) Orders(in kits.Instance, by string) []kits.Task {
	rec := knownRecord(in)
	if rec == nil || in.Active != rec.Source || !slices.ContainsFunc(values(rec.Legs), func(l Leg) bool { return l.State == InSync }) {
		return nil
	}
	return []kits.Task{{
		Name: taskVerify, Node: rec.Source,
		Why: kits.Why("datakeeper.verifying", fmt.Sprintf("%s asked to have the copies of %s compared with the data of %s", by, in.Tag, rec.Source), "tag", in.Tag, "node", rec.Source, "by", by),
	}}
}

func (w worker) verify(ctx context.Context) kits.Report {
	for _, n := range sortedKeys(w.rec.Legs) {
		if w.rec.Legs[n].State != InSync || w.in.On[n] == nil {
			continue
		}
		if _, r := w.run(ctx, n, "uncache", uncacheSh); r.Outcome != kits.OK {
			return r
		}
	}
	a, r := w.run(ctx, w.rec.Source, "verify", verifySh, strconv.Itoa(verifyWait))
	if r.Outcome != kits.OK {
		return r
	}
	m, _ := a.get("compared")
	if n, err := strconv.ParseInt(m.rest, 10, 64); err == nil && n >= 0 {
		r.Reason = compared(w.in, w.rec, n)
	} else {
		r.Reason = kits.Why("datakeeper.comparing", "it goes on in the background; the page of the resource shows how far it is, and an event how it ended", "tag", w.in.Tag, "node", w.rec.Source)
	}
	return r
}

// compared says how a comparison ended.
func compared(in kits.Instance, rec *Record, sectors int64) kits.Reason {
	n := strconv.FormatInt(sectors, 10)
	if sectors == 0 {
		return kits.Why("datakeeper.equal", fmt.Sprintf("the copies of %s were compared: they are equal to the data of %s", in.Tag, rec.Source), "tag", in.Tag, "node", rec.Source, "sectors", n)
	}
	return kits.Why("datakeeper.differ", fmt.Sprintf("the copies of %s were compared: up to %d sectors differ from the data of %s; where is looked for next", in.Tag, sectors, rec.Source),
		"tag", in.Tag, "node", rec.Source, "sectors", n)
}

// compare notes when a comparison begins, and how it ended.
func (k *keeping) compare(l *look) {
	checking := l.array.action == "check"
	if checking == k.rec.Comparing {
		return
	}
	cut := k.rec.Cut
	k.rec.Comparing, k.rec.Cut = checking, false
	if checking {
		return
	}
	for n, leg := range k.rec.Legs {
		cut = cut || leg.State == InSync && !l.far[n].current(l.array)
	}
	if !cut { // md ends a comparison when a leg falls out, and then it says nothing
		k.kept.Notes = map[string]kits.Reason{k.rec.Source: compared(k.in, k.rec, l.array.mismatches)}
	}
}
