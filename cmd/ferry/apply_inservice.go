package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/bringup"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// raising is one run of apply --in-service. It keeps nothing between two runs: what is left is
// found out from the engine each time.
type raising struct {
	*cli
	c    *conn
	f    applying
	next *hierarchy.Estate
	x    *hierarchy.Index
	reg  kits.Registry
	// base is the digest of the definition that the changes were shown against; empty = there is none.
	base    string
	changes []api.Change
	// applied: the changes are in force.
	applied bool
	// agreed is what was shown, and did what became of each.
	agreed []bringup.Work
	did    []BroughtUp
}

func (a *cli) applyInService(ctx context.Context, e *hierarchy.Estate, file string, f applying) error {
	return a.with(ctx, true, func(c *conn) error {
		reg := a.deps.registry()
		r := &raising{cli: a, c: c, f: f, next: e, reg: reg, x: hierarchy.NewIndexFor(e, reg)}
		err := r.run(ctx)
		if ctx.Err() != nil {
			a.say("the same command goes on where this one stopped: ferry apply %s --in-service", view.Quote(file))
		}
		return err
	})
}

func (r *raising) run(ctx context.Context) error {
	if err := r.survey(ctx); err != nil {
		return err
	}
	if r.f.dryRun {
		return errors.Join(r.print(func() string {
			return r.changesText(r.changes, false) + view.Works(r.agreed, r.outStyle) + r.nothingText()
		}), r.unfinished())
	}
	if !r.nothing() {
		if err := r.approve(ctx); err != nil {
			return err
		}
	}
	if err := r.putInForce(ctx); err != nil {
		return err
	}
	for i := range r.agreed {
		if err := r.raise(ctx, i); err != nil {
			return err
		}
	}
	if err := r.copies(ctx); err != nil {
		return err
	}
	return errors.Join(r.print(r.summary), r.unfinished())
}

// survey finds out what the file changes, and what is not in service.
func (r *raising) survey(ctx context.Context) error {
	s, err := steady(ctx, r, func(ctx context.Context) (*api.Snapshot, error) { return r.c.Snapshot(ctx) })
	if err != nil {
		return err
	}
	if s.Estate == nil {
		r.changes = differences(nil, r.next)
	} else if s, err = r.compare(ctx); err != nil {
		return err
	}
	r.agreed = bringup.Make(r.x, r.reg, s)
	r.did = make([]BroughtUp, len(r.agreed))
	for i, w := range r.agreed {
		r.did[i] = BroughtUp{Work: w, Did: DidNothing}
	}
	return nil
}

// compare is survey where a definition is in force: the engine says what it thinks of the change.
func (r *raising) compare(ctx context.Context) (*api.Snapshot, error) {
	now, err := steady(ctx, r, r.inForce)
	if err != nil {
		return nil, err
	}
	s, err := r.known(ctx)
	if err != nil {
		return nil, err
	}
	r.base, r.changes = hierarchy.Digest(now), differences(now, r.next)
	if len(r.changes) == 0 {
		return s, nil
	}
	for {
		_, err = steady(ctx, r, r.call(api.Apply{Estate: r.next, Base: r.base, DryRun: true}))
		if busy, ferr := r.operation(ctx, err); !busy || ferr != nil {
			return s, errors.Join(err, ferr)
		}
		if s, err = r.known(ctx); err != nil {
			return nil, err
		}
	}
}

func differences(old, next *hierarchy.Estate) []api.Change {
	var out []api.Change
	for _, c := range hierarchy.Diff(old, next) {
		out = append(out, api.Change{Op: c.Op, What: c.What, From: c.From, To: c.To, Note: c.Note})
	}
	return out
}

// operation waits for what runs, when an error says that the definition cannot change under it.
func (r *raising) operation(ctx context.Context, err error) (busy bool, ferr error) {
	if err == nil || kindOf(err) != api.KindBusy || changedMeanwhile(err) {
		return false, nil
	}
	s, ferr := r.look(ctx)
	if ferr != nil || len(s.Running) == 0 {
		return false, ferr
	}
	return true, r.await(ctx, s, s.Running[0].ID)
}

// await shows an operation that somebody else began until it has ended, however it ends.
func (r *raising) await(ctx context.Context, s *api.Snapshot, id string) error {
	r.say("operation %s is running; waiting for its end", id)
	w, err := r.watchOperations(ctx, r.c, s)
	if err != nil {
		return err
	}
	defer w.stop()
	_, err = r.follow(ctx, r.c, w, func(o *api.Operation) bool { return o.ID == id })
	return err
}

// nothing tells that there is nothing to agree on.
func (r *raising) nothing() bool {
	return len(r.changes) == 0 && r.count(bringup.Done, bringup.Blocked) == len(r.agreed)
}

func (r *raising) count(states ...bringup.State) int {
	n := 0
	for _, w := range r.agreed {
		if slices.Contains(states, w.State) {
			n++
		}
	}
	return n
}

