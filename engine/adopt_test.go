package engine_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine"
	"github.com/ferry-ha/ferry/engine/adopt"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
	"github.com/ferry-ha/ferry/sshexec/wire"
)

// An engine that is lost, and what another one makes of what the nodes keep.

// elsewhere is the place of the second engine: the first one's cuts do not cut it off.
const elsewhere = "Elsewhere"

func (b *bench) dialElsewhere(ctx context.Context, network, addr string) (net.Conn, error) {
	return b.sim.Nodes.DialFrom(ctx, elsewhere, network, addr)
}

// copied waits until every node that answers keeps what the engine knows now.
func (b *bench) copied() {
	b.t.Helper()
	at := time.Now().Add(-time.Second)
	b.until("copies on all nodes", func(s *api.Snapshot) bool {
		for _, n := range s.Nodes {
			if n.Copy.IsZero() {
				return false
			}
		}
		return time.Since(at) > 20*time.Second
	})
}

// survey asks from elsewhere.
func (b *bench) survey(from ...string) (*engine.Found, error) {
	return engine.Survey(b.t.Context(), engine.SurveyOptions{
		From: from, SSH: b.sim.Definition.SSH, Nodes: b.dialElsewhere, Kits: registry(b.aws, b.more...),
	})
}

// adoptFrom carries the ceremony out and runs the second engine on what came of it.
func (b *bench) adoptFrom(from ...string) (*bench, *engine.Found, *engine.Adopted) {
	b.t.Helper()
	f, err := b.survey(from...)
	if err != nil {
		b.t.Fatal(err)
	}
	second := &bench{t: b.t, sim: b.sim, disk: store.NewDisk(), aws: b.aws, more: b.next}
	st := second.disk.Open()
	a, err := engine.Adopt(b.t.Context(), st, f, "bert@second (9)", b.dialElsewhere)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		b.t.Fatal(err)
	}
	second.line = sim.NewLine(b.dialElsewhere)
	second.store = second.disk.Open()
	second.eng, err = engine.Open(b.t.Context(), engine.Options{Store: second.store, Kits: registry(b.aws, b.next...), Cloud: b.aws,
		Nodes: second.line.DialContext, Who: "bert@second (10)", Automation: true})
	if err != nil {
		b.t.Fatal(err)
	}
	return second, f, a
}

func (b *bench) shut() {
	if err := b.eng.Close(); err != nil {
		b.t.Error(err)
	}
}

const standbyA, standbyB = "172.16.0.10", "172.16.10.10"

func TestNodesKeepCopies(t *testing.T) {
	scenario(t, func(b *bench) {
		b.copied()
		for _, s := range b.sim.Definition.Servers {
			file, err := b.node(s.Name).ReadFile("/var/lib/ferry/copy")
			if err != nil {
				b.t.Fatal(err)
			}
			c, err := adopt.Parse([]byte(file))
			if err != nil {
				b.t.Fatal(err)
			}
			w, err := policy.Load(c.Definition, registry(b.aws), entities(c))
			if err != nil || w.Active("service/www") != "LK_P_A" || c.Who != "test" || c.Definition.Name != b.sim.Definition.Name {
				b.t.Errorf("%s keeps %+v, %v", s.Name, c, err)
			}
			record, err := b.node(s.Name).ReadFile("/var/lib/ferry/record")
			if err != nil || !has(record, []string{"engine=" + c.Engine, "epoch=1\n", "leader=test\n", "since="}) {
				b.t.Errorf("%s: record %q, %v", s.Name, record, err)
			}
		}
		// One that is away gets it when it comes back.
		b.off("VPN_S_A")
		b.becomes("VPN_S_A", policy.Dead)
		b.redefine(func(e *hierarchy.Estate) { e.Server("LK_S_B").Tuning["LKCHECKINTERVAL"] = "77" })
		b.on("VPN_S_A")
		b.becomes("VPN_S_A", policy.Alive)
		b.until("the copy on it", func(*api.Snapshot) bool {
			file, err := b.node("VPN_S_A").ReadFile("/var/lib/ferry/copy")
			if err != nil {
				return false
			}
			c, err := adopt.Parse([]byte(file))
			return err == nil && c.Definition.Server("LK_S_B").Tuning["LKCHECKINTERVAL"] == "77"
		})
	})
}

