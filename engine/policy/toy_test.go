package policy

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// toyKit is known by its traits alone: the toy world does what a kit would do.
type toyKit struct {
	name   string
	traits kits.Traits
}

func (k toyKit) Name() string                                   { return k.name }
func (k toyKit) Traits() kits.Traits                            { return k.traits }
func (toyKit) Fields() []kits.Field                             { return nil }
func (toyKit) Tunables() []kits.Tunable                         { return nil }
func (toyKit) Validate(kits.Instance) []kits.Problem            { return nil }
func (toyKit) Timeout(kits.Action, kits.Instance) time.Duration { return 10 * time.Second }
func (k toyKit) Effects(a kits.Action, in kits.Instance) []kits.Effect {
	return []kits.Effect{{Kind: k.name, What: in.Tag, To: in.Node.Name}}
}
func (toyKit) Eligible(context.Context, kits.Host, kits.Instance) kits.Eligibility { panic("toy") }
func (toyKit) Check(context.Context, kits.Host, kits.Instance) kits.Report         { panic("toy") }
func (toyKit) Start(context.Context, kits.Host, kits.Instance) kits.Report         { panic("toy") }
func (toyKit) Stop(context.Context, kits.Host, kits.Instance) kits.Report          { panic("toy") }
func (toyKit) Recover(context.Context, kits.Host, kits.Instance) kits.Report       { panic("toy") }

// toyTunnel runs on every node all the time, whoever holds it.
type toyTunnel struct{ toyKit }

func (toyTunnel) ChecksStandby() bool { return true }

// Carries is 10.0.0.0/8 from the west and 172.16.0.0/12 from the east, like the seed's regions.
func (toyTunnel) Carries(in kits.Instance) []netip.Prefix {
	if in.Node.Region == "west" {
		return []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	}
	return []netip.Prefix{netip.MustParsePrefix("172.16.0.0/12")}
}

func (y *toy) tunnel(t hierarchy.Tag) bool { return y.w.checksStandby(t) }

func toyKits() kits.Registry {
	return kits.Registry{
		"ip":     toyKit{"ip", kits.Traits{MovesClients: true}},
		"ec2":    toyKit{"ec2", kits.Traits{MovesClients: true, LeavesOnStop: true, ViaCloud: true}},
		"app":    toyKit{"app", kits.Traits{}},
		"mirror": toyKit{"mirror", kits.Traits{Veto: true, Replicated: true}},
		"disk":   toyDisk{toyKit{"disk", kits.Traits{Veto: true, Replicated: true}}},
		"tunnel": toyTunnel{toyKit{"tunnel", kits.Traits{LeavesOnStop: true}}},
	}
}

// toyTries is how often a step without a result is tried.
const toyTries = 3

// toyNode is a node as it really is, which the machine can only observe.
type toyNode struct {
	up, hung  bool
	boot      int
	cut       map[string]bool // peers it cannot reach, both ways
	cutEngine bool
	ec2       string // what EC2 says; "" = the truth, late; "silent" = no answer ever
	offSince  time.Time
	claims    map[hierarchy.Tag]uint64
	quorum    string // what it says of its quorum; "" = the truth, "silent" = no answer ever
}

// toyRun is an operation being carried out.
type toyRun struct {
	op       *Op
	plan     plan.Plan // the forward plan, or the undo plan
	undo     bool
	why      kits.Reason
	at       map[string]plan.Status
	attempts map[string]int
}

