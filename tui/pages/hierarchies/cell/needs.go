package cell

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Needs is the window for what a resource needs and what needs it: a list with boxes,
// narrowed by typing.
type Needs struct {
	c       *ui.Context
	tag     hierarchy.Tag
	parents bool // the list is of what needs it
	in      *ui.Input
	list    ui.List
	rows    []hierarchy.Tag
	est     *model.Estate // what rows were made from, with word and parents
	word    string
	side    bool
}

// NewNeeds makes it for a resource.
func NewNeeds(c *ui.Context, t hierarchy.Tag) *Needs {
	n := &Needs{c: c, tag: t, in: ui.NewInput(c)}
	n.in.Hint(c.T("hierarchies.needs-hint"))
	return n
}

// Title implements ui.Page.
func (n *Needs) Title() string {
	return n.c.T("hierarchies.needs-title", "tag", ui.Clean(string(n.tag)))
}

// Typing implements ui.Typer.
func (n *Needs) Typing() bool { return true }

// Actions implements ui.Page.
func (n *Needs) Actions() []ui.Action {
	return []ui.Action{{ID: "toggle", Key: "enter", Help: n.c.T("hierarchies.needs-toggle")}, {ID: "side", Key: "tab", Help: n.c.T("hierarchies.needs-side")},
		{ID: "close", Key: "esc", Help: n.c.T("common.close")}}
}

// Do implements ui.Page.
func (n *Needs) Do(id string) tea.Cmd {
	switch id {
	case "toggle":
		return n.toggle()
	case "side":
		n.parents, n.rows = !n.parents, nil
		n.list.At = 0
	case "close":
		return ui.Close(n)
	}
	return nil
}

// Update implements ui.Page.
func (n *Needs) Update(msg tea.Msg) tea.Cmd {
	n.derive()
	switch msg := msg.(type) {
	case ui.Click:
		if _, ok := n.list.Hit(msg.Y - needsHead); ok {
			return n.toggle()
		}
		if msg.Y == 0 {
			return n.Do("side")
		}
	case ui.Wheel:
		n.list.Update(msg)
	case tea.PasteMsg:
		return n.in.Update(msg)
	case tea.KeyPressMsg:
		switch k := msg.String(); k {
		case "enter":
			return n.toggle()
		case "tab", "shift+tab":
			return n.Do("side")
		case "esc":
			return ui.Close(n)
		case "up", "down", "pgup", "pgdown":
			n.list.Update(msg)
		default:
			return n.in.Update(msg)
		}
	}
	return nil
}

// derive lists what may be chosen: what is tied already first, then everything of the
// cluster that would not make a circle.
func (n *Needs) derive() {
	if n.est == n.c.Est && n.word == n.in.Value() && n.side == n.parents && n.rows != nil {
		return
	}
	n.est, n.word, n.side = n.c.Est, n.in.Value(), n.parents
	x := n.est.Index
	var was hierarchy.Tag // the cursor stays on it
	if n.list.At < len(n.rows) {
		was = n.rows[n.list.At]
	}
	tied, never := n.tied(), x.Ancestors(n.tag)
	if n.parents {
		never = x.Descendants(n.tag)
	}
	bad := map[hierarchy.Tag]bool{n.tag: true}
	for _, t := range never {
		bad[t] = true
	}
	n.rows = []hierarchy.Tag{}
	add := func(t hierarchy.Tag) {
		if ui.Matches(n.word, t.Short(), kitOf(n.est, t)) {
			n.rows = append(n.rows, t)
		}
	}
	for _, t := range tied {
		bad[t] = true
		add(t)
	}
	for _, t := range x.InCluster(n.tag.Cluster()) {
		if !bad[t] {
			add(t)
		}
	}
	n.list.SetN(len(n.rows))
	if at := slices.Index(n.rows, was); at >= 0 {
		n.list.At = at
	}
}

func kitOf(e *model.Estate, t hierarchy.Tag) string {
	if r := e.Res(t); r != nil {
		return r.Kit
	}
	return ""
}

func (n *Needs) tied() []hierarchy.Tag {
	if n.parents {
		return n.c.Est.Index.Parents(n.tag)
	}
	return n.c.Est.Index.Children(n.tag)
}

// toggle asks for the dependency under the cursor, or for its end.
func (n *Needs) toggle() tea.Cmd {
	n.derive()
	if n.list.At >= len(n.rows) {
		return nil
	}
	if why := offDefine(n.c, At{Tag: n.tag}); why != "" {
		return ui.Complain(why)
	}
	parent, child := n.tag, n.rows[n.list.At]
	has := slices.Contains(n.tied(), child)
	if n.parents {
		parent, child = child, parent
	}
	return ui.Do(dependency(n.c, parent, child, has))
}

func dependency(c *ui.Context, parent, child hierarchy.Tag, has bool) ui.Wish {
	w := ui.Wish{Title: c.T("hierarchies.needs-add", "parent", ui.Clean(string(parent)), "child", ui.Clean(string(child))),
		Command: "ferry dependency add " + ui.ShellWords(string(parent)) + " " + ui.ShellWords(string(child)),
		Edit:    edit.AddDependency{Parent: string(parent), Child: string(child)}}
	if has {
		w.Title = c.T("hierarchies.needs-remove", "parent", ui.Clean(string(parent)), "child", ui.Clean(string(child)))
		w.Command = "ferry dependency remove " + ui.ShellWords(string(parent)) + " " + ui.ShellWords(string(child))
		w.Edit = edit.RemoveDependency{Parent: string(parent), Child: string(child)}
	}
	return w
}

// Size implements ui.Sized.
func (n *Needs) Size(w, h int) (int, int) {
	n.derive()
	return min(w, 76), min(h, max(10, min(len(n.rows)+needsHead+1, 20)))
}

// needsHead is how many lines stand above the list.
const needsHead = 4

// View implements ui.Page.
func (n *Needs) View(w, h int) string {
	n.derive()
	c, tag := n.c, ui.Clean(n.tag.Short())
	sides := []string{c.T("hierarchies.needs-children", "tag", tag), c.T("hierarchies.needs-parents", "tag", tag)}
	on, off := sides[0], sides[1]
	if n.parents {
		on, off = off, on
	}
	head := c.Accent.Render(on) + "  " + c.Dim.Render("tab: "+off)
	what := c.T("hierarchies.needs-what")
	if len(n.rows) == 0 {
		what = c.T("hierarchies.needs-nothing")
	}
	top := []string{head, c.Dim.Render(what), c.Key.Render("/") + n.in.View(max(1, w-1)), ""}
	tied := n.tied()
	body := n.list.View(w, max(0, h-needsHead), func(i int, at bool) string {
		t, box := n.rows[i], c.Off
		if slices.Contains(tied, t) {
			box = c.On
		}
		return choice(c, "["+box+"] "+ui.Clean(t.Short())+"  "+ui.Clean(kitOf(n.est, t)), at, w)
	})
	body = ui.Highlight(body, n.in.Value(), c.Match)
	return ui.Lines(top, w, needsHead) + "\n" + ui.Block(body, w, max(1, h-needsHead))
}
