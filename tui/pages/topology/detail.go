package topology

import (
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// details are the lines below the drawing: who the node under the cursor is, why it is
// judged as it is, and the paths from it.
func (p *Page) details(w, h int) []string {
	n := p.at()
	if n < 0 {
		return nil
	}
	lines := []string{p.headline(n, w)}
	if ch := p.followed(); ch >= 0 && len(p.pic.chains) > 1 && h > 3 {
		lines = append(lines, p.c.Dim.Render(ui.Cut(p.c.T("topology.chain", "tag", ui.Clean(string(p.pic.chains[ch].tag)), "at", ch+1, "of", len(p.pic.chains)), w, p.c.Ellipsis)))
	}
	if h >= 6 && w >= 110 && p.pic.nodes[n].Here > 0 { // what it has stands beside it
		half := w/2 - 1
		left, right := p.reasons(n, half, h-len(lines)), p.resources(n, half, h-len(lines))
		return append(lines, strings.Split(ui.Beside("  ", ui.Lines(left, half, h-len(lines)), ui.Lines(right, half, h-len(lines))), "\n")...)
	}
	return append(lines, p.reasons(n, w, h-len(lines))...)
}

// reasons are the evidence and the paths, in at most so many rows.
func (p *Page) reasons(n, w, room int) (lines []string) {
	why := p.why(n, w-2)
	paths := p.paths(n)
	label := p.c.T("topology.paths") + "  "
	if len(paths) > 0 && room < len(why)+len(paths) {
		paths = flow(paths, w-2-ui.Width(label))
	}
	for i := range paths {
		paths[i] = p.c.Dim.Render(ui.Fit([...]string{label, ""}[min(i, 1)], ui.Width(label))) + paths[i]
	}
	if over := len(why) + len(paths) - room; over > 0 && len(why) > 1 {
		why = why[:max(1, len(why)-over)]
	}
	for _, s := range append(why, paths...) {
		lines = append(lines, " "+s)
	}
	return lines
}

// resources are the resources extended to a node, those first that its box names.
func (p *Page) resources(n, w, rows int) []string {
	node, rows := &p.pic.nodes[n], min(rows, model.LoadFirst)
	d := drawing{c: p.c}
	var out []string
	wide := 0
	for _, t := range p.pic.here(n, rows) {
		wide = max(wide, ui.Width(ui.Clean(t.Short())))
	}
	for _, t := range p.pic.here(n, rows) {
		in := p.c.Est.Cell(t, node.st.Name)
		if in == nil {
			continue
		}
		if len(out) == rows-1 && node.Here > rows {
			return append(out, p.c.Dim.Render(p.c.T("topology.more", "n", node.Here-len(out))))
		}
		mark, _ := d.state(in.State)
		s := stateStyle(p.c, in.State).Render(mark) + " " + ui.Fit(ui.Clean(t.Short()), wide) + "  " + p.c.T("common.state-"+string(in.State)) + "  " + p.c.Dim.Render(p.c.Ago(in.Since))
		out = append(out, ui.Cut(s, w, p.c.Ellipsis))
	}
	return out
}

// flow puts texts side by side, two blanks apart, and breaks between them only.
func flow(parts []string, w int) []string {
	var out []string
	for _, s := range parts {
		if n := len(out) - 1; n >= 0 && ui.Width(out[n])+2+ui.Width(s) <= w {
			out[n] += "  " + s
			continue
		}
		out = append(out, s)
	}
	return out
}

// headline is the node's name, verdict and addresses in one line.
func (p *Page) headline(n, w int) string {
	node := &p.pic.nodes[n]
	mark, st := p.c.NotKnown, p.c.Unknown
	switch node.st.Verdict {
	case policy.Alive:
		mark, st = p.c.Alive, p.c.Good
	case policy.Degraded, policy.Hung:
		mark, st = p.c.Degraded, p.c.Warn
	case policy.Presumed, policy.Dead:
		mark, st = p.c.Dead, p.c.Bad
	}
	d := drawing{c: p.c}
	parts := []string{p.c.T("topology.since", "verdict", d.verdictWord(node), "age", p.c.Ago(node.st.Since))}
	rest := []string{p.c.T("topology.last-seen", "age", p.c.Ago(node.st.Seen)), ui.Clean(node.srv.Address), ui.Clean(node.srv.Instance), ui.Clean(node.srv.ENI)}
	for _, s := range rest {
		if s != "" {
			parts = append(parts, s)
		}
	}
	s := " " + st.Render(mark) + " " + p.c.Strong.Render(node.name) + "  "
	for i, x := range parts {
		if i > 0 {
			x = p.c.Dim.Render("  " + p.c.Bullet + "  " + x)
		} else {
			x = st.Render(x)
		}
		if ui.Width(s)+ui.Width(x)+ui.Width(p.more) <= w {
			s += x
		}
	}
	return ui.Fit(s, w-ui.Width(p.more)) + p.more
}

// why is the evidence for a verdict, wrapped.
func (p *Page) why(n, w int) []string {
	var out []string
	for _, r := range p.pic.nodes[n].st.Evidence {
		out = append(out, ui.Wrap(p.c.Bullet+" "+ui.Clean(p.c.Reason(r)), w)...)
	}
	return out
}

// paths are the comm paths from a node, one short text for each.
func (p *Page) paths(n int) []string {
	var out []string
	for _, peer := range p.c.Est.Index.Peers(p.pic.nodes[n].st.Name) {
		m, ok := p.pic.at[peer]
		if !ok {
			continue
		}
		w := p.pic.path(n, m)
		s := pathMark(p.c, w) + " " + p.pic.nodes[m].name
		if w != model.WayOK {
			s += " (" + p.c.T(pathWord(w)) + ")"
		}
		out = append(out, pathStyle(p.c, w)(s))
	}
	return out
}

func pathMark(c *ui.Context, w model.Way) string {
	return [...]string{c.Done, c.Attention, c.NotKnown, c.Failed}[w]
}

func pathStyle(c *ui.Context, w model.Way) func(...string) string {
	switch w {
	case model.WayOK:
		return c.Good.Render
	case model.WayPartly:
		return c.Warn.Render
	case model.WayCut:
		return c.Bad.Render
	}
	return c.Unknown.Render
}

func pathWord(w model.Way) string {
	return [...]string{"topology.path-ok", "topology.path-partly", "topology.path-unknown", "topology.path-cut"}[w]
}

func stateStyle(c *ui.Context, s hierarchy.State) lipgloss.Style {
	switch s {
	case hierarchy.ISP:
		return c.Good
	case hierarchy.ISU:
		return c.Warn
	case hierarchy.OSU:
		return c.Theme.Standby
	case hierarchy.OSF:
		return c.Bad
	}
	return c.Theme.Unknown
}
