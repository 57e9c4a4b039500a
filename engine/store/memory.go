package store

import (
	"bytes"
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"
)

// keptChanges is how far back a Watch on a Disk can begin; a watcher that is
// further behind is closed, as etcd does after a compaction.
const keptChanges = 10_000

// Disk is what the sessions of memory stores share, and what outlives them.
type Disk struct {
	mu      sync.Mutex
	rev     int64
	data    map[string]KV
	log     []Change      // oldest first
	dropped int           // changes that are not in the log any more
	changed chan struct{} // closed and replaced at every change
	full    bool

	term   Term
	leader *MemoryStore // nil: nobody leads
	who    string
	since  time.Time
}

// NewDisk is an empty disk.
func NewDisk() *Disk {
	// etcd's first revision is 1, before anything was written.
	return &Disk{rev: 1, data: map[string]KV{}, changed: make(chan struct{})}
}

// Open begins a session on the disk. Any number may be open; one of them leads.
func (d *Disk) Open() *MemoryStore {
	return &MemoryStore{disk: d, closed: make(chan struct{})}
}

// Fill makes every Commit fail with ErrFull until it is called with false.
func (d *Disk) Fill(full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = full
}

// Depose takes leadership away from whoever has it without telling, as the expiry
// of a lease does to a process that slept: its next Commit is refused.
func (d *Disk) Depose() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.leader = nil
	d.who = ""
	d.term++
}

// Memory is a store of its own that is gone with the process.
func Memory() *MemoryStore { return NewDisk().Open() }

// MemoryStore is one session on a Disk.
type MemoryStore struct {
	disk   *Disk
	once   sync.Once
	closed chan struct{}
}

var _ Store = (*MemoryStore)(nil)

// Disk gives the disk, on which a successor can be opened.
func (m *MemoryStore) Disk() *Disk { return m.disk }

// ready refuses calls on a closed session and ended contexts.
func (m *MemoryStore) ready(ctx context.Context) error {
	select {
	case <-m.closed:
		return ErrClosed
	default:
		return ctx.Err()
	}
}

// Get reads one key.
func (m *MemoryStore) Get(ctx context.Context, key string) (KV, error) {
	if err := m.ready(ctx); err != nil {
		return KV{}, fmt.Errorf("reading %s: %w", key, err)
	}
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	kv, ok := m.disk.data[key]
	if !ok {
		return KV{}, fmt.Errorf("reading %s: %w", key, ErrNotFound)
	}
	return kv.clone(), nil
}

// List reads every key with the prefix.
func (m *MemoryStore) List(ctx context.Context, prefix string) ([]KV, int64, error) {
	if err := m.ready(ctx); err != nil {
		return nil, 0, fmt.Errorf("listing %s: %w", prefix, err)
	}
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	var all []KV
	for key, kv := range m.disk.data {
		if strings.HasPrefix(key, prefix) {
			all = append(all, kv.clone())
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Key < all[j].Key })
	return all, m.disk.rev, nil
}

// Commit applies the transaction.
func (m *MemoryStore) Commit(ctx context.Context, t Txn) (int64, error) {
	if err := m.ready(ctx); err != nil {
		return 0, fmt.Errorf("committing: %w", err)
	}
	if err := t.valid(); err != nil {
		return 0, fmt.Errorf("committing: %w", err)
	}
	d := m.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.allows(t); err != nil {
		return 0, fmt.Errorf("committing: %w", err)
	}
	return d.apply(t), nil
}

// allows compares the term and the conditions; d.mu is held.
func (d *Disk) allows(t Txn) error {
	if t.Term != 0 && (t.Term != d.term || d.leader == nil) {
		return fmt.Errorf("term %d, now %d: %w", t.Term, d.term, ErrNotLeader)
	}
	for _, c := range t.If {
		if now := d.data[c.Key].Rev; now != c.Rev {
			return fmt.Errorf("%s is at revision %d, not %d: %w", c.Key, now, c.Rev, ErrConflict)
		}
	}
	if d.full && len(t.Puts) > 0 {
		return ErrFull
	}
	return nil
}

// apply makes the changes under one new revision; d.mu is held. Nothing to change
// makes no revision, as in etcd.
func (d *Disk) apply(t Txn) int64 {
	next, before := d.rev+1, len(d.log)
	for _, key := range t.Deletes {
		if _, there := d.data[key]; there {
			delete(d.data, key)
			d.log = append(d.log, Change{KV: KV{Key: key, Rev: next}, Deleted: true})
		}
	}
	for _, p := range t.Puts {
		kv := KV{Key: p.Key, Value: bytes.Clone(p.Value), Rev: next}
		d.data[p.Key] = kv
		d.log = append(d.log, Change{KV: kv})
	}
	if len(d.log) > before {
		d.rev = next
		d.announce()
	}
	return d.rev
}

// announce forgets changes that are too old and wakes the watchers; d.mu is held.
func (d *Disk) announce() {
	if over := len(d.log) - keptChanges; over > keptChanges {
		d.log = append([]Change(nil), d.log[over:]...)
		d.dropped += over
	}
	close(d.changed)
	d.changed = make(chan struct{})
}

// Lead begins a new term, unless another open session leads.
func (m *MemoryStore) Lead(ctx context.Context, who string) (Term, error) {
	if err := m.ready(ctx); err != nil {
		return 0, fmt.Errorf("taking the lead: %w", err)
	}
	d := m.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.leader != nil && d.leader != m {
		return 0, fmt.Errorf("taking the lead: %w", &LedError{Who: d.who, Since: d.since})
	}
	d.term++
	d.rev++
	d.leader, d.who, d.since = m, who, time.Now()
	return d.term, nil
}

// Notice is empty while all is well.
func (m *MemoryStore) Notice() string {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	if m.disk.full {
		return noticeFull
	}
	return ""
}

// Close ends the session and its watches, and gives leadership up.
func (m *MemoryStore) Close() error {
	m.once.Do(func() {
		m.disk.mu.Lock()
		defer m.disk.mu.Unlock()
		if m.disk.leader == m {
			m.disk.leader = nil
		}
		close(m.closed)
	})
	return nil
}

// clone keeps callers from sharing a value's bytes with the disk.
func (kv KV) clone() KV {
	kv.Value = bytes.Clone(kv.Value)
	return kv
}
