package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/internal/allkits"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/ec2"
	"github.com/ferry-ha/ferry/kits/route53"
)

// fake is an engine as a script sees it: a scene (FERRY_FAKE) that commands act
// on, and a log of what was asked of it (FERRY_FAKE_LOG). FERRY_FAKE_OP says how
// operations go: done (default), failed, hang, away.
type fake struct {
	getenv func(string) string
	mu     sync.Mutex
	snap   *api.Snapshot
	ops    []api.Operation
	events []api.Event
	subs   []chan api.Update
}

func newFake(getenv func(string) string) *fake {
	snap, events := scene(getenv("FERRY_FAKE"))
	if getenv("FERRY_FAKE_JUST_OPENED") != "" {
		snap.Engine.Since = clock
	}
	return &fake{getenv: getenv, snap: snap, events: events, ops: pastOperations()}
}

func (f *fake) log(format string, args ...any) {
	name := f.getenv("FERRY_FAKE_LOG")
	if name == "" {
		return
	}
	w, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer w.Close()
	fmt.Fprintf(w, format+"\n", args...)
}

// broken is the error that FERRY_FAKE_ERR prescribes for a method.
func (f *fake) broken(ctx context.Context, method string) error {
	var e struct {
		Method string
		Hang   bool
		*api.Error
	}
	if s := f.getenv("FERRY_FAKE_ERR"); s != "" {
		if err := json.Unmarshal([]byte(s), &e); err != nil {
			panic(err)
		}
	}
	switch {
	case e.Method != method:
		return nil
	case e.Hang:
		<-ctx.Done()
		return ctx.Err()
	}
	return e.Error
}

func (f *fake) Snapshot(ctx context.Context) (*api.Snapshot, error) {
	f.mu.Lock()
	snap := f.snap
	f.mu.Unlock()
	return snap, f.broken(ctx, "Snapshot")
}

func (f *fake) Watch(ctx context.Context, after int64) (<-chan api.Update, error) {
	ch := make(chan api.Update, 100)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.subs = append(f.subs, ch)
	if f.getenv("FERRY_FAKE_LIVE") != "" {
		go f.live(ch)
	}
	return ch, nil
}

// live lets LK_P_B die and the engine end, for --watch and --follow.
func (f *fake) live(ch chan api.Update) {
	next, events := scene("question")
	next.Revision++
	f.mu.Lock()
	f.snap = next
	f.mu.Unlock()
	ch <- api.Update{Revision: next.Revision}
	for i := range events {
		ch <- api.Update{Revision: next.Revision, Event: &events[i]}
	}
	for len(ch) > 0 { // let the reader see them before the end
		time.Sleep(time.Millisecond)
	}
	close(ch)
}

func (f *fake) Events(ctx context.Context, after int64, limit int) ([]api.Event, error) {
	var out []api.Event
	for _, e := range f.events {
		if e.Seq > after && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, f.broken(ctx, "Events")
}

func (f *fake) Operations(ctx context.Context, limit int) ([]api.Operation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]api.Operation(nil), f.ops[:min(limit, len(f.ops))]...), f.broken(ctx, "Operations")
}

func (f *fake) Preview(ctx context.Context, c api.Command) (*api.Preview, error) {
	f.log("preview %s %s node=%s force=%v", c.Goal.Kind, c.Goal.Tag, c.Goal.Node, c.Goal.Force)
	return previewOf(c.Goal, f.getenv("FERRY_FAKE_REFUSE")), f.broken(ctx, "Preview")
}

func (f *fake) Submit(ctx context.Context, c api.Command) (*api.Submitted, error) {
	f.log("submit %s %s node=%s region=%s", c.Goal.Kind, c.Goal.Tag, c.Goal.Node, c.ConfirmRegion)
	if err := f.broken(ctx, "Submit"); err != nil {
		return nil, err
	}
	f.start(api.Operation{Op: policy.Op{ID: "op-9", Plan: previewOf(c.Goal, "").Plan, By: "ann", Began: clock}})
	return &api.Submitted{Op: "op-9"}, nil
}

// start carries a plan out as FERRY_FAKE_OP says, one message per change.
func (f *fake) start(o api.Operation) {
	o.Outcome = policy.OpRunning
	for _, s := range o.Plan.Steps {
		o.Steps = append(o.Steps, api.StepStatus{ID: s.ID, Status: "waiting"})
	}
	f.publish(o)
	mode := f.getenv("FERRY_FAKE_OP")
	at := clock
	for i := range o.Steps {
		o.Steps[i].Status, o.Steps[i].Began = "running", at
		f.publish(o)
		if mode == "hang" && i == 2 {
			return
		}
		at = at.Add(time.Duration(i+1) * 200 * time.Millisecond)
		o.Steps[i].Status, o.Steps[i].Ended = "done", at
		if mode == "failed" && i == 2 {
			o.Steps[i].Status = "failed"
			o.Steps[i].Report = kits.Report{Outcome: kits.Failed, Output: "line one\n\x1b[2Jline two\n",
				Reason: kits.Why("app.stop-failed", "the stop script of app-www ended with 3 on LK_P_A\x1b[31m; run it by hand to see why")}
			o.Outcome, o.Ended, o.Reason = policy.OpRolledBack, at, o.Steps[i].Report.Reason
			f.publish(o)
			return
		}
		f.publish(o)
	}
	o.Outcome, o.Ended = policy.OpDone, at
	f.publish(o)
}