func entities(c *adopt.Copy) []policy.Entity {
	var out []policy.Entity
	for key, value := range c.Entities {
		out = append(out, policy.Entity{Key: key, Value: value})
	}
	return out
}

func TestResultsOfEndedOperationsAreForgotten(t *testing.T) {
	scenario(t, func(b *bench) {
		for _, node := range []string{"LK_P_B", "LK_P_A", "LK_P_B", "LK_P_A"} {
			b.submit(node)
			b.settled(node)
		}
		b.until("the results forgotten", func(*api.Snapshot) bool {
			for _, n := range []string{"LK_P_A", "LK_P_B"} {
				if slices.ContainsFunc(b.node(n).Units(), func(u wire.Unit) bool { return strings.Contains(u.Name, "-op-") }) {
					return false
				}
			}
			return true
		})
		b.check("LK_P_A")
	})
}

// TestAdopt is the whole story: an engine leads, moves the service and is cut off with
// its store; another one adopts the estate from two nodes; the first one wakes up.
func TestAdopt(t *testing.T) {
	scenario(t, func(b *bench) {
		b.submit("LK_P_B")
		b.settled("LK_P_B")
		b.copied()
		before := b.snapshot().Engine
		b.sim.Nodes.CutNode(nodesim.Engine)
		if f, err := b.survey(standbyA); err != nil || f.Live == nil {
			b.t.Errorf("the engine was at work a moment ago: %+v, %v", f, err)
		}
		time.Sleep(2 * time.Minute)
		second, f, a := b.adoptFrom(standbyA, standbyB)
		defer second.shut()
		if f.Live != nil || f.Leader == nil || f.Leader.Engine != before.ID || f.Leader.Who != "test" || f.State.Epoch != before.Epoch || a.Epoch != before.Epoch+1 {
			b.t.Errorf("found leader %+v, live %+v; adopted %+v", f.Leader, f.Live, a)
		}
		for _, c := range f.State.Claims {
			if c.Node != "LK_P_B" || len(c.Also) > 0 {
				b.t.Errorf("claim %+v", c)
			}
		}
		for node, problem := range a.Nodes {
			if problem != "" {
				b.t.Errorf("%s does not obey: %s", node, problem)
			}
		}
		second.settled("LK_P_B")
		second.check("LK_P_B")
		if got := second.ops(); len(got) != 0 {
			b.t.Errorf("the second engine did %q by itself", got)
		}
		second.told("was adopted by bert@second (9) from the copies and records of", "LK_S_A")

		// The old one wakes up.
		writes := len(b.sim.EC2.Writes())
		b.sim.Nodes.HealNode(nodesim.Engine)
		b.eng.Slept(time.Hour)
		b.until("the first engine gives way", func(s *api.Snapshot) bool {
			return has(s.Engine.Notice, []string{"no longer leading: engine " + a.Engine + " of bert@second", "adopted this estate at epoch"}) && !s.Engine.Automation
		})
		_, err := b.wish("LK_P_A", "")
		refused(b.t, err, api.KindDenied, 77, "no longer leading: engine "+a.Engine, "bert@second", "use that engine")
		refused(b.t, b.apply(func(e *hierarchy.Estate) { e.Name = "mine" }), api.KindDenied, 77, "no longer leading")

		// The second one acts; the first one sees its service gone and does nothing.
		second.submit("LK_P_A")
		second.settled("LK_P_A")
		time.Sleep(3 * time.Minute)
		second.settled("LK_P_A")
		second.check("LK_P_A")
		if got := second.ops(); !slices.Equal(got, []string{"in-service LK_P_A done"}) {
			b.t.Errorf("operations %q", got)
		}
		if b.ops()[len(b.ops())-1] != "in-service LK_P_B done" {
			b.t.Errorf("the first engine did %q", b.ops())
		}
		if n := len(b.sim.EC2.Writes()) - writes; n != 1 {
			b.t.Errorf("%d writes to EC2 since, one is the second engine's", n)
		}

		// Started again and again it stays out, whatever epochs it gets.
		for range 3 {
			b.shut()
			b.open(b.disk.Open())
			if s := b.snapshot(); !strings.Contains(s.Engine.Notice, "no longer leading") || s.Engine.Automation {
				b.t.Errorf("started again it says %q, automation %v", s.Engine.Notice, s.Engine.Automation)
			}
			_, err := b.wish("LK_P_B", "")
			refused(b.t, err, api.KindDenied, 77, "no longer leading")
		}
	})
}

