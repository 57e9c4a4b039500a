// Package demo is the estate of examples/cross-region-oracle.toml (or, small, that of
// cross-region.toml, without data) brought to life in one process, with a real engine on
// it and a menu of things to break.
//
// What is simulated are the nodes, the network between them, and the account at AWS
// (package sim); engine, store, SSH client, kits and AWS SDK are the product. What
// takes minutes in production takes seconds here: a heartbeat a second, checks every five.
//
// Open starts it, Close ends all of it. Demo.Connect is for tui.Desk: it gives the engine
// of the moment, for an engine that is killed here is followed by another one. Page is
// the console's page of things to break, Welcome its first window, Guide what to try next.
// A breakage is data (Breakage): what it is about, whether it is broken at this moment,
// how to break and how to mend it; its words stand in the catalogs (room "demo").
//
// A client keeps using the service by its name, as its users would (client.go): it writes
// numbered rows into the database and counts those that were acknowledged and are lost.
// What it finds is what all of this is about.
//
// It needs no network, no root and no file, except a directory for the keys that Close
// removes.
package demo
