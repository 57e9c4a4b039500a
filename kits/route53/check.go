package route53

import (
	"context"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// Check reads the record and compares it with the virtual IP. It writes nothing, on no node. A record that cannot be read
// is no failure: on the node that holds the resource it is shown as impaired, with the step for a person, since clients
// may be led astray; elsewhere, and with ROUTE53_STRICT, nothing is known and nothing is said.
func (k Kit) Check(ctx context.Context, _ kits.Host, in kits.Instance) kits.Report {
	w, err := wished(in)
	if err != nil {
		return broken(in, err)
	}
	zone, rec, err := k.readTuned(ctx, in, w, tuned(in).check)
	switch here := in.Active == in.Node.Name; {
	case err != nil && here && !tuned(in).strict:
		return k.unreached(ctx, in, w, zone, err)
	case err != nil:
		return report(in, w, kits.Unknown, string(cloud.KindOf(err)), "the record %s cannot be read: %v", w.shown(), err)
	case !here:
		return standby(in, w, zone, rec)
	}
	return k.active(ctx, in, w, zone, rec)
}

// standby tells where the record points. Whatever that is, it is no fault of a node that does not hold the resource. In
// the region of the active node the virtual IP is the same, so the record is as right here as there.
func standby(in kits.Instance, w wish, zone cloud.Zone, rec *cloud.Record) kits.Report {
	r := note(report(in, w, kits.OK, "elsewhere", "the record %s %s", w.shown(), showRecord(rec)), zone, rec)
	r.Presence = kits.Absent
	if rec != nil && rec.Is(w.addr) {
		r.Presence = kits.Present
	}
	return r
}

// active judges the record on the node that holds the resource.
func (k Kit) active(ctx context.Context, in kits.Instance, w wish, zone cloud.Zone, rec *cloud.Record) kits.Report {
	switch {
	case rec == nil:
		r := note(report(in, w, kits.Failed, "no-record", "there is no record %s; it should hold %s, the virtual IP on %s", w.shown(), w.addr, in.Node.Name), zone, rec)
		r.Presence = kits.Absent
		return r
	case rec.Special != "":
		// Somebody put something else in its place on purpose. Neither recovery nor another node could change that, so
		// it is shown and nothing is moved.
		r := note(present(report(in, w, kits.OK, "special", "the record %s is %s, so it cannot be compared with %s; if that is wrong, delete it: it is written again then", w.shown(), rec.Special, w.addr)), zone, rec)
		r.Impaired = true
		return r
	case !rec.Is(w.addr):
		r := note(report(in, w, kits.Failed, "other-value", "the record %s holds %s instead of %s, the virtual IP on %s", w.shown(), rec.Shows(), w.addr, in.Node.Name), zone, rec)
		r.Presence = kits.Absent
		return r
	}
	r := note(present(kits.Report{Outcome: kits.OK, Details: map[string]string{"name": w.shown(), "wanted": w.addr}}), zone, rec)
	s := k.servers(ctx, in, w, zone)
	if s != (seen{}) {
		r.Details["servers"] = s.String()
	}
	if s.wrong > 0 {
		r.Impaired = true
		r.Reason = report(in, w, kits.OK, "spreading", "the record %s is right, but not everywhere yet: %s", w.shown(), s).Reason
	}
	return r
}