// toy is a small estate that behaves: one step of an operation takes a second.
type toy struct {
	w      *World
	stored map[string]Entity
	now    time.Time
	nodes  map[string]*toyNode
	names  []string

	runs   map[hierarchy.Ref]bool   // what really runs where
	broken map[hierarchy.Ref]bool   // cannot be started or repaired
	check  map[hierarchy.Ref]string // "unknown", "impaired"
	stops  map[hierarchy.Ref]string // "failed", "unknown"
	veto   map[hierarchy.Ref]string // "no", "unknown"
	fences map[string]string        // by node: "failed", "unknown"
	nopen  map[string]bool          // claims cannot be written there
	excuse map[hierarchy.Ref]bool   // may run beside another: unfenced, or by hand

	ops      []*toyRun
	checks   []hierarchy.Ref // asked for, done in the next second
	clouds   []string
	quorums  []string // asked for their quorum
	records  []string
	nextAll  map[string]time.Time // next regular check of a node
	killAt   string               // the engine dies when this step begins ("before") or has ended ("after")
	killWhen string
	gone     map[string]string // by operation, the lost node that it goes to
	asks     bool              // questions about quorum are printed
	broke    []string          // invariants that did not hold
	repairs  map[hierarchy.Ref][]time.Time
	resumed  map[string]bool // operations carried on after the engine died
	undoing  bool
	log      strings.Builder
}

func newToy(e *hierarchy.Estate) *toy {
	y := &toy{
		w: New(e, toyKits()), stored: map[string]Entity{}, now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC),
		nodes: map[string]*toyNode{}, runs: map[hierarchy.Ref]bool{}, broken: map[hierarchy.Ref]bool{},
		check: map[hierarchy.Ref]string{}, stops: map[hierarchy.Ref]string{}, veto: map[hierarchy.Ref]string{},
		fences: map[string]string{}, gone: map[string]string{}, nopen: map[string]bool{}, resumed: map[string]bool{}, excuse: map[hierarchy.Ref]bool{}, nextAll: map[string]time.Time{}, repairs: map[hierarchy.Ref][]time.Time{},
	}
	for _, s := range e.Servers {
		y.names = append(y.names, s.Name)
		y.nodes[s.Name] = &toyNode{up: true, boot: 1, cut: map[string]bool{}, claims: map[hierarchy.Tag]uint64{}}
	}
	for _, n := range y.names {
		y.tunnels(n)
	}
	y.input(SetAutomation{On: true})
	y.log.Reset()
	return y
}

func (y *toy) printf(format string, a ...any) { fmt.Fprintf(&y.log, format, a...) }

func (y *toy) clock() string { return y.now.Format("15:04:05") }

// input lets the machine step, stores what changed, then carries the outputs out.
func (y *toy) input(in Input) {
	outs := y.w.Step(y.now, in)
	for _, e := range y.w.TakeChanges() {
		y.stored[e.Key] = e
	}
	y.assertOutputs(in, outs)
	for _, o := range outs {
		y.output(o)
	}
}

func (y *toy) output(o Output) {
	switch o := o.(type) {
	case StartOp:
		y.ops = append(y.ops, &toyRun{op: o.Op, plan: o.Op.Plan, at: map[string]plan.Status{}, attempts: map[string]int{}})
		if g := o.Op.Plan.Goal; g.FromGone {
			for _, t := range o.Op.Plan.Moves {
				y.excuse[hierarchy.Ref{Tag: t, Node: g.From}] = true
			}
		}
	case Refused:
		y.printf("%s refused (%s) %s\n", y.clock(), o.Kind, o.Reason.Text)
	case Accepted:
		op := o.Op
		if op == "" {
			op = "nothing to do"
		}
		y.printf("%s accepted %s: %s\n", y.clock(), o.ID, op)
	case Event:
		y.printEvent(o)
	case GiveUp:
		y.gone[o.Op] = o.Node
	case CheckNow:
		y.checks = append(y.checks, o.Refs...)
	case AskCloud:
		y.clouds = append(y.clouds, o.Node)
	case ReadRecord:
		y.records = append(y.records, o.Node)
	case AskQuorum:
		if y.asks {
			y.printf("%s   %s is asked for its quorum\n", y.clock(), o.Node)
		}
		y.quorums = append(y.quorums, o.Node)
	}
}

func (y *toy) printEvent(e Event) {
	if e.Kind == "state" && e.Severity == "info" {
		return // the steps and the state table say it
	}
	mark := map[string]string{"info": "  ", "warning": "! ", "error": "!!"}[e.Severity]
	subject := string(e.Tag)
	if subject == "" {
		subject = e.Node
	}
	if e.Kind == "question" {
		subject = e.Question
	}
	if e.Kind == "operation" && e.Op != "" {
		subject = e.Op
	}
	y.printf("%s %s %s %s: %s\n", y.clock(), mark, e.Kind, subject, e.Reason.Text)
	if e.Decision == nil {
		return
	}
	for _, r := range e.Decision.Reasons {
		y.printf("             - %s: %s\n", r.Code, r.Text)
	}
}

