package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// The pauses before a task is done again: after one that failed, doubled each time, and
// after one that ended well and is wanted all the same.
const (
	taskPause = 5 * time.Second
	taskMost  = time.Minute
)

// wanted is what a round asked for, and what it rests on.
type wanted struct {
	tasks  []kits.Task
	in     kits.Instance // with the record that has to be durable first
	serial uint64
	began  time.Time // of the round
}

// keepJob is the work on one node's behalf: one task at a time, and what came of it.
type keepJob struct {
	task      kits.Task
	serial    uint64 // of the record that it rests on
	cancel    context.CancelFunc
	running   bool
	unclean   bool // scripts of an earlier try, or of an earlier engine, may still run
	began     time.Time
	ended     time.Time
	notBefore time.Time
	pause     time.Duration
	tries     int
	last      kits.Reason // why the last try failed
	unit      string
}

// wants tells whether a job does what a task asks for.
func (j *keepJob) wants(t kits.Task) bool { return j.task.Name == t.Name }

// moved cuts short what was begun for an earlier source.
func (k *keeper) moved(serial uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, j := range k.tasks {
		if j.running && j.serial != serial {
			j.cancel()
		}
	}
}

// ask takes over what a round wants, and begins it as soon as the record is durable. A task
// that runs goes on to its end, unless the record has moved on and does not want it any
// more, or an urgent one is to take its place.
func (k *keeper) ask(b base, kept kits.Kept) {
	in := k.e.withRecord(b.in)
	w := &wanted{tasks: slices.Concat(kept.Tasks, k.wishes(in, kept.Tasks)), in: in, serial: k.e.records.get(k.tag).Serial, began: b.began}
	k.mu.Lock()
	k.want = w
	for node, j := range k.tasks {
		on := slices.ContainsFunc(w.tasks, func(t kits.Task) bool { return t.Node == node && j.wants(t) })
		hurry := slices.ContainsFunc(w.tasks, func(t kits.Task) bool { return t.Node == node && t.Urgent && !j.wants(t) })
		switch {
		case j.running && !on && (j.serial != w.serial || hurry && !j.task.Urgent):
			j.cancel()
		case j.running && on:
			j.serial = w.serial
		case !on && !j.running && !j.unclean:
			delete(k.tasks, node)
		case !on && !j.running:
			k.tasks[node] = &keepJob{unclean: true}
		}
	}
	begin := !k.waits && len(k.due(w, time.Now())) > 0
	k.waits = k.waits || begin
	k.mu.Unlock()
	if begin {
		k.e.spawn(k.beginWhenDurable)
	}
}

// due are the tasks that may begin now, as far as their own pauses go. mu is held.
func (k *keeper) due(w *wanted, now time.Time) []kits.Task {
	var out []kits.Task
	seen := map[string]bool{}
	for _, t := range w.tasks {
		j := k.tasks[t.Node]
		// One that failed waits, also when the record has changed, unless it is urgent; one that
		// ended well does not wait for another record's sake.
		waits := j != nil && j.wants(t) && now.Before(j.notBefore) && (j.serial == w.serial || j.tries > 0 && !t.Urgent)
		switch {
		case seen[t.Node]: // one for each node
		case j != nil && j.running:
		case j != nil && w.began.Before(j.ended): // heard before its end: the next round knows better
		case waits:
		default:
			out = append(out, t)
		}
		seen[t.Node] = true
	}
	return out
}

// beginWhenDurable begins what is due, each as soon as the record is on all other nodes.
func (k *keeper) beginWhenDurable() {
	k.mu.Lock()
	w := k.want
	due := k.due(w, time.Now())
	k.mu.Unlock()
	var wg sync.WaitGroup
	for _, t := range due {
		wg.Go(func() {
			if !k.may(w, t) {
				return
			}
			// What is about the source itself rests on its own copy, too.
			but := t.Node
			if but == w.in.Active {
				but = ""
			}
			if err := k.e.durable(k.ctx, k.tag, but); err != nil {
				if k.ctx.Err() == nil {
					k.e.log.Warn("a task waits", "resource", string(k.tag), "task", t.Name, "node", t.Node, "error", err)
				}
				return
			}
			k.start(w, t)
		})
	}
	wg.Wait()
	k.mu.Lock()
	k.waits = false
	k.mu.Unlock()
	if k.e.records.get(k.tag).Serial != w.serial {
		k.again()
	}
}

