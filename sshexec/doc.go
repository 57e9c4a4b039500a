// Package sshexec runs scripts on many nodes over SSH: fast, bounded, and honest about what it does not know. It knows
// no clusters and no kits; the engine hands it targets and wire.Jobs.
//
//	pool := sshexec.NewPool(sshexec.Options{})
//	node := pool.Node(sshexec.Target{Name: "LK_P_A", Host: "10.0.0.4", User: "admin"})
//	frames, err := node.RunAll(ctx, jobs)
//
// # Connections
//
// Each node has one connection that is kept warm and shared by everything, and one more for file copies while there
// are any. On the first live up to six long-lived shells: for scripts, for heartbeats, for Watch, for Light, for Aside, for Glance. A connection is dialled
// when it is first needed, and again, with a growing pause between attempts, after it was lost. Jump hosts are nodes
// of the pool like any other, so their connections are shared.
//
// A request of any number of jobs costs one round trip on an open shell. Requests are pipelined: none waits for
// another's hung job. The format is in package wire.
//
// # Results and errors
//
// A script that ran is a wire.Frame, whatever its exit code. An error means that we do not know, or that nothing was
// run; Error.Sent tells which. Errors are *Error with a Kind, the node, the operation, and what a person can do.
//
// # Deadlines
//
// Every job has a deadline on the node. Every call ends when its context ends, and at the latest Options.Slack after
// the longest deadline of its jobs. A shell that did not answer by then is replaced. A peer that no longer answers
// at all is noticed by keepalive requests within Options.KeepaliveInterval + Options.KeepaliveTimeout.
//
// # What it never does
//
// It never accepts an unknown or a changed host key, never asks for a password, never repeats a request by itself
// after it was sent, and starts no processes on this machine.
package sshexec
