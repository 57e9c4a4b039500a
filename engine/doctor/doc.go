// Package doctor judges whether an estate stands on firm ground: what the cluster, its nodes and their account must be like
// before a failover can work, and what of it is not so.
//
// It is pure. The engine gathers facts and hands them over as a Case: what every node said to one script of questions, what the
// kits said when they were asked whether a node may take their resources (kits.Eligibility), what AWS said (cloud.Survey).
// Examine turns a Case into findings. Who runs the script, and on how many nodes at once, is the engine's business; a node is
// asked everything in one round trip.
//
//	Scope.Questions(index, node)  ->  Script(questions)  ->  the node  ->  Read(answer)  ->  Facts
//	Case{Facts, Ready, Surveys}  ->  Examine  ->  []Finding
//
// A Scope says what somebody wants to know, and so who is asked: no other server than those wanted, but for what servers of a
// cluster are compared by.
//
// A requirement is a Check: an id that never changes, what it looks at, why, how to mend it. All of them stand in Checks; the
// document docs/doctor.md is made from that list. A check is only made where the estate uses what needs it: no mirror, no
// question about nbd.
//
// A Finding has a Verdict: pass, warn, fail or unknown. Unknown is neither of the others: it says what could not be asked, and
// comes of a node that does not answer, of AWS that refuses, of an answer that cannot be read. Where a whole node or a whole
// region cannot be asked there is one finding for that, not one for each check.
//
// A Fix says in words what to do. Where it is a command, that is the very text that would run, on that node, as root; it is
// Safe when it changes only what it says, is undone easily, and interrupts nothing. Only safe ones are ever run by ferry, one by
// one, after somebody saw them.
//
// Names of kits and of their fields appear here as plain words: what a kit needs of nodes beyond what it asks itself is a matter of
// comparing nodes, which no kit sees.
package doctor
