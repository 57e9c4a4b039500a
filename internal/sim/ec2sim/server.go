package ec2sim

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Options are the endpoint's settings; the zero value answers at once, in order and without any lag.
type Options struct {
	// Clock tells the time (default time.Now). In a synctest bubble the default is already the bubble's clock.
	Clock func() time.Time
	// ReadLag is how far reads lag behind writes.
	ReadLag time.Duration
	// StateLag is how long after a power-off EC2 still says running (SPEC: a minute or more).
	StateLag time.Duration
	// Timings are how long instances take to change state.
	Timings Timings
	// PageSize is the largest answer to a Describe call that names no MaxResults (0 = no limit).
	PageSize int
}

// Timings are how long an instance stays in the states between. Zero means that the next read sees the end state.
type Timings struct {
	// Start is the time in pending; Checks is how long after it the status checks say initializing.
	Start, Checks time.Duration
	// Stop is the time in stopping after a plain StopInstances, ForceStop with Force, and SkipOS with SkipOsShutdown.
	// The first two end with the power-off, the last begins with it.
	Stop, ForceStop, SkipOS time.Duration
}

// TypicalTimings are figures as seen on EC2: starts in half a minute, stops in one to three minutes.
func TypicalTimings() Timings {
	return Timings{Start: 30 * time.Second, Checks: 2 * time.Minute, Stop: time.Minute, ForceStop: 3 * time.Minute, SkipOS: 45 * time.Second}
}

// Server is the endpoint. Create one with New; it is safe for concurrent use.
type Server struct {
	clock func() time.Time

	mu       sync.Mutex
	opts     Options
	versions []version // oldest first; the last one is the present
	due      []transition
	faults   []*armedFault
	log      []Call
	requests int
	made     int // ids given out
	hooks    []func(Event)
	events   []Event
	telling  bool
	timers   []*time.Timer
	closed   chan struct{}
	once     sync.Once
}

// New builds an endpoint that serves the world. It says everything that is wrong with the spec.
func New(spec World, o Options) (*Server, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	w := spec.clone()
	if err := complete(w, o.Clock()); err != nil {
		return nil, fmt.Errorf("building the simulated EC2: %w", err)
	}
	return &Server{
		clock: o.Clock, opts: o, closed: make(chan struct{}),
		versions: []version{{at: o.Clock(), world: w}},
	}, nil
}

// Close ends hanging calls and timers. The handler still answers afterwards, but nothing changes by itself any more.
func (s *Server) Close() {
	s.once.Do(func() {
		close(s.closed)
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, t := range s.timers {
			t.Stop()
		}
	})
}

// SetReadLag changes how far reads lag behind writes, from the next call on.
func (s *Server) SetReadLag(d time.Duration) { s.set(func(o *Options) { o.ReadLag = d }) }

// SetStateLag changes how late EC2 notices a power-off, from the next one on.
func (s *Server) SetStateLag(d time.Duration) { s.set(func(o *Options) { o.StateLag = d }) }

// SetTimings changes how long instances take to change state, from the next change on.
func (s *Server) SetTimings(t Timings) { s.set(func(o *Options) { o.Timings = t }) }

func (s *Server) set(change func(*Options)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.opts)
}

// ServeHTTP answers one Query call of EC2 or STS.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, refused := s.read(r)
	defer func() { s.record(c, refused) }() // also when a fault drops the connection, which it does by panicking
	if refused == nil {
		refused = s.perform(r.Context(), c)
	}
	c.reply(w, refused)
}
