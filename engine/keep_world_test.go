package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/adopt"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/examples"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/account"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
	"github.com/ferry-ha/ferry/kits"
)

// A small model of replicated data: a source that writes to all legs, and freezes while one
// that it does not do without is not connected.

const (
	mirror  = hierarchy.Tag("service/mir")
	mirrorA = "LK_P_A"
	mirrorB = "LK_P_B"
	mirrorC = "LK_S_A"
)

// data is the model, the same for all engines.
type data struct {
	mu     sync.Mutex
	legs   []string
	link   func(node string) bool
	runs   string          // where the source runs
	out    map[string]bool // legs that it goes on without
	mute   map[string]bool // nodes whose pulse says nothing
	hangs  map[string]bool // nodes whose pulse hangs
	stuck  map[string]bool // tasks that fail, by name
	onStop func()
	slow   bool                 // pulses take their time
	pulsed time.Time            // when the source's last pulse began
	kept   []time.Time          // of the pulses that Keep was given
	second *bench               // where another engine has adopted the estate
	since  map[string]time.Time // when a node was switched on again
	// wrong is what must not be: it is what these tests look for.
	wrong   []string
	done    []string // tasks, in order: "engine name node"
	starts  int
	changed func(record mirrorRecord, node string) string // a probe: what is wrong, "" = nothing
}

type mirrorRecord struct {
	Gen    int               `json:"gen"`
	Source string            `json:"source"`
	Legs   map[string]string `json:"legs"`
}

func (r mirrorRecord) json() []byte {
	b, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	return b
}

func readMirror(b []byte) (r mirrorRecord) {
	if len(b) > 0 {
		if err := json.Unmarshal(b, &r); err != nil {
			panic(err)
		}
	}
	return r
}

func (d *data) with(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
}

func (d *data) bad(format string, args ...any) {
	d.with(func() { d.wrong = append(d.wrong, fmt.Sprintf(format, args...)) })
}

func (d *data) frozen() (yes bool) {
	d.with(func() {
		for _, l := range d.legs {
			yes = yes || d.runs != "" && l != d.runs && !d.out[l] && !d.link(l)
		}
	})
	return yes
}

// mirrorKit is one engine's view of the model.
type mirrorKit struct {
	d      *data
	engine string
}

var _ kits.Keeper = (*mirrorKit)(nil)

func (*mirrorKit) Name() string                                     { return "mir" }
func (*mirrorKit) Traits() kits.Traits                              { return kits.Traits{Veto: true, Replicated: true} }
func (*mirrorKit) Fields() []kits.Field                             { return nil }
func (*mirrorKit) Tunables() []kits.Tunable                         { return nil }
func (*mirrorKit) Validate(kits.Instance) []kits.Problem            { return nil }
func (*mirrorKit) Effects(kits.Action, kits.Instance) []kits.Effect { return nil }
func (*mirrorKit) Timeout(kits.Action, kits.Instance) time.Duration { return 30 * time.Second }
func (k *mirrorKit) Recover(c context.Context, h kits.Host, in kits.Instance) kits.Report {
	return k.Check(c, h, in)
}

func (k *mirrorKit) Eligible(ctx context.Context, h kits.Host, in kits.Instance) kits.Eligibility {
	if _, err := h.Run(ctx, kits.Script{Name: "mir/ask", Body: "true"}); err != nil {
		return kits.Eligibility{Reason: kits.Why("mir.unknown", err.Error())}
	}
	if _, no := k.Promote(in, false, time.Now()); no != nil {
		return kits.Eligibility{Outcome: kits.Failed, Reason: *no}
	}
	return kits.Eligibility{Outcome: kits.OK}
}

func (k *mirrorKit) Check(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	if _, err := h.Run(ctx, kits.Script{Name: "mir/check", Body: "true"}); err != nil {
		return kits.Report{Reason: kits.Why("mir.unknown", err.Error())}
	}
	at := ""
	k.d.with(func() { at = k.d.runs })
	if at == in.Node.Name {
		return kits.Report{Outcome: kits.OK, Presence: kits.Present}
	}
	return kits.Report{Outcome: kits.Failed, Presence: kits.Absent, Reason: kits.Why("mir.gone", "it is not here")}
}

func (k *mirrorKit) Start(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	r := readMirror(in.Record)
	if r.Source != in.Node.Name {
		k.d.bad("%s: started on %s with the record %s", k.engine, in.Node.Name, in.Record)
	}
	k.probe("start on "+in.Node.Name, r, "")
	if _, err := h.Run(ctx, kits.Script{Name: "mir/start", Body: "true", Mutates: true}); err != nil {
		return kits.Report{Reason: kits.Why("mir.unknown", err.Error())}
	}
	k.d.with(func() {
		if k.d.runs == in.Node.Name {
			return
		}
		k.d.runs, k.d.out = in.Node.Name, map[string]bool{}
		k.d.starts++
		for _, l := range k.d.legs {
			k.d.out[l] = l != in.Node.Name
		}
	})
	return kits.Report{Outcome: kits.OK, Presence: kits.Present}
}

