package notify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// logbook is an engine's events, marks and watchers, and no more of it.
type logbook struct {
	mu     sync.Mutex
	estate hierarchy.Estate
	events []api.Event
	marks  map[string]int64
	subs   []chan api.Update
	broken bool // marks are not stored
}

func (l *logbook) Watch(ctx context.Context, _ int64) (<-chan api.Update, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ch := make(chan api.Update, 4)
	l.subs = append(l.subs, ch)
	context.AfterFunc(ctx, func() { l.unsubscribe(ch) })
	return ch, nil
}

func (l *logbook) unsubscribe(ch chan api.Update) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.subs, ch); i >= 0 {
		l.subs = slices.Delete(l.subs, i, i+1)
		close(ch)
	}
}

func (l *logbook) Events(_ context.Context, after int64, limit int) ([]api.Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []api.Event
	for _, e := range l.events {
		if e.Seq > after {
			out = append(out, e)
		}
	}
	if limit > 0 && len(out) > limit {
		out = out[len(out)-limit:]
	}
	return out, nil
}

func (l *logbook) Snapshot(context.Context) (*api.Snapshot, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.estate
	return &api.Snapshot{Estate: &e, Engine: api.EngineInfo{ID: "e1", Who: "root@bastion (1)"}}, nil
}

func (l *logbook) Marks(context.Context) (map[string]int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.marks), nil
}

func (l *logbook) SetMark(_ context.Context, channel string, seq int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken {
		return errors.New("the disk is full")
	}
	l.marks[channel] = seq
	return nil
}

// breaks lets marks be stored no more, or again.
func (l *logbook) breaks(broken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = broken
}

func (l *logbook) Announce(_ context.Context, e policy.Event) error {
	e.At = time.Now()
	l.add(e)
	return nil
}

// add logs an event; a watcher that does not keep up is dropped, as an engine does.
func (l *logbook) add(e policy.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.At.IsZero() {
		e.At = time.Now()
	}
	ev := api.Event{Seq: int64(len(l.events) + 1), Event: e}
	l.events = append(l.events, ev)
	for _, ch := range slices.Clone(l.subs) {
		select {
		case ch <- api.Update{Event: &ev}:
		default:
			l.subs = slices.Delete(l.subs, slices.Index(l.subs, ch), slices.Index(l.subs, ch)+1)
			close(ch)
		}
	}
}

func (l *logbook) define(channels ...hierarchy.Notify) {
	l.mu.Lock()
	l.estate = hierarchy.Estate{Name: "two", Notify: channels}
	l.mu.Unlock()
	l.add(policy.Event{Kind: "definition", Severity: "info", Reason: policy.Say("defined", "by", "ann")})
}

func node(name, verdict, severity string) policy.Event {
	return policy.Event{Kind: "node", Severity: severity, Node: name, Reason: policy.Say("node-"+verdict, "node", name)}
}

// inbox is the other end of an SNS channel: what arrived, by topic.
type inbox struct {
	mu    sync.Mutex
	got   map[string][]string
	tries int
	fail  func(topic, text string) bool
	slow  time.Duration
}

func (i *inbox) Publish(ctx context.Context, topic, _, _, _, text string) error {
	select {
	case <-time.After(i.slow):
	case <-ctx.Done():
		return ctx.Err()
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.tries++
	if i.fail != nil && i.fail(topic, text) {
		return errors.New("the topic is away")
	}
	_, text, _ = strings.Cut(text, "\n\n")
	i.got[topic] = append(i.got[topic], text)
	return nil
}

func (i *inbox) tried() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.tries
}

func (i *inbox) of(topic string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return strings.Join(i.got[topic], "\n")
}

func sns(name string, kinds ...string) hierarchy.Notify {
	return hierarchy.Notify{Name: name, Channel: hierarchy.NotifySNS, Topic: name, Events: kinds}
}

