package store

import (
	"context"
	"errors"
)

// Store keeps what must survive the engine. Two implementations, etcd (embedded
// or external) and Memory, pass one conformance suite.
type Store interface {
	// Get reads one key; ErrNotFound when it is not there.
	Get(ctx context.Context, key string) (KV, error)
	// List reads every key with the prefix, sorted, all of one revision, and that revision.
	List(ctx context.Context, prefix string) ([]KV, int64, error)
	// Commit applies all of the transaction or nothing, durably, and returns the new
	// revision. ErrConflict when a condition does not hold, ErrNotLeader when the
	// term is not the leader's any more, ErrFull when there is no space.
	Commit(ctx context.Context, t Txn) (int64, error)
	// Watch sends every change of keys with the prefix after the revision, in order,
	// until ctx ends. The channel is closed then, or when the watcher fell behind
	// (the caller lists again).
	Watch(ctx context.Context, prefix string, after int64) (<-chan Change, error)
	// Lead takes leadership under a name that people recognise and returns the term:
	// higher than every term before it. ErrNotLeader (with the leader's name in a
	// *LedError) when somebody else holds it.
	Lead(ctx context.Context, who string) (Term, error)
	Close() error
}

// Term numbers leaderships; it is the engine's epoch.
type Term uint64

// KV is a stored value.
type KV struct {
	Key   string
	Value []byte
	Rev   int64 // revision of the last change
}

// Txn is what Commit applies.
type Txn struct {
	// Term: commit only while this term leads; 0 = no such condition (tools, tests).
	Term Term
	// If: all must hold.
	If      []Cond
	Puts    []KV // Rev ignored
	Deletes []string
}

// Cond holds when the key was last changed at Rev; Rev 0 = the key does not exist.
type Cond struct {
	Key string
	Rev int64
}

// Change is one change seen by Watch.
type Change struct {
	KV
	Deleted bool
}

// The kinds of error a caller decides on.
var (
	ErrNotFound  = errors.New("not in the store")
	ErrConflict  = errors.New("changed meanwhile")
	ErrNotLeader = errors.New("not the leader")
	ErrFull      = errors.New("the store is full")
	ErrLocked    = errors.New("the store is in use by another process")
	ErrDamaged   = errors.New("the store is damaged")
)
