package datakeeper

import (
	"fmt"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// Promote says which record must be durable before the array starts on in.Node, or why it may not start there.
func (Kit) Promote(in kits.Instance, forced bool, now time.Time) ([]byte, *kits.Reason) {
	rec, err := decode(in.Record)
	if err != nil && !forced {
		r := kits.Why("datakeeper.record", err.Error()+"; only a person can say where the data is", "tag", in.Tag, "node", in.Node.Name)
		return nil, &r
	}
	if rec == nil {
		if in.Doubtful && !forced {
			r := kits.Why("datakeeper.doubtful", "whether "+in.Tag+" was ever in service is not known: its record may be lost; start it by force on the node that has the data", "tag", in.Tag, "node", in.Node.Name)
			return nil, &r
		}
		return begin(in, forced, now).encode(), nil
	}
	if r := refusal(in, rec, now); r != nil && !forced {
		return nil, r
	}
	return promoted(in, rec, forced, now).encode(), nil
}

// begin is the first record.
func begin(in kits.Instance, forced bool, now time.Time) *Record {
	gen := following(in, 0, now)
	r := &Record{Gen: gen, From: gen, UUID: newUUID(in, now), Source: in.Node.Name, Forced: forced, Legs: map[string]Leg{}}
	for n := range in.On {
		if n != in.Node.Name {
			r.Legs[n] = Leg{State: Out, Since: now, Why: "it is new here", Number: 1}
		}
	}
	return r
}

// following is the generation after gen. Where newer ones may have been lost it leaps past them all: there is less than one
// promotion a second.
func following(in kits.Instance, gen int, now time.Time) int {
	if in.Doubtful {
		return max(gen+1, int(now.Unix()))
	}
	return gen + 1
}

// refusal says why a node may not become the source without force; nil = it may. Its disk must have everything that was ever
// reported as written, and that must be known now.
func refusal(in kits.Instance, rec *Record, now time.Time) *kits.Reason {
	node := in.Node.Name
	leg, known := rec.Legs[node]
	var r kits.Reason
	why := func(code, text string) {
		r = kits.Why("datakeeper."+code, text, "tag", in.Tag, "node", node, "source", rec.Source, "why", leg.Why, "age", ageText(leg, now))
	}
	switch {
	case in.Doubtful:
		why("doubtful", fmt.Sprintf("whether the disk of %s has everything of %s is not known: the record was rebuilt from copies, and the newest may be missing%s", node, in.Tag, agePhrase(leg, now)))
	case node == rec.Source && rec.Bad:
		why("source-bad", fmt.Sprintf("the disk of %s failed while it was the source of %s; what was written since is on the other nodes' disks only", node, in.Tag))
	case node == rec.Source:
		return nil
	case !known:
		why("never", fmt.Sprintf("%s never had a copy of %s; its source is %s", node, in.Tag, rec.Source))
	case leg.State == Syncing:
		why("half", fmt.Sprintf("the disk of %s was being brought up to date with %s and is a mixture of old and new: no copy at all", node, rec.Source))
	case leg.State == Out:
		why("stale", fmt.Sprintf("the disk of %s is out of date: %s%s; %s has the data", node, leg.Why, agePhrase(leg, now), rec.Source))
	case leg.Differs > 0:
		why("differs", fmt.Sprintf("a comparison found %d blocks of 4 KiB on the disk of %s that differ from those of %s; which of them are right is not known", leg.Differs, node, rec.Source))
		r.Args["blocks"] = fmt.Sprint(leg.Differs)
	case leg.promotable():
		return nil
	case leg.Mode == modeAsynchronous:
		why("asynchronous", fmt.Sprintf("the copy on %s is asynchronous: it lags behind %s and may be inconsistent%s", node, rec.Source, agePhrase(leg, now)))
	default:
		why("continue", fmt.Sprintf("with on_partition = continue %s goes on alone when the link to %s is lost, so what is missing on %s is not known%s", rec.Source, node, node, agePhrase(leg, now)))
	}
	if r.Code == codeAsynchronous || r.Code == codeContinue {
		r.Args["settles"] = "yes" // kits.Settler
	}
	return &r
}

func ageText(l Leg, now time.Time) string {
	if d, ok := l.age(now); ok {
		return d.Round(time.Second).String()
	}
	return "unknown"
}

func agePhrase(l Leg, now time.Time) string {
	if d, ok := l.age(now); ok {
		return fmt.Sprintf(" (its data is up to %s old)", d.Round(time.Second))
	}
	return " (it never was a complete copy)"
}

// promoted is the record with the node as source. All other legs are out: each comes back by joining, when a pulse shows it.
// What their differences are is known by the new source's bitmap only if it was a complete member until now.
func promoted(in kits.Instance, rec *Record, forced bool, now time.Time) *Record {
	node := in.Node.Name
	r := rec.copied()
	r.Gen = following(in, rec.Gen, now)
	if node != rec.Source || in.Doubtful || rec.From == 0 {
		r.From = r.Gen
	}
	r.Source, r.Forced, r.Bad, r.Comparing, r.Cut = node, forced, false, false, false
	half := rec.Legs[node].State == Syncing
	if forced && node != rec.Source && half {
		// The array's own metadata calls the disk half a copy and would not start; it is begun anew over it.
		r.Rebuild, r.Created, r.UUID = true, false, newUUID(in, now)
	}
	number := 0
	for n := range rec.Legs {
		number = max(number, rec.Legs[n].Number)
	}
	delete(r.Legs, node)
	for n := range in.On {
		if n == node {
			continue
		}
		was, known := rec.Legs[n]
		leg := Leg{State: Out, Since: now, Number: max(number, was.Number) + 1, Mode: was.Mode, Last: was.Last, Why: node + " became the source", Partial: was.Partial, Merge: was.Merge, Differs: was.Differs}
		switch {
		case n == rec.Source:
			leg.Partial, leg.Merge, leg.Last = true, true, now
		case !known:
			leg.Partial = false
		case was.State == InSync:
			leg.Partial = true
			if was.Mode == modeFreeze {
				leg.Last = now
			}
		case was.State == Syncing && node != rec.Source:
			leg.Partial = false
		}
		if forced || leg.Differs > 0 {
			leg.Partial, leg.Merge = false, false
		}
		r.Legs[n] = leg
	}
	return r
}
