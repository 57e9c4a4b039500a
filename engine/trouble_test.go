package engine_test

import (
	"crypto/ed25519"
	"encoding/pem"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/ferry-ha/ferry/engine"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
)

// What can go wrong around a switchover from LK_P_A to LK_P_B: each trouble is one
// clear message (what happened, on which node, what to do), of the documented kind,
// and leaves everything as it was.

// wish asks for the service on a node; region is typed to confirm a crossing.
func (b *bench) wish(node, region string) (string, error) {
	goal := plan.Goal{Kind: plan.GoalInService, Tag: "www", Node: node}
	s, err := b.eng.Submit(b.t.Context(), api.Command{Goal: goal, By: "anna", ConfirmRegion: region})
	if err != nil {
		return "", err
	}
	return s.Op, nil
}

// ended waits for an operation's end.
func (b *bench) ended(id string) api.Operation {
	b.t.Helper()
	var op api.Operation
	b.until("the end of "+id, func(*api.Snapshot) bool {
		ops, err := b.eng.Operations(b.t.Context(), 0)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, op = range ops {
			if op.ID == id {
				return op.Outcome != policy.OpRunning
			}
		}
		return false
	})
	return op
}

// state is what must not have changed when something was refused.
type state struct {
	claims map[hierarchy.Tag]uint64
	writes int
}

func (b *bench) state() state {
	s := state{claims: map[hierarchy.Tag]uint64{}, writes: len(b.sim.EC2.Writes())}
	for _, r := range b.snapshot().Resources {
		if r.Claim != nil {
			s.claims[r.Tag] = r.Claim.Number
		}
	}
	return s
}

// untouched: the service is where it was, whole, with the same claims, and AWS was
// asked to change nothing.
func (b *bench) untouched(was state) {
	b.t.Helper()
	if now := b.state(); !maps.Equal(now.claims, was.claims) || now.writes != was.writes {
		b.t.Errorf("claims and writes to AWS were %+v and are %+v", was, now)
	}
	b.settled("LK_P_A")
	b.check("LK_P_A")
}

// refuses demands that the wish is refused at once.
func (b *bench) refuses(node string, kind api.ErrorKind, code int, parts ...string) {
	b.t.Helper()
	was := b.state()
	_, err := b.wish(node, "")
	refused(b.t, err, kind, code, parts...)
	b.didOnly()
	b.untouched(was)
}

// takesBack demands that the operation ends before anything was stopped, and says why.
func (b *bench) takesBack(node string, parts ...string) {
	b.t.Helper()
	was := b.state()
	id, err := b.wish(node, "")
	if err != nil {
		b.t.Fatal(err)
	}
	op := b.ended(id)
	if op.Outcome != policy.OpRolledBack || !has(op.Reason.Text, parts) {
		b.t.Errorf("%s: %s\nwant it taken back, saying all of %q", op.Outcome, op.Reason.Text, parts)
	}
	for i, s := range op.Plan.Steps {
		if s.Kind != plan.StepEligible && op.Steps[i].Status != "waiting" {
			b.t.Errorf("step %s was begun: %s", s.ID, op.Steps[i].Status)
		}
	}
	b.told(append([]string{"was taken back; all is as it was before"}, parts...)...)
	b.untouched(was)
}

