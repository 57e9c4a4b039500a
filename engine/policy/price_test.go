package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// toyDisk keeps a record: what each node's copy is. Without one, any node may begin.
type toyDisk struct{ toyKit }

var (
	_ kits.Keeper  = toyDisk{}
	_ kits.Settler = toyDisk{}
)

// toyCopy is a node's copy: why it is not complete, "" = it is, and when it last was.
type toyCopy struct {
	Lacks string    `json:"lacks,omitempty"`
	Last  time.Time `json:"last,omitzero"`
}

func toyCopies(record []byte) map[string]toyCopy {
	all := map[string]toyCopy{}
	if len(record) > 0 {
		if err := json.Unmarshal(record, &all); err != nil {
			panic(err)
		}
	}
	return all
}

func (toyDisk) Pulse(kits.Instance) kits.Script { panic("toy") }
func (toyDisk) Keep(kits.Instance, map[string]kits.Pulse, time.Time) kits.Kept {
	panic("toy")
}

func (toyDisk) Work(context.Context, func(string) kits.Host, kits.Instance, kits.Task) kits.Report {
	panic("toy")
}

func (toyDisk) Prospect(context.Context, func(string) kits.Host, kits.Instance, kits.Eligibility) (kits.Eligibility, bool) {
	panic("toy")
}

func (toyDisk) Settle(context.Context, func(string) kits.Host, kits.Instance) ([]byte, kits.Reason) {
	panic("toy")
}

func (toyDisk) Promote(in kits.Instance, forced bool, now time.Time) ([]byte, *kits.Reason) {
	all := toyCopies(in.Record)
	if c := all[in.Node.Name]; c.Lacks != "" && !forced {
		age := "unknown"
		if !c.Last.IsZero() {
			age = now.Sub(c.Last).Round(time.Second).String()
		}
		r := kits.Why("disk."+c.Lacks, fmt.Sprintf("Its copy is %s, age %s.", c.Lacks, age), "age", age)
		if c.Lacks == "lags" {
			r.Args["settles"] = "yes"
		}
		return nil, &r
	}
	for n := range in.On {
		if n != in.Node.Name {
			all[n] = toyCopy{"stale", now}
		}
	}
	all[in.Node.Name] = toyCopy{}
	b, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return b, nil
}

// copied puts what a node's copy is on record. lacks: "complete", or what it lacks.
func (y *toy) copied(t hierarchy.Tag, node, lacks string, last time.Time) {
	record, _ := y.w.Record(t)
	all := toyCopies(record)
	for _, p := range y.w.x.PlacementsByPriority(t) {
		if _, there := all[p.Server]; !there {
			all[p.Server] = toyCopy{}
		}
	}
	if lacks == "complete" {
		lacks, last = "", time.Time{}
	}
	all[node] = toyCopy{lacks, last}
	b, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	y.input(Kept{Tag: t, Serial: y.w.KeepSerial(t), Record: b})
}

// promote is what the engine does before a start, and asks before anything moves.
func (y *toy) promote(op *Op, st plan.Step) kits.Report {
	kp, keeps := y.w.kits[y.w.x.Resource(st.Tag).Kit].(kits.Keeper)
	if !keeps {
		return kits.Report{Outcome: kits.OK}
	}
	in := hierarchy.InstanceOf(y.w.x, st.Tag, st.Node, st.Node)
	in.Record, in.Doubtful = y.w.Record(st.Tag)
	record, no := kp.Promote(in, false, y.now)
	if no != nil && no.Args["settles"] != "" && !op.Plan.Goal.FromGone && y.reaches(op.Plan.Goal.From) {
		no = nil // it is stopped in order, and has everything then
	}
	if no != nil && !st.StandsOver(no.Code) {
		return kits.Report{Outcome: kits.Failed, Reason: *no}
	}
	if st.Kind == plan.StepStart {
		record, _ = kp.Promote(in, true, y.now)
		y.input(Promoted{Tag: st.Tag, Node: st.Node, Op: op.ID, Serial: y.w.KeepSerial(st.Tag), Record: record, Price: no})
	}
	return kits.Report{Outcome: kits.OK}
}

// What was accepted covers what it costs now, or less, and nothing else.
func TestWhatIsAccepted(t *testing.T) {
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	c := func(tag hierarchy.Tag, code string, age time.Duration) Copy {
		out := Copy{Tag: tag, Node: "B"}
		if code != "" {
			out.Price = kits.Why(code, "It lacks something.")
		}
		if age >= 0 && code != "" {
			out.Last = at.Add(-age)
		}
		return out
	}
	const unknown = -1
	complete, async := c("c/d", "", 0), c("c/d", "d.async", time.Minute)
	for _, x := range []struct {
		name        string
		now, accept []Copy
		want        string
	}{
		{"nothing to lose", []Copy{complete}, nil, ""},
		{"no data at all", nil, nil, ""},
		{"accepted for nothing", []Copy{complete}, []Copy{async}, ""},
		{"not accepted", []Copy{async}, nil, "answer-price"},
		{"accepted", []Copy{async}, []Copy{async}, ""},
		{"rounded otherwise", []Copy{c("c/d", "d.async", time.Minute+time.Second)}, []Copy{async}, ""},
		{"younger", []Copy{c("c/d", "d.async", time.Second)}, []Copy{async}, ""},
		{"older", []Copy{c("c/d", "d.async", time.Hour)}, []Copy{async}, "answer-price-changed"},
		{"its age is not known any more", []Copy{c("c/d", "d.async", unknown)}, []Copy{async}, "answer-price-changed"},
		{"its age is known by now", []Copy{async}, []Copy{c("c/d", "d.async", unknown)}, ""},
		{"another kind", []Copy{c("c/d", "d.half", time.Minute)}, []Copy{async}, "answer-price-changed"},
		{"shown as complete", []Copy{async}, []Copy{complete}, "answer-price-changed"},
		{"a resource more", []Copy{async, c("c/e", "d.async", time.Minute)}, []Copy{async}, "answer-price-changed"},
		{"of another resource", []Copy{async}, []Copy{c("c/e", "d.async", time.Minute)}, "answer-price-changed"},
		{"on another node", []Copy{async}, []Copy{{Tag: "c/d", Node: "C", Price: async.Price, Last: async.Last}}, "answer-price-changed"},
		{"a resource less", []Copy{async, c("c/e", "", 0)}, []Copy{async, c("c/e", "d.async", 0)}, ""},
	} {
		if r := unaccepted(x.now, x.accept); r.Code != x.want {
			t.Errorf("%s: %q, want %q", x.name, r.Code, x.want)
		}
	}
}

// A command cannot bring an accepted loss along: that belongs to the answer of a question.
func TestCommandsAcceptNoLoss(t *testing.T) {
	e, err := parseEstate("region east\nserver A east\nserver B east\ncluster service A B\nresource d disk on A B\n")
	if err != nil {
		t.Fatal(err)
	}
	y := newToy(e)
	y.runs[hierarchy.Ref{Tag: "service/d", Node: "A"}] = true
	y.tick(20 * time.Second)
	y.copied("service/d", "B", "stale", y.now)
	g := plan.Goal{Kind: plan.GoalInService, Tag: "service/d", Node: "B", AcceptLoss: []plan.Loss{{Tag: "service/d", Code: "disk.stale"}}}
	if p, no := y.w.Preview(Command{ID: "c", By: "anna", Goal: g}); no != nil || len(p.Steps) == 0 ||
		slices.ContainsFunc(p.Steps, func(st plan.Step) bool { return st.Loss != "" }) {
		t.Errorf("%+v %+v", p.Steps, no)
	}
}
