package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// fake is a small engine: it remembers what it was asked, and answers from data.
type fake struct {
	mu      sync.Mutex
	asked   []string
	err     error
	block   bool // calls last until their context ends
	updates chan Update
}

func (f *fake) note(ctx context.Context, format string, args ...any) error {
	f.mu.Lock()
	c, _ := CallerFrom(ctx)
	f.asked = append(f.asked, fmt.Sprintf(format, args...)+" by "+c.Who)
	err, block := f.err, f.block
	f.mu.Unlock()
	if block {
		<-ctx.Done()
		return fmt.Errorf("asking nodes: %w", ctx.Err())
	}
	return err
}

func (f *fake) last() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.asked) == 0 {
		return ""
	}
	return f.asked[len(f.asked)-1]
}

func (f *fake) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

var moment = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func (f *fake) Snapshot(ctx context.Context) (*Snapshot, error) {
	return &Snapshot{Version: Version, Revision: 7, At: moment, Engine: EngineInfo{Who: "ann@bastion (12)", Since: moment}}, f.note(ctx, "snapshot")
}

func (f *fake) Watch(ctx context.Context, after int64) (<-chan Update, error) {
	return f.updates, f.note(ctx, "watch %d", after)
}

func (f *fake) Events(ctx context.Context, after int64, limit int) ([]Event, error) {
	return []Event{{Seq: after + 1, Event: policy.Event{Kind: "state", Node: "LK_P_A"}}}, f.note(ctx, "events %d %d", after, limit)
}

func (f *fake) Operations(ctx context.Context, limit int) ([]Operation, error) {
	return []Operation{{Op: policy.Op{ID: "op-1", Outcome: policy.OpDone}, Steps: []StepStatus{{ID: "01", Status: "done"}}}}, f.note(ctx, "operations %d", limit)
}

func (f *fake) Preview(ctx context.Context, c Command) (*Preview, error) {
	return &Preview{Plan: plan.Plan{Goal: c.Goal}, Crosses: "ap-southeast-1"}, f.note(ctx, "preview %s", say(c))
}

func (f *fake) Submit(ctx context.Context, c Command) (*Submitted, error) {
	if c.ID == "" {
		return nil, errors.New("the client gave no id")
	}
	return &Submitted{Op: "op-2"}, f.note(ctx, "submit %s", say(c))
}

func say(c Command) string {
	return fmt.Sprintf("%s %s %s force=%v by=%s goal.by=%s region=%s", c.Goal.Kind, c.Goal.Tag, c.Goal.Node, c.Goal.Force, c.By, c.Goal.By, c.ConfirmRegion)
}

func (f *fake) Answer(ctx context.Context, a Answer) error {
	return f.note(ctx, "answer %s %s %q by=%s", a.Question, a.Kind, a.Typed, a.By)
}

func (f *fake) Apply(ctx context.Context, a Apply) (*Applied, error) {
	return &Applied{Changes: []Change{{Op: "add", What: "resource service/ip-www"}}}, f.note(ctx, "apply %s dry=%v by=%s", a.Estate.Name, a.DryRun, a.By)
}

func (f *fake) Export(ctx context.Context) (*hierarchy.Estate, error) {
	return &hierarchy.Estate{Name: "figure-1"}, f.note(ctx, "export")
}

func (f *fake) SetTuning(ctx context.Context, node, name, value string) error {
	return f.note(ctx, "tuning %s %s=%s", node, name, value)
}

func (f *fake) Choices(ctx context.Context, kit, field, node string, attrs map[string]string) ([]string, error) {
	return []string{"eth0", "ens5"}, f.note(ctx, "choices %s %s %s %v", kit, field, node, attrs)
}

func (f *fake) Children(ctx context.Context, p Prospect) ([]Found, error) {
	var out []Found
	for _, server := range slices.Sorted(maps.Keys(p.On)) {
		out = append(out, Found{Server: server, Eligible: kits.Eligibility{Outcome: kits.OK}, Children: []Child{{Kit: "ec2", Tag: "ec2-vpn1", Attrs: p.On[server]}}})
	}
	return out, f.note(ctx, "children %s %s %v", p.Kit, p.Tag, p.On)
}

func (f *fake) SetHold(ctx context.Context, h Hold) error {
	return f.note(ctx, "hold %q until=%s why=%q by=%s", h.Scope, h.Until.Format(time.RFC3339), h.Why, h.By)
}

func (f *fake) GracefulStop(ctx context.Context, node string) error {
	return f.note(ctx, "graceful stop %s", node)
}

func (f *fake) Close() error { return nil }

// rig is a fake engine with a server and the audit trail.
type rig struct {
	*fake
	opts  Options
	stop  context.CancelFunc
	ended chan error

	mu    sync.Mutex
	trail []AuditEntry
}

// as makes the server believe that a peer has the role.
func as(r Role) func(net.Conn) (credential, error) {
	return func(net.Conn) (credential, error) {
		switch r {
		case Administrator:
			return credential{uid: uint32(os.Getuid())}, nil
		case Operator:
			return credential{uid: 54321, gids: []uint32{uint32(os.Getgid())}}, nil
		case Guest:
			return credential{uid: 54322, gids: []uint32{uint32(os.Getgid())}}, nil
		}
		return credential{uid: 54323}, nil
	}
}

// start serves a fake on a socket of its own.
func start(t *testing.T, change func(*Options)) *rig {
	t.Helper()
	dir, err := os.MkdirTemp("", "ferry") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	r := &rig{fake: &fake{updates: make(chan Update)}, ended: make(chan error, 1)}
	r.opts = Options{Socket: filepath.Join(dir, "e.sock"), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Audit: r.audit}
	if change != nil {
		change(&r.opts)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	srv, err := Listen(ctx, r.opts)
	if err != nil {
		t.Fatal(err)
	}
	go func() { r.ended <- srv.Serve(ctx, r.fake) }()
	t.Cleanup(cancel)
	return r
}

func (r *rig) audit(e AuditEntry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trail = append(r.trail, e)
}

// dial connects a client.
func (r *rig) dial(t *testing.T) *Client {
	t.Helper()
	c, err := Dial(t.Context(), r.opts.Socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
