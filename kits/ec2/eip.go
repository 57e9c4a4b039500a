package ec2

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// isEIP says whether the resource is an Elastic IP of a frontend cluster.
func isEIP(in kits.Instance) bool { return in.Attr(FieldType, TypeRouteTable) == TypeElasticIP }

// eipForm is how an Elastic IP is written: its allocation id, its public address, or both: "54.249.2.50 (eipalloc-1)".
var eipForm = regexp.MustCompile(`^(?:(eipalloc-[A-Za-z0-9-]+)|(\d+\.\d+\.\d+\.\d+)(?: \((eipalloc-[A-Za-z0-9-]+)\))?)$`)

// eipOf is what to ask AWS for: the allocation id where the field has one, else the public address. Empty when the field
// is neither.
func eipOf(in kits.Instance) string {
	m := eipForm.FindStringSubmatch(strings.TrimSpace(in.Attrs[FieldElasticIP]))
	switch {
	case m == nil:
		return ""
	case m[1] != "":
		return m[1]
	case m[3] != "":
		return m[3]
	}
	return m[2]
}

// showEIP writes an Elastic IP so that eipOf reads it.
func showEIP(a cloud.Address) string { return fmt.Sprintf("%s (%s)", a.PublicIP, a.Allocation) }

// holder is where an Elastic IP is, for people: "eni-1 (LK_P_A)".
func holder(in kits.Instance, a cloud.Address) string {
	where := name(in, a.Interface)
	if a.Interface != "" && in.Attrs[FieldPrivate] != "" {
		where += " at " + a.PrivateIP
	}
	return where
}

// rightEIP says whether the address is associated with the node's interface, at the private address that is wanted.
func rightEIP(in kits.Instance, a cloud.Address) bool {
	private := in.Attrs[FieldPrivate]
	return a.Interface != "" && a.Interface == eniOf(in) && (private == "" || private == a.PrivateIP)
}

// lookEIP is one reading, judged.
func (k Kit) lookEIP(ctx context.Context, in kits.Instance) kits.Report {
	a, bad := k.readEIP(ctx, in)
	if bad != nil {
		return *bad
	}
	r := kits.Report{Outcome: kits.OK, Presence: kits.Present, Details: map[string]string{showEIP(a): holder(in, a)}}
	if rightEIP(in, a) {
		return r
	}
	r.Outcome = kits.Failed
	if a.Interface != eniOf(in) {
		r.Presence = kits.Absent
	}
	code, text := "ec2.other-target", fmt.Sprintf("the Elastic IP %s is associated with %s instead of %s", showEIP(a), holder(in, a), wantedEIP(in))
	if a.Interface == "" {
		code, text = "ec2.no-association", fmt.Sprintf("the Elastic IP %s is associated with nothing; it should be with %s", showEIP(a), wantedEIP(in))
	}
	r.Reason = kits.Why(code, text, "node", in.Node.Name, "address", a.PublicIP, "target", a.Interface, "eni", eniOf(in))
	return r
}

// wantedEIP is where the Elastic IP should be, for people.
func wantedEIP(in kits.Instance) string {
	if p := in.Attrs[FieldPrivate]; p != "" {
		return name(in, eniOf(in)) + " at " + p
	}
	return name(in, eniOf(in))
}

// readEIP asks AWS for the Elastic IP. The report is set when there is nothing to judge.
func (k Kit) readEIP(ctx context.Context, in kits.Instance) (cloud.Address, *kits.Report) {
	id := eipOf(in)
	if id == "" || k.addresses == nil {
		r := unknown(in, "ec2.no-address", fmt.Sprintf("no Elastic IP is named for %s; set the field %s", in.Node.Name, FieldElasticIP))
		r.Permanent = true
		return cloud.Address{}, r
	}
	a, err := k.addresses.Address(ctx, accessOf(in), id)
	if err != nil {
		return a, unknown(in, "ec2."+string(cloud.KindOf(err)), fmt.Sprintf("the Elastic IP %s for %s cannot be read: %v", id, in.Node.Name, err))
	}
	return a, nil
}

// startEIP associates the Elastic IP with the node's interface and waits until AWS shows it. It is asked for also when it
// reads as right already: the read may be older than the last change, and doing it twice does no harm.
func (k Kit) startEIP(ctx context.Context, in kits.Instance) kits.Report {
	a, bad := k.readEIP(ctx, in)
	if bad != nil {
		return *bad
	}
	err := k.addresses.PutAddress(ctx, accessOf(in), a.Allocation, eniOf(in), in.Attrs[FieldPrivate])
	switch kind := cloud.KindOf(err); {
	case err == nil:
	case kind.Answered():
		return kits.Report{
			Outcome: kits.Failed, Permanent: kind == cloud.Refused,
			Reason:  kits.Why("ec2.refused", fmt.Sprintf("the Elastic IP %s cannot be moved to %s: %v", showEIP(a), wantedEIP(in), err), "node", in.Node.Name, "address", a.PublicIP),
			Details: map[string]string{showEIP(a): holder(in, a)},
		}
	default: // the answer may have got lost after the change was made
		if r := k.lookEIP(ctx, in); r.Outcome == kits.OK {
			return r
		}
		return *unknown(in, "ec2."+string(kind), fmt.Sprintf("the Elastic IP %s is not known to have moved to %s: %v; in service again takes it up", showEIP(a), wantedEIP(in), err))
	}
	return k.await(ctx, in)
}

