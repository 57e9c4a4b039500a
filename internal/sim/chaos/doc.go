// Package chaos lets the whole system run through random misfortune in virtual time
// and watches from outside that it never does what it must never do.
//
// A Scenario is a small estate and a schedule of what happens to it: power, shutdowns
// in good order, hangs, cut links, failing and hanging scripts, full disks, an EC2 and a Route 53 that err, engines that
// are killed, stalled and deposed, tunnels between the regions that fail in every way, people who command and answer, well or badly.
// Draw makes one from a seed, Parse reads one from a file, and both are the same
// thing: a failing run is written out as a file, made smaller by Shrink, and kept.
//
// Run carries a scenario out with the real engine, the real SSH client and the real
// AWS SDK on simulated nodes and a simulated EC2. It must be called in a
// testing/synctest bubble. After every change on any node and every commit of the
// engine the invariants of DESIGN 3 are checked (rules.go names them), on what really
// runs where, which the nodes tell (nodesim.Options.Watch), and on what was written
// to the store. The engine's own word is asked for at the end only, to compare it
// with the truth.
//
// The schedule follows from the seed alone. What happens between its events does not
// quite: goroutines that are due at the same virtual instant run in any order, ids
// are random, and the AWS SDK's pauses have jitter. So a seed that failed once may
// have to be run a few times (-chaos.times) to fail again.
package chaos
