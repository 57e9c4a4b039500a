// Package bringup says what is left to be done until everything that a definition describes is in
// service, and where reality differs from the definition. It is pure: a definition and what an engine
// sees go in, data comes out.
//
// Make is for `ferry apply --in-service`: one Work per hierarchy, in the order in which they have to
// come up (what carries traffic between regions first), each with the node, the reason for that node, and
// what is lost by it. Nothing is remembered between two calls: whoever was interrupted asks again, and
// gets what is left.
//
// Drift is for `ferry diff`: what is not as the definition has it, as far as checks know.
//
// # Which node
//
// The one that holds any part of the hierarchy, else the one on which something of it runs, else, where
// data is replicated and was in service before, the one that held it last, else the first by priority. Only a
// hierarchy without data of its own goes to the next one by priority when the first is lost, and only inside
// the region.
//
// # What this package never does
//
// It never names a second node for what is held on one, even where that one is dead: moving is for policy and
// people. It takes nothing unknown for well or for gone. For replicated data that has no source yet it names no
// other node than the first by priority, since the disks of all others are overwritten by that. What the nodes
// themselves say (eligibility) is asked by the engine when it comes to it.
package bringup
