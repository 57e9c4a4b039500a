package hierarchies

import (
	"strings"

	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/pages/hierarchies/cell"
	"github.com/ferry-ha/ferry/tui/ui"
)

// summary is the first line: what is wrong, or that nothing is.
func (p *Page) summary(in *cell.Inks, w int) string {
	parts := p.resourceSums(in)
	add := func(tone cell.Tone, s string) { parts = append(parts, in.Paint(tone, s)) }
	c := p.c
	tone, servers := p.serverSum()
	if tone != cell.Good {
		add(tone, servers)
	}
	if n := len(c.Est.Running); n > 0 {
		add(cell.Accent, c.Spinner()+" "+c.T("hierarchies.sum-moving", "n", n))
	}
	for i, h := range c.Est.Holds {
		if i < 2 {
			add(cell.Warn, c.Held+" "+c.T("hierarchies.sum-holds", "scope", cell.ScopeText(c, h.Scope)))
		}
	}
	if tone == cell.Good {
		add(tone, servers)
	}
	s, sep := "", in.Paint(cell.Dim, " "+c.Bullet+" ")
	for i, x := range parts {
		if i > 0 {
			x = sep + x
		}
		if ui.Width(s)+ui.Width(x) > w-2 {
			break
		}
		s += x
	}
	if more := p.more(); more != "" && ui.Width(s)+len(more)+2 <= w {
		return " " + ui.Fit(s, w-2-len(more)) + in.Paint(cell.Dim, more)
	}
	return " " + s
}

// resourceSums count resources by what is wrong with them.
func (p *Page) resourceSums(in *cell.Inks) []string {
	c, t := p.c, p.tree
	var parts []string
	add := func(tone cell.Tone, s string) { parts = append(parts, in.Paint(tone, s)) }
	for _, s := range []struct {
		g    grade
		tone cell.Tone
		id   string
	}{{dual, cell.Alarm, "dual"}, {stale, cell.Alarm, "stale"}, {failed, cell.Bad, "failed"}, {held, cell.Alarm, "held"}, {impaired, cell.Warn, "impaired"}, {unknown, cell.NotKnown, "unknown"}} {
		if n := t.sums[s.g]; n > 0 {
			text := c.T("hierarchies.sum-"+s.id, "n", n)
			if s.tone == cell.Alarm {
				text = " " + text + " "
			}
			add(s.tone, text)
		}
	}
	if t.unfenced > 0 {
		add(cell.Warn, c.T("hierarchies.sum-unfenced", "n", t.unfenced))
	}
	switch {
	case len(p.c.Est.Resources) == 0:
		add(cell.Dim, c.T("hierarchies.sum-nothing"))
	case len(parts) == 0 && t.sums[off] == 0:
		add(cell.Good, c.Marks.InService+" "+c.T("hierarchies.sum-calm", "n", len(p.c.Est.Resources)))
	}
	if n := t.sums[off]; n > 0 {
		add(cell.Plain, c.T("hierarchies.sum-off", "n", n))
	}
	return parts
}

func (p *Page) serverSum() (cell.Tone, string) {
	c := p.c
	by, n := notAlive(c.Est)
	if n == 0 {
		return cell.Good, c.T("hierarchies.sum-alive", "n", len(c.Est.Nodes))
	}
	var parts []string
	tone := cell.Warn
	for _, v := range []policy.Verdict{policy.Dead, policy.Presumed, policy.Hung, policy.Degraded, policy.Unknown} {
		if by[v] == 0 {
			continue
		}
		if v != policy.Degraded && v != policy.Unknown {
			tone = cell.Bad
		}
		parts = append(parts, c.T("hierarchies.sum-verdict", "n", by[v], "verdict", c.T("common.verdict-"+string(v))))
	}
	return tone, c.T("hierarchies.sum-nodes", "what", strings.Join(parts, ", "))
}

// addWrong fills what is left of the panel with what is wrong anywhere, the worst first.
func (p *Page) addWrong(in *cell.Inks, lines []string, w, room int) []string {
	if room-len(lines) < 3 {
		return lines
	}
	facts := p.wrongFacts()
	if len(facts) == 0 {
		return lines
	}
	lines = append(lines, "", in.Paint(cell.Accent, p.c.T("hierarchies.wrong")))
	for _, f := range facts {
		more := ui.Wrap(f.Text, max(1, w-2))
		if len(more) > 3 {
			more = append(more[:2:2], ui.Cut(more[2], w-5, "")+p.c.Ellipsis)
		}
		if len(lines)+len(more) > room {
			break
		}
		for i, l := range more {
			tone := f.Tone
			if i > 0 {
				tone, l = cell.Plain, "  "+l
			}
			lines = append(lines, in.Paint(tone, l))
		}
	}
	return lines
}

func (p *Page) wrongFacts() []cell.Fact {
	c := p.c
	var out []cell.Fact
	for i := range c.Est.Nodes {
		n := &c.Est.Nodes[i]
		if n.Verdict == policy.Alive {
			continue
		}
		mark, word, tone := cell.NodeFace(c, n)
		text := mark + " " + ui.Clean(n.Name) + ": " + word
		if len(n.Evidence) > 0 {
			text += ": " + ui.Clean(c.Reason(n.Evidence[0]))
		}
		out = append(out, cell.Fact{Text: text, Tone: tone})
	}
	for _, x := range p.tree.wrong {
		f := cell.FaceOf(c, x.res, x.on)
		text := f.Mark + " " + cell.Name(c, cell.At{Tag: x.res.Tag, Node: x.on.Server}) + ": " + strings.TrimSpace(f.Word+" "+f.Alert)
		why := ui.Clean(c.Reason(x.on.Reason))
		if why == "" && x.on.Held != "" {
			why = cell.HeldText(c, x.on)
		}
		if why != "" {
			text += ": " + why
		}
		out = append(out, cell.Fact{Text: text, Tone: f.Tone})
	}
	return out
}
