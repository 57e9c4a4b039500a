package plan

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// move plans a start on the goal's node, from wherever the resources are.
func (b *builder) move() error {
	starts := b.g.Tags
	if len(starts) > 0 {
		starts = b.withChildren(starts)
	} else {
		starts = b.implied(b.g.Tag)
	}
	b.use(append(starts, b.standingOn(starts)...))
	for _, t := range b.x.StartOrder(starts...) {
		if b.x.Placement(t, b.g.Node) == nil {
			return &Error{Code: "plan.not-extended", Tag: t, Node: b.g.Node,
				Text: fmt.Sprintf("%s is not extended to %s, so it cannot be in service there", t, b.g.Node)}
		}
	}
	work := b.toStart(starts)
	if len(work) == 0 {
		return &Error{Code: "plan.nothing", Tag: b.g.Tag, Node: b.g.Node,
			Text: fmt.Sprintf("%s is in service on %s already", b.g.Tag, b.g.Node)}
	}
	b.sayHow()
	asked := b.fence(b.askAll(work))
	ready := append(slices.Clip(asked), b.stops(asked)...)
	ready = append(ready, b.askAgain(work, ready)...)
	claim := b.claim(work, ready)
	b.checks(work, b.starts(work, claim))
	b.untouched()
	return nil
}

// implied is what moves when a person or a failure moves one resource: what it
// needs, what stands on any of that where it is now, and what those need.
func (b *builder) implied(t hierarchy.Tag) []hierarchy.Tag {
	in := map[hierarchy.Tag]bool{}
	todo := []hierarchy.Tag{t}
	for len(todo) > 0 {
		t, todo = todo[0], todo[1:]
		if in[t] {
			continue
		}
		in[t] = true
		todo = append(todo, b.x.Children(t)...)
		at := b.v.Active(t)
		if at == "" || at == b.g.Node {
			continue // what stands on it may stay
		}
		for _, p := range b.x.Parents(t) {
			if b.v.Active(p) == at {
				todo = append(todo, p)
			}
		}
	}
	return keys(in)
}

// withChildren adds what the tags need, directly or not.
func (b *builder) withChildren(tags []hierarchy.Tag) []hierarchy.Tag {
	in := make(map[hierarchy.Tag]bool, len(tags))
	todo := append([]hierarchy.Tag(nil), tags...)
	for len(todo) > 0 {
		t := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !in[t] {
			in[t] = true
			todo = append(todo, b.x.Children(t)...)
		}
	}
	return keys(in)
}

// keys gives the set as a list; use sorts it.
func keys(in map[hierarchy.Tag]bool) []hierarchy.Tag {
	all := make([]hierarchy.Tag, 0, len(in))
	for t := range in {
		all = append(all, t)
	}
	return all
}

// standingOn is what stands on the tags where they are now. When they leave, it
// must be stopped, whether or not it is wanted on the target.
func (b *builder) standingOn(tags []hierarchy.Tag) []hierarchy.Tag {
	var all []hierarchy.Tag
	for _, t := range tags {
		at := b.v.Active(t)
		if at == "" || at == b.g.Node {
			continue
		}
		for _, p := range b.x.Ancestors(t) {
			if b.v.Active(p) == at {
				all = append(all, p)
			}
		}
	}
	return all
}

// toStart are the numbers of the wanted tags that are not yet in service on the target.
func (b *builder) toStart(wanted []hierarchy.Tag) []int {
	want := make(map[hierarchy.Tag]bool, len(wanted))
	for _, t := range wanted {
		want[t] = true
	}
	var work []int
	for i, t := range b.set {
		if !want[t] {
			continue
		}
		if b.v.Active(t) != b.g.Node || !b.v.Works(t, b.g.Node) {
			work = append(work, i)
		}
	}
	return work
}

