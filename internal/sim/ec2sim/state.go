package ec2sim

import (
	"slices"
	"time"
)

// version is the world as it was from a moment on. The world of a version is never changed.
type version struct {
	at    time.Time
	world *World
}

// keep is how long old versions stay readable: longer than any lag a test gives.
const keep = time.Hour

// transition is a change that happens by itself when its time has come.
type transition struct {
	at       time.Time
	instance string // a newer transition of the same instance replaces the older ones
	do       func(w *World) []Event
}

// present is the newest world, after everything that is due by now has happened.
func (s *Server) present() *World {
	s.settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.versions[len(s.versions)-1].world
}

// asOf is the world as it was at t: the newest version that is not younger.
func (s *Server) asOf(t time.Time) *World {
	s.settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.versions) - 1; i > 0; i-- {
		if !s.versions[i].at.After(t) {
			return s.versions[i].world
		}
	}
	return s.versions[0].world
}

func (s *Server) lag() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts.ReadLag
}

// Snapshot is a copy of the present world, without any read lag.
func (s *Server) Snapshot() World { return *s.present().clone() }

// update makes a change: do works on a copy, which becomes the present when it succeeds.
func (s *Server) update(at time.Time, do func(w *World) ([]Event, *apiError)) *apiError {
	s.settle()
	s.mu.Lock()
	next := s.versions[len(s.versions)-1].world.clone()
	events, refused := do(next)
	if refused == nil {
		s.publish(at, next, events)
	}
	s.mu.Unlock()
	s.tell()
	return refused
}

// publish adds a version; s.mu is held.
func (s *Server) publish(at time.Time, w *World, events []Event) {
	if newest := s.versions[len(s.versions)-1].at; at.Before(newest) {
		at = newest // two calls at once: versions stay in order
	}
	s.versions = append(s.versions, version{at, w})
	for len(s.versions) > 1 && at.Sub(s.versions[1].at) > keep {
		s.versions = s.versions[1:]
	}
	for i := range events {
		events[i].At = at
	}
	s.events = append(s.events, events...)
}

// settle lets everything happen whose time has come.
func (s *Server) settle() {
	now := s.clock()
	s.mu.Lock()
	for len(s.due) > 0 && !s.due[0].at.After(now) {
		t := s.due[0]
		s.due = s.due[1:]
		next := s.versions[len(s.versions)-1].world.clone()
		s.publish(t.at, next, t.do(next))
	}
	s.mu.Unlock()
	s.tell()
}

// schedule plans transitions of an instance, instead of whatever was planned for it. s.mu is held.
func (s *Server) schedule(instance string, plan ...transition) {
	s.due = slices.DeleteFunc(s.due, func(t transition) bool { return t.instance == instance })
	for _, t := range plan {
		t.instance = instance
		s.due = append(s.due, t)
		// The timer only makes sure that hooks hear of it in time; a call finds the change due by itself.
		s.timers = append(s.timers, time.AfterFunc(max(0, t.at.Sub(s.clock())), s.settle))
	}
	slices.SortStableFunc(s.due, func(a, b transition) int { return a.at.Compare(b.at) })
	if len(s.timers) > 1000 {
		s.timers = s.timers[len(s.timers)-500:] // the old ones have fired long ago
	}
}
