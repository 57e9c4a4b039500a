// Package wire is the language that sshexec speaks with a node: how a request of several scripts is written as
// POSIX sh, and how the answers come back. It opens no connections; sshexec (one end) and internal/sim/nodesim
// (the other end, in the simulated estate) share it.
//
// # What the server sees
//
// One SSH exec request per channel, with one of two constant commands, nothing else ever:
//
//	exec /bin/sh -s ferry-shell-1             ShellCommand
//	exec sudo -n /bin/sh -s ferry-shell-1     SudoCommand
//
// "ferry-shell-1" is only a mark for ps and for a simulated node. The shell then lives as long as the channel. On
// its standard input it gets Prelude once, and after it any number of requests, which may be pipelined. A simulated
// node calls ReadRequest in a loop; it skips the prelude and everything else that is meant for a real shell. There
// is no sftp and no other subsystem: files are copied by jobs with the verbs "put" and "get".
//
// # A request
//
//	#ferry1 {"nonce":…,"jobs":[…]}      everything but the scripts and their inputs, as JSON
//	…                                   the sh that does it on a real node
//	#ferry1 end NONCE
//
// The jobs of a request run side by side, each in a session of its own, each with its own deadline (the whole
// process group ends), each with bounded output. Its frame is sent as soon as it ends; nobody waits for a hung one.
//
// # A frame
//
//	#ferry1 frame NONCE ID STATUS EXIT MILLISECONDS [cut]
//	…stdout…
//	#ferry1 err NONCE
//	…stderr…
//	#ferry1 end NONCE
//
// The nonce is 128 random bits per request, never in a file name, an argument or an environment variable. A script
// cannot know it, so whatever it prints is only output. Delimiters were chosen over lengths because a daemon that a
// script leaves behind may still write while its output is being sent; a length would then be a lie and everything
// after it garbage. Lines outside frames (a login banner, a profile that prints) are skipped.
//
// # Guarded jobs
//
// A job with a Guard changes something. It runs as a transient systemd unit of the given name, so that it survives
// the connection, under the lock /run/ferry/lock/LOCK for the unit's whole life, and first compares the record
// /var/lib/ferry/record (lines estate=, engine=, epoch=, and for people leader=, since=; other lines are kept) with
// its caller:
//
//   - no record: it is written.
//   - same estate and engine, and the same epoch or a higher one: goes on; a higher one is written down durably first.
//   - same estate, another engine whose epoch is higher, and the record's is not above what that engine saw when it
//     adopted the estate (Guard.After): the same.
//   - anything else: status refused, exit 77, nothing was run.
//
// A unit is run at most once: asking for a name again awaits, or returns, the result of the first time. Only a unit
// that was turned away (refused, locked) may be tried again under its name. Results stay in the files
// /run/ferry/unit/UNIT,* until VerbForget or a reboot. Where systemd does not run the machine (a container, tests) the
// unit is a plain session; everything else is the same.
//
// Should the unit's own script be killed from outside, the lock stays held until its timer has ended what the script
// left running, at the deadline; then the unit is "lost". Whoever awaits it learns that then.
//
// A daemon that a script leaves behind when it ends in good order keeps running, also in a unit. At a deadline
// everything in the unit ends; an unguarded script ends with its process group.
//
// The environment variable FERRY_ROOT, empty except in tests, is put before /run/ferry, /var/lib/ferry and
// /run/systemd/system. Unguarded scripts run with LC_ALL=C, guarded ones with the machine's own locale.
//
// # What it needs on the node
//
// A POSIX sh, flock, setsid, mkfifo, mktemp, head, base64, sleep with fractions; sha256sum and stat for copies;
// systemd-run. All are in coreutils, util-linux and systemd, or busybox.
package wire