// tick lets time pass, second by second.
func (y *toy) tick(d time.Duration) {
	for range int(d / time.Second) {
		y.second()
		if len(y.broke) > 0 {
			return
		}
	}
}

func (y *toy) second() {
	y.now = y.now.Add(time.Second)
	y.answerClouds()
	y.answerRecords()
	y.answerQuorums()
	y.doChecks()
	y.advance()
	for _, n := range y.names {
		if every := y.w.beatTime(n); y.now.Unix()%int64(every/time.Second) == 0 {
			y.beat(n)
		}
	}
	y.input(Tick{})
	y.assertWorld()
}

// reaches tells whether the engine's scripts run on the node.
func (y *toy) reaches(n string) bool {
	t := y.nodes[n]
	return t.up && !t.hung && !t.cutEngine
}

func (y *toy) beat(n string) {
	t := y.nodes[n]
	b := Beat{Node: n, Path: t.up && !t.cutEngine, Function: y.reaches(n)}
	if b.Function {
		b.Peers = map[string]map[string]kits.Outcome{}
		for _, p := range y.w.x.Peers(n) {
			o := kits.Failed
			if y.nodes[p].up && !t.cut[p] {
				o = kits.OK
			}
			b.Peers[p] = y.probes(n, p, o)
		}
	}
	y.input(b)
}

// probes are the results by path: those that are declared, or the default one. A path
// that something carries is cut while that runs nowhere.
func (y *toy) probes(from, to string, o kits.Outcome) map[string]kits.Outcome {
	all := map[string]kits.Outcome{}
	for _, p := range y.w.Estate.Paths {
		if p.From != from || p.To != to {
			continue
		}
		all[p.ToAddr] = o
		if slices.ContainsFunc(p.Via.Tags(), func(t hierarchy.Tag) bool { return !y.carried(t) }) {
			all[p.ToAddr] = kits.Failed
		}
	}
	if len(all) == 0 {
		all["default"] = o
	}
	return all
}

func (y *toy) carried(t hierarchy.Tag) bool {
	for _, n := range y.names {
		if y.runs[hierarchy.Ref{Tag: t, Node: n}] && y.nodes[n].up {
			return true
		}
	}
	return false
}

// ec2Lag is how late EC2 learns of a node that went off.
const ec2Lag = 70 * time.Second

func (y *toy) answerClouds() {
	ask := y.clouds
	y.clouds = nil
	for _, n := range ask {
		t := y.nodes[n]
		said := CloudSight{At: y.now, State: t.ec2}
		switch {
		case t.ec2 == "silent":
			continue
		case t.ec2 == "error":
			said = CloudSight{At: y.now, Err: "RequestLimitExceeded"}
		case t.ec2 == "" && !t.up && y.now.Sub(t.offSince) >= ec2Lag:
			said.State = "stopped"
		case t.ec2 == "":
			said.State = "running"
		}
		y.input(CloudSaid{Node: n, Sight: said})
	}
}

func (y *toy) answerRecords() {
	ask := y.records
	y.records = nil
	for _, n := range ask {
		if y.reaches(n) {
			t := y.nodes[n]
			claims := map[hierarchy.Tag]uint64{}
			for k, v := range t.claims {
				claims[k] = v
			}
			y.input(NodeRecord{Node: n, Claims: claims, Boot: fmt.Sprint(t.boot)})
		}
	}
}

// answerQuorums lets the nodes that were asked tell what they reach.
func (y *toy) answerQuorums() {
	ask := y.quorums
	y.quorums = nil
	for _, n := range ask {
		in := QuorumSaid{Node: n}
		switch said := y.nodes[n].quorum; {
		case !y.reaches(n):
			in.Reason = kits.Why("toy.unreached", n+" did not answer.")
		case said == "silent":
			continue
		case said == "unknown":
			in.Reason = kits.Why("toy.silent", "The script did not end in time.")
		case said == "failed":
			in.Outcome, in.Reason = kits.Failed, kits.Why("toy.quorum", "It reaches 1 of 3.")
		case said == "ok":
			in.Outcome = kits.OK
		default:
			in.Outcome, in.Reason = y.majority(n)
		}
		y.input(in)
	}
}

