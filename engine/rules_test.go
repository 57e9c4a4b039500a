package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
)

// The rules of SPEC 3, 6 and 7 on the running engine: what must move moves, what
// must not does not, over virtual minutes and hours.

const near, far = "ap-northeast-1", "ap-southeast-1"

// slow gives the estate the heartbeats and checks of production, for tests that
// last an hour.
func slow(e *hierarchy.Estate) {
	for i := range e.Servers {
		e.Servers[i].Tuning["LCMHBEATTIME"], e.Servers[i].Tuning["LKCHECKINTERVAL"] = "5", "120"
	}
}

// calm only slows the heartbeats, for tests that last many minutes.
func calm(e *hierarchy.Estate) {
	for i := range e.Servers {
		e.Servers[i].Tuning["LCMHBEATTIME"] = "5"
	}
}

// scenario runs f on a serving bench in a bubble of its own.
func scenario(t *testing.T, f func(*bench), change ...func(*hierarchy.Estate)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := serving(t, change...)
		defer b.close()
		f(b)
	})
}

func (b *bench) node(name string) *nodesim.Node { return b.sim.Nodes.Node(name) }

func (b *bench) off(nodes ...string) {
	b.t.Helper()
	for _, n := range nodes {
		if err := b.sim.PowerOff(n); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *bench) on(node string) {
	b.t.Helper()
	if err := b.sim.PowerOn(node); err != nil {
		b.t.Fatal(err)
	}
}

// events are the log's lines of a kind, as "node text"; empty = all.
func (b *bench) events(kind string) []string {
	b.t.Helper()
	all, err := b.eng.Events(b.t.Context(), 0, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	var out []string
	for _, e := range all {
		if kind == "" || e.Kind == kind {
			out = append(out, e.Reason.Text)
		}
	}
	return out
}

// ops are the operations so far, oldest first, as "goal node outcome".
func (b *bench) ops() []string {
	b.t.Helper()
	ops, err := b.eng.Operations(b.t.Context(), 0)
	if err != nil {
		b.t.Fatal(err)
	}
	var out []string
	for _, o := range slices.Backward(ops) {
		out = append(out, string(o.Plan.Goal.Kind)+" "+o.Plan.Goal.Node+" "+string(o.Outcome))
	}
	return out
}

// began is the one operation that brings the service up.
const began = "in-service LK_P_A done"

// didOnly demands that these operations were carried out, after the first, and no others.
func (b *bench) didOnly(want ...string) {
	b.t.Helper()
	if got := b.ops(); !slices.Equal(got, append([]string{began}, want...)) {
		b.t.Errorf("operations %q, want %q\n%s", got, append([]string{began}, want...), b.story())
	}
}

// told demands a line in the log that contains all parts.
func (b *bench) told(parts ...string) {
	b.t.Helper()
	for _, line := range b.events("") {
		if has(line, parts) {
			return
		}
	}
	b.t.Errorf("no event says %q\n%s", parts, b.story())
}

func has(line string, parts []string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(line, p) })
}

// asked waits for a pending question.
func (b *bench) asked() policy.Question {
	b.t.Helper()
	var q policy.Question
	b.until("a question", func(s *api.Snapshot) bool {
		for _, q = range s.Questions {
			if q.State == policy.Pending {
				return true
			}
		}
		return false
	})
	return q
}

func (b *bench) question(id string) policy.Question {
	b.t.Helper()
	for _, q := range b.snapshot().Questions {
		if q.ID == id {
			return q
		}
	}
	b.t.Fatalf("question %s is gone", id)
	return policy.Question{}
}

func (b *bench) answer(q policy.Question, kind, typed, by string) error {
	return b.eng.Answer(b.t.Context(), api.Answer{Question: q.ID, Kind: kind, Typed: typed, By: by})
}

// refused demands an error of that kind and exit code whose message and hint hold all parts.
func refused(t *testing.T, err error, kind api.ErrorKind, code int, parts ...string) {
	t.Helper()
	var e *api.Error
	if !errors.As(err, &e) {
		t.Errorf("got %v, want an error of kind %s", err, kind)
		return
	}
	if e.Kind != kind || api.ExitCode(err) != code {
		t.Errorf("kind %s, exit code %d, want %s, %d: %s", e.Kind, api.ExitCode(err), kind, code, e.Message)
	}
	if text := e.Message + "\n" + e.Hint; !has(text, parts) {
		t.Errorf("it says\n%s\nwant all of %q", text, parts)
	}
}