// eligibleEIP: the interface is the node's, the private address is the interface's, the Elastic IP exists, and EC2 says
// that it may be moved. Only an answer is a no; the dry run's doubt decides nothing.
func (k Kit) eligibleEIP(ctx context.Context, in kits.Instance) kits.Eligibility {
	if k.addresses == nil {
		return kits.Eligibility{Outcome: kits.Failed, Reason: kits.Why("ec2.no-address", "Elastic IPs cannot be moved by this program", "node", in.Node.Name)}
	}
	rehearsal := make(chan error, 1)
	address := make(chan error, 1)
	go func() {
		a, err := k.addresses.Address(ctx, accessOf(in), eipOf(in))
		address <- err
		if err == nil && a.Interface != eniOf(in) { // where it is already, nothing need be allowed
			err = k.addresses.MayPutAddress(ctx, accessOf(in), a.Allocation, eniOf(in), in.Attrs[FieldPrivate])
		}
		rehearsal <- err
	}()
	i, err := k.cloud.Interface(ctx, accessOf(in), eniOf(in))
	if e := judgeAttachment(in, i, err); e.Outcome != kits.OK {
		return e
	}
	if p := in.Attrs[FieldPrivate]; p != "" && !slices.Contains(i.Addresses, p) {
		return no(in, "ec2.no-private-address", "%s of %s has no private address %s (it has %s); correct the field %s", i.ID, in.Node.Name, p, strings.Join(i.Addresses, ", "), FieldPrivate)
	}
	if err := <-address; err != nil {
		return judgeAddress(in, err)
	}
	if err := <-rehearsal; err != nil && cloud.KindOf(err).Answered() {
		return no(in, "ec2."+string(cloud.KindOf(err)), "%s may not take the Elastic IP: %v", in.Node.Name, err)
	}
	return kits.Eligibility{Outcome: kits.OK}
}

func judgeAddress(in kits.Instance, err error) kits.Eligibility {
	kind := cloud.KindOf(err)
	if kind.Answered() {
		return no(in, "ec2."+string(kind), "%s cannot take the Elastic IP %s: %v", in.Node.Name, eipOf(in), err)
	}
	return kits.Eligibility{Reason: kits.Why("ec2."+string(kind), fmt.Sprintf("%s cannot be judged: %v", in.Node.Name, err), "node", in.Node.Name)}
}

// eipProblems judges the fields of the Elastic IP scenario.
func eipProblems(in kits.Instance) []kits.Problem {
	var out []kits.Problem
	add := func(field, text, fix string) {
		out = append(out, kits.Problem{Field: field, Node: in.Node.Name, Text: text, Fix: fix})
	}
	switch {
	case in.Attrs[FieldElasticIP] == "":
		add(FieldElasticIP, fmt.Sprintf("no Elastic IP is named for %s", in.Node.Name), `write elastic_ip = "eipalloc-0123456789abcdef0", or the public address`)
	case eipOf(in) == "":
		add(FieldElasticIP, fmt.Sprintf("%q is neither an allocation id nor a public address", in.Attrs[FieldElasticIP]), `write "eipalloc-0123456789abcdef0" or "54.249.2.50"`)
	}
	if p := in.Attrs[FieldPrivate]; p != "" && !isIPv4(p) {
		add(FieldPrivate, fmt.Sprintf("%q is not an IPv4 address", p), "write a private address of the interface, or leave it out")
	}
	for _, field := range []string{FieldIP, FieldDestinations} {
		if in.Attrs[field] != "" {
			add(field, "an Elastic IP has no routed destinations", "leave "+field+" out, or write type = \"route-table\"")
		}
	}
	return out
}

// eipEffects tells where a start will take the Elastic IP from and to, as far as the definition alone says it.
func eipEffects(in kits.Instance) []kits.Effect {
	from := ""
	if in.Active != "" && in.Active != in.Node.Name && in.Nodes[in.Active].Region == in.Node.Region {
		from = name(in, eniOn(in, in.Active))
	}
	return []kits.Effect{{Kind: "address", What: "Elastic IP " + in.Attrs[FieldElasticIP], From: from, To: wantedEIP(in)}}
}

// previewEIP asks AWS where the Elastic IP is now.
func (k Kit) previewEIP(ctx context.Context, in kits.Instance) ([]kits.Effect, error) {
	a, bad := k.readEIP(ctx, in)
	if bad != nil {
		return nil, fmt.Errorf("previewing the Elastic IP of %s: %s", in.Tag, bad.Reason.Text)
	}
	if rightEIP(in, a) {
		return nil, nil
	}
	from := ""
	if a.Interface != "" {
		from = holder(in, a)
	}
	return []kits.Effect{{Kind: "address", What: "Elastic IP " + showEIP(a), From: from, To: wantedEIP(in)}}, nil
}
