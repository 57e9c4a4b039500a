package dnssim

import (
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Fault makes matching questions go wrong. The first fields say which, the rest what happens.
type Fault struct {
	// Name, when set, is the name asked for (in any case, with or without its last dot); Type its type, 0 = any.
	Name string
	Type uint16
	// After lets that many matching questions through first; Times is how many it then hits (0 = until removed).
	After, Times int

	// Delay holds the answer back.
	Delay time.Duration
	// Silent gives no answer at all.
	Silent bool
	// Rcode answers with that code alone (dns.RcodeServerFailure, …).
	Rcode int
	// Stale answers from zones as they were that long ago.
	Stale time.Duration
	// Truncate cuts every answer over UDP, so that the asker must come back over TCP.
	Truncate bool
}

type armedFault struct {
	Fault
	seen int
}

// Inject arms a fault and gives back the function that removes it again (callable more than once).
// When several faults fit a question, the one injected first is applied.
func (s *Server) Inject(f Fault) (remove func()) {
	armed := &armedFault{Fault: f}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, armed)
	return func() { s.disarm(armed) }
}

// ClearFaults removes every fault.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

func (s *Server) disarm(f *armedFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, have := range s.faults {
		if have == f {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			return
		}
	}
}

// faultFor is what happens to this question; the zero Fault when nothing does. It counts the question.
func (s *Server) faultFor(q *dns.Msg) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if !f.fits(q) {
			continue
		}
		f.seen++
		if f.seen > f.After && (f.Times == 0 || f.seen <= f.After+f.Times) {
			return f.Fault
		}
	}
	return Fault{}
}

func (f *armedFault) fits(q *dns.Msg) bool {
	for _, ask := range q.Question {
		named := f.Name == "" || strings.EqualFold(dns.Fqdn(f.Name), ask.Name)
		if named && (f.Type == 0 || f.Type == ask.Qtype) {
			return true
		}
	}
	return f.Name == "" && f.Type == 0
}

// Query is one question as the server saw it.
type Query struct {
	Name, Type string
	// Code is what it was answered with ("NOERROR", "NXDOMAIN", …); empty when it was not.
	Code string
	// Values are the answer's records in presentation format.
	Values []string
}

// Queries is the log of the questions so far, oldest first.
func (s *Server) Queries() []Query {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Query(nil), s.log...)
}

// maxLog bounds the log of a server that runs for days under a demo.
const maxLog = 100_000

func (s *Server) note(q, reply *dns.Msg) {
	var entry Query
	if len(q.Question) > 0 {
		entry.Name, entry.Type = q.Question[0].Name, dns.TypeToString[q.Question[0].Qtype]
	}
	if reply != nil {
		entry.Code = dns.RcodeToString[reply.Rcode]
		for _, rr := range reply.Answer {
			entry.Values = append(entry.Values, rr.String())
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.log) >= maxLog {
		s.log = s.log[maxLog/2:]
	}
	s.log = append(s.log, entry)
}
