package main

import (
	"context"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/kits"
)

// Examine is a doctor who finds, where FERRY_FAKE_DOCTOR says so, one thing of each sort on
// every server; without it this engine is no doctor.
func (f *fake) Examine(ctx context.Context, e api.Examination) (*api.Diagnosis, error) {
	if f.getenv("FERRY_FAKE_DOCTOR") == "" {
		_, err := api.AsDoctor(nil)
		return nil, err
	}
	f.log("examine %s", strings.Join(e.Nodes, ","))
	if err := f.broken(ctx, "Examine"); err != nil {
		return nil, err
	}
	d := &api.Diagnosis{At: clock, Trips: 1}
	for _, s := range f.snap.Estate.Servers {
		if len(e.Nodes) > 0 && !slices.Contains(e.Nodes, s.Name) {
			continue
		}
		add := func(check string, v doctor.Verdict, said string, fix doctor.Fix) {
			d.Findings = append(d.Findings, doctor.Finding{Check: check, Where: s.Name, Nodes: []string{s.Name}, Verdict: v,
				Reason: kits.Why("doctor."+check, said+" on "+s.Name), Fix: fix})
		}
		add("node.space", doctor.Fail, "no space \x1b[31mleft", doctor.Fix{Text: "free some"})
		add("vpn.forwarding", doctor.Fail, "net.ipv4.ip_forward is 0", doctor.Fix{Node: s.Name, Command: "sysctl -w net.ipv4.ip_forward=1", Safe: true})
		add("node.hosts", doctor.Unknown, "it did not say what is in /etc/hosts", doctor.Fix{})
		add("node.clock-held", doctor.Warn, "nothing holds the clock right", doctor.Fix{})
		add("node.tools", doctor.Pass, "", doctor.Fix{})
	}
	return d, nil
}

// Mend has nothing that is safe to mend.
func (f *fake) Mend(context.Context, api.Mending) (*api.Mended, error) {
	return nil, &api.Error{Kind: api.KindUnsafe, Message: "not for ferry to mend"}
}

var _ api.Doctor = (*fake)(nil)
