// Package kits says what a recovery kit is: the contract that the engine drives
// and every kit fulfils.
//
// A kit knows one kind of thing to protect. It declares its fields as data (one
// declaration serves the wizard, the flags and the TOML file), says what an
// action would change, and carries out eligible, check, start, stop and recover
// on one node. It is handed a Host that runs scripts, and an Instance that holds
// everything it may need to know: its own fields on this node and on the others,
// its relatives' fields, the node's facts, the tuning in force.
//
// A kit never decides anything, never keeps state of its own, never retries
// beyond its action's deadline, and never says OK or Failed when it does not
// know: a timeout, a throttled API or output that it cannot parse is Unknown.
//
// The engine and the commands see kits through a Registry, which the program's
// main assembles; no kit knows another one.
package kits