// majority counts whom the node really reaches, itself included.
func (y *toy) majority(n string) (kits.Outcome, kits.Reason) {
	if y.w.x.Quorum(n).Mode == hierarchy.TCPRemote {
		return kits.OK, kits.Reason{} // the witnesses of the toy are up; say otherwise with quorum NODE failed
	}
	peers := y.w.x.Peers(n)
	reached := 1
	for _, p := range peers {
		if y.nodes[p].up && !y.nodes[n].cut[p] {
			reached++
		}
	}
	if 2*reached > len(peers)+1 {
		return kits.OK, kits.Reason{}
	}
	return kits.Failed, kits.Why("toy.quorum", fmt.Sprintf("It reaches %d of %d.", reached, len(peers)+1))
}

func (y *toy) doChecks() {
	due := y.checks
	y.checks = nil
	for _, n := range y.names {
		if y.now.Before(y.nextAll[n]) {
			continue
		}
		y.nextAll[n] = y.now.Add(y.w.x.Seconds(n, hierarchy.LKCheckInterval))
		for _, t := range y.w.x.On(n) {
			due = append(due, hierarchy.Ref{Tag: t, Node: n})
		}
	}
	for i, ref := range due {
		if !slices.Contains(due[:i], ref) {
			y.input(Checked{Ref: ref, Report: y.look(ref)})
		}
	}
}

// look is a check of a resource on a node.
func (y *toy) look(ref hierarchy.Ref) kits.Report {
	switch {
	case !y.reaches(ref.Node):
		return kits.Report{Reason: kits.Why("toy.unreached", ref.Node+" did not answer.")}
	case y.check[ref] == "unknown":
		return kits.Report{Reason: kits.Why("toy.unknown", "It timed out.")}
	case !y.runs[ref]:
		return kits.Report{Outcome: kits.Failed, Presence: kits.Absent, Reason: kits.Why("toy.absent", "It does not run.")}
	case y.check[ref] == "impaired":
		return kits.Report{Outcome: kits.OK, Presence: kits.Present, Impaired: true, Reason: kits.Why("toy.impaired", "It limps.")}
	}
	return kits.Report{Outcome: kits.OK, Presence: kits.Present}
}

// advance ends the steps begun a second ago and begins what is ready.
func (y *toy) advance() {
	for _, r := range slices.Clone(y.ops) {
		if !slices.Contains(y.ops, r) {
			continue // the engine died meanwhile; a new run took its place
		}
		if y.finish(r) {
			y.beginReady(r)
		}
	}
}

func (y *toy) finish(r *toyRun) bool {
	for _, st := range r.plan.Steps {
		if r.at[st.ID] != plan.Running {
			continue
		}
		if y.dies(st, "before") {
			return false
		}
		y.undoing = r.undo
		rep := y.do(r.op, st)
		if rep.Outcome == kits.Unknown && y.gone[r.op.ID] == st.Node {
			r.attempts[st.ID] = toyTries
		}
		if y.dies(st, "middle") { // done, but the result was not written down
			return false
		}
		r.at[st.ID] = map[kits.Outcome]plan.Status{kits.OK: plan.Done, kits.Failed: plan.Failed, kits.Unknown: plan.Unclear}[rep.Outcome]
		text := rep.Reason.Text
		if text != "" {
			text = ": " + text
		}
		y.printf("%s   %s %s %s%s\n", y.clock(), r.op.ID, stepName(st, r.undo), rep.Outcome, text)
		var undo *plan.Step
		if r.undo {
			undo = &st
		}
		y.input(StepEnded{Op: r.op.ID, Step: st.ID, Report: rep, Undo: undo})
		if y.dies(st, "after") {
			return false
		}
	}
	return true
}

