// Package act is the one way in which the console changes anything.
//
// A Wish comes in; its window shows what would happen (the plan, its effects, what is not
// touched, the same as a command), a person says yes, and the window shows how it goes.
// There is one job for each kind of wish: goalJob moves something (Preview, Submit),
// editJob changes the definition (Export, edit.Make, Apply on a base), tuningJob and
// holdJob set a value. Window is what they share: loading, asking, typing a word, sending,
// errors in words, trying again, watching the operation that was started.
//
// # What it promises
//
//   - Nothing is sent but after a key for this very preview, and for no preview that the
//     estate has moved away from. What crosses regions, overrides a refusal, decides
//     between two claims or deletes what runs needs a word to be typed.
//   - A command is sent under one id for the life of its window: pressing twice, or
//     sending again after a lost connection, starts it once.
//   - An error is never dressed up: where it is not known whether the engine took a
//     command, the window says so and looks for the operation.
//   - A window that is left does not stop what it started.
//
// It decides nothing: refusals come from the engine, and the next definition is made by
// package edit.
package act
