package plan

import (
	"fmt"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// outOfService stops the resource and what stands on it, where it is active. What
// it needs stays in service. There is no point of no return: a stop that does not
// succeed has what was stopped started again.
func (b *builder) outOfService() error {
	at := b.v.Active(b.g.Tag)
	if at == "" {
		return &Error{Code: "plan.nothing", Tag: b.g.Tag, Text: fmt.Sprintf("%s is not in service anywhere", b.g.Tag)}
	}
	set := append([]hierarchy.Tag{b.g.Tag}, b.g.Tags...)
	for _, t := range set {
		for _, p := range b.x.Ancestors(t) {
			if b.v.Active(p) == at {
				set = append(set, p)
			}
		}
	}
	b.use(set)
	b.plan.Goal.From = at
	b.g.From, b.g.Node = at, "" // nothing is to run there afterwards
	b.stops(nil)
	b.untouched()
	return nil
}

// recoverHere repairs one resource where it is.
func (b *builder) recoverHere() error {
	b.use([]hierarchy.Tag{b.g.Tag})
	s := b.act(StepRecover, b.g.Tag, b.g.Node, nil)
	s.NoReturn = true // there is nothing that could be taken back
	id := b.add(s)
	b.add(b.act(StepCheck, b.g.Tag, b.g.Node, []string{id}))
	b.untouched()
	return nil
}

// stopStale stops what runs on the goal's node without right, parents first. Kits
// whose stop leaves the world as it is are left out: there is nothing to stop.
func (b *builder) stopStale() error {
	tags := b.g.Tags
	if len(tags) == 0 {
		tags = []hierarchy.Tag{b.g.Tag}
	}
	b.use(tags)
	ids := make([]string, len(b.set))
	for i := len(b.set) - 1; i >= 0; i-- {
		t := b.set[i]
		if b.traits[i].LeavesOnStop || b.x.Placement(t, b.g.Node) == nil {
			continue
		}
		s := b.act(StepStop, t, b.g.Node, b.of(ids, b.x.Ancestors(t)))
		s.NoReturn = true // a stale resource is never started again
		ids[i] = b.add(s)
	}
	if len(b.plan.Steps) == 0 {
		return &Error{Code: "plan.nothing", Tag: b.g.Tag, Node: b.g.Node, Text: fmt.Sprintf("nothing of %s has to be stopped on %s", b.g.Tag, b.g.Node)}
	}
	return nil
}

// adopt claims what already runs on the node.
func (b *builder) adopt() error {
	b.use(b.g.Tags)
	work := make([]int, len(b.set))
	for i := range work {
		work[i] = i
	}
	b.claim(work, nil)
	return nil
}
