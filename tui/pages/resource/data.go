package resource

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/pages/hierarchies/cell"
	"github.com/ferry-ha/ferry/tui/ui"
)

const (
	// barCells is the width of a progress bar.
	barCells = 24
	// silence is for how long nothing may have been heard until that is said aloud: a few
	// heartbeats.
	silence = 30 * time.Second
)

// data is the replication panel: what each node's copy is worth, how far one that is being
// copied is, and who could take over.
func (p *Page) data(b *writer, r *api.ResourceStatus) {
	if r.Data == nil {
		return
	}
	b.head(p.c.T("replication.title"))
	legs := model.Legs(r)
	p.dataFacts(b, r, legs)
	wide := legWidths{}
	for _, l := range legs {
		wide.node = max(wide.node, ui.Width(ui.Clean(l.Node)))
		wide.role = max(wide.role, ui.Width(p.role(l)))
		wide.state = max(wide.state, ui.Width(p.legState(l)))
	}
	for _, l := range legs {
		p.leg(b, r, l, wide)
	}
	for _, t := range r.Data.Tasks {
		p.task(b, t)
	}
}

// dataFacts are about the data as a whole.
func (p *Page) dataFacts(b *writer, r *api.ResourceStatus, legs []model.Leg) {
	c, d := p.c, r.Data
	var facts []cell.Fact
	add := func(id string, tone cell.Tone, text string) {
		facts = append(facts, cell.Fact{Label: c.T("replication." + id), Text: text, Tone: tone})
	}
	if d.Doubtful {
		add("doubtful", cell.Alarm, c.T("replication.doubtful-means"))
	}
	if why := ui.Clean(c.Reason(d.Impaired)); why != "" && !stands(r, d.Impaired) {
		add("wrong", cell.Warn, why)
	}
	source, takers := model.DataSource(legs)
	switch {
	case source == "" && d.Recorded.IsZero():
		add("source", cell.Dim, c.T("replication.nothing"))
	case source == "":
		add("source", cell.NotKnown, c.T("replication.not-told"))
	default:
		add("source", cell.Plain, p.sourceText(source, legs))
		tone, text := p.takeover(takers)
		facts = append(facts, cell.Fact{Label: c.T("replication.if-lost", "node", ui.Clean(source)), Text: text, Tone: tone})
	}
	tone, text := p.heard(d)
	add("heard", tone, text)
	if !d.Recorded.IsZero() {
		add("recorded", cell.Dim, c.T("hierarchies.ago", "age", cell.Ago(c, d.Recorded), "at", c.Clock(c.Now, d.Recorded)))
	}
	left := min(labelWidth(facts), b.w/2)
	for _, f := range facts {
		b.pair("data:"+f.Label, f.Label, left, f.Tone, f.Text)
	}
}

// stands tells that a reason is shown with a server already.
func stands(r *api.ResourceStatus, why kits.Reason) bool {
	return slices.ContainsFunc(r.On, func(i api.InstanceStatus) bool { return i.Reason.Code == why.Code && i.Reason.Text == why.Text })
}

func (p *Page) sourceText(source string, legs []model.Leg) string {
	if g := ui.Clean(legs[0].Generation); g != "" {
		return ui.Clean(source) + ", " + p.c.T("replication.generation", "number", g)
	}
	return ui.Clean(source)
}

// takeover says who would get the data without anybody's word.
func (p *Page) takeover(takers []string) (cell.Tone, string) {
	if len(takers) == 0 {
		return cell.Warn, p.c.T("replication.nobody-takes")
	}
	names := make([]string, len(takers))
	for i, n := range takers {
		names[i] = ui.Clean(n)
	}
	return cell.Good, p.c.T("replication.takes", "nodes", strings.Join(names, ", "))
}

func (p *Page) heard(d *api.DataStatus) (cell.Tone, string) {
	c := p.c
	switch {
	case d.Heard.IsZero():
		return cell.NotKnown, c.T("replication.not-heard")
	case c.Now.Sub(d.Heard) > silence:
		return cell.Warn, c.T("replication.heard-late", "age", cell.Ago(c, d.Heard))
	}
	return cell.Dim, c.T("replication.heard-ago", "age", cell.Ago(c, d.Heard))
}

// legWidths are the widths of a leg's columns.
type legWidths struct{ node, role, state int }

