package ec2

import (
	"context"
	"fmt"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// Eligible: the node's interface is in the VPC, belongs to the node's instance and has its source/dest check off, and
// the route tables can be read and changed; or all is there that an Elastic IP needs. The questions are put at the same
// time: a takeover waits for them.
func (k Kit) Eligible(ctx context.Context, _ kits.Host, in kits.Instance) kits.Eligibility {
	began := k.now()
	judge := k.eligibleRoutes
	if isEIP(in) {
		judge = k.eligibleEIP
	}
	e := judge(ctx, in)
	e.DataAge = k.now().Sub(began).Round(time.Millisecond)
	return e
}

func (k Kit) eligibleRoutes(ctx context.Context, in kits.Instance) kits.Eligibility {
	type tables struct {
		bad    *kits.Report
		denied error
	}
	read := make(chan tables, 1)
	go func() {
		entries, bad := k.read(ctx, in)
		read <- tables{bad, k.denied(ctx, in, entries)}
	}()
	power := make(chan kits.Reason, 1)
	go func() { power <- k.powerSeen(ctx, in) }()
	eni, err := k.cloud.Interface(ctx, accessOf(in), eniOf(in))
	t, seen := <-read, <-power
	e := judgeInterface(in, eni, err)
	switch {
	case e.Outcome != kits.OK:
	case t.bad != nil:
		e = kits.Eligibility{Outcome: kits.Unknown, Reason: t.bad.Reason}
		if t.bad.Permanent || t.bad.Reason.Code == "ec2.no-table" || t.bad.Reason.Code == "ec2."+string(cloud.Unauthorized) {
			e.Outcome = kits.Failed // a start would end there
		}
	case t.denied != nil:
		e = no(in, "ec2.unauthorized", "%s may not take the routes: %v", in.Node.Name, t.denied)
	default:
		e.Reason = seen
	}
	return e
}

// denied asks EC2 whether a route may be replaced. Only its no counts: every other answer, and none, is left to the start.
func (k Kit) denied(ctx context.Context, in kits.Instance, entries []entry) error {
	if k.scout == nil {
		return nil
	}
	for _, e := range entries {
		if e.missing || e.have.Interface == eniOf(in) {
			continue // nothing to replace: a node that has the routes already must not be refused for what it need not do
		}
		if err := k.scout.MayPutRoute(ctx, accessOf(in), e.table, e.dest, eniOf(in)); err != nil && cloud.KindOf(err) == cloud.Unauthorized {
			return err
		}
		break // what holds for one holds for all, but for policies on single tables
	}
	return nil
}

// powerSeen is a word of warning when EC2 does not take the node's instance for running: until it does, it treats a route
// to it as a blackhole. EC2 notices late, in both directions, so this is no reason against the node.
func (k Kit) powerSeen(ctx context.Context, in kits.Instance) kits.Reason {
	if k.scout == nil || in.Node.Instance == "" {
		return kits.Reason{}
	}
	i, err := k.scout.Instance(ctx, accessOf(in), in.Node.Instance)
	if err != nil || i.State == cloud.StateRunning || i.State == cloud.StateUnknown {
		return kits.Reason{}
	}
	return kits.Why("ec2.not-running", fmt.Sprintf(
		"EC2 says that %s of %s is %s; a route to it stays a blackhole until EC2 sees it running", i.ID, in.Node.Name, i.State), "node", in.Node.Name, "state", i.State)
}

// no is an answer against a node.
func no(in kits.Instance, code, format string, args ...any) kits.Eligibility {
	return kits.Eligibility{Outcome: kits.Failed, Reason: kits.Why(code, fmt.Sprintf(format, args...), "node", in.Node.Name, "eni", eniOf(in))}
}

// judgeInterface judges the answer about the node's interface, for routes.
func judgeInterface(in kits.Instance, i cloud.Interface, err error) kits.Eligibility {
	if e := judgeAttachment(in, i, err); e.Outcome != kits.OK {
		return e
	}
	if i.SourceDestCheck {
		return no(in, "ec2.source-dest-check",
			"the source/dest check of %s on %s is on, so EC2 drops what is sent to a virtual IP; switch it off: aws ec2 modify-network-interface-attribute --region %s --network-interface-id %s --no-source-dest-check",
			i.ID, in.Node.Name, in.Node.Region, i.ID)
	}
	return kits.Eligibility{Outcome: kits.OK}
}

// judgeAttachment judges whether the interface is the node's.
func judgeAttachment(in kits.Instance, i cloud.Interface, err error) kits.Eligibility {
	eni, node := eniOf(in), in.Node
	switch {
	case err != nil && cloud.KindOf(err) == cloud.NotFound:
		return no(in, "ec2.no-eni", "%s has no network interface %s; correct the field eni of %s", node.Region, eni, node.Name)
	case err != nil && cloud.KindOf(err) == cloud.Unauthorized:
		return no(in, "ec2.unauthorized", "%s may not take the clients: %v", node.Name, err)
	case err != nil:
		return kits.Eligibility{Reason: kits.Why("ec2."+string(cloud.KindOf(err)), fmt.Sprintf("%s cannot be judged: %v", node.Name, err), "node", node.Name, "eni", eni)}
	case i.VPC != node.VPC:
		return no(in, "ec2.other-vpc", "%s of %s lies in %s instead of %s; correct the field eni", eni, node.Name, i.VPC, node.VPC)
	case i.Instance == "":
		return no(in, "ec2.detached", "%s of %s is attached to no instance; attach it", eni, node.Name)
	case node.Instance != "" && i.Instance != node.Instance:
		return no(in, "ec2.other-instance", "%s belongs to %s, not to %s of %s; correct the field eni or the server's instance", eni, i.Instance, node.Instance, node.Name)
	}
	return kits.Eligibility{Outcome: kits.OK}
}