func stepName(st plan.Step, undo bool) string {
	name := string(st.Kind)
	if undo {
		name = "undo: " + name
	}
	if st.Claim > 0 {
		name += fmt.Sprintf(" %d", st.Claim)
	}
	if st.Tag != "" {
		name += " " + st.Tag.Short()
	}
	return name + " on " + st.Node
}

// dies tells whether the engine is to die at this step. It comes back at once,
// knowing only what was stored.
func (y *toy) dies(st plan.Step, when string) bool {
	if y.killAt == "" || y.killWhen != when || !strings.Contains(st.ID, y.killAt) {
		return false
	}
	y.killAt = ""
	y.printf("%s   (the engine dies: %s, %s)\n", y.clock(), st.ID, when)
	y.restart()
	return true
}

func (y *toy) beginReady(r *toyRun) {
	ready, way := plan.Next(r.plan, r.at, r.attempts, toyTries)
	switch way {
	case plan.Going:
		for _, st := range ready {
			r.at[st.ID] = plan.Running
			r.attempts[st.ID]++
			var undo *plan.Step
			if r.undo {
				undo = &st
			}
			y.input(StepBegan{Op: r.op.ID, Step: st.ID, Undo: undo})
		}
	case plan.Complete:
		out := OpDone
		if r.undo {
			out = OpRolledBack
		}
		y.end(r, out, r.why)
	case plan.Stuck:
		y.end(r, OpFailed, y.whyStopped(r))
	case plan.Back:
		r.why = y.whyStopped(r)
		var touched []string
		for _, st := range r.plan.Steps {
			if r.at[st.ID] != plan.Waiting {
				touched = append(touched, st.ID)
			}
		}
		back, any := plan.Undo(r.plan, touched)
		switch {
		case r.undo:
			y.end(r, OpFailed, r.why)
		case !any:
			y.end(r, OpRolledBack, r.why)
		default:
			r.plan, r.undo, r.at, r.attempts = back, true, map[string]plan.Status{}, map[string]int{}
			y.beginReady(r)
		}
	}
}

func (y *toy) whyStopped(r *toyRun) kits.Reason {
	for _, st := range r.plan.Steps {
		if s := r.at[st.ID]; s == plan.Failed || s == plan.Unclear {
			word := "failed"
			if s == plan.Unclear {
				word = "did not say how it ended"
			}
			return kits.Why("op.step", stepName(st, r.undo)+" "+word+".")
		}
	}
	return kits.Reason{}
}

func (y *toy) end(r *toyRun, out OpOutcome, why kits.Reason) {
	y.ops = slices.DeleteFunc(y.ops, func(o *toyRun) bool { return o == r })
	y.input(OpEnded{Op: r.op.ID, Outcome: out, Reason: why})
}

// do is what really happens in a step.
func (y *toy) do(op *Op, st plan.Step) kits.Report {
	ref := hierarchy.Ref{Tag: st.Tag, Node: st.Node}
	if !y.reaches(st.Node) && st.Kind != plan.StepFence {
		return kits.Report{Reason: kits.Why("toy.unreached", st.Node+" did not answer.")}
	}
	ok := kits.Report{Outcome: kits.OK}
	switch st.Kind {
	case plan.StepEligible:
		switch y.veto[ref] {
		case "no":
			return kits.Report{Outcome: kits.Failed, Reason: kits.Why("toy.veto", "It must not run there.")}
		case "unknown":
			return kits.Report{Reason: kits.Why("toy.veto-unknown", "It cannot tell.")}
		}
		return y.promote(op, st)
	case plan.StepFence:
		switch y.fences[st.Node] {
		case "failed":
			return kits.Report{Outcome: kits.Failed, Reason: kits.Why("toy.fence", "EC2 refuses to stop it.")}
		case "unknown":
			return kits.Report{Reason: kits.Why("toy.fence", "EC2 did not say stopped in time.")}
		}
		y.powerOff(st.Node)
		return ok
	case plan.StepClaim:
		if y.nopen[st.Node] {
			return kits.Report{Outcome: kits.Failed, Reason: kits.Why("toy.full", "The disk is full.")}
		}
		for _, t := range st.Tags {
			y.nodes[st.Node].claims[t] = st.Claim
		}
		return ok
	case plan.StepStart:
		y.assertOrder(op, ref)
		if rep := y.promote(op, st); rep.Outcome != kits.OK {
			return rep
		}
		return y.start(ref)
	case plan.StepStop:
		return y.stop(ref)
	case plan.StepRecover:
		y.countRepair(op, ref)
		y.assertOrder(op, ref)
		return y.start(ref)
	}
	return y.look(ref)
}

