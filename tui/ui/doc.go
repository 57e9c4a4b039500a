// Package ui is what all pages of the console share: what a page is, how it reaches
// the engine, and the few widgets that they are made of.
//
// # Pages
//
// A Page draws itself into exactly w × h cells and says what can be done on it as a
// list of Actions: the hint line, the help, the palette and the dispatch of keys are
// all made from that one list, and an action that is not possible now carries the
// reason, which is shown when its key is pressed. Only keys that are no action reach
// Update (moving about, typing).
//
// # Context
//
// Every page of an estate holds the same *Context. The root model changes it between
// messages and never while a page draws: the snapshot (as a model.Estate), the time, the
// role, the theme, the language. Pages only read it. A page that keeps something
// derived from the snapshot compares Context.Est with the one that it was made from.
//
// # No I/O in Update
//
// Context.Call makes a tea.Cmd that talks to the engine with a deadline and comes back
// with a message. Messages that every page may get: Fresh (a new snapshot), Happened (an
// event), Progress (an operation moved), Tick (a second passed).
//
// # Asking the root for something
//
// Go, Back, Show, Say, Copy and Do return commands; the root model acts on them. Do
// opens the one way in which anything is changed: preview, confirmation, progress
// (package act).
//
// # What comes from elsewhere
//
// Whatever a node, a cloud or another person wrote goes through Clean before it is
// drawn. Fit and Pad count cells, so Japanese does not bend a table.
//
// The package knows no page, no SSH and no AWS.
package ui
