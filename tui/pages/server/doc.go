// Package server is the page about one server, in the form that LifeKeeper's people
// know: its properties with the evidence for its verdict, the matrix of confirm and
// block flags as check boxes, tuning values, comm paths, and the resources that are
// extended to it. Without a server it is the list of them.
//
// Each part is a panel (panel.go). On a small screen one is shown at a time, on a larger
// one all of them; one has the focus, and gets the keys that move.
//
// Boxes are changed in a draft first. While it is there, what the definition would say
// is judged as the engine will (engine/edit), so a box that must stay is refused with
// the product's own reason before anything is asked. Applying makes one wish for each row
// (ui.Do), one after the other: a row may be refused or given up by itself.
package server
