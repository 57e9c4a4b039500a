// Package hierarchies is the first page: the tree of resources beside the matrix of
// resource × server, cluster under cluster, with a panel on the cell under the cursor.
//
// # From a snapshot to a frame
//
// What depends on the snapshot alone is laid out once for each (tree.go): rows with
// their troubles, clusters with their servers grouped by region and zone, the sums of
// the first line. Lines are made from that again when a branch is folded or the filter
// changes (lines.go). A frame draws the visible lines and columns only (draw.go,
// matrix.go, panel.go).
//
// The cursor is a cell, and remembered by names: cluster, resource, what it hangs from,
// server. So it stays where it is when rows come and go.
//
// What a cell looks like, what is known of it and what can be done with it is package
// cell's; this package moves about and draws.
package hierarchies
