package act

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/steps"
	"github.com/ferry-ha/ferry/tui/ui"
)

// lookBack is how many past operations are searched for runs of the same kind.
const lookBack = 200

// goalJob moves something.
type goalJob struct {
	c    *ui.Context
	wish ui.Wish
	id   string // of the command, for as long as the window lives
	goal plan.Goal

	pv     *api.Preview
	expect steps.Expected
	past   bool   // past operations could be read
	sight  string // what the plan rests on, as it was when it was made
}

// previewed is a preview with what past operations let one expect.
type previewed struct {
	pv   *api.Preview
	past []api.Operation
	told bool
}

func newGoal(c *ui.Context, w ui.Wish) *goalJob {
	return &goalJob{c: c, wish: w, id: rand.Text(), goal: *w.Goal}
}

func (j *goalJob) need() api.Role { return api.Operator }

func (j *goalJob) look() func(context.Context, api.Service) (any, error) {
	cmd := api.Command{ID: j.id, Goal: j.goal}
	return func(ctx context.Context, s api.Service) (any, error) {
		pv, err := s.Preview(ctx, cmd)
		if err != nil {
			return nil, err
		}
		past, err := s.Operations(ctx, lookBack)
		return previewed{pv, past, err == nil}, nil // what was is nice to know, no more
	}
}

func (j *goalJob) saw(x any) {
	p := x.(previewed)
	j.pv, j.past = p.pv, p.told
	j.sight = j.now()
	j.expect = steps.Expect(j.c.Est.Index, p.past, p.pv.Plan)
}

// now is what the plan rests on, as the estate is seen at this moment: who holds what
// moves, and how the nodes are.
func (j *goalJob) now() string {
	var b strings.Builder
	for _, t := range j.pv.Plan.Moves {
		if r := j.c.Est.Res(t); r != nil {
			b.WriteString(string(t) + "@" + r.Active + "\n")
		}
	}
	for _, name := range []string{j.pv.Plan.Goal.From, j.pv.Plan.Goal.Node} {
		if n := j.c.Est.Node(name); n != nil {
			b.WriteString(name + " " + string(n.Verdict) + "\n")
		}
	}
	return b.String()
}

// stale tells that the plan rests on what is no longer so: the engine would make
// another one than was shown.
func (j *goalJob) stale() bool { return j.pv != nil && j.sight != j.now() }

// refused says why the plan would not be followed, or would end at its first step, and
// what to do about it.
func (j *goalJob) refused() (why []string, hint string) {
	if j.pv == nil {
		return nil, ""
	}
	if r := j.pv.Refused; r != nil {
		return []string{ui.Clean(j.c.Reason(r.Reason))}, ui.Clean(r.Reason.Args["hint"])
	}
	if j.goal.Force {
		return nil, ""
	}
	if no := j.objections(); len(no) > 0 {
		return no, j.c.T("act.put-right")
	}
	return nil, ""
}

// objections are the answers of nodes that are not a yes.
func (j *goalJob) objections() []string {
	var out []string
	for _, v := range j.pv.Verdicts {
		id := "act.says-no"
		switch v.Report.Outcome {
		case kits.OK:
			continue
		case kits.Unknown:
			id = "act.says-nothing"
		}
		step := steps.Find(j.pv.Plan, v.ID)
		if step == nil {
			step = &plan.Step{}
		}
		text := j.c.T(id, "what", steps.What(j.c, *step), "node", ui.Clean(step.Node), "why", ui.Clean(j.c.Reason(v.Report.Reason)))
		if !slices.Contains(out, text) { // a plan may ask twice, before a stop and after it
			out = append(out, text)
		}
	}
	return out
}

// overridable tells that a person's word may stand over the refusal.
func (j *goalJob) overridable() bool {
	if j.pv == nil || j.goal.Force {
		return false
	}
	if r := j.pv.Refused; r != nil {
		return r.Kind == policy.RefusedUnsafe && !beyondForce(r.Reason.Code)
	}
	return len(j.objections()) > 0
}

