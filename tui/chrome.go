package tui

import (
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/ferry-ha/ferry/tui/ui"
)

// The smallest screen that is drawn; a smaller one says what it needs.
const (
	minW, minH = 60, 16
)

// View implements tea.Model.
func (a *app) View() tea.View {
	v := tea.NewView("")
	v.AltScreen, v.MouseMode = true, tea.MouseModeCellMotion
	if a.w == 0 || a.h == 0 || a.over {
		return v
	}
	v.WindowTitle = "ferry " + a.desk().name()
	if a.w < minW || a.h < minH {
		v.Content = ui.Block(a.text.T("root.too-small", "w", minW, "h", minH), a.w, a.h)
		return v
	}
	if v.Content = a.screen(); a.theme.ASCII {
		v.Content = plain.Replace(v.Content)
	}
	return v
}

// plain replaces the few marks that stand in texts and cuts, each by one of its width.
// (Japanese stays Japanese.)
var plain = strings.NewReplacer("…", "~", "→", ">", "←", "<", "↑", "^", "↓", "v", "·", ".", "•", "*", "–", "-", "—", "-", "×", "x", "’", "'")

// screen draws bars, page and windows.
func (a *app) screen() string {
	d := a.desk()
	top := a.head(d)
	body := max(1, a.h-len(top)-1)
	s := strings.Join(top, "\n") + "\n" + a.page(d, body) + "\n" + a.foot(d)
	for i, w := range d.windows {
		ww, wh := a.windowSize(w)
		box := ui.Box(a.theme, w.Title(), ui.Block(w.View(ww-4, wh-2), ww-4, wh-2), ww, wh, i == len(d.windows)-1)
		x, y := a.windowAt(ww, wh)
		s = lipgloss.NewCompositor(lipgloss.NewLayer(s), lipgloss.NewLayer(box).X(x).Y(y).Z(i+1)).Render()
	}
	if len(d.windows) > 0 { // the compositor leaves blanks at the ends of lines out
		s = ui.Block(s, a.w, a.h)
	}
	return s
}

// page draws the page; what its filter found stands out.
func (a *app) page(d *desk, h int) string {
	s := ui.Block(d.page().View(a.w, h), a.w, h)
	if f, ok := d.page().(ui.Filterer); ok {
		s = ui.Highlight(s, f.Filtered(), a.theme.Match)
	}
	return s
}

func (a *app) windowSize(w ui.Page) (int, int) {
	mw, mh := a.w-2, a.h-3
	ww, wh := min(mw, 110), mh
	if s, ok := w.(ui.Sized); ok {
		ww, wh = s.Size(mw-4, mh-2)
		ww, wh = ww+4, wh+2
	}
	return min(max(ww, 20), mw), min(max(wh, 5), mh)
}

// windowAt centres a window below the head.
func (a *app) windowAt(w, h int) (x, y int) { return (a.w - w) / 2, max(1, (a.h-1-h)/2) }

// head is the bars at the top: who and where, the pages, and what needs attention.
func (a *app) head(d *desk) []string {
	out := []string{a.bar(d), a.tabs(d)}
	if line := a.alarm(d); line != "" {
		out = append(out, line)
	}
	return out
}

// bar says which estate this is, who acts on it, and what one may do.
func (a *app) bar(d *desk) string {
	t, c := a.theme, d.ctx
	left := " ferry "
	for i, x := range a.desks {
		name := x.name()
		if len(a.desks) > 1 {
			name = a.health(x) + " " + name
		}
		if i == a.at && len(a.desks) > 1 {
			name = "[" + name + "]"
		}
		left += " " + name + " "
	}
	var right []string
	if c.Est.Known() {
		if c.Est.Engine.Automation {
			right = append(right, a.text.T("root.automation-on"))
		} else {
			right = append(right, a.text.T("root.automation-off"))
		}
	}
	if c.ReadOnly {
		right = append(right, a.text.T("root.read-only"))
	} else if c.Role > 0 {
		right = append(right, a.text.T("common.role-"+c.Role.String()))
	}
	right = append(right, c.Now.Local().Format("15:04:05")+" ")
	tail := strings.Join(right, " "+t.V+" ")
	return t.Bar.Render(ui.Fit(ui.Fit(left, max(0, a.w-ui.Width(tail)))+tail, a.w))
}

// health is one mark for an estate that is not in front.
func (a *app) health(d *desk) string {
	switch {
	case !d.ctx.Lost.IsZero() || !d.ctx.Est.Known():
		return a.theme.NotKnown
	case len(d.ctx.Est.Pending()) > 0:
		return a.theme.Attention
	case len(d.ctx.Est.Running) > 0:
		return a.theme.Running
	}
	return a.theme.Alive
}

// tabs are the pages with their numbers.
func (a *app) tabs(d *desk) string {
	var b strings.Builder
	for i, label := range a.tabLabels(d) {
		if a.kinds(d)[i] == d.here().kind {
			b.WriteString(a.theme.Accent.Render(label))
		} else {
			b.WriteString(a.theme.Dim.Render(label))
		}
	}
	return ui.Fit(b.String(), a.w)
}

