package chaos

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/runner"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
	"github.com/ferry-ha/ferry/internal/sim/r53sim"
	"github.com/ferry-ha/ferry/kits"
)

// toy is an estate of two regions: a and b in one, far in the other; web needs ip.
const toy = `regions r1 r2
node a r1
node b r1
node far r2
quorum none
tuning CONFIRMSODEF 1
resource ip ip on a,b,far
resource web app needs ip on a,b,far
resource www route53 needs ip on a,b,far
quiet 1m
`

func toyEyes(t *testing.T) *eyes {
	t.Helper()
	sc, err := Parse(toy)
	if err != nil {
		t.Fatal(err)
	}
	return newEyes(sc.Shape)
}

func (e *eyes) comes(res, node string) { e.happens(res, node, true) }
func (e *eyes) goes(res, node string)  { e.happens(res, node, false) }

func (e *eyes) happens(res, node string, up bool) {
	c := nodesim.Change{At: time.Now(), Node: node, Kind: "service", What: res + ".service", Up: up}
	if res == "ip" {
		c.Kind, c.What = "address", e.shape.address(0, node)
	}
	e.node(c)
}

// named lets an engine change the record of www from the address on one node to that on another.
func (e *eyes) named(from, to string) {
	at := func(n string) []string { return []string{e.shape.address(0, n)} }
	e.renamed(r53sim.Event{Kind: r53sim.RecordChanged, KeyID: "key", Name: "www.example.com.", From: at(from), To: at(to)})
}

// mends repairs the name www so often, within minutes; impaired is how that ends.
func (e *eyes) mends(times int, impaired bool) {
	e.bad[place{"www", "a"}] = time.Now()
	for i := range times {
		o := op(strconv.Itoa(i), plan.GoalRecover, "a", "a")
		o.Plan.Goal.Tag, o.Plan.Moves = "c/www", []hierarchy.Tag{"c/www"}
		o.Plan.Steps = []plan.Step{{ID: "r", Kind: plan.StepRecover, Tag: "c/www", Node: "a"}}
		e.put("op/"+o.ID, o)
		done := runner.Entry{Status: plan.Done, Report: kits.Report{Outcome: kits.OK, Impaired: impaired}}
		e.put("journal/"+o.ID, runner.Journal{Op: o.ID, Steps: map[string]runner.Entry{"r": done}})
		o.Outcome = policy.OpDone
		e.put("op/"+o.ID, o)
	}
}

// put lets an engine write something.
func (e *eyes) put(key string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own plain types
	}
	e.commit(store.Txn{Puts: []store.KV{{Key: "state/" + key, Value: b}}})
}

func op(id string, kind plan.GoalKind, from, to string) policy.Op {
	return policy.Op{ID: id, By: "automatic", Began: time.Now(), Outcome: policy.OpRunning,
		Plan: plan.Plan{Goal: plan.Goal{Kind: kind, Tag: "c/web", From: from, Node: to}, Moves: []hierarchy.Tag{"c/ip", "c/web"}}}
}

// serving is the toy with everything on a.
func serving(t *testing.T) *eyes {
	e := toyEyes(t)
	e.comes("ip", "a")
	e.comes("web", "a")
	for _, tag := range []string{"ip", "web"} {
		e.put("claim/c/"+tag, hierarchy.Claim{Number: 1, Node: "a"})
	}
	return e
}

// snapshot is what an engine would say when it knows the truth.
func (e *eyes) snapshot() *api.Snapshot {
	s := &api.Snapshot{}
	for _, r := range e.shape.Resources {
		st := api.ResourceStatus{Tag: tag(r.Name)}
		for _, n := range r.On {
			in := api.InstanceStatus{Server: n, State: hierarchy.OSU}
			if e.up[place{r.Name, n}] {
				in.State = hierarchy.ISP
			}
			st.On = append(st.On, in)
		}
		s.Resources = append(s.Resources, st)
	}
	for _, n := range e.shape.Nodes {
		s.Nodes = append(s.Nodes, api.NodeStatus{Name: n.Name, Verdict: policy.Alive})
	}
	return s
}

