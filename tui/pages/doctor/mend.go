package doctor

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/tui/ui"
)

// mended is what came of a fix.
type mended struct {
	w       *mend
	finding string
	m       *api.Mended
	err     error
}

// mend is the window that shows a safe fix, asks, has it carried out and says what came of it.
type mend struct {
	c      *ui.Context
	f      doctor.Finding
	check  doctor.Check
	sent   bool
	done   *api.Mended
	bad    error
	scroll ui.Scroll
}

func newMend(c *ui.Context, f doctor.Finding, check doctor.Check) *mend {
	return &mend{c: c, f: f, check: check}
}

// Title implements ui.Page.
func (m *mend) Title() string {
	return m.c.T("doctor.mend-title", "check", ui.Clean(m.f.Check), "where", ui.Clean(m.f.Where))
}

// Actions implements ui.Page.
func (m *mend) Actions() []ui.Action {
	t := m.c.T
	over := m.done != nil || m.bad != nil
	switch {
	case over:
		return []ui.Action{{ID: "close", Key: "enter", Help: t("common.close")}}
	case m.sent:
		return []ui.Action{{ID: "go", Key: "enter", Help: t("doctor.key-go"), Off: t("doctor.off-sent"), Quiet: true}, {ID: "close", Key: "esc", Help: t("doctor.key-leave")}}
	}
	return []ui.Action{{ID: "go", Key: "enter", Help: t("doctor.key-go"), Off: m.c.MayAct(api.Administrator)}, {ID: "close", Key: "esc", Help: t("common.cancel")}}
}

// Do implements ui.Page.
func (m *mend) Do(id string) tea.Cmd {
	if id != "go" {
		return ui.Close(m)
	}
	if m.sent {
		return nil
	}
	m.sent = true
	order := api.Mending{Finding: m.f.ID(), Command: m.f.Fix.Command, Nodes: m.f.Nodes}
	return m.c.CallWithin(limit, func(ctx context.Context, s api.Service) tea.Msg {
		d, err := api.AsDoctor(s)
		if err != nil {
			return mended{m, order.Finding, nil, err}
		}
		out, err := d.Mend(ctx, order)
		return mended{m, order.Finding, out, err}
	})
}

// Update implements ui.Page.
func (m *mend) Update(msg tea.Msg) tea.Cmd {
	if x, ok := msg.(mended); ok {
		if x.w == m {
			m.done, m.bad = x.m, x.err
			m.scroll.Top = 1 << 20 // what came of it stands at the end
		}
		return nil
	}
	m.scroll.Update(msg)
	return nil
}

// Size implements ui.Sized.
func (m *mend) Size(w, h int) (int, int) {
	w = min(w, 96)
	return w, min(h, len(m.lines(w)))
}

// View implements ui.Page.
func (m *mend) View(w, h int) string { return m.scroll.View(m.lines(w), w, h) }

func (m *mend) lines(w int) []string {
	c := m.c
	var out []string
	if said := ui.Clean(c.Reason(m.f.Reason)); said != "" {
		out = append(out, ui.Wrap(said, w)...)
	}
	for _, s := range fixes(c, &m.f, m.check) {
		for _, l := range ui.Wrap(s, w) {
			out = append(out, c.Dim.Render(l))
		}
	}
	out = append(out, commandLines(c, &m.f, w)...)
	out = append(out, "")
	return append(out, m.state(w)...)
}

// state says what is asked, what runs, or what came of it.
func (m *mend) state(w int) []string {
	c := m.c
	var out []string
	say := func(look func(...string) string, s string) {
		for _, l := range ui.Wrap(s, w) {
			out = append(out, look(l))
		}
	}
	switch {
	case m.bad != nil:
		e := api.AsError(m.bad)
		say(c.Bad.Render, c.Attention+" "+c.T("doctor.mend-failed", "why", ui.Clean(e.Message)))
		if hint := ui.Clean(e.Hint); hint != "" {
			say(c.Text.Render, hint)
		}
		if (e.Kind == api.KindUnavailable || e.Kind == api.KindTimeout) && !ui.NeverSent(m.bad) && !api.NoDoctor(m.bad) {
			say(c.Warn.Render, c.T("doctor.mend-unsure"))
		}
	case m.done != nil && m.done.Gone:
		say(c.Good.Render, c.Done+" "+c.T("doctor.mend-gone"))
	case m.done != nil:
		say(c.Warn.Render, c.Attention+" "+c.T("doctor.mend-still"))
	case m.sent:
		say(c.Accent.Render, c.Spinner()+" "+c.T("doctor.mend-running"))
	default:
		say(c.Text.Render, c.T("doctor.mend-ask"))
	}
	if m.done != nil && m.done.Output != "" {
		out = append(out, "")
		for _, l := range ui.CleanLines(m.done.Output, 20) {
			for _, l := range ui.Wrap(l, w) {
				out = append(out, c.Dim.Render(l))
			}
		}
	}
	return out
}
