// Package hierarchy is the definition of an estate as plain data, with the rules
// that follow from the data alone: who needs whom, in which order things start
// and stop, which flags and tuning values are in force, and what is wrong with a
// definition.
//
// Estate (types.go) is what a person wrote. It is never changed in place: a
// changed definition is a new Estate. Index is made from it once and answers
// every question in constant time, also with ten thousand resources; it is
// immutable, so any number of goroutines may read it. What it returns is shared:
// callers must not change it.
//
// # Order
//
// A parent needs its children. Children start first, parents stop first. The
// resources that are connected by needs, in either direction, are one hierarchy:
// they live and move together, so all of them are extended to the same servers.
//
// # What is in force
//
// Quorum gives the mode for a server. Where that would be tcp_remote and no hosts are
// listed there is nobody to reach: the mode in force is then none, the policy says so
// once, and Warnings tells it about a definition, which is good all the same.
//
// A tuning value is looked for on the server, then for the whole estate, then in
// what kits declare, then in the table of this package (tuning.go). A quorum mode
// may also stand at the cluster, which wins over the estate. A flag row that is
// written down wins; without one, two servers in different regions ask before
// anything crosses. Validate refuses a definition that would let something cross
// unasked, unless the cluster says allow_automatic_crossing in so many words.
//
// Everybody above uses this package: config reads and writes an Estate, policy
// and plan decide by the Index, the engine hands Instances made here to the kits.
// It does no I/O, knows no state (that is the store's and policy's), and decides
// nothing.
package hierarchy
