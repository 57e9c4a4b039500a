// Package e2e holds tests of the whole console, and nothing else: the real program
// (tui.Run) on a terminal emulator, the real engine, the real SSH client and AWS SDK, on
// the simulated estate of ferry demo. Time is virtual (testing/synctest), so that an hour
// takes a moment and no wait is for luck.
//
// A journey is written as a person would do it: press, see. What must be seen are words
// on the screen, and what must be so is asked of the simulated world, not of the engine.
//
// Journeys on the built binary, in tmux and in real time, are called TestTmux…: on ferry
// demo (tmux_test.go), over ferry serve (ssh_test.go), and on the engine of a world of the
// test's own behind a socket (socket_test.go), where ferry's other commands can be asked
// as well. Every kit's wizard is walked there key by key: walk_test.go knows how one goes
// through any wizard, wizards_test.go has a table with one entry per kit.
package e2e
