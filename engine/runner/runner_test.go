package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// node is a toy outside world: what runs where. Steps start and stop names on it.
type node struct {
	mu      sync.Mutex
	running map[string]bool // "ip@A"
	says    map[string][]kits.Outcome
	reboots map[string]int // the node goes down and comes back this often in the middle of the step
	log     []string
	settled []string
}

var errDied = errors.New("the engine died")

func (n *node) Do(_ context.Context, _ string, s plan.Step, attempt int) kits.Report {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.Kind == plan.StepCheck { // a look
		if !n.running[string(s.Tag)+"@"+s.Node] {
			return kits.Report{Outcome: kits.Failed}
		}
		return kits.Report{Outcome: kits.OK}
	}
	n.log = append(n.log, fmt.Sprintf("%s#%d", s.ID, attempt))
	if n.reboots[s.ID] > 0 {
		n.reboots[s.ID]--
		clear(n.running)
		return kits.Report{Reason: kits.Why("test", "connection lost")}
	}
	out := kits.OK
	if q := n.says[s.ID]; len(q) > 0 {
		out, n.says[s.ID] = q[0], q[1:]
	}
	if out == kits.OK {
		switch s.Kind {
		case plan.StepStart:
			n.running[string(s.Tag)+"@"+s.Node] = true
		case plan.StepStop:
			delete(n.running, string(s.Tag)+"@"+s.Node)
		}
	}
	return kits.Report{Outcome: out, Reason: kits.Why("test", "as told")}
}

func (n *node) Settle(_ context.Context, _ string, s plan.Step, attempt int) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.settled = append(n.settled, fmt.Sprintf("%s#%d", s.ID, attempt))
	return nil
}

func (n *node) where() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []string
	for k := range n.running {
		all = append(all, k)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// book keeps the journal; after die records it refuses, before or after writing.
type book struct {
	mu      sync.Mutex
	last    *Journal
	ended   *policy.OpEnded
	records int
	dieAt   int  // 0 = never
	written bool // the fatal record was still written
}

func (b *book) Record(_ context.Context, j *Journal, in policy.Input) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.records++
	dead := b.dieAt > 0 && b.records >= b.dieAt
	if dead && (b.records > b.dieAt || !b.written) {
		return errDied
	}
	b.last = j
	if e, ok := in.(policy.OpEnded); ok {
		b.ended = &e
	}
	if dead {
		return errDied
	}
	return nil
}

// switchover is app over ip from A to B: eligible, stop app, stop ip, claim, start ip, start app.
func switchover() *policy.Op {
	steps := []plan.Step{
		{ID: "1-eligible", Kind: plan.StepEligible, Node: "B"},
		{ID: "2-stop-app", Kind: plan.StepStop, Tag: "c/app", Node: "A", Restore: true, After: []string{"1-eligible"}},
		{ID: "3-stop-ip", Kind: plan.StepStop, Tag: "c/ip", Node: "A", Restore: true, After: []string{"2-stop-app"}},
		{ID: "4-claim", Kind: plan.StepClaim, Node: "B", After: []string{"3-stop-ip"}, NoReturn: true},
		{ID: "5-start-ip", Kind: plan.StepStart, Tag: "c/ip", Node: "B", After: []string{"4-claim"}},
		{ID: "6-start-app", Kind: plan.StepStart, Tag: "c/app", Node: "B", After: []string{"5-start-ip"}},
	}
	return &policy.Op{ID: "op1", Plan: plan.Plan{Steps: steps}}
}

func newNode() *node {
	return &node{running: map[string]bool{"c/app@A": true, "c/ip@A": true}, says: map[string][]kits.Outcome{}}
}

func run(t *testing.T, n *node, b *book, j *Journal) error {
	t.Helper()
	return New(n, b, plan.Undo).Run(t.Context(), switchover(), j)
}

const onA, onB = "c/app@A c/ip@A", "c/app@B c/ip@B"

func TestPlanRunsInOrder(t *testing.T) {
	n, b := newNode(), &book{}
	if err := run(t, n, b, nil); err != nil {
		t.Fatal(err)
	}
	if b.ended.Outcome != policy.OpDone || n.where() != onB {
		t.Fatalf("ended %v with %s running", b.ended, n.where())
	}
	want := "1-eligible#1 2-stop-app#1 3-stop-ip#1 4-claim#1 5-start-ip#1 6-start-app#1"
	if got := strings.Join(n.log, " "); got != want {
		t.Fatalf("steps\n got %s\nwant %s", got, want)
	}
}

