package fleet

import (
	"context"
	"fmt"

	"github.com/ferry-ha/ferry/kits"
)

// Glance runs a Keeper's pulse: a script that only reads, on a shell of its own beside the
// heartbeat's, so that neither waits for the other nor for anything else that is done on
// the node. An error means that nothing is known.
func (f *Fleet) Glance(ctx context.Context, node string, s kits.Script) (kits.Result, error) {
	n, _, err := f.node(node)
	if err != nil {
		return kits.Result{}, err
	}
	if s.Mutates {
		return kits.Result{}, fmt.Errorf("%s would change %s with a pulse; this is a defect of ferry", s.Name, node)
	}
	fr, err := n.Glance(ctx, jobOf("1", s))
	if err != nil {
		return kits.Result{}, err
	}
	return resultOf(node, s, fr)
}