func TestTargetThatCannotBeReached(t *testing.T) {
	t.Run("it is off", func(t *testing.T) {
		scenario(t, func(b *bench) {
			b.off("LK_P_B")
			b.becomes("LK_P_B", policy.Presumed)
			b.refuses("LK_P_B", api.KindUnsafe, 107, "LK_P_B cannot be reached, so nothing can be put in service there",
				"LK_P_B did not answer in time", "check that it runs, and the route and security group")
		})
	})
	t.Run("its host key has changed", func(t *testing.T) {
		scenario(t, func(b *bench) {
			if err := b.node("LK_P_B").ReplaceHostKey(); err != nil {
				b.t.Fatal(err)
			}
			b.sim.Nodes.KillConnections("LK_P_B")
			b.becomes("LK_P_B", policy.Degraded) // its peers reach it; it does not hang
			b.refuses("LK_P_B", api.KindUnsafe, 107, "LK_P_B cannot be reached", "host key of 10.0.10.10:22 is ssh-ed25519 SHA256:",
				"known_hosts line 2 has another", "was reinstalled, or somebody is in between", "ssh-keygen -R '10.0.10.10'")
			b.shows("LK_P_B", "host key of 10.0.10.10:22")
		})
	})
	t.Run("its host key is unknown", func(t *testing.T) {
		scenario(t, func(b *bench) {
			empty := filepath.Join(b.t.TempDir(), "known_hosts")
			b.redefine(func(e *hierarchy.Estate) { e.Server("LK_P_B").SSH.KnownHosts = empty })
			b.sim.Nodes.KillConnections("LK_P_B")
			b.becomes("LK_P_B", policy.Degraded)
			b.refuses("LK_P_B", api.KindUnsafe, 107, "LK_P_B cannot be reached", "of 10.0.10.10:22 is not known",
				"check the fingerprint on the node, then: ssh-keyscan 10.0.10.10 >> "+empty)
			b.shows("LK_P_B", "is not known")
		})
	})
	t.Run("it does not let us in", func(t *testing.T) {
		scenario(t, func(b *bench) {
			key := strangeKey(b.t)
			b.redefine(func(e *hierarchy.Estate) { e.Server("LK_P_B").SSH.Identity = key })
			b.sim.Nodes.KillConnections("LK_P_B")
			b.until("LK_P_B away", func(*api.Snapshot) bool { return b.verdict("LK_P_B") != policy.Alive })
			b.refuses("LK_P_B", api.KindUnsafe, 107, "LK_P_B cannot be reached", "10.0.10.10:22 does not let root in", "authorized_keys")
			b.shows("LK_P_B", "does not let root in")
		})
	})
}

// redefine applies the definition in force with a change.
func (b *bench) redefine(change func(*hierarchy.Estate)) {
	b.t.Helper()
	if err := b.apply(change); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) apply(change func(*hierarchy.Estate)) error {
	e, err := b.eng.Export(b.t.Context())
	if err != nil {
		return err
	}
	change(e)
	_, err = b.eng.Apply(b.t.Context(), api.Apply{Estate: e, By: "anna"})
	return err
}

// shows demands that the status says it of the node.
func (b *bench) shows(node, part string) {
	b.t.Helper()
	for _, n := range b.snapshot().Nodes {
		for _, ev := range n.Evidence {
			if n.Name == node && has(ev.Text, []string{part}) {
				return
			}
		}
	}
	b.t.Errorf("the status of %s does not say %q", node, part)
}

