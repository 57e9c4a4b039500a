// Package api offers an engine to other processes on the machine: JSON over HTTP
// on a unix socket, with the same Service on both sides. The engine implements
// Service itself; Client implements it over the socket; callers cannot tell.
//
// # Paths
//
// Every path begins with /v1. GET answers at once, POST takes one JSON object.
// Unknown fields in a request are refused, since one that is not understood might
// be the one that matters. Every answer carries the header Ferry-Api: ferry/v1.
//
//	GET  /v1/whoami          guest    who the engine takes the caller for: who, role
//	GET  /v1/snapshot        guest    Snapshot
//	GET  /v1/watch?after=N   guest    one Update per line until either side ends; an empty line now and then says "still here"
//	GET  /v1/events?after=N&limit=M   guest   {"events": [Event]}
//	GET  /v1/operations?limit=M       guest   {"operations": [Operation]}
//	GET  /v1/definition      guest    the definition in force
//	POST /v1/preview         guest    Command → Preview
//	POST /v1/compare         guest    Apply → Applied, changing nothing
//	POST /v1/choices         operator {"kit","field","node","attrs"} → {"choices": [string]}
//	POST /v1/children        operator Prospect → {"found": [Found]}: what a new resource's servers say to it
//	POST /v1/submit          operator Command → Submitted
//	POST /v1/answer          operator Answer → {}
//	POST /v1/graceful-stop   operator {"node"} → {}
//	POST /v1/apply           administrator   Apply → Applied
//	POST /v1/tuning          administrator   {"node","name","value"} → {}
//
// An Apply may carry in "base" the hierarchy.Digest of the definition that it was made
// from; when another one is in force by then, nothing changes and the error's code is
// definition-changed. With "abandon", what is in service may be deleted; it keeps running.
//
// A failure is {"error": Error}; its kind, not the HTTP status, is the contract, and
// ExitCode makes a process's exit code of it. Lists are never null. Durations are
// nanoseconds. The golden files in testdata are the documents as they travel.
//
// # Who may do what
//
// The kernel says who is at the other end of the socket; nothing the client sends can
// change that. Root and the engine's own user are administrators; other users have
// the highest role that one of their groups gives them: ferry-admin, ferry-operator,
// ferry (guest), or other names by Options. Everybody else is refused. The socket
// belongs to the guests' group with mode 0660, so operators and administrators are in
// that group too. Groups are those of the calling process and those that the user
// database names. The "by" of a request is replaced by the peer's user name.
//
// A program of an administrator may call for other people (ferry serve does): the headers
// Ferry-For (a name of letters, digits and . _ - @) and Ferry-For-Role (guest, operator,
// administrator) then say for whom, the call is judged by that role, and "anna (via PEER)"
// is recorded and audited. From anybody else a request with these headers is refused, so
// the kernel's word still decides. As does the same for a Service without a socket.
//
// # What this package never does
//
// It decides nothing, keeps nothing, and opens no network port. From another machine
// the socket is reached through SSH (DialFunc).
package api
