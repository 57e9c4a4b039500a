package cell

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui/ui"
)

// maxHold is the engine's own limit: a forgotten hold must not switch automation off for
// good.
const maxHold = 30 * 24 * time.Hour

// Hold is the window for a maintenance hold: for what, for how long, why. Where there
// is a hold, it can be ended.
type Hold struct {
	c      *ui.Context
	scopes []string
	scope  int
	span   int // an index of spans; the one after the last is typed
	field  int
	typed  *ui.Input
	why    *ui.Input
	wrong  string
}

// The fields of the window, from the top.
const (
	fieldScope = iota
	fieldSpan
	fieldWhy
	fields
)

// spans are how long work takes.
func spans() []time.Duration {
	return []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour, 8 * time.Hour}
}

// NewHold makes it: for the cell's hierarchy, its server, its cluster, everything.
func NewHold(c *ui.Context, a At) *Hold {
	h := &Hold{c: c, span: 1, typed: ui.NewInput(c), why: ui.NewInput(c)}
	for _, s := range []string{string(a.Tag), a.Node, a.Cluster} {
		if s != "" {
			h.scopes = append(h.scopes, s)
		}
	}
	h.scopes = append(h.scopes, "")
	h.typed.Hint(c.T("hierarchies.hold-typed"))
	h.why.Hint(c.T("hierarchies.hold-why-hint"))
	h.focus(fieldSpan)
	return h
}

// Title implements ui.Page.
func (h *Hold) Title() string { return h.c.T("hierarchies.hold-title") }

// Typing implements ui.Typer.
func (h *Hold) Typing() bool { return true }

// Actions implements ui.Page.
func (h *Hold) Actions() []ui.Action {
	out := []ui.Action{{ID: "next", Key: "enter", Help: h.c.T("hierarchies.hold-next")}}
	if h.there() != nil {
		out = append(out, ui.Action{ID: "end", Key: "ctrl+d", Help: h.c.T("hierarchies.hold-end")})
	}
	return append(out, ui.Action{ID: "close", Key: "esc", Help: h.c.T("common.cancel")})
}

// Do implements ui.Page.
func (h *Hold) Do(id string) tea.Cmd {
	switch id {
	case "next":
		return h.next()
	case "end":
		return h.end()
	}
	return ui.Close(h)
}

// Update implements ui.Page.
func (h *Hold) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ui.Click:
		if i := msg.Y - holdHead; i >= 0 && i < fields {
			h.focus(i)
		}
	case tea.PasteMsg:
		return h.input(msg)
	case tea.KeyPressMsg:
		switch msg.String() {
		case "esc":
			return ui.Close(h)
		case "ctrl+d":
			return h.end()
		case "enter":
			return h.next()
		case "up", "shift+tab":
			h.focus(h.field - 1)
		case "down", "tab":
			h.focus(h.field + 1)
		case "left":
			return h.turn(-1, msg)
		case "right":
			return h.turn(1, msg)
		default:
			return h.input(msg)
		}
	}
	return nil
}

func (h *Hold) focus(i int) {
	h.field = min(max(i, 0), fields-1)
	h.typed.Blur()
	h.why.Blur()
	if h.field == fieldWhy {
		h.why.Focus()
	}
	if h.field == fieldSpan && h.span == len(spans()) {
		h.typed.Focus()
	}
}

// turn changes a choice, or moves in a text.
func (h *Hold) turn(by int, msg tea.Msg) tea.Cmd {
	switch h.field {
	case fieldScope:
		h.scope = (h.scope + by + len(h.scopes)) % len(h.scopes)
	case fieldSpan:
		n := len(spans()) + 1
		h.span = (h.span + by + n) % n
		h.focus(fieldSpan)
	default:
		return h.input(msg)
	}
	return nil
}

// input is typed into the field that takes text; what is typed over a choice of times is
// a time of one's own.
func (h *Hold) input(msg tea.Msg) tea.Cmd {
	h.wrong = ""
	switch h.field {
	case fieldWhy:
		return h.why.Update(msg)
	case fieldSpan:
		if k, ok := msg.(tea.KeyPressMsg); ok && (k.Text == "" || k.Text == " ") && h.span < len(spans()) {
			return nil
		}
		h.span = len(spans())
		h.focus(fieldSpan)
		return h.typed.Update(msg)
	}
	return nil
}

// next goes to the field below, and from the last one asks for the hold.
func (h *Hold) next() tea.Cmd {
	if h.field < fieldWhy {
		h.focus(h.field + 1)
		return nil
	}
	d, wrong := h.length()
	if wrong == "" && strings.TrimSpace(h.why.Value()) == "" {
		wrong = h.c.T("hierarchies.hold-no-why")
	}
	if wrong == "" {
		wrong = h.c.MayAct(api.Operator)
	}
	if h.wrong = wrong; wrong != "" {
		return nil
	}
	return tea.Batch(ui.Close(h), ui.Do(h.wish(d)))
}

