// Command ferry is the scripted face of the system: parse, call, print. It takes
// no decision; whatever it does goes through api.Service, be it an engine behind a
// socket or one in this very process.
//
// # Contract with scripts
//
// stdout is data, stderr is messages. Failures end with an "error:" line and,
// where something can be done about it, "hint:" lines. Without a terminal nothing
// is ever asked: what would need an answer ends with exit code 107 and the flag
// that gives the answer. --yes skips a question; it is not --force, which
// overrides a refusal; and neither of them confirms that a service leaves its
// region: that takes the region's name, typed or as --confirm-region (for
// questions --region).
//
// Exit codes:
//
//	0    done; also when there was nothing to do
//	1    failed
//	64   wrong usage
//	69   no engine, or the engine went away
//	75   busy: another operation or another engine is at it; try again
//	77   not permitted
//	78   the definition is wrong
//	105  no such resource, node, question or operation
//	106  no quorum
//	107  unsafe without --force or a confirmation
//	124  --timeout ran out, or a call got no answer
//	190  degraded (only status --check)
//
// # Changing the definition
//
// Commands that change the definition (resource, dependency, server, tuning) make an
// edit of the one in force (engine/edit), show the difference that the engine finds,
// and put the result in force after a yes. They say which definition they started
// from, so a change that somebody else made meanwhile is never lost: they look again
// and make the edit on the new one, three times at most. What the fields of a kit are,
// its flags, its questions at a terminal and its piece of TOML, all come from
// kits.Field.
//
// # JSON
//
// With -o json (or yaml, of the same shape) stdout is one object whose first two
// keys are "version": "ferry/v1" and "kind". Keys are never translated and are
// only ever added within a version; times are RFC 3339, durations are
// nanoseconds; a list that is empty is [], not null. Streams (--follow, --watch)
// are one object a line; in YAML one document each. Control characters of foreign
// text are taken out. The kinds are the types in documents.go, each with the
// command that prints it; testdata/script holds one golden of each.
//
// # Which engine
//
// The socket is --socket, else FERRY_SOCKET, else the default. When nobody listens
// there, the command runs an engine in its own process on the state directory
// (--state-dir, else FERRY_STATE, else the default), says so on stderr, and starts
// no automatic failover. A --socket given alone is meant: nobody there is an
// error. status alone touches no node then: it shows the last record and as of when,
// unless --look asks for more. version, completion, config and simulate never look for an engine and
// never open a store.
package main
