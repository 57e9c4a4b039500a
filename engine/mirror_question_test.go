package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits/datakeeper"
)

// The question whether replicated data may cross, and what a yes costs.

// accepting answers a question as somebody does who was shown its price and accepts it.
func (b *dataBench) accepting(q policy.Question, kind string) error {
	return b.eng.Answer(b.t.Context(), api.Answer{Question: q.ID, Kind: kind, Typed: q.ToRegion, By: "anna", Accept: lacking(q)})
}

func lacking(q policy.Question) []policy.Copy {
	return slices.DeleteFunc(slices.Clone(q.Copies), policy.Copy.Complete)
}

// copyOf is what a question says of the data.
func copyOf(t *testing.T, q policy.Question) policy.Copy {
	t.Helper()
	if len(q.Copies) != 1 || q.Copies[0].Tag != dataTag || q.Copies[0].Node != q.To {
		t.Fatalf("copies: %+v", q.Copies)
	}
	return q.Copies[0]
}

// regionLost leaves the two nodes of the other region; the question stands, and a plain yes
// would be enough as far as the lost nodes go.
func (b *dataBench) regionLost() policy.Question {
	b.t.Helper()
	b.off("LK_P_A", "LK_P_B")
	b.becomes("LK_P_A", policy.Dead)
	b.becomes("LK_P_B", policy.Dead)
	q := b.asked()
	if q.ToRegion != far || !q.Proven {
		b.t.Fatalf("asked %+v", q)
	}
	return q
}

// nothingMoved demands that a refusal changed nothing.
func (b *dataBench) nothingMoved(q policy.Question, ops int, claim hierarchy.Claim) {
	b.t.Helper()
	time.Sleep(30 * time.Second)
	if at := b.sim.MirrorSources(dataTag); len(at) > 0 {
		b.t.Errorf("the mirror runs on %v", at)
	}
	if got := len(b.ops()); got != ops {
		b.t.Errorf("%d operations, there were %d\n%s", got, ops, b.story())
	}
	if now := b.question(q.ID); now.State != policy.Pending {
		b.t.Errorf("the question is %s", now.State)
	}
	if c := dataOf(b.snapshot()).Claim; c == nil || c.Number != claim.Number || c.Node != claim.Node {
		b.t.Errorf("claim %+v, it was %+v", c, claim)
	}
}

func TestCrossingTellsTheAgeOfTheData(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		b.write(3)
		q := b.regionLost()
		c := copyOf(t, q)
		if c.Price.Code != "datakeeper.asynchronous" || c.Last.IsZero() || time.Since(c.Last) > 5*time.Minute {
			t.Errorf("%+v\n%s", c, b.story())
		}
		b.told("DATA LOSS", "LK_S_A", "asynchronous")
		time.Sleep(4 * time.Minute)
		q = b.question(q.ID)
		if later := copyOf(t, q); later.Last.Sub(c.Last).Abs() > 2*time.Second { // its age grows
			t.Errorf("complete at %s, before at %s", later.Last, c.Last)
		}

		ops, claim := len(b.ops()), *dataOf(b.snapshot()).Claim
		refused(t, b.answer(q, "yes", far, "anna"), api.KindUnsafe, 107, "lose data of service/data on LK_S_A", "asynchronous", "--accept-data-loss")
		milder := q
		milder.Copies = slices.Clone(q.Copies)
		milder.Copies[0].Last = time.Now()
		refused(t, b.accepting(milder, "yes"), api.KindUnsafe, 107, "not what was shown")
		milder.Copies[0].Price.Code = "datakeeper.stale"
		refused(t, b.accepting(milder, "yes"), api.KindUnsafe, 107, "not what was shown")
		b.nothingMoved(q, ops, claim)

		if err := b.accepting(q, "yes"); err != nil {
			t.Fatal(err)
		}
		b.holds(pgTag, "LK_S_A")
		b.told("anna accepts", "service/data on LK_S_A", "asynchronous")
		b.toldForced(t, "LK_S_A", "datakeeper.asynchronous")
		b.kept("LK_S_A") // nothing was under way when the power went
		b.write(2)

		b.on("LK_P_A") // the old sources come back as targets, and are overwritten
		b.on("LK_P_B")
		b.legsIn("LK_S_A")
		b.holds(pgTag, "LK_S_A")
		b.kept("LK_S_A")
		b.equal("LK_S_A", "LK_P_A", "LK_P_B", "LK_S_B")
	})
}