// beyondForce tells that nobody's word helps against a refusal: what is missing must be
// there. The plain command knows the same ones.
func beyondForce(code string) bool {
	switch code {
	case "target-not-alive", "holder-not-alive", "from-alive-unreached", "runs-twice", "child-not-in-service":
		return true
	}
	return false
}

// dual tells that the wish decides between two claims that cannot be ordered: nothing is
// to be started, but the engine takes it as a person's word that this node's is right.
func (j *goalJob) dual() bool {
	if j.pv == nil || j.pv.Refused != nil || len(j.pv.Plan.Steps) > 0 || j.goal.Kind != plan.GoalInService || j.goal.Node == "" {
		return false
	}
	for _, t := range j.c.Est.Index.Hierarchy(j.goal.Tag) {
		if r := j.c.Est.Res(t); r != nil {
			for i := range r.On {
				if r.On[i].HeldWhy.Code == "held-dual" {
					return true
				}
			}
		}
	}
	return false
}

func (j *goalJob) off() string {
	switch why, _ := j.refused(); {
	case j.pv == nil:
		return j.c.T("act.off-no-preview")
	case j.stale():
		return j.c.T("act.off-stale")
	case len(why) > 0:
		return j.c.T("act.off-refused", "why", why[0])
	case len(j.pv.Plan.Steps) == 0 && !j.dual():
		return j.c.T("act.off-nothing")
	}
	return ""
}

func (j *goalJob) word() (want, prompt string) {
	switch {
	case j.dual():
		return j.goal.Node, j.c.T("act.type-dual", "node", ui.Clean(j.goal.Node))
	case j.pv.Crosses != "":
		return j.pv.Crosses, j.atPrice(j.c.T("act.type-region", "region", ui.Clean(j.pv.Crosses)))
	case j.goal.Force:
		want = j.pv.Plan.Goal.Node
		if want == "" {
			want = string(j.goal.Tag)
		}
		return want, j.atPrice(j.c.T("act.type-forced", "word", ui.Clean(want)))
	}
	return "", ""
}

// atPrice puts what a forced plan costs before the sentence that asks for the word: it must
// stand where one types.
func (j *goalJob) atPrice(prompt string) string {
	if !j.goal.Force {
		return prompt
	}
	return strings.Join(append(j.prices(), prompt), "\n")
}

func (j *goalJob) send(typed string) func(context.Context, api.Service) (any, error) {
	cmd := api.Command{ID: j.id, Goal: j.goal}
	if j.pv.Crosses != "" {
		cmd.ConfirmRegion = typed
	}
	cmd.Goal.Node = j.pv.Plan.Goal.Node // what was shown is what is asked for
	return func(ctx context.Context, s api.Service) (any, error) { return s.Submit(ctx, cmd) }
}

func (j *goalJob) sent(x any) (op, say string) {
	return x.(*api.Submitted).Op, j.c.T("act.nothing-was-needed")
}

func (j *goalJob) extra() []ui.Action {
	if j.overridable() {
		return []ui.Action{{ID: "force", Key: "F", Help: j.c.T("act.key-force"), Off: j.c.MayAct(j.need())}}
	}
	return nil
}

func (j *goalJob) press(id string) bool {
	if id != "force" || !j.overridable() {
		return false
	}
	j.goal.Force = true
	return true
}

func (j *goalJob) command() string {
	if j.pv == nil || len(j.pv.Plan.Steps) == 0 {
		return j.wish.Command
	}
	g := j.pv.Plan.Goal
	line := "ferry " + string(g.Kind) + " " + ui.ShellWords(string(g.Tag))
	if g.Kind != plan.GoalOutOfService && g.Node != "" {
		line += " --on " + ui.ShellWords(g.Node)
	}
	if j.goal.Force {
		line += " --force"
	}
	if j.pv.Crosses != "" {
		return line + " --confirm-region " + ui.ShellWords(j.pv.Crosses)
	}
	return line + " --yes"
}