// TestOldEngineMeetsNodesOnly: its store knows nothing of the adoption, and it was not
// told by a gap of its clock either: the first record it reads, or the first refusal,
// is enough.
func TestOldEngineMeetsTheNewOneAtItsFirstStep(t *testing.T) {
	scenario(t, func(b *bench) {
		b.copied()
		b.sim.Nodes.CutNode(nodesim.Engine)
		time.Sleep(2 * time.Minute)
		second, _, a := b.adoptFrom(standbyB)
		defer second.shut()
		second.settled("LK_P_A")
		writes := len(b.sim.EC2.Writes())
		b.sim.Nodes.HealNode(nodesim.Engine)
		b.until("seen again", alive)
		id, err := b.wish("LK_P_B", "")
		if err == nil && id != "" {
			if op := b.ended(id); op.Outcome == policy.OpDone {
				b.t.Errorf("the old engine moved the service: %+v", op)
			}
		}
		b.until("the first engine gives way", func(s *api.Snapshot) bool {
			return strings.Contains(s.Engine.Notice, "no longer leading: engine "+a.Engine)
		})
		second.settled("LK_P_A")
		second.check("LK_P_A")
		if n := len(b.sim.EC2.Writes()) - writes; n != 0 {
			b.t.Errorf("%d writes to EC2", n)
		}
	})
}

// TestAdoptAfterTheRegionIsLost: the engine, its store and its region are gone. From
// the other region's nodes the estate is adopted, and on a person's word it crosses.
func TestAdoptAfterTheRegionIsLost(t *testing.T) {
	scenario(t, func(b *bench) {
		b.copied()
		b.off("LK_P_A", "LK_P_B", "VPN_P_A", "VPN_P_B")
		b.sim.Nodes.CutNode(nodesim.Engine)
		time.Sleep(3 * time.Minute)
		second, f, a := b.adoptFrom(standbyA)
		defer second.shut()
		if len(a.Nodes) != 8 || a.Nodes["LK_P_A"] == "" || a.Nodes["LK_S_B"] != "" {
			b.t.Errorf("nodes %v", a.Nodes)
		}
		if f.Nodes[0].Err != "" || f.Nodes[7].Err == "" {
			b.t.Errorf("who answered comes first: %+v", f.Nodes)
		}
		q := second.asked()
		if q.From != "LK_P_A" || q.To != "LK_S_A" {
			b.t.Errorf("asked %+v", q)
		}
		if err := second.eng.Answer(b.t.Context(), api.Answer{Question: q.ID, Kind: "off", Typed: far}); err != nil {
			b.t.Fatal(err)
		}
		second.settled("LK_S_A")
		second.check("LK_S_A")
		// The region comes back: its nodes obey the new engine, the old claim is stale.
		for _, n := range []string{"LK_P_A", "LK_P_B", "VPN_P_A", "VPN_P_B"} {
			b.on(n)
		}
		second.until("all nodes alive", alive)
		time.Sleep(time.Minute)
		second.settled("LK_S_A")
		second.check("LK_S_A")
	})
}

// TestAdoptTwoClaims: one number on two nodes cannot be ordered; nothing moves until a
// person decides.
func TestAdoptTwoClaims(t *testing.T) {
	scenario(t, func(b *bench) {
		b.copied()
		claims, err := b.node("LK_P_A").ReadFile("/var/lib/ferry/claims")
		if err != nil {
			b.t.Fatal(err)
		}
		if err := b.node("LK_S_B").WriteFile("/var/lib/ferry/claims", claims, false); err != nil {
			b.t.Fatal(err)
		}
		b.sim.Nodes.CutNode(nodesim.Engine)
		time.Sleep(2 * time.Minute)
		second, f, _ := b.adoptFrom(standbyA)
		defer second.shut()
		if len(f.State.Claims) == 0 || len(f.State.Claims[0].Also) != 1 {
			b.t.Errorf("claims %+v", f.State.Claims)
		}
		second.told("both have claim")
		b.off("LK_P_A")
		time.Sleep(3 * time.Minute)
		if got := second.ops(); len(got) != 0 {
			b.t.Errorf("a hierarchy with two claims was moved: %q", got)
		}
		for _, r := range second.snapshot().Resources {
			for _, on := range r.On {
				if r.Cluster == "service" && on.Held == "" {
					b.t.Errorf("%s on %s is not held", r.Tag, on.Server)
				}
			}
		}
	})
}

