package ec2sim

import (
	"strings"
	"time"
)

// Call is one call as the endpoint saw it.
type Call struct {
	At              time.Time
	Region, Service string
	KeyID           string
	Action          string
	Params          map[string]string
	// Code is the error code it was answered with; empty when it succeeded.
	Code string
	// Dropped says that the caller got no answer; the change may have been made nevertheless (Fault.DropAfter).
	Dropped bool
}

// Write says whether the call asked for a change (whether or not it was carried out; a DryRun does not ask).
func (c Call) Write() bool {
	read := strings.HasPrefix(c.Action, "Describe") || strings.HasPrefix(c.Action, "Get")
	return !read && !strings.EqualFold(c.Params["DryRun"], "true")
}

// Calls is the log of all calls so far that have ended, oldest first, answered or not.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.log...)
}

// Writes are the calls of the log that asked for a change.
func (s *Server) Writes() []Call {
	var out []Call
	for _, c := range s.Calls() {
		if c.Write() {
			out = append(out, c)
		}
	}
	return out
}

// ResetCalls empties the log.
func (s *Server) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = nil
}

// maxLog bounds the log of a server that runs for days under a demo.
const maxLog = 100_000

func (s *Server) record(c *call, refused *apiError) {
	entry := Call{At: c.at, Region: c.region, Service: c.service, KeyID: c.keyID, Action: c.action, Params: c.asked, Dropped: c.dropped}
	if refused != nil {
		entry.Code = refused.code
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.log) >= maxLog {
		s.log = s.log[maxLog/2:]
	}
	s.log = append(s.log, entry)
}
