package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/drill"
)

// look asks the service once, as a client does; nil = it answered.
type look func(ctx context.Context) error

const (
	// lookWithinProbe bounds one look: a client that waits longer is no client any more.
	lookWithinProbe = time.Second
	// looksAtOnce bounds the looks under way, when each takes all of its time.
	looksAtOnce = 16
)

// probeOf is the look that a person asked for: a URL, HOST:PORT, or a command.
func probeOf(target, command string) (look, string, error) {
	switch {
	case command != "":
		return func(ctx context.Context) error { return runProbe(ctx, command) }, "command: " + command, nil
	case strings.HasPrefix(target, "http://"), strings.HasPrefix(target, "https://"):
		if u, err := url.Parse(target); err != nil || u.Host == "" {
			return nil, "", usage("write --probe https://host/path", "--probe %q is no URL", target)
		}
		return func(ctx context.Context) error { return getProbe(ctx, target) }, "GET " + target, nil
	}
	if _, _, err := net.SplitHostPort(target); err != nil {
		return nil, "", usage("write --probe HOST:PORT, --probe https://host/path or --probe-command \"…\"", "--probe %q is nothing that can be looked at", target)
	}
	return func(ctx context.Context) error {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", target)
		if err != nil {
			return err
		}
		return c.Close()
	}, "connect to " + target, nil
}

// getProbe wants an answer below 400, over a connection of its own.
func getProbe(ctx context.Context, target string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return err
	}
	defer r.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(r.Body, 1<<20)); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if r.StatusCode >= 400 {
		return errors.New(r.Status)
	}
	return nil
}

// runProbe wants exit code 0.
func runProbe(ctx context.Context, command string) error {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	endTogether(cmd)
	cmd.WaitDelay = time.Second
	return cmd.Run()
}

// prober looks again and again and keeps the log.
type prober struct {
	look   look
	period time.Duration

	mu     sync.Mutex
	log    []drill.Sample
	cancel context.CancelFunc
	done   chan struct{}
}

// startProbe looks every period until stop, whatever becomes of ctx's deadline: a look
// that takes long delays no other one.
func startProbe(ctx context.Context, l look, period time.Duration) *prober {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p := &prober{look: l, period: period, cancel: cancel, done: make(chan struct{})}
	go p.run(ctx)
	return p
}

func (p *prober) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer close(p.done)
	defer wg.Wait()
	free := make(chan struct{}, looksAtOnce)
	tick := time.NewTicker(p.period)
	defer tick.Stop()
	for {
		at := time.Now()
		select {
		case free <- struct{}{}:
			wg.Go(func() { p.once(ctx, at); <-free })
		default: // every look hangs: this one could not do better
			p.add(drill.Sample{At: at, Said: "no answer"})
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (p *prober) once(ctx context.Context, at time.Time) {
	limit, cancel := context.WithTimeout(ctx, lookWithinProbe)
	defer cancel()
	err := p.look(limit)
	if ctx.Err() != nil {
		return // broken off: it says nothing
	}
	s := drill.Sample{At: at, Took: time.Since(at), OK: err == nil}
	if err != nil {
		s.Said = term.Clean(err.Error())
		s.Said = s.Said[:min(len(s.Said), 200)]
	}
	p.add(s)
}

func (p *prober) add(s drill.Sample) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, s)
}

// samples copies the log.
func (p *prober) samples() []drill.Sample {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]drill.Sample(nil), p.log...)
}

// answers tells that every look sent since then has its answer, and that there were
// some: at least two.
func (p *prober) answers(since time.Time) bool {
	all := drill.Between(p.samples(), since, time.Now())
	for _, s := range all {
		if !s.OK {
			return false
		}
	}
	return len(all) >= 2
}

func (p *prober) stop() {
	p.cancel()
	<-p.done
}
