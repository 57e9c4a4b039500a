package route53

import (
	"context"
	"fmt"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// await asks, as often as tuned, whether a change that Route 53 accepted has reached its name servers, and reads the
// record back then: that a change is INSYNC does not say what is there now.
//
// The answer to a change may have got lost, and with it the change's id; then the name servers are asked instead.
func (k Kit) await(ctx context.Context, in kits.Instance, w wish, zone cloud.Zone, change cloud.Change) kits.Report {
	began := k.now()
	t := tuned(in)
	var s seen
	for n := range t.change.count {
		if n > 0 && !pause(ctx, t.change.pause) {
			break
		}
		if !change.InSync && change.ID != "" {
			change = k.status(ctx, in, change)
		}
		if change.InSync {
			return k.verify(ctx, in, w, zone)
		}
		if change.ID == "" {
			if s = k.servers(ctx, in, w, zone); s.everywhere() {
				return k.verify(ctx, in, w, zone)
			}
			if s == (seen{}) {
				break // nobody can be asked: waiting shows nothing
			}
		}
	}
	if change.ID != "" && !t.strict {
		s = k.servers(ctx, in, w, zone)
	}
	return pending(in, w, zone, s, k.now().Sub(began))
}

// status asks how far a change has got; not to know leaves it as it was.
func (k Kit) status(ctx context.Context, in kits.Instance, change cloud.Change) cloud.Change {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	if now, err := k.cloud.ChangeStatus(ctx, accessOf(in), change.ID); err == nil {
		return now
	}
	return change
}

// verify reads the record after the change reached everybody.
func (k Kit) verify(ctx context.Context, in kits.Instance, w wish, zone cloud.Zone) kits.Report {
	_, rec, err := k.readTuned(ctx, in, wish{zone: zone, name: w.name}, tuned(in).write)
	switch {
	case err != nil:
		r := present(report(in, w, kits.OK, "not-read-back", "%s was pointed to %s, but the record cannot be read back: %v", w.shown(), w.addr, err))
		r.Impaired = true
		return r
	case rec == nil || !rec.Is(w.addr):
		return note(report(in, w, kits.Failed, "other-value",
			"Route 53 reports the change of %s to %s as done, but the record %s; find out who else writes it", w.shown(), w.addr, showRecord(rec)), zone, rec)
	}
	return note(present(report(in, w, kits.OK, "changed", "%s points to %s now", w.shown(), w.addr)), zone, rec)
}

// pending: accepted, and not known to be everywhere when the tries were over.
func pending(in kits.Instance, w wish, zone cloud.Zone, s seen, took time.Duration) kits.Report {
	t := tuned(in)
	said := fmt.Sprintf("Route 53 accepted to point %s to %s but does not report it as INSYNC after %s", w.shown(), w.addr, took.Round(time.Second))
	if t.strict {
		return report(in, w, kits.Failed, "pending", "%s; %s is set, so the start failed although the record may be right; %s", said, Strict, pendingText(t.change))
	}
	r := present(report(in, w, kits.OK, "pending", "%s; clients may still be sent to the old address; %s", said, pendingText(t.change)))
	if s != (seen{}) {
		r.Reason.Text = fmt.Sprintf("%s; %s; %s", said, s, pendingText(t.change))
		r.Details["servers"] = s.String()
	}
	r.Impaired, r.Details["zone"] = true, showZone(zone)
	return r
}
