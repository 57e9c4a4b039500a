package r53sim

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/awshttp"
)

// Options are the endpoint's settings; the zero value answers at once and every change is INSYNC at once.
type Options struct {
	// Clock tells the time (default time.Now). In a synctest bubble the default is already the bubble's clock.
	Clock func() time.Time
	// SyncLag is how long a change stays PENDING (AWS: typically below a minute).
	SyncLag time.Duration
	// Processing is how long after a change the zone answers the next one with PriorRequestNotComplete.
	Processing time.Duration
	// Bucket throttles each account; the zero value does not.
	Bucket Bucket
	// PageSize is the largest page of a list (default 300 record sets and 100 zones, as AWS).
	PageSize int
	// MaxSkew is how far a request's date may be off (AWS: 15 minutes); 0 = any date is good.
	MaxSkew time.Duration
	// LegacyErrors sends InvalidChangeBatch as the list of messages that the API reference shows, instead of the
	// ErrorResponse that AWS sends today. The Go SDK understands both; botocore 1.26 finds no code in the older one.
	LegacyErrors bool
}

// Bucket is a token bucket: Burst calls at once, Rate more a second. Burst 0 means no limit.
type Bucket struct {
	Burst int
	Rate  float64
}

// AccountBucket is what AWS is seen to allow an account: 50 calls at once, 10 a second.
func AccountBucket() Bucket { return Bucket{Burst: 50, Rate: 10} }

// Server is the endpoint. Create one with New; it is safe for concurrent use.
type Server struct {
	clock func() time.Time
	keys  []Key

	mu       sync.Mutex
	opts     Options
	zones    []*zone
	checks   []string
	changes  []*Change
	levels   map[string]*level // token buckets by account
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

// New builds an endpoint that serves the world. It says what is wrong with the spec.
func New(spec World, o Options) (*Server, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	s := &Server{clock: o.Clock, opts: o, closed: make(chan struct{}), levels: map[string]*level{}}
	s.keys = append(s.keys, spec.Keys...)
	for i := range s.keys {
		s.keys[i] = withOwner(s.keys[i])
	}
	s.checks = append(s.checks, spec.HealthChecks...)
	for _, z := range spec.Zones {
		if err := s.load(z); err != nil {
			return nil, fmt.Errorf("building the simulated Route 53: zone %q: %w", z.Name, err)
		}
	}
	return s, nil
}

func withOwner(k Key) Key {
	if k.Account == "" {
		k.Account = DefaultAccount
	}
	if k.ARN == "" {
		k.ARN = "arn:aws:iam::" + k.Account + ":user/ferry"
	}
	return k
}

// Close ends hanging calls and timers. The handler still answers afterwards.
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

// SetSyncLag changes how long changes stay PENDING, from the next change on.
func (s *Server) SetSyncLag(d time.Duration) { s.set(func(o *Options) { o.SyncLag = d }) }

// SetProcessing changes how long a zone refuses a change after another one, from the next change on.
func (s *Server) SetProcessing(d time.Duration) { s.set(func(o *Options) { o.Processing = d }) }

// SetBucket changes the throttling, with full buckets.
func (s *Server) SetBucket(b Bucket) {
	s.set(func(o *Options) { o.Bucket = b; s.levels = map[string]*level{} })
}

func (s *Server) set(change func(*Options)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.opts)
}

func (s *Server) options() Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, refused := s.read(r)
	defer func() { s.record(c, refused) }() // also when a fault drops the connection, which it does by panicking
	if refused == nil {
		refused = s.perform(r.Context(), c)
	}
	c.reply(r.Context(), w, refused)
}

// Transport is the endpoint as an http.RoundTripper without a network between: in a synctest bubble a listener would
// keep the clock from moving. A dropped connection comes back as an error, as it would from a real one.
func (s *Server) Transport() http.RoundTripper { return awshttp.Transport(s) }
