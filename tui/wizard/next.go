package wizard

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/ui"
)

// next asks what is to be done with a resource that was just made or extended.
type next struct {
	c    *ui.Context
	tag  hierarchy.Tag
	on   string // the server it was extended to; empty after a create
	done string // what has been done, as a sentence
}

func newNext(c *ui.Context, tag hierarchy.Tag, on, done string) *next {
	return &next{c: c, tag: tag, on: on, done: done}
}

func (n *next) Title() string { return n.c.T("wizard.next-title") }

// known is the resource; nil until a snapshot of the engine has it as it is now.
func (n *next) known() *hierarchy.Resource {
	if n.on != "" && n.c.Est.Index.Placement(n.tag, n.on) == nil {
		return nil
	}
	return n.c.Est.Index.Resource(n.tag)
}

// best is the server with the highest priority.
func (n *next) best() string {
	if all := n.c.Est.Index.PlacementsByPriority(n.tag); len(all) > 0 {
		return all[0].Server
	}
	return ""
}

func (n *next) active() string {
	if r := n.c.Est.Res(n.tag); r != nil {
		return r.Active
	}
	return ""
}

// unseen is a live server on which it has not been looked for yet: until then the engine
// starts it nowhere.
func (n *next) unseen() string {
	r := n.c.Est.Res(n.tag)
	if r == nil {
		return ""
	}
	for _, in := range r.On {
		if node := n.c.Est.Node(in.Server); in.State == hierarchy.ILLSTATE && in.Checked.IsZero() && node != nil && node.Verdict == policy.Alive {
			return in.Server
		}
	}
	return ""
}

func (n *next) Actions() []ui.Action {
	c := n.c
	extend := ui.Action{ID: "extend", Key: "e", Help: c.T("wizard.next-extend"), Off: c.MayAct(api.Administrator)}
	start := ui.Action{ID: "in-service", Key: "i", Help: c.T("wizard.next-start"), Off: c.MayAct(api.Operator)}
	switch r := n.known(); {
	case r == nil:
		extend.Off, start.Off = c.T("wizard.next-wait"), c.T("wizard.next-wait")
	default:
		if extend.Off == "" && len(free(c, r)) == 0 {
			extend.Off = c.T("wizard.everywhere", "tag", string(n.tag))
		}
		switch a, unseen := n.active(), n.unseen(); {
		case start.Off != "":
		case a != "":
			start.Off = c.T("wizard.next-active", "server", a)
		case unseen != "":
			start.Off = c.T("wizard.next-unseen", "server", unseen)
		}
	}
	return []ui.Action{extend, start, {ID: "close", Key: "esc", Help: c.T("wizard.next-later")}}
}

func (n *next) Do(id string) tea.Cmd {
	switch id {
	case "extend":
		return tea.Batch(ui.Close(n), ui.Show(Extend(n.c, string(n.tag))))
	case "in-service":
		node := n.best()
		return ui.Do(ui.Wish{ // this window stays: extending comes next, or trying again
			Title:   n.c.T("wizard.start-title", "tag", string(n.tag), "server", node),
			Command: ui.ShellWords("ferry", "in-service", string(n.tag), "--on", node),
			Goal:    &plan.Goal{Kind: plan.GoalInService, Tag: n.tag, Node: node},
		})
	}
	return ui.Close(n)
}

func (n *next) Update(tea.Msg) tea.Cmd { return nil }

// Size implements ui.Sized.
func (n *next) Size(w, h int) (int, int) {
	w = min(w, 70)
	return w, min(h, len(n.lines(w)))
}

func (n *next) View(w, h int) string { return ui.Lines(n.lines(w), w, h) }

func (n *next) lines(w int) []string {
	t, c := n.c.Theme, n.c
	out := []string{}
	for _, l := range ui.Wrap(ui.Clean(n.done), w-2) {
		lead := "  "
		if len(out) == 0 {
			lead = t.Good.Render(t.Done) + " "
		}
		out = append(out, lead+l)
	}
	if n.active() == "" {
		out = append(out, ui.Wrap(c.T("wizard.next-idle"), w)...)
	}
	out = append(out, "")
	for _, a := range n.Actions() {
		line := "  " + t.Key.Render(ui.Fit(a.Key, 4)) + a.Help
		if a.Off != "" {
			line = "  " + t.Dim.Render(ui.Fit(a.Key, 4)+a.Help+"  ("+a.Off+")")
		}
		out = append(out, ui.Cut(line, w, t.Ellipsis))
	}
	return out
}