func (f *fake) publish(o api.Operation) {
	o.Steps = append([]api.StepStatus(nil), o.Steps...)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.ops) > 0 && f.ops[0].ID == o.ID {
		f.ops[0] = o
	} else {
		f.ops = append([]api.Operation{o}, f.ops...)
	}
	for _, s := range f.subs {
		s <- api.Update{Operation: &o}
	}
}

func (f *fake) Answer(ctx context.Context, a api.Answer) error {
	accept := ""
	for _, c := range a.Accept {
		accept += fmt.Sprintf(" accept=%s@%s:%s", c.Tag, c.Node, c.Price.Code)
	}
	f.log("answer %s %s typed=%s%s", a.Question, a.Kind, a.Typed, accept)
	if err := f.broken(ctx, "Answer"); err != nil || a.Kind == "no" {
		return err
	}
	q := f.snap.Questions[0]
	f.start(api.Operation{Op: policy.Op{ID: "op-9", Plan: q.Plan, By: "ann", Began: clock}})
	return nil
}

func (f *fake) Apply(ctx context.Context, a api.Apply) (*api.Applied, error) {
	f.log("apply %s dry=%v", a.Estate.Name, a.DryRun)
	if f.getenv("FERRY_FAKE") == "same" {
		return &api.Applied{}, nil
	}
	return &api.Applied{Changes: []api.Change{
		{Op: "add", What: "resource service/app-www"},
		{Op: "change", What: "tuning LKCHECKINTERVAL", From: "120", To: "360"},
		{Op: "remove", What: "server LK_S_B", Note: "nothing is extended to it"},
	}}, f.broken(ctx, "Apply")
}

func (f *fake) Export(ctx context.Context) (*hierarchy.Estate, error) {
	return f.snap.Estate, f.broken(ctx, "Export")
}

func (f *fake) SetTuning(context.Context, string, string, string) error { return nil }
func (f *fake) SetHold(context.Context, api.Hold) error                 { return nil }
func (f *fake) GracefulStop(context.Context, string) error              { return nil }
func (f *fake) Choices(context.Context, string, string, string, map[string]string) ([]string, error) {
	return nil, nil
}

func (f *fake) Children(context.Context, api.Prospect) ([]api.Found, error) { return nil, nil }

func (f *fake) Close() error {
	f.log("close")
	return nil
}

// fakeEngine is the fake that the environment asks for.
func fakeEngine(getenv func(string) string, reg kits.Registry) api.Service {
	f := newFake(getenv)
	if file := getenv("FERRY_FAKE_ESTATE"); file != "" {
		return keep(f, file, reg)
	}
	return f
}

// fakeDeps is the wiring of the scripts: everything real but the engine.
func fakeDeps(getenv func(string) string) deps {
	d := deps{registry: func() kits.Registry {
		return allkits.Of(ec2.New(nil), route53.New(nil))
	}}
	d.nodes = adoptScene(getenv, d.registry)
	d.dial = func(_ context.Context, socket string) (api.Service, error) {
		switch getenv("FERRY_FAKE_DIAL") {
		case "nobody":
			return nil, &fs.PathError{Op: "dial", Path: socket, Err: syscall.ENOENT}
		case "stale":
			return nil, &os.SyscallError{Syscall: "connect", Err: syscall.ECONNREFUSED}
		case "denied":
			return nil, &os.SyscallError{Syscall: "connect", Err: syscall.EACCES}
		}
		return fakeEngine(getenv, d.registry()), nil
	}
	d.openLocal = func(_ context.Context, o engineOptions) (api.Service, error) {
		f := fakeEngine(getenv, d.registry())
		newFake(getenv).log("open %s create=%v automation=%v", o.StateDir, o.Create, o.Automation)
		return f, nil
	}
	d.runEngine = func(_ context.Context, o engineOptions) error {
		fmt.Fprintf(os.Stdout, "engine %s %s automation=%v\n", o.StateDir, o.Socket, o.Automation)
		return nil
	}
	d.demo = func(_ context.Context, out io.Writer, o demoOptions) error {
		fmt.Fprintf(out, "demo brisk=%v color=%v\n", o.Brisk, o.Style.Color)
		return nil
	}
	return d
}
