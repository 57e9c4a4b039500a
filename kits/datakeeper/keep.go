package datakeeper

import (
	"bytes"
	"slices"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// keeping is one judgement of a round of pulses.
type keeping struct {
	in    kits.Instance
	now   time.Time
	limit time.Duration // how long writes may wait for a leg
	rec   *Record
	looks map[string]*look // of the nodes that answered
	kept  kits.Kept
}

// Keep says what the record becomes. Whatever makes a leg less than it was is in the record before a task acts on it; what
// makes it more is in the record only after a pulse from the source has shown it.
func (Kit) Keep(in kits.Instance, heard map[string]kits.Pulse, now time.Time) kits.Kept {
	rec, err := decode(in.Record)
	if err != nil {
		return kits.Kept{Record: in.Record, Impaired: kits.Why("datakeeper.record", err.Error()+"; a person has to say where the data is, by a forced start", "tag", in.Tag)}
	}
	if rec == nil {
		return kits.Kept{Record: in.Record}
	}
	k := &keeping{
		in: in, now: now, rec: rec.copied(), looks: map[string]*look{},
		limit: time.Duration(tuneInt(in, TuneFreezeLimit, defaultFreezeLimit)) * time.Second,
	}
	for n, p := range heard {
		if l, err := hear(p); err == nil {
			k.looks[n] = l
		}
	}
	k.unsettle()
	k.adopt()
	k.strays()
	k.source()
	k.kept.Live = k.live()
	k.kept.Record = in.Record
	if b := k.rec.encode(); !bytes.Equal(b, rec.encode()) {
		k.kept.Record = b
	}
	return k.kept
}

// adopt takes a newer generation over: a node on which the array runs at one that this record has not seen. It can only run there
// because a record said so durably, which was lost since. Its connections are made anew, as nothing is known of them.
func (k *keeping) adopt() {
	for _, n := range sortedKeys(k.looks) {
		l := k.looks[n]
		if l.array == nil || !l.array.steady || l.gen <= k.rec.Gen || l.uuid != k.rec.UUID {
			continue
		}
		legs := map[string]Leg{}
		for other := range k.in.On {
			if other == n {
				continue
			}
			f, ok := l.far[other]
			legs[other] = Leg{
				State: Out, Since: k.now, Why: "the record of this generation was lost", Last: k.rec.Legs[other].Last,
				Number: max(f.number, k.rec.Legs[other].Number) + 1, Differs: k.rec.Legs[other].Differs, Partial: ok && f.current(l.array) && k.rec.Legs[other].Differs == 0,
			}
		}
		k.rec.Gen, k.rec.From, k.rec.Source, k.rec.Legs, k.rec.Bad = l.gen, l.gen, n, legs, false
	}
}

// strays: arrays that run where the source is not. Whatever waits there is to be let go, with errors.
func (k *keeping) strays() {
	for _, n := range sortedKeys(k.looks) {
		l := k.looks[n]
		if n == k.rec.Source || l.array == nil || l.gen >= k.rec.Gen || len(l.far) == 0 {
			continue
		}
		if !slices.ContainsFunc(values(l.far), farLook.waits) {
			continue
		}
		k.kept.Tasks = append(k.kept.Tasks, kits.Task{
			Name: taskThaw, Node: n, Urgent: true,
			Why: kits.Why("datakeeper.stray", "the mirror "+k.in.Tag+" still runs on "+n+", but "+k.rec.Source+" is its source now; what waits for it on "+n+" gets an error",
				"tag", k.in.Tag, "node", n, "source", k.rec.Source),
		})
	}
}

// waits: the connection is there, or holds something up.
func (f farLook) waits() bool { return f.connected || f.flights > 0 }

// source judges the legs by what the source says of them. Without its word nothing changes.
func (k *keeping) source() {
	l := k.looks[k.rec.Source]
	if l == nil || l.array == nil || !l.array.steady || l.gen != k.rec.Gen || l.uuid != k.rec.UUID {
		return
	}
	if who := k.unproven(); k.in.Doubtful && who != "" {
		k.kept.Impaired = kits.Why("datakeeper.unproven", "the record of "+k.in.Tag+" was rebuilt from copies, and whether "+who+" became its source since is not known; until it is heard nothing is changed, and writes may wait", "tag", k.in.Tag, "node", who)
		return
	}
	k.kept.Proven = true
	k.rec.Created, k.rec.Forced, k.rec.Rebuild = true, false, false
	if l.array.sectors > 0 {
		k.rec.Sectors = l.array.sectors
	}
	k.rec.Bad = k.rec.Bad || !l.array.ownGood()
	k.members(l)
	for n, f := range l.far {
		// A record that was rebuilt from an older copy may not know the newest numbers.
		if leg := k.rec.Legs[n]; f.number > leg.Number {
			leg.Number = f.number
			k.rec.Legs[n] = leg
			k.fall(n, "the record of this generation was lost")
		}
	}
	k.compare(l)
	k.differences(l)
	exclude := false
	for _, n := range sortedKeys(k.rec.Legs) {
		k.leg(n, l)
		if f, ok := l.far[n]; ok && k.ends(n, f) {
			exclude = true
		}
	}
	if exclude {
		k.kept.Tasks = append(k.kept.Tasks, kits.Task{Name: taskExclude, Node: k.rec.Source, Urgent: true, Why: k.whyExclude(l)})
	}
	k.joins(l)
}

// unproven names a node that may have been the source since the record was written; empty = none can: all were heard, and
// none knows of a newer generation. A source that runs at the record's generation proves nothing by itself: one that was
// overtaken while it was cut off does, too.
func (k *keeping) unproven() string {
	for _, n := range sortedKeys(k.in.On) {
		if l := k.looks[n]; l == nil || l.gen > k.rec.Gen {
			return n
		}
	}
	return ""
}

// ends: the connection is of before, and to be taken apart. One that is being made for a leg that is to join is not.
func (k *keeping) ends(n string, f farLook) bool {
	leg := k.rec.Legs[n]
	_, on := k.in.On[n]
	return f.number < leg.Number && (!f.pending || !on || paused(k.in, n) || leg.State == Out && len(f.member) > 0)
}

// members adds legs for nodes that are new, and drops those of nodes that are no longer in the resource.
func (k *keeping) members(l *look) {
	for n := range k.in.On {
		if _, ok := k.rec.Legs[n]; !ok && n != k.rec.Source {
			k.rec.Legs[n] = Leg{State: Out, Since: k.now, Why: "it is new here", Number: 1}
		}
	}
	for n, f := range l.far {
		if _, ok := k.rec.Legs[n]; !ok {
			k.rec.Legs[n] = Leg{State: Out, Since: k.now, Why: "it is not of this mirror", Number: f.number + 1}
		}
	}
	for n := range k.rec.Legs {
		_, on := k.in.On[n]
		if _, connected := l.far[n]; !on && !connected {
			delete(k.rec.Legs, n)
		}
	}
}

// leg judges one leg.
func (k *keeping) leg(n string, l *look) {
	leg := k.rec.Legs[n]
	f, connected := l.far[n]
	why := k.wrong(n, f, connected, l.array)
	if why == "" && leg.State == Syncing && f.current(l.array) && f.stalled == 0 && f.number == leg.Number {
		leg.State, leg.Since, leg.Why, leg.Last = InSync, k.now, "", k.now
		leg.Mode, leg.Partial, leg.Merge, leg.Differs = f.mode, true, false, 0
		k.rec.Legs[n] = leg
		return
	}
	switch {
	case leg.State == Out && connected && !f.pending && f.number == leg.Number && f.frozen():
		leg.Number++ // the connection was lost before it was used
		k.rec.Legs[n] = leg
	case leg.State == Out:
	case why != "":
		k.fall(n, why)
	case leg.State == InSync:
		k.fresh(n, f)
	}
}

// wrong says why a leg cannot stay what it is; empty = it can.
func (k *keeping) wrong(n string, f farLook, connected bool, a *arrayLook) string {
	leg := k.rec.Legs[n]
	_, on := k.in.On[n]
	switch {
	case !on:
		return "it is no longer in the mirror"
	case paused(k.in, n):
		return whyPaused
	case !connected && leg.State == Syncing:
		return "" // not joined yet
	case !connected:
		return "it is not connected"
	case f.pending && leg.State == Syncing:
		return k.waited(f)
	case f.number != leg.Number:
		return "it has an old connection"
	case len(f.member) == 0 && leg.State == Syncing:
		return k.waited(f)
	case len(f.member) == 0 || f.has("faulty"):
		return "the array has given it up"
	case f.bad:
		return "blocks of it could not be written"
	case f.mode != modeOf(k.in, k.rec.Source, n):
		return "its mode was changed"
	case leg.State == InSync && !f.has("in_sync"):
		return "the array does not call it in sync"
	case leg.State == InSync && a.action == "resync":
		return "the array does not know that it is in sync"
	}
	return k.waited(f)
}

func (k *keeping) waited(f farLook) string {
	limit := k.limit
	if f.mode != modeFreeze {
		// The source's own kernel gives such a leg up; this is for one that it does not. A slow link is not to be cut for being slow.
		limit = max(limit, 2*time.Duration(tuneInt(k.in, TunePatience, defaultPatience))*time.Second)
	}
	if f.stalled >= limit && f.stalled > 0 {
		return "it does not answer"
	}
	return ""
}

const whyPaused = "it is paused"

// fall takes a leg out, and has it come back the later the more often it fell.
func (k *keeping) fall(n, why string) {
	k.rec.out(n, why, k.now)
	leg := k.rec.Legs[n]
	if why != whyPaused {
		leg.Falls = min(leg.Falls+1, 20)
		if leg.Falls > 1 {
			leg.Next = k.now.Add(min(5*time.Second<<(leg.Falls-1), maxPause))
		}
	}
	k.rec.Legs[n] = leg
}

const (
	// maxPause between two tries to bring a leg back that keeps falling out: every time it joins and falls, writes wait.
	maxPause = 10 * time.Minute
	// stable is how long a leg has to stay in sync until its earlier falls are forgotten.
	stable = 10 * time.Minute
	// ageStep is how often the time at which a leg without freeze had everything is written down.
	ageStep = 30 * time.Second
)

// fresh keeps the times of a leg that is in sync.
func (k *keeping) fresh(n string, f farLook) {
	leg := k.rec.Legs[n]
	if leg.Falls > 0 && k.now.Sub(leg.Since) > stable {
		leg.Falls, leg.Next = 0, time.Time{}
	}
	if leg.Mode != modeFreeze && f.flights == 0 && !f.frozen() && k.now.Sub(leg.Last) >= ageStep {
		leg.Last = k.now
	}
	k.rec.Legs[n] = leg
}

// joins orders the joining of legs that are out or half-way, while nothing is frozen.
func (k *keeping) joins(l *look) {
	if k.rec.Bad || slices.ContainsFunc(values(l.far), func(f farLook) bool { return len(f.member) > 0 && f.frozen() }) {
		return
	}
	for _, n := range sortedKeys(k.rec.Legs) {
		leg, other := k.rec.Legs[n], k.looks[n]
		f, connected := l.far[n]
		switch {
		case leg.State == InSync || paused(k.in, n) || k.in.On[n] == nil || leg.Next.After(k.now):
			continue
		case connected && (k.ends(n, f) || len(f.member) > 0 && !f.pending):
			continue // excluded first, or being copied to
		case other == nil || !other.disk || other.array != nil || other.gen > k.rec.Gen || k.in.Reached != nil && !k.in.Reached[n]:
			continue
		}
		if leg.State == Out && connected && !f.pending && f.number == leg.Number && !f.frozen() {
			leg.State, leg.Since = Syncing, k.now
			k.rec.Legs[n] = leg
		}
		k.kept.Tasks = append(k.kept.Tasks, kits.Task{
			Name: taskJoin, Node: n,
			Why: kits.Why("datakeeper.joining", "the disk of "+n+" is brought up to date with "+k.rec.Source, "tag", k.in.Tag, "node", n, "source", k.rec.Source),
		})
	}
}

// whyExclude names the legs that the array is to go on without.
func (k *keeping) whyExclude(l *look) kits.Reason {
	names, why := "", ""
	for _, n := range sortedKeys(l.far) {
		if leg := k.rec.Legs[n]; k.ends(n, l.far[n]) {
			if names != "" {
				names += ", "
			}
			names, why = names+n, leg.Why
		}
	}
	return kits.Why("datakeeper.excluding", "the mirror "+k.in.Tag+" goes on without "+names+": "+why, "tag", k.in.Tag, "node", k.rec.Source, "legs", names, "why", why)
}