func (b *builder) sayHow() {
	from, to := b.g.From, b.g.Node
	if from != "" && !b.x.SameRegion(from, to) {
		b.note("plan.crosses", fmt.Sprintf("this move crosses regions, from %s to %s", b.x.RegionOf(from), b.x.RegionOf(to)), "from", b.x.RegionOf(from), "to", b.x.RegionOf(to))
	}
	if b.g.FromGone {
		b.note("plan.from-gone", fmt.Sprintf("%s is not asked to stop anything", from), "node", from)
	}
	if b.g.Unfenced {
		b.note("plan.unfenced", fmt.Sprintf("unfenced: %s is not proven dead. If it still runs, both nodes may be active until it is seen again; then it is stopped", from), "node", from)
	}
	if b.g.Force {
		b.note("plan.forced", "a person overrides the refusals that can be overridden")
	}
	for _, l := range b.g.AcceptLoss {
		b.note("plan.loss-accepted", fmt.Sprintf("a person accepts that what the copy of %s on %s lacks is lost", l.Tag, to), "tag", string(l.Tag), "node", to)
	}
}

// askAll asks every resource that will start whether the target may take it. A
// person's force lets the plan go on whatever the answer is; it is asked and
// recorded all the same.
func (b *builder) askAll(work []int) []string {
	var ids []string
	for _, i := range work {
		ask := b.act(StepEligible, b.set[i], b.g.Node, nil)
		ask.Forced, ask.Loss = b.g.Force, b.loss(b.set[i])
		ids = append(ids, b.add(ask))
	}
	return ids
}

// askAgain repeats the question for kits that hold a veto, right before the point
// of no return: what was true before the stops may have changed.
func (b *builder) askAgain(work []int, after []string) []string {
	var ids []string
	for _, i := range work {
		if b.traits[i].Veto {
			ask := b.act(StepEligible, b.set[i], b.g.Node, after)
			ask.Forced, ask.Loss = b.g.Force, b.loss(b.set[i])
			ids = append(ids, b.add(ask))
		}
	}
	return ids
}

func (b *builder) fence(after []string) []string {
	if !b.g.Fence {
		return after
	}
	return append(slices.Clip(after), b.add(Step{ID: b.id(StepFence, b.g.From), Kind: StepFence, Node: b.g.From, After: after,
		Timeout: fenceTimeout, Effects: []kits.Effect{{Kind: "fence", What: b.g.From, To: "stopped"}}}))
}

// stops takes out of service what is active elsewhere, parents first. A node that
// is gone is not asked.
func (b *builder) stops(after []string) []string {
	ids := make([]string, len(b.set))
	var all []string
	for i := len(b.set) - 1; i >= 0; i-- {
		t := b.set[i]
		at := b.v.Active(t)
		if at == "" {
			at = b.g.From // nobody's claim: whatever runs there
		}
		if at == "" || at == b.g.Node || at == b.g.From && b.g.FromGone || b.x.Placement(t, at) == nil {
			continue
		}
		waits := append(append([]string(nil), after...), b.of(ids, b.x.Parents(t))...)
		st := b.act(StepStop, t, at, waits)
		// For the holder old news count as well: right after an engine began nothing has been
		// looked at yet, and what is in service must not stay stopped when the plan is taken back.
		holds := b.v.Active(t) == at
		st.Restore = holds && b.v.WasUp(t, at) || !holds && (b.v.Works(t, at) || b.v.Seen(t, at))
		ids[i] = b.add(st)
		all = append(all, ids[i])
	}
	b.restoreWhole()
	return all
}

// restoreWhole: what stands on something that was not in service itself is not
// started again when the stops are taken back: a route may still point to a node
// whose address went with its reboot.
func (b *builder) restoreWhole() {
	down := map[hierarchy.Tag]bool{}
	for i := len(b.plan.Steps) - 1; i >= 0; i-- { // the stops go from parents to children
		st := &b.plan.Steps[i]
		if st.Kind != StepStop {
			continue
		}
		st.Restore = st.Restore && !slices.ContainsFunc(b.x.Children(st.Tag), func(c hierarchy.Tag) bool { return down[c] })
		if !st.Restore {
			down[st.Tag] = true
		}
	}
}