func TestBeforeTheReturnAFailureIsTakenBack(t *testing.T) {
	for _, step := range []string{"2-stop-app", "3-stop-ip"} {
		for _, how := range []kits.Outcome{kits.Failed, kits.Unknown} {
			n, b := newNode(), &book{}
			n.says[step] = []kits.Outcome{how}
			if err := run(t, n, b, nil); err != nil {
				t.Fatal(err)
			}
			if b.ended.Outcome != policy.OpRolledBack || n.where() != onA {
				t.Errorf("%s %s: ended %s with %s running", step, how, b.ended.Outcome, n.where())
			}
			if !strings.Contains(b.ended.Reason.Text, "on A") {
				t.Errorf("%s %s: the reason does not name the node: %q", step, how, b.ended.Reason.Text)
			}
		}
	}
}

func TestARefusedTargetChangesNothing(t *testing.T) {
	n, b := newNode(), &book{}
	n.says["1-eligible"] = []kits.Outcome{kits.Unknown}
	if err := run(t, n, b, nil); err != nil {
		t.Fatal(err)
	}
	if b.ended.Outcome != policy.OpRolledBack || len(n.log) != 1 {
		t.Fatalf("ended %s after %v", b.ended.Outcome, n.log)
	}
}

func TestBeyondTheReturnUnknownIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, b := newNode(), &book{}
		n.says["5-start-ip"] = []kits.Outcome{kits.Unknown, kits.Unknown}
		began := time.Now()
		if err := run(t, n, b, nil); err != nil {
			t.Fatal(err)
		}
		if b.ended.Outcome != policy.OpDone || n.where() != onB {
			t.Fatalf("ended %v with %s", b.ended, n.where())
		}
		if d := time.Since(began); d != 3*time.Second {
			t.Errorf("paused %s, want 1s + 2s", d)
		}
	})
}

// A node that reboots in the middle of a start has lost what was started before it:
// that is started again first, however often it takes.
func TestWhatARebootTookIsStartedAgainFirst(t *testing.T) {
	for times := 1; times <= 3; times++ {
		synctest.Test(t, func(t *testing.T) {
			n, b := newNode(), &book{}
			n.reboots = map[string]int{"6-start-app": times}
			if err := run(t, n, b, nil); err != nil {
				t.Fatal(err)
			}
			if b.ended.Outcome != policy.OpDone || n.where() != onB {
				t.Fatalf("ended %v with %s", b.ended, n.where())
			}
			want := "5-start-ip#1 6-start-app#1"
			for i := range times {
				want += fmt.Sprintf(" 5-start-ip#%d 6-start-app#%d", i+2, i+2)
			}
			if got := strings.Join(n.log[4:], " "); got != want {
				t.Errorf("steps\n got %s\nwant %s", got, want)
			}
		})
	}
}

// The same when the engine died meanwhile, too.
func TestWhatARebootTookIsStartedAgainByTheNextEngine(t *testing.T) {
	n, b := newNode(), &book{}
	done := Entry{Status: plan.Done, Attempt: 1}
	j := &Journal{Op: "op1", Steps: map[string]Entry{
		"1-eligible": done, "2-stop-app": done, "3-stop-ip": done, "4-claim": done, "5-start-ip": done,
		"6-start-app": {Status: plan.Running, Attempt: 1},
	}}
	n.running = map[string]bool{}
	synctest.Test(t, func(t *testing.T) {
		if err := run(t, n, b, j); err != nil {
			t.Fatal(err)
		}
	})
	if got := strings.Join(n.log, " "); got != "5-start-ip#2 6-start-app#2" || n.where() != onB {
		t.Errorf("did %q, running %q", got, n.where())
	}
}

