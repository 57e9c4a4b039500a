package act

import (
	"context"
	"fmt"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/ui"
)

// editJob changes the definition.
type editJob struct {
	c    *ui.Context
	wish ui.Wish
	// abandon lets what is in service be deleted: it keeps running, and nothing watches it.
	abandon bool
	// refusal is why the engine would not do it, since something is in service.
	refusal *api.Error

	next  api.Apply
	diff  []api.Change
	notes []string
	known bool
}

// proposed is the next definition and what the engine says to it. why is a refusal that
// the preview shows beside what would change.
type proposed struct {
	next  api.Apply
	diff  []api.Change
	notes []string
	why   *api.Error
}

func (j *editJob) need() api.Role { return api.Administrator }

func (j *editJob) look() func(context.Context, api.Service) (any, error) {
	ed, reg, abandon := j.wish.Edit, j.c.Kits, j.abandon
	return func(ctx context.Context, s api.Service) (any, error) {
		e, err := s.Export(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the definition: %w", err)
		}
		if e == nil {
			return nil, &api.Error{Kind: api.KindNoSuch, Message: "there is no definition yet", Hint: "`ferry apply FILE` puts one in force"}
		}
		res, err := edit.Make(e, reg, ed)
		if err != nil {
			return nil, err
		}
		out := proposed{next: api.Apply{Estate: res.Estate, Base: hierarchy.Digest(e), Abandon: abandon}, notes: res.Notes}
		for _, c := range res.Changes {
			out.diff = append(out.diff, api.Change(c))
		}
		dry := out.next
		dry.DryRun = true
		would, err := s.Apply(ctx, dry)
		switch why := api.AsError(err); {
		case err == nil:
			out.diff = would.Changes
		case why.Code == api.DefinitionChanged: // applying it will find out, and look again
		case why.Kind == api.KindUnsafe:
			out.why = why
		default:
			return nil, err
		}
		return out, nil
	}
}

func (j *editJob) saw(x any) {
	p := x.(proposed)
	j.next, j.diff, j.notes, j.known = p.next, p.diff, p.notes, true
	j.refusal = p.why
}

// tag is the resource that the wish takes away; empty when it takes none.
func (j *editJob) tag() hierarchy.Tag {
	name := ""
	switch ed := j.wish.Edit.(type) {
	case edit.Delete:
		name = ed.Tag
	case edit.Unextend:
		name = ed.Tag
	}
	if name == "" {
		return ""
	}
	if r, err := j.c.Est.Index.Find(name); err == nil {
		return r.Tag
	}
	return hierarchy.Tag(name)
}

// runs tells where what is taken away is in service; empty when it is not.
func (j *editJob) runs() string {
	r := j.c.Est.Res(j.tag())
	if r == nil {
		return ""
	}
	if u, ok := j.wish.Edit.(edit.Unextend); ok {
		if cell := j.c.Est.Cell(r.Tag, u.Server); cell != nil && (cell.State.InService() || r.Active == u.Server) {
			return u.Server
		}
		return ""
	}
	return r.Active
}

func (j *editJob) off() string {
	switch {
	case !j.known:
		return j.c.T("act.off-no-preview")
	case j.refusal != nil:
		return j.c.T("act.off-refused", "why", ui.Clean(j.refusal.Message))
	case len(j.diff) == 0:
		return j.c.T("act.off-no-change")
	}
	return ""
}

func (j *editJob) word() (want, prompt string) {
	if j.tag() == "" || j.runs() == "" && !j.abandon {
		return "", ""
	}
	want = string(j.tag())
	return want, j.c.T("act.type-tag", "tag", ui.Clean(want))
}

func (j *editJob) send(string) func(context.Context, api.Service) (any, error) {
	next := j.next
	return func(ctx context.Context, s api.Service) (any, error) { return s.Apply(ctx, next) }
}

func (j *editJob) sent(x any) (op, say string) {
	return "", j.c.T("act.in-force", "n", len(x.(*api.Applied).Changes))
}

