// Package operations is the page of what runs and what has run: the list, newest first,
// and of the one under the cursor everything that is known: the steps with when each
// ran, how it ended and why, what failing steps printed, what was taken back.
//
// The engine is asked for past operations once (data.go), newest ones only, and for more
// when the cursor comes to the end. After that Progress and each fresh snapshot keep the
// list; it is read again when an operation ended that nobody saw ending, or one is told
// of that is not in it. What was read stays on the screen while the engine is away.
//
// Texts of a row are made once for each state of its operation, so that a filter and a
// frame of a thousand operations cost no more than the rows that are visible.
package operations
