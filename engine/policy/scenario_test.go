package policy

import (
	"fmt"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
)

// TestScenarios plays the stories in testdata. Regenerate with -rewrite and review
// the difference like code: the trace must be right, not merely recorded.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 110 {
		t.Fatalf("%d scenario files (%v); there are to be at least 110", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			s := &scenario{}
			datadriven.RunTest(t, f, s.run)
		})
	}
}

// scenario is one file being played.
type scenario struct {
	y    *toy
	seen []Copy // of the pending question, when somebody looked
}

func (s *scenario) run(t *testing.T, d *datadriven.TestData) string {
	args := make([]string, 0, len(d.CmdArgs))
	opts := map[string]string{}
	for _, a := range d.CmdArgs {
		if len(a.Vals) > 0 {
			opts[a.Key] = strings.Join(a.Vals, " ")
		} else {
			args = append(args, a.Key)
		}
	}
	if d.Cmd == "estate" {
		return s.estate(t, args, opts, d.Input)
	}
	if s.y == nil {
		t.Fatalf("%s: a scenario begins with estate", d.Pos)
	}
	s.y.log.Reset()
	if err := s.command(d.Cmd, args, opts, d.Input); err != nil {
		t.Fatalf("%s: %v", d.Pos, err)
	}
	s.y.assertStored()
	if len(s.y.broke) > 0 {
		t.Fatalf("%s: invariants broken:\n%s\nafter:\n%s", d.Pos, strings.Join(s.y.broke, "\n"), s.y.log.String())
	}
	if i := strings.IndexByte(s.y.log.String(), '{'); i >= 0 {
		t.Fatalf("%s: a reason lacks an argument: %s", d.Pos, s.y.log.String()[i:])
	}
	if s.y.log.Len() == 0 {
		return "ok\n"
	}
	return s.y.log.String()
}

// estate NAME [TUNING=value …], or the estate itself as input.
func (s *scenario) estate(t *testing.T, args []string, opts map[string]string, input string) string {
	text := input
	if len(args) > 0 && args[0] != "asks" {
		named, ok := namedEstate(args[0])
		if !ok {
			t.Fatalf("no estate %q", args[0])
		}
		text = named + input
	}
	e, err := parseEstate(text)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range opts {
		e.Tuning[k] = v
	}
	s.y = newToy(e)
	s.y.asks = contains(args, "asks")
	return "ok\n"
}

func (s *scenario) tag(short string) hierarchy.Tag {
	if s.y.w.x.Resource(hierarchy.Tag(short)) != nil {
		return hierarchy.Tag(short)
	}
	return hierarchy.MakeTag(s.y.w.Estate.Cluster[0].Name, short)
}

func (s *scenario) ref(node, short string) hierarchy.Ref {
	return hierarchy.Ref{Tag: s.tag(short), Node: node}
}