// strangeKey is a login key that no node knows.
func strangeKey(t *testing.T) string {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTargetThatCannotBeActedOn(t *testing.T) {
	t.Run("its disk is full", func(t *testing.T) {
		scenario(t, func(b *bench) {
			b.node("LK_P_B").SetDiskFull(true)
			b.takesBack("LK_P_B", "LK_P_B cannot write to /var/lib/ferry", "no space left on device", "make space on its disk")
			b.node("LK_P_B").SetDiskFull(false)
			b.submit("LK_P_B")
			b.settled("LK_P_B")
			b.check("LK_P_B")
		})
	})
	t.Run("its disk is full when the node that serves is lost", func(t *testing.T) {
		scenario(t, func(b *bench) {
			b.node("LK_P_B").SetDiskFull(true)
			b.off("LK_P_A")
			if q := b.asked(); q.To != "LK_S_A" { // not half on LK_P_B
				b.t.Errorf("asked about %s", q.To)
			}
			b.didOnly("failover LK_P_B rolled-back")
		})
	})
	t.Run("another estate's engine leads it", func(t *testing.T) {
		scenario(t, func(b *bench) {
			if err := b.node("LK_P_B").WriteFile("/var/lib/ferry/record", "estate=osaka\nengine=e-osaka\nepoch=4\n", false); err != nil {
				b.t.Fatal(err)
			}
			b.takesBack("LK_P_B", "LK_P_B belongs to another estate: engine e-osaka of estate osaka leads it at epoch 4", "take the node out of one of the two definitions")
		})
	})
	t.Run("a newer engine leads it", func(t *testing.T) {
		scenario(t, func(b *bench) {
			record, err := b.node("LK_P_A").ReadFile("/var/lib/ferry/record")
			if err != nil {
				b.t.Fatal(err)
			}
			if err := b.node("LK_P_B").WriteFile("/var/lib/ferry/record", record+"epoch=9\n", false); err != nil {
				b.t.Fatal(err)
			}
			id, err := b.wish("LK_P_B", "")
			if err != nil {
				b.t.Fatal(err)
			}
			op := b.ended(id)
			if op.Outcome != policy.OpFailed || !has(op.Reason.Text, []string{"given up where it stood", "no longer leading", "at epoch 9"}) {
				b.t.Errorf("%s: %s", op.Outcome, op.Reason.Text)
			}
			b.check("LK_P_A")
		})
	})
}

func TestTroubleWithAWS(t *testing.T) {
	for name, c := range map[string]struct {
		trouble func(*ec2sim.Server)
		parts   []string
	}{
		"unknown access key": {
			func(s *ec2sim.Server) { s.Edit(func(w *ec2sim.World) { w.Keys[0].ID = "AKIAANOTHER" }) },
			[]string{"eligible service/ec2-route53 on LK_P_B failed", "AuthFailure", "check the access key ASIASIMULATEDFERRY00"},
		},
		"action denied": {
			func(s *ec2sim.Server) {
				s.Edit(func(w *ec2sim.World) { w.Keys[0].Deny = []string{"DescribeNetworkInterfaces"} })
			},
			[]string{"LK_P_B may not take the clients", "UnauthorizedOperation", "allow ec2:DescribeNetworkInterfaces to the identity the engine uses"},
		},
		"throttled": {
			func(s *ec2sim.Server) { s.Inject(ec2sim.Throttle("", 0)) },
			[]string{"did not say how it ended", "LK_P_B cannot be judged", "throttled", "AWS limits the rate of calls"},
		},
		"unreachable": {
			func(s *ec2sim.Server) { s.Inject(ec2sim.Fault{Unreachable: true}) },
			[]string{"LK_P_B cannot be judged", "unreachable", "check that http://aws.simulated can be reached from the engine"},
		},
		"silent": {
			func(s *ec2sim.Server) { s.Inject(ec2sim.Fault{Hang: true}) },
			[]string{"LK_P_B cannot be judged", "timeout", "check that http://aws.simulated can be reached from the engine"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(b *bench) {
				c.trouble(b.sim.EC2)
				b.takesBack("LK_P_B", c.parts...)
			})
		})
	}
}

func TestEnginesStoreFull(t *testing.T) {
	scenario(t, func(b *bench) {
		b.disk.Fill(true)
		was := len(b.sim.EC2.Writes())
		_, err := b.wish("LK_P_B", "")
		refused(b.t, err, api.KindUnavailable, 69, "the store is full", "free space in the engine's state directory", "nothing was started")
		if err := b.apply(func(e *hierarchy.Estate) { e.Name = "other" }); err == nil {
			b.t.Error("a definition was accepted that could not be stored")
		}
		if n := b.snapshot().Engine.Notice; !has(n, []string{"the store is full"}) {
			b.t.Errorf("the status says %q", n)
		}
		b.off("LK_P_A") // whatever happens now cannot be recorded, so nothing is done
		time.Sleep(time.Minute)
		if n := len(b.sim.EC2.Writes()); n != was || b.node("LK_P_B").Running("www") {
			b.t.Errorf("acted without a record: %d writes, runs on LK_P_B %v", n-was, b.node("LK_P_B").Running("www"))
		}
		b.disk.Fill(false)
		b.settled("LK_P_B")
		b.didOnly("failover LK_P_B done")
		b.check("LK_P_B")
		if n := b.snapshot().Engine.Notice; n != "" {
			b.t.Errorf("the status still says %q", n)
		}
		if e, err := b.eng.Export(b.t.Context()); err != nil || e.Name == "other" {
			b.t.Errorf("the refused definition is in force: %v", err)
		}
	})
}

