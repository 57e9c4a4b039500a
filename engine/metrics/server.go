package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ferry-ha/ferry/engine/follow"
	"github.com/ferry-ha/ferry/engine/notify"
)

// DefaultListen is where the server listens when nothing else is said.
const DefaultListen = "127.0.0.1:9640"

// DefaultInstances is how many resources on servers have series of their own: 10,000
// resources on four servers. A page is 4 MB then and takes 0.4 s; docs/watching.md has the cost.
const DefaultInstances = 40_000

// Options say what is shown.
type Options struct {
	// Counts tells what became of notifications; nil = there are none.
	Counts func() map[string]notify.Count
	// MaxInstances bounds the series of single resources; 0 = DefaultInstances.
	MaxInstances int
	Log          *slog.Logger
}

// Server answers for one engine.
type Server struct {
	eng  Engine
	coll *collector
	reg  *prometheus.Registry
	log  *slog.Logger
}

// New makes a server; Run lets it count and answer.
func New(eng Engine, o Options) *Server {
	if o.MaxInstances <= 0 {
		o.MaxInstances = DefaultInstances
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{eng: eng, coll: newCollector(eng, o.Counts, o.MaxInstances), reg: prometheus.NewRegistry(), log: o.Log}
	s.reg.MustRegister(s.coll, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return s
}

// Count counts events from now on until ctx ends. Run calls it.
func (s *Server) Count(ctx context.Context) {
	last := int64(0)
	if events, err := s.eng.Events(ctx, 0, 1); err == nil && len(events) > 0 {
		last = events[len(events)-1].Seq
	}
	follow.Events(ctx, s.eng, last, s.coll.see)
}

// askWithin bounds the wait for the engine's answer about its health.
const askWithin = 2 * time.Second

// Handler answers /metrics, /healthz and /readyz.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	// One page at a time: each holds the engine's loop up for the time of a snapshot.
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.reg, promhttp.HandlerOpts{MaxRequestsInFlight: 1, Timeout: 30 * time.Second}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { s.healthy(w, r, false) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { s.healthy(w, r, true) })
	return mux
}

// healthy: 200 when the engine's loop answers and, for ready, when the engine leads and
// its store takes writes; else 503 with a sentence.
func (s *Server) healthy(w http.ResponseWriter, r *http.Request, ready bool) {
	ctx, cancel := context.WithTimeout(r.Context(), askWithin)
	defer cancel()
	h, err := s.eng.Health(ctx)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	case ready && !h.Leads:
		http.Error(w, "another engine leads this estate: "+h.Notice, http.StatusServiceUnavailable)
	case ready && !h.Stores:
		http.Error(w, "the store takes no writes, so nothing is carried out: "+h.Notice, http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(w, "ok")
	}
}

// Run counts and answers on the listener until ctx ends, and closes the listener.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	counted := make(chan struct{})
	go func() { defer close(counted); s.Count(ctx) }()
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	err := srv.Serve(l)
	asked := ctx.Err() != nil
	cancel()
	<-counted
	if errors.Is(err, http.ErrServerClosed) && asked {
		return nil
	}
	return fmt.Errorf("serving metrics: %w", err)
}