func (s *scenario) command(cmd string, args []string, opts map[string]string, input string) error {
	y := s.y
	arg := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	node := func(i int) *toyNode {
		n := y.nodes[arg(i)]
		if n == nil {
			panic(fmt.Sprintf("%s: no node %q", cmd, arg(i)))
		}
		return n
	}
	switch cmd {
	case "active": // active NODE [TAG…]: running there from the start, without a claim
		for i := range y.w.Estate.Res {
			t := y.w.Estate.Res[i].Tag
			if len(args) == 1 || contains(args[1:], t.Short()) || contains(args[1:], string(t)) {
				y.runs[hierarchy.Ref{Tag: t, Node: arg(0)}] = true
			}
		}
	case "serving": // serving NODE: as active, and the machine has taken notice
		if err := s.command("active", args, nil, ""); err != nil {
			return err
		}
		y.tick(20 * time.Second)
		y.log.Reset()
	case "tick":
		d, err := time.ParseDuration(arg(0))
		if err != nil {
			return err
		}
		y.tick(d)
	case "off":
		for i := range args {
			node(i)
			y.powerOff(arg(i))
		}
	case "on":
		for i := range args {
			node(i)
			y.powerOn(arg(i))
		}
	case "hang":
		node(0).hung = true
	case "unhang":
		node(0).hung = false
	case "cut", "join": // cut A B…: A loses B and the others, both ways
		for _, b := range args[1:] {
			node(0).cut[b], y.nodes[b].cut[arg(0)] = cmd == "cut", cmd == "cut"
		}
	case "cut-engine", "join-engine": // [NODE…]: the engine's own way to them
		for _, n := range y.names {
			if len(args) == 0 || contains(args, n) {
				y.nodes[n].cutEngine = cmd == "cut-engine"
			}
		}
	case "ec2": // ec2 NODE running|stopped|not-found|error|silent|truth
		node(0).ec2 = strings.ReplaceAll(arg(1), "truth", "")
	case "fail": // fail NODE TAG: stops working, can be repaired
		delete(y.runs, s.ref(arg(0), arg(1)))
	case "break": // break NODE TAG: cannot be started or repaired there
		y.broken[s.ref(arg(0), arg(1))] = true
		delete(y.runs, s.ref(arg(0), arg(1)))
	case "break-start": // break-start NODE TAG: runs on, but could not be started again
		y.broken[s.ref(arg(0), arg(1))] = true
	case "mend": // mend NODE TAG: it can be started again; a tunnel comes back by itself
		delete(y.broken, s.ref(arg(0), arg(1)))
		if ref := s.ref(arg(0), arg(1)); y.tunnel(ref.Tag) && y.nodes[ref.Node].up {
			y.runs[ref] = true
		}
	case "check": // check NODE TAG ok|unknown|impaired
		y.check[s.ref(arg(0), arg(1))] = arg(2)
	case "stop": // stop NODE TAG ok|failed|unknown: what stopping it gives
		y.stops[s.ref(arg(0), arg(1))] = arg(2)
	case "copy": // copy NODE TAG complete|LACKS [age=…]: what is on record of its copy of the data
		last := time.Time{}
		if a := opts["age"]; a != "" {
			d, err := time.ParseDuration(a)
			if err != nil {
				return err
			}
			last = y.now.Add(-d)
		}
		y.copied(s.tag(arg(1)), arg(0), arg(2), last)
	case "fence": // fence NODE ok|failed|unknown: what fencing it gives
		y.fences[arg(0)] = arg(1)
	case "claims": // claims NODE refused|written: whether its record can be written
		y.nopen[arg(0)] = arg(1) == "refused"
	case "eligible": // eligible NODE TAG yes|no|unknown
		y.veto[s.ref(arg(0), arg(1))] = arg(2)
	case "by-hand": // by-hand NODE TAG: somebody starts it behind our back
		y.runs[s.ref(arg(0), arg(1))] = true
		y.excuse[s.ref(arg(0), arg(1))] = true
	case "shutdown": // shutdown NODE: its stop hook tells the engine; what runs stops with it
		node(0)
		y.input(GracefulStop{Node: arg(0)})
	case "automation":
		y.input(SetAutomation{On: arg(0) == "on"})
	case "quorum": // quorum NODE ok|failed|unknown|silent|truth: what it says when it is asked
		node(0).quorum = strings.ReplaceAll(arg(1), "truth", "")
	case "hold": // hold SCOPE|estate DURATION|release by=… [why=…]
		return s.hold(arg(0), arg(1), opts)
	case "jump": // the clock jumps, or the machine slept
		d, err := time.ParseDuration(arg(0))
		if err != nil {
			return err
		}
		y.now = y.now.Add(d)
		y.input(ClockJump{Gap: d})
		for _, r := range y.ops {
			y.resumed[r.op.ID] = true
		}
	case "restart":
		y.restart()
	case "kill-at": // kill-at STEP before|middle|after
		y.killAt, y.killWhen = arg(0), arg(1)
	case "record": // record NODE TAG NUMBER: what the node's record says of a claim
		n, err := strconv.ParseUint(arg(2), 10, 64)
		if err != nil {
			return err
		}
		node(0).claims[s.tag(arg(1))] = n
		y.records = append(y.records, arg(0))
	case "command":
		s.person(args, opts)
	case "answer":
		s.answer(arg(0), opts)
	case "define": // lines to add to the definition; tuning NAME=value changes
		return s.define(input)
	case "plan": // the steps of the newest operation
		s.showPlan()
	case "state":
		s.showState()
	case "questions":
		s.showQuestions()
	case "look": // a person looks at the pending question
		for _, q := range y.w.Questions {
			if q.State == Pending {
				s.seen = q.Copies
			}
		}
	default:
		return fmt.Errorf("no command %q", cmd)
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// hold puts a hold on for a time from now, or releases it.
func (s *scenario) hold(scope, how string, opts map[string]string) error {
	in := SetHold{Scope: strings.ReplaceAll(scope, "estate", ""), By: opts["by"], Why: opts["why"]}
	if how != "release" {
		d, err := time.ParseDuration(how)
		if err != nil {
			return err
		}
		in.Until = s.y.now.Add(d)
	}
	s.y.input(in)
	return nil
}

// command GOAL TAG [NODE] by=… [region=…] [id=…] [force]
func (s *scenario) person(args []string, opts map[string]string) {
	g := plan.Goal{Kind: plan.GoalKind(args[0]), Tag: s.tag(args[1])}
	for _, a := range args[2:] {
		if a == "force" {
			g.Force = true
		} else {
			g.Node = a
		}
	}
	id := opts["id"]
	if id == "" {
		id = fmt.Sprintf("cmd-%d", s.y.w.Seq+1)
	}
	c := Command{ID: id, By: opts["by"], Goal: g, ConfirmRegion: opts["region"]}
	_, again := s.y.w.commands[id]
	foretold, refused := s.y.w.Preview(c)
	s.y.input(c)
	if !again {
		s.foretold(id, foretold, refused)
	}
}

// foretold compares what a preview said with what came of the command: that is all a
// person has who says yes.
func (s *scenario) foretold(id string, p plan.Plan, refused *Refused) {
	var op *Op
	for _, o := range s.y.w.Ops {
		if o.Command == id {
			op = o
		}
	}
	switch {
	case op == nil && refused == nil && len(p.Steps) > 0:
		panic(fmt.Sprintf("%s: a plan of %d steps was previewed, and nothing began", id, len(p.Steps)))
	case op != nil && refused != nil:
		panic(fmt.Sprintf("%s: a refusal was previewed (%s), and %s began", id, refused.Reason.Text, op.ID))
	case op != nil && len(op.Plan.Steps) != len(p.Steps):
		panic(fmt.Sprintf("%s: %d steps were previewed, %d began", id, len(p.Steps), len(op.Plan.Steps)))
	}
}

// answer KIND by=… [q=…] [typed=…] [accept=now|was]; the newest question, and its region,
// unless told. accept: the loss that the question shows now, or showed when look was said.
func (s *scenario) answer(kind string, opts map[string]string) {
	id := opts["q"]
	if id == "" {
		for _, k := range sorted(s.y.w.Questions) {
			id = k
		}
	}
	typed, given := opts["typed"]
	if q := s.y.w.Questions[id]; q != nil && !given {
		typed = q.ToRegion
	}
	in := AnswerGiven{Question: id, By: opts["by"], Kind: kind, Typed: typed}
	switch q := s.y.w.Questions[id]; {
	case opts["accept"] == "was":
		in.Accept = priced(s.seen)
	case opts["accept"] == "now" && q != nil:
		in.Accept = priced(q.Copies)
	}
	s.y.input(in)
}

func (s *scenario) define(input string) error {
	next := *s.y.w.Estate
	next.Tuning = map[string]string{}
	for k, v := range s.y.w.Estate.Tuning {
		next.Tuning[k] = v
	}
	next.Flags = append([]hierarchy.Flag(nil), next.Flags...)
	for _, line := range strings.Split(input, "\n") {
		f := strings.Fields(line)
		if len(f) == 2 && f[0] == "remove" {
			next.Res = append([]hierarchy.Resource(nil), next.Res...)
			for i := range next.Res {
				if next.Res[i].Tag == s.tag(f[1]) {
					next.Res = append(next.Res[:i], next.Res[i+1:]...)
					break
				}
			}
			continue
		}
		if err := parseLine(&next, f); err != nil {
			return err
		}
	}
	for i := range next.Servers {
		if n := next.Servers[i].Name; s.y.nodes[n] == nil {
			s.y.names = append(s.y.names, n)
			s.y.nodes[n] = &toyNode{up: true, boot: 1, cut: map[string]bool{}, claims: map[hierarchy.Tag]uint64{}}
		}
	}
	s.y.input(Define{Estate: &next, By: "anna"})
	return nil
}

func (s *scenario) showPlan() {
	id := ""
	for _, k := range sorted(s.y.w.Ops) {
		id = k
	}
	op := s.y.w.Ops[id]
	if op == nil {
		s.y.printf("no operation\n")
		return
	}
	for _, st := range op.Plan.Steps {
		mark := ""
		if st.NoReturn {
			mark = "  NO RETURN"
		}
		after := ""
		if len(st.After) > 0 {
			after = "  after " + strings.Join(st.After, ", ")
		}
		s.y.printf("%s on %s%s%s\n", st.ID, st.Node, mark, after)
	}
	for _, n := range op.Plan.Notes {
		s.y.printf("note: %s\n", n.Text)
	}
	for _, u := range op.Plan.Untouched {
		s.y.printf("untouched: %s\n", u)
	}
}

// showState prints who holds what, how it is seen on every node, and what really
// runs there (marked *).
func (s *scenario) showState() {
	y := s.y
	for _, n := range y.names {
		y.printf("%-8s %s\n", n, y.w.Nodes[n].Verdict)
	}
	for i := range y.w.Estate.Res {
		t := y.w.Estate.Res[i].Tag
		holder := "nobody's"
		if at := y.w.Active(t); at != "" {
			holder = fmt.Sprintf("%s (claim %d)", at, y.w.Claims[t].Number)
		}
		y.printf("%-8s %s:", t.Short(), holder)
		for _, p := range y.w.x.PlacementsByPriority(t) {
			ref := hierarchy.Ref{Tag: t, Node: p.Server}
			it := y.w.Instances[ref]
			star, held := "", ""
			if y.runs[ref] {
				star = "*"
			}
			if it.Held != nil {
				held = " held"
			}
			y.printf(" %s=%s%s%s", p.Server, it.State, star, held)
		}
		y.printf("\n")
	}
}

func (s *scenario) showQuestions() {
	w := s.y.w
	ids := make([]string, 0, len(w.Questions))
	for id := range w.Questions {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	for _, id := range ids {
		q := w.Questions[id]
		s.y.printf("%s %s: %s from %s to %s in %s, proven=%v default=%d %s\n", q.ID, q.State, q.Tag, q.From, q.To, q.ToRegion, q.Proven, q.Default, untilText(q.Until, q.Default))
		for _, e := range q.Evidence {
			s.y.printf("  evidence: %s\n", e.Text)
		}
		for _, c := range q.Copies {
			if c.Complete() {
				s.y.printf("  copy of %s on %s: complete\n", c.Tag.Short(), c.Node)
				continue
			}
			if c.Settles {
				s.y.printf("  copy of %s on %s: is made complete\n", c.Tag.Short(), c.Node)
				continue
			}
			last := "at an unknown time"
			if !c.Last.IsZero() {
				last = c.Last.Format("15:04:05")
			}
			s.y.printf("  copy of %s on %s: %s, complete %s\n", c.Tag.Short(), c.Node, c.Price.Code, last)
		}
		if q.State != Pending {
			s.y.printf("  ended: %s\n", q.Why.Text)
		}
	}
}
