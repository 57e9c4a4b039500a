// Package serve offers the console over SSH, for people with nothing installed.
//
// Serve listens and shows one console per session. Who a person is follows from the
// public key with which the connection was authenticated (Options.Who), nothing else: no
// password, no name that the client claims. What the person may do is that person's
// role, which every call to the engine is judged by; Options.Open makes the estates of
// a session with that caller.
//
// A session is a console and nothing but a console: a command, a subsystem (sftp), a
// forwarded port or an agent is refused. It ends when the person leaves, when nothing was
// typed for Options.Idle, when the client is silent, when the person may not come any more
// or has another role (Options.Still), and when the server stops, with the terminal as it was. How many sessions there are at once, how many each person has, and
// how fast input is taken, are bounded.
//
// The package knows no engine's address, keeps no state but its sessions, and writes
// nothing but a host key that is missing (HostKey).
package serve
