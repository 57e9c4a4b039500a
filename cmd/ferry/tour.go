package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/internal/demo"
)

// person is who acts in the tour.
const person = "anna"

// tour is the guided demo: a real engine on a simulated estate, told step by step.
type tour struct {
	out    io.Writer
	style  term.Style
	pause  time.Duration
	demo   *demo.Demo
	engine api.Service
	small  bool
	root   hierarchy.Tag // what is put in service
	seen   int64         // last event told
}

// runDemo runs the guided tour.
func runDemo(ctx context.Context, out io.Writer, o demoOptions) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	t := &tour{out: out, style: o.Style, pause: 2 * time.Second, small: o.Small}
	if o.Brisk {
		t.pause = 0
	}
	t.demo, err = openDemo(ctx, demo.Options{Person: person, Who: who(), Version: buildInfo().Program, Small: o.Small, Idle: true})
	if err != nil {
		return err
	}
	defer t.demo.Close()
	if t.engine, err = t.demo.Connect(ctx); err != nil {
		return err
	}
	for _, scene := range []func(context.Context) error{t.up, t.firstLoss, t.secondLoss, t.answer, t.end} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	return nil
}

// file is the example that the estate comes from.
func (t *tour) file() string {
	if t.small {
		return "examples/cross-region.toml"
	}
	return "examples/cross-region-oracle.toml"
}

// up brings the service into service and shows the estate.
func (t *tour) up(ctx context.Context) error {
	t.scene("The estate of "+t.file(),
		"Two regions, two zones each. Everything below is simulated in this process,",
		"except the product: engine, policy, plans, SSH client, AWS SDK.")
	s, err := t.until(ctx, "every node seen and every resource checked", demo.Looked)
	if err != nil {
		return err
	}
	x := hierarchy.NewIndex(s.Estate)
	for _, r := range s.Estate.Res {
		if t.root == "" && len(x.Parents(r.Tag)) == 0 {
			t.root = r.Tag
		}
	}
	_, short, _ := strings.Cut(string(t.root), "/")
	t.command("ferry in-service %s --on LK_P_A", short)
	if err := t.inService(ctx, "LK_P_A"); err != nil {
		return err
	}
	t.command("ferry status")
	if err := t.skipEvents(ctx); err != nil {
		return err
	}
	return t.show(ctx)
}

func (t *tour) inService(ctx context.Context, node string) error {
	goal := plan.Goal{Kind: plan.GoalInService, Tag: t.root, Node: node}
	pv, err := t.engine.Preview(ctx, api.Command{Goal: goal})
	if err != nil {
		return err
	}
	fmt.Fprint(t.out, view.Preview(pv, "", t.style, time.Now()))
	if _, err := t.engine.Submit(ctx, api.Command{Goal: goal, By: person}); err != nil {
		return err
	}
	return t.settled(ctx, node)
}

// off takes a node's power away.
func (t *tour) off(node string) error {
	_, err := t.demo.Find("power/" + node).Toggle()
	return err
}

// firstLoss powers the active node off; the other zone takes over unasked.
func (t *tour) firstLoss(ctx context.Context) error {
	t.scene("LK_P_A is powered off", "Nobody touches anything now. A client keeps using the service.")
	lost := time.Now()
	if err := t.off("LK_P_A"); err != nil {
		return err
	}
	if err := t.settled(ctx, "LK_P_B"); err != nil {
		return err
	}
	back := time.Now()
	if err := t.tell(ctx); err != nil {
		return err
	}
	t.say(term.Good, "The service is back after %s, in the other zone, at the same address.", view.Span(back.Sub(lost)))
	return t.show(ctx)
}

// secondLoss powers that one off too; a question is asked and nothing moves.
func (t *tour) secondLoss(ctx context.Context) error {
	t.scene("LK_P_B is powered off too", "What is left is in the other region. Nothing crosses regions unasked.")
	if err := t.off("LK_P_B"); err != nil {
		return err
	}
	s, err := t.until(ctx, "a question", func(s *api.Snapshot) bool { return len(view.PendingOf(s)) > 0 })
	if err != nil {
		return err
	}
	if err := t.tell(ctx); err != nil {
		return err
	}
	t.command("ferry confirm list")
	fmt.Fprint(t.out, view.Question(view.PendingOf(s)[0], s, t.style, time.Now()))
	t.rest(ctx)
	t.client()
	return nil
}