// The same when the last thing that is known is that everything went well: between two
// starts an engine died, or the node waited long for something else.
func TestWhatARebootTookBetweenTwoStartsIsStartedAgain(t *testing.T) {
	for _, c := range []struct {
		ago  time.Duration
		runs map[string]bool
		want string
	}{
		{time.Minute, map[string]bool{}, "5-start-ip#2 6-start-app#1"},
		{time.Minute, map[string]bool{"c/ip@B": true}, "6-start-app#1"},
		{time.Second, map[string]bool{"c/ip@B": true}, "6-start-app#1"},
	} {
		synctest.Test(t, func(t *testing.T) {
			n, b := newNode(), &book{}
			n.running = c.runs
			done := Entry{Status: plan.Done, Attempt: 1, Ended: time.Now().Add(-c.ago)}
			j := &Journal{Op: "op1", Steps: map[string]Entry{"1-eligible": done, "2-stop-app": done, "3-stop-ip": done, "4-claim": done, "5-start-ip": done}}
			if err := run(t, n, b, j); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(n.log, " "); got != c.want || n.where() != onB {
				t.Errorf("%v ago: did %q, want %q; running %q", c.ago, got, c.want, n.where())
			}
		})
	}
}

// An unclear start over what still runs is repeated alone.
func TestWhatStillRunsIsNotStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, b := newNode(), &book{}
		n.says["6-start-app"] = []kits.Outcome{kits.Unknown}
		if err := run(t, n, b, nil); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(n.log[4:], " "); got != "5-start-ip#1 6-start-app#1 6-start-app#2" {
			t.Errorf("did %q", got)
		}
	})
}

func TestBeyondTheReturnFailureEndsForward(t *testing.T) {
	n, b := newNode(), &book{}
	n.says["6-start-app"] = []kits.Outcome{kits.Failed}
	if err := run(t, n, b, nil); err != nil {
		t.Fatal(err)
	}
	if b.ended.Outcome != policy.OpFailed || n.where() != "c/ip@B" {
		t.Fatalf("ended %v with %s", b.ended, n.where())
	}
}

// TestEngineKilledAtEveryRecord kills the engine at every write to the journal,
// once before and once after it was written, and lets the next one go on.
func TestEngineKilledAtEveryRecord(t *testing.T) {
	for _, failing := range []string{"", "3-stop-ip"} {
		total := 13
		for at := 1; at <= total; at++ {
			for _, written := range []bool{false, true} {
				name := fmt.Sprintf("fail=%s/record=%d/written=%v", failing, at, written)
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { killAt(t, failing, at, written) })
				})
			}
		}
	}
}

func killAt(t *testing.T, failing string, at int, written bool) {
	n, b := newNode(), &book{dieAt: at, written: written}
	if failing != "" {
		n.says[failing] = []kits.Outcome{kits.Failed}
	}
	err := run(t, n, b, nil)
	if err == nil && b.ended == nil {
		t.Fatal("neither ended nor died")
	}
	if b.ended == nil {
		next := &book{last: b.last}
		if err := run(t, n, next, next.last); err != nil {
			t.Fatal(err)
		}
		b = next
	}
	switch {
	case b.ended == nil:
		t.Fatal("the next engine did not end the operation")
	case b.ended.Outcome == policy.OpDone && n.where() == onB:
	case b.ended.Outcome == policy.OpRolledBack && n.where() == onA:
	default:
		t.Fatalf("ended %s with %q running; log %v", b.ended.Outcome, n.where(), n.log)
	}
	once := map[string]bool{}
	for _, l := range n.log {
		if once[l] {
			t.Errorf("%s was done twice under one name", l)
		}
		once[l] = true
	}
}

func TestOrphansAreSettledBeforeARepeat(t *testing.T) {
	n, b := newNode(), &book{}
	j := &Journal{Op: "op1", Steps: map[string]Entry{
		"1-eligible": {Status: plan.Done, Attempt: 1}, "2-stop-app": {Status: plan.Done, Attempt: 1},
		"3-stop-ip": {Status: plan.Done, Attempt: 1}, "4-claim": {Status: plan.Done, Attempt: 1},
		"5-start-ip": {Status: plan.Running, Attempt: 2},
	}}
	n.running = map[string]bool{}
	if err := run(t, n, b, j); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(n.settled, " "); got != "5-start-ip#2" {
		t.Errorf("settled %q", got)
	}
	if got := strings.Join(n.log, " "); got != "5-start-ip#3 6-start-app#1" {
		t.Errorf("did %q", got)
	}
}
