// Package topology is the page that draws the estate: regions side by side, their zones
// and nodes as frames inside, the comm paths as lines, and the way that clients take
// now, from the name over the virtual IP and the routes to the active node.
//
// # How a drawing is made
//
// derive.go and chain.go make a picture of the snapshot once: who is where, what is
// active there, which pairs of nodes see each other, where names, addresses and routes
// lead. layout.go gives everything its rectangle for a window's size, large or small;
// nothing is left out, what does not fit is scrolled to. draw*.go put it on a
// ui.Canvas, of which the visible part is shown.
//
// A line means what was seen: solid = it works, dashed with a mark = it is cut, dotted
// with a question mark = nothing is known. A node that nobody reaches has no word about
// others: what it said last is left out.
//
// The page changes nothing: it shows, and leads to the server's own page.
package topology
