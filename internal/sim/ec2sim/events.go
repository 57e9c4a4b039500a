package ec2sim

import "time"

// EventKind says what an Event is about.
type EventKind string

// The kinds of events.
const (
	// RouteChanged: a route was created, replaced or deleted (To is empty then).
	RouteChanged EventKind = "route"
	// StateChanged: what EC2 says about an instance changed.
	StateChanged EventKind = "state"
	// PowerChanged: an instance really went on (To = running) or off (To = stopped or terminated).
	PowerChanged EventKind = "power"
	// AddressChanged: an Elastic IP was associated with another interface.
	AddressChanged EventKind = "address"
	// CheckChanged: source/dest check of an interface went on or off ("true", "false").
	CheckChanged EventKind = "source-dest-check"
)

// Event is one effective change of the world.
type Event struct {
	Kind   EventKind
	At     time.Time
	Region string
	// Subject is the route table, instance, allocation or interface that changed.
	Subject string
	// Destination is the route's, for RouteChanged.
	Destination string
	// From and To are targets, states or interfaces, before and after.
	From, To string
	// Action and KeyID are the call that did it; empty when it happened by itself or through a mutator.
	Action, KeyID string
}

// OnChange registers a function that is called after each effective change, in the order of the changes and one at a
// time. A change made through a call is told before the call is answered, unless a hook is running at that moment.
// A hook may call back into the server; what it changes is told after it returns.
func (s *Server) OnChange(hook func(Event)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = append(s.hooks, hook)
}

// tell hands waiting events to the hooks. Only one goroutine does so at a time; others leave theirs to it.
func (s *Server) tell() {
	s.mu.Lock()
	if s.telling {
		s.mu.Unlock()
		return
	}
	s.telling = true
	for len(s.events) > 0 {
		e, hooks := s.events[0], s.hooks
		s.events = s.events[1:]
		s.mu.Unlock()
		for _, hook := range hooks {
			hook(e)
		}
		s.mu.Lock()
	}
	s.telling = false
	s.mu.Unlock()
}