func (b *bench) verdict(node string) policy.Verdict {
	for _, n := range b.snapshot().Nodes {
		if n.Name == node {
			return n.Verdict
		}
	}
	return ""
}

func (b *bench) becomes(node string, v policy.Verdict) {
	b.t.Helper()
	b.until(node+" "+string(v), func(*api.Snapshot) bool { return b.verdict(node) == v })
}

func TestFailedResourceIsRecoveredOnTheSpot(t *testing.T) {
	scenario(t, func(b *bench) {
		b.node("LK_P_A").Kill("www")
		time.Sleep(11 * time.Second)
		b.didOnly("recover LK_P_A done")
		b.told("This is recovery 1 of service/www on LK_P_A")
		b.check("LK_P_A")
	})
}

func TestRecoveryThatFailsLeadsToFailoverAtOnce(t *testing.T) {
	scenario(t, func(b *bench) {
		b.node("LK_P_A").Break("www")
		time.Sleep(11 * time.Second) // not another check interval
		b.didOnly("recover LK_P_A failed", "failover LK_P_B done")
		b.told("service/www goes from LK_P_A to LK_P_B", "could not be repaired there")
		b.check("LK_P_B")
	})
}

func TestThreeRecoveriesInHalfAnHourMoveItAndHoldIt(t *testing.T) {
	scenario(t, func(b *bench) {
		for range 3 {
			b.node("LK_P_A").Kill("www")
			time.Sleep(5 * time.Minute)
		}
		b.didOnly("recover LK_P_A done", "recover LK_P_A done", "failover LK_P_B done")
		b.told("for the 3rd time within half an hour")
		b.check("LK_P_B")
		b.node("LK_P_B").Break("www") // it could go back to LK_P_A, but is held
		time.Sleep(5 * time.Minute)
		b.didOnly("recover LK_P_A done", "recover LK_P_A done", "failover LK_P_B done", "recover LK_P_B failed")
		b.told("service/www stays as it is", "held on LK_P_B")
		b.submit("LK_P_A") // a person lifts it
		b.settled("LK_P_A")
		b.check("LK_P_A")
	}, calm)
}

func TestVirtualIPAddedByHandIsNoticedAndRemoved(t *testing.T) {
	for node, address := range map[string]string{"LK_P_B": "10.1.0.10", "LK_S_A": "10.2.0.10"} {
		t.Run(node, func(t *testing.T) {
			scenario(t, func(b *bench) {
				if code, out := b.node(node).Exec(b.t.Context(), "ip addr add "+address+"/32 dev eth0"); code != 0 {
					b.t.Fatal(out)
				}
				time.Sleep(11 * time.Second)
				b.told("Something of service/ip-route53 runs on "+node, "which does not hold it")
				b.told("service/ip-route53 runs on "+node, "LK_P_A holds it", "claim is stale")
				b.didOnly("stop-stale " + node + " done")
				b.check("LK_P_A")
			})
		})
	}
}

func TestUnknownMovesNothing(t *testing.T) {
	t.Run("the active node is cut from the engine only, for an hour", func(t *testing.T) {
		scenario(t, func(b *bench) {
			b.sim.Nodes.Cut(nodesim.Engine, "LK_P_A")
			time.Sleep(time.Hour)
			if v := b.verdict("LK_P_A"); v != policy.Degraded {
				b.t.Errorf("LK_P_A is %s; its peers reach it", v)
			}
			b.told("LK_P_A is alive", "Its peers reach LK_P_A")
			b.nothingFollowed()
			b.sim.Nodes.HealAll()
			b.becomes("LK_P_A", policy.Alive)
			b.wellAgain()
		}, slow)
	})
	t.Run("the engine is cut from everybody, for an hour", func(t *testing.T) {
		scenario(t, func(b *bench) {
			for _, s := range b.sim.Definition.Servers {
				b.sim.Nodes.Cut(nodesim.Engine, s.Name)
			}
			time.Sleep(time.Hour)
			for _, s := range b.sim.Definition.Servers {
				if v := b.verdict(s.Name); v != policy.Unknown {
					b.t.Errorf("%s is %s, but nobody could be asked", s.Name, v)
				}
			}
			b.told("the engine may be the one that is cut off")
			b.nothingFollowed()
			b.sim.Nodes.HealAll()
			b.becomes("LK_P_A", policy.Alive)
			b.wellAgain()
		}, slow)
	})
	t.Run("AWS throttles for ten minutes", func(t *testing.T) {
		scenario(t, func(b *bench) {
			events := len(b.events("state"))
			stop := b.sim.EC2.Inject(ec2sim.Throttle("", 0))
			time.Sleep(10 * time.Minute)
			stop()
			time.Sleep(2 * time.Minute)
			b.told("The check of service/ec2-route53 on LK_P_A gave no result", "RequestLimitExceeded", "AWS limits the rate of calls")
			if n := len(b.events("state")) - events; n != 1 {
				b.t.Errorf("%d lines about states, want one that says that nothing is known\n%s", n, b.story())
			}
			b.nothingFollowed()
		}, calm)
	})
	t.Run("the link between the regions is cut", func(t *testing.T) {
		scenario(t, func(b *bench) {
			b.sim.CutRegions(near, far)
			time.Sleep(time.Minute)
			events := len(b.events(""))
			time.Sleep(3 * time.Minute)
			if n := len(b.events("")) - events; n != 0 {
				b.t.Errorf("%d further events while nothing changed\n%s", n, b.story())
			}
			b.nothingFollowed()
		})
	})
}

