// Package store keeps what must survive the engine: the definition, states,
// claims, the journal of operations, questions, events and who leads.
//
// It promises four things, on every implementation:
//
//   - A transaction that Commit returned from without an error is still there
//     after the process was killed or the machine lost its power. A transaction
//     is there whole or not at all.
//   - A transaction with a Term is refused once another leadership began: the
//     comparison is made inside the transaction, not before it.
//   - Terms only rise, also across restarts.
//   - Nothing waits for ever: every call ends with its context, and a store that
//     broke down says so from then on.
//
// When a context ends before Commit has its answer the outcome is unknown, as
// with every durable thing: the caller reads before it acts again.
//
// There are two implementations and one conformance suite for both. OpenEtcd runs
// an etcd member inside this process, without any listener: nobody but this
// process can reach it, and there is no port to protect. Memory keeps everything
// in memory, for tests and simulations; several sessions can share one Disk, which
// is how a test lets an engine die and its successor find what was left.
//
// One process at a time uses a directory. OpenEtcd takes a lock file before etcd
// sees the directory and says who holds it (ErrLocked), since etcd itself would
// wait in silence. The lock dies with its process, so whoever gets it knows that
// the leader before is gone; Lead may therefore begin a new term at once.
//
// The engine is the only caller. This package never decides what keys mean, never
// retries a conflict and never talks to a network.
package store
