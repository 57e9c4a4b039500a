package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/account"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
)

// site is bare nodes of an example, simulated, with an engine that can be killed, and a person who runs apply.
type site struct {
	t    *testing.T
	sim  *sim.Sim
	file string
	disk *store.Disk
	// doctor: commands see that the engine is one.
	doctor bool

	mu     sync.Mutex
	eng    *engine.Engine // nil while none runs
	line   *sim.Line
	tears  *tearing
	orders int // what was submitted
}

// tearing is a store whose process may be killed: from then on nothing is written.
type tearing struct {
	store.Store
	mu   sync.Mutex
	dead bool
}

func (s *tearing) Commit(ctx context.Context, t store.Txn) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return 0, sim.ErrKilled
	}
	return s.Store.Commit(ctx, t)
}

// bareSite runs f in a bubble, before nodes on which nothing is in service, and an engine without a definition.
func bareSite(t *testing.T, example string, f func(*site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e, err := config.LoadFile("../../examples/"+example, kitsWithin(nil))
		if err != nil {
			t.Fatal(err)
		}
		for i := range e.Servers {
			e.Servers[i].Tuning["LCMHBEATTIME"], e.Servers[i].Tuning["LKCHECKINTERVAL"] = "1", "10"
		}
		s := &site{t: t, disk: store.NewDisk(), file: filepath.Join(t.TempDir(), "estate.toml")}
		if s.sim, err = sim.New(e, sim.Options{Dir: t.TempDir(), Nodes: nodesim.Options{CommandTime: 5 * time.Millisecond}, EC2: ec2sim.Options{StateLag: time.Minute}}); err != nil {
			t.Fatal(err)
		}
		defer s.sim.Close()
		s.write(func(*hierarchy.Estate) {})
		s.open()
		defer s.kill()
		f(s)
		if t.Failed() {
			t.Log(s.story())
		}
	})
}

// write writes the definition's file, changed.
func (s *site) write(change func(*hierarchy.Estate)) {
	s.t.Helper()
	change(s.sim.Definition)
	if err := os.WriteFile(s.file, config.Export(s.sim.Definition, kitsWithin(nil)), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) open() {
	s.t.Helper()
	aws := account.New(s.sim)
	line := sim.NewLine(s.sim.Nodes.DialContext)
	tears := &tearing{Store: s.disk.Open()}
	eng, err := engine.Open(s.t.Context(), engine.Options{Store: tears, Kits: kitsWithin(aws), Cloud: aws,
		Nodes: line.DialContext, Who: "root@bastion (412)", Automation: true})
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.eng, s.line, s.tears = eng, line, tears
}

// kill is kill -9 of the engine: nothing is written any more, all connections break.
func (s *site) kill() {
	s.mu.Lock()
	eng, line, tears := s.eng, s.line, s.tears
	s.eng = nil
	s.mu.Unlock()
	if eng == nil {
		return
	}
	tears.mu.Lock()
	tears.dead = true
	tears.mu.Unlock()
	line.Tear()
	_ = eng.Close()
}

// socket is the engine as a command sees it.
type socket struct{ s *site }

var errGone = &api.Error{Kind: api.KindUnavailable, Message: "the engine is gone"}

// call asks the engine that runs now; one that is killed meanwhile has not answered.
func call[T any](c socket, f func(*engine.Engine) (T, error)) (T, error) {
	c.s.mu.Lock()
	eng := c.s.eng
	c.s.mu.Unlock()
	var none T
	if eng == nil {
		return none, errGone
	}
	v, err := f(eng)
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.eng != eng {
		return none, errGone
	}
	return v, err
}

func (c socket) Snapshot(ctx context.Context) (*api.Snapshot, error) {
	return call(c, func(e *engine.Engine) (*api.Snapshot, error) { return e.Snapshot(ctx) })
}

func (c socket) Watch(ctx context.Context, after int64) (<-chan api.Update, error) {
	return call(c, func(e *engine.Engine) (<-chan api.Update, error) { return e.Watch(ctx, after) })
}

func (c socket) Events(ctx context.Context, after int64, limit int) ([]api.Event, error) {
	return call(c, func(e *engine.Engine) ([]api.Event, error) { return e.Events(ctx, after, limit) })
}

func (c socket) Operations(ctx context.Context, limit int) ([]api.Operation, error) {
	return call(c, func(e *engine.Engine) ([]api.Operation, error) { return e.Operations(ctx, limit) })
}

func (c socket) Preview(ctx context.Context, cmd api.Command) (*api.Preview, error) {
	return call(c, func(e *engine.Engine) (*api.Preview, error) { return e.Preview(ctx, cmd) })
}

func (c socket) Submit(ctx context.Context, cmd api.Command) (*api.Submitted, error) {
	c.s.mu.Lock()
	c.s.orders++
	c.s.mu.Unlock()
	return call(c, func(e *engine.Engine) (*api.Submitted, error) { return e.Submit(ctx, cmd) })
}

func (c socket) Apply(ctx context.Context, a api.Apply) (*api.Applied, error) {
	return call(c, func(e *engine.Engine) (*api.Applied, error) { return e.Apply(ctx, a) })
}

func (c socket) Export(ctx context.Context) (*hierarchy.Estate, error) {
	return call(c, func(e *engine.Engine) (*hierarchy.Estate, error) { return e.Export(ctx) })
}

func (c socket) Answer(context.Context, api.Answer) error                    { return errGone }
func (c socket) SetTuning(context.Context, string, string, string) error     { return errGone }
func (c socket) SetHold(context.Context, api.Hold) error                     { return errGone }
func (c socket) GracefulStop(context.Context, string) error                  { return errGone }
func (c socket) Children(context.Context, api.Prospect) ([]api.Found, error) { return nil, errGone }
func (c socket) Close() error                                                { return nil }
func (c socket) Choices(context.Context, string, string, string, map[string]string) ([]string, error) {
	return nil, errGone
}

// run carries a command line out and gives its exit code and what it said.
func (s *site) run(ctx context.Context, line string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	a := &cli{in: strings.NewReader(""), out: &out, err: &err, now: time.Now, getenv: func(string) string { return "" }}
	a.deps = wired()
	a.deps.dial = func(context.Context, string) (api.Service, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.eng == nil {
			return nil, syscall.ECONNREFUSED
		}
		if s.doctor {
			return surgery{socket{s}}, nil
		}
		return socket{s}, nil
	}
	code = a.run(ctx, strings.Fields(strings.ReplaceAll(line, "FILE", s.file)))
	return code, out.String(), err.String()
}

// must demands an exit code and words of a command line.
func (s *site) must(code int, line string, parts ...string) string {
	s.t.Helper()
	got, out, errs := s.run(s.t.Context(), line)
	if got != code {
		s.t.Errorf("ferry %s: exit code %d, want %d\n%s%s", line, got, code, errs, out)
	}
	for _, p := range parts {
		if !strings.Contains(errs+out, p) {
			s.t.Errorf("ferry %s does not say %q:\n%s%s", line, p, errs, out)
		}
	}
	return errs + out
}

func (s *site) story() string {
	events, err := call(socket{s}, func(e *engine.Engine) ([]api.Event, error) { return e.Events(context.Background(), 0, 0) })
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%s %s %s %s\n", e.At.Format("15:04:05.000"), e.Kind, e.Node, e.Reason.Text)
	}
	return fmt.Sprint(err) + "\n" + b.String()
}

