package kittest

import (
	"testing"

	"github.com/ferry-ha/ferry/kits"
)

// ConformanceStanding runs the tests that a kit must pass whose resource works on every node all the time and is only in
// service on one: it checks standby nodes, stop leaves everything as it is, and presence repeats the claim. The world's
// resource works on all nodes, and is left so.
func ConformanceStanding(t *testing.T, kit kits.Kit, w World) {
	t.Helper()
	for _, c := range []test{
		{"validates", conformance.validates},
		{"stands by", conformance.standsBy},
		{"life cycle", conformance.standingLifeCycle},
		{"moves to another node", conformance.standingMoves},
		{"start cut short is finished by the next", conformance.standingCut},
		{"no answer is unknown", conformance.noAnswer},
		{"senseless answers are never ok", conformance.senseless},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(conformance{kit, w}, t) })
	}
}

// claimed is the resource on a node while the claim is held by another or the same; "" is nobody.
func (c conformance) claimed(node, active string) kits.Instance {
	in := c.w.Instance(node)
	in.Active = active
	return in
}

// works checks on every node: it works everywhere, and no node without the claim passes for the one that has it.
func (c conformance) works(t *testing.T, active string) {
	t.Helper()
	for _, n := range c.w.Nodes() {
		r := c.kit.Check(c.context(t), asker{c.w.Host(n), t}, c.claimed(n, active))
		if r.Outcome != kits.OK {
			t.Errorf("check on %s while %q has the claim: %+v", n, active, r)
		}
		if (r.Presence == kits.Present) != (n == active) {
			t.Errorf("presence on %s while %q has the claim: %v", n, active, r.Presence)
		}
	}
}

func (c conformance) standsBy(t *testing.T) {
	s, ok := c.kit.(kits.StandbyChecker)
	if !ok || !s.ChecksStandby() {
		t.Error("a resource that works on every node is to be checked on every node")
	}
	if !c.kit.Traits().LeavesOnStop {
		t.Error("a stop that changes nothing is to be declared (LeavesOnStop)")
	}
	for _, n := range c.w.Nodes() {
		if e := c.kit.Eligible(c.context(t), asker{c.w.Host(n), t}, c.claimed(n, "")); e.Outcome != kits.OK {
			t.Errorf("eligible on %s: %+v", n, e)
		}
	}
	c.works(t, "")
}

func (c conformance) standingStart(t *testing.T, n string) {
	t.Helper()
	if r := c.kit.Start(c.context(t), c.w.Host(n), c.claimed(n, n)); r.Outcome != kits.OK || r.Presence != kits.Present {
		t.Fatalf("start on %s: %+v", n, r)
	}
}

func (c conformance) standingStop(t *testing.T, n string) {
	t.Helper()
	if r := c.kit.Stop(c.context(t), c.w.Host(n), c.claimed(n, n)); r.Outcome != kits.OK || r.Presence != kits.Absent {
		t.Fatalf("stop on %s: %+v", n, r)
	}
}

func (c conformance) standingLifeCycle(t *testing.T) {
	n := c.first()
	for range 2 {
		c.standingStart(t, n)
		c.works(t, n)
	}
	if r := c.kit.Recover(c.context(t), c.w.Host(n), c.claimed(n, n)); r.Outcome != kits.OK {
		t.Errorf("recover of what works: %+v", r)
	}
	for range 2 {
		c.standingStop(t, n)
		c.works(t, "")
	}
}

func (c conformance) standingMoves(t *testing.T) {
	from := c.first()
	c.standingStart(t, from)
	for _, to := range c.w.Nodes()[1:] {
		c.standingStop(t, from)
		c.standingStart(t, to)
		c.works(t, to)
		from = to
	}
	c.standingStop(t, from)
}

func (c conformance) standingCut(t *testing.T) {
	n := c.first()
	for _, after := range cuts {
		c.kit.Start(c.context(t), cutHost{c.w.Host(n), after}, c.claimed(n, n))
		c.standingStart(t, n)
		c.kit.Stop(c.context(t), cutHost{c.w.Host(n), after}, c.claimed(n, n))
		c.standingStop(t, n)
	}
	c.works(t, "")
}
