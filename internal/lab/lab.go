package lab

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Options of [Start]. The zero value is the four nodes of the example.
type Options struct {
	// Topology is the estate; without guests it is [FourNodes].
	Topology Topology
	// Dir takes disks, consoles and keys of this run. Empty: a directory of its own below [CacheDir], removed by Close.
	Dir string
	// Log is told what takes time. Nil: nothing is told.
	Log *slog.Logger
	// BootTimeout is how long a guest may take to answer ssh. 0: 90 s, ten times what it takes on two idle cores.
	BootTimeout time.Duration
}

// Lab is a running estate.
type Lab struct {
	id          string // prefix of its namespaces: flabPID-RANDOM
	dir         string
	ownDir      bool
	memDir      string // where guests keep their memory
	image       string
	kernel      kernel
	top         Topology
	log         *slog.Logger
	bootTimeout time.Duration
	userKey     keyPair
	guests      []*Guest
	release     func() // gives up the directory's lock

	mu      sync.Mutex
	routing map[string]routing // what each router was told, by region
	cuts    []cut

	tunnelCuts []tunnelCut
	disks      []net.Listener // of volatile disks
}

// Start builds the image when there is none, makes the network, boots every guest and returns when all answer ssh. When it
// fails nothing is left behind. Call [Lab.Close] in the end.
func Start(ctx context.Context, o Options) (*Lab, error) {
	if err := Require(); err != nil {
		return nil, err
	}
	if len(o.Topology.Guests) == 0 {
		o.Topology = FourNodes()
	}
	if err := o.Topology.Validate(); err != nil {
		return nil, fmt.Errorf("the lab's topology: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.BootTimeout == 0 {
		o.BootTimeout = 90 * time.Second
	}
	cache, err := CacheDir()
	if err != nil {
		return nil, fmt.Errorf("finding the lab's cache: %w", err)
	}
	Sweep(ctx, cache, o.Log)
	image, kernel, err := image(ctx, cache, o.Log)
	if err != nil {
		return nil, err
	}
	l := &Lab{image: image, kernel: kernel, top: o.Topology, log: o.Log, bootTimeout: o.BootTimeout, routing: map[string]routing{}}
	if err := l.bringUp(ctx, cache, o.Dir); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the lab: %w", err), l.Close())
	}
	return l, nil
}

func (l *Lab) bringUp(ctx context.Context, cache, dir string) error {
	start := time.Now()
	if err := l.makeDir(ctx, cache, dir); err != nil {
		return err
	}
	if err := l.makeGuests(); err != nil {
		return err
	}
	if err := l.buildNetwork(ctx); err != nil {
		return err
	}
	if err := l.initialTables(ctx); err != nil {
		return err
	}
	if err := l.applyFilter(ctx); err != nil {
		return err
	}
	if err := l.startRouting(); err != nil {
		return err
	}
	network := time.Since(start)
	if err := l.each(func(g *Guest) error { return g.fresh(ctx) }); err != nil {
		return err
	}
	boot := time.Since(start)
	if err := l.tunnelsUp(ctx); err != nil {
		return err
	}
	l.log.Info("the lab is up", "lab", l.id, "guests", len(l.guests), "network", network.Round(time.Millisecond), "ssh", boot.Round(time.Millisecond), "took", time.Since(start).Round(time.Millisecond))
	return nil
}

// makeDir names the lab and gives it a directory, locked as long as this process lives.
func (l *Lab) makeDir(ctx context.Context, cache, dir string) error {
	var b [3]byte
	if _, err := rand.Read(b[:]); err != nil {
		return err
	}
	l.id = fmt.Sprintf("%s%d-%s", namePrefix, os.Getpid(), hex.EncodeToString(b[:]))
	l.dir = dir
	if dir == "" {
		l.dir, l.ownDir = filepath.Join(runDir(cache), l.id), true
	}
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return err
	}
	l.memDir = memoryDir(l.dir, len(l.top.Guests))
	var err error
	l.release, err = lockFile(ctx, filepath.Join(l.dir, lockName))
	return err
}

func (l *Lab) makeGuests() error {
	var err error
	if l.userKey, err = newKeyPair("ferry-lab"); err != nil {
		return err
	}
	for i, s := range l.top.Guests {
		g := &Guest{lab: l, spec: s, index: i, checked: s.SourceDestCheck}
		g.region, _ = l.top.regionIndex(s.Region)
		if g.hostKey, err = newKeyPair(s.Name); err != nil {
			return err
		}
		l.guests = append(l.guests, g)
	}
	for _, g := range l.guests {
		if err := l.writeSeed(g, g.file(".seed")); err != nil {
			return fmt.Errorf("writing the seed disk of %s: %w", g.Name(), err)
		}
	}
	return l.writeSSHFiles()
}

// each does f for all guests at the same time.
func (l *Lab) each(f func(*Guest) error) error {
	errs := make([]error, len(l.guests))
	var wg sync.WaitGroup
	for i, g := range l.guests {
		wg.Go(func() { errs[i] = f(g) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Dir is where the lab keeps its files; tests may put theirs there.
func (l *Lab) Dir() string { return l.dir }

// Topology is what the lab was built from.
func (l *Lab) Topology() Topology { return l.top }

// Guests are all of them, in the topology's order.
func (l *Lab) Guests() []*Guest { return l.guests }

// Guest is the one with that name; asking for one that is not in the topology panics, as an index out of range does.
func (l *Lab) Guest(name string) *Guest {
	for _, g := range l.guests {
		if g.spec.Name == name {
			return g
		}
	}
	panic("lab: there is no guest " + name)
}

// Close ends all guests and whatever else runs in the lab's namespaces, and removes the namespaces and the lab's own
// directory. It may be called twice.
func (l *Lab) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	errs := []error{l.each(func(g *Guest) error { return g.PowerOff(ctx) })}
	l.mu.Lock()
	for _, ln := range l.disks {
		ln.Close()
	}
	l.mu.Unlock()
	errs = append(errs, removeNamespaces(ctx, l.id+"-"))
	if l.release != nil {
		l.release()
		l.release = nil
	}
	if l.ownDir {
		errs = append(errs, os.RemoveAll(l.dir))
	}
	return errors.Join(errs...)
}
