package route53

import (
	"context"
	"fmt"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// read asks once for the zone, where only its name is written, and for the record; nil when there is none.
func (k Kit) read(ctx context.Context, in kits.Instance, w wish) (cloud.Zone, *cloud.Record, error) {
	zone, err := k.zone(ctx, in, w)
	if err != nil {
		return w.zone, nil, err
	}
	rec, err := k.record(ctx, in, w, zone)
	return zone, rec, err
}

// readTuned is read with the tuned tries. An answer, also one that refuses, ends them.
func (k Kit) readTuned(ctx context.Context, in kits.Instance, w wish, t tries) (zone cloud.Zone, rec *cloud.Record, err error) {
	for n := range t.count {
		if n > 0 && !pause(ctx, t.pause) {
			break
		}
		if zone, rec, err = k.read(ctx, in, w); err == nil || cloud.KindOf(err).Answered() {
			break
		}
	}
	return zone, rec, err
}

// record reads the record; nil when there is none.
func (k Kit) record(ctx context.Context, in kits.Instance, w wish, zone cloud.Zone) (*cloud.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	rec, found, err := k.cloud.Record(ctx, accessOf(in), zone.ID, w.name, cloud.TypeA)
	if err != nil || !found {
		return nil, err
	}
	return &rec, nil
}

// zone is the wanted zone with its id, looked up by name where the definition gives no id.
func (k Kit) zone(ctx context.Context, in kits.Instance, w wish) (cloud.Zone, error) {
	if w.zone.ID != "" {
		return w.zone, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	a := accessOf(in)
	zones, err := k.cloud.Zones(ctx, a)
	if err != nil {
		return w.zone, err
	}
	var fit []cloud.Zone
	for _, z := range zones {
		if z.Name == w.zone.Name {
			fit = append(fit, z)
		}
	}
	shown := cloud.ShowDNSName(w.zone.Name)
	switch len(fit) {
	case 1:
		return fit[0], nil
	case 0:
		return w.zone, &cloud.Error{
			Kind: cloud.NotFound, Op: "ListHostedZones", Region: a.Region, Subject: shown,
			Err: fmt.Errorf("the account has no hosted zone %s", shown), Hint: "create it, or correct the field zone or the credentials",
		}
	}
	return w.zone, &cloud.Error{
		Kind: cloud.Refused, Op: "ListHostedZones", Region: a.Region, Subject: shown,
		Err: fmt.Errorf("the account has %d hosted zones %s", len(fit), shown), Hint: fmt.Sprintf("write zone = %q, or the other one's id", showZone(fit[0])),
	}
}

// report begins a report about the record.
func report(in kits.Instance, w wish, o kits.Outcome, code, format string, args ...any) kits.Report {
	return kits.Report{
		Outcome: o,
		Reason:  kits.Why("route53."+code, fmt.Sprintf(format, args...), "node", in.Node.Name, "name", w.shown(), "address", w.addr),
		Details: map[string]string{"name": w.shown(), "wanted": w.addr},
	}
}

// broken: the definition does not say what to write. That is not a fault of the node.
func broken(in kits.Instance, err error) kits.Report {
	return kits.Report{Permanent: true, Reason: kits.Why("route53.definition", fmt.Sprintf("the record for %s cannot be told: %v", in.Node.Name, err), "node", in.Node.Name)}
}

// note adds what is known of the record to a report.
func note(r kits.Report, zone cloud.Zone, rec *cloud.Record) kits.Report {
	r.Details["zone"] = showZone(zone)
	r.Details["record"] = "none"
	if rec != nil {
		r.Details["record"] = rec.Shows()
		if rec.Special == "" {
			r.Details["ttl"] = fmt.Sprintf("%d s", rec.TTL)
		}
	}
	return r
}

// showRecord is what the record holds, for people.
func showRecord(rec *cloud.Record) string {
	switch {
	case rec == nil:
		return "does not exist"
	case rec.Special != "":
		return "is " + rec.Special
	}
	return "holds " + rec.Shows()
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