// answer is the person's word, and what follows.
func (t *tour) answer(ctx context.Context) error {
	s, err := t.engine.Snapshot(ctx)
	if err != nil {
		return err
	}
	q := view.PendingOf(s)[0]
	t.scene("You have looked: LK_P_B is off. You say so",
		"The words are typed, not a reflex key: the region, and the node that is off.")
	accept := slices.DeleteFunc(slices.Clone(q.Copies), policy.Copy.Complete)
	flags := ""
	if len(accept) > 0 {
		flags = " --accept-data-loss"
	}
	t.command("ferry confirm yes %s --region %s --node-is-off %s%s", q.ID, q.ToRegion, q.From, flags)
	if err := t.engine.Answer(ctx, api.Answer{Question: q.ID, Kind: "off", Typed: q.ToRegion, Accept: accept, By: person}); err != nil {
		return err
	}
	if err := t.settled(ctx, q.To); err != nil {
		return err
	}
	if err := t.tell(ctx); err != nil {
		return err
	}
	return t.show(ctx)
}

func (t *tour) end(context.Context) error {
	t.scene("That was the tour", "Go on with:",
		"  ferry simulate -f "+t.file()+" --fail node=LK_P_A",
		"  ferry config validate "+t.file(),
		"  examples/README.md: the two estates, line by line")
	return nil
}

// settled waits until everything of the service is in service on the node, and the other nodes' copies of its
// data are whole; the tunnels of other clusters are no part of the tour.
func (t *tour) settled(ctx context.Context, node string) error {
	_, err := t.until(ctx, "everything in service on "+node, func(s *api.Snapshot) bool {
		for _, r := range s.Resources {
			if strings.HasPrefix(string(r.Tag), "service/") && r.Active != node {
				return false
			}
		}
		if !demo.Whole(s.Resources, func(n string) bool { return t.demo.Find("power/" + n).Broken() }) || t.demo.Probe().Node != node {
			return false
		}
		return !slices.ContainsFunc(s.Running, func(o api.Operation) bool { return strings.HasPrefix(string(o.Plan.Goal.Tag), "service/") })
	})
	return err
}

// until waits for the engine to see something.
func (t *tour) until(ctx context.Context, what string, ok func(*api.Snapshot) bool) (*api.Snapshot, error) {
	limit, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := t.engine.Snapshot(limit)
		if err != nil {
			return nil, err
		}
		if ok(s) {
			return s, nil
		}
		select {
		case <-limit.Done():
			return nil, fmt.Errorf("the tour waited a minute for: %s", what)
		case <-tick.C:
		}
	}
}

// show prints the estate and what a client finds.
func (t *tour) show(ctx context.Context) error {
	s, err := t.engine.Snapshot(ctx)
	if err != nil {
		return err
	}
	fmt.Fprint(t.out, "\n"+view.Status(s, t.style, time.Now()))
	t.client()
	t.rest(ctx)
	return nil
}

// client says what a client in the Primary Region finds.
func (t *tour) client() {
	p := t.demo.Probe()
	got := p.Node + " answers"
	switch {
	case p.Node == "":
		got = p.Problem
	case p.Row > 0 && p.Lost == 0:
		got += fmt.Sprintf("; row %d acknowledged, none ever lost", p.Row)
	case p.Row > 0:
		got += fmt.Sprintf("; row %d acknowledged, %d before are LOST", p.Row, p.Lost)
	}
	t.say(term.Dim, "a client asks %s (%s): %s", p.Name, p.Address, got)
}

// skipEvents leaves out what was logged so far.
func (t *tour) skipEvents(ctx context.Context) error {
	events, err := t.engine.Events(ctx, t.seen, 0)
	if n := len(events); n > 0 {
		t.seen = events[n-1].Seq
	}
	return err
}

// tell prints the events since the last time, decisions and questions only.
func (t *tour) tell(ctx context.Context) error {
	events, err := t.engine.Events(ctx, t.seen, 0)
	if err != nil {
		return err
	}
	for _, e := range events {
		t.seen = e.Seq
		if e.Kind == "decision" || e.Kind == "node" || e.Kind == "operation" || e.Kind == "question" {
			fmt.Fprint(t.out, view.Event(e, t.style, time.Now()))
		}
	}
	return nil
}

func (t *tour) scene(title string, lines ...string) {
	fmt.Fprintf(t.out, "\n%s\n", t.style.Paint(term.Bold, "── "+title+" ──"))
	for _, l := range lines {
		fmt.Fprintln(t.out, l)
	}
}

func (t *tour) command(format string, args ...any) {
	fmt.Fprintf(t.out, "\n%s\n", t.style.Paint(term.Bold, "$ "+fmt.Sprintf(format, args...)))
}

func (t *tour) say(tone term.Tone, format string, args ...any) {
	fmt.Fprintln(t.out, t.style.Paint(tone, fmt.Sprintf(format, args...)))
}

// rest gives the reader time.
func (t *tour) rest(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(t.pause):
	}
}
