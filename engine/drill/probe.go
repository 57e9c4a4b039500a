package drill

import (
	"cmp"
	"slices"
	"time"
)

// Sample is one look of a client at the service.
type Sample struct {
	At   time.Time     `json:"at"` // when it was sent
	Took time.Duration `json:"took"`
	OK   bool          `json:"ok"`
	Said string        `json:"said,omitempty"` // why not
}

// Gap is a time in which the service did not answer a client.
type Gap struct {
	// From is when the first look was sent that failed, To when the first was sent that
	// succeeded again; zero while none has.
	From time.Time `json:"from"`
	To   time.Time `json:"to,omitzero"`
	// Length is To minus From, up to the last look when it is open. The true outage is
	// between that and AtMost, which counts from the last good look before to the answer
	// of the first good one after: two periods more at the worst.
	Length time.Duration `json:"length"`
	AtMost time.Duration `json:"atMost"`
	Failed int           `json:"failed"` // looks that failed
	Said   string        `json:"said,omitempty"`
}

// Gaps finds the gaps in a log, in the order of time. Looks may overlap and come in any
// order; each counts at the time at which it was sent.
func Gaps(log []Sample) []Gap {
	log = slices.Clone(log)
	slices.SortStableFunc(log, func(a, b Sample) int { return a.At.Compare(b.At) })
	var gaps []Gap
	var good time.Time // the last good look
	open := false
	for _, s := range log {
		switch {
		case s.OK && open:
			g := &gaps[len(gaps)-1]
			g.To, open = s.At, false
			g.Length, g.AtMost = s.At.Sub(g.From), s.At.Add(s.Took).Sub(begin(good, g.From))
		case !s.OK && !open:
			gaps, open = append(gaps, Gap{From: s.At, Failed: 1, Said: s.Said}), true
		case !s.OK:
			gaps[len(gaps)-1].Failed++
		}
		if s.OK {
			good = s.At
		} else {
			g := &gaps[len(gaps)-1]
			g.Length, g.AtMost = s.At.Sub(g.From), s.At.Add(s.Took).Sub(begin(good, g.From))
			g.Said = cmp.Or(g.Said, s.Said)
		}
	}
	return gaps
}

// begin is the last good look, or the gap's own begin when there was none.
func begin(good, from time.Time) time.Time {
	if good.IsZero() {
		return from
	}
	return good
}

// Outage is the sum of the gaps; open tells that the last has not ended.
func Outage(gaps []Gap) (length, atMost time.Duration, open bool) {
	for _, g := range gaps {
		length, atMost, open = length+g.Length, atMost+g.AtMost, g.To.IsZero()
	}
	return length, atMost, open
}

// Between is the part of a log in [from, to].
func Between(log []Sample, from, to time.Time) []Sample {
	var out []Sample
	for _, s := range log {
		if !s.At.Before(from) && !s.At.After(to) {
			out = append(out, s)
		}
	}
	return out
}

// overlap is how much of the gaps lies in [from, to].
func overlap(gaps []Gap, from, to time.Time) time.Duration {
	var sum time.Duration
	for _, g := range gaps {
		a, b := g.From, g.From.Add(g.Length)
		if a.Before(from) {
			a = from
		}
		if b.After(to) {
			b = to
		}
		sum += max(0, b.Sub(a))
	}
	return sum
}
