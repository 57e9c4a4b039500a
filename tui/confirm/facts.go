package confirm

import (
	"maps"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/steps"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Facts are the lines of why a question was asked and what is known: the cause, each
// reason, who reaches whom with the age of that.
func Facts(c *ui.Context, q policy.Question, w int) []string {
	out := append(data(c, q, w), section(c, c.T("confirm.why"), w)...)
	out = append(out, ui.Wrap(ui.Clean(c.Reason(cause(c, q))), w)...)
	out = append(out, "")
	out = append(out, section(c, c.T("confirm.known", "from", ui.Clean(q.From)), w)...)
	for _, r := range evidence(c, q) {
		out = append(out, bullet(c, ui.Clean(c.Reason(r)), w)...)
	}
	if q.State == policy.Pending {
		out = append(out, "")
		out = append(out, reaches(c, q, w)...)
	}
	return out
}

// Plan are the lines of what a question would start: what changes, what is left alone,
// each step.
func Plan(c *ui.Context, q policy.Question, w int) []string {
	out := section(c, c.T("confirm.changes"), w)
	out = append(out, steps.Effects(c, q.Plan, w)...)
	out = append(out, steps.Notes(c, q.Plan, w)...)
	out = append(out, "")
	out = append(out, section(c, c.T("confirm.untouched"), w)...)
	out = append(out, steps.Untouched(c, q.Plan, w)...)
	out = append(out, "")
	out = append(out, section(c, c.T("confirm.plan"), w)...)
	return append(out, steps.Lines(c, q.Plan, nil, w)...)
}

func section(c *ui.Context, title string, w int) []string {
	return []string{c.Accent.Render(ui.Cut(title, w, c.Ellipsis))}
}

func bullet(c *ui.Context, text string, w int) []string {
	var out []string
	for i, line := range ui.Wrap(text, max(1, w-2)) {
		lead := "  "
		if i == 0 {
			lead = c.Bullet + " "
		}
		out = append(out, lead+line)
	}
	return out
}

// cause is why the question is asked. It was written when it was asked; while it waits,
// a node that was presumed dead or hung may turn out to be off.
func cause(c *ui.Context, q policy.Question) kits.Reason {
	n := c.Est.Node(q.From)
	switch q.Cause.Code {
	case "cause-presumed-dead", "cause-dead", "cause-hung", "cause-hung-fence":
	default: // it is not about the node
		return q.Cause
	}
	if n == nil || q.State != policy.Pending || strings.HasPrefix(q.Cause.Code, "cause-"+string(n.Verdict)) {
		return q.Cause
	}
	now := "cause-" + string(n.Verdict)
	sentence, lost := policy.Texts()[now]
	if !lost {
		return q.Cause
	}
	return kits.Why(now, strings.ReplaceAll(sentence, "{node}", q.From), "node", q.From)
}

// evidence is what is known of the node that would be left. The snapshot's own word on
// the node is newer than the question's, which is written anew only when something else
// than a number in it changes; only the question knows of quorum and fencing.
func evidence(c *ui.Context, q policy.Question) []kits.Reason {
	n := c.Est.Node(q.From)
	if n == nil || q.State != policy.Pending || len(n.Evidence) == 0 {
		return q.Evidence
	}
	out := slices.Clone(n.Evidence)
	for _, r := range q.Evidence {
		if strings.HasPrefix(r.Code, "evidence-quorum-") || strings.HasPrefix(r.Code, "evidence-fence-") {
			out = append(out, r)
		}
	}
	return out
}

// reaches is the table of who reaches whom in the cluster; where it is too narrow for
// that, the same in words.
func reaches(c *ui.Context, q policy.Question, w int) []string {
	var servers []string
	if cl := c.Est.Index.ClusterOf(q.To); cl != nil {
		servers = cl.Servers
	}
	out := section(c, c.T("confirm.reaches", "at", c.Clock(c.Now, c.Est.At)), w)
	t := newGrid(c, servers)
	if t.width() <= w {
		return append(out, t.draw(q, w)...)
	}
	for _, s := range servers {
		out = append(out, inWords(c, s, w)...)
	}
	return out
}

// grid is the table: a line per node, a column per node that was asked about it.
type grid struct {
	c       *ui.Context
	nodes   []*api.NodeStatus
	name    int
	verdict []string
	vw      int
	seen    []string
	sw      int
}

func newGrid(c *ui.Context, servers []string) *grid {
	g := &grid{c: c, sw: ui.Width(c.T("confirm.engine"))}
	for _, s := range servers {
		n := c.Est.Node(s)
		if n == nil {
			continue
		}
		g.nodes = append(g.nodes, n)
		v := mark(c, n.Verdict) + " " + c.T("common.verdict-"+string(n.Verdict)) + " " + c.Ago(n.Since)
		seen := lastSeen(c, n)
		g.verdict, g.seen = append(g.verdict, v), append(g.seen, seen)
		g.name, g.vw, g.sw = max(g.name, ui.Width(ui.Clean(s))), max(g.vw, ui.Width(v)), max(g.sw, ui.Width(seen))
	}
	return g
}

func (g *grid) width() int {
	w := g.name + 2 + g.vw + 2 + g.sw
	for _, n := range g.nodes {
		w += 2 + ui.Width(ui.Clean(n.Name))
	}
	return w
}

func (g *grid) draw(q policy.Question, w int) []string {
	c := g.c
	head := strings.Repeat(" ", g.name+2+g.vw+2) + ui.Fit(c.T("confirm.engine"), g.sw)
	for _, n := range g.nodes {
		head += "  " + ui.Clean(n.Name)
	}
	out := []string{c.Dim.Render(head)}
	for i, n := range g.nodes {
		name := ui.Fit(ui.Clean(n.Name), g.name)
		if n.Name == q.From || n.Name == q.To {
			name = c.Strong.Render(name)
		}
		line := name + "  " + paint(c, n.Verdict).Render(ui.Fit(g.verdict[i], g.vw)) + "  " + ui.Fit(g.seen[i], g.sw)
		for _, by := range g.nodes {
			line += "  " + g.cell(n, by)
		}
		out = append(out, line)
	}
	return append(out, painted(c.Dim, ui.Wrap(c.T("confirm.legend", "yes", c.Done, "no", c.Failed, "unknown", c.NotKnown), w))...)
}

// cell is what one node says of reaching another.
func (g *grid) cell(of, by *api.NodeStatus) string {
	m, st := g.c.NotKnown, g.c.Unknown
	switch says := g.c.Est.Says(by.Name, of.Name); {
	case of == by:
		m, st = g.c.Skipped, g.c.Dim
	case says == kits.OK:
		m, st = g.c.Done, g.c.Good
	case says == kits.Failed:
		m, st = g.c.Failed, g.c.Bad
	}
	return st.Render(ui.Fit(m, ui.Width(ui.Clean(by.Name))))
}

// lastSeen is when the engine itself reached a node last; a mark while it does.
func lastSeen(c *ui.Context, n *api.NodeStatus) string {
	switch {
	case n.Seen.IsZero():
		return c.T("common.never")
	case c.Now.Sub(n.Seen) < 30*time.Second && (n.Verdict == policy.Alive || n.Verdict == policy.Degraded):
		return c.Done
	}
	return c.T("confirm.ago", "age", c.Ago(n.Seen))
}

// inWords says of one node who reaches it.
func inWords(c *ui.Context, server string, w int) []string {
	n := c.Est.Node(server)
	if n == nil {
		return nil
	}
	by := map[kits.Outcome][]string{}
	for _, p := range slices.Sorted(maps.Keys(n.Peers)) {
		says := c.Est.Says(p, server)
		by[says] = append(by[says], ui.Clean(p))
	}
	list := func(o kits.Outcome) string {
		if s := strings.Join(by[o], ", "); s != "" {
			return s
		}
		return c.T("confirm.nobody")
	}
	return bullet(c, c.T("confirm.reached-by", "node", ui.Clean(server), "verdict", c.T("common.verdict-"+string(n.Verdict)), "age", c.Ago(n.Since),
		"seen", c.Ago(n.Seen), "yes", list(kits.OK), "no", list(kits.Failed), "unknown", list(kits.Unknown)), w)
}

func mark(c *ui.Context, v policy.Verdict) string {
	switch v {
	case policy.Alive:
		return c.Alive
	case policy.Degraded:
		return c.Degraded
	case policy.Hung, policy.Presumed, policy.Dead:
		return c.Dead
	}
	return c.NotKnown
}

func paint(c *ui.Context, v policy.Verdict) lipgloss.Style {
	switch v {
	case policy.Alive:
		return c.Good
	case policy.Degraded:
		return c.Warn
	case policy.Hung, policy.Presumed, policy.Dead:
		return c.Bad
	}
	return c.Unknown
}
