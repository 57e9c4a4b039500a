package server

import (
	"strings"

	"github.com/ferry-ha/ferry/tui/ui"
)

func (f *flagPanel) rows(w int) int {
	return max(1, len(f.peers)) + f.head() + len(f.notes(w)) + len(f.meaning(w))
}

// head is how many lines stand above the rows.
func (f *flagPanel) head() int { return 2 }

// widths are those of the names' column and of the first boxes' one.
func (f *flagPanel) widths(w int) (name, confirm int) {
	for _, x := range f.peers {
		name = max(name, ui.Width(f.label(x)))
	}
	confirm = ui.Width(f.p.c.T("server.confirm")) + 3
	return min(name+3, max(8, w-confirm-ui.Width(f.p.c.T("server.block"))-2)), confirm
}

// label is a row's name: the server, and where it is when that is elsewhere.
func (f *flagPanel) label(peer string) string {
	s := ui.Clean(peer)
	switch {
	case peer == f.p.name:
		s += " " + f.p.c.T("server.itself")
	case !f.p.c.Est.Index.SameRegion(peer, f.p.name):
		s += "  " + ui.Clean(f.p.c.Est.Index.RegionOf(peer))
	}
	return s
}

func (f *flagPanel) view(w, h int, focus bool) string {
	c := f.p.c
	if len(f.peers) == 0 {
		return ui.Lines([]string{c.T("server.off-no-cluster")}, w, h)
	}
	name, confirm := f.widths(w)
	head := []string{
		c.Dim.Render(ui.Cut(c.T("server.flags-lead", "node", ui.Clean(f.p.name)), w, c.Ellipsis)),
		c.Strong.Render(strings.Repeat(" ", name) + ui.Fit(c.T("server.confirm"), confirm) + c.T("server.block")),
	}
	notes := f.notes(w)
	if focus {
		notes = append(notes, f.meaning(w)...)
	}
	rows := max(1, h-len(head)-len(notes))
	body := f.list.View(w, min(rows, len(f.peers)), func(i int, at bool) string {
		return f.row(f.peers[i], name, confirm, at && focus)
	})
	lines := append(head, strings.Split(body, "\n")...)
	for len(lines)+len(notes) < h {
		lines = append(lines, "")
	}
	return ui.Lines(append(lines, notes...), w, h)
}

func (f *flagPanel) row(peer string, name, confirm int, at bool) string {
	now, want := f.now(peer), f.want(peer)
	label := f.label(peer)
	if ui.Width(label) > name-1 { // the name alone, whole as far as that goes
		label = ui.Cut(ui.Clean(peer), name-1, f.p.c.Ellipsis)
	}
	label = ui.Fit(label, name)
	if at {
		label = f.p.c.Strong.Render(label)
	}
	return label + f.box(want.Confirm, now.Confirm, at && f.col == 0) + strings.Repeat(" ", confirm-6) + f.box(want.Block, now.Block, at && f.col == 1)
}

// box is a check box in six cells, with a mark where the draft differs.
func (f *flagPanel) box(on, was, at bool) string {
	c := f.p.c
	s := "[" + map[bool]string{true: c.On, false: c.Off}[on] + "]"
	point := " "
	if at {
		point, s = c.Closed, c.Theme.Cursor.Render(s)
	} else if on != was {
		s = c.Warn.Render(s)
	}
	changed := "  "
	if on != was {
		changed = c.Warn.Render("* ")
	}
	return c.Theme.Accent.Render(point) + s + changed
}

// notes stand below the rows: what a draft is, and why it is refused.
func (f *flagPanel) notes(w int) []string {
	c := f.p.c
	if len(f.draft) == 0 {
		return nil
	}
	out := []string{c.Warn.Render(ui.Cut("* "+c.T("server.changed", "n", len(f.draft)), w, c.Ellipsis))}
	if f.refused != "" {
		for _, l := range ui.Wrap(c.Failed+" "+f.refused, w) {
			out = append(out, c.Bad.Render(l))
		}
	}
	return out
}

// meaning says what the box under the cursor does.
func (f *flagPanel) meaning(w int) []string {
	if len(f.peers) == 0 {
		return nil
	}
	id := "server.confirm-means"
	if f.col == 1 {
		id = "server.block-means"
	}
	if f.peer() == f.p.name {
		id = "server.itself-means"
	}
	out := []string{f.p.c.Theme.Frame.Render(strings.Repeat(f.p.c.H, w))}
	for _, l := range ui.Wrap(f.p.c.T(id, "viewer", ui.Clean(f.p.name), "peer", ui.Clean(f.peer())), w) {
		out = append(out, f.p.c.Dim.Render(l))
	}
	return out
}
