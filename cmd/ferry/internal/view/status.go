package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
)

// Status is the whole estate: who acts, what waits for a person, what runs, the
// nodes, and the state of every resource on every server.
func Status(s *api.Snapshot, st term.Style, now time.Time) string {
	p := newPage(st, now)
	p.header(s)
	p.holds(s.Holds)
	for _, q := range PendingOf(s) {
		p.line("")
		p.question(q, s)
	}
	p.running(s.Running)
	p.nodes(s.Nodes)
	p.matrices(s)
	return p.String()
}

// PendingOf lists the questions that wait for an answer, oldest first.
func PendingOf(s *api.Snapshot) []policy.Question {
	var qs []policy.Question
	for _, q := range s.Questions {
		if q.State == policy.Pending {
			qs = append(qs, q)
		}
	}
	slices.SortFunc(qs, func(a, b policy.Question) int {
		return cmp.Or(a.Asked.Compare(b.Asked), cmp.Compare(a.ID, b.ID))
	})
	return qs
}

func (p *page) header(s *api.Snapshot) {
	estate := "estate"
	if s.Estate != nil {
		estate = name(s.Estate.Name)
	}
	if s.Engine.Who == "" {
		p.unwatched(estate, s.At)
		p.notice(s.Engine.Notice)
		return
	}
	auto := p.st.Paint(term.Good, "automation ON")
	if !s.Engine.Automation {
		auto = p.st.Paint(term.Warn, "automation OFF")
	}
	lead := fmt.Sprintf("engine %s leads since %s (%s)", name(s.Engine.Who),
		Clock(p.now, s.Engine.Since), Age(p.now, s.Engine.Since))
	first := p.st.Paint(term.Bold, estate) + "  " + auto
	if term.Width(first)+2+term.Width(lead) <= p.st.Columns() {
		p.line("%s  %s", first, lead)
	} else {
		p.line("%s", first)
		p.wrapped("  ", term.Plain, lead)
	}
	if age := p.now.Sub(s.At); age > 10*time.Second {
		p.line("%s", p.st.Paint(term.Warn, "as of "+Clock(p.now, s.At)+", "+Span(age)+" ago"))
	}
	p.notice(s.Engine.Notice)
}

// holds say where automation is quiet: the reader wonders why nothing happens.
func (p *page) holds(all []api.HoldStatus) {
	for _, h := range all {
		text := fmt.Sprintf("%s until %s (%s), by %s", HoldScope(h.Scope), Clock(p.now, h.Until), Span(max(h.Until.Sub(p.now), 0)), name(h.By))
		if h.Why != "" {
			text += ": " + name(h.Why)
		}
		p.wrapped(p.st.Paint(term.Warn, "HOLD")+" ", term.Plain, text+"; automation starts nothing there")
	}
}

func (p *page) notice(text string) {
	if text != "" {
		p.wrapped(p.st.Paint(term.Alarm, "NOTICE")+" ", term.Warn, term.Clean(text))
	}
}

// unwatched heads a record that nobody keeps up to date.
func (p *page) unwatched(estate string, at time.Time) {
	p.line("%s  %s", p.st.Paint(term.Bold, estate), p.st.Paint(term.Alarm, "NO ENGINE RUNS"))
	when := "nothing was recorded yet"
	if !at.IsZero() {
		when = "as of " + Clock(p.now, at) + ", " + Age(p.now, at) + " ago: the last record; what came after was not seen"
	}
	p.wrapped("  ", term.Warn, when)
}

func (p *page) running(ops []api.Operation) {
	for _, o := range ops {
		done := 0
		for _, s := range o.Steps {
			if finished(s.Status) {
				done++
			}
		}
		p.line("")
		p.line("%s %s  %s  step %d of %d, for %s", p.st.Paint(term.Warn, p.st.Mark(term.Running)+" running"),
			name(o.ID), Headline(o.Plan.Goal, p.st), min(done+1, len(o.Plan.Steps)), len(o.Plan.Steps), Age(p.now, o.Began))
	}
}

func (p *page) nodes(nodes []api.NodeStatus) {
	if len(nodes) == 0 {
		return
	}
	p.line("")
	w := nodeWidths(nodes)
	for _, region := range regions(nodes) {
		p.line("%s", p.st.Paint(term.Bold, region))
		for _, n := range nodes {
			if n.Region == region {
				p.node(n, w)
			}
		}
	}
}

type nodeCols struct{ name, zone, verdict int }

func nodeWidths(nodes []api.NodeStatus) nodeCols {
	var w nodeCols
	for _, n := range nodes {
		w.name = max(w.name, term.Width(name(n.Name)))
		w.zone = max(w.zone, term.Width(zone(n)))
		w.verdict = max(w.verdict, len(verdict(n.Verdict)))
	}
	return w
}

func regions(nodes []api.NodeStatus) []string {
	var out []string
	for _, n := range nodes {
		if !slices.Contains(out, n.Region) {
			out = append(out, n.Region)
		}
	}
	return out
}

// zone without the region it lies in: "1a" of "ap-northeast-1a".
func zone(n api.NodeStatus) string {
	return name(strings.TrimPrefix(n.Zone, strings.TrimRight(n.Region, "0123456789")))
}

func verdict(v policy.Verdict) string {
	if v == "" {
		return string(policy.Unknown)
	}
	return strings.ReplaceAll(term.Clean(string(v)), "-", " ")
}

func (p *page) node(n api.NodeStatus, w nodeCols) {
	mark, tone := p.verdictMark(n.Verdict)
	seen := "seen " + Age(p.now, n.Seen) + " ago"
	if n.Seen.IsZero() {
		seen = "never seen"
	}
	if n.Verdict != policy.Alive && !n.Since.IsZero() {
		seen += ", " + verdict(n.Verdict) + " for " + Age(p.now, n.Since)
	}
	p.line("  %s %s  %s  %s  %s", p.st.Paint(tone, p.st.Mark(mark)), term.Pad(name(n.Name), w.name),
		term.Pad(zone(n), w.zone), p.st.Paint(tone, term.Pad(verdict(n.Verdict), w.verdict)), seen)
	if n.Verdict == policy.Alive {
		return
	}
	for _, e := range n.Evidence {
		if t := Reason(e); t != "" {
			p.wrapped("      - ", term.Plain, t)
		}
	}
}

func (p *page) verdictMark(v policy.Verdict) (term.Glyph, term.Tone) {
	switch v {
	case policy.Alive:
		return term.OK, term.Good
	case policy.Degraded:
		return term.Running, term.Warn
	case policy.Hung, policy.Presumed, policy.Dead:
		return term.Fail, term.Bad
	}
	return term.Ask, term.Warn
}
