package chaos

import (
	"slices"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// Shrink makes a failing scenario smaller for as long as fails says that it still
// fails, asking at most budget times: fewer events, resources, nodes, nothing special.
// The result is a scenario that failed.
func Shrink(sc Scenario, budget int, fails func(Scenario) bool) Scenario {
	s := &shrinking{best: sc, budget: budget, fails: fails}
	for before := -1; before != s.accepted && s.budget > 0; {
		before = s.accepted
		s.events()
		s.resources()
		s.nodes()
		s.extras()
	}
	return s.best
}

type shrinking struct {
	best     Scenario
	budget   int
	accepted int
	fails    func(Scenario) bool
}

// try takes a smaller scenario when it is a valid one that fails, too.
func (s *shrinking) try(sc Scenario) bool {
	if s.budget <= 0 || len(hierarchy.Validate(sc.Shape.Estate(), registry(nil))) > 0 {
		return false
	}
	s.budget--
	if !s.fails(sc) {
		return false
	}
	s.best = sc
	s.accepted++
	return true
}

// events leaves out runs of events, long ones first.
func (s *shrinking) events() {
	for size := (len(s.best.Events) + 1) / 2; size > 0; size /= 2 {
		for at := len(s.best.Events) - size; at >= 0; at -= size {
			if at+size > len(s.best.Events) {
				continue
			}
			sc := s.best
			sc.Events = slices.Delete(slices.Clone(sc.Events), at, at+size)
			s.try(sc)
		}
	}
}

// resources leaves out resources that nothing needs.
func (s *shrinking) resources() {
	for i := len(s.best.Shape.Resources) - 1; i >= 0 && len(s.best.Shape.Resources) > 1; i-- {
		sc, name := s.best, s.best.Shape.Resources[i].Name
		if slices.ContainsFunc(sc.Shape.Resources, func(r Resource) bool { return slices.Contains(r.Needs, name) }) {
			continue
		}
		sc.Shape.Resources = slices.Delete(slices.Clone(sc.Shape.Resources), i, i+1)
		s.try(sc)
	}
}

// nodes leaves out nodes.
func (s *shrinking) nodes() {
	for i := len(s.best.Shape.Nodes) - 1; i >= 0 && len(s.best.Shape.Nodes) > 2; i-- {
		name := s.best.Shape.Nodes[i].Name
		sc := s.best
		sc.Shape.Nodes = slices.Delete(slices.Clone(sc.Shape.Nodes), i, i+1)
		sc.Shape.Flags = slices.DeleteFunc(slices.Clone(sc.Shape.Flags), func(f hierarchy.Flag) bool { return f.Viewer == name || f.Peer == name })
		sc.Shape.Resources = slices.Clone(sc.Shape.Resources)
		for k := range sc.Shape.Resources {
			r := &sc.Shape.Resources[k]
			r.On = slices.DeleteFunc(slices.Clone(r.On), func(n string) bool { return n == name })
		}
		if !slices.ContainsFunc(sc.Shape.Resources, func(r Resource) bool { return len(r.On) == 0 }) {
			s.try(sc)
		}
	}
}

// extras leaves out what makes an estate special, and time.
func (s *shrinking) extras() {
	for _, change := range []func(*Scenario){
		func(sc *Scenario) { sc.Shape.Jump = false },
		func(sc *Scenario) { sc.Shape.VPN = false },
		func(sc *Scenario) { sc.Shape.Quorum = hierarchy.NoQuorum },
		func(sc *Scenario) { sc.Shape.Flags = nil },
		func(sc *Scenario) {
			sc.Shape.Nodes = slices.Clone(sc.Shape.Nodes)
			for i := range sc.Shape.Nodes {
				sc.Shape.Nodes[i].Switch = false
			}
		},
		func(sc *Scenario) {
			sc.Shape.Resources = slices.Clone(sc.Shape.Resources)
			for i := range sc.Shape.Resources {
				sc.Shape.Resources[i].Automatic = false
			}
		},
		func(sc *Scenario) { sc.hurry() },
	} {
		sc := s.best
		change(&sc)
		if sc.String() != s.best.String() {
			s.try(sc)
		}
	}
}

// hurry lets the first event come at once.
func (sc *Scenario) hurry() {
	sc.Events = slices.Clone(sc.Events)
	if len(sc.Events) == 0 || sc.Events[0].At <= time.Minute {
		return
	}
	by := sc.Events[0].At - 10*time.Second
	for i := range sc.Events {
		sc.Events[i].At -= by
	}
}