// of picks the step ids of tags that are part of the plan.
func (b *builder) of(ids []string, tags []hierarchy.Tag) []string {
	var nums []int
	for _, t := range tags {
		if i, ok := b.in[t]; ok {
			nums = append(nums, i)
		}
	}
	return ended(ids, nums...)
}

// claim writes one number, higher than all before, for everything that starts.
func (b *builder) claim(work []int, after []string) string {
	var number uint64
	from := ""
	tags := make([]hierarchy.Tag, 0, len(work))
	for _, i := range work {
		t := b.set[i]
		tags = append(tags, t)
		number = max(number, b.v.HighestClaim(t))
		if at := b.v.Active(t); at != "" {
			from = at
		}
	}
	number++
	return b.add(Step{ID: b.id(StepClaim, ""), Kind: StepClaim, Tags: tags, Node: b.g.Node, After: after, NoReturn: true,
		Timeout: claimTimeout, Claim: number,
		Effects: []kits.Effect{{Kind: "claim", What: "claim " + strconv.FormatUint(number, 10) + " on " + string(b.g.Tag), From: from, To: b.g.Node}}})
}

// starts brings everything up, children first; what moves clients waits for every
// start that can still refuse, except those that stand on it.
func (b *builder) starts(work []int, claim string) []string {
	ids := make([]string, len(b.set))
	vetoes := b.vetoes(work)
	for _, i := range b.vetoesFirst(work, vetoes) {
		t := b.set[i]
		after := append([]string{claim}, b.of(ids, b.x.Children(t))...)
		if b.traits[i].MovesClients {
			for _, v := range vetoes {
				if ids[v] != "" && v != i {
					after = append(after, ids[v])
				}
			}
		}
		start := b.act(StepStart, t, b.g.Node, after)
		start.Forced, start.Loss = b.g.Force && b.keeps(t), b.loss(t)
		ids[i] = b.add(start)
	}
	return ids
}

// keeps tells that the kit has a say in whether its resource may be started at all, also
// beyond its eligibility: there a person's force counts, too.
func (b *builder) keeps(t hierarchy.Tag) bool {
	_, ok := b.kit(t).(kits.Keeper)
	return ok
}

// loss is the refusal of a resource that a person accepts the price of.
func (b *builder) loss(t hierarchy.Tag) string {
	if !b.keeps(t) {
		return ""
	}
	for _, l := range b.g.AcceptLoss {
		if l.Tag == t {
			return l.Code
		}
	}
	return ""
}

func (b *builder) vetoes(work []int) []int {
	var v []int
	for _, i := range work {
		if b.traits[i].Veto {
			v = append(v, i)
		}
	}
	return v
}

// vetoesFirst orders the starts so that vetoing resources and what they need come
// before the rest; both parts keep children before parents. A veto that stands on
// something that moves clients cannot come before it: the dependency wins.
func (b *builder) vetoesFirst(work, vetoes []int) []int {
	if len(vetoes) == 0 {
		return work
	}
	var roots []hierarchy.Tag
	for _, v := range vetoes {
		roots = append(roots, b.set[v])
	}
	early := map[hierarchy.Tag]bool{}
	for _, t := range b.withChildren(roots) {
		early[t] = true
	}
	var first, rest []int
	for _, i := range work {
		if early[b.set[i]] {
			first = append(first, i)
		} else {
			rest = append(rest, i)
		}
	}
	return append(first, rest...)
}

// checks looks at everything that was started, once all of it is up.
func (b *builder) checks(work []int, starts []string) {
	after := ended(starts, work...)
	for _, i := range work {
		b.add(b.act(StepCheck, b.set[i], b.g.Node, after))
	}
}