// Stop cannot end while the source is frozen, just as an unmount cannot.
func (k *mirrorKit) Stop(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	var hook func()
	k.d.with(func() { hook, k.d.onStop = k.d.onStop, nil })
	if hook != nil {
		hook()
	}
	for k.d.frozen() {
		select {
		case <-ctx.Done():
			return kits.Report{Reason: kits.Why("mir.frozen", "its writes are frozen")}
		case <-time.After(50 * time.Millisecond):
		}
	}
	if _, err := h.Run(ctx, kits.Script{Name: "mir/stop", Body: "true", Mutates: true}); err != nil {
		return kits.Report{Reason: kits.Why("mir.unknown", err.Error())}
	}
	k.d.with(func() {
		if k.d.runs == in.Node.Name {
			k.d.runs = ""
		}
	})
	return kits.Report{Outcome: kits.OK, Presence: kits.Absent}
}

func (k *mirrorKit) Pulse(in kits.Instance) kits.Script {
	body := "echo here"
	k.d.with(func() {
		if in.Node.Name == in.Active {
			k.d.pulsed = time.Now()
		}
		switch {
		case k.d.slow:
			body = "sleep 0.6; echo here"
		case k.d.hangs[in.Node.Name]:
			body = "sleep 3600"
		case k.d.mute[in.Node.Name]:
			body = "exit 1"
		}
	})
	return kits.Script{Name: "mir/pulse", Body: body, Light: true}
}

func (k *mirrorKit) Keep(in kits.Instance, heard map[string]kits.Pulse, now time.Time) kits.Kept {
	r := readMirror(in.Record)
	out := kits.Kept{Record: in.Record, Live: map[string]map[string]string{}, Notes: map[string]kits.Reason{}}
	for node, p := range heard {
		state := "answers"
		if p.Err != nil || p.Result.Exit != 0 {
			state = "silent"
		}
		out.Live[node] = map[string]string{"state": state}
	}
	said := func(node string) bool {
		p, asked := heard[node]
		return asked && p.Err == nil && p.Result.Exit == 0 && strings.TrimSpace(p.Result.Stdout) == "here"
	}
	k.d.mu.Lock()
	defer k.d.mu.Unlock()
	k.d.kept = append(k.d.kept, k.d.pulsed)
	if p, asked := heard[in.Active]; asked && p.Err == nil && now.After(k.d.pulsed) { // ages are told from now: what was heard may be older than that
		k.d.wrong = append(k.d.wrong, fmt.Sprintf("%s: what the source said when it was asked at %s is judged as of %s", k.engine, k.d.pulsed.Format(time.StampMilli), now.Format(time.StampMilli)))
	}
	if r.Source == "" || !said(r.Source) || k.d.runs != r.Source {
		return out
	}
	out.Proven = true
	next := mirrorRecord{Gen: r.Gen, Source: r.Source, Legs: map[string]string{}}
	for _, l := range k.d.legs {
		if l == r.Source {
			continue
		}
		switch connected := k.d.link(l); {
		case !k.d.out[l] && connected:
			next.Legs[l] = "in-sync"
		case !k.d.out[l]:
			next.Legs[l] = "out"
			out.Tasks = append(out.Tasks, kits.Task{Name: "exclude", Node: l, Urgent: true, Why: kits.Why("mir.frozen", "its writes are frozen")})
		default:
			next.Legs[l] = "out"
			if connected && in.Reached[l] {
				out.Tasks = append(out.Tasks, kits.Task{Name: "join", Node: l, Why: kits.Why("mir.back", l+" is back")})
			}
		}
		if next.Legs[l] == "out" {
			out.Impaired = kits.Why("mir.out", "a leg is out of sync")
		}
		if was := r.Legs[l]; was != next.Legs[l] {
			out.Notes[l] = kits.Why("mir.leg-"+next.Legs[l], "The leg on "+l+" is "+next.Legs[l]+".")
		}
	}
	out.Record = next.json()
	return out
}