// TestClaimThatOnlyTheNodeKnows: the copy is older than the node's own record, which wins.
func TestClaimThatOnlyTheNodeKnows(t *testing.T) {
	scenario(t, func(b *bench) {
		b.copied()
		old, err := b.node("LK_S_A").ReadFile("/var/lib/ferry/copy")
		if err != nil {
			b.t.Fatal(err)
		}
		b.submit("LK_P_B")
		b.settled("LK_P_B")
		b.copied()
		b.sim.Nodes.CutNode(nodesim.Engine)
		for _, s := range b.sim.Definition.Servers {
			if err := b.node(s.Name).WriteFile("/var/lib/ferry/copy", old, false); err != nil {
				b.t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Minute)
		second, f, _ := b.adoptFrom(standbyA)
		defer second.shut()
		for _, c := range f.State.Claims {
			if c.Node != "LK_P_B" || !c.Record {
				b.t.Errorf("claim %+v", c)
			}
		}
		second.settled("LK_P_B")
		second.check("LK_P_B")
		second.didNothing()
	})
}

func (b *bench) didNothing() {
	b.t.Helper()
	if got := b.ops(); len(got) != 0 {
		b.t.Errorf("operations %q\n%s", got, b.story())
	}
}

func TestSurveyThatFindsNothing(t *testing.T) {
	scenario(t, func(b *bench) {
		b.copied()
		b.off("VPN_S_A")
		_, err := b.survey("172.16.0.5")
		refused(b.t, err, api.KindUnavailable, 69, "none of the nodes given answers", "172.16.0.5", "--jump")
		_, err = b.survey("172.16.0.10:99999")
		refused(b.t, err, api.KindUsage, 64, "port")

		if err := b.node("LK_S_A").WriteFile("/var/lib/ferry/copy", "ferry-copy 1 1 1 00\nx\n", false); err != nil {
			b.t.Fatal(err)
		}
		_, err = b.survey(standbyA)
		refused(b.t, err, api.KindNoSuch, 105, "has a copy of an estate", standbyA+": the copy is damaged")

		if err := b.node("LK_S_A").WriteFile("/var/lib/ferry/record", "estate=osaka\nengine=e-osaka\nepoch=4\n", false); err != nil {
			b.t.Fatal(err)
		}
		_, err = b.survey(standbyA, standbyB)
		refused(b.t, err, api.KindUsage, 64, "these nodes belong to several estates", "id osaka, on "+standbyA, "--estate")
	})
}

// TestSecondLaptop: another machine with an empty store is told who leads before it
// takes the estate for its own.
func TestSecondLaptop(t *testing.T) {
	scenario(t, func(b *bench) {
		b.copied()
		eng, err := engine.Open(b.t.Context(), engine.Options{Store: store.NewDisk().Open(), Kits: registry(b.aws), Cloud: b.aws,
			Nodes: b.dialElsewhere, Who: "carl@laptop", Automation: true})
		if err != nil {
			b.t.Fatal(err)
		}
		defer eng.Close()
		_, err = eng.Apply(b.t.Context(), api.Apply{Estate: b.sim.Definition})
		refused(b.t, err, api.KindBusy, 75, "another engine leads", "(test since 2000-", "ferry adopt --from")
		b.didOnly()
		b.check("LK_P_A")
	})
}

// TestAsleepInMidSwitchover: the lid is closed over a switchover and opened an hour
// later. What was seen is void, what the step did is found by its unit's name, and
// nothing is done twice.
func TestAsleepInMidSwitchover(t *testing.T) {
	for _, after := range []time.Duration{0, 15, 40, 80, 130, 200, 300} {
		t.Run((after * time.Millisecond).String(), func(t *testing.T) {
			scenario(t, func(b *bench) {
				writes := len(b.sim.EC2.Writes())
				b.submit("LK_P_B")
				time.Sleep(after * time.Millisecond)
				b.sim.Nodes.CutNode(nodesim.Engine) // nothing gets out any more; what runs on nodes goes on
				b.eng.Slept(time.Hour)
				b.until("the gap noticed", func(*api.Snapshot) bool { return slices.ContainsFunc(b.events(""), isGap) })
				for _, n := range b.snapshot().Nodes {
					if n.Verdict == policy.Presumed || n.Verdict == policy.Dead {
						b.t.Errorf("%s is %s on the strength of what was seen before the gap", n.Name, n.Verdict)
					}
				}
				b.sim.Nodes.HealNode(nodesim.Engine)
				ops, err := b.eng.Operations(b.t.Context(), 0)
				if err != nil {
					b.t.Fatal(err)
				}
				op := b.ended(ops[0].ID)
				where := "LK_P_B"
				if op.Outcome != policy.OpDone {
					where = "LK_P_A"
				}
				b.settled(where)
				time.Sleep(15 * time.Second)
				b.settled(where)
				b.check(where)
				if n := len(b.sim.EC2.Writes()) - writes; n > 2 {
					b.t.Errorf("%d writes to EC2 for one move\n%s", n, b.story())
				}
				if op.Plan.Goal.Kind != plan.GoalInService {
					b.t.Errorf("newest operation: %+v", op.Plan.Goal)
				}
			})
		})
	}
}

func isGap(line string) bool { return strings.Contains(line, "clock") }

// TestSleepIsNoticedByTheBootClock: the wall clock and the monotonic clock agree, as
// they do for Go after a suspend that nobody corrected; the machine's own knows better.
func TestSleepIsNoticedByTheBootClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serving(t)
		defer b.close()
		b.shut()
		extra := make(chan time.Duration, 1)
		extra <- 0
		began := time.Now()
		b.line = sim.NewLine(b.sim.Nodes.DialContext)
		var err error
		b.eng, err = engine.Open(t.Context(), engine.Options{Store: b.disk.Open(), Kits: registry(b.aws), Cloud: b.aws, Nodes: b.line.DialContext, Who: "test", Automation: true,
			Clock: func() time.Duration { e := <-extra; extra <- e; return time.Since(began) + e }})
		if err != nil {
			t.Fatal(err)
		}
		b.until("all nodes alive", alive)
		if slices.ContainsFunc(b.events(""), isGap) {
			t.Error("a gap without one")
		}
		<-extra
		extra <- time.Hour
		b.until("the gap noticed", func(*api.Snapshot) bool { return slices.ContainsFunc(b.events(""), isGap) })
		b.settled("LK_P_A")
		b.check("LK_P_A")
	})
}

