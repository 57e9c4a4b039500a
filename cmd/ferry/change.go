package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/spf13/cobra"
)

// changing are the flags of commands that change the definition.
type changing struct{ dryRun, yes bool }

func (f *changing) bind(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show the difference and change nothing")
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
}

// wish is a change of the definition that can be made again on another one.
type wish struct {
	// edits are made of the definition in force; it may ask the person.
	edits func(ctx context.Context, c *conn, e *hierarchy.Estate) ([]edit.Edit, error)
	// abandon lets resources be deleted that are in service.
	abandon bool
	// after is said once it is in force; may be empty.
	after string
	// look shows before the change what doctor finds on the servers that it takes something to.
	look bool
}

// these wishes for edits that need nothing of the definition.
func these(edits ...edit.Edit) wish {
	return wish{edits: func(context.Context, *conn, *hierarchy.Estate) ([]edit.Edit, error) { return edits, nil }}
}

// changeTries is how often a change is made anew when somebody else changed the
// definition between the look and the change.
const changeTries = 3

// change shows what a wish would make of the definition and, after a yes, puts it in force.
func (a *cli) change(ctx context.Context, f changing, w wish) error {
	return a.with(ctx, false, func(c *conn) error { return a.changeOn(ctx, c, f, w) })
}

func (a *cli) changeOn(ctx context.Context, c *conn, f changing, w wish) error {
	seen := ""
	for try := 1; ; try++ {
		now, next, would, notes, err := a.propose(ctx, c, w)
		if err != nil {
			return err
		}
		describe(would.Changes, next.Estate)
		if f.dryRun || len(would.Changes) == 0 {
			return a.printChange(would.Changes, notes, false)
		}
		if w.look && try == 1 {
			a.sayObstacles(ctx, c, concerned(now, next.Estate, nil))
		}
		if text := view.Changes(would.Changes, term.Style{}) + strings.Join(notes, "\n"); !f.yes && text != seen {
			a.sayNotes(notes)
			if err := a.approveChanges(ctx, would.Changes); err != nil {
				return err
			}
			seen = text
		}
		done, err := c.Apply(ctx, next)
		if changedMeanwhile(err) && try < changeTries {
			a.say("notice: somebody else changed the definition meanwhile; looking again")
			continue
		}
		if err != nil {
			return err
		}
		describe(done.Changes, next.Estate)
		err = a.printChange(done.Changes, notes, true)
		if w.after != "" {
			a.say("%s", w.after)
		}
		return err
	}
}

func changedMeanwhile(err error) bool {
	var e *api.Error
	return errors.As(err, &e) && e.Code == api.DefinitionChanged
}

// propose makes the next definition of the one in force (now) and asks the engine what it
// thinks of it. What comes along with a resource (an openswan resource's ec2 child) is read
// from its servers by the engine.
func (a *cli) propose(ctx context.Context, c *conn, w wish) (now *hierarchy.Estate, next api.Apply, would *api.Applied, notes []string, err error) {
	s, err := c.snapshot(ctx)
	if err != nil {
		return now, next, nil, nil, err
	}
	now, err = c.Export(ctx)
	if err != nil {
		return now, next, nil, nil, err
	}
	edits, err := w.edits(ctx, c, now)
	if err != nil {
		return now, next, nil, nil, editError(err)
	}
	reg := a.deps.registry()
	whole, err := api.Complete(ctx, c, now, reg, edits...)
	if err != nil {
		return now, next, nil, nil, editError(err)
	}
	res, err := edit.Make(now, reg, whole)
	if err != nil {
		return now, next, nil, nil, editError(err)
	}
	notes = append(res.Notes, leftRunning(s, res.Estate)...)
	next = api.Apply{Estate: res.Estate, Base: hierarchy.Digest(now), Abandon: w.abandon}
	if len(res.Changes) == 0 {
		return now, next, &api.Applied{}, notes, nil
	}
	dry := next
	dry.DryRun = true
	would, err = c.Apply(ctx, dry)
	if changedMeanwhile(err) { // the change itself will find out and look again
		would, err = asked(res.Changes), nil
	}
	return now, next, would, notes, err
}

func asked(cs []hierarchy.Change) *api.Applied {
	out := &api.Applied{}
	for _, c := range cs {
		out.Changes = append(out.Changes, api.Change{Op: c.Op, What: c.What, From: c.From, To: c.To, Note: c.Note})
	}
	return out
}

// describe says of each new resource what it consists of.
func describe(cs []api.Change, next *hierarchy.Estate) {
	x := hierarchy.NewIndex(next)
	for i, c := range cs {
		tag, is := strings.CutPrefix(c.What, "resource ")
		r := x.Resource(hierarchy.Tag(tag))
		if c.Op != "add" || !is || r == nil || c.Note != "" {
			continue
		}
		parts := []string{"switchback " + string(r.Switchback)}
		for _, t := range r.Children {
			parts = append(parts, "needs "+t.Short())
		}
		parts = append(parts, pairs(r.Attrs)...)
		for _, p := range x.PlacementsByPriority(r.Tag) {
			parts = append(parts, strings.Join(append([]string{fmt.Sprintf("%s priority %d", p.Server, p.Priority)}, pairs(p.Attrs)...), " "))
		}
		cs[i].Note = strings.Join(parts, "; ")
	}
}

func pairs(attrs map[string]string) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(attrs)) {
		out = append(out, k+"="+attrs[k])
	}
	return out
}

// leftRunning says what is in service and would no longer be watched.
func leftRunning(s *api.Snapshot, next *hierarchy.Estate) []string {
	x := hierarchy.NewIndex(next)
	var out []string
	for _, r := range s.Resources {
		if r.Active != "" && x.Resource(r.Tag) == nil {
			out = append(out, fmt.Sprintf("%s keeps running on %s, and nothing watches, recovers or stops it any more", r.Tag, r.Active))
		}
	}
	return out
}

func (a *cli) sayNotes(notes []string) {
	for _, n := range notes {
		a.say("%s %s", a.errStyle.Paint(term.Warn, "note:"), term.Clean(n))
	}
}

// printChange prints what changed or would change, with notes.
func (a *cli) printChange(cs []api.Change, notes []string, applied bool) error {
	doc := ChangesDocument{Version: api.Version, Kind: "Changes", Applied: applied, Changes: cs, Notes: notes}
	return a.print(doc, func() string { return a.changesText(cs, applied) + a.notesText(notes) })
}

func (a *cli) notesText(notes []string) string {
	var b strings.Builder
	for _, n := range notes {
		fmt.Fprintf(&b, "%s %s\n", a.outStyle.Paint(term.Warn, "note:"), term.Clean(n))
	}
	return b.String()
}

// editError gives what an edit found its kind.
func editError(err error) error {
	var own *edit.Error
	var bad *edit.InvalidError
	switch {
	case errors.As(err, &own):
		kinds := map[edit.Kind]api.ErrorKind{edit.NoSuch: api.KindNoSuch, edit.Wrong: api.KindUsage, edit.Refused: api.KindConfig}
		return &api.Error{Kind: kinds[own.Kind], Message: own.Text, Hint: own.Fix}
	case errors.As(err, &bad):
		var texts, fixes []string
		for _, p := range bad.Problems {
			texts = append(texts, p.Text)
			if p.Fix != "" {
				fixes = append(fixes, p.Fix)
			}
		}
		return &api.Error{Kind: api.KindConfig, Message: strings.Join(texts, "; "), Hint: strings.Join(fixes, "\n")}
	}
	return err
}