func TestCommandsThatCannotBeFollowed(t *testing.T) {
	scenario(t, func(b *bench) {
		b.refuses("LK_P_C", api.KindNoSuch, 105, "There is no node LK_P_C in this estate")
		b.refuses("VPN_P_A", api.KindNoSuch, 105, "service/www is not extended to VPN_P_A")
		b.refuses("LK_S_A", api.KindUnsafe, 107, "crosses regions, from LK_P_A to LK_S_A", "must be typed to confirm it ("+far+")")
		was := b.state()
		_, err := b.wish("LK_S_A", near)
		refused(b.t, err, api.KindUnsafe, 107, "must be typed to confirm it ("+far+")")
		_, err = b.eng.Submit(b.t.Context(), api.Command{Goal: plan.Goal{Kind: plan.GoalInService, Tag: "wwww"}})
		refused(b.t, err, api.KindNoSuch, 105, "wwww", "`ferry status` lists the resources")
		_, err = b.eng.Submit(b.t.Context(), api.Command{Goal: plan.Goal{Kind: plan.GoalFailover, Tag: "www", Node: "LK_P_B"}})
		refused(b.t, err, api.KindUsage, 64, "cannot be asked for")
		if op, err := b.wish("LK_P_A", ""); op != "" || err != nil {
			b.t.Errorf("in service where it is already: %q, %v", op, err)
		}
		b.didOnly()
		b.untouched(was)

		b.submit("LK_P_B")
		_, err = b.wish("LK_P_A", "")
		refused(b.t, err, api.KindBusy, 75, "works on the hierarchy of service/www; wait for its end")
		refused(b.t, b.apply(func(e *hierarchy.Estate) { e.Name = "other" }), api.KindBusy, 75, "is running; the definition cannot change under it", "ferry operations")
		b.settled("LK_P_B")
		b.didOnly("in-service LK_P_B done")
		b.check("LK_P_B")
	})
}

func TestDefinitionDoesNotPullTheGroundAway(t *testing.T) {
	scenario(t, func(b *bench) {
		was := b.state()
		for what, c := range map[string]struct {
			change func(*hierarchy.Estate)
			parts  []string
		}{
			"resource removed": {func(e *hierarchy.Estate) { e.Res = deleteTag(e.Res, "service/www") }, []string{"service/www is in service on LK_P_A; it cannot be removed there"}},
			"placement removed": {func(e *hierarchy.Estate) {
				for i := range e.Res {
					e.Res[i].On = e.Res[i].On[1:]
				}
			}, []string{"is in service on LK_P_A; it cannot be removed there"}},
			"address changed": {func(e *hierarchy.Estate) {
				for i := range e.Res {
					if e.Res[i].Tag == "service/ip-route53" {
						e.Res[i].On[0].Attrs["address"] = "10.1.0.11"
					}
				}
			}, []string{"service/ip-route53 is in service on LK_P_A; its fields there cannot change"}},
		} {
			err := b.apply(c.change)
			refused(b.t, err, api.KindUnsafe, 107, append(c.parts, "take it out of service first: `ferry out-of-service ")...)
			if e, err := b.eng.Export(b.t.Context()); err != nil || len(e.Res) != len(b.sim.Definition.Res) || len(e.Res[0].On) != len(b.sim.Definition.Res[0].On) {
				b.t.Errorf("%s: the definition in force has changed", what)
			}
		}
		b.didOnly()
		b.untouched(was)
	})
}

func deleteTag(res []hierarchy.Resource, tag hierarchy.Tag) []hierarchy.Resource {
	var out []hierarchy.Resource
	for _, r := range res {
		if r.Tag != tag {
			out = append(out, r)
		}
	}
	return out
}