// tabLabels are the names of the pages as tabs shows them: their long names, or where
// those do not fit the short ones, or numbers alone.
func (a *app) tabLabels(d *desk) []string {
	for _, form := range []struct {
		name func(*desk, ui.Kind) string
		gap  string
	}{{a.label, " "}, {a.shortLabel, " "}, {a.shortLabel, ""}} {
		var out []string
		w := 0
		for i, k := range a.kinds(d) {
			out = append(out, " "+strconv.Itoa(i+1)+" "+form.name(d, k)+form.gap)
			w += ui.Width(out[i])
		}
		if w <= a.w {
			return out
		}
	}
	var out []string
	for i, k := range a.kinds(d) {
		label := " " + strconv.Itoa(i+1) + " "
		if k == d.here().kind {
			label += a.label(d, k) + " "
		}
		out = append(out, label)
	}
	return out
}

func (a *app) shortLabel(d *desk, k ui.Kind) string {
	if id := "root.short-" + string(k); !strings.HasPrefix(a.text.T(id), "[") {
		return a.text.T(id)
	}
	return a.label(d, k)
}

func (a *app) label(d *desk, k ui.Kind) string {
	for _, x := range d.spec.More {
		if x.Kind == k {
			return x.Label(a.text)
		}
	}
	return a.text.T("root.page-" + string(k))
}

// alarm is the line for what must not be overlooked: a lost engine, a question, a
// notice of the engine.
func (a *app) alarm(d *desk) string {
	c := d.ctx
	switch pending := c.Est.Pending(); {
	case !c.Lost.IsZero() && c.Est.Known():
		return a.theme.Alarm.Render(ui.Fit(" "+a.theme.Attention+" "+a.text.T("root.lost", "age", c.Age(time.Now(), c.Lost), "at", c.Clock(time.Now(), c.Est.At)), a.w))
	case len(pending) > 0:
		q := pending[0]
		id := "root.question"
		if len(pending) > 1 {
			id = "root.questions"
		}
		left := a.text.Span(max(0, q.Until.Sub(c.Now)).Truncate(time.Second))
		return a.theme.Alarm.Render(ui.Fit(" "+a.theme.Ask+" "+ui.Clean(a.text.T(id, "count", len(pending), "tag", string(q.Tag), "from", q.From, "to", q.To, "region", q.ToRegion, "left", left)), a.w))
	case c.Est.Known() && c.Est.Engine.Notice != "":
		return a.theme.Warn.Render(ui.Fit(" "+a.theme.Attention+" "+ui.Clean(c.Est.Engine.Notice), a.w))
	case d.spec.Local && c.Est.Known():
		return a.theme.Warn.Render(ui.Fit(" "+a.text.T("root.local"), a.w))
	}
	return ""
}

// foot is the line at the bottom: what is typed, what was said, or what one can press.
func (a *app) foot(d *desk) string {
	switch {
	case a.filter != nil:
		return a.theme.Key.Render("/") + a.filter.in.View(a.w-1)
	case a.said != "" && a.bad:
		return a.theme.Bad.Render(ui.Fit(" "+a.said, a.w))
	case a.said != "":
		return a.theme.Good.Render(ui.Fit(" "+a.said, a.w))
	}
	return a.hints(d)
}

// hints are the keys of what is on top, as many as fit.
func (a *app) hints(d *desk) string {
	var hs []string
	if f, ok := d.page().(ui.Filterer); ok && f.Filtered() != "" && len(d.windows) == 0 {
		hs = append(hs, a.theme.Match.Render("/"+ui.Clean(f.Filtered())))
	}
	for _, x := range a.actions(d.top()) {
		if x.Quiet {
			continue
		}
		if x.Off != "" {
			hs = append(hs, a.theme.Dim.Render(a.keyName(x.Key)+" "+x.Help))
		} else {
			hs = append(hs, a.theme.Key.Render(a.keyName(x.Key))+" "+a.theme.Text.Render(x.Help))
		}
	}
	hs = append(hs, a.theme.Key.Render("?")+" "+a.theme.Text.Render(a.text.T("root.key-help")))
	line, w := "", 0
	last := hs[len(hs)-1]
	for i, h := range hs {
		n := ui.Width(h) + 2
		if i < len(hs)-1 && w+n+ui.Width(last)+2 > a.w {
			continue
		}
		line, w = line+" "+h+" ", w+n
	}
	return ui.Fit(line, a.w)
}

// keyName writes a key as keyboards do.
func (a *app) keyName(k string) string {
	switch k {
	case "enter":
		if !a.theme.ASCII {
			return "⏎"
		}
	case "space":
		return a.text.T("root.key-space")
	}
	return k
}

// name is the estate's own name, or the desk's until that is known.
func (d *desk) name() string {
	if n := d.ctx.Est.Name(); n != "" {
		return ui.Clean(n)
	}
	return ui.Clean(d.spec.Name)
}