// nothingFollowed: no operation, no question, the service where it was.
func (b *bench) nothingFollowed() {
	b.t.Helper()
	b.didOnly()
	if q := b.snapshot().Questions; len(q) > 0 {
		b.t.Errorf("%d questions\n%s", len(q), b.story())
	}
	b.check("LK_P_A")
}

// wellAgain: the engine sees everybody again, and nothing comes of what it missed.
func (b *bench) wellAgain() {
	b.t.Helper()
	time.Sleep(2 * time.Minute)
	b.didOnly()
	b.check("LK_P_A")
	for _, q := range b.snapshot().Questions {
		if q.State == policy.Pending {
			b.t.Errorf("something is asked although all is well\n%s", b.story())
		}
	}
}

func TestHungNodeMovesOnlyWithAPersonsWord(t *testing.T) {
	scenario(t, func(b *bench) {
		b.node("LK_P_A").Hang()
		q := b.asked()
		if q.From != "LK_P_A" || q.To != "LK_P_B" || q.Default != 1 || q.Proven {
			b.t.Errorf("asked %+v", q)
		}
		b.told("LK_P_A hangs: it may still work, so nothing moves without a person")
		refused(b.t, b.answer(q, "yes", near, "anna"), api.KindUnsafe, 107, "LK_P_A is not proven dead", "make sure that it is off and answer off")
		time.Sleep(11 * time.Minute)
		b.didOnly()
		if q = b.question(q.ID); q.State != policy.Expired || !strings.Contains(q.Why.Text, "It does not") {
			b.t.Errorf("nobody answered: %s, %s", q.State, q.Why.Text)
		}
		b.node("LK_P_A").Resume()
		b.becomes("LK_P_A", policy.Alive)
		time.Sleep(11 * time.Second)
		b.didOnly()
		b.check("LK_P_A")
	}, slow)
}

// pairGone powers the other node of the region off and lets EC2 notice.
func (b *bench) pairGone() {
	b.t.Helper()
	b.off("LK_P_B")
	b.becomes("LK_P_B", policy.Dead)
}

func TestResourceFailureWithoutItsPairIsAsked(t *testing.T) {
	scenario(t, func(b *bench) {
		b.pairGone()
		b.node("LK_P_A").Break("www")
		q := b.asked()
		if q.To != "LK_S_A" || q.ToRegion != far || q.Default != 1 {
			b.t.Errorf("asked %+v", q)
		}
		time.Sleep(9 * time.Minute)
		b.didOnly("recover LK_P_A failed")
		time.Sleep(2 * time.Minute) // CONFIRMSOTO is over, CONFIRMSODEF is 1
		if q = b.question(q.ID); q.State != policy.Expired {
			b.t.Errorf("the question is %s", q.State)
		}
		b.told("Nobody answered in time", "LK_P_A to LK_S_A", "It does not (CONFIRMSODEF=1)", "by command")
		for _, op := range b.ops() {
			if strings.Contains(op, "LK_S") {
				b.t.Errorf("crossed: %s", op)
			}
		}
		b.node("LK_P_A").Mend("www")
		b.submit("LK_P_A")
		b.settled("LK_P_A")
		b.check("LK_P_A")
	}, calm)
}

func TestPeerComesBackWhileTheQuestionStands(t *testing.T) {
	scenario(t, func(b *bench) {
		b.pairGone()
		b.off("LK_P_A")
		q := b.asked()
		b.sim.EC2.SetStateLag(0)
		b.on("LK_P_B")
		b.settled("LK_P_B")
		b.check("LK_P_B")
		if q = b.question(q.ID); q.State != policy.Withdrawn {
			b.t.Errorf("the question is %s", q.State)
		}
		refused(b.t, b.answer(q, "off", far, "bert"), api.KindNoSuch, 105, "Question "+q.ID+" was withdrawn")
		b.didOnly("failover LK_P_B done")
	})
}

