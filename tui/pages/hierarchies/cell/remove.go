package cell

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Remove asks what is deleted with a resource. The question whether at all comes after it.
type Remove struct {
	c     *ui.Context
	tag   hierarchy.Tag
	below []hierarchy.Tag
	list  ui.List
}

func newRemove(c *ui.Context, t hierarchy.Tag, below []hierarchy.Tag) *Remove {
	r := &Remove{c: c, tag: t, below: below}
	r.list.SetN(2)
	return r
}

// Title implements ui.Page.
func (r *Remove) Title() string {
	return r.c.T("hierarchies.delete", "tag", ui.Clean(string(r.tag)))
}

// Actions implements ui.Page.
func (r *Remove) Actions() []ui.Action {
	return []ui.Action{{ID: "choose", Key: "enter", Help: r.c.T("hierarchies.choose")}}
}

// Do implements ui.Page.
func (r *Remove) Do(string) tea.Cmd {
	below := r.below
	if r.list.At == 0 {
		below = nil
	}
	return tea.Batch(ui.Close(r), ui.Do(deletion(r.c, r.tag, below)))
}

// Update implements ui.Page.
func (r *Remove) Update(msg tea.Msg) tea.Cmd {
	if click, ok := msg.(ui.Click); ok {
		if _, hit := r.list.Hit(click.Y); hit {
			return r.Do("")
		}
		return nil
	}
	r.list.Update(msg)
	return nil
}

// Size implements ui.Sized.
func (r *Remove) Size(w, h int) (int, int) { return min(w, 76), min(h, 5) }

// View implements ui.Page.
func (r *Remove) View(w, h int) string {
	texts := []string{r.c.T("hierarchies.delete-alone", "tag", ui.Clean(r.tag.Short())),
		r.c.T("hierarchies.delete-with", "n", len(r.below), "below", names(r.c, r.below))}
	s := r.list.View(w, min(h, 2), func(i int, at bool) string { return choice(r.c, texts[i], at, w) })
	return ui.Block(s+"\n\n"+r.c.Dim.Render(ui.Cut(r.c.T("hierarchies.delete-note"), w, r.c.Ellipsis)), w, h)
}

// choice draws a line of a list of choices.
func choice(c *ui.Context, s string, at bool, w int) string {
	if at {
		return c.Cursor.Render(ui.Fit(c.Closed+" "+s, w))
	}
	return c.Text.Render(ui.Fit("  "+s, w))
}
