// Package cell is one square of the matrix: a resource on a server. It says how the
// square looks (Face), what is known of it in words (Facts), and what can be done with
// it (Actions, Do), for every page that shows one.
//
// An action is the same key with the same words everywhere. What cannot be done now says
// why in the reader's language, from what the snapshot shows; what the snapshot cannot
// tell is left to the preview, in which the engine answers.
//
// The windows for dependencies (Needs), a maintenance hold (Hold), deleting (Remove) and
// the reasons (Why) are here, too. Nothing here changes anything: a change is asked for
// by ui.Do.
package cell
