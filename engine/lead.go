package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/boottime"
	"github.com/ferry-ha/ferry/engine/fleet"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/kits"
)

// One engine leads an estate. What proves it is the record on every node, and each of
// three guards looks at it on its own:
//
//   - The node: every script that changes something compares the record first (package
//     wire). That holds whatever the engine believes.
//   - The engine, before it changes something in the cloud, where no node can refuse:
//     mayAct. In this operation the claim step has been let through on that node within
//     the last seconds, or the record is read right now.
//   - The engine as a whole: whenever a record was read that names somebody else, or a
//     script was refused, overtake. From then on it only watches.
//
// Records are read when a node is first seen or comes back, before each operation, and
// from all nodes after a gap of the clock.

// keyOvertaken is where it is stored that another engine leads; the next start knows.
const (
	keyOvertaken = "meta/overtaken"
	keyAfter     = "meta/after" // the highest epoch seen when this store was made by an adoption
)

// epoch numbers this leadership: above every one that was seen at an adoption.
func (e *Engine) epoch() uint64 { return e.base + uint64(e.term) }

// takeLead sets up what watches over the leadership, and hands every node the copy that
// names it: an engine that acts by itself is known on every node it reaches before it
// has anything to do there. Before the loop runs.
func (e *Engine) takeLead() {
	e.act, e.stopActing = context.WithCancel(e.ctx)
	e.fleet.OnLeader(e.seeLeader)
	e.startCopies()
	switch {
	case e.lost.Load() != nil:
		e.log.Error(e.lost.Load().Message, "todo", e.lost.Load().Hint)
		e.stopActing()
		e.copies.stop()
	case e.opts.Automation:
		e.offer(e.rev, true)
	}
}

// identity is what nodes are shown.
func (e *Engine) identity() fleet.Identity {
	return fleet.Identity{Estate: e.estateID, Engine: e.id, Epoch: e.epoch(), After: e.base, Who: e.opts.Who, Since: e.since}
}

// loadLead reads what the store knows of the leadership.
func (e *Engine) loadLead(ctx context.Context) error {
	kv, err := e.opts.Store.Get(ctx, keyAfter)
	switch {
	case err == nil:
		if _, err := fmt.Sscan(string(kv.Value), &e.base); err != nil {
			return fmt.Errorf("reading the epoch: %w: %w", store.ErrDamaged, err)
		}
	case !errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("reading the epoch: %w", err)
	}
	kv, err = e.opts.Store.Get(ctx, keyOvertaken)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("reading who leads: %w", err)
	}
	var l fleet.Leader
	if err := json.Unmarshal(kv.Value, &l); err != nil {
		return fmt.Errorf("reading who leads: %w: %w", store.ErrDamaged, err)
	}
	e.lost.Store(lostTo(l))
	return nil
}

// lostTo is what everybody is told who asks an engine that leads no longer.
func lostTo(l fleet.Leader) *api.Error {
	who := l.Who
	if who == "" {
		who = "somebody"
	}
	since := ""
	if l.Since != "" {
		since = ", since " + l.Since
	}
	return &api.Error{Kind: api.KindDenied, Code: "lead.lost",
		Message: fmt.Sprintf("no longer leading: engine %s of %s adopted this estate at epoch %d%s", l.Engine, who, l.Epoch, since),
		Hint:    "use that engine; this one only watches. Stop it; if the estate shall come back here, `ferry adopt` takes it over by ceremony"}
}

// seeLeader takes what a node's record says. It is called by whoever read one.
func (e *Engine) seeLeader(node string, l *fleet.Leader, s fleet.Standing) {
	if l == nil && e.lost.Load() != nil {
		return
	}
	m := message{look: func() { e.judgeLeader(node, l, s) }}
	select {
	case e.in <- m:
	case <-e.ctx.Done():
	default: // the loop is behind; the next record says the same
	}
}

// judgeLeader lets a record take its effect. Loop only.
func (e *Engine) judgeLeader(node string, l *fleet.Leader, s fleet.Standing) {
	switch {
	case l == nil:
		e.spawn(func() { e.readRecord(node) })
		return
	case s == fleet.Another:
		e.overtake(*l)
		return
	case s == fleet.Foreign:
		e.strangers[node] = *l
	default:
		delete(e.strangers, node)
		e.friends[node] = true
	}
	if s == fleet.Foreign {
		delete(e.friends, node)
	}
	e.automate()
}

