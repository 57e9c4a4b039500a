// Package drill judges a test of an estate: whether it may begin (Ready), how long
// clients could not use the service while it ran (Gaps, from the log of a probe), in which
// steps of the operations that was (Move), and whether it takes longer than it used to
// (Trend). A Report holds all of it and is what is kept.
//
// The package is pure: it reads no clock, asks no engine and writes no file. The command
// `ferry drill` does, and moves the service by the same calls as any other switchover.
package drill
