package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// previewOp is the operation of questions that are asked for a preview only.
const previewOp = "preview"

// settles tells that questions whether a node may take a resource of this kit may change something on that node.
func settles(k kits.Kit) bool { _, can := k.(kits.Settler); return can }

// settled asks a kits.Settler where its kit has refused a node. Before the stops that is a question. Behind them, right before the
// point of no return, the copy is made complete and the record that says so is stored: a copy that turns out not to be
// complete is found while everything can still be taken back. Without act (a preview) it is only asked for.
func (e *Engine) settled(ctx context.Context, unit string, s plan.Step, k kits.Kit, in kits.Instance, no kits.Eligibility, act bool) kits.Eligibility {
	settler, can := k.(kits.Settler)
	if !can || no.Outcome != kits.Failed {
		return no
	}
	el, ready := settler.Prospect(ctx, e.reading, in, no)
	switch {
	case el.Outcome != kits.OK || !act:
		return el
	case ready:
		el = e.settle(ctx, unit, s, settler, in)
	case len(s.After) > 0:
		el = unsettled(s, errStillRuns)
	}
	if el.Outcome != kits.OK && s.StandsOver(no.Reason.Code) {
		return no // what a person's word is about
	}
	return el
}

// errStillRuns: behind the stops nothing may run any more.
var errStillRuns = errors.New("it still runs where it was")

func (e *Engine) reading(node string) kits.Host { return e.fleet.Host(node) }

// settle makes the copy on a step's node complete, and puts the record of it in force. That the nodes have it, too, is seen
// to by the start: what an engine without it finds there is no more than a refusal.
func (e *Engine) settle(ctx context.Context, unit string, s plan.Step, k kits.Settler, in kits.Instance) kits.Eligibility {
	host := e.fleet.Acting(s.Node, unit, lockOf(s))
	on := func(node string) kits.Host {
		if node == s.Node {
			return host
		}
		return e.fleet.Host(node)
	}
	for range promoteTries {
		now := e.records.get(s.Tag)
		in.Record, in.Doubtful = now.Record, now.Doubtful
		record, why := k.Settle(ctx, on, in)
		if record == nil {
			return kits.Eligibility{Outcome: kits.Failed, Reason: why}
		}
		_, err := e.ask(ctx, message{
			in:   policy.Kept{Tag: s.Tag, Serial: now.Serial, Record: record, Impaired: now.Impaired, Notes: map[string]kits.Reason{s.Node: why}},
			only: func() error { return e.mayKeep(s.Tag, now.Serial) },
		})
		switch same, _ := sameRecord(record, e.records.get(s.Tag).Record); {
		case err == nil && same:
			return kits.Eligibility{Outcome: kits.OK, Reason: why}
		case err != nil && !errors.Is(err, errStale):
			return unsettled(s, err)
		}
	}
	return unsettled(s, errStale)
}

// unsettled: nothing is known of a copy.
func unsettled(s plan.Step, err error) kits.Eligibility {
	return kits.Eligibility{Reason: kits.Why("keep.unsettled", fmt.Sprintf("whether the copy of %s on %s is complete is not known: %v", s.Tag, s.Node, err), "tag", string(s.Tag), "node", s.Node, "error", err.Error())}
}