// serving checks from outside that all is in service on the first nodes, and nowhere else.
func (s *site) serving(mirror hierarchy.Tag) {
	s.t.Helper()
	if at := s.sim.MirrorSources(mirror); !slices.Equal(at, []string{"LK_P_A"}) {
		s.t.Errorf("sources of %s: %v, want LK_P_A", mirror, at)
	}
	for _, srv := range s.sim.Definition.Servers {
		holds := s.sim.Nodes.Node(srv.Name).Carries("10.1.0.10") || s.sim.Nodes.Node(srv.Name).Carries("10.2.0.10")
		if holds != (srv.Name == "LK_P_A") {
			s.t.Errorf("%s: virtual IP there %v", srv.Name, holds)
		}
	}
	for region, want := range map[string]string{"ap-northeast-1": "VPN_P_A", "ap-southeast-1": "VPN_S_A"} {
		if got := s.sim.Gateway(region); got != want {
			s.t.Errorf("%s leaves over %s, want %s", region, got, want)
		}
	}
}

// operations is how many there were.
func (s *site) operations() int {
	ops, err := call(socket{s}, func(e *engine.Engine) ([]api.Operation, error) { return e.Operations(s.t.Context(), 0) })
	if err != nil {
		s.t.Fatal(err)
	}
	return len(ops)
}

var estates = []struct {
	example string
	mirror  hierarchy.Tag
	root    string
}{
	{"cross-region-postgresql.toml", "service/datakeeper-pgdata", "service/pg-15"},
	{"cross-region-oracle.toml", "service/datakeeper-oradata", "service/LSNR.LISTENER"},
}