// leg is one node's copy: a line for what it is, and lines for what follows from that.
func (p *Page) leg(b *writer, r *api.ResourceStatus, l model.Leg, wide legWidths) {
	c := p.c
	key := "leg:" + l.Node
	n := len(b.items)
	mark, tone := p.legFace(l)
	mode := p.said("mode", l.Mode)
	spans := []span{{tone, " " + mark + " "}, {cell.Strong, ui.Fit(ui.Clean(l.Node), wide.node) + "  "}, {cell.Plain, ui.Fit(p.role(l), wide.role) + "  "}}
	beside := 3 + wide.node + 2 + wide.role + 2 + wide.state + 2 + ui.Width(mode)
	spans = append(spans, span{tone, ui.Fit(p.legState(l), wide.state) + "  "})
	if beside <= b.w {
		spans = append(spans, span{cell.Dim, mode})
	}
	b.line(key, spans...)
	if beside > b.w && mode != "" {
		b.text(key, cell.Dim, legIndent, mode)
	}
	p.progress(b, key, l)
	for _, f := range p.legFacts(r.Kit, l) {
		b.text(key, f.Tone, legIndent, f.Text)
	}
	open := opener(ui.Server, l.Node)
	for ; n < len(b.items); n++ {
		b.items[n].open = open
		if c.Est.Cell(r.Tag, l.Node) != nil { // actions are about it from here on
			b.items[n].node = l.Node
		}
	}
}

const legIndent = 6

// legFace: only what is a copy at this moment is good.
func (p *Page) legFace(l model.Leg) (string, cell.Tone) {
	c := p.c
	switch {
	case l.Source && l.Promote == model.SourceBad:
		return c.Marks.Failed, cell.Bad
	case l.Source && l.State == "":
		return c.Marks.InService, cell.Active
	case l.Source && l.State == "out of service":
		return c.Marks.Standby, cell.Standby
	case l.Source && l.State == "writes wait":
		return c.Held, cell.Bad
	case l.Source:
		return c.Marks.Unknown, cell.NotKnown
	case l.Promote == model.Doubtful:
		return c.Marks.Unknown, cell.NotKnown
	case l.State == "in sync" && l.Promote == model.Free:
		return c.Marks.InService, cell.Good
	case l.State == "in sync": // it follows, and is no copy to rely on
		return c.Marks.Impaired, cell.Plain
	case l.InSync():
		return c.Held, cell.Warn
	case l.State == "resyncing" || l.State == "connecting":
		return c.Spinner(), cell.Accent
	case l.State == "":
		return c.Marks.Unknown, cell.NotKnown
	case l.State == "paused":
		return c.Held, cell.Warn
	}
	return c.Marks.Failed, cell.Bad
}

func (p *Page) role(l model.Leg) string {
	if l.Source {
		return p.c.T("replication.role-source")
	}
	return p.c.T("replication.role-target")
}

// legState is the state in the reader's language, with how far it is.
func (p *Page) legState(l model.Leg) string {
	s := p.said("state", l.State)
	if l.Percent >= 0 {
		s += " " + itoa(l.Percent) + " %"
	}
	return s
}

// said puts a kit's words into the reader's language; words that no catalog has stand as
// the kit says them.
func (p *Page) said(what, words string) string {
	if words == "" {
		return ""
	}
	id := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}, strings.ToLower(words))
	if id = "replication." + what + "-" + id; p.c.Has(id) {
		return p.c.T(id)
	}
	return ui.Clean(words)
}

// progress of a resync: a bar, and what is left.
func (p *Page) progress(b *writer, key string, l model.Leg) {
	c := p.c
	if l.Percent < 0 {
		return
	}
	var parts []string
	if l.Speed != "" {
		parts = append(parts, ui.Clean(l.Speed))
	}
	if l.Left != "" {
		parts = append(parts, c.T("replication.left", "what", ui.Clean(l.Left)))
	}
	if l.ETA != "" {
		eta := ui.Clean(l.ETA)
		if d, err := time.ParseDuration(l.ETA); err == nil {
			eta = c.Span(d)
		}
		parts = append(parts, c.T("replication.eta", "span", eta))
	}
	text := strings.Join(parts, ", ")
	lead := strings.Repeat(" ", legIndent)
	if legIndent+barCells+2+ui.Width(text) > b.w {
		b.line(key, span{cell.Plain, lead}, span{cell.Accent, ui.Gauge(c.Theme, float64(l.Percent)/100, barCells) + c.V})
		b.text(key, cell.Plain, legIndent, text)
		return
	}
	b.line(key, span{cell.Plain, lead}, span{cell.Accent, ui.Gauge(c.Theme, float64(l.Percent)/100, barCells) + c.V}, span{cell.Plain, "  " + text})
}