// approve shows everything and asks once.
func (r *raising) approve(ctx context.Context) error {
	left := len(r.agreed) - r.count(bringup.Done, bringup.Blocked)
	fmt.Fprint(r.err, view.Changes(r.changes, r.errStyle)+view.Works(r.agreed, r.errStyle))
	if n := r.count(bringup.Done); n > 0 {
		r.say("%s in service already and left alone", areHierarchies(n))
	}
	r.obstacles(ctx)
	if r.f.yes {
		return nil
	}
	if !r.interactive() {
		return fail(api.KindUnsafe, "look at what stands above; --yes does it without a question",
			"this changes what is in service, and nobody is there to be asked")
	}
	switch {
	case len(r.changes) == 0:
		return r.confirmed(ctx, "Bring "+number(left)+" into service?")
	case left == 0:
		return r.confirmed(ctx, "Put these changes in force?")
	}
	return r.confirmed(ctx, "Put these changes in force and bring "+number(left)+" into service?")
}

// obstacles shows what doctor finds on the servers of what is to be brought up.
func (r *raising) obstacles(ctx context.Context) {
	if r.f.blind {
		return
	}
	now, err := steady(ctx, r, r.inForce)
	if err != nil {
		return // it is only a word beside
	}
	var tags []hierarchy.Tag
	for _, w := range r.agreed {
		if w.State != bringup.Done {
			tags = append(tags, w.Resources...)
		}
	}
	r.sayObstacles(ctx, r.c, concerned(now, r.next, tags))
}

func number(n int) string {
	if n == 1 {
		return "1 hierarchy"
	}
	return fmt.Sprintf("%d hierarchies", n)
}

func (r *raising) putInForce(ctx context.Context) error {
	if len(r.changes) == 0 {
		return nil
	}
	for {
		_, err := steady(ctx, r, r.call(api.Apply{Estate: r.next, Base: r.base}))
		if changedMeanwhile(err) && r.ours(ctx) {
			break // an engine that went away had put it in force
		}
		if changedMeanwhile(err) {
			return fail(api.KindBusy, "run it again: it shows the difference anew", "somebody else changed the definition meanwhile; nothing was changed")
		}
		if busy, ferr := r.operation(ctx, err); !busy || ferr != nil {
			if err = errors.Join(err, ferr); err != nil {
				return err
			}
			break
		}
	}
	r.applied = true
	r.say("%s in force", count(len(r.changes), "change"))
	return nil
}

// call is an apply that may be asked for again.
func (r *raising) call(ap api.Apply) func(context.Context) (*api.Applied, error) {
	return func(ctx context.Context) (*api.Applied, error) { return r.c.Apply(ctx, ap) }
}

// inForce is the definition in force. (A method value of conn's own would stay with the engine that went away.)
func (r *raising) inForce(ctx context.Context) (*hierarchy.Estate, error) { return r.c.Export(ctx) }

// ours tells that the definition in force is the file's.
func (r *raising) ours(ctx context.Context) bool {
	now, err := steady(ctx, r, r.inForce)
	return err == nil && len(hierarchy.Diff(now, r.next)) == 0
}

// print gives the document or its text.
func (r *raising) print(text func() string) error {
	doc := BringUpDocument{Version: api.Version, Kind: "BringUp", Applied: r.applied, Changes: r.changes, Hierarchies: r.did}
	return r.cli.print(doc, text)
}

func (r *raising) nothingText() string {
	if !r.nothing() || r.count(bringup.Blocked) > 0 {
		return ""
	}
	return "everything is in service\n"
}

// summary is what became of everything.
func (r *raising) summary() string {
	var b strings.Builder
	if r.nothing() && r.count(bringup.Blocked) == 0 {
		b.WriteString("nothing to do: the definition is in force, and everything is in service\n")
	}
	for i := range r.did {
		d := &r.did[i]
		mark, tone := term.OK, term.Good
		if d.State != bringup.Done {
			mark, tone = term.Fail, term.Bad
		}
		fmt.Fprintf(&b, "%s %s\n", r.outStyle.Paint(tone, r.outStyle.Mark(mark)), d.words())
		for _, text := range append(d.Impaired, d.Copies...) {
			fmt.Fprintf(&b, "    %s\n", term.Clean(text))
		}
		if d.State != bringup.Done && len(d.Next) > 0 {
			fmt.Fprintf(&b, "    next: %s\n", view.CommandLine(d.Next))
		}
	}
	return b.String()
}

// words is a hierarchy in one line.
func (d *BroughtUp) words() string {
	tags := view.Tags(d.Roots)
	if d.State != bringup.Done {
		return tags + " is not in service: " + view.Reason(d.Reason)
	}
	text := tags + " in service on " + term.Clean(d.Node)
	if d.Did == DidBringUp {
		text += ", brought up in " + view.Span(d.Took.Truncate(100*time.Millisecond))
	}
	if len(d.Impaired) > 0 {
		text += ", impaired"
	}
	return text
}

// unfinished is the error of a run that leaves something to be done. A dry run is none.
func (r *raising) unfinished() error {
	var left, impaired []string
	for i := range r.did {
		d := &r.did[i]
		switch {
		case d.State == bringup.Blocked, d.State != bringup.Done && !r.f.dryRun:
			left = append(left, view.Tags(d.Roots))
		case len(d.Impaired) > 0:
			impaired = append(impaired, view.Tags(d.Roots))
		}
	}
	switch {
	case len(left) > 0:
		return fail(api.KindFailed, "the reason and what to do next stand with each; then run the same command again",
			"%d of %s not in service: %s", len(left), number(len(r.did)), strings.Join(left, ", "))
	case len(impaired) > 0:
		return fail(api.KindDegraded, "ferry status shows it", "in service, but impaired: %s", strings.Join(impaired, ", "))
	}
	return nil
}
