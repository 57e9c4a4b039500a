package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/store"
)

// Export gives a copy of the definition in force.
func (e *Engine) Export(context.Context) (*hierarchy.Estate, error) {
	return copyEstate(e.index.Load().Estate()), nil
}

// Apply compares a definition with the one in force and puts it in force, all of
// it or nothing. Servers that newly get what must work on all of them at once are asked
// first, for a dry run as well.
func (e *Engine) Apply(ctx context.Context, a api.Apply) (*api.Applied, error) {
	if a.Estate == nil {
		return nil, &api.Error{Kind: api.KindUsage, Message: "apply without a definition"}
	}
	next := copyEstate(a.Estate)
	if ps := hierarchy.Validate(next, e.opts.Kits); len(ps) > 0 {
		return nil, badDefinition(ps)
	}
	a.By = e.actor(a.By)
	var changes []api.Change
	judge := func() error { // in the loop: nothing else changes the definition meanwhile
		now := e.index.Load().Estate()
		changes = changesOf(hierarchy.Diff(now, next))
		if a.Base != "" && a.Base != hierarchy.Digest(now) {
			return changedMeanwhile()
		}
		return e.forbidden(next, a.Abandon)
	}
	if err := e.judge(judge); err != nil || len(changes) == 0 {
		return &api.Applied{Changes: changes}, err
	}
	if err := e.mayTake(ctx, next); err != nil || a.DryRun {
		return &api.Applied{Changes: changes}, err
	}
	if err := e.firstLook(ctx, next); err != nil {
		return nil, err
	}
	m := defineMessage(next, a.By)
	m.only = judge
	if _, err := e.ask(ctx, m); err != nil {
		return nil, asAPI(err)
	}
	return &api.Applied{Changes: changes}, nil
}

// judge asks in the loop, changing nothing.
func (e *Engine) judge(f func() error) error {
	var found error
	if err := e.look(func() { found = f() }); err != nil {
		return err
	}
	return found
}

// changedMeanwhile is the answer to a definition that was made from one that is no
// longer in force: putting it in force would undo somebody's change.
func changedMeanwhile() error {
	return &api.Error{Kind: api.KindBusy, Code: api.DefinitionChanged, Message: "somebody else changed the definition meanwhile; nothing was changed",
		Hint: "look at it again and repeat what you asked for"}
}

// defineMessage puts a definition in force and stores it in the same transaction.
func defineMessage(next *hierarchy.Estate, by string) message {
	return message{in: policy.Define{Estate: next, By: by}, extra: []store.KV{{Key: keyEstate, Value: encode(next)}}}
}

// SetTuning changes one name on one node, or for all when node is empty. An empty
// value brings the default back. It is in force when the call returns.
func (e *Engine) SetTuning(ctx context.Context, node, name, value string) error {
	next := copyEstate(e.index.Load().Estate())
	base := hierarchy.Digest(next)
	known, ok := hierarchy.TuningFor(name, e.opts.Kits)
	if !ok {
		return &api.Error{Kind: api.KindNoSuch, Message: fmt.Sprintf("no tuning name %q", name), Hint: "`ferry config schema` lists them"}
	}
	if value != "" {
		fixed, err := known.Fix(value)
		if err != nil {
			return &api.Error{Kind: api.KindUsage, Message: fmt.Sprintf("%s = %s: %v", name, value, err)}
		}
		value = fixed
	}
	where := &next.Tuning
	if node != "" {
		s := next.Server(node)
		if s == nil {
			return &api.Error{Kind: api.KindNoSuch, Message: fmt.Sprintf("no server %q in this estate", node)}
		}
		where = &s.Tuning
	}
	if value == "" {
		delete(*where, name)
	} else {
		if *where == nil {
			*where = map[string]string{}
		}
		(*where)[name] = value
	}
	who, _ := api.CallerFrom(ctx)
	_, err := e.Apply(ctx, api.Apply{Estate: next, By: who.Who, Base: base})
	return err
}

// forbidden refuses changes that would pull the ground from under what is in
// service, or under a running operation. Abandon lets whole resources go that are
// in service. Loop only.
func (e *Engine) forbidden(next *hierarchy.Estate, abandon bool) error {
	x, nx := e.index.Load(), hierarchy.NewIndexFor(next, e.opts.Kits)
	for _, op := range e.world.Ops {
		if op.Outcome == policy.OpRunning {
			return &api.Error{Kind: api.KindBusy, Message: fmt.Sprintf("operation %s is running; the definition cannot change under it", op.ID), Hint: "wait for it: `ferry operations`"}
		}
	}
	for i := range x.Estate().Res {
		r := &x.Estate().Res[i]
		on := e.active(r.Tag)
		if on == "" || abandon && nx.Resource(r.Tag) == nil {
			continue
		}
		if err := e.stands(x, nx, r.Tag, on); err != nil {
			return err
		}
		if err := keeps(x, nx, r, on); err != nil {
			return err
		}
	}
	return nil
}

// keeps tells whether the next definition keeps a resource that is in service as it is there.
func keeps(x, nx *hierarchy.Index, r *hierarchy.Resource, on string) error {
	refuse := func(what string) error {
		return &api.Error{Kind: api.KindUnsafe, Message: fmt.Sprintf("%s is in service on %s; %s", r.Tag, on, what),
			Hint: fmt.Sprintf("take it out of service first: `ferry out-of-service %s`", r.Tag.Short())}
	}
	n := nx.Resource(r.Tag)
	if n == nil || nx.Placement(r.Tag, on) == nil {
		return refuse("it cannot be removed there")
	}
	was, will := hierarchy.InstanceOf(x, r.Tag, on, on), hierarchy.InstanceOf(nx, r.Tag, on, on)
	if n.Kit != r.Kit || !sameMap(was.Attrs, will.Attrs) || was.Node.Interface != will.Node.Interface || was.Node.ENI != will.Node.ENI {
		return refuse("its fields there cannot change")
	}
	return nil
}

// stands tells whether everything that the next definition newly puts under a
// resource in service is in service there too: a parent never stands on nothing.
func (e *Engine) stands(x, nx *hierarchy.Index, t hierarchy.Tag, on string) error {
	for _, c := range nx.Children(t) {
		if slices.Contains(x.Children(t), c) {
			continue
		}
		if at := e.active(c); at != on {
			return &api.Error{Kind: api.KindUnsafe, Message: fmt.Sprintf("%s is in service on %s; it cannot come to need %s, which is not in service there", t, on, c),
				Hint: fmt.Sprintf("take it into service there first: `ferry in-service %s --on %s`", c.Short(), on)}
		}
	}
	return nil
}

func sameMap(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || w != v {
			return false
		}
	}
	return true
}

// copyEstate copies a definition deeply.
func copyEstate(e *hierarchy.Estate) *hierarchy.Estate {
	c := &hierarchy.Estate{}
	if err := json.Unmarshal(encode(e), c); err != nil {
		panic("engine: the definition's type does not survive JSON: " + err.Error())
	}
	return c
}

// badDefinition joins what is wrong into one error; each problem is a line with its fix.
func badDefinition(ps []hierarchy.Problem) error {
	lines := make([]string, 0, len(ps))
	for _, p := range ps {
		lines = append(lines, p.String())
	}
	return &api.Error{Kind: api.KindConfig, Message: strings.Join(lines, "\n"), Hint: "nothing was changed"}
}

func changesOf(cs []hierarchy.Change) []api.Change {
	out := make([]api.Change, 0, len(cs))
	for _, c := range cs {
		out = append(out, api.Change{Op: c.Op, What: c.What, From: c.From, To: c.To, Note: c.Note})
	}
	return out
}
