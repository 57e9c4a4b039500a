package model

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
)

// Leg is one node's copy of a resource's data, as its kit tells it (api.DataStatus.Nodes).
// Every text in it came from a node and is cleaned by whoever shows it.
type Leg struct {
	Node string
	// Source: this node's disk is the one that is written to.
	Source bool
	// State is the kit's words without the role and without a percentage: "in sync",
	// "resyncing", "paused". Empty for a source about which there is nothing to say.
	State string
	// Percent of a resync that is done, 0 to 100; -1 when none runs or it is not known.
	Percent int
	// Mode, Speed, Left, ETA and Backlog are the kit's words; empty = it says nothing.
	Mode, Speed, Left, ETA, Backlog string
	// Why it is out.
	Why string
	// Since it is in sync; Last time that it had everything. Zero = not known; Never says
	// that it never had.
	Since, Last time.Time
	Never       bool
	// Generation is how often the data has changed its source; only with the source, and
	// empty when the kit does not say.
	Generation string
	// Promote tells whether the node may become the source without a person's force.
	Promote Promote
	// Rest is what else the kit says.
	Rest map[string]string
}

// Promote is why a node may not become the source without a person's force; Free = it may.
type Promote string

// The reasons. A kit may have others.
const (
	Free          Promote = "yes"
	NotKnown      Promote = "unknown"
	Doubtful      Promote = "doubtful"
	SourceBad     Promote = "source-bad"
	HalfCopied    Promote = "half"
	OutOfDate     Promote = "stale"
	Differs       Promote = "differs"
	NeverComplete Promote = "never"
	Asynchronous  Promote = "asynchronous"
	GoesOnAlone   Promote = "continue"
)

// Settles tells whether what speaks against the node ends with a stop in good order: then the rest is copied and proven, and
// the node takes over without force. When the source is lost it stays.
func (p Promote) Settles() bool { return p == Asynchronous || p == GoesOnAlone }

// InSync tells that everything which was reported as written is on this copy.
func (l Leg) InSync() bool { return l.State == "in sync" || strings.HasPrefix(l.State, "in sync,") }

// Legs are a resource's copies, the source first, then by the priority of their nodes; nil
// where nothing is told of them.
func Legs(r *api.ResourceStatus) []Leg {
	if r == nil || r.Data == nil {
		return nil
	}
	order := map[string]int{}
	for i := range r.On {
		order[r.On[i].Server] = i - len(r.On)
	}
	var out []Leg
	for _, node := range slices.Sorted(maps.Keys(r.Data.Nodes)) {
		out = append(out, newLeg(node, r.Data.Nodes[node], r.Data))
	}
	slices.SortStableFunc(out, func(a, b Leg) int {
		if a.Source != b.Source {
			if a.Source {
				return -1
			}
			return 1
		}
		return cmp.Compare(order[a.Node], order[b.Node])
	})
	return out
}

// newLeg takes a kit's keys apart.
func newLeg(node string, live map[string]string, d *api.DataStatus) Leg {
	l := Leg{Node: node, Percent: -1, Rest: maps.Clone(live)}
	take := func(key string) string {
		v := l.Rest[key]
		delete(l.Rest, key)
		return v
	}
	l.role(take("state"))
	if n, err := strconv.Atoi(take("percent")); err == nil && n >= 0 && n <= 100 {
		l.Percent = n
	}
	l.Mode, l.Speed, l.Left, l.ETA, l.Backlog = take("mode"), take("speed"), take("left"), take("eta"), take("backlog")
	l.Why, l.Generation = take("why"), take("generation")
	l.Since = moment(take("since"))
	last := take("last")
	l.Last, l.Never = moment(last), last == "never"
	take("age") // told from Last, so that it grows between two heartbeats
	l.Promote = Promote(take("promote"))
	if l.Promote == "" {
		l.Promote = l.judged(d)
	}
	return l
}

func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// role takes "Target, resyncing 42 %" apart.
func (l *Leg) role(s string) {
	role, state, _ := strings.Cut(s, ", ")
	l.Source = role == "Source"
	if role != "Source" && role != "Target" {
		state = s
	}
	if words := strings.Fields(state); len(words) > 2 && words[len(words)-1] == "%" {
		state = strings.Join(words[:len(words)-2], " ")
	}
	l.State = state
}

// judged is what follows for a promotion from what the kit shows, when it does not say it
// itself. The engine asks the kit again when it comes to it.
func (l *Leg) judged(d *api.DataStatus) Promote {
	switch {
	case d.Doubtful:
		return Doubtful
	case l.Source && strings.HasSuffix(d.Impaired.Code, ".source-bad"):
		return SourceBad
	case l.Source:
		return Free
	case l.InSync() && l.Mode == "synchronous":
		return Free
	case l.InSync() && l.Mode == "asynchronous":
		return Asynchronous
	case l.InSync():
		return GoesOnAlone
	case l.State == "resyncing" || l.State == "half copied":
		return HalfCopied
	case l.Never:
		return NeverComplete
	case l.State == "":
		return NotKnown
	}
	return OutOfDate
}

// DataSource is the node whose disk is written to, and Takers are those that could take
// over from it without anybody's force. Both are empty when nothing is told of the data.
func DataSource(legs []Leg) (source string, takers []string) {
	for _, l := range legs {
		switch {
		case l.Source:
			source = l.Node
		case l.Promote == Free:
			takers = append(takers, l.Node)
		}
	}
	return source, takers
}
