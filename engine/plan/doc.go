// Package plan turns a goal into an ordered graph of steps.
//
// It is pure: the definition (an index of it), what the kits say about
// themselves, and a View of who holds what go in; a Plan, which is plain data,
// comes out. The same call serves the live engine, previews, simulations and
// tests. Package policy decides what is wanted and calls Make; the runner carries
// the plan out; the commands and the console show it.
//
// The shape of a move:
//
//	eligible (all resources, on the target)    may veto, nothing has changed yet
//	  fence                                    when asked for
//	    stop  (parents first, where it is)     left out when the node is gone
//	      eligible again (kits with a veto)    may still veto: the stops are undone
//	        claim (on the target)              POINT OF NO RETURN
//	          start (children first)           client-moving starts wait for vetoing starts
//	            check
//
// Steps without an order between them run in parallel. Before the point of no
// return, what has been done can be taken back (Undo); from then on the plan only
// goes forward (Next).
//
// The package never decides whether a move should happen, never looks at a clock
// and never talks to a node.
package plan