// toldForced demands the event of what was overridden, by whom, and that no step but those of
// the mirror had a person's word over anything.
func (b *dataBench) toldForced(t *testing.T, node, code string) {
	t.Helper()
	events, err := b.eng.Events(t.Context(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	forced := slices.DeleteFunc(events, func(e api.Event) bool { return e.Reason.Code != "keep-forced" })
	if len(forced) != 1 || forced[0].By != "anna" || forced[0].Node != node || forced[0].Tag != dataTag || forced[0].Reason.Because == nil || forced[0].Reason.Because.Code != code {
		t.Fatalf("%+v\n%s", forced, b.story())
	}
	ops, err := b.eng.Operations(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(ops, func(o api.Operation) bool { return o.ID == forced[0].Op })
	if i < 0 || ops[i].Plan.Goal.Force || !slices.Equal(ops[i].Plan.Goal.AcceptLoss, []plan.Loss{{Tag: dataTag, Code: code}}) {
		t.Fatalf("%+v", ops)
	}
	marked := 0
	for _, s := range ops[i].Plan.Steps {
		if s.Forced || s.Loss != "" && (s.Tag != dataTag || s.Kind != plan.StepEligible && s.Kind != plan.StepStart) {
			t.Errorf("%s: forced %v, loss %q", s.ID, s.Forced, s.Loss)
		}
		if s.Loss == code {
			marked++
		}
	}
	if marked < 2 {
		t.Errorf("%d steps have the word", marked)
	}
}

// What a person accepts stands over that one refusal: the database's own is none of it.
func TestAcceptedLossIsNoForce(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		q := b.regionLost()
		b.node("LK_S_A").SetDiskFull(true) // the claim cannot be written there
		ops := len(b.ops())
		if err := b.accepting(q, "yes"); err != nil {
			t.Fatal(err)
		}
		b.until("it has ended", func(s *api.Snapshot) bool { return len(b.ops()) > ops && len(s.Running) == 0 })
		if at := b.sim.MirrorSources(dataTag); len(at) > 0 {
			t.Errorf("runs on %v\n%s", at, b.story())
		}
		for _, e := range b.events("decision") {
			if strings.Contains(e, "forced") {
				t.Error(e)
			}
		}
	})
}

// A leg across the regions that is synchronous is complete: a plain yes goes, and costs nothing.
func TestCrossingOfASynchronousLegIsAPlainYes(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		b.redefine(func(e *hierarchy.Estate) {
			for i := range e.Res {
				if e.Res[i].Tag == dataTag {
					e.Res[i].On = slices.Clone(e.Res[i].On)
					e.Res[i].On[2].Attrs = map[string]string{datakeeper.FieldMode: datakeeper.ModeSynchronous}
				}
			}
		})
		b.write(3)
		time.Sleep(time.Minute)
		b.legsIn("LK_P_A")
		q := b.regionLost()
		if c := copyOf(t, q); !c.Complete() || !c.Last.IsZero() {
			t.Errorf("%+v\n%s", c, b.story())
		}
		if err := b.answer(q, "yes", far, "anna"); err != nil {
			t.Fatal(err)
		}
		b.holds(pgTag, "LK_S_A")
		b.kept("LK_S_A")
		for _, e := range b.events("") {
			if strings.Contains(e, "forced") || strings.Contains(e, "DATA LOSS") || strings.Contains(e, "accepts") {
				t.Error(e)
			}
		}
	})
}

// CONFIRMSODEF=0 would let it cross when nobody answers; but nobody's silence accepts a loss.
func TestSilenceAcceptsNoLoss(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		b.redefine(func(e *hierarchy.Estate) {
			e.Cluster[0].AllowAutomaticCrossing = true
			for i := range e.Servers {
				e.Servers[i].Tuning["CONFIRMSODEF"] = "0"
			}
		})
		b.until("all nodes alive", alive)
		q := b.regionLost()
		ops, claim := len(b.ops()), *dataOf(b.snapshot()).Claim
		time.Sleep(time.Hour)
		if q = b.question(q.ID); !q.Until.IsZero() || q.Default != 1 {
			t.Errorf("until %s, default %d", q.Until, q.Default)
		}
		b.told("No silence accepts a loss of data")
		b.nothingMoved(q, ops, claim)
		b.revived() // the next engine knows that, too
		b.nothingMoved(q, ops, claim)
		if err := b.accepting(b.question(q.ID), "yes"); err != nil {
			t.Fatal(err)
		}
		b.holds(pgTag, "LK_S_A")
		b.kept("LK_S_A")
	})
}

// revived replaces the engine by another one on the same store.
func (b *dataBench) revived() {
	b.t.Helper()
	b.shut()
	b.open(b.disk.Open())
	b.becomes("LK_S_A", policy.Alive)
	b.becomes("LK_P_A", policy.Dead)
	b.becomes("LK_P_B", policy.Dead)
}

// An automatic failover to a copy that is out of date is refused by the first question of its
// plan: nothing is stopped, claimed or started for it. Then a person is asked about the other
// region, and told what that one lacks.
func TestStaleTargetMovesNothing(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		b.sim.Nodes.Cut("LK_P_A", "LK_P_B")
		_ = b.insert("LK_P_A", 20*time.Second) // waits until the leg is out
		b.until("the leg is out", func(s *api.Snapshot) bool { return dataOf(s).Data.Impaired.Code != "" })
		b.off("LK_P_A")
		b.becomes("LK_P_A", policy.Dead)
		q := b.asked()
		if c := copyOf(t, q); q.To != "LK_S_A" || c.Price.Code != "datakeeper.asynchronous" || c.Settles {
			t.Errorf("asked about %s: %+v", q.To, c)
		}
		ops, err := b.eng.Operations(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		tried := 0
		for _, o := range ops {
			if o.Plan.Goal.Kind != plan.GoalFailover {
				continue
			}
			tried++
			if o.Outcome != policy.OpRolledBack || o.Plan.Goal.Node != "LK_P_B" || !stale(o.Reason.Text) {
				t.Errorf("to %s: %s: %s", o.Plan.Goal.Node, o.Outcome, o.Reason.Text)
			}
			for i, s := range o.Steps {
				if s.Status != "waiting" && (i >= len(o.Plan.Steps) || o.Plan.Steps[i].Kind != plan.StepEligible) {
					t.Errorf("%s is %s", s.ID, s.Status)
				}
			}
		}
		if tried != 1 {
			t.Errorf("%d failovers were tried\n%s", tried, b.story())
		}
		if c := dataOf(b.snapshot()).Claim; c == nil || c.Node != "LK_P_A" {
			t.Errorf("claim %+v", c)
		}
	})
}
