package ip

import (
	"fmt"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// JudgeCheck turns what a check found into a report. Whether the resource should
// be here is not asked: absent is Failed and Absent, on a standby node too.
func (Kit) JudgeCheck(in kits.Instance, res kits.Result, err error) kits.Report {
	l, bad := read(in, res, err)
	if bad != nil {
		return *bad
	}
	r := judgePresence(in, l)
	if r.Outcome == kits.OK && !r.Impaired {
		judgeOthers(in, l, &r)
	}
	return r
}

// judgeStart judges a start and a recovery. Without iproute2 nothing was done, and
// trying again does not help.
func judgeStart(in kits.Instance, res kits.Result, err error) kits.Report {
	l, bad := read(in, res, err)
	if bad != nil {
		if l.noIP {
			bad.Outcome, bad.Permanent = kits.Failed, true
		}
		return *bad
	}
	r := judgePresence(in, l)
	r.Output = output(res)
	if l.noArping && r.Outcome == kits.OK {
		r.Details["announced"] = "no: arping (iputils) is not installed; neighbours on the link learn by themselves"
	}
	return r
}

// judgeStop: gone from every interface is the only success.
func judgeStop(in kits.Instance, res kits.Result, err error) kits.Report {
	l, bad := read(in, res, err)
	if bad != nil {
		return *bad
	}
	vip, node := in.Attrs[FieldAddress], in.Node.Name
	if at := l.holders(vip); len(at) > 0 {
		return kits.Report{
			Outcome: kits.Failed, Presence: kits.Present, Output: output(res),
			Reason: kits.Why("ip.not-removed",
				fmt.Sprintf("the virtual IP %s is still on %s of %s; remove it with: ip addr del %s/%d dev %s",
					vip, at[0].device, node, vip, at[0].bits, at[0].device),
				"address", vip, "node", node, "interface", at[0].device),
		}
	}
	return kits.Report{Outcome: kits.OK, Presence: kits.Absent, Output: output(res), Details: details(in, l)}
}

// judgePresence: on the right interface, with the link up.
func judgePresence(in kits.Instance, l look) kits.Report {
	vip, node := in.Attrs[FieldAddress], in.Node.Name
	at := l.holders(vip)
	r := kits.Report{Presence: kits.Present, Details: details(in, l)}
	fail := func(o kits.Outcome, code, text string) kits.Report {
		r.Outcome, r.Reason = o, kits.Why(code, text, "address", vip, "node", node, "interface", l.device)
		return r
	}
	if len(at) == 0 {
		r.Presence = kits.Absent
		return whyAbsent(l, fail, vip, node)
	}
	if l.device == "" {
		return fail(kits.Unknown, "ip.which-interface", fmt.Sprintf(
			"%s is on %s of %s, but which interface is right is not known: none carries %s; set the field interface",
			vip, at[0].device, node, in.Node.Address))
	}
	for _, h := range at {
		if h.device != l.device {
			return fail(kits.Failed, "ip.other-interface", fmt.Sprintf(
				"the virtual IP %s is on %s of %s instead of %s", vip, h.device, node, l.device))
		}
	}
	switch l.link {
	case linkUp:
	case linkUnknown:
		return fail(kits.Unknown, "ip.link-unknown", fmt.Sprintf("the state of link %s of %s cannot be read", l.device, node))
	default:
		return fail(kits.Failed, "ip.link-down", fmt.Sprintf(
			"the virtual IP %s is on %s of %s, but that link is down", vip, l.device, node))
	}
	r.Outcome = kits.OK
	if want := prefixLen(in.Attr(FieldNetmask, defaultMask)); at[0].bits != want {
		r.Impaired = true
		r.Reason = kits.Why("ip.netmask", fmt.Sprintf("the virtual IP on %s has the prefix length %d instead of %d; in service again puts it right",
			node, at[0].bits, want), "address", vip, "node", node)
	}
	return r
}

// whyAbsent tells apart an address that is merely not there from one that cannot be.
func whyAbsent(l look, fail func(kits.Outcome, string, string) kits.Report, vip, node string) kits.Report {
	switch {
	case l.device == "":
		return fail(kits.Failed, "ip.which-interface", fmt.Sprintf(
			"the virtual IP %s is not on %s, and no interface there carries the node's address; set the field interface", vip, node))
	case l.link == linkMissing:
		return fail(kits.Failed, "ip.no-interface", fmt.Sprintf(
			"%s has no interface %s for the virtual IP %s; correct the field interface", node, l.device, vip))
	case l.link == linkDown:
		return fail(kits.Failed, "ip.link-down", fmt.Sprintf(
			"the virtual IP %s is not on %s, and the link %s there is down", vip, node, l.device))
	}
	return fail(kits.Failed, "ip.absent", fmt.Sprintf("the virtual IP %s is not on %s of %s", vip, l.device, node))
}

// judgeOthers adds what the link around says: nobody answers the broadcast ping =
// failed; another host answers for the address too = impaired.
func judgeOthers(in kits.Instance, l look, r *kits.Report) {
	vip, node := in.Attrs[FieldAddress], in.Node.Name
	switch {
	case !l.bcastAsked:
		// NOBCASTPING=1: neither question was put.
	case !l.bcastRan:
		r.Outcome = kits.Unknown
		r.Reason = kits.Why("ip.no-broadcast-ping", fmt.Sprintf(
			"%s cannot send a broadcast ping (ping of iputils missing or refused); install it or set NOBCASTPING=1", node), "node", node)
	case !l.answeredByOther():
		r.Outcome = kits.Failed
		r.Reason = kits.Why("ip.nobody-answers", fmt.Sprintf(
			"nobody answers a broadcast ping on %s of %s; the network there may be cut (inside a VPC set NOBCASTPING=1)", l.device, node),
			"address", vip, "node", node, "interface", l.device)
	case l.arpOther != "":
		r.Impaired = true
		r.Reason = kits.Why("ip.answered-elsewhere", fmt.Sprintf(
			"the virtual IP %s is on %s, but another host on the link answers for it too: %s", vip, node, l.arpOther),
			"address", vip, "node", node)
	}
}

// judgeEligible: yes needs the interface, its link, and a quiet boot.
func judgeEligible(in kits.Instance, res kits.Result, err error) kits.Eligibility {
	vip, node := in.Attrs[FieldAddress], in.Node.Name
	l, bad := read(in, res, err)
	switch {
	case l.noIP:
		return no("ip.no-tool", bad.Reason.Text, in)
	case bad != nil:
		return kits.Eligibility{Outcome: bad.Outcome, Reason: bad.Reason}
	case len(l.static) > 0:
		return no("ip.static", fmt.Sprintf("%s brings the virtual IP %s up at boot by itself; remove it from %s",
			node, vip, strings.Join(l.static, ", ")), in)
	case l.device == "":
		return no("ip.which-interface", fmt.Sprintf("no interface of %s carries %s; set the field interface", node, in.Node.Address), in)
	case l.link == linkMissing:
		return no("ip.no-interface", fmt.Sprintf("%s has no interface %s; correct the field interface", node, l.device), in)
	case l.link == linkDown:
		return no("ip.link-down", fmt.Sprintf("the link %s of %s is down", l.device, node), in)
	case l.link == linkUnknown || !l.staticDone:
		return kits.Eligibility{Reason: kits.Why("ip.unreadable", fmt.Sprintf("the answer of %s about %s cannot be read", node, l.device), "node", node)}
	}
	return kits.Eligibility{Outcome: kits.OK}
}

func no(code, text string, in kits.Instance) kits.Eligibility {
	return kits.Eligibility{Outcome: kits.Failed, Reason: kits.Why(code, text, "address", in.Attrs[FieldAddress], "node", in.Node.Name)}
}

// read parses a result. The second value is set when there is nothing to judge:
// no answer, an unreadable one, and none at all because iproute2 is missing are Unknown.
func read(in kits.Instance, res kits.Result, err error) (look, *kits.Report) {
	node := in.Node.Name
	if err != nil {
		return look{}, &kits.Report{Reason: kits.Why("ip.no-answer", fmt.Sprintf("%s did not answer: %v", node, err), "node", node)}
	}
	l, perr := parseLook(res)
	if perr != nil {
		return l, &kits.Report{Output: output(res), Reason: kits.Why("ip.unreadable",
			fmt.Sprintf("what %s said about its addresses cannot be read: %v", node, perr), "node", node)}
	}
	if l.noIP {
		return l, &kits.Report{Reason: kits.Why("ip.no-tool",
			fmt.Sprintf("%s has no ip command in its PATH; install iproute2", node), "node", node)}
	}
	return l, nil
}

func details(in kits.Instance, l look) map[string]string {
	return map[string]string{"address": cidr(in), "interface": l.device}
}

// output keeps what the tools complained about, for the operation's page.
func output(res kits.Result) string { return kits.Clean(res.Stderr+res.Stdout, kits.OutputLimit) }