// TestCloudIsNotTouchedWithoutTheLead: a route is to be mended, which no node can
// refuse. The engine reads the node's record first, finds another leader in it, and
// leaves AWS alone; where the record names this engine it mends.
func TestCloudIsNotTouchedWithoutTheLead(t *testing.T) {
	for _, led := range []bool{true, false} {
		scenario(t, func(b *bench) {
			b.copied()
			if !led {
				record, err := b.node("LK_P_A").ReadFile("/var/lib/ferry/record")
				if err != nil {
					b.t.Fatal(err)
				}
				estate, _, _ := strings.Cut(record, "\n")
				if err := b.node("LK_P_A").WriteFile("/var/lib/ferry/record", estate+"\nengine=other\nepoch=9\nleader=bert@second\nsince=today\n", false); err != nil {
					b.t.Fatal(err)
				}
			}
			writes := len(b.sim.EC2.Writes())
			b.sim.EC2.Edit(func(w *ec2sim.World) {
				for i := range w.Regions {
					for _, table := range w.Regions[i].RouteTables {
						for k := range table.Routes {
							if r := &table.Routes[k]; r.Destination == "10.1.0.10/32" {
								r.Interface = "eni-lkpb"
							}
						}
					}
				}
			})
			time.Sleep(time.Minute)
			n := len(b.sim.EC2.Writes()) - writes
			if notice := b.snapshot().Engine.Notice; led && (n != 1 || notice != "") || !led && (n != 0 || !strings.Contains(notice, "engine other of bert@second adopted this estate at epoch 9")) {
				b.t.Errorf("leads %v: %d writes to EC2, notice %q\n%s", led, n, notice, b.story())
			}
		})
	}
}