func (k *mirrorKit) Promote(in kits.Instance, forced bool, _ time.Time) ([]byte, *kits.Reason) {
	r := readMirror(in.Record)
	node := in.Node.Name
	switch {
	case r.Source == node && r.Gen > 0:
		return in.Record, nil
	case forced:
	case in.Doubtful:
		no := kits.Why("mir.doubtful", "the record is in doubt")
		return nil, &no
	case r.Gen > 0 && r.Legs[node] != "in-sync":
		no := kits.Why("mir.stale", "the data on "+node+" is 42 minutes old")
		return nil, &no
	}
	next := mirrorRecord{Gen: r.Gen + 1, Source: node, Legs: map[string]string{}}
	for n := range in.On {
		if n != node {
			next.Legs[n] = "out"
		}
	}
	return next.json(), nil
}

func (k *mirrorKit) Work(ctx context.Context, on func(string) kits.Host, in kits.Instance, t kits.Task) kits.Report {
	r := readMirror(in.Record)
	if t.Name == "exclude" && r.Legs[t.Node] != "out" {
		k.d.bad("%s: %s is to be excluded with the record %s", k.engine, t.Node, in.Record)
	}
	k.probe(t.Name+" "+t.Node, r, t.Node)
	if _, err := on(r.Source).Run(ctx, kits.Script{Name: "mir/" + t.Name, Body: taskBody, Args: []string{t.Node}, Mutates: true}); err != nil {
		return kits.Report{Reason: kits.Why("mir.unknown", err.Error())}
	}
	failed := false
	k.d.with(func() {
		if failed = k.d.stuck[t.Name]; !failed && k.d.runs == r.Source {
			k.d.out[t.Node] = t.Name == "exclude"
			k.d.done = append(k.d.done, k.engine+" "+t.Name+" "+t.Node)
		}
	})
	if failed {
		return kits.Report{Outcome: kits.Failed, Reason: kits.Why("mir.stuck", "it does not go")}
	}
	return kits.Report{Outcome: kits.OK}
}

// taskBody takes a while, and leaves a mark when two of its kind are at work for one node.
const taskBody = `f=/tmp/mir-$1
if [ -e "$f" ]; then
	: >/tmp/mir-twice
fi
: >"$f"
sleep 0.2
rm -f "$f"
`

// probe looks whether what is about to be done is on record, as the test has it looked for.
func (k *mirrorKit) probe(what string, r mirrorRecord, but string) {
	var look func(mirrorRecord, string) string
	k.d.with(func() { look = k.d.changed })
	if look == nil {
		return
	}
	if wrong := look(r, but); wrong != "" {
		k.d.bad("%s: %s: %s", k.engine, what, wrong)
	}
}

