package demo

import (
	"context"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/internal/allkits"
	"github.com/ferry-ha/ferry/internal/sim/account"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/ec2"
	"github.com/ferry-ha/ferry/kits/route53"
)

func registry(a account.Account) kits.Registry {
	return allkits.Of(ec2.New(a), route53.New(a).Asking(nil))
}

// bench is a demo in virtual time.
type bench struct {
	*Demo
	t *testing.T
}

// try runs a demo from the service in service on LK_P_A and every copy of its data whole; everything must end with it,
// and nothing that was acknowledged may be lost.
func try(t *testing.T, f func(b bench)) { t.Helper(); tried(t, false, f) }

// trySmall is try on the estate without data.
func trySmall(t *testing.T, f func(b bench)) { t.Helper(); tried(t, true, f) }

func tried(t *testing.T, small bool, f func(b bench)) {
	t.Helper()
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	synctest.Test(t, func(t *testing.T) {
		d, err := Open(t.Context(), Options{Kits: registry, Person: "anna", Who: "test", Version: "test", Small: small})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			d.Close()
			time.Sleep(time.Minute)
			synctest.Wait()
		}()
		b := bench{d, t}
		b.until("the service on LK_P_A, and every copy whole", func() bool {
			return b.Probe().Node == "LK_P_A" && len(b.snapshot().Running) == 0 && (small || b.whole("LK_P_B", "LK_S_A", "LK_S_B"))
		})
		f(b)
		if p := b.Probe(); p.Lost > 0 {
			t.Errorf("%d acknowledged rows are lost", p.Lost)
		}
	})
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func (b bench) until(what string, ok func() bool) {
	b.t.Helper()
	for end := time.Now().Add(3 * time.Minute); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("waited three minutes for: %s; a client finds %+v", what, b.Probe())
		}
	}
}

