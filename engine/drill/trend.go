package drill

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Trend compares the passed drills of one kind: the same resource, test, direction, and
// way of measuring.
type Trend struct {
	Tag    string        `json:"tag"`
	Test   string        `json:"test"`
	From   string        `json:"from"`
	To     string        `json:"to"`
	Probed bool          `json:"probed"` // outages seen by a client; else the operation's time
	Count  int           `json:"count"`
	First  time.Duration `json:"first"`
	Last   time.Duration `json:"last"`
	Median time.Duration `json:"median"` // of all of them
	// Slower: the last took more than a quarter and more than a second longer than the
	// median of those before; with fewer than three drills nothing is said.
	Slower bool `json:"slower"`
}

// Trends sums a history up, in the order of tags.
func Trends(history []Report) []Trend {
	history = slices.Clone(history)
	slices.SortFunc(history, func(a, b Report) int { return a.Began.Compare(b.Began) })
	type key struct {
		tag, test, from, to string
		probed              bool
	}
	times := map[key][]time.Duration{}
	var keys []key
	for i := range history {
		r := &history[i]
		took, ok := r.Recovery()
		if r.Result != Passed || !ok {
			continue
		}
		k := key{r.Tag, r.Test, r.From, r.To, r.Probe != ""}
		if times[k] == nil {
			keys = append(keys, k)
		}
		times[k] = append(times[k], took)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(strings.Compare(a.tag, b.tag), strings.Compare(a.test, b.test), strings.Compare(a.from, b.from), strings.Compare(a.to, b.to))
	})
	var out []Trend
	for _, k := range keys {
		ts := times[k]
		last := ts[len(ts)-1]
		t := Trend{Tag: k.tag, Test: k.test, From: k.from, To: k.to, Probed: k.probed, Count: len(ts), First: ts[0], Last: last, Median: median(ts)}
		if len(ts) >= 3 {
			before := median(ts[:len(ts)-1])
			t.Slower = last > before+before/4 && last > before+time.Second
		}
		out = append(out, t)
	}
	return out
}

// median of at least one.
func median(ts []time.Duration) time.Duration {
	ts = slices.Sorted(slices.Values(ts))
	n := len(ts)
	if n%2 == 1 {
		return ts[n/2]
	}
	return (ts[n/2-1] + ts[n/2]) / 2
}
