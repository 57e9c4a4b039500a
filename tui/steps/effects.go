package steps

import (
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/ui"
)

// untouchedShown is how many resources that stay as they are get named.
const untouchedShown = 6

// Effect is one change in words: "route 10.1.0.10/32 in rtb-1: LK_P_A → LK_P_B".
func Effect(c *ui.Context, e kits.Effect) string {
	what, from, to := ui.Clean(e.What), ui.Clean(e.From), ui.Clean(e.To)
	what = strings.TrimSpace(effectKind(c, e.Kind) + " " + strings.TrimPrefix(what, e.Kind+" ")) // "claim 8 on …" says its kind itself
	switch {
	case from == to && to != "":
		return c.T("steps.effect-stays", "what", what, "to", to)
	case from != "" && to != "":
		return what + ": " + from + " " + c.Arrow + " " + to
	case to != "":
		return what + " " + c.Arrow + " " + to
	case from != "":
		return c.T("steps.effect-goes", "what", what, "from", from)
	}
	return what
}

func effectKind(c *ui.Context, kind string) string {
	switch kind {
	case "address", "route", "process", "record", "mount", "mirror", "claim", "fence":
		return c.T("steps.effect-" + kind)
	}
	return ui.Clean(kind)
}

// Changes is what a plan changes in the end, one entry for each thing: what a stop takes
// away and a start puts elsewhere is one change. What clients notice (record, route,
// address) comes first.
func Changes(p plan.Plan) []kits.Effect {
	var out []kits.Effect
	at := map[string]int{}
	for _, s := range p.Steps {
		for _, e := range s.Effects {
			key := e.Kind + " " + e.What
			if e.Kind == "process" { // the script that stops is another than the one that starts
				key, e.What = "process "+string(s.Tag), s.Tag.Short()
			}
			i, known := at[key]
			if !known {
				at[key] = len(out)
				out = append(out, e)
				continue
			}
			if out[i].From == "" {
				out[i].From = e.From
			}
			if e.To != "" {
				out[i].To = e.To
			}
		}
	}
	slices.SortStableFunc(out, func(a, b kits.Effect) int { return rank(a.Kind) - rank(b.Kind) })
	return out
}

// rank orders kinds of effect by how far away they are noticed.
func rank(kind string) int {
	order := []string{"record", "route", "address", "mirror", "mount", "process"}
	if i := slices.Index(order, kind); i >= 0 {
		return i
	}
	return len(order)
}

// Effects are the lines of what a plan changes.
func Effects(c *ui.Context, p plan.Plan, w int) []string {
	all := Changes(p)
	if len(all) == 0 {
		return bullet(c, c.T("steps.effect-none"), w)
	}
	var out []string
	for _, e := range all {
		out = append(out, bullet(c, Effect(c, e), w)...)
	}
	return out
}

// Untouched are the lines of what a plan leaves alone though one might fear for it: what
// it names itself, and how much else is in service.
func Untouched(c *ui.Context, p plan.Plan, w int) []string {
	own := staying(c, p)
	var words []string
	for _, u := range own[:min(len(own), untouchedShown)] {
		tag, node, ok := strings.Cut(u, " on ")
		if !ok {
			words = append(words, ui.Clean(u))
			continue
		}
		words = append(words, c.T("steps.tag-on", "tag", ui.Clean(tag), "node", ui.Clean(node)))
	}
	if n := len(own) - untouchedShown; n > 0 {
		words = append(words, c.T("steps.and-more", "n", n))
	}
	var out []string
	if len(words) > 0 {
		out = bullet(c, strings.Join(words, c.T("steps.comma")), w)
	}
	switch n := others(c, p) - len(own); {
	case n > 0:
		out = append(out, bullet(c, c.T("steps.others", "n", n), w)...)
	case len(words) == 0:
		out = append(out, bullet(c, c.T("steps.others-none"), w)...)
	}
	return out
}

// staying is what of the same hierarchy stays in service where it is: what the plan names
// itself, and what it would move but finds in its place already.
func staying(c *ui.Context, p plan.Plan) []string {
	out := slices.Clone(p.Untouched)
	acted := acts(p)
	for _, t := range p.Moves {
		if r := c.Est.Res(t); r != nil && r.Active != "" && !acted[t] {
			out = append(out, string(t)+" on "+r.Active)
		}
	}
	return out
}

// acts are the resources of which a step does something. Moves may hold more: what is
// needed and runs there already.
func acts(p plan.Plan) map[hierarchy.Tag]bool {
	out := make(map[hierarchy.Tag]bool, len(p.Moves))
	for _, s := range p.Steps {
		if s.Tag != "" {
			out[s.Tag] = true
		}
		for _, t := range s.Tags {
			out[t] = true
		}
	}
	return out
}

// others counts what is in service and not moved by a plan.
func others(c *ui.Context, p plan.Plan) int {
	moved := acts(p)
	n := 0
	for i := range c.Est.Resources {
		if r := &c.Est.Resources[i]; r.Active != "" && !moved[r.Tag] {
			n++
		}
	}
	return n
}

// Notes are the lines of what a plan says beside its steps.
func Notes(c *ui.Context, p plan.Plan, w int) []string {
	var out []string
	for _, n := range p.Notes {
		out = append(out, hang(c.Warn.Render(c.Attention)+" ", 2, note(c, n), w, nil)...)
	}
	return out
}

// note is a plan's remark in the reader's language; the policy's own are known to Reason.
func note(c *ui.Context, r kits.Reason) string {
	if own, ok := strings.CutPrefix(r.Code, "plan."); ok {
		switch own {
		case "crosses", "from-gone", "unfenced", "forced", "loss-accepted":
			return c.T("steps.note-"+own, "tag", ui.Clean(r.Args["tag"]), "from", ui.Clean(r.Args["from"]), "to", ui.Clean(r.Args["to"]), "node", ui.Clean(r.Args["node"]))
		}
	}
	return ui.Clean(c.Reason(r))
}

func bullet(c *ui.Context, s string, w int) []string {
	return hang(c.Dim.Render(c.Bullet)+" ", 2, s, w, nil)
}

// hang wraps text under itself behind a lead of n cells.
func hang(lead string, n int, text string, w int, paint func(...string) string) []string {
	var out []string
	for i, line := range ui.Wrap(text, max(8, w-n)) {
		if i > 0 {
			lead = strings.Repeat(" ", n)
		}
		if paint != nil {
			line = paint(line)
		}
		out = append(out, lead+line)
	}
	return out
}
