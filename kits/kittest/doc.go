// Package kittest tries a kit against a world: the same tests run on simulated
// nodes, on network namespaces of this machine, and on the lab's guests, which
// keeps the simulation honest.
//
// Conformance holds what every kit promises (see kits.Kit): actions may be
// repeated, work that was cut short is finished by the next attempt, looking
// changes nothing, and no answer or a senseless one is Unknown.
//
// It is imported by tests only.
package kittest
