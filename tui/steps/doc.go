// Package steps draws plans and how far they are: the list of steps with what runs side
// by side and the point of no return, what a plan changes, what it leaves alone.
//
// The windows that ask for a yes (act, confirm), the page of operations and the
// simulation all show plans through this package, so that one looks like the other.
//
// Everything here is a function from plain data (plan.Plan, api.StepStatus) to lines of
// at most w cells, with styles; foreign text in them is cleaned. Nothing keeps state,
// asks an engine or decides. A plan of hundreds of steps takes a millisecond to draw, so
// whoever draws ten frames a second keeps the lines until something moved.
package steps
