package r53sim

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"
)

// zone is a hosted zone with the versions of its content.
type zone struct {
	meta     Zone // without Records
	versions []version
	busy     time.Time // until then a prior request is still being processed
}

// version is a zone's content from a moment on. Its records are never changed.
type version struct {
	at      time.Time
	insync  time.Time // when the name servers have it
	records []Record
}

// Change is what a change id stands for.
type Change struct {
	// ID has no prefix.
	ID, Zone, Comment string
	// Owner is the account whose change it is.
	Owner string
	// Submitted is when it was accepted, InSync when it is (or will be) on all name servers.
	Submitted, InSync time.Time
}

// never is when a stuck change becomes INSYNC.
const never = 100 * 365 * 24 * time.Hour

// keep is how long old versions stay readable: longer than any lag a test gives.
const keep = time.Hour

func (z *zone) present() []Record { return z.versions[len(z.versions)-1].records }

// asOf is the content as it was at t.
func (z *zone) asOf(t time.Time) []Record {
	for i := len(z.versions) - 1; i > 0; i-- {
		if !z.versions[i].at.After(t) {
			return z.versions[i].records
		}
	}
	return z.versions[0].records
}

// add makes a version the present one and forgets those that nobody can see any more.
func (z *zone) add(v version) {
	if newest := z.versions[len(z.versions)-1].at; v.at.Before(newest) {
		v.at = newest // two calls at once: versions stay in order
	}
	z.versions = append(z.versions, v)
	for len(z.versions) > 1 && v.at.Sub(z.versions[1].insync) > keep {
		z.versions = z.versions[1:]
	}
}

// full is the zone as the API tells of it, with the given records.
func (z *zone) full(records []Record) Zone {
	out := z.meta
	out.Records = records
	return out.clone()
}

// find is the zone with that id, or the first one with that name; nil when there is none. s.mu is held.
func (s *Server) find(idOrName string) *zone {
	id := strings.TrimPrefix(idOrName, "/hostedzone/")
	name := canonical(idOrName)
	for _, z := range s.zones {
		if z.meta.ID == id {
			return z
		}
	}
	for _, z := range s.zones {
		if z.meta.Name == name {
			return z
		}
	}
	return nil
}

// newID makes an id as AWS does: a letter and capital letters and digits. s.mu is held.
func (s *Server) newID(letter string) string {
	s.made++
	h := fnv.New64a()
	fmt.Fprintf(h, "%s-%d-r53", letter, s.made)
	text := strings.ToUpper(fmt.Sprintf("%013s", base36(h.Sum64())))
	return letter + "0" + text
}

func base36(n uint64) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var out []byte
	for ; n > 0; n /= 36 {
		out = append(out, digits[n%36])
	}
	slices.Reverse(out)
	return string(out)
}

// transition is a change that becomes INSYNC when its time has come.
type transition struct {
	at     time.Time
	change *Change
}

// open registers a change that was accepted at the given time and becomes INSYNC a lag later. s.mu is held.
func (s *Server) open(z *zone, at time.Time, lag time.Duration, owner, comment string) *Change {
	c := &Change{ID: s.newID("C"), Zone: z.meta.ID, Comment: comment, Owner: owner, Submitted: at, InSync: at.Add(lag)}
	s.changes = append(s.changes, c)
	if len(s.changes) > maxLog {
		s.changes = s.changes[maxLog/2:]
	}
	if lag >= never {
		return c
	}
	s.due = append(s.due, transition{c.InSync, c})
	slices.SortStableFunc(s.due, func(a, b transition) int { return a.at.Compare(b.at) })
	if lag > 0 {
		// The timer only makes sure that hooks hear of it in time; a call finds the change due by itself.
		s.timers = append(s.timers, time.AfterFunc(lag, s.settle))
	}
	if len(s.timers) > 1000 {
		s.timers = s.timers[len(s.timers)-500:] // the old ones have fired long ago
	}
	return c
}

// settle tells of every change that has become INSYNC by now.
func (s *Server) settle() {
	now := s.clock()
	s.mu.Lock()
	for len(s.due) > 0 && !s.due[0].at.After(now) {
		c := s.due[0].change
		s.due = s.due[1:]
		s.events = append(s.events, Event{Kind: InSync, At: c.InSync, Zone: c.Zone, Change: c.ID})
	}
	s.mu.Unlock()
	s.tell()
}
