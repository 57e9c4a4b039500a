package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
)

// Options tell where and how the embedded store keeps its data.
type Options struct {
	// Dir is the store's directory; it is made, with mode 0700, when it is missing.
	Dir string
	// Who is written into the lock, for the message that a second engine gets.
	// Empty = the process id alone.
	Who string
	// Log gets etcd's own warnings and errors; nil drops them. etcd never writes to
	// stderr.
	Log *slog.Logger
	// Quota is the most bytes the database may take; 0 = 256 MB. The estate of the
	// largest cluster we know of takes well under a tenth of it.
	Quota int64
	// Reserve is how many bytes must stay free on the file system: below it Commit
	// answers ErrFull and etcd goes on living, while etcd that meets a full disk ends
	// for good. 0 = 8 MiB, room for two log segments and a snapshot; negative = none.
	Reserve int64
	// Keep is how many revisions of history a Watch can reach back; 0 = 10000.
	Keep int64
	// NoSync leaves durability to the operating system. Only for simulations, whose
	// disks may lose what they like.
	NoSync bool
	// ReadyTimeout bounds the opening; 0 = 30 s, since a large log on a slow disk has to be read.
	ReadyTimeout time.Duration
}

// defaults fills what was left out.
func (o Options) defaults() Options {
	if o.Quota == 0 {
		o.Quota = 256 << 20
	}
	if o.Reserve == 0 {
		o.Reserve = 8 << 20
	}
	if o.Keep == 0 {
		o.Keep = keptChanges
	}
	if o.ReadyTimeout == 0 {
		o.ReadyTimeout = 30 * time.Second
	}
	return o
}

// Etcd is a store on an etcd member inside this process.
type Etcd struct {
	opts   Options
	lock   *fileutil.LockedFile
	server *etcdserver.EtcdServer
	client *clientv3.Client
	health *health

	// life ends at Close; watches, which outlive the call that made them, need it.
	life context.Context
	end  context.CancelFunc
	once sync.Once
	// relief is held while space is being made, by one caller at a time.
	relief   sync.Mutex
	relieved time.Time
	present  presence
}

var (
	_ Store   = (*Etcd)(nil)
	_ Notices = (*Etcd)(nil)
	_ Notices = (*MemoryStore)(nil)
)

// OpenEtcd opens the store in opts.Dir, or begins an empty one there. It is ready
// within tens of milliseconds. ErrLocked when another process uses the directory,
// ErrDamaged when what is there cannot be read, ErrFull when the disk is full.
func OpenEtcd(ctx context.Context, opts Options) (*Etcd, error) {
	smallSegments()
	o := opts.defaults()
	if strings.TrimSpace(o.Dir) == "" {
		return nil, errors.New("opening the store: no directory given for it")
	}
	e := &Etcd{opts: o, health: newHealth()}
	if err := makeDir(o.Dir); err != nil {
		return nil, fmt.Errorf("opening the store: %w", e.damaged(err))
	}
	var err error
	if e.lock, err = takeLock(o.Dir, o.Who); errors.Is(err, ErrLocked) {
		return nil, fmt.Errorf("opening the store: %w", err)
	} else if err != nil {
		return nil, fmt.Errorf("opening the store: %w", e.damaged(err))
	}
	if err := e.open(ctx); err != nil {
		e.halt()
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	return e, nil
}

// open starts the member and waits until it leads itself.
func (e *Etcd) open(ctx context.Context) error {
	if err := e.spacious(); err != nil {
		return err
	}
	if err := readable(e.opts.Dir); err != nil {
		return e.damaged(err)
	}
	ctx, cancel := context.WithTimeout(ctx, e.opts.ReadyTimeout)
	defer cancel()
	if err := e.start(ctx); err != nil {
		return err
	}
	if err := e.await(ctx); err != nil {
		return err
	}
	if err := e.look(); err != nil {
		return e.damaged(err)
	}
	e.client = v3client.New(e.server)
	e.life, e.end = context.WithCancel(context.Background())
	return nil
}

// await waits until the member is ready.
func (e *Etcd) await(ctx context.Context) error {
	select {
	case <-e.server.ReadyNotify():
		return nil
	case <-e.health.broken:
		return e.damaged(e.health.cause())
	case <-e.server.StopNotify():
		return e.damaged(errors.New("it stopped while it was starting"))
	case <-ctx.Done():
		return fmt.Errorf("it was not ready within %v: %w", e.opts.ReadyTimeout, ctx.Err())
	}
}

// start makes the member. etcd ends some of its goroutines, this one too, when it
// finds data it cannot read; hence a goroutine of its own and the wait on health.
func (e *Etcd) start(ctx context.Context) error {
	type outcome struct {
		server *etcdserver.EtcdServer
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				e.health.fail(panicked(r))
			}
		}()
		s, err := etcdserver.NewServer(serverConfig(e.opts, zapLogger(e.opts.Log, e.health)))
		done <- outcome{s, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return e.damaged(o.err)
		}
		e.server = o.server
		e.server.Start()
		return nil
	case <-e.health.broken:
		return e.damaged(e.health.cause())
	case <-ctx.Done():
		return fmt.Errorf("it was not open within %v: %w", e.opts.ReadyTimeout, ctx.Err())
	}
}

// damaged turns what etcd said into a kind of error and what to do about it.
func (e *Etcd) damaged(cause error) error {
	var errno syscall.Errno
	switch {
	case errors.Is(cause, syscall.ENOSPC):
		return fmt.Errorf("%w: no space left on the disk of %s; make some and start again", ErrFull, e.opts.Dir)
	case errors.As(cause, &errno):
		return fmt.Errorf("%s: %w", e.opts.Dir, cause) // the system's refusal says nothing about the data
	}
	dir := filepath.Clean(e.opts.Dir)
	return fmt.Errorf("%w: %s (%w); the nodes keep a copy of the estate: `ferry adopt --from NODE --state-dir %s` sets this store aside and rebuilds it from there",
		ErrDamaged, dir, cause, dir)
}

// panicked words what a panic of etcd while it was reading its files says: for a log
// that lost its beginning that is no more than a nil pointer.
func panicked(r any) error {
	if bug, ok := r.(runtime.Error); ok {
		return fmt.Errorf("its log cannot be read: %w", bug)
	}
	return fmt.Errorf("its log cannot be read: %v", r)
}

// Close stops the member and gives the directory free. What was committed is safe
// with or without it.
func (e *Etcd) Close() error {
	e.once.Do(e.halt)
	return nil
}

// halt stops what runs. A member that broke down may never stop; it is left behind
// after a while, and its lock is kept then, since it may still write.
func (e *Etcd) halt() {
	if e.end != nil {
		e.end()
	}
	if e.client != nil {
		_ = e.client.Close()
	}
	patience := 5 * time.Second
	if e.health.cause() != nil {
		patience = 200 * time.Millisecond
	}
	if e.server != nil && !e.stopped(patience) {
		return
	}
	_ = e.lock.Close()
}

// stopped tells whether the member ended within the time.
func (e *Etcd) stopped(within time.Duration) bool {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		e.server.HardStop()
	}()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-gone:
		return true
	case <-timer.C:
		return false
	}
}

// makeDir makes the directory for its owner alone: the store knows who may do what.
func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}