// length is for how long, or what is wrong with what was typed.
func (h *Hold) length() (d time.Duration, wrong string) {
	if h.span < len(spans()) {
		return spans()[h.span], ""
	}
	d, err := time.ParseDuration(strings.ReplaceAll(strings.TrimSpace(h.typed.Value()), " ", ""))
	if err != nil || d < time.Second || d > maxHold {
		return 0, h.c.T("hierarchies.hold-bad-time")
	}
	return d, ""
}

func (h *Hold) wish(d time.Duration) ui.Wish {
	scope, why := h.scopes[h.scope], strings.TrimSpace(h.why.Value())
	line := "ferry hold "
	if scope != "" {
		line += ui.ShellWords(scope) + " "
	}
	return ui.Wish{Title: h.c.T("hierarchies.hold-wish", "scope", h.name(scope), "span", h.c.Span(d)),
		Command: line + "--for " + flag(d) + " --why " + ui.ShellWords(why), Hold: &api.Hold{Scope: scope, Until: h.c.Now.Add(d), Why: why}}
}

// flag writes a duration as the command reads it: 90m → 1h30m, 36h stays.
func flag(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// there is the hold on the chosen scope; nil when there is none.
func (h *Hold) there() *api.HoldStatus {
	for i := range h.c.Est.Holds {
		if h.c.Est.Holds[i].Scope == h.scopes[h.scope] {
			return &h.c.Est.Holds[i]
		}
	}
	return nil
}

func (h *Hold) end() tea.Cmd {
	if h.there() == nil {
		h.wrong = h.c.T("hierarchies.hold-none", "scope", h.name(h.scopes[h.scope]))
		return nil
	}
	if h.wrong = h.c.MayAct(api.Operator); h.wrong != "" {
		return nil
	}
	scope := h.scopes[h.scope]
	line := "ferry hold "
	if scope != "" {
		line += ui.ShellWords(scope) + " "
	}
	return tea.Batch(ui.Close(h), ui.Do(ui.Wish{Title: h.c.T("hierarchies.hold-end-wish", "scope", h.name(scope)), Command: line + "--release", Hold: &api.Hold{Scope: scope}}))
}

// name says what a scope covers.
func (h *Hold) name(scope string) string {
	switch {
	case scope == "":
		return h.c.T("hierarchies.scope-estate")
	case strings.Contains(scope, "/"):
		return h.c.T("hierarchies.scope-hierarchy", "tag", ui.Clean(scope))
	case h.c.Est.Node(scope) != nil:
		return h.c.T("hierarchies.scope-node", "node", ui.Clean(scope))
	}
	return h.c.T("hierarchies.scope-cluster", "cluster", ui.Clean(scope))
}

// Size implements ui.Sized.
func (h *Hold) Size(w, height int) (int, int) { return min(w, 76), min(height, 11) }

// holdHead is how many lines stand above the fields.
const holdHead = 3

// View implements ui.Page.
func (h *Hold) View(w, height int) string {
	c := h.c
	out := ui.Wrap(c.T("hierarchies.hold-what"), w)
	out = append(out[:min(len(out), holdHead-1)], make([]string, max(0, holdHead-len(out)))...)
	labels := []string{c.T("hierarchies.hold-scope"), c.T("hierarchies.hold-for"), c.T("hierarchies.hold-why")}
	left := 0
	for _, l := range labels {
		left = max(left, ui.Width(l))
	}
	for i, v := range []string{h.choice(h.name(h.scopes[h.scope]), fieldScope), " " + h.spanLine(), "  " + h.why.View(max(1, w-left-6))} {
		label := ui.Fit(labels[i], left)
		if i == h.field {
			label = c.Key.Render(c.Closed + " " + label)
		} else {
			label = c.Dim.Render("  " + label)
		}
		out = append(out, label+"  "+v)
	}
	out = append(out, "")
	if x := h.there(); x != nil {
		out = append(out, c.Warn.Render(ui.Cut(c.T("hierarchies.hold-there")+" "+HoldText(c, *x), w, c.Ellipsis)))
	}
	if h.wrong != "" {
		for _, l := range ui.Wrap(h.wrong, w) {
			out = append(out, c.Bad.Render(l))
		}
	}
	return ui.Lines(out, w, height)
}

func (h *Hold) choice(s string, field int) string {
	if h.field == field {
		return h.c.Cursor.Render(h.c.Left + " " + s + " " + h.c.Arrow)
	}
	return h.c.Text.Render("  " + s)
}

func (h *Hold) spanLine() string {
	var parts []string
	for i, d := range spans() {
		s := " " + h.c.Span(d) + " "
		if i == h.span {
			s = h.c.Cursor.Render("[" + h.c.Span(d) + "]")
		}
		parts = append(parts, s)
	}
	s := strings.Join(parts, " ") + "  "
	if h.span == len(spans()) {
		return s + h.typed.View(18)
	}
	return s + h.c.Dim.Render(h.c.T("hierarchies.hold-own"))
}
