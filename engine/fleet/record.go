package fleet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// Record reads what a node's own record says of its boot and its claims. When it
// cannot be read, Err says why.
func (f *Fleet) Record(ctx context.Context, node string) policy.NodeRecord {
	rec := policy.NodeRecord{Node: node}
	res, err := f.Host(node).Run(ctx, kits.Script{Name: "record", Body: recordScript, Deadline: 10 * time.Second})
	switch {
	case err != nil:
		rec.Err = err.Error()
	case res.Exit != 0:
		rec.Err = fmt.Sprintf("reading the record on %s: exit %d: %s", node, res.Exit, strings.TrimSpace(res.Stderr))
	default:
		l, err := parseRecord(&rec, res.Stdout)
		if err != nil {
			rec.Err = fmt.Sprintf("reading the record on %s: %v", node, err)
			break
		}
		f.led(node, &l)
	}
	return rec
}

// parseRecord reads recordScript's output. A line it does not know is an error: a
// claim that was overlooked could leave two nodes active.
func parseRecord(rec *policy.NodeRecord, text string) (l Leader, err error) {
	rec.Claims = map[hierarchy.Tag]uint64{}
	for line := range strings.Lines(text) {
		w := strings.Fields(line)
		switch {
		case len(w) == 2 && w[0] == "boot":
			rec.Boot = w[1]
		case len(w) > 0 && w[0] == "record":
			l.take(strings.TrimPrefix(line, "record "))
		case len(w) == 3 && w[0] == "claim":
			n, err := strconv.ParseUint(w[2], 10, 64)
			if err != nil {
				return l, fmt.Errorf("claim of %q is %q, not a number", w[1], w[2])
			}
			rec.Claims[hierarchy.Tag(w[1])] = n
		case len(w) > 0:
			return l, fmt.Errorf("cannot read line %q", strings.TrimSpace(line))
		}
	}
	if rec.Boot == "" {
		return l, fmt.Errorf("no boot id in %q", text)
	}
	return l, nil
}

// WriteClaims writes the number as the claim of all tags on the host's node.
// Failed when the node already holds a newer one.
func WriteClaims(ctx context.Context, h kits.Host, tags []hierarchy.Tag, number uint64) kits.Report {
	args := []string{strconv.FormatUint(number, 10)}
	for _, t := range tags {
		args = append(args, string(t))
	}
	res, err := h.Run(ctx, kits.Script{Name: "claim", Body: claimScript, Args: args, Deadline: 20 * time.Second, Mutates: true, Light: true})
	switch {
	case errors.Is(err, ErrRefused):
		return kits.Report{Outcome: kits.Failed, Permanent: true, Reason: kits.Why("claim.refused", err.Error(), "node", h.Node())}
	case errors.Is(err, ErrNotRun):
		return kits.Report{Outcome: kits.Failed, Reason: kits.Why("claim.not-written",
			fmt.Sprintf("the claim could not be written on %s: %v; is its disk full?", h.Node(), err), "node", h.Node())}
	case err != nil:
		return kits.Report{Reason: kits.Why("claim.unknown", err.Error(), "node", h.Node())}
	case res.Exit == 3:
		return kits.Report{Outcome: kits.Failed, Permanent: true, Reason: kits.Why("claim.older",
			fmt.Sprintf("%s holds a newer claim: %s; another engine has moved this, look with `ferry status`", h.Node(), strings.TrimSpace(res.Stdout)), "node", h.Node())}
	case res.Exit != 0:
		return kits.Report{Outcome: kits.Failed, Reason: kits.Why("claim.not-written",
			fmt.Sprintf("the claim could not be written on %s: %s; is its disk full?", h.Node(), strings.TrimSpace(res.Stderr)), "node", h.Node())}
	}
	return kits.Report{Outcome: kits.OK, Presence: kits.Present}
}