func (b bench) snapshot() *api.Snapshot {
	b.t.Helper()
	s, err := b.Connect(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	sn, err := s.Snapshot(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	return sn
}

// copy is what the mirror says of a server's copy of the data.
func (b bench) copy(node string) map[string]string {
	b.t.Helper()
	for _, r := range b.snapshot().Resources {
		if r.Data != nil {
			return r.Data.Nodes[node]
		}
	}
	return nil
}

// whole: these copies are in sync.
func (b bench) whole(nodes ...string) bool {
	for _, n := range nodes {
		if b.copy(n)["state"] != "Target, in sync" {
			return false
		}
	}
	return true
}

// gap waits until a client was not served. It may be over before anybody looks.
func (b bench) gap() {
	b.t.Helper()
	began := time.Now()
	b.until("a client is not served", func() bool { return b.Probe().Since.After(began) })
}

func (b bench) on(node string) func() bool {
	return func() bool { return b.Probe().Node == node }
}

func (b bench) state(tag hierarchy.Tag, node string) hierarchy.State {
	for _, r := range b.snapshot().Resources {
		for _, in := range r.On {
			if r.Tag == tag && in.Server == node {
				return in.State
			}
		}
	}
	return ""
}

func (b bench) verdict(node string) policy.Verdict {
	for _, n := range b.snapshot().Nodes {
		if n.Name == node {
			return n.Verdict
		}
	}
	return ""
}

func (b bench) toggle(id string) {
	b.t.Helper()
	x := b.Find(id)
	if x == nil {
		b.t.Fatalf("nothing is called %s", id)
	}
	was := x.Broken()
	broke, err := x.Toggle()
	if err != nil || broke == was {
		b.t.Fatalf("%s: broke %v, was broken %v, %v", id, broke, was, err)
	}
	if !x.Passing && x.Broken() == was {
		b.t.Errorf("%s is as before", id)
	}
}

// steady: nothing moves for a while, and the client is served.
func (b bench) steady(node string) {
	b.t.Helper()
	time.Sleep(40 * time.Second)
	s := b.snapshot()
	if p := b.Probe(); p.Node != node || time.Since(p.Since) < 30*time.Second {
		b.t.Errorf("a client finds %+v, not steadily %s", p, node)
	}
	for _, o := range s.Running {
		if serves(o.Plan.Goal.Tag) {
			b.t.Errorf("running: %v", o)
		}
	}
	if len(s.Questions) > 0 {
		b.t.Errorf("questions: %v", s.Questions)
	}
}

// serves tells whether a resource is the service's: tunnels are recovered meanwhile.
func serves(tag hierarchy.Tag) bool { return strings.HasPrefix(string(tag), "service/") }

// Each breakage does what its page says: what is to be expected is asked of the world.
func TestEveryBreakage(t *testing.T) {
	broken(t, try, map[string]func(b bench){
		"power/LK_P_A": func(b bench) {
			b.until("LK_P_B serves", b.on("LK_P_B"))
			b.toggle("power/LK_P_A")
			b.until("LK_P_A is back, as a target", func() bool { return b.verdict("LK_P_A") == policy.Alive && b.whole("LK_P_A") })
			b.steadyLong("LK_P_B")
		},
		"power/LK_P_B": func(b bench) {
			b.until("writes wait for the lost copy", func() bool { return b.Probe().Node == "" })
			b.until("writes go on without it", b.on("LK_P_A"))
			if got := b.copy("LK_P_B")["promote"]; got != "stale" {
				b.t.Errorf("the copy of LK_P_B counts as %q", got)
			}
			b.toggle("power/LK_P_B")
			b.until("the copy is whole again", func() bool { return b.whole("LK_P_B") })
			b.steadyLong("LK_P_A")
		},
		"power/region": func(b bench) {
			b.until("nobody can tell what it is", func() bool { return b.verdict("LK_P_A") == policy.Unknown })
			time.Sleep(time.Minute)
			if q := b.snapshot().Questions; len(q) > 0 {
				b.t.Errorf("asked before anything was known: %+v", q)
			}
			b.until("a person is asked", func() bool {
				q := b.snapshot().Questions
				return len(q) == 1 && q[0].State == policy.Pending && q[0].ToRegion == "ap-southeast-1"
			})
			b.toggle("power/region")
			b.until("it is served in that region", func() bool { return strings.HasPrefix(b.Probe().Node, "LK_P_") })
		},
		"data/kill": func(b bench) {
			b.gap()
			b.until("it is recovered on the spot", b.on("LK_P_A"))
		},
		"data/listener": func(b bench) {
			b.gap()
			if got := b.sim.Nodes.Node("LK_P_A").OracleStatus("ORCL"); got != "OPEN" {
				b.t.Errorf("the database is %q", got)
			}
			b.until("it is started again on the spot", b.on("LK_P_A"))
		},
		"data/start": func(b bench) {
			b.until("LK_P_B serves", b.on("LK_P_B"))
			b.toggle("data/start")
			b.steadyLong("LK_P_B")
		},
		"data/full": func(b bench) {
			b.until("it is impaired", func() bool { return b.state("service/oradata", "LK_P_A") == hierarchy.ISU })
			b.steady("LK_P_A")
			b.toggle("data/full")
			b.until("it is well", func() bool { return b.state("service/oradata", "LK_P_A") == hierarchy.ISP })
		},
		"cut/regions": func(b bench) {
			b.until("the tunnels fail", func() bool {
				failed := 0
				for _, r := range b.snapshot().Resources {
					for _, in := range r.On {
						if r.Kit == "openswan" && in.State == hierarchy.OSF {
							failed++
						}
					}
				}
				return failed == 4
			})
			b.steady("LK_P_A")
		},
		"cut/pair": func(b bench) {
			b.until("it is degraded", func() bool { return b.verdict("LK_P_B") == policy.Degraded })
			b.until("writes wait, then go on", func() bool { return b.Probe().Outage > 3*time.Second })
			b.steady("LK_P_A")
			if got := b.copy("LK_P_B")["promote"]; got != "stale" {
				b.t.Errorf("the copy of LK_P_B counts as %q", got)
			}
			b.toggle("cut/pair")
			b.until("the copy is whole again", func() bool { return b.whole("LK_P_B") })
		},
		"engine/kill": func(b bench) {
			if _, err := b.Connect(context.Background()); err == nil || !strings.Contains(err.Error(), "killed") {
				b.t.Errorf("an engine answers: %v", err)
			}
			b.until("the next one answers", func() bool { _, err := b.Connect(context.Background()); return err == nil })
			b.until("it sees all", func() bool { return Looked(b.snapshot()) })
			b.steady("LK_P_A")
		},
	})
}

// And those that have nothing to do with data, on the small estate.
func TestEveryBreakageWithoutData(t *testing.T) {
	const ec2res, name = "service/ec2-route53", "service/route53-www"
	broken(t, trySmall, map[string]func(b bench){
		"service/kill": func(b bench) {
			if node, _ := b.program(); node != "" {
				b.t.Errorf("it still runs on %s", node)
			}
			// No client need have noticed: ferry may be faster than they ask.
			b.until("it is recovered on the spot", func() bool { node, _ := b.program(); return node == "LK_P_A" && b.Probe().Node == node })
		},
		"service/start": func(b bench) {
			b.until("LK_P_B serves", b.on("LK_P_B"))
			b.toggle("service/start")
			b.steadyLong("LK_P_B")
		},
		"power/LK_S_A": func(b bench) { b.steady("LK_P_A") },
		"hang/LK_P_A": func(b bench) {
			b.until("it is called hung", func() bool { return b.verdict("LK_P_A") == policy.Hung })
			time.Sleep(30 * time.Second)
			for _, r := range b.snapshot().Resources {
				if serves(r.Tag) && r.Active != "LK_P_A" {
					b.t.Errorf("%s moved to %s from a node that only hangs", r.Tag, r.Active)
				}
			}
			b.toggle("hang/LK_P_A")
			b.until("it serves again", b.on("LK_P_A"))
		},
		"cut/engine": func(b bench) {
			b.until("all is unknown", func() bool { return b.verdict("LK_P_A") == policy.Unknown && b.verdict("LK_S_B") == policy.Unknown })
			b.steady("LK_P_A")
			b.toggle("cut/engine")
			b.until("it sees again", func() bool { return b.verdict("LK_P_A") == policy.Alive })
		},
		"aws/record": func(b bench) {
			b.until("clients are led astray", func() bool { return b.Probe().Address == wrong })
			b.until("the name is right again", b.on("LK_P_A"))
		},
		"aws/route": func(b bench) {
			b.until("nobody is reached", func() bool { return b.Probe().Node == "" })
			b.until("the route is right again", b.on("LK_P_A"))
		},
		"aws/throttled": func(b bench) {
			b.until("the name is impaired", func() bool { return b.state(name, "LK_P_A") == hierarchy.ISU })
			b.until("what is known of the routes grows old", func() bool { return b.checked(ec2res, "LK_P_A") > time.Minute })
			b.steady("LK_P_A")
			b.toggle("aws/throttled")
			b.until("the name is well", func() bool { return b.state(name, "LK_P_A") == hierarchy.ISP })
		},
		"aws/silent": func(b bench) {
			b.until("what is known of the routes grows old", func() bool { return b.checked(ec2res, "LK_P_A") > time.Minute })
			b.steady("LK_P_A")
		},
	})
}

// broken breaks each, lets its story be told, and mends it.
func broken(t *testing.T, try func(*testing.T, func(bench)), stories map[string]func(b bench)) {
	for id, story := range stories {
		t.Run(strings.ReplaceAll(id, "/", "-"), func(t *testing.T) {
			try(t, func(b bench) {
				b.toggle(id)
				story(b)
				if err := b.MendAll(); err != nil {
					t.Error(err)
				}
				for _, x := range b.Breakages() {
					if x.Broken() && x.Kind != "engine" {
						t.Errorf("%s is still broken", x.ID)
					}
				}
			})
		})
	}
}

// steadyLong is steady where questions of before may stand in the record.
func (b bench) steadyLong(node string) {
	b.t.Helper()
	time.Sleep(20 * time.Second)
	if b.Probe().Node != node {
		b.t.Errorf("a client finds %+v, not %s", b.Probe(), node)
	}
}

// checked is how long ago a resource was looked at last.
func (b bench) checked(tag hierarchy.Tag, node string) time.Duration {
	s := b.snapshot()
	for _, r := range s.Resources {
		for _, in := range r.On {
			if r.Tag == tag && in.Server == node {
				return s.At.Sub(in.Checked)
			}
		}
	}
	return 0
}

// It ends cleanly at any moment, with whatever is broken.
func TestClosedAtAnyMoment(t *testing.T) {
	for _, after := range []time.Duration{0, time.Millisecond, 300 * time.Millisecond, time.Second, 4 * time.Second} {
		for _, id := range []string{"", "engine/kill", "aws/silent", "cut/engine", "hang/LK_P_A"} {
			synctest.Test(t, func(t *testing.T) {
				d, err := Open(t.Context(), Options{Kits: registry, Person: "anna", Who: "test"})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(after)
				if id != "" {
					if _, err := d.Find(id).Toggle(); err != nil {
						t.Error(err)
					}
				}
				time.Sleep(after)
				d.Close()
				time.Sleep(time.Minute)
			})
		}
	}
}