// may tells whether the task may begin now; what it says is asked again at the very
// beginning.
func (k *keeper) may(w *wanted, t kits.Task) bool {
	var err error
	if k.e.look(func() { err = k.allowed(w, t) }) != nil {
		return false
	}
	return err == nil
}

var errNotNow = errors.New("not now")

// allowed says why a task may not begin. Loop only.
func (k *keeper) allowed(w *wanted, t kits.Task) error {
	e := k.e
	running := e.world.Running(k.tag)
	switch err := e.mayKeep(k.tag, w.serial); {
	case err != nil:
		return err
	case k.ctx.Err() != nil:
		return k.ctx.Err()
	case running != nil && !t.Urgent:
		return errNotNow // an operation may be waiting for just the place that it would take
	case !e.world.Automation && !e.acted[k.tag]:
		return errNotNow // nobody asked this engine to act here
	}
	return nil
}

// start begins one task: its event is stored first, and with that this engine's right to
// begin it.
func (k *keeper) start(w *wanted, t kits.Task) {
	k.mu.Lock()
	j := k.tasks[t.Node]
	again := j != nil && j.wants(t) && j.tries > 0
	k.mu.Unlock()
	m := message{in: policy.KeepTask{Tag: k.tag, Task: t.Name, Node: t.Node, Phase: policy.TaskBegan, Why: t.Why}}
	if again {
		m.in = policy.Tick{}
	}
	m.only = func() error { return k.allowed(w, t) }
	if _, err := k.e.ask(k.ctx, m); err != nil {
		return
	}
	ctx, cancel := context.WithCancel(k.ctx)
	j = k.book(w, t, cancel)
	if k.e.records.get(k.tag).Serial != w.serial { // moved between the question and the book
		cancel()
	}
	k.e.spawn(func() { defer cancel(); k.work(ctx, w, j) })
}

// book notes that a task runs.
func (k *keeper) book(w *wanted, t kits.Task, cancel context.CancelFunc) *keepJob {
	k.mu.Lock()
	defer k.mu.Unlock()
	j := k.tasks[t.Node]
	switch {
	case j == nil:
		j = &keepJob{unclean: true}
	case !j.wants(t):
		j = &keepJob{unclean: j.unclean}
	}
	k.tasks[t.Node] = j
	j.task, j.serial, j.cancel, j.running, j.began = t, w.serial, cancel, true, time.Now()
	j.tries++
	j.unit = k.unitPrefix(t.Node) + newID()
	return j
}

// work does the task once and notes how it went.
func (k *keeper) work(ctx context.Context, w *wanted, j *keepJob) {
	rep, clean := k.try(ctx, w, j)
	cut := ctx.Err() != nil
	now := time.Now()
	k.mu.Lock()
	j.running, j.ended, j.unclean = false, now, !clean
	told := j.last
	ok := rep.Outcome == kits.OK
	switch {
	case cut:
		j.tries, j.notBefore = 0, time.Time{}
	case ok:
		j.tries, j.pause, j.notBefore, j.last = 0, 0, now.Add(taskPause), kits.Reason{}
	default:
		j.pause = min(max(2*j.pause, taskPause), taskMost)
		j.notBefore, j.last = now.Add(j.pause), rep.Reason
	}
	t, took := j.task, now.Sub(j.began)
	if ok {
		k.fulfilled(t)
	}
	k.mu.Unlock()
	said := policy.KeepTask{Tag: k.tag, Task: t.Name, Node: t.Node, Phase: policy.TaskDone, Why: rep.Reason, Took: took}
	if !ok {
		said.Phase = policy.TaskFailed
	}
	if !cut && (ok || told.Code != rep.Reason.Code || told.Text != rep.Reason.Text) {
		k.e.tell(said)
	}
	if ok || cut {
		k.again() // what it changed is to be heard, and may have more to follow
	}
}

