package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// promoteTries bounds how often a start begins anew because a pulse changed the record
// meanwhile; that takes moments each.
const promoteTries = 5

// answerWithin is how long a node may take to say that it is there.
const answerWithin = 5 * time.Second

// promote asks a Keeper before its resource is started, and makes the record that it names
// durable; in then carries it. What it returns ends the step instead: nothing was begun
// on the node. Repeated for the same node it changes nothing more, since the kit then names
// the record in force.
func (e *Engine) promote(ctx context.Context, op string, s plan.Step, k kits.Keeper, in *kits.Instance) *kits.Report {
	for range promoteTries {
		now := e.records.get(s.Tag)
		in.Record, in.Doubtful = now.Record, now.Doubtful
		record, price, refusal := askPromote(k, *in, s)
		if refusal != nil {
			return &kits.Report{Outcome: kits.Failed, Permanent: true, Reason: *refusal}
		}
		if same, _ := sameRecord(record, now.Record); !same {
			if silent := e.answers(ctx, s); silent != nil {
				return silent
			}
		}
		err := e.putPromoted(ctx, policy.Promoted{Tag: s.Tag, Node: s.Node, Op: op, Serial: now.Serial, Record: record, Price: price}, now)
		if err == nil {
			err = e.durable(ctx, s.Tag, "")
		}
		switch after := e.records.get(s.Tag); {
		case errors.Is(err, errStale):
			continue
		case err != nil:
			return &kits.Report{Reason: kits.Why("keep.not-durable",
				fmt.Sprintf("%s was not started on %s: what it rests on could not be put on record first: %v", s.Tag, s.Node, err), "tag", string(s.Tag), "node", s.Node)}
		default:
			if same, _ := sameRecord(record, after.Record); !same {
				continue // a pulse changed it while the nodes were written to
			}
			in.Record, in.Doubtful = after.Record, after.Doubtful
			return nil
		}
	}
	return &kits.Report{Reason: kits.Why("keep.restless",
		fmt.Sprintf("%s was not started on %s: what is on record of it keeps changing", s.Tag, s.Node), "tag", string(s.Tag), "node", s.Node)}
}

// answers has the node say that it is there, before a record names it: one that is gone would have spoiled every copy by the
// word alone, and nobody could take over without force.
func (e *Engine) answers(ctx context.Context, s plan.Step) *kits.Report {
	limit, cancel := e.clock.WithTimeout(ctx, answerWithin) // a light script has no deadline of its own on the node
	defer cancel()
	if _, err := e.fleet.Host(s.Node).Run(limit, kits.Script{Name: "answers", Body: "exit 0\n", Light: true}); err != nil {
		return &kits.Report{Reason: kits.Why("keep.no-answer",
			fmt.Sprintf("%s was not started on %s, and what is on record of it stays as it is: %s gives no answer: %v", s.Tag, s.Node, s.Node, err), "tag", string(s.Tag), "node", s.Node)}
	}
	return nil
}

// askPromote asks without force first: a person's word is used, and its price noted, only
// where it is needed.
func askPromote(k kits.Keeper, in kits.Instance, s plan.Step) (record []byte, price, refusal *kits.Reason) {
	now := time.Now()
	record, refusal = k.Promote(in, false, now)
	if refusal != nil && s.StandsOver(refusal.Code) {
		price = refusal
		record, refusal = k.Promote(in, true, now)
	}
	if _, ok := policy.Canonical(record); refusal == nil && !ok {
		r := kits.Why("keep.bad-record", in.Kit+" made a record that is not JSON; this is a defect of ferry", "kit", in.Kit)
		refusal = &r
	}
	return record, price, refusal
}

// putPromoted stores the record unless it is the one in force.
func (e *Engine) putPromoted(ctx context.Context, p policy.Promoted, now keptNow) error {
	if same, _ := sameRecord(p.Record, now.Record); same && (p.Price == nil || !now.Doubtful) {
		return nil
	}
	_, err := e.ask(ctx, message{in: p, only: func() error { return e.mayKeep(p.Tag, p.Serial) }})
	return err
}