// abandonable: only a delete can leave running what it deletes.
func (j *editJob) abandonable() bool {
	_, del := j.wish.Edit.(edit.Delete)
	return del && j.refusal != nil && !j.abandon
}

func (j *editJob) extra() []ui.Action {
	if j.abandonable() {
		return []ui.Action{{ID: "abandon", Key: "A", Help: j.c.T("act.key-abandon"), Off: j.c.MayAct(j.need())}}
	}
	return nil
}

func (j *editJob) press(id string) bool {
	if id != "abandon" || !j.abandonable() {
		return false
	}
	j.abandon = true
	return true
}

func (j *editJob) command() string {
	if j.abandon && j.wish.Command != "" {
		return j.wish.Command + " --force"
	}
	return j.wish.Command
}

func (j *editJob) sections() []section {
	if !j.known {
		return nil
	}
	c := j.c
	out := []section{{lines: j.head}, {title: c.T("act.changes"), main: true, lines: func(w int) []string { return changes(c, j.diff, w) }}}
	if len(j.notes) > 0 {
		out = append(out, section{title: c.T("act.notes"), lines: func(w int) []string {
			var lines []string
			for _, n := range j.notes {
				lines = append(lines, hang(c.Warn.Render(c.Attention)+" ", ui.Clean(n), w)...)
			}
			return lines
		}})
	}
	return append(out, section{title: c.T("act.when"), lines: func(w int) []string { return ui.Wrap(c.T("act.when-at-once"), w) }})
}

// head is what must not be overlooked: a refusal, and what is taken away while it runs.
func (j *editJob) head(w int) []string {
	c := j.c
	var out []string
	say := func(paint func(...string) string, text string) {
		for _, l := range ui.Wrap(text, w) {
			out = append(out, paint(l))
		}
	}
	if r := j.refusal; r != nil {
		for _, l := range hang(c.Marks.Failed+" ", c.T("act.refused", "why", ui.Clean(r.Message)), w) {
			out = append(out, c.Bad.Render(l))
		}
		say(c.Text.Render, ui.Clean(r.Hint))
		if j.abandonable() {
			say(c.Warn.Render, c.T("act.may-abandon"))
		}
		return out
	}
	tag, on := ui.Clean(string(j.tag())), ui.Clean(j.runs())
	switch {
	case j.abandon && on != "":
		say(c.Alarm.Render, " "+c.Attention+" "+c.T("act.abandons", "tag", tag, "node", on)+" ")
	case on != "":
		say(c.Alarm.Render, " "+c.Attention+" "+c.T("act.takes-running", "tag", tag, "node", on)+" ")
	case tag != "":
		say(c.Bad.Render, c.T("act.takes-away", "tag", tag))
	}
	return out
}

// changes are the differences between two definitions.
func changes(c *ui.Context, all []api.Change, w int) []string {
	if len(all) == 0 {
		return ui.Wrap(c.T("act.off-no-change"), w)
	}
	var out []string
	for _, x := range all {
		mark, paint := "~", c.Warn
		switch x.Op {
		case "add":
			mark, paint = "+", c.Good
		case "remove":
			mark, paint = "-", c.Bad
		}
		text := ui.Clean(x.What)
		from, to := ui.Clean(x.From), ui.Clean(x.To)
		switch {
		case x.Op == "change" || from != "" && to != "":
			text += ": " + orNone(c, from) + " " + c.Arrow + " " + orNone(c, to)
		case from+to != "":
			text += ": " + from + to
		}
		out = append(out, hang(paint.Render(mark)+" ", text, w)...)
		if x.Note != "" {
			for _, l := range ui.Wrap(ui.Clean(x.Note), max(8, w-4)) {
				out = append(out, "    "+c.Dim.Render(l))
			}
		}
	}
	return out
}

func orNone(c *ui.Context, s string) string {
	if s == "" {
		return c.T("act.nothing-there")
	}
	return s
}

// hang wraps text under itself behind a lead of two cells.
func hang(lead, text string, w int) []string {
	var out []string
	for i, l := range ui.Wrap(text, max(8, w-2)) {
		if i > 0 {
			lead = "  "
		}
		out = append(out, lead+l)
	}
	return out
}