// TestRulesTrip breaks the world by hand, one rule at a time, and demands that just
// that rule says so; and the same with the excuse that makes it right.
func TestRulesTrip(t *testing.T) {
	wait := func(d time.Duration) { time.Sleep(d) }
	for _, c := range []struct {
		rule, name string
		trips      bool
		do         func(*eyes)
	}{
		{OneActive, "two nodes", true, func(e *eyes) { e.comes("ip", "b") }},
		{OneActive, "hung is not gone", true, func(e *eyes) { e.hung["a"] = true; e.comes("ip", "b") }},
		{OneActive, "a move that does not say unfenced", true, func(e *eyes) {
			e.worse["a"] = time.Now()
			o := op("1", plan.GoalFailover, "a", "b")
			o.Plan.Goal.FromGone = true
			e.put("op/1", o)
			e.comes("ip", "b")
		}},
		{OneActive, "recorded as unfenced", false, func(e *eyes) {
			e.worse["a"] = time.Now()
			o := op("1", plan.GoalFailover, "a", "b")
			o.Plan.Goal.FromGone, o.Plan.Goal.Unfenced = true, true
			e.put("op/1", o)
			e.comes("ip", "b")
		}},
		{OneActive, "without power", false, func(e *eyes) {
			e.node(nodesim.Change{Node: "a", Kind: "power"})
			e.comes("ip", "b")
		}},
		{NoUnasked, "across regions", true, func(e *eyes) { e.goes("web", "a"); e.goes("ip", "a"); e.comes("ip", "far") }},
		{NoUnasked, "a word for another region", true, func(e *eyes) {
			e.yes = append(e.yes, permission{time.Now(), "web", "b"})
			e.goes("web", "a")
			e.goes("ip", "a")
			e.comes("ip", "far")
		}},
		{NoUnasked, "a word of long ago", true, func(e *eyes) {
			e.yes = append(e.yes, permission{time.Now(), "web", "far"})
			e.goes("web", "a")
			e.goes("ip", "a")
			wait(time.Hour)
			e.comes("ip", "far")
		}},
		{NoUnasked, "asked for", false, func(e *eyes) {
			e.yes = append(e.yes, permission{time.Now(), "web", "far"})
			e.goes("web", "a")
			e.goes("ip", "a")
			e.comes("ip", "far")
		}},
		{NoUnasked, "within the region", false, func(e *eyes) { e.goes("web", "a"); e.goes("ip", "a"); e.comes("ip", "b") }},
		{UnknownMoves, "failover from a node that is well", true, func(e *eyes) {
			wait(time.Hour)
			e.put("op/1", op("1", plan.GoalFailover, "a", "b"))
		}},
		{UnknownMoves, "repair of what runs", true, func(e *eyes) {
			wait(time.Hour)
			e.put("op/1", op("1", plan.GoalRecover, "a", "a"))
		}},
		{UnknownMoves, "only the engine's own way is cut", true, func(e *eyes) {
			wait(time.Hour)
			e.cuts[pair(nodesim.Engine, "a")] = true
			e.put("op/1", op("1", plan.GoalFailover, "a", "b"))
		}},
		{UnknownMoves, "a peer misses it, too", false, func(e *eyes) {
			wait(time.Hour)
			e.cuts[pair(nodesim.Engine, "a")], e.cuts[pair("a", "b")] = true, true
			e.put("op/1", op("1", plan.GoalFailover, "a", "b"))
		}},
		{UnknownMoves, "it is down", false, func(e *eyes) { e.goes("web", "a"); e.put("op/1", op("1", plan.GoalRecover, "a", "a")) }},
		{Order, "started without what it needs", true, func(e *eyes) { e.goes("web", "a"); e.goes("ip", "a"); e.comes("web", "b") }},
		{Order, "stopped under its parent", true, func(e *eyes) { e.goes("ip", "a") }},
		{Order, "its child died by itself just now", false, func(e *eyes) {
			e.goes("web", "a")
			e.hand[place{"ip", "a"}], e.fault[place{"ip", "a"}] = true, time.Now()
			e.goes("ip", "a")
			e.comes("web", "a")
		}},
		{Order, "a reboot that nobody can know yet", false, func(e *eyes) {
			e.reboots("a")
			e.comes("web", "a")
		}},
		{Order, "a start repeated after a reboot", true, func(e *eyes) {
			e.reboots("a")
			o := op("1", plan.GoalRecover, "a", "a")
			o.Plan.Steps = []plan.Step{{ID: "s", Kind: plan.StepStart, Tag: "c/web", Node: "a"}}
			e.put("op/1", o)
			b, _ := json.Marshal(runner.Journal{Op: "1", Steps: map[string]runner.Entry{"s": {Status: plan.Running, Attempt: 2}}})
			e.commit(store.Txn{Puts: []store.KV{{Key: "journal/1", Value: b}}})
			e.comes("web", "a")
		}},
		{GoodOrder, "moved from a node that keeps what it has", true, func(e *eyes) {
			e.leaves("a")
			e.put("node/a", policy.Node{Graceful: true})
			e.worse["a"] = time.Now()
			e.put("op/1", op("1", plan.GoalFailover, "a", "b"))
		}},
		{GoodOrder, "moved from a node that is to be emptied", false, func(e *eyes) {
			e.shape.Nodes[0].Switch = true
			e.leaves("a")
			e.put("node/a", policy.Node{Graceful: true})
			e.put("op/1", op("1", plan.GoalFailover, "a", "b"))
		}},
		{GoodOrder, "a node of which nothing is known but that it is gone", false, func(e *eyes) {
			e.leaves("a")
			e.worse["a"] = time.Now()
			e.put("op/1", op("1", plan.GoalFailover, "a", "b"))
		}},
		{GoodOrder, "kept from going down", true, func(e *eyes) { e.leaves("a"); wait(3 * time.Minute); e.gone("a") }},
		{GoodOrder, "it hung", false, func(e *eyes) { e.leaves("a"); wait(3 * time.Minute); e.slept["a"] = time.Now(); e.gone("a") }},
		{Names, "changed while nothing moves", true, func(e *eyes) { e.named("a", "far") }},
		{Names, "changed by an operation that has ended", true, func(e *eyes) {
			o := op("1", plan.GoalInService, "a", "far")
			o.Plan.Moves, o.Outcome = append(o.Plan.Moves, "c/www"), policy.OpDone
			e.put("op/1", o)
			e.named("a", "far")
		}},
		{Names, "changed to somewhere else", true, func(e *eyes) {
			o := op("1", plan.GoalInService, "a", "b")
			o.Plan.Moves = append(o.Plan.Moves, "c/www")
			e.put("op/1", o)
			e.named("a", "far")
		}},
		{Names, "changed by a move", false, func(e *eyes) {
			o := op("1", plan.GoalInService, "a", "far")
			o.Plan.Moves = append(o.Plan.Moves, "c/www")
			e.put("op/1", o)
			e.named("a", "far")
		}},
		{Names, "changed back by a move that is undone", false, func(e *eyes) {
			o := op("1", plan.GoalInService, "a", "far")
			o.Plan.Moves = append(o.Plan.Moves, "c/www")
			e.put("op/1", o)
			e.named("far", "a")
		}},
		{OneEngine, "an older epoch", true, func(e *eyes) { e.ruleEpoch("a", 7); e.ruleEpoch("a", 6) }},
		{OneEngine, "a newer epoch", false, func(e *eyes) { e.ruleEpoch("a", 7); e.ruleEpoch("a", 8) }},
		{NothingLost, "an operation that is nowhere", true, func(e *eyes) { e.acks = []ack{{op: "9"}}; e.ruleLost(false) }},
		{NothingLost, "an operation that never ended", true, func(e *eyes) {
			e.goes("web", "a")
			e.put("op/1", op("1", plan.GoalRecover, "a", "a"))
			e.acks = []ack{{op: "1"}}
			e.ruleLost(true)
		}},
		{NothingLost, "an answer that is not on record", true, func(e *eyes) {
			e.put("question/q", policy.Question{ID: "q", State: policy.Pending})
			e.acks = []ack{{question: "q", kind: "yes", by: "anna"}}
			e.ruleLost(false)
		}},
		{NothingLost, "all on record", false, func(e *eyes) {
			e.put("question/q", policy.Question{ID: "q", State: policy.Answered, Answer: "yes", By: "anna"})
			e.acks = []ack{{question: "q", kind: "yes", by: "anna"}}
			e.ruleLost(true)
		}},
		{NoStorms, "the third repair", true, func(e *eyes) { e.repairs(3) }},
		{NoStorms, "three repairs of a name that succeeded", true, func(e *eyes) { e.mends(3, false) }},
		{NoStorms, "repairs of a name as well as can be", false, func(e *eyes) { e.mends(8, true) }},
		{NoStorms, "more of them than there are checks", true, func(e *eyes) { e.mends(20, true) }},
		{NoStorms, "two repairs", false, func(e *eyes) { e.repairs(2) }},
		{ComesBack, "all is well", false, func(e *eyes) { e.ruleComesBack(e.snapshot()) }},
		{ComesBack, "down", true, func(e *eyes) { e.goes("web", "a"); e.ruleComesBack(e.snapshot()) }},
		{ComesBack, "down, and somebody is asked", false, func(e *eyes) {
			e.goes("web", "a")
			e.put("question/q", policy.Question{ID: "q", Tag: "c/web", State: policy.Pending})
			e.ruleComesBack(e.snapshot())
		}},
		{ComesBack, "the engine does not know", true, func(e *eyes) {
			s := e.snapshot()
			s.Resources[1].On[0].State, s.Resources[1].On[0].Reason = hierarchy.ILLSTATE, kits.Reason{}
			e.ruleComesBack(s)
		}},
		{ComesBack, "a node is missed", true, func(e *eyes) {
			s := e.snapshot()
			s.Nodes[2].Verdict = policy.Presumed
			e.ruleComesBack(s)
		}},
		{ComesBack, "still at work", true, func(e *eyes) {
			e.goes("web", "a")
			e.put("op/1", op("1", plan.GoalRecover, "a", "a"))
			e.comes("web", "a")
			e.ruleComesBack(e.snapshot())
		}},
	} {
		t.Run(c.rule+"/"+c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := serving(t)
				if len(e.broken) > 0 {
					t.Fatal(e.broken)
				}
				c.do(e)
				var got []string
				for _, v := range e.broken {
					got = append(got, v.Rule)
				}
				if c.trips != slices.Equal(slices.Compact(got), []string{c.rule}) || !c.trips && len(got) > 0 {
					t.Errorf("got %v, want %s to trip: %v", e.broken, c.rule, c.trips)
				}
			})
		})
	}
}

func (e *eyes) reboots(node string) {
	e.node(nodesim.Change{Node: node, Kind: "power"})
	e.node(nodesim.Change{Node: node, Kind: "power", Up: true})
}

// repairs lets the engine repair the same thing n times within half an hour.
func (e *eyes) repairs(n int) {
	for i := range n {
		id := fmt.Sprint(i)
		e.goes("web", "a")
		o := op(id, plan.GoalRecover, "a", "a")
		e.put("op/"+id, o)
		e.comes("web", "a")
		o.Outcome = policy.OpDone
		e.put("op/"+id, o)
		time.Sleep(5 * time.Minute)
	}
}
