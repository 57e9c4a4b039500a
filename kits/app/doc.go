// Package app is the kit for anything that has no kit of its own: the user gives
// the commands that start, stop and check it.
//
// # The commands
//
// Each is a command line for sh -c: the path of a script, with arguments, or a
// few commands. They run as root, or as the user given. They may be called again
// at any time, also when their work is done already, and must then do no harm.
// A script lies on the node's own disk, on every node; eligibility looks.
//
// Exit codes of check:
//
//	0                     works
//	190                   works, but something is wrong (impaired)
//	1…123 (not 75)        does not work: 3 is what "systemctl is-active" says
//	75                    cannot tell now (EX_TEMPFAIL)
//	124, 125              its time is over (timeout), or the tool itself failed
//	126, 127              the command cannot be run: a slip in the definition
//	128 and above         it was killed
//
// 190 and 75 are ferry's own codes for degraded and busy. Impaired is not 2,
// because shells, grep and others end with 2 on an error of their own: a check that
// reads a file which is not there would then count as working.
//
// At 75, and from 124 on, the outcome is Unknown, and Unknown moves nothing: a slow check
// under load must not fail over, and a missing script is nobody's failure. A
// check that wants a hanging application to count as failed bounds its question
// itself and exits with 1: curl -m 5 … || exit 1.
//
// Exit codes of the others: 0 is success. But what counts is the check: a start
// is OK when the check says so within the time, a stop when the check no longer
// does, whatever the exit code of stop.
//
// # Where the application lives
//
// The start command runs in a transient systemd unit of its own, "ferry-app-" and
// the tag, of type oneshot, which remains when the command has ended. So
// a daemon that the command leaves behind stays when the caller's unit ends, its
// output goes to the journal, and stop can end what the stop command forgot. A
// start that loses its caller half-way goes on in that unit; the next start finds
// it by its name and awaits it. Commands that hand over to systemd (systemctl
// start www) are as good; the unit is then an empty shell.
//
// Whether a unit is there is read from the files that systemd keeps about it, and
// systemd is asked only where they do not tell: a question takes a slow guest 100 ms.
//
// Such a unit must not start at boot by itself: name it in the field "unit", and
// a node where it is enabled is not eligible.
//
// Presence out of service is read from these units, so an application started by
// hand on another node is only noticed when its unit is named. The check command
// is not run on standby nodes: it may ask the virtual address, and would then be
// answered by the active node.
package app
