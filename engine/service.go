package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/kits"
)

// errClosed answers calls on an engine that is closing.
var errClosed = &api.Error{Kind: api.KindUnavailable, Message: "the engine is stopping", Hint: "operations under way go on with the next engine"}

// Snapshot is the whole estate as the engine sees it now.
func (e *Engine) Snapshot(context.Context) (*api.Snapshot, error) {
	var s *api.Snapshot
	if err := e.look(func() { s = e.snapshot(time.Now()) }); err != nil {
		return nil, err
	}
	return s, nil
}

// Watch sends updates until ctx ends. After is the revision the caller has seen:
// when more has happened since, the first update comes at once.
func (e *Engine) Watch(ctx context.Context, after int64) (<-chan api.Update, error) {
	ch := e.feed.subscribe()
	context.AfterFunc(ctx, func() { e.feed.unsubscribe(ch) })
	if rev := e.feed.revision(); rev > after {
		e.feed.nudge(ch, api.Update{Revision: rev})
	}
	return ch, nil
}

// Events are stored events after the number.
func (e *Engine) Events(ctx context.Context, after int64, limit int) ([]api.Event, error) {
	events, err := e.readEvents(ctx, after)
	if err != nil {
		return nil, asAPI(err)
	}
	if limit > 0 && len(events) > limit {
		events = events[len(events)-limit:]
	}
	return events, nil
}

// Operations are running and past operations, newest first.
func (e *Engine) Operations(_ context.Context, limit int) ([]api.Operation, error) {
	var out []api.Operation
	err := e.look(func() { out = e.operations(limit) })
	return out, err
}

// Submit accepts a command durably and starts it.
func (e *Engine) Submit(ctx context.Context, c api.Command) (*api.Submitted, error) {
	if c.ID == "" {
		c.ID = newID()
	}
	tag, err := e.resolve(c.Goal.Tag)
	if err != nil {
		return nil, err
	}
	c.Goal.Tag, c.By = tag, e.actor(c.By)
	outs, err := e.ask(ctx, message{in: policy.Command{ID: c.ID, By: c.By, Goal: c.Goal, ConfirmRegion: c.ConfirmRegion}})
	if err != nil {
		return nil, asAPI(err)
	}
	for _, o := range outs {
		switch o := o.(type) {
		case policy.Refused:
			return nil, e.refusal(o)
		case policy.Accepted:
			return &api.Submitted{Op: o.Op}, nil
		}
	}
	return nil, &api.Error{Kind: api.KindFailed, Message: "the policy gave no answer to the command"}
}

// actor is who acts: the caller's name as the socket knows it or, inside the
// engine's own process, the engine's.
func (e *Engine) actor(by string) string {
	if by == "" {
		return e.opts.Who
	}
	return by
}

// Answer answers a question.
func (e *Engine) Answer(ctx context.Context, a api.Answer) error {
	outs, err := e.ask(ctx, message{in: policy.AnswerGiven{Question: a.Question, By: e.actor(a.By), Kind: a.Kind, Typed: a.Typed, Accept: a.Accept}})
	if err != nil {
		return asAPI(err)
	}
	for _, o := range outs {
		if r, ok := o.(policy.Refused); ok {
			return e.refusal(r)
		}
	}
	return nil
}

// GracefulStop tells that a node is being shut down in good order.
func (e *Engine) GracefulStop(ctx context.Context, node string) error {
	if e.index.Load().Server(node) == nil {
		return &api.Error{Kind: api.KindNoSuch, Message: fmt.Sprintf("no server %q in this estate", node)}
	}
	_, err := e.ask(ctx, message{in: policy.GracefulStop{Node: node}})
	return asAPI(err)
}

// choicesTimeout bounds loading a field's choices from a node or the cloud.
const choicesTimeout = 20 * time.Second

// Choices loads a field's live choices.
func (e *Engine) Choices(ctx context.Context, kit, field, node string, attrs map[string]string) ([]string, error) {
	k, ok := e.opts.Kits[kit]
	if !ok {
		return nil, &api.Error{Kind: api.KindNoSuch, Message: fmt.Sprintf("no kit %q", kit)}
	}
	x := e.index.Load()
	if x.Server(node) == nil {
		return nil, &api.Error{Kind: api.KindNoSuch, Message: fmt.Sprintf("no server %q in this estate", node)}
	}
	c, ok := k.(kits.Chooser)
	if !ok {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, choicesTimeout)
	defer cancel()
	got, err := c.Choices(ctx, e.fleet.Host(node), hierarchy.Prospect(x, kit, node, attrs), field)
	return got, asAPI(err)
}

// resolve turns a short tag into the full one.
func (e *Engine) resolve(t hierarchy.Tag) (hierarchy.Tag, error) {
	r, err := e.index.Load().Find(string(t))
	if err != nil {
		return "", &api.Error{Kind: api.KindNoSuch, Message: err.Error(), Hint: "`ferry status` lists the resources"}
	}
	return r.Tag, nil
}

// refusal turns the policy's refusal into the error a caller sees.
func (e *Engine) refusal(r policy.Refused) *api.Error {
	kinds := map[policy.RefusedKind]api.ErrorKind{
		policy.RefusedNoSuch: api.KindNoSuch, policy.RefusedBusy: api.KindBusy,
		policy.RefusedUnsafe: api.KindUnsafe, policy.RefusedNoQuorum: api.KindNoQuorum,
		policy.RefusedInvalid: api.KindUsage,
	}
	kind, ok := kinds[r.Kind]
	if !ok {
		kind = api.KindFailed
	}
	return &api.Error{Kind: kind, Message: r.Reason.Text, Code: r.Reason.Code, Hint: e.hint(r.Reason)}
}

// hint says what to do about a refusal that came from a node the engine does not
// reach: what the login or the connection said.
func (e *Engine) hint(r kits.Reason) string {
	node := r.Args["node"]
	if node == "" {
		node = r.Args["from"]
	}
	switch r.Code {
	case api.AnswerPrice:
		return "look at the question, and repeat the answer with --accept-data-loss if the loss is to be accepted"
	case api.AnswerPriceChanged:
		return "look at the question again; nothing was changed"
	case "target-not-alive", "holder-not-alive", "not-known-yet", "never-claimed-not-seen", "from-alive-unreached", "from-not-proven":
		if err := e.fleet.Trouble(node); err != nil {
			return err.Error()
		}
	}
	return ""
}

// asAPI gives an internal error its kind.
func asAPI(err error) error {
	var known *api.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	case errors.Is(err, store.ErrFull):
		return &api.Error{Kind: api.KindUnavailable, Message: err.Error(), Hint: "free space in the engine's state directory; nothing was started"}
	case errors.Is(err, store.ErrNotLeader):
		return &api.Error{Kind: api.KindUnavailable, Message: err.Error(), Hint: "another engine leads; ask that one"}
	case errors.Is(err, context.DeadlineExceeded):
		return &api.Error{Kind: api.KindTimeout, Message: err.Error()}
	}
	return &api.Error{Kind: api.KindFailed, Message: err.Error()}
}
