package cell

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/wizard"
)

// At is where a person is: on a resource, on a server, or both. Cluster is the one they
// are in, whatever it is about.
type At struct {
	Tag     hierarchy.Tag
	Node    string
	Cluster string
}

// The actions' names, for Do and for keys that a person chose.
const (
	InService    = "in-service"
	OutOfService = "out-of-service"
	Recover      = "recover"
	ExtendIt     = "extend"
	UnextendIt   = "unextend"
	DeleteIt     = "delete"
	New          = "new"
	Depend       = "dependencies"
	HoldIt       = "hold"
	CopyIt       = "copy"
	Explain      = "why"
	ToServer     = "server"
)

// Actions are what can be done with the cell, each with why not.
func Actions(c *ui.Context, a At) []ui.Action {
	t := func(id string) string { return c.T("hierarchies." + id) }
	why := ui.Action{ID: Explain, Key: "w", Help: t("do-why"), Off: something(c, a)}
	var out []ui.Action
	if a.Tag != "" {
		out = append(out,
			ui.Action{ID: InService, Key: "i", Help: t("do-in"), Off: offIn(c, a)},
			ui.Action{ID: OutOfService, Key: "o", Help: t("do-out"), Off: offOut(c, a)},
			why,
			ui.Action{ID: Recover, Key: "r", Help: t("do-recover"), Off: offRecover(c, a)},
			ui.Action{ID: HoldIt, Key: "m", Help: t("do-hold"), Off: offHold(c)},
			ui.Action{ID: ExtendIt, Key: "e", Help: t("do-extend"), Off: offExtend(c, a)},
			ui.Action{ID: UnextendIt, Key: "u", Help: t("do-unextend"), Off: offUnextend(c, a)},
			ui.Action{ID: Depend, Key: "D", Help: t("do-needs"), Off: offDefine(c, a)},
			ui.Action{ID: DeleteIt, Key: "d", Help: t("do-delete"), Off: offDelete(c, a)})
	} else {
		out = append(out, why, ui.Action{ID: HoldIt, Key: "m", Help: t("do-hold"), Off: offHold(c)})
	}
	return append(out,
		ui.Action{ID: New, Key: "n", Help: t("do-new"), Off: offNew(c)},
		ui.Action{ID: ToServer, Key: "s", Help: t("do-server"), Off: offServer(c, a), Quiet: true},
		ui.Action{ID: CopyIt, Key: "y", Help: t("do-copy"), Off: something(c, a), Quiet: true})
}

// Do carries an action out.
func Do(c *ui.Context, a At, id string) tea.Cmd {
	switch id {
	case InService, OutOfService, Recover:
		return ui.Do(command(c, a, id))
	case ExtendIt:
		return ui.Show(wizard.Extend(c, string(a.Tag)))
	case New:
		return ui.Show(wizard.Create(c, a.Cluster))
	case UnextendIt:
		return ui.Do(unextend(c, a))
	case DeleteIt:
		return remove(c, a.Tag)
	case Depend:
		return ui.Show(NewNeeds(c, a.Tag))
	case HoldIt:
		return ui.Show(NewHold(c, a))
	case Explain:
		return ui.Show(NewWhy(c, a))
	case ToServer:
		return ui.Go(ui.Server, a.Node)
	case CopyIt:
		return copyName(c, a)
	}
	return nil
}

func copyName(c *ui.Context, a At) tea.Cmd {
	name := string(a.Tag)
	if name == "" {
		name = a.Node
	}
	return ui.Copy(ui.Clean(name), ui.Clean(name))
}

// command is a wish that the engine plans.
func command(c *ui.Context, a At, id string) ui.Wish {
	tag := ui.Clean(string(a.Tag))
	line := " " + ui.ShellWords(string(a.Tag))
	switch id {
	case InService:
		return ui.Wish{Title: c.T("hierarchies.goal-in", "tag", tag, "node", ui.Clean(a.Node)), Command: "ferry in-service" + line + " --on " + ui.ShellWords(a.Node),
			Goal: &plan.Goal{Kind: plan.GoalInService, Tag: a.Tag, Node: a.Node}}
	case OutOfService:
		return ui.Wish{Title: c.T("hierarchies.goal-out", "tag", tag), Command: "ferry out-of-service" + line,
			Goal: &plan.Goal{Kind: plan.GoalOutOfService, Tag: a.Tag}}
	}
	at := active(c, a.Tag)
	return ui.Wish{Title: c.T("hierarchies.goal-recover", "tag", tag, "node", ui.Clean(at)), Command: "ferry resource recover" + line + " --on " + ui.ShellWords(at),
		Goal: &plan.Goal{Kind: plan.GoalRecover, Tag: a.Tag, Node: at}}
}

func unextend(c *ui.Context, a At) ui.Wish {
	all := len(c.Est.Index.Roots(a.Tag)) > 1
	line := "ferry resource unextend " + ui.ShellWords(string(a.Tag)) + " --from " + ui.ShellWords(a.Node)
	if all {
		line += " --all-roots"
	}
	return ui.Wish{Title: c.T("hierarchies.unextend", "tag", ui.Clean(string(a.Tag)), "node", ui.Clean(a.Node)), Command: line,
		Edit: edit.Unextend{Tag: string(a.Tag), Server: a.Node, AllRoots: all}}
}

func active(c *ui.Context, t hierarchy.Tag) string {
	if r := c.Est.Res(t); r != nil {
		return model.Holder(r)
	}
	return ""
}

// names are tags as their cluster knows them, in one line; of many only the first.
func names(c *ui.Context, ts []hierarchy.Tag) string {
	var out []string
	for _, t := range ts[:min(len(ts), 5)] {
		out = append(out, ui.Clean(t.Short()))
	}
	if len(ts) > 5 {
		out = append(out, c.Ellipsis)
	}
	return strings.Join(out, ", ")
}

// remove asks what goes: the resource alone, or what it needs, too.
func remove(c *ui.Context, t hierarchy.Tag) tea.Cmd {
	below := below(c, t)
	if len(below) == 0 {
		return ui.Do(deletion(c, t, nil))
	}
	return ui.Show(newRemove(c, t, below))
}

// below is what a resource needs and nothing else does.
func below(c *ui.Context, t hierarchy.Tag) []hierarchy.Tag {
	gone := []hierarchy.Tag{t}
	down := c.Est.Index.Descendants(t)
	slices.Reverse(down) // parents first
	for _, d := range down {
		if !slices.ContainsFunc(c.Est.Index.Parents(d), func(p hierarchy.Tag) bool { return !slices.Contains(gone, p) }) {
			gone = append(gone, d)
		}
	}
	return gone[1:]
}

func deletion(c *ui.Context, t hierarchy.Tag, below []hierarchy.Tag) ui.Wish {
	w := ui.Wish{Title: c.T("hierarchies.delete", "tag", ui.Clean(string(t))), Command: "ferry resource delete " + ui.ShellWords(string(t)),
		Edit: edit.Delete{Tag: string(t), Below: len(below) > 0}}
	if len(below) > 0 {
		w.Title = c.T("hierarchies.delete-below", "tag", ui.Clean(string(t)), "below", names(c, below))
		w.Command += " --below"
	}
	return w
}