func TestTuningIsJudgedAndInForceAtOnce(t *testing.T) {
	scenario(t, func(b *bench) {
		set := func(node, name, value string) error { return b.eng.SetTuning(b.t.Context(), node, name, value) }
		refused(b.t, set("", "LKCHECKINTERVALL", "5"), api.KindNoSuch, 105, `no tuning name "LKCHECKINTERVALL"`, "`ferry config schema` lists them")
		refused(b.t, set("LK_P_A", "LKCHECKINTERVAL", "soon"), api.KindUsage, 64, "LKCHECKINTERVAL = soon")
		refused(b.t, set("LK_P_A", "LKCHECKINTERVAL", "0"), api.KindUsage, 64, "LKCHECKINTERVAL = 0", "1", "86400")
		refused(b.t, set("LK_P_C", "LKCHECKINTERVAL", "5"), api.KindNoSuch, 105, `no server "LK_P_C"`)
		for _, node := range []string{"LK_S_A", "LK_P_B"} {
			refused(b.t, set(node, "CONFIRMSODEF", "0"), api.KindConfig, 78, "CONFIRMSODEF is 0 on "+node, "would cross by itself", "allow_automatic_crossing", "nothing was changed")
			refused(b.t, set(node, "CONFIRMSODEF", ""), api.KindConfig, 78, "CONFIRMSODEF is 0 on "+node)
			if e, err := b.eng.Export(b.t.Context()); err != nil || e.Server(node).Tuning["CONFIRMSODEF"] != "1" {
				b.t.Errorf("CONFIRMSODEF of %s was lowered (%v)", node, err)
			}
		}
		b.recoveredWithin(10*time.Second, 0)
		if err := set("LK_P_A", "LKCHECKINTERVAL", "60s"); err != nil {
			b.t.Fatal(err)
		}
		b.recoveredWithin(60*time.Second, 15*time.Second)
	})
}

// recoveredWithin kills the service on LK_P_A right after a look at it; the next look
// comes after the interval, not before.
func (b *bench) recoveredWithin(most, least time.Duration) {
	b.t.Helper()
	time.Sleep(2 * time.Second) // the looks that a change of the definition brings
	killed := time.Now()
	b.node("LK_P_A").Kill("www")
	b.until("recovered", func(*api.Snapshot) bool { return b.node("LK_P_A").Running("www") })
	if d := time.Since(killed); d > most+time.Second || d < least {
		b.t.Errorf("recovered after %s, checks come every %s", d, most)
	}
	b.settled("LK_P_A")
}

func TestClockJumpVoidsWhatWasSeen(t *testing.T) {
	for name, gap := range map[string]time.Duration{"an hour asleep": time.Hour, "the clock set back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(b *bench) {
				b.eng.Slept(gap)
				b.until("nothing is known", func(*api.Snapshot) bool { return b.verdict("LK_P_A") == policy.Unknown })
				b.told("The clock jumped by "+gap.String(), "All observations are void")
				b.becomes("LK_P_A", policy.Alive)
				time.Sleep(30 * time.Second)
				b.nothingFollowed()
			})
		})
	}
	t.Run("missed beats are counted anew", func(t *testing.T) {
		scenario(t, func(b *bench) {
			b.off("LK_P_A")
			time.Sleep(3 * time.Second) // a beat before the verdict
			b.eng.Slept(time.Hour)
			time.Sleep(2500 * time.Millisecond)
			b.didOnly()
			b.settled("LK_P_B")
			b.didOnly("failover LK_P_B done")
			b.check("LK_P_B")
		})
	})
	t.Run("in the middle of a switchover", func(t *testing.T) {
		scenario(t, func(b *bench) {
			id, err := b.wish("LK_P_B", "")
			if err != nil {
				b.t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
			b.eng.Slept(time.Hour)
			b.until("the jump", func(*api.Snapshot) bool { return b.verdict("LK_P_A") == policy.Unknown })
			op := b.ended(id)
			where := map[policy.OpOutcome]string{policy.OpDone: "LK_P_B", policy.OpRolledBack: "LK_P_A"}[op.Outcome]
			if where == "" {
				b.t.Fatalf("ended as %s: %s", op.Outcome, op.Reason.Text)
			}
			b.until("all nodes alive", alive)
			b.settled(where)
			b.check(where)
		})
	})
}

func TestSecondEngineIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serving(t)
		defer b.close()
		_, err := engine.Open(t.Context(), engine.Options{Store: b.disk.Open(), Kits: registry(b.aws), Cloud: b.aws, Nodes: b.sim.Nodes.DialContext, Who: "bert@laptop"})
		if err == nil || !has(err.Error(), []string{"taking the lead", "test has led since"}) {
			t.Errorf("a second engine: %v", err)
		}
		b.didOnly()
		b.check("LK_P_A")
	})
}

