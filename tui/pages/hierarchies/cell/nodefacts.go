package cell

import (
	"strings"

	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// NodeFacts tell of a server.
func NodeFacts(c *ui.Context, name string) []Fact {
	n := c.Est.Node(name)
	mark, word, tone := NodeFace(c, n)
	if n == nil {
		return []Fact{{c.T("hierarchies.fact-state"), mark + " " + word, tone}}
	}
	if n.Verdict != policy.Alive && !n.Since.IsZero() {
		word = c.T("hierarchies.for", "what", word, "age", Ago(c, n.Since))
	}
	seen := c.T("common.never")
	if !n.Seen.IsZero() {
		seen = c.T("hierarchies.ago", "age", Ago(c, n.Seen), "at", c.Clock(c.Now, n.Seen))
	}
	out := []Fact{{c.T("hierarchies.fact-state"), mark + " " + word, tone}}
	for _, e := range n.Evidence {
		if n.Verdict != policy.Alive {
			out = append(out, Fact{c.T("hierarchies.fact-why"), ui.Clean(c.Reason(e)), Plain})
		}
	}
	out = append(out, Fact{c.T("hierarchies.fact-seen"), seen, Plain},
		Fact{c.T("hierarchies.fact-place"), strings.TrimSpace(ui.Clean(n.Region) + " " + ui.Clean(n.Zone)), Plain})
	if runs := activeOn(c.Est, name); runs > 0 {
		out = append(out, Fact{c.T("hierarchies.fact-runs"), c.T("hierarchies.runs", "n", runs), Plain})
	}
	for _, h := range c.Est.Holds {
		if h.Scope == "" || h.Scope == n.Cluster || h.Scope == name {
			out = append(out, Fact{c.T("hierarchies.fact-hold"), HoldText(c, h), Warn})
		}
	}
	return out
}

// activeOn counts what a server holds. It looks at every resource, once a frame.
func activeOn(e *model.Estate, server string) int {
	n := 0
	for i := range e.Resources {
		if model.Holder(&e.Resources[i]) == server {
			n++
		}
	}
	return n
}

// FactLines draws facts in w cells: labels in front, long texts under themselves.
func FactLines(in *Inks, facts []Fact, w int) []string {
	left := 0
	for _, f := range facts {
		left = max(left, ui.Width(f.Label))
	}
	left = min(left, w/3)
	var out []string
	last := ""
	for _, f := range facts {
		label := f.Label
		if label == last {
			label = ""
		}
		last = f.Label
		for j, line := range ui.Wrap(f.Text, max(1, w-left-2)) {
			if j > 0 {
				label = ""
			}
			out = append(out, in.Paint(Dim, ui.Fit(label, left))+"  "+in.Paint(f.Tone, line))
		}
	}
	return out
}