// try carries the task out. clean tells that nothing of it can still run on a node.
func (k *keeper) try(ctx context.Context, w *wanted, j *keepJob) (rep kits.Report, clean bool) {
	k.mu.Lock()
	t, unit, unclean := j.task, j.unit, j.unclean
	k.mu.Unlock()
	limit := k.kit.Timeout(kits.ActRecover, w.in)
	ctx, cancel := context.WithTimeout(ctx, max(limit, time.Second))
	defer cancel()
	if unclean {
		if err := k.settle(ctx, w, t.Node); err != nil {
			return kits.Report{Reason: kits.Why("keep.not-settled", err.Error(), "node", t.Node)}, false
		}
	}
	var mu sync.Mutex
	hosts := map[string]kits.Host{} // one for each node: its scripts are numbered
	lock := "keep-" + k.name(t.Node)
	on := func(node string) kits.Host {
		mu.Lock()
		defer mu.Unlock()
		if hosts[node] == nil {
			hosts[node] = k.e.fleet.Acting(node, unit, lock)
		}
		return hosts[node]
	}
	rep = k.keeps().Work(ctx, on, w.in, t)
	if rep.Outcome == kits.Unknown && rep.Reason.Code == "" {
		rep.Reason = kits.Why("keep.no-answer", fmt.Sprintf("%s of %s did not say how it ended within %s", t.Name, t.Node, limit), "task", t.Name, "node", t.Node)
	}
	return rep, rep.Outcome != kits.Unknown && ctx.Err() == nil
}

// settle awaits or ends what an earlier try, also of an engine that died, left running on
// the nodes that answer. What runs on one that does not is held off by the lock when that
// is back.
func (k *keeper) settle(ctx context.Context, w *wanted, about string) error {
	errs := make(chan error, len(w.in.On))
	asked := 0
	for node := range w.in.On {
		if k.e.fleet.Trouble(node) != nil || !w.in.Reached[node] {
			continue
		}
		asked++
		go func() { errs <- k.e.fleet.Settle(ctx, node, strings.TrimSuffix(k.unitPrefix(about), "-")) }()
	}
	var bad error
	for range asked {
		if err := <-errs; err != nil {
			bad = err
		}
	}
	if bad != nil {
		return fmt.Errorf("awaiting what an earlier try left running: %w", bad)
	}
	return nil
}

// unitPrefix begins the names of the scripts of tasks about a node: a successor finds them.
func (k *keeper) unitPrefix(node string) string {
	return "ferry-" + k.e.id + "-keep-" + k.name(node) + "-"
}

// name is the resource and the node, fit for units and locks. The colon at its end keeps a
// node's name from being the beginning of another's.
func (k *keeper) name(node string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-', r == ':':
			return r
		}
		return '_'
	}, k.tag.Cluster()+":"+k.tag.Short()+":"+node+":")
	if len(name) <= 100 {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:12])
}

// units are the names under which scripts of running tasks run.
func (k *keeper) units() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []string
	for _, j := range k.tasks {
		if j.running {
			out = append(out, j.unit)
		}
	}
	return out
}

// taskStatus is what is shown of the tasks that run or are to be tried again. mu is held.
func (k *keeper) taskStatus() []api.TaskStatus {
	var out []api.TaskStatus
	for _, j := range k.tasks {
		if j.running || j.last.Code != "" {
			out = append(out, api.TaskStatus{Name: j.task.Name, Node: j.task.Node, Running: j.running, Began: j.began, Tries: j.tries, Why: j.task.Why, Failed: j.last})
		}
	}
	slices.SortFunc(out, func(a, b api.TaskStatus) int { return strings.Compare(a.Node, b.Node) })
	return out
}