// TestApplyFromBareNodes: one command from bare nodes to everything in service; the second time it does nothing.
func TestApplyFromBareNodes(t *testing.T) {
	for _, c := range estates {
		t.Run(c.example, func(t *testing.T) {
			bareSite(t, c.example, func(s *site) {
				s.must(0, "apply FILE --in-service --dry-run", "would be made; nothing was changed", "3  "+c.root+" on LK_P_A")
				s.must(107, "apply FILE --in-service", "--yes does it without a question", "OVERWRITTEN", "/dev/nvme1n1 on LK_P_B, /dev/nvme1n1 on LK_S_A", "/dev/nvme1n1 of LK_P_A, the first source")
				if s.orders > 0 || len(s.sim.MirrorSources(c.mirror)) > 0 {
					t.Fatal("a question did something")
				}
				s.must(0, "apply FILE --in-service --yes", c.root+" in service on LK_P_A, brought up in", "vpn-standby/openswan-vpn1 in service on VPN_S_A")
				s.serving(c.mirror)
				s.must(0, "apply FILE --in-service --wait-sync --yes", "nothing to do: the definition is in force, and everything is in service")
				if in := s.sim.Mirror(c.mirror, "LK_P_A").InSync; len(in) != 3 {
					t.Errorf("in sync after --wait-sync: %v", in)
				}
				orders, ops := s.orders, s.operations()
				s.must(0, "apply FILE --in-service --yes", "nothing to do")
				s.must(0, "diff FILE", "no difference")
				if s.orders != orders || s.operations() != ops || orders != 3 {
					t.Errorf("the second time %d were submitted, the first %d", s.orders-orders, orders)
				}
			})
		})
	}
}

// TestApplyGoesOnWithoutWhatCannotBe: what cannot be brought up is named, with the reason and what to do; the rest comes up, and
// the other when it can.
func TestApplyGoesOnWithoutWhatCannotBe(t *testing.T) {
	c := estates[0]
	for name, x := range map[string]struct {
		spoil, mend func(*site) error
		says        []string
	}{
		"the first source has no power": {
			func(s *site) error { return s.sim.PowerOff("LK_P_A") },
			func(s *site) error { return s.sim.PowerOn("LK_P_A") },
			[]string{"service/pg-15 is not in service: LK_P_A is ", "dead; its disk is to be the first source of service/datakeeper-pgdata", "next: ferry"},
		},
		"the disk is missing": {
			func(s *site) error { return s.sim.Nodes.Node("LK_P_A").RemoveDisk("nvme1n1") },
			func(s *site) error { return nil },
			[]string{"service/pg-15 is not in service: ", "nvme1n1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			bareSite(t, c.example, func(s *site) {
				if err := x.spoil(s); err != nil {
					t.Fatal(err)
				}
				s.must(1, "apply FILE --in-service --yes", append(x.says, "vpn-primary/openswan-vpn1 in service on VPN_P_A", "vpn-standby/openswan-vpn1 in service on VPN_S_A",
					"1 of 3 hierarchies not in service: service/pg-15")...)
				if at := s.sim.MirrorSources(c.mirror); len(at) > 0 {
					t.Errorf("%v became a source", at)
				}
				if err := x.mend(s); err != nil {
					t.Fatal(err)
				}
				if name == "the first source has no power" {
					time.Sleep(30 * time.Second)
					s.must(0, "apply FILE --in-service --yes", "service/pg-15 in service on LK_P_A", "2 hierarchies are in service already and left alone")
					s.serving(c.mirror)
				}
			})
		})
	}
}

// TestApplyLeavesAloneWhatIsElsewhere: a hierarchy that is in service on another node than its first stays there, and one that was
// taken out of service there comes back where its data is.
func TestApplyLeavesAloneWhatIsElsewhere(t *testing.T) {
	bareSite(t, estates[0].example, func(s *site) {
		s.must(0, "apply FILE --yes", "notice: 3 hierarchies are not in service; ferry apply ")
		s.must(0, "apply FILE --in-service --wait-sync --yes", "service/pg-15 in service on LK_P_A, brought up in")
		s.must(0, "in-service pg-15 --on LK_P_B --yes", "done")
		ops := s.operations()
		s.must(0, "apply FILE --in-service --wait-sync --yes", "nothing to do", "service/pg-15 in service on LK_P_B")
		if s.operations() != ops {
			t.Errorf("what is in service elsewhere was touched:\n%s", s.story())
		}
		s.must(0, "diff FILE", "service/pg-15: it is in service on LK_P_B; the first by priority is LK_P_A")

		s.must(0, "out-of-service datakeeper-pgdata --yes", "done")
		s.must(0, "out-of-service ip-route53 --yes", "done")
		s.must(190, "diff", "service/pg-15: not in service", "next: ferry in-service service/pg-15 --on LK_P_B")
		s.must(0, "apply FILE --in-service --yes", "service/pg-15 on LK_P_B", "its data is there", "service/pg-15 in service on LK_P_B, brought up in")
		if at := s.sim.MirrorSources(estates[0].mirror); !slices.Equal(at, []string{"LK_P_B"}) {
			t.Errorf("sources: %v", at)
		}
	})
}
