package route53

import (
	"context"
	"fmt"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// Eligible: the zone is there and the record is one that may be changed. That Route 53 cannot be asked is no reason
// against a node: a service whose name is not up to date is better than none, and inside a region the name does not
// change at all. It changes nothing.
func (k Kit) Eligible(ctx context.Context, _ kits.Host, in kits.Instance) kits.Eligibility {
	began := k.now()
	e := k.judgeZone(ctx, in)
	e.DataAge = k.now().Sub(began).Round(time.Millisecond)
	return e
}

func (k Kit) judgeZone(ctx context.Context, in kits.Instance) kits.Eligibility {
	w, err := wished(in)
	if err != nil {
		return kits.Eligibility{Outcome: kits.Failed, Reason: broken(in, err).Reason}
	}
	answer := func(o kits.Outcome, code, format string, args ...any) kits.Eligibility {
		return kits.Eligibility{Outcome: o, Reason: kits.Why("route53."+code, fmt.Sprintf(format, args...), "node", in.Node.Name, "name", w.shown())}
	}
	zone, rec, err := k.read(ctx, in, w)
	if err != nil {
		return k.judgeError(ctx, in, w, zone, err, answer)
	}
	switch {
	case rec != nil && rec.Is(w.addr):
		return kits.Eligibility{Outcome: kits.OK}
	case rec != nil && rec.Special != "":
		return answer(kits.Failed, "special", "the record %s is %s, which is not ours to change; delete it or choose another host name", w.shown(), rec.Special)
	case rec == nil && k.hasAlias(ctx, in, w, zone):
		return answer(kits.Failed, "cname", "%s is a CNAME, beside which no A record can be; delete it or choose another host name", w.shown())
	}
	if full, err := k.fullZone(ctx, in, zone); err == nil && full.Foreign {
		return answer(kits.Failed, "foreign-zone", "the hosted zone %s belongs to another AWS service and cannot be changed", showZone(full))
	} else if err == nil && full.Name != w.zone.Name {
		return answer(kits.Failed, "other-zone", "the hosted zone %s is %s; correct the field zone", zone.ID, cloud.ShowDNSName(full.Name))
	}
	return kits.Eligibility{Outcome: kits.OK}
}

// judgeError: what it means for the node that the record could not be read.
func (k Kit) judgeError(ctx context.Context, in kits.Instance, w wish, zone cloud.Zone, err error, answer func(kits.Outcome, string, string, ...any) kits.Eligibility) kits.Eligibility {
	kind := cloud.KindOf(err)
	switch {
	case kind.Answered() && kind != cloud.Unauthorized:
		return answer(kits.Failed, string(kind), "%s cannot point to %s: %v", w.shown(), in.Node.Name, err)
	case kind == cloud.Unauthorized && !k.servers(ctx, in, w, zone).everywhere():
		return answer(kits.Failed, string(kind), "%s may not be changed for %s: %v", w.shown(), in.Node.Name, err)
	case tuned(in).strict:
		return answer(kits.Unknown, string(kind), "%s cannot be judged, and %s is set: %v", w.shown(), Strict, err)
	}
	return answer(kits.OK, string(kind), "the record %s cannot be read now; %s may take the resource all the same: %v", w.shown(), in.Node.Name, err)
}

// hasAlias says whether the name is a CNAME; not to know is no.
func (k Kit) hasAlias(ctx context.Context, in kits.Instance, w wish, zone cloud.Zone) bool {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	_, found, err := k.cloud.Record(ctx, accessOf(in), zone.ID, w.name, cloud.TypeCNAME)
	return err == nil && found
}
