// Package policy decides: what happened goes in, what to do and why comes out.
//
// World is a deterministic state machine without I/O, clock or goroutines. The
// engine owns the one live World, hands every observation, command, answer and
// result to Step together with the time, stores what changed (TakeChanges), and
// only then carries the outputs out. Load makes the same World again from what was
// stored: what had been observed is void, what had been decided holds. The same
// machine serves the live engine, "what if" (Simulate) and the scenario files in
// testdata, which read like a log and are the place to learn how ferry behaves.
//
// How it decides. Every input changes facts and marks the hierarchies (sets of
// resources connected by dependencies) that it may concern. Each of those is then
// judged anew from the facts alone: who holds it by claim, what the verdict on
// that node is (SPEC 6), which of its resources fail, what was tried and refused
// during this loss. So nothing depends on the order in which news arrives, and a
// question that makes no sense any more is withdrawn by the same rule that would
// not ask it.
//
// # What holds an automatic move back
//
// Quorum (quorum.go): the node that would take over is asked, from the first missed
// beat on, and only its fresh OK for this very trouble lets the move begin. No answer,
// "no" and "cannot tell" are all no; it is asked again, later and later. Where
// hierarchy.Index.Quorum gives mode none, nobody is asked; that includes tcp_remote
// without hosts, which an event and a warning tell. Simulate assumes OK for every node
// that is not said to lack it.
//
// Fencing (fence.go): where it is configured, a node that is lost and not proven dead
// is stopped by EC2 first, verified, also when it hangs. When that fails or does not
// say how it ended, people are asked. What is proven dead is never fenced.
//
// Ways (via.go): a path that another resource carries counts unknown while that is not
// steadily in service, and nothing crosses on what is known over such paths alone.
//
// Standbys (standby.go): what must work on standby nodes, too, is judged on all its nodes
// together, and goes only where it was just seen to work.
//
// Records (keep.go): what a kit must know to start safely is kept here as a record that only
// the kit reads. The world orders its versions; promotion itself is asked of the kit by
// whoever starts the resource.
//
// Holds (hold.go): under a maintenance hold nothing is started and nothing new asked.
//
// People's commands and answers pass all of these but the verdicts; they are shown
// what is known.
//
// # What it never does (DESIGN 3): treat unknown as failed or unreachable as dead;
// move anything between nodes whose pair carries a confirm flag without a person's
// word for that very loss; have two operations on one hierarchy; act on what was
// observed before a restart or a clock jump.
package policy
