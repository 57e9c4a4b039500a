package bringup

import (
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// State is how far a hierarchy is.
type State string

// The states.
const (
	// Done: all of it is in service on one node.
	Done State = "in-service"
	// Todo: it is to be taken into service on Node.
	Todo State = "to-do"
	// Busy: an operation works on it.
	Busy State = "busy"
	// Unknown: what matters is not known yet, or not any more. Look again.
	Unknown State = "unknown"
	// Blocked: it cannot be brought up without a person; Reason says why, Next what to do.
	Blocked State = "blocked"
)

// Work is one hierarchy: everything that moves together.
type Work struct {
	// Roots are what nothing stands on; taking them into service takes everything.
	Roots []hierarchy.Tag `json:"roots"`
	// Resources are all of it, what starts first first.
	Resources []hierarchy.Tag `json:"resources"`
	// Node is where it is in service or is to be; empty where that cannot be said.
	Node  string `json:"node,omitempty"`
	State State  `json:"state"`
	// Reason is why that node, why nothing can be done, or what is not known.
	Reason kits.Reason `json:"reason"`
	// Operation is the id of the one that works on it.
	Operation string `json:"operation,omitempty"`
	// Missing are the resources that are not in service.
	Missing []hierarchy.Tag `json:"missing,omitempty"`
	// Overwrites is what is lost when it is brought up on Node.
	Overwrites []Overwrite `json:"overwrites,omitempty"`
	// Commands are the command lines that do the same, each as its words.
	Commands [][]string `json:"commands,omitempty"`
	// Next is what a person can do where it is blocked, as the words of a command line.
	Next []string `json:"next,omitempty"`
}

// Overwrite is something of a node that is lost for good.
type Overwrite struct {
	Tag hierarchy.Tag `json:"tag"`
	// Node and What are lost: LK_P_B, /dev/nvme1n1.
	Node string `json:"node"`
	What string `json:"what"`
	// By is what counts from then on, on Source.
	Source string `json:"source"`
	By     string `json:"by"`
}

// why makes a reason of this package.
func why(code, text string, pairs ...string) kits.Reason {
	return kits.Why("bringup."+code, text, pairs...)
}

func (w *Work) block(r kits.Reason, next ...string) {
	w.State, w.Reason, w.Next = Blocked, r, next
}

func (w *Work) unknown(r kits.Reason) { w.State, w.Reason = Unknown, r }

// todo says what is to be done, with the commands that do it.
func (w *Work) todo(r kits.Reason) {
	w.State, w.Reason = Todo, r
	for _, t := range w.Roots {
		w.Commands = append(w.Commands, inService(t, w.Node))
	}
}

func inService(t hierarchy.Tag, node string) []string {
	return []string{"ferry", "in-service", string(t), "--on", node}
}
