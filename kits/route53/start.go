package route53

import (
	"context"
	"fmt"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// Start makes the record hold the node's virtual IP: it reads the record, is done when that is right, and else changes it
// by comparing and waits until Route 53 reports the change as INSYNC.
func (k Kit) Start(ctx context.Context, _ kits.Host, in kits.Instance) kits.Report {
	w, err := wished(in)
	if err != nil {
		return broken(in, err)
	}
	t := tuned(in)
	zone, old, err := k.readTuned(ctx, in, w, t.write)
	switch {
	case err != nil:
		return k.unread(ctx, in, w, zone, err)
	case old != nil && old.Is(w.addr):
		return note(present(report(in, w, kits.OK, "right", "%s points to %s already", w.shown(), w.addr)), zone, old)
	case old != nil && old.Special != "":
		r := note(report(in, w, kits.Failed, "special", "the record %s is %s, which is not ours to change; delete it or choose another host name", w.shown(), old.Special), zone, old)
		r.Permanent = true
		return r
	}
	done, bad := k.put(ctx, in, w, zone, old)
	if bad != nil {
		return *bad
	}
	return k.await(ctx, in, w, zone, done)
}

// Recover is a start: it writes the record again where it is not right.
func (k Kit) Recover(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	return k.Start(ctx, h, in)
}

// Stop leaves the record as it is: it goes on pointing here until another node takes it, and a control plane that is
// down cannot keep a hierarchy from stopping.
func (Kit) Stop(_ context.Context, _ kits.Host, in kits.Instance) kits.Report {
	name := "the record"
	if w, err := wished(in); err == nil {
		name = "the record " + w.shown()
	}
	return kits.Report{Outcome: kits.OK, Reason: kits.Why("route53.left", name+" is left as it is until another node takes it", "node", in.Node.Name)}
}

// put changes the record from old, which this start has read (nil: there was none), to the wish. It gives the change when
// Route 53 has it; its id is empty when only the record itself says so. The report is set when it came to nothing.
//
// Every try names the same old value. After an answer that leaves doubt, and after a batch that was refused, the record
// is read again: it may be that our own change was made, or that somebody else's came in between.
func (k Kit) put(ctx context.Context, in kits.Instance, w wish, zone cloud.Zone, old *cloud.Record) (cloud.Change, *kits.Report) {
	var last, doubt error
	t := tuned(in).write
	for n := range t.count {
		if n > 0 && !pause(ctx, t.pause) {
			break
		}
		change, err := k.change(ctx, in, w, zone, old)
		if err == nil {
			return change, nil
		}
		last = err
		kind := cloud.KindOf(err)
		if cloud.CodeOf(err) != batchRefused && !kind.InDoubt() {
			if kind.Answered() {
				break
			}
			continue // throttled, or an earlier change is under way: nothing was done
		}
		if kind.InDoubt() {
			doubt = err
		}
		now, rerr := k.record(ctx, in, w, zone)
		switch {
		case rerr != nil && doubt != nil:
			last = doubt // a refused batch may have met what our own lost one did
		case rerr != nil:
		case now != nil && now.Is(w.addr):
			return cloud.Change{}, nil
		case !same(now, old):
			return cloud.Change{}, ref(overtaken(in, w, zone, old, now))
		}
	}
	if cloud.KindOf(last).Answered() {
		return cloud.Change{}, ref(refused(in, w, zone, old, last))
	}
	return cloud.Change{}, ref(k.unreached(ctx, in, w, zone, last))
}

// batchRefused is Route 53's code for a batch that does not fit what is there.
const batchRefused = "InvalidChangeBatch"

func (k Kit) change(ctx context.Context, in kits.Instance, w wish, zone cloud.Zone, old *cloud.Record) (cloud.Change, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	return k.cloud.ChangeRecord(ctx, accessOf(in), zone.ID, old, w.record())
}

func same(a, b *cloud.Record) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Same(*b)
}

func ref[T any](v T) *T { return &v }

func present(r kits.Report) kits.Report {
	r.Presence = kits.Present
	return r
}

// overtaken: somebody else changed the record while this start was under way. What they wrote is newer than what we
// wanted to replace, so it stays.
func overtaken(in kits.Instance, w wish, zone cloud.Zone, old, now *cloud.Record) kits.Report {
	return note(report(in, w, kits.Failed, "overtaken",
		"the record %s was changed by somebody else during this start: it %s when it began and now %s; it was left so. Find out who writes it, then bring the resource into service again",
		w.shown(), was(old), showRecord(now)), zone, now)
}

func was(rec *cloud.Record) string {
	if rec == nil {
		return "did not exist"
	}
	return "held " + rec.Shows()
}

// refused: Route 53 understood and will not do it.
func refused(in kits.Instance, w wish, zone cloud.Zone, old *cloud.Record, err error) kits.Report {
	r := note(report(in, w, kits.Failed, "refused", "Route 53 refuses to point %s to %s: %v", w.shown(), w.addr, err), zone, old)
	r.Permanent = cloud.KindOf(err) == cloud.Refused && cloud.CodeOf(err) != batchRefused
	return r
}

// unread ends a start that could not read the record. Where the zone's name servers have the right address already,
// nothing is missing but the API's word for it.
func (k Kit) unread(ctx context.Context, in kits.Instance, w wish, zone cloud.Zone, err error) kits.Report {
	if !cloud.KindOf(err).Answered() {
		return k.unreached(ctx, in, w, zone, err)
	}
	if s := k.servers(ctx, in, w, zone); s.everywhere() && !tuned(in).strict && cloud.KindOf(err) == cloud.Unauthorized {
		r := present(report(in, w, kits.OK, "unread", "the record %s cannot be read, but it is right: %s; %v", w.shown(), s, err))
		r.Impaired = true
		return r
	}
	r := report(in, w, kits.Failed, "refused", "the record %s cannot be read: %v", w.shown(), err)
	r.Permanent = cloud.KindOf(err) != cloud.Unauthorized
	return r
}

// unreached is a start or a check without a word from Route 53: the service can run, only its name is not known to be
// right. The step for a person is shown.
func (k Kit) unreached(ctx context.Context, in kits.Instance, w wish, zone cloud.Zone, err error) kits.Report {
	kind := string(cloud.KindOf(err))
	if tuned(in).strict {
		return report(in, w, kits.Failed, kind, "the record %s is not known to point to %s: %v", w.shown(), w.addr, err)
	}
	if s := k.servers(ctx, in, w, zone); s.everywhere() {
		r := present(report(in, w, kits.OK, kind, "Route 53 cannot be asked about %s, but the record is right: %s; %v", w.shown(), s, err))
		r.Impaired, r.Details["servers"] = true, s.String()
		return r
	}
	command := w.command(accessOf(in), zone)
	r := report(in, w, kits.OK, kind,
		"%s is not known to point to %s, the virtual IP on %s: %v. The service goes on without it, and the record is tried again with each check; by hand, from a place that reaches Route 53: %s",
		w.shown(), w.addr, in.Node.Name, err, command)
	r.Impaired, r.Details["by hand"], r.Reason.Args["command"] = true, command, command
	return r
}

// pendingText says what a person can do where changes often take longer than the tuned tries.
func pendingText(t tries) string {
	return fmt.Sprintf("if that happens often, raise %s by 1 or 2 (now %d)", ChangeTries, t.count)
}