// givenUp ends an operation that this engine may not carry out any more. What it did
// until then is for the engine that leads to see.
func givenUp(op string, lost *api.Error) policy.OpEnded {
	return policy.OpEnded{Op: op, Outcome: policy.OpFailed, Reason: kits.Why(lost.Code, "given up where it stood: "+lost.Message)}
}

// overtake: another engine leads. Nothing is begun, nothing goes on, and people's
// wishes are refused; scripts that were under way end by themselves. Loop only.
func (e *Engine) overtake(l fleet.Leader) {
	if e.lost.Load() != nil {
		return
	}
	lost := lostTo(l)
	e.lost.Store(lost)
	e.stopActing()
	e.copies.stop()
	e.log.Error(lost.Message)
	outs := e.world.Step(time.Now(), policy.SetAutomation{On: false})
	outs = append(outs, policy.Event{At: time.Now(), Kind: "engine", Severity: "error",
		Reason: kits.Why(lost.Code, lost.Message, "engine", l.Engine, "who", l.Who, "epoch", fmt.Sprint(l.Epoch))})
	m := message{extra: []store.KV{{Key: keyOvertaken, Value: encode(l)}}}
	if err := e.commit(outs, m); err != nil {
		e.fail(err)
	}
}

// automate brings automation to what this engine may: nothing by itself where it does
// not lead. Loop only.
func (e *Engine) automate() {
	on := e.opts.Automation && e.lost.Load() == nil && e.stranger() == nil
	if on != e.world.Automation && e.broken == nil {
		e.handle(message{in: policy.SetAutomation{On: on}})
	}
}

// stranger is why people's wishes cannot be followed: every node whose record was read
// belongs to another estate. Loop only.
func (e *Engine) stranger() *api.Error {
	if len(e.strangers) == 0 || len(e.friends) > 0 {
		return nil
	}
	nodes := slices.Sorted(maps.Keys(e.strangers))
	return ledElsewhere(nodes, e.strangers[nodes[0]])
}

// ledElsewhere tells who leads nodes that a second engine was given.
func ledElsewhere(nodes []string, l fleet.Leader) *api.Error {
	return &api.Error{Kind: api.KindBusy, Code: "lead.elsewhere",
		Message: fmt.Sprintf("%s belongs to an estate that another engine leads: %s", strings.Join(nodes, ", "), l),
		Hint:    "one engine acts for an estate: use that one. If it is lost, with its disk: ferry adopt --from NODE"}
}

// refuses tells why an input that comes from people is not followed. Loop only.
func (e *Engine) refuses(in policy.Input) error {
	switch in.(type) {
	case policy.Command, policy.AnswerGiven, policy.Define, policy.GracefulStop:
	default:
		return nil
	}
	if lost := e.lost.Load(); lost != nil {
		return lost
	}
	if _, define := in.(policy.Define); define {
		return nil // how one comes away from nodes that belong to somebody else
	}
	if s := e.stranger(); s != nil {
		return s
	}
	return nil
}

// leadNotice is what the status says of the leadership. Loop only.
func (e *Engine) leadNotice() string {
	if lost := e.lost.Load(); lost != nil {
		return lost.Message
	}
	if len(e.strangers) > 0 {
		nodes := slices.Sorted(maps.Keys(e.strangers))
		return ledElsewhere(nodes, e.strangers[nodes[0]]).Message
	}
	if p := e.copyNotice.Load(); p != nil {
		return *p
	}
	return ""
}

// claimFresh is how long a claim that a node let through proves the leadership: much
// longer than it takes from there to the route, much shorter than an adoption.
const claimFresh = 15 * time.Second

// confirmed notes that a node let this operation's claim through just now.
func (e *Engine) confirmed(op, node string) { e.claimed.Store(op+"@"+node, e.clock.Now()) }

