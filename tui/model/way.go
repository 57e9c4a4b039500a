package model

import (
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// Way is what is known of the path between two nodes.
type Way int

// The ways, the best first.
const (
	WayOK      Way = iota
	WayPartly      // in one direction only
	WayUnknown     // nobody who could tell was heard
	WayCut
)

// Way judges the path between two nodes by what both say about each other. A node that
// is lost or hangs has no word: what it said last is no longer true.
func (e *Estate) Way(a, b string) Way {
	there, back := e.Says(a, b), e.Says(b, a)
	switch {
	case there == kits.Failed && back == kits.OK, there == kits.OK && back == kits.Failed:
		return WayPartly
	case there == kits.Failed || back == kits.Failed:
		return WayCut
	case there == kits.OK || back == kits.OK:
		return WayOK
	}
	return WayUnknown
}

// Says is what one node says about its path to another. (A snapshot keeps it with the
// node that is spoken of: NodeStatus.Peers is what each peer says of reaching it.)
func (e *Estate) Says(from, to string) kits.Outcome {
	n, of := e.nodes[from], e.nodes[to]
	if n == nil || of == nil {
		return kits.Unknown
	}
	switch n.Verdict {
	case policy.Alive, policy.Degraded:
	default:
		return kits.Unknown
	}
	switch of.Peers[from] {
	case kits.OK.String():
		return kits.OK
	case kits.Failed.String():
		return kits.Failed
	}
	return kits.Unknown
}