func (y *toy) start(ref hierarchy.Ref) kits.Report {
	if y.broken[ref] {
		return kits.Report{Outcome: kits.Failed, Reason: kits.Why("toy.broken", "It is broken there.")}
	}
	if y.leaves(ref.Tag) && !y.tunnel(ref.Tag) { // a route points to one node only
		for _, n := range y.names {
			delete(y.runs, hierarchy.Ref{Tag: ref.Tag, Node: n})
		}
	}
	y.runs[ref] = true
	delete(y.excuse, ref)
	return kits.Report{Outcome: kits.OK, Impaired: y.check[ref] == "impaired"}
}

func (y *toy) leaves(t hierarchy.Tag) bool { return y.w.traits(t).LeavesOnStop }

func (y *toy) stop(ref hierarchy.Ref) kits.Report {
	switch y.stops[ref] {
	case "failed":
		return kits.Report{Outcome: kits.Failed, Reason: kits.Why("toy.busy", "It is busy.")}
	case "unknown":
		return kits.Report{Reason: kits.Why("toy.silent", "It did not answer.")}
	}
	for _, p := range y.w.x.Parents(ref.Tag) {
		if y.w.Works(p, ref.Node) {
			y.violated("order: %s stopped on %s while %s is in service there", ref.Tag, ref.Node, p)
		}
	}
	if !y.leaves(ref.Tag) {
		delete(y.runs, ref)
		delete(y.excuse, ref)
	}
	return kits.Report{Outcome: kits.OK}
}

func (y *toy) powerOff(n string) {
	t := y.nodes[n]
	t.up, t.hung, t.offSince = false, false, y.now
	for ref := range y.runs {
		if ref.Node == n && (!y.leaves(ref.Tag) || y.tunnel(ref.Tag)) {
			delete(y.runs, ref)
			delete(y.excuse, ref)
		}
	}
}

// tunnels come up with their node.
func (y *toy) tunnels(n string) {
	for _, t := range y.w.x.On(n) {
		if ref := (hierarchy.Ref{Tag: t, Node: n}); y.tunnel(t) && !y.broken[ref] {
			y.runs[ref] = true
		}
	}
}

func (y *toy) powerOn(n string) {
	t := y.nodes[n]
	t.up, t.hung, t.boot = true, false, t.boot+1
	y.tunnels(n)
}

// restart is the engine dying and coming back with what was stored. What ran is
// resumed: a step that was begun is unclear.
func (y *toy) restart() {
	var all []Entity
	for _, k := range sorted(y.stored) {
		all = append(all, y.stored[k])
	}
	w, err := Load(y.w.Estate, toyKits(), all)
	if err != nil {
		y.violated("loading: %v", err)
		return
	}
	old := y.ops
	y.w, y.ops, y.checks, y.clouds, y.records, y.quorums = w, nil, nil, nil, nil, nil
	clear(y.nextAll) // the monitor begins with a look at everything
	for _, r := range old {
		op := w.Ops[r.op.ID]
		if op == nil || op.Outcome != OpRunning {
			continue
		}
		r.op = op
		y.resumed[op.ID] = true
		for id, st := range r.at {
			if st == plan.Running {
				r.at[id] = plan.Unclear
			}
		}
		y.ops = append(y.ops, r)
	}
	for _, id := range sorted(w.Ops) {
		if op := w.Ops[id]; op.Outcome == OpRunning && !slices.ContainsFunc(y.ops, func(r *toyRun) bool { return r.op.ID == id }) {
			y.violated("lost: operation %s runs in the store and nobody carries it out", id)
		}
	}
}
