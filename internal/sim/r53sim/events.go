package r53sim

import "time"

// EventKind says what an Event is about.
type EventKind string

// The kinds of events.
const (
	// RecordChanged: a record set was created (From is nil), changed or deleted (To is nil) in the control plane.
	RecordChanged EventKind = "record"
	// InSync: a change has reached all name servers.
	InSync EventKind = "insync"
	// ZoneCreated and ZoneDeleted: a hosted zone came or went.
	ZoneCreated EventKind = "zone-created"
	ZoneDeleted EventKind = "zone-deleted"
)

// Event is one effective change.
type Event struct {
	Kind EventKind
	At   time.Time
	// Zone and Change are ids without their prefixes; Change is empty for what a mutator did.
	Zone, Change string
	// Name and Type are the record set's, for RecordChanged.
	Name, Type string
	// From and To are its values before and after.
	From, To []string
	// KeyID is the key of the call that did it; empty when it happened by itself or through a mutator.
	KeyID string
}

// OnChange registers a function that is called after each effective change, in the order of the changes and one at a
// time. A change made through a call is told before the call is answered, unless a hook is running at that moment.
// A hook may call back into the server; what it changes is told after it returns. It runs on the goroutine of the call,
// the mutator or a timer.
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

// changed tells what differs between two contents of a zone, both in Route 53's order.
func changed(before, after []Record) []Event {
	old := map[string]Record{}
	for _, r := range before {
		old[r.key()] = r
	}
	var out []Event
	for _, r := range after {
		was, had := old[r.key()]
		delete(old, r.key())
		if !had || was.print() != r.print() {
			out = append(out, Event{Kind: RecordChanged, Name: r.Name, Type: r.Type, From: was.shown(), To: r.shown()})
		}
	}
	for _, r := range before {
		if _, gone := old[r.key()]; gone {
			out = append(out, Event{Kind: RecordChanged, Name: r.Name, Type: r.Type, From: r.shown()})
		}
	}
	return out
}

// shown are a record's values, or its alias target.
func (r Record) shown() []string {
	if r.Alias != nil {
		return []string{"ALIAS " + r.Alias.Name}
	}
	return r.Values
}
