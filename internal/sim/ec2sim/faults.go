package ec2sim

import (
	"path"
	"time"
)

// Fault makes matching calls go wrong. The first fields say which calls, the rest what happens to them; several effects
// may be combined, and a fault without any effect does nothing.
type Fault struct {
	// Action is a path.Match pattern ("ReplaceRoute", "Describe*"); empty means every action.
	Action string
	// Region and KeyID, when set, must be the call's own.
	Region, KeyID string
	// Params, when set, must be among the call's parameters ("RouteTableId": "rtb-1").
	Params map[string]string
	// After lets that many matching calls through first; Times is how many calls it then hits (0 = until removed).
	After, Times int

	// Delay holds the call back before anything happens.
	Delay time.Duration
	// Hang holds it until the caller gives up, the fault is removed or the server is closed.
	Hang bool
	// Unreachable drops the connection before anything happens.
	Unreachable bool
	// Code refuses the call with this error code; Status overrides the HTTP status that belongs to it.
	Code, Message string
	Status        int
	// Stale lets a read answer from that long ago.
	Stale time.Duration
	// Empty lets a Describe call answer that there is nothing.
	Empty bool
	// DropAfter does what was asked and then drops the connection, so that the caller cannot know.
	DropAfter bool
}

// Throttle is the fault of n calls of action in a row answered with RequestLimitExceeded (n = 0: until removed).
func Throttle(action string, n int) Fault {
	return Fault{Action: action, Times: n, Code: "RequestLimitExceeded", Message: "Request limit exceeded."}
}

type armedFault struct {
	Fault
	seen    int
	removed chan struct{}
}

// Inject arms a fault and gives back the function that removes it again (callable more than once).
// When several faults fit a call, the one injected first is applied.
func (s *Server) Inject(f Fault) (remove func()) {
	armed := &armedFault{Fault: f, removed: make(chan struct{})}
	s.mu.Lock()
	s.faults = append(s.faults, armed)
	s.mu.Unlock()
	return func() { s.disarm(armed) }
}

// ClearFaults removes every fault.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	all := append([]*armedFault(nil), s.faults...)
	s.mu.Unlock()
	for _, f := range all {
		s.disarm(f)
	}
}

func (s *Server) disarm(f *armedFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, have := range s.faults {
		if have == f {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			close(f.removed)
			return
		}
	}
}

// faultFor is the fault that hits this call, nil when none does. It counts the call.
func (s *Server) faultFor(c *call) *armedFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if !f.fits(c) {
			continue
		}
		f.seen++
		if f.seen > f.After && (f.Times == 0 || f.seen <= f.After+f.Times) {
			return f
		}
	}
	return nil
}

func (f *armedFault) fits(c *call) bool {
	if f.Action != "" {
		if ok, err := path.Match(f.Action, c.action); !ok || err != nil {
			return false
		}
	}
	if f.Region != "" && f.Region != c.region || f.KeyID != "" && f.KeyID != c.keyID {
		return false
	}
	for name, want := range f.Params {
		if c.params.get(name) != want {
			return false
		}
	}
	return true
}