// TestTroubleInTheMiddleLeavesTheServiceUp: what could not be foreseen strikes when
// the service is stopped already. It must come back where it was by itself.
func TestTroubleInTheMiddleLeavesTheServiceUp(t *testing.T) {
	t.Run("the target's disk fills before its claim", func(t *testing.T) {
		scenario(t, func(b *bench) {
			id, err := b.wish("LK_P_B", "")
			if err != nil {
				b.t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond) // the target has been asked, the stops run
			b.node("LK_P_B").SetDiskFull(true)
			op := b.ended(id)
			if op.Outcome == policy.OpDone || !has(op.Reason.Text, []string{"claim on LK_P_B failed", "the claim could not be written on LK_P_B", "no space left on device", "is its disk full?"}) {
				b.t.Errorf("%s: %s", op.Outcome, op.Reason.Text)
			}
			b.backOn("LK_P_A")
		})
	})
	t.Run("AWS denies the change of the route", func(t *testing.T) {
		scenario(t, func(b *bench) {
			id, err := b.wish("LK_P_B", "")
			if err != nil {
				b.t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond) // the target has been asked, AWS too
			b.sim.EC2.Edit(func(w *ec2sim.World) { w.Keys[0].Deny = []string{"ReplaceRoute"} })
			op := b.ended(id)
			if op.Outcome == policy.OpDone || !has(op.Reason.Text, []string{"start service/ec2-route53 on LK_P_B failed", "none was changed", "UnauthorizedOperation", "allow ec2:ReplaceRoute to the identity the engine uses"}) {
				b.t.Errorf("%s: %s", op.Outcome, op.Reason.Text)
			}
			b.backOn("LK_P_A")
		})
	})
}

// backOn waits until the service is whole on the node again.
func (b *bench) backOn(node string) {
	b.t.Helper()
	whole := func(*api.Snapshot) bool { return b.node(node).Running("www") && b.node(node).Carries("10.1.0.10") }
	b.until("the service back on "+node, whole)
	b.settled(node)
	time.Sleep(11 * time.Second)
	b.settled(node)
	b.check(node)
}

// TestForceGoesOnOverARefusal: the target's route interface has its source/dest check on,
// so it is not eligible; a person's force moves the service all the same.
func TestForceGoesOnOverARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serving(t)
		defer b.close()
		if err := b.sim.EC2.SetSourceDestCheck("eni-lkpb", true); err != nil {
			t.Fatal(err)
		}
		b.submit("LK_P_B")
		b.settled("LK_P_A")
		goal := plan.Goal{Kind: plan.GoalInService, Tag: "www", Node: "LK_P_B", Force: true}
		if _, err := b.eng.Submit(t.Context(), api.Command{Goal: goal, By: "anna"}); err != nil {
			t.Fatal(err)
		}
		b.settled("LK_P_B")
		b.check("LK_P_B")
	})
}

// TestLostTargetIsGivenUp: the node to which the service fails over dies in the last
// check of that move. The move ends with the node's verdict; it does not go on to try
// there for minutes before a person is asked.
func TestLostTargetIsGivenUp(t *testing.T) {
	scenario(t, func(b *bench) {
		b.off("LK_P_A")
		b.until("the service started on LK_P_B", func(sn *api.Snapshot) bool {
			for _, op := range sn.Running {
				for i, s := range op.Plan.Steps {
					if s.Kind == plan.StepStart && s.Tag.Short() == "www" && op.Steps[i].Status == "done" {
						return true
					}
				}
			}
			return false
		})
		b.off("LK_P_B")
		b.becomes("LK_P_B", policy.Presumed)
		judged := time.Now()
		b.until("a question", func(sn *api.Snapshot) bool { return len(sn.Questions) > 0 && sn.Questions[0].State == policy.Pending })
		if took := time.Since(judged); took > 3*time.Second { // virtual time
			b.t.Errorf("asked %s after LK_P_B was judged dead\n%s", took, b.story())
		}
	})
}
