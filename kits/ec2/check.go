package ec2

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// looks is how often a check reads before it calls what it sees wrong, and between is the pause: a single read may be older
// than the last change, and two in a row hardly are.
const (
	looks   = 3
	between = time.Second
)

// Check reads the route tables, or where the Elastic IP is, and compares. It writes nothing.
func (k Kit) Check(ctx context.Context, _ kits.Host, in kits.Instance) kits.Report {
	var r kits.Report
	for n := range looks {
		if n > 0 && !pause(ctx, between) {
			return r // what was seen before the time was over
		}
		if r = k.look(ctx, in); r.Outcome != kits.Failed {
			return r
		}
	}
	return r
}

// look is one reading, judged.
func (k Kit) look(ctx context.Context, in kits.Instance) kits.Report {
	if isEIP(in) {
		return k.lookEIP(ctx, in)
	}
	entries, bad := k.read(ctx, in)
	if bad != nil {
		return *bad
	}
	return judge(in, entries)
}

// read asks AWS for the tables and lists the routes that must point to the node. The report is set when there is
// nothing to judge.
func (k Kit) read(ctx context.Context, in kits.Instance) ([]entry, *kits.Report) {
	dests, err := destinations(in)
	if err != nil || len(dests) == 0 {
		return nil, broken(in, err)
	}
	tables, err := k.cloud.RouteTables(ctx, accessOf(in), in.Node.VPC)
	if err != nil {
		return nil, unasked(in, err)
	}
	if len(tables) == 0 {
		return nil, unknown(in, "ec2.empty-answer",
			fmt.Sprintf("AWS shows no route table at all in %s, which cannot be; asked for %s", in.Node.VPC, in.Node.Name))
	}
	configured := in.Regions[in.Node.Region].RouteTables
	if gone := unseen(tables, configured); len(gone) > 0 {
		return nil, unknown(in, "ec2.no-table", fmt.Sprintf(
			"AWS does not show the route table %s in %s; check route_tables of region %s", strings.Join(gone, ", "), in.Node.VPC, in.Node.Region))
	}
	entries := wanted(tables, configured, dests)
	if len(entries) == 0 {
		return nil, unknown(in, "ec2.no-table", fmt.Sprintf(
			"no route table of %s serves a subnet and none holds a protected destination; name the tables in route_tables of region %s", in.Node.VPC, in.Node.Region))
	}
	return entries, nil
}

// judge compares the entries with the node's interface.
func judge(in kits.Instance, entries []entry) kits.Report {
	eni := eniOf(in)
	r := kits.Report{Outcome: kits.OK, Presence: kits.Present, Details: details(in, entries)}
	bad := wrong(entries, eni)
	if len(bad) == 0 {
		return r
	}
	var complaints []string
	r.Outcome, r.Presence = kits.Failed, kits.Absent
	for _, e := range entries {
		if e.have.Interface == eni {
			r.Presence = kits.Present // something of it points here
		}
	}
	for _, e := range bad {
		complaints = append(complaints, complaint(in, e))
	}
	r.Reason = kits.Why(codeOf(bad[0]), joined(complaints), "node", in.Node.Name, "route", bad[0].where(), "target", bad[0].have.Target(), "eni", eni)
	return r
}

// details show each route and its target in a panel.
func details(in kits.Instance, entries []entry) map[string]string {
	out := map[string]string{}
	for _, e := range entries {
		target := name(in, e.have.Target())
		if e.have.Blackhole {
			target += ", blackhole"
		}
		out[e.where()] = target
	}
	return out
}

// unasked: AWS could not be asked, which says nothing about the routes.
func unasked(in kits.Instance, err error) *kits.Report {
	return unknown(in, "ec2."+string(cloud.KindOf(err)), fmt.Sprintf("the routes to %s cannot be read: %v", in.Node.Name, err))
}

func unknown(in kits.Instance, code, text string) *kits.Report {
	return &kits.Report{Reason: kits.Why(code, text, "node", in.Node.Name, "vpc", in.Node.VPC)}
}

// broken: the definition does not say what to protect. That is not a fault of the node.
func broken(in kits.Instance, err error) *kits.Report {
	text := fmt.Sprintf("nothing says which destinations are to be routed to %s; make an IP resource its child or set the field destinations", in.Node.Name)
	if err != nil {
		text = err.Error()
	}
	r := unknown(in, "ec2.no-destination", text)
	r.Permanent = true
	return r
}

// pause waits; false when the context ends first.
func pause(ctx context.Context, d time.Duration) bool {
	if ctx.Err() != nil {
		return false
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