func TestCrossingIsAnsweredOnceAndDone(t *testing.T) {
	scenario(t, func(b *bench) {
		b.off("LK_P_A", "LK_P_B")
		q := b.asked()
		refused(b.t, b.answer(q, "yes", far, "carl"), api.KindUnsafe, 107, "LK_P_A is not proven dead", "answer off")
		refused(b.t, b.answer(q, "off", "tokyo", "carl"), api.KindUnsafe, 107, "the name of the target region", far)
		refused(b.t, b.answer(q, "maybe", far, "carl"), api.KindUsage, 64, "There is no answer maybe")
		refused(b.t, b.answer(policy.Question{ID: "q-9"}, "no", "", "carl"), api.KindNoSuch, 105, "There is no question q-9")
		b.didOnly()
		if err := b.answer(q, "off", far, "anna"); err != nil {
			b.t.Fatal(err)
		}
		refused(b.t, b.answer(q, "no", "", "bert"), api.KindNoSuch, 105, "has been answered already: off, by anna")
		b.settled("LK_S_A")
		b.check("LK_S_A")
		b.told("anna has made sure that LK_P_A is off")

		// The old node boots with its old claim, and stays quiet.
		b.sim.EC2.SetStateLag(0)
		b.on("LK_P_A")
		b.becomes("LK_P_A", policy.Alive)
		time.Sleep(time.Minute)
		b.didOnly("failover LK_S_A done")
		b.check("LK_S_A")
	})
}

func TestRebootedNodeWithAnOldClaimStaysQuiet(t *testing.T) {
	scenario(t, func(b *bench) {
		b.off("LK_P_A")
		b.settled("LK_P_B")
		b.on("LK_P_A")
		b.becomes("LK_P_A", policy.Alive)
		time.Sleep(time.Minute)
		b.didOnly("failover LK_P_B done")
		b.check("LK_P_B")
	})
}

func TestReturningNodeThatStillRunsIsStopped(t *testing.T) {
	t.Run("after a failover in the region", func(t *testing.T) {
		scenario(t, func(b *bench) {
			b.sim.Nodes.CutNode("LK_P_A")
			b.settled("LK_P_B")
			b.returns("LK_P_B", "failover LK_P_B done")
		})
	})
	t.Run("after a crossing", func(t *testing.T) {
		scenario(t, func(b *bench) {
			b.pairGone()
			b.sim.Nodes.CutNode("LK_P_A")
			if err := b.answer(b.asked(), "off", far, "anna"); err != nil {
				b.t.Fatal(err)
			}
			b.settled("LK_S_A")
			b.returns("LK_S_A", "failover LK_S_A done")
		})
	})
}

// returns heals the cut of LK_P_A, which runs all the while, and demands that it is
// stopped on sight, top down, and that the service stays where it is.
func (b *bench) returns(holder string, before string) {
	b.t.Helper()
	if !b.node("LK_P_A").Running("www") {
		b.t.Fatal("the cut-off node should still be running")
	}
	b.sim.Nodes.HealNode("LK_P_A")
	b.until("stopped on sight", func(*api.Snapshot) bool { return !b.node("LK_P_A").Carries("10.1.0.10") })
	b.settled(holder)
	b.didOnly(before, "stop-stale LK_P_A done")
	b.told("service/ip-route53 runs on LK_P_A, but " + holder + " holds it")
	time.Sleep(30 * time.Second)
	b.didOnly(before, "stop-stale LK_P_A done")
	b.check(holder)
	b.topDown("LK_P_A")
}

// topDown demands that the last operation stopped parents before their children.
func (b *bench) topDown(node string) {
	b.t.Helper()
	ops, err := b.eng.Operations(b.t.Context(), 1)
	if err != nil {
		b.t.Fatal(err)
	}
	ended := map[hierarchy.Tag]time.Time{}
	for i, s := range ops[0].Plan.Steps {
		if s.Node != node {
			b.t.Errorf("step %s touches %s", s.ID, s.Node)
		}
		ended[s.Tag] = ops[0].Steps[i].Ended
	}
	www, ip := ended["service/www"], ended["service/ip-route53"]
	if www.IsZero() || ip.IsZero() || !www.Before(ip) {
		b.t.Errorf("www was stopped at %s, the address at %s", www, ip)
	}
}
