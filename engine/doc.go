// Package engine is the service behind the console and the commands: it watches
// an estate, decides what to do about what it sees, and carries that out.
//
// One goroutine owns the world (policy.World). Everything that happens reaches it
// as a policy input: heartbeats and checks from the monitor, results of steps from
// the runner, wishes and answers from people. For each input it lets the policy
// step, writes what changed to the store in one transaction, together with the
// events and the journal entry that belong to it, and only then carries the
// policy's outputs out. When the store refuses, nothing is carried out: the world
// is read back from the store and what had been observed is void.
//
// Open takes leadership of the store; the term, above the highest epoch that was seen
// when the estate was adopted, is the engine's epoch, which every mutating script shows
// to the node's record. An engine that lost the leadership stops acting at once, for
// good (lead.go).
//
// The estate survives its engine: every node keeps a copy of it (copies.go, and package
// adopt for what it holds), and Survey and Adopt rebuild a store from those (adopt.go).
//
// A resource whose kit keeps a record of its data (kits.Keeper) is heard with every
// heartbeat, also while operations run. What the kit concludes is stored and put on every
// other node that answers before anything is done that rests on it: a task (a copy is
// excluded, and the source goes on without it) or a start (the node is the source from now
// on). Whoever promotes later finds it; a record that came from a copy is in doubt (keep.go).
//
// Engine implements api.Service. It opens no socket and parses no file: the
// commands do that, and hand in the kits, the cloud port and the way to reach
// nodes. It never acts on what it does not know, and never crosses a region
// without a person's word (see policy).
package engine