// mayAct tells whether this engine leads, right before it changes something in the
// cloud for a node: OK, Failed (another engine does) or Unknown (nobody could tell).
// A node that cannot be asked has the others of its cluster speak for it: whoever
// adopted the estate has told those it reached.
func (e *Engine) mayAct(ctx context.Context, op, node string) kits.Eligibility {
	if lost := e.lost.Load(); lost != nil {
		return kits.Eligibility{Outcome: kits.Failed, Reason: kits.Why(lost.Code, lost.Message)}
	}
	if at, ok := e.claimed.Load(op + "@" + node); ok && e.clock.Since(at.(boottime.Stamp)) < claimFresh {
		return kits.Eligibility{Outcome: kits.OK}
	}
	if e.fleet.Trouble(node) == nil {
		if el := e.fleet.Leads(ctx, node); el.Outcome != kits.Unknown {
			return el
		}
	}
	return e.othersSay(ctx, node)
}

// othersSay asks every other node at the same time. One that names another leader
// decides; without it one that names this engine is enough.
func (e *Engine) othersSay(ctx context.Context, node string) kits.Eligibility {
	limit, cancel := context.WithTimeout(ctx, leadsTimeout)
	defer cancel()
	var asked []string
	for _, s := range e.index.Load().Estate().Servers {
		if s.Name != node && e.fleet.Trouble(s.Name) == nil {
			asked = append(asked, s.Name)
		}
	}
	says := make(chan kits.Eligibility, len(asked))
	for _, other := range asked {
		go func() { says <- e.fleet.Leads(limit, other) }()
	}
	best := kits.Eligibility{Reason: kits.Why("lead.unknown", fmt.Sprintf(
		"whether this engine still leads cannot be asked: neither %s nor another node answers; nothing was changed", node), "node", node)}
	for range asked {
		el := <-says
		if el.Outcome == kits.Failed {
			return el
		}
		if el.Outcome == kits.OK {
			best = el
		}
	}
	return best
}

// leadsTimeout bounds the question to the other nodes.
const leadsTimeout = 5 * time.Second

// changesCloud tells whether a step changes something that no node can refuse.
func changesCloud(k kits.Kit, s plan.Step) bool {
	t := k.Traits()
	switch s.Kind {
	case plan.StepStart, plan.StepRecover:
		return t.ViaCloud
	case plan.StepStop:
		return t.ViaCloud && !t.LeavesOnStop
	}
	return false
}

// overCloud runs a step that changes the cloud: only while this engine leads, and
// within a deadline that does not stand still while the machine sleeps.
func (e *Engine) overCloud(ctx context.Context, op string, s plan.Step, do func(context.Context) kits.Report) kits.Report {
	ctx, cancel := e.clock.WithTimeout(ctx, max(s.Timeout, time.Second))
	defer cancel()
	if el := e.mayAct(ctx, op, s.Node); el.Outcome != kits.OK {
		return kits.Report{Outcome: el.Outcome, Permanent: el.Outcome == kits.Failed, Reason: el.Reason}
	}
	return do(ctx)
}

// lookForLeaders reads every node's record. Loop only.
func (e *Engine) lookForLeaders() {
	for _, s := range e.index.Load().Estate().Servers {
		e.spawn(func() { e.readRecord(s.Name) })
	}
}

// firstLook asks the nodes of a first definition whom they belong to: a second laptop
// learns it before it takes the estate for its own, not at its first step.
func (e *Engine) firstLook(ctx context.Context, next *hierarchy.Estate) error {
	if e.index.Load().Estate().Name != "" {
		return nil
	}
	limit, cancel := context.WithTimeout(ctx, firstLookTimeout)
	defer cancel()
	f := fleet.New(e.opts.Nodes, nil, e.log)
	defer f.Close()
	f.Define(next, e.identity())
	type said struct {
		node string
		l    fleet.Leader
		s    fleet.Standing
	}
	all := make(chan said, len(next.Servers))
	f.OnLeader(func(node string, l *fleet.Leader, s fleet.Standing) {
		if l != nil {
			all <- said{node, *l, s}
		}
	})
	done := make(chan struct{}, len(next.Servers))
	for i := range next.Servers {
		go func() { f.Leads(limit, next.Servers[i].Name); done <- struct{}{} }()
	}
	for range next.Servers {
		<-done
	}
	close(all)
	led := map[string]fleet.Leader{}
	for a := range all {
		if a.s == fleet.Foreign {
			led[a.node] = a.l
		}
	}
	if len(led) == 0 {
		return nil
	}
	nodes := slices.Sorted(maps.Keys(led))
	return ledElsewhere(nodes, led[nodes[0]])
}

// firstLookTimeout bounds it: a node that does not answer is looked at when it does.
const firstLookTimeout = 8 * time.Second
