// Package onlab lets kits run on the lab's guests: the scripts go through the engine's own SSH, from the engine's place in
// the lab's network. Tests only.
package onlab

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/lab"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/sshexec"
	"github.com/ferry-ha/ferry/sshexec/wire"
)

// Hosts are a lab's guests as kits see nodes.
type Hosts struct {
	// Pool holds the connections; a test may close it to see what outlives them.
	Pool *sshexec.Pool

	t   testing.TB
	lab *lab.Lab
}

// New connects when a host is first used, and disconnects when the test ends.
func New(t testing.TB, l *lab.Lab) *Hosts {
	w := &Hosts{t: t, lab: l}
	w.Pool = sshexec.NewPool(sshexec.Options{AgentSocket: "none", DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		return l.Dial(ctx, lab.EngineNS, network, addr)
	}})
	t.Cleanup(w.Pool.Close)
	return w
}

// Node are a guest's facts as an instance has them.
func (w *Hosts) Node(guest string) kits.Node {
	g := w.lab.Guest(guest)
	return kits.Node{Name: guest, Address: g.Addr().String(), Region: g.Spec().Region}
}

// Host runs scripts on a guest, as the user ferry.
func (w *Hosts) Host(guest string) kits.Host { return host{w, guest} }

type host struct {
	w     *Hosts
	guest string
}

func (h host) Node() string { return h.guest }

// jobs numbers the units, so that no two scripts of a test binary share one.
var jobs atomic.Int64

func (h host) Run(ctx context.Context, s kits.Script) (kits.Result, error) {
	files := h.w.lab.SSHConfig()
	n := h.w.Pool.Node(sshexec.Target{
		Name: h.guest, Host: h.w.lab.Guest(h.guest).Addr().String(), User: "ferry", ConfigFile: "none",
		IdentityFiles: []string{files.Identity}, KnownHosts: []string{files.KnownHosts},
	})
	j := wire.Job{ID: "1", Name: s.Name, Body: s.Body, Args: s.Args, Stdin: s.Stdin, Deadline: s.Deadline}
	if s.Mutates {
		j.Guard = &wire.Guard{Unit: fmt.Sprintf("ferry-kittest-%d-%d", os.Getpid(), jobs.Add(1)), Lock: "kittest", Estate: "kittest", Engine: "kittest", Epoch: 1, Light: s.Light}
	}
	start := time.Now()
	run := n.Run
	if s.Light && !s.Mutates { // as engine/fleet does
		run = n.Light
	}
	f, err := run(ctx, j)
	h.w.t.Logf("%s on %s: %v", s.Name, h.guest, time.Since(start).Round(time.Millisecond))
	if err != nil {
		return kits.Result{}, err
	}
	if f.Status != wire.Done {
		return kits.Result{}, fmt.Errorf("%s: %s", f.Status, f.Stderr)
	}
	return kits.Result{Exit: f.Exit, Stdout: string(f.Stdout), Stderr: string(f.Stderr), Truncated: f.Truncated}, nil
}
