// Package monitor turns heartbeats and checks into observations.
//
// It beats every node each LCMHBEATTIME on a channel of its own, asks the node
// what it sees of its peers over the comm paths, and runs the checks of a node
// every LKCHECKINTERVAL, all scripted ones in one round trip. What it finds goes
// to a sink as policy inputs; it judges nothing, keeps no history and never
// writes to a node or to the cloud.
//
// The engine calls Define whenever the definition or the tuning changed, and
// CheckNow when a check is wanted out of turn. A beat or check that does not
// answer by its deadline is reported as such at the deadline: one hung node
// delays no other node's observations.
package monitor
