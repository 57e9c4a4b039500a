// Package resource is the page about one resource: its state on each server, who holds
// it, what it needs and what needs it, the kit's live details, its definition, the
// operations that moved it and its recent events. Without a resource it is a list to
// choose one from.
//
// The page is one or two columns of lines under a cursor; a line that stands for
// something (a server, a relative, an operation) is opened by enter. The cursor is
// remembered by what it is on. Lines are made for each frame: there are some hundreds at
// most, whatever the estate's size. Events and operations are asked for once and then
// followed.
//
// What can be done is package cell's, on the server that the cursor was on last.
package resource
