// Package metrics shows an engine to Prometheus, and to whatever asks whether it is well:
// /metrics, /healthz and /readyz of a small HTTP server that is off unless somebody asks
// for it, and listens on the machine itself unless told otherwise.
//
// Most values are read from one snapshot when they are asked for, so they agree with one
// another and cost nothing between two questions; operations and failovers are counted
// as their events come by. All names are in Names and explained in docs/watching.md; a
// test keeps the two the same.
//
// Cardinality is bounded: labels are names of the definition and closed lists of words,
// never anything a node said. A resource has one series per server and not one per
// state; beyond Options.MaxInstances (a resource on a server) these are left out, which
// ferry_resource_series_omitted tells, and the sums by cluster and state stay.
//
// Nothing can be changed over this server, and it tells what a guest of the console may
// see: names, states, no fields of resources and no secret.
package metrics