// mirrorBench is the example's estate with the mirror alone, on three nodes; nothing is
// in service yet.
func mirrorBench(t *testing.T) (*bench, *data) {
	t.Helper()
	d := &data{legs: []string{mirrorA, mirrorB, mirrorC}, out: map[string]bool{}, mute: map[string]bool{}, hangs: map[string]bool{}, stuck: map[string]bool{}, since: map[string]time.Time{}}
	kit := &mirrorKit{d, "first"}
	e, err := config.Load(strings.NewReader(examples.CrossRegion), "cross-region.toml", registry(nil, kit))
	if err != nil {
		t.Fatal(err)
	}
	for i := range e.Servers {
		e.Servers[i].Tuning["LCMHBEATTIME"], e.Servers[i].Tuning["LKCHECKINTERVAL"] = "1", "10"
	}
	r := hierarchy.Resource{Tag: mirror, Kit: "mir", Cluster: "service", Switchback: hierarchy.Intelligent}
	for i, n := range d.legs {
		r.On = append(r.On, hierarchy.Placement{Server: n, Priority: i + 1})
	}
	e.Res = []hierarchy.Resource{r}
	s, err := sim.New(e, sim.Options{Dir: t.TempDir(), Nodes: nodesim.Options{CommandTime: 5 * time.Millisecond}, EC2: ec2sim.Options{StateLag: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, sim: s, disk: store.NewDisk(), aws: account.New(s), more: []kits.Kit{kit}, next: []kits.Kit{&mirrorKit{d, "second"}}}
	d.link = func(n string) bool { return s.Nodes.Node(n).Powered() }
	d.changed = func(r mirrorRecord, but string) string {
		leads := b
		d.with(func() {
			if d.second != nil {
				leads = d.second
			}
		})
		return leads.onRecord(d, r, but)
	}
	b.open(b.disk.Open())
	if _, err := b.eng.Apply(t.Context(), api.Apply{Estate: s.Definition}); err != nil {
		t.Fatal(err)
	}
	return b, d
}

// onRecord says which node that runs, or whether the store, does not have this record, or
// a later one.
func (b *bench) onRecord(d *data, r mirrorRecord, but string) string {
	var lack []string
	for _, s := range b.sim.Definition.Servers {
		if n := b.node(s.Name); s.Name != but && n.Powered() && !d.fresh(s.Name) {
			if has := b.recordOn(s.Name); !has.says(r, but) {
				lack = append(lack, fmt.Sprintf("%s has %s", s.Name, has.json()))
			}
		}
	}
	var k policy.Keep
	kv, err := b.store.Get(context.Background(), "state/keep/"+string(mirror))
	if err == nil {
		err = json.Unmarshal(kv.Value, &k)
	}
	if has := readMirror(k.Record); err != nil || !has.says(r, but) {
		lack = append(lack, fmt.Sprintf("the store has %s (%v)", k.Record, err))
	}
	if lack == nil {
		return ""
	}
	return string(r.json()) + " is not on record everywhere: " + strings.Join(lack, ", ")
}

// says tells that what a task about a node, or a start, rests on is in a record, or behind it.
func (r mirrorRecord) says(other mirrorRecord, node string) bool {
	if r.Gen != other.Gen || node == "" {
		return r.Gen > other.Gen || slices.Equal(r.json(), other.json())
	}
	return r.Source == other.Source && r.Legs[node] == other.Legs[node]
}

// recordOn is what the node's copy of the estate says of the mirror.
func (b *bench) recordOn(node string) mirrorRecord {
	file, err := b.node(node).ReadFile("/var/lib/ferry/copy")
	if err != nil {
		return mirrorRecord{}
	}
	c, err := adopt.Parse([]byte(file))
	if err != nil {
		return mirrorRecord{Source: err.Error()}
	}
	var k policy.Keep
	if v := c.Entities["keep/"+string(mirror)]; v != nil {
		if err := json.Unmarshal(v, &k); err != nil {
			return mirrorRecord{Source: err.Error()}
		}
	}
	return readMirror(k.Record)
}

// back switches a node on. For a while the engine need not have seen it yet.
func (b *bench) back(d *data, node string) {
	d.with(func() { d.since[node] = time.Now() })
	b.on(node)
}

func (d *data) fresh(node string) (yes bool) {
	d.with(func() { yes = time.Since(d.since[node]) < 20*time.Second })
	return yes
}

// mirrored runs f in a bubble with the mirror in service on LK_P_A and all legs in sync.
func mirrored(t *testing.T, f func(*bench, *data)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b, d := mirrorBench(t)
		defer b.close()
		b.until("all nodes alive", alive)
		b.mirrorTo(mirrorA, false)
		b.settled(mirrorA)
		b.inSync(mirrorA)
		f(b, d)
		for _, n := range d.legs {
			if _, err := b.node(n).ReadFile("/tmp/mir-twice"); err == nil {
				t.Errorf("two tasks about one node ran on %s at the same time", n)
			}
		}
		for _, w := range d.wrong {
			t.Error(w)
		}
		if t.Failed() {
			t.Log(b.story())
		}
	})
}

func (b *bench) wishMirror(node string, force bool) (string, error) {
	goal := plan.Goal{Kind: plan.GoalInService, Tag: "mir", Node: node, Force: force}
	c := api.Command{Goal: goal, By: "anna"}
	if strings.HasPrefix(node, "LK_S") {
		c.ConfirmRegion = far
	}
	s, err := b.eng.Submit(b.t.Context(), c)
	if err != nil {
		return "", err
	}
	return s.Op, nil
}

func (b *bench) mirrorTo(node string, force bool) string {
	b.t.Helper()
	op, err := b.wishMirror(node, force)
	if err != nil {
		b.t.Fatal(err)
	}
	return op
}

// mir is the mirror's status.
func mir(s *api.Snapshot) api.ResourceStatus {
	for _, r := range s.Resources {
		if r.Tag == mirror {
			return r
		}
	}
	return api.ResourceStatus{}
}

func mirState(s *api.Snapshot, node string) hierarchy.State {
	for _, is := range mir(s).On {
		if is.Server == node {
			return is.State
		}
	}
	return ""
}

// inSync waits until the mirror is in service on a node, with no leg out.
func (b *bench) inSync(node string) {
	b.t.Helper()
	b.until("all legs in sync", func(s *api.Snapshot) bool {
		m := mir(s)
		for _, leg := range b.recordOn(node).Legs {
			if leg != "in-sync" {
				return false
			}
		}
		return m.Active == node && m.Data != nil && m.Data.Impaired.Code == "" && !m.Data.Doubtful && mirState(s, node) == hierarchy.ISP && len(s.Running) == 0
	})
}

func outOfService(tag hierarchy.Tag) plan.Goal {
	return plan.Goal{Kind: plan.GoalOutOfService, Tag: tag}
}