// run is a test of a Notifier in virtual time; stop ends it as an engine does.
func bubble(t *testing.T, f func(l *logbook, in *inbox, start func() (n *Notifier, stop func()))) {
	synctest.Test(t, func(t *testing.T) {
		l := &logbook{marks: map[string]int64{}}
		in := &inbox{got: map[string][]string{}}
		start := func() (*Notifier, func()) {
			ctx, cancel := context.WithCancel(t.Context())
			n, done := New(l, Options{SNS: in}), make(chan error, 1)
			go func() { done <- n.Run(ctx) }()
			synctest.Wait()
			return n, func() {
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
		}
		f(l, in, start)
	})
}

func TestOnlyWhatWasAskedForArrivesInOrder(t *testing.T) {
	bubble(t, func(l *logbook, in *inbox, start func() (*Notifier, func())) {
		bad := sns("bad")
		bad.Severity = "error"
		l.define(sns("nodes", "node"), bad)
		l.add(node("A", "dead", "error")) // before there was anybody to tell
		_, stop := start()
		defer stop()
		for i := range 40 { // more than a watcher may fall behind
			l.add(node(fmt.Sprint("N", i), "alive", "info"))
		}
		l.add(policy.Event{Kind: "hold", Severity: "error", Reason: policy.Say("hold-none", "scope", "x")})
		time.Sleep(time.Minute)
		if got := strings.Split(in.of("nodes"), "\n"); len(got) != 40 || got[0] != "N0 is alive." || got[39] != "N39 is alive." {
			t.Errorf("nodes were told %q", got)
		}
		if got := in.of("bad"); got != "There is no hold on x." {
			t.Errorf("bad was told %q", got)
		}
	})
}

func TestAFailingChannelIsTriedGivenUpAndSaidOnce(t *testing.T) {
	bubble(t, func(l *logbook, in *inbox, start func() (*Notifier, func())) {
		var back atomic.Bool
		in.fail = func(topic, _ string) bool { return topic == "ops" && !back.Load() }
		l.define(sns("ops", "node", "notification"), sns("boss", "notification"))
		n, stop := start()
		defer stop()
		l.add(node("A", "dead", "error"))
		time.Sleep(61 * time.Second)
		if n := in.tried(); n != MaxTries-1 {
			t.Errorf("%d tries within a minute, want %d", n, MaxTries-1)
		}
		time.Sleep(2 * time.Second)
		l.add(node("B", "dead", "error"))
		time.Sleep(10 * time.Minute)
		if got := in.of("boss"); got != "Notifications over ops do not arrive, and one was given up: the topic is away." {
			t.Errorf("the boss was told %q", got)
		}
		back.Store(true)
		l.add(node("A", "alive", "info"))
		time.Sleep(time.Minute)
		if got := in.of("ops"); got != "A is alive." {
			t.Errorf("ops was told %q", got)
		}
		if got := in.of("boss"); !strings.HasSuffix(got, "\nNotifications over ops arrive again.") || strings.Count(got, "\n") != 1 {
			t.Errorf("the boss was told %q", got)
		}
		c := n.Counts()["ops"]
		if c.Sent != 1 || c.Failed != 2*MaxTries || c.Dropped["gave-up"] != 2 {
			t.Errorf("counted %+v", c)
		}
	})
}

func TestAFullQueueHoldsNobodyUp(t *testing.T) {
	bubble(t, func(l *logbook, in *inbox, start func() (*Notifier, func())) {
		in.slow = 5 * time.Second
		l.define(sns("slow", "node"), sns("boss", "notification"))
		n, stop := start()
		defer stop()
		began := time.Now()
		for i := range QueueLength + 100 {
			l.add(node(fmt.Sprint("N", i), "alive", "info"))
			synctest.Wait()
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("the engine waited %s", took)
		}
		time.Sleep(time.Hour)
		lost := n.Counts()["slow"].Dropped["queue-full"]
		if lost < 98 || lost > 100 || n.Counts()["slow"].Sent != uint64(QueueLength+100)-lost {
			t.Errorf("counted %+v", n.Counts()["slow"])
		}
		if got := in.of("boss"); !strings.Contains(got, fmt.Sprint(lost)+" notifications over slow were given up") {
			t.Errorf("the boss was told %q", got)
		}
	})
}

// TestRestarts: every event arrives once, wherever an engine ended, but for one that was
// under way.
func TestRestarts(t *testing.T) {
	bubble(t, func(l *logbook, in *inbox, start func() (*Notifier, func())) {
		in.slow = 300 * time.Millisecond
		l.define(sns("ops", "node"))
		_, stop := start() // the channel is new: it begins here
		stop()
		var want []string
		for i := range 60 {
			l.add(node(fmt.Sprint("N", i), "alive", "info"))
			want = append(want, fmt.Sprintf("N%d is alive.", i))
			if i%7 == 3 {
				_, stop := start()
				time.Sleep(time.Duration(i) * 97 * time.Millisecond)
				stop()
			}
		}
		_, stop = start()
		time.Sleep(5 * time.Minute)
		stop()
		if got := in.of("ops"); got != strings.Join(want, "\n") {
			t.Errorf("told:\n%s", got)
		}
		time.Sleep(2 * time.Hour)
		l.add(node("late", "dead", "error"))
		time.Sleep(2 * time.Hour)
		n, stop := start()
		time.Sleep(time.Minute)
		stop()
		if got := in.of("ops"); strings.Contains(got, "late") || n.Counts()["ops"].Dropped["too-old"] != 1 {
			t.Errorf("what is two hours old was told: %+v", n.Counts())
		}
	})
}

// TestAMarkThatIsNotStoredMeansAgain: at least once, and with the same id.
func TestAMarkThatIsNotStoredMeansAgain(t *testing.T) {
	bubble(t, func(l *logbook, in *inbox, start func() (*Notifier, func())) {
		l.define(sns("ops", "node"))
		_, stop := start()
		l.breaks(true)
		l.add(node("A", "dead", "error"))
		time.Sleep(time.Minute)
		stop()
		l.breaks(false)
		_, stop = start()
		time.Sleep(time.Minute)
		stop()
		if got := in.of("ops"); got != "A is dead.\nA is dead." {
			t.Errorf("told %q", got)
		}
	})
}

func TestANewDefinitionCountsAtOnce(t *testing.T) {
	bubble(t, func(l *logbook, in *inbox, start func() (*Notifier, func())) {
		in.fail = func(topic, _ string) bool { return topic == "wrong" }
		wrong := sns("ops", "node")
		wrong.Topic = "wrong"
		l.define(wrong)
		_, stop := start()
		defer stop()
		l.add(node("A", "dead", "error"))
		time.Sleep(3 * time.Second)
		l.define(sns("ops", "node"), sns("more", "node"))
		time.Sleep(time.Minute)
		if got := in.of("ops"); got != "A is dead." {
			t.Errorf("what waited for the channel that was put right: %q", got)
		}
		l.define()
		l.add(node("B", "dead", "error"))
		time.Sleep(time.Minute)
		if in.of("ops") != "A is dead." || in.of("more") != "" {
			t.Errorf("told %q and %q", in.of("ops"), in.of("more"))
		}
	})
}

func TestWhoLeadsNoLongerSaysSoAndIsQuiet(t *testing.T) {
	bubble(t, func(l *logbook, in *inbox, start func() (*Notifier, func())) {
		l.define(sns("ops"))
		_, stop := start()
		defer stop()
		l.add(policy.Event{Kind: "engine", Severity: "error", Reason: kits.Why("lead.lost", "no longer leading")})
		l.add(node("A", "dead", "error"))
		time.Sleep(time.Minute)
		if got := in.of("ops"); got != "no longer leading" {
			t.Errorf("told %q", got)
		}
	})
}

func TestClassify(t *testing.T) {
	op := func(code, goal, severity string) policy.Event {
		return policy.Event{Kind: "operation", Severity: severity, Reason: kits.Why(code, "", "goal", goal)}
	}
	behind := kits.Why("datakeeper.leg-out", "out")
	data := kits.Why("state-ISU", "impaired")
	data.Because = &behind
	for _, c := range []struct {
		e              policy.Event
		kind, severity string
	}{
		{op("op-began-failover", "", "info"), "failover", "warning"},
		{op("op-done", "failover", "info"), "failover", "warning"},
		{op("op-failed", "failover", "error"), "failover", "error"},
		{op("op-began-in-service", "", "info"), "switchover", "info"},
		{op("op-rolled-back", "out-of-service", "error"), "switchover", "error"},
		{op("op-began-recover", "", "info"), "failure", "info"},
		{op("op-began-adopt", "", "info"), "", ""},
		{policy.Event{Kind: "question", Severity: "warning", Reason: policy.Say("question-asked")}, "confirmation", "warning"},
		{policy.Event{Kind: "state", Severity: "error", Reason: kits.Why("state-OSF", "")}, "failure", "error"},
		{policy.Event{Kind: "state", Severity: "info", Reason: kits.Why("state-ISP", "")}, "", ""},
		{policy.Event{Kind: "state", Severity: "warning", Reason: data}, "data", "warning"},
		{policy.Event{Kind: "state", Severity: "warning", Reason: kits.Why("keep-forced", "")}, "data", "warning"},
		{policy.Event{Kind: "engine", Reason: kits.Why("engine-started", "")}, "engine", "info"},
		{policy.Event{Kind: "something new", Severity: "error"}, "", ""},
	} {
		kind, severity, _ := Classify(api.Event{Event: c.e}, []string{"datakeeper"})
		if kind != c.kind || severity != c.severity {
			t.Errorf("%s %s: %q %q, want %q %q", c.e.Kind, c.e.Reason.Code, kind, severity, c.kind, c.severity)
		}
	}
}

func TestTest(t *testing.T) {
	in := &inbox{got: map[string][]string{}, fail: func(topic, _ string) bool { return topic == "b" }}
	b := sns("b")
	s := &api.Snapshot{Estate: &hierarchy.Estate{Name: "two", Notify: []hierarchy.Notify{sns("a"), b}}}
	all, known := Test(t.Context(), s, "", Options{SNS: in})
	if !known || len(all) != 2 || !all[0].OK || all[1].OK || all[1].Error != "the topic is away" || in.tried() != 2 {
		t.Errorf("got %+v after %d tries", all, in.tries)
	}
	if in.of("a") != word("en", "test") {
		t.Errorf("sent %q", in.of("a"))
	}
	if _, known := Test(t.Context(), s, "c", Options{SNS: in}); known {
		t.Error("c is known")
	}
}
