package chaos

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
)

// patience is how long a person waits for the engine to take a command.
const patience = 5 * time.Second

// submit gives a command, sensible or not. What the engine may have taken counts as
// a person's word; what it acknowledged must not be lost.
func (w *stack) submit(a []string) {
	if w.proc == nil {
		return
	}
	goal := plan.Goal{Kind: plan.GoalKind(arg(a, 0)), Tag: hierarchy.Tag(arg(a, 1)), Node: arg(a, 2)}
	if goal.Node == "-" {
		goal.Node = ""
	}
	c := api.Command{Goal: goal, By: "anna"}
	if arg(a, 3) == "confirm" {
		c.ConfirmRegion = w.sc.Shape.regionOf(goal.Node)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	before := time.Now()
	word := permission{before, short(string(goal.Tag)), goal.Node}
	w.allow(word)
	got, err := w.proc.eng.Submit(ctx, c)
	switch {
	case err == nil && got.Op != "":
		w.mark(func(e *eyes) { e.acks = append(e.acks, ack{op: got.Op}) })
		w.acted(word.res)
	case refused(err):
		w.disallow(word)
	default:
		w.acted(word.res)
	}
	w.eyes.told("anna asks for %v: %v", a, err)
}

// refused: the engine said no; an engine that died or was slow said nothing.
func refused(err error) bool {
	var known *api.Error
	return errors.As(err, &known) && known.Kind != api.KindUnavailable && known.Kind != api.KindTimeout && known.Kind != api.KindFailed
}

func (w *stack) allow(p permission) { w.mark(func(e *eyes) { e.yes = append(e.yes, p) }) }

func (w *stack) disallow(p permission) {
	w.mark(func(e *eyes) {
		e.yes = slices.DeleteFunc(e.yes, func(q permission) bool { return p == q })
	})
}

// acted notes that a person acted on a hierarchy: brakes are off.
func (w *stack) acted(res string) {
	w.mark(func(e *eyes) { e.freed[e.root(res)] = time.Now() })
}

// answer answers a question, perhaps an old one. Who says that a node is off has
// pulled its plug before.
func (w *stack) answer(a []string) {
	q := w.question(arg(a, 2) == "oldest")
	if w.proc == nil || q == nil {
		return
	}
	kind, by := arg(a, 0), arg(a, 1)
	if kind == "off" && q.State == policy.Pending {
		_ = w.sim.PowerOff(q.From)
	}
	word := permission{time.Now(), short(string(q.Tag)), q.To}
	if kind != "no" {
		w.allow(word)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := w.proc.eng.Answer(ctx, api.Answer{Question: q.ID, Kind: kind, Typed: q.ToRegion, By: by})
	switch {
	case err == nil:
		w.mark(func(e *eyes) { e.acks = append(e.acks, ack{question: q.ID, kind: kind, by: by}) })
		w.acted(word.res)
	case refused(err):
		w.disallow(word)
	}
	w.eyes.told("%s answers %s to %s: %v", by, kind, q.ID, err)
}

// question is the newest or the oldest on record.
func (w *stack) question(oldest bool) *policy.Question {
	w.eyes.mu.Lock()
	defer w.eyes.mu.Unlock()
	var all []policy.Question
	for _, q := range w.eyes.questions {
		all = append(all, q)
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b policy.Question) int {
		if c := a.Asked.Compare(b.Asked); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	if oldest {
		return &all[0]
	}
	return &all[len(all)-1]
}