// legFacts are what one must know of a copy beside its state.
func (p *Page) legFacts(kit string, l model.Leg) []cell.Fact {
	c := p.c
	var out []cell.Fact
	add := func(tone cell.Tone, text string) { out = append(out, cell.Fact{Text: text, Tone: tone}) }
	if l.Why != "" {
		id := "replication.because"
		if l.State == "resyncing" || l.State == "connecting" {
			id = "replication.was-out"
		}
		add(cell.Plain, c.T(id, "why", p.why(l.Why)))
	}
	if l.Backlog != "" {
		add(cell.Plain, c.T("replication.backlog", "what", p.writes(l.Backlog)))
	}
	if text := p.known(l); text != "" && l.Promote != model.NeverComplete {
		add(cell.Plain, text)
	}
	if !l.Source || l.Promote != model.Free {
		tone := cell.Plain
		if l.Promote == model.Free {
			tone = cell.Good
		}
		add(tone, p.promotion(l))
	}
	for _, k := range slices.Sorted(maps.Keys(l.Rest)) {
		add(cell.Dim, p.detail(kit, k)+": "+ui.Clean(l.Rest[k]))
	}
	return out
}

// why a copy is out, in the reader's language.
func (p *Page) why(words string) string {
	if node, is := strings.CutSuffix(words, " became the source"); is {
		return p.c.T("replication.why-became-the-source", "node", ui.Clean(node))
	}
	return p.said("why", words)
}

// writes are a number of writes in the reader's language.
func (p *Page) writes(words string) string {
	number, is := strings.CutSuffix(words, " writes")
	if n, err := strconv.Atoi(number); is && err == nil {
		return p.c.T("replication.writes", "n", n)
	}
	return ui.Clean(words)
}

// known says since when it is in sync, or how old its data is.
func (p *Page) known(l model.Leg) string {
	c := p.c
	switch {
	case l.Source:
		return ""
	case l.Never:
		return c.T("replication.never-in-sync")
	case !l.Last.IsZero():
		return c.T("replication.last-in-sync", "at", c.Clock(c.Now, l.Last), "age", cell.Ago(c, l.Last))
	case l.InSync() && !l.Since.IsZero():
		return c.T("replication.in-sync-since", "at", c.Clock(c.Now, l.Since), "age", cell.Ago(c, l.Since))
	}
	return ""
}

// promotion says whether the node may take over by itself, and why not.
func (p *Page) promotion(l model.Leg) string {
	c := p.c
	if l.Promote == model.Free {
		return c.T("replication.promote-free")
	}
	id, not := "replication.promote-"+string(l.Promote), "replication.promote-not"
	if l.Promote.Settles() {
		not = "replication.promote-settles"
	}
	if !c.Has(id) {
		return c.T(not, "why", ui.Clean(string(l.Promote)))
	}
	return c.T(not, "why", c.T(id))
}

// task is something that is done for the data beside operations.
func (p *Page) task(b *writer, t api.TaskStatus) {
	c := p.c
	key := "task:" + t.Node
	word := ui.Clean(t.Name)
	if id := "replication.task-" + t.Name; c.Has(id) {
		word = c.T(id)
	}
	args := []any{"task", word, "node", ui.Clean(t.Node), "age", cell.Ago(c, t.Began), "tries", itoa(max(t.Tries, 1))}
	mark, tone, id := c.Attention, cell.Warn, "replication.task-waits"
	if t.Running {
		mark, tone, id = c.Spinner(), cell.Accent, "replication.task-runs"
	}
	for i, l := range ui.Wrap(c.T(id, args...), max(8, b.w-3)) {
		if i > 0 {
			mark = " "
		}
		b.line(key, span{tone, " " + mark + " "}, span{cell.Plain, l})
	}
	if why := ui.Clean(cmp.Or(c.Reason(t.Failed), c.Reason(t.Why))); why != "" {
		b.text(key, cell.Plain, legIndent, why)
	}
}
