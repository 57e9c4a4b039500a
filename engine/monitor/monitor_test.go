package monitor

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

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/sshexec/wire"
)

// nodes is a Prober: nodes that answer as told. Waiting is virtual.
type nodes struct {
	mu     sync.Mutex
	gone   map[string]bool // answers nothing until the deadline
	gaps   map[string]bool // its peers do not answer it
	slow   map[string]time.Duration
	pulses map[string]int
	asked  map[string][]time.Duration // when the comm paths were probed
	batch  map[string]int             // how many batches were under way at once, at most
	going  map[string]int
	// largest is the largest batch so far.
	largest int
	start   time.Time
}

func newNodes() *nodes {
	return &nodes{gone: map[string]bool{}, gaps: map[string]bool{}, slow: map[string]time.Duration{}, pulses: map[string]int{},
		asked: map[string][]time.Duration{}, batch: map[string]int{}, going: map[string]int{}, start: time.Now()}
}

func (n *nodes) set(node string, gone bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gone[node] = gone
}

func (n *nodes) is(node string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.gone[node]
}

func (n *nodes) Pulse(ctx context.Context, node string) (path, function bool) {
	n.mu.Lock()
	n.pulses[node]++
	n.mu.Unlock()
	if n.is(node) {
		<-ctx.Done()
		return false, false
	}
	return true, true
}

func (n *nodes) Peers(ctx context.Context, node string, paths []Path) (map[string]map[string]kits.Outcome, error) {
	n.mu.Lock()
	n.asked[node] = append(n.asked[node], time.Since(n.start))
	gap := n.gaps[node]
	n.mu.Unlock()
	if n.is(node) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	out := map[string]map[string]kits.Outcome{}
	for _, p := range paths {
		o := kits.OK
		if gap {
			o = kits.Failed
		}
		out[p.Peer] = map[string]kits.Outcome{p.Name: o}
	}
	return out, nil
}

// Batch answers each script after its own time, or when the deadline ends it.
func (n *nodes) Batch(ctx context.Context, node string, scripts map[string]kits.Script, each func(string, kits.Result, error)) {
	n.mu.Lock()
	n.going[node]++
	n.batch[node] = max(n.batch[node], n.going[node])
	n.largest = max(n.largest, len(scripts))
	n.mu.Unlock()
	defer func() { n.mu.Lock(); n.going[node]--; n.mu.Unlock() }()
	type answer struct {
		key string
		err error
	}
	answers := make(chan answer)
	for key := range scripts {
		go func() {
			t := time.NewTimer(n.slow[key])
			defer t.Stop()
			select {
			case <-t.C:
				answers <- answer{key: key}
			case <-ctx.Done():
				answers <- answer{key, ctx.Err()}
			}
		}()
	}
	for range scripts {
		a := <-answers
		each(a.key, kits.Result{}, a.err)
	}
}

func (n *nodes) Host(string) kits.Host { return nil }

// notes is a Sink that writes down what it is told, with the virtual time.
type notes struct {
	start time.Time
	kits  map[string]string // resource → kit
	mu    sync.Mutex
	lines []string
	began map[string]time.Time
}

func (s *notes) note(format string, a ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, time.Since(s.start).String()+" "+fmt.Sprintf(format, a...))
}

func (s *notes) Observe(in policy.Input) {
	b := in.(policy.Beat)
	if b.Peers != nil {
		s.note("peers %s", b.Node)
		return
	}
	s.note("beat %s %v", b.Node, b.Function)
}

func (s *notes) ObserveCheck(c policy.Checked, began time.Time) {
	s.note("check %s %s", c.Ref.Tag, c.Report.Outcome)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began[string(c.Ref.Tag)] = began
}

func (s *notes) Due(node string, only []hierarchy.Ref) []kits.Instance {
	var out []kits.Instance
	for tag, kit := range s.kits {
		if only == nil || slices.Contains(only, hierarchy.Ref{Tag: hierarchy.Tag(tag), Node: node}) {
			out = append(out, kits.Instance{Tag: tag, Kit: kit, Node: kits.Node{Name: node}})
		}
	}
	return out
}

// all are the notes so far that contain every word, without their times when bare.
func (s *notes) all(words ...string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, l := range s.lines {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(l, w) }) {
			out = append(out, l)
		}
	}
	return out
}

// times are when such a note was taken.
func (s *notes) times(t *testing.T, words ...string) []time.Duration {
	t.Helper()
	var out []time.Duration
	for _, l := range s.all(words...) {
		at, err := time.ParseDuration(strings.Fields(l)[0])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, at)
	}
	return out
}

// kit is a kit of which only the check is asked.
type kit struct {
	kits.Kit
	name   string
	limit  time.Duration
	blocks bool
}

func (k kit) Name() string                                     { return k.name }
func (k kit) Timeout(kits.Action, kits.Instance) time.Duration { return k.limit }
func (k kit) Check(ctx context.Context, _ kits.Host, _ kits.Instance) kits.Report {
	if k.blocks {
		<-ctx.Done()
		return kits.Report{Outcome: kits.Unknown}
	}
	return kits.Report{Outcome: kits.OK}
}

// scripted is one whose checks travel together.
type scripted struct{ kit }

func (scripted) CheckScript(in kits.Instance) kits.Script { return kits.Script{Name: in.Tag} }
func (scripted) JudgeCheck(_ kits.Instance, _ kits.Result, err error) kits.Report {
	if err != nil {
		return kits.Report{Outcome: kits.Unknown}
	}
	return kits.Report{Outcome: kits.OK}
}

// watch runs f in a bubble with a monitor over these nodes and resources.
func watch(t *testing.T, resources map[string]string, f func(*testing.T, *Monitor, *nodes, *notes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNodes()
		s := &notes{start: time.Now(), kits: resources, began: map[string]time.Time{}}
		m := New(n, kits.Registry{
			"script": scripted{kit{name: "script", limit: 20 * time.Second}},
			"api":    kit{name: "api", limit: 10 * time.Second},
			"stuck":  kit{name: "stuck", limit: 10 * time.Second, blocks: true},
		}, s)
		defer m.Close()
		f(t, m, n, s)
	})
}

func task(node string, peers ...string) NodeTask {
	t := NodeTask{Node: node, BeatEvery: 2 * time.Second, CheckEvery: time.Minute}
	for _, p := range peers {
		t.Paths = append(t.Paths, Path{Peer: p, Name: "default", To: p})
	}
	return t
}

func seconds(s ...float64) []time.Duration {
	var out []time.Duration
	for _, x := range s {
		out = append(out, time.Duration(x*float64(time.Second)))
	}
	return out
}

func TestBeatsComeOnTime(t *testing.T) {
	watch(t, nil, func(t *testing.T, m *Monitor, n *nodes, s *notes) {
		m.Define(t.Context(), []NodeTask{task("a")})
		time.Sleep(9 * time.Second)
		if got, want := s.times(t, "beat a true"), seconds(0, 2, 4, 6, 8); !slices.Equal(got, want) {
			t.Errorf("beats at %v, want %v", got, want)
		}
	})
}

// A lost node is reported at each beat's own deadline, not at the sum of them.
func TestLostNodeIsReportedBeatByBeat(t *testing.T) {
	watch(t, nil, func(t *testing.T, m *Monitor, n *nodes, s *notes) {
		m.Define(t.Context(), []NodeTask{task("a"), task("b")})
		time.Sleep(3 * time.Second)
		n.set("a", true)
		time.Sleep(9 * time.Second)
		if got, want := s.times(t, "beat a false"), seconds(6, 8, 10, 12); !slices.Equal(got, want[:len(got)]) || len(got) < 3 {
			t.Errorf("missed beats at %v, want %v", got, want)
		}
		if got := s.times(t, "beat b true"); !slices.Equal(got, seconds(0, 2, 4, 6, 8, 10, 12)[:len(got)]) || len(got) < 6 {
			t.Errorf("the other node's beats at %v", got)
		}
	})
}

// The first missed beat has the others asked about their paths at once, and at every
// beat from then on; in calm they are asked every five seconds.
func TestAlarmQuickensTheQuestionAboutPeers(t *testing.T) {
	watch(t, nil, func(t *testing.T, m *Monitor, n *nodes, s *notes) {
		m.Define(t.Context(), []NodeTask{task("a", "b"), task("b", "a")})
		time.Sleep(13 * time.Second)
		if got, want := s.times(t, "peers b"), seconds(0, 6, 12); !slices.Equal(got, want) {
			t.Errorf("in calm at %v, want %v", got, want)
		}
		n.set("a", true)
		time.Sleep(10 * time.Second) // a's beat of 14 s is missed at 16 s
		got := s.times(t, "peers b")[3:]
		if len(got) < 4 || got[0] != 16*time.Second {
			t.Fatalf("after the alarm at %v, want at once at 16s and at every beat", got)
		}
		for i := 1; i < len(got); i++ {
			if d := got[i] - got[i-1]; d > 2*time.Second {
				t.Errorf("%s between two questions: %v", d, got)
			}
		}
		n.set("a", false)
		time.Sleep(time.Minute)
		late := s.times(t, "peers b")
		if a, b := late[len(late)-2], late[len(late)-1]; b-a < 5*time.Second {
			t.Errorf("still hurried a minute after: %v", late)
		}
	})
}

// A node whose own paths do not answer goes on looking at every beat.
func TestGapsQuickenTheQuestion(t *testing.T) {
	watch(t, nil, func(t *testing.T, m *Monitor, n *nodes, s *notes) {
		n.gaps["a"] = true
		m.Define(t.Context(), []NodeTask{task("a", "b"), task("b", "a")})
		time.Sleep(11 * time.Second)
		if got := s.times(t, "peers a"); len(got) < 5 {
			t.Errorf("asked at %v, want at every beat", got)
		}
	})
}

// A node that does not answer is never asked more than three times at once.
func TestUnansweredQuestionsAreBounded(t *testing.T) {
	watch(t, nil, func(t *testing.T, m *Monitor, n *nodes, s *notes) {
		n.set("a", true)
		n.set("b", true)
		m.Define(t.Context(), []NodeTask{task("a", "b"), task("b", "a")})
		time.Sleep(time.Minute)
		n.mu.Lock()
		defer n.mu.Unlock()
		var open int
		for _, at := range n.asked["a"] {
			if time.Since(n.start)-at < 2*time.Second+peerGrace {
				open++
			}
		}
		if open > 3 || len(n.asked["a"]) == 0 {
			t.Errorf("%d questions under way, of %d", open, len(n.asked["a"]))
		}
	})
}

// Every check is reported when its own answer is there, whatever the others of the
// same round trip and the calls to an API do.
func TestHungCheckDelaysNobody(t *testing.T) {
	watch(t, map[string]string{"c/quick": "script", "c/slow": "script", "c/hung": "script", "c/api": "api", "c/deaf": "stuck"}, func(t *testing.T, m *Monitor, n *nodes, s *notes) {
		n.slow["c/slow"], n.slow["c/hung"] = 3*time.Second, time.Hour
		m.Define(t.Context(), []NodeTask{task("a")})
		time.Sleep(50 * time.Second)
		for check, at := range map[string]float64{"c/quick ok": 0, "c/api ok": 0, "c/slow ok": 3, "c/deaf unknown": 10, "c/hung unknown": 25} {
			if got := s.times(t, "check "+check); !slices.Equal(got, seconds(at)) {
				t.Errorf("%s reported at %v, want once at %gs", check, got, at)
			}
		}
		if got := s.all("beat a true"); len(got) < 25 {
			t.Errorf("only %d beats beside a hung check", len(got))
		}
		if began := s.began["c/hung"]; !began.Equal(s.start) {
			t.Errorf("the hung check is said to have begun at %s", began.Sub(s.start))
		}
	})
}

// What fails is reported after what it needs, whatever came first; what is well waits
// for nobody. web needs db needs disk; disk answers last.
func TestFailureIsReportedAfterWhatItNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		send := func(log *[]string, name string) func() { return func() { *log = append(*log, name) } }
		in := func(name string, needs ...string) kits.Instance {
			i := kits.Instance{Tag: name}
			for _, n := range needs {
				i.Children = append(i.Children, kits.Relative{Tag: n})
			}
			return i
		}
		web, db, disk := in("web", "db", "disk"), in("db", "disk"), in("disk")
		well, bad := kits.Report{Outcome: kits.OK, Presence: kits.Present}, kits.Report{Outcome: kits.Failed}
		for name, c := range map[string]struct {
			web, db kits.Report
			want    string
		}{
			"all failed":          {bad, bad, "disk db web"},
			"only the top failed": {bad, well, "db disk web"},
			"only the middle":     {well, bad, "web disk db"},
			"absent counts":       {kits.Report{Outcome: kits.OK, Presence: kits.Absent}, well, "db disk web"},
		} {
			var log []string
			o := newOrder([]kits.Instance{web, db, disk})
			o.done(web, c.web, send(&log, "web"))
			o.done(db, c.db, send(&log, "db"))
			o.done(disk, bad, send(&log, "disk"))
			if got := strings.Join(log, " "); got != c.want {
				t.Errorf("%s: reported %q, want %q", name, got, c.want)
			}
		}
	})
}

// A cycle that takes longer than the interval is not overtaken by the next one.
func TestCyclesDoNotPileUp(t *testing.T) {
	watch(t, map[string]string{"c/hung": "script"}, func(t *testing.T, m *Monitor, n *nodes, s *notes) {
		n.slow["c/hung"] = time.Hour
		k := task("a")
		k.CheckEvery = 5 * time.Second
		m.Define(t.Context(), []NodeTask{k})
		time.Sleep(3 * time.Minute)
		if n.batch["a"] != 1 {
			t.Errorf("%d batches at once on one node", n.batch["a"])
		}
		if got := s.all("check c/hung unknown"); len(got) < 6 {
			t.Errorf("%d reports of a check that hangs, want one each 25 s", len(got))
		}
	})
}

// Many resources on one node go in several round trips at the same time: a request
// does not take any number of jobs.
func TestManyChecksAreSplit(t *testing.T) {
	many := map[string]string{}
	for i := range 1000 {
		many[fmt.Sprintf("c/r%04d", i)] = "script"
	}
	watch(t, many, func(t *testing.T, m *Monitor, n *nodes, s *notes) {
		n.slow["c/r0500"] = 3 * time.Second
		m.Define(t.Context(), []NodeTask{task("a")})
		time.Sleep(5 * time.Second)
		if got := len(s.all("check", "ok")); got != 1000 || n.largest > wire.MaxJobs {
			t.Errorf("%d of 1000 checks reported, %d in the largest batch", got, n.largest)
		}
		if got := len(s.all("3s check")); got != 1 {
			t.Errorf("%d reports waited for the slow one", got)
		}
	})
}

func TestCheckNowIsOutOfTurnAndOnlyThat(t *testing.T) {
	watch(t, map[string]string{"c/one": "script", "c/two": "script"}, func(t *testing.T, m *Monitor, n *nodes, s *notes) {
		m.Define(t.Context(), []NodeTask{task("a")})
		time.Sleep(10 * time.Second)
		m.CheckNow([]hierarchy.Ref{{Tag: "c/one", Node: "a"}, {Tag: "c/one", Node: "nobody"}})
		time.Sleep(time.Second)
		if got, want := s.times(t, "check c/one"), seconds(0, 10); !slices.Equal(got, want) {
			t.Errorf("c/one checked at %v, want %v", got, want)
		}
		if got, want := s.times(t, "check c/two"), seconds(0); !slices.Equal(got, want) {
			t.Errorf("c/two checked at %v, want %v", got, want)
		}
		time.Sleep(50 * time.Second)
		if got, want := s.times(t, "check c/two"), seconds(0, 60); !slices.Equal(got, want) {
			t.Errorf("the regular turn of c/two at %v, want %v", got, want)
		}
	})
}

// A new definition ends the old loops; what they asked is not believed any more.
func TestDefineReplacesWhatIsWatched(t *testing.T) {
	watch(t, map[string]string{"c/late": "script"}, func(t *testing.T, m *Monitor, n *nodes, s *notes) {
		n.slow["c/late"] = 5 * time.Second
		m.Define(t.Context(), []NodeTask{task("a"), task("b")})
		time.Sleep(time.Second) // the checks are under way
		faster := task("b")
		faster.BeatEvery = time.Second
		n.set("a", true)
		m.Define(t.Context(), []NodeTask{faster})
		time.Sleep(10500 * time.Millisecond)
		if got := s.times(t, "beat a"); !slices.Equal(got, seconds(0)) {
			t.Errorf("a is watched at %v although it is defined no more", got)
		}
		if got, want := s.times(t, "beat b true"), seconds(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11); !slices.Equal(got, want) {
			t.Errorf("beats of b at %v, want %v", got, want)
		}
		if got, want := s.times(t, "check c/late"), seconds(6); !slices.Equal(got, want) {
			t.Errorf("checks reported at %v, want only the new definition's at %v", got, want)
		}
	})
}

// Close ends everything at once, also what waits for an answer, and nothing begins after.
func TestCloseEndsEverything(t *testing.T) {
	watch(t, map[string]string{"c/hung": "script", "c/deaf": "stuck"}, func(t *testing.T, m *Monitor, n *nodes, s *notes) {
		n.slow["c/hung"] = time.Hour
		n.set("a", true)
		m.Define(t.Context(), []NodeTask{task("a", "b"), task("b", "a")})
		time.Sleep(5 * time.Second)
		before := time.Now()
		m.Close()
		if d := time.Since(before); d > 0 {
			t.Errorf("Close took %s", d)
		}
		said := len(s.all())
		m.Define(t.Context(), []NodeTask{task("b")})
		m.CheckNow([]hierarchy.Ref{{Tag: "c/hung", Node: "a"}})
		time.Sleep(time.Hour)
		if got := len(s.all()); got != said {
			t.Errorf("%d observations after Close: %v", got-said, s.all()[said:])
		}
	})
}

func TestContextEndsAGeneration(t *testing.T) {
	watch(t, nil, func(t *testing.T, m *Monitor, n *nodes, s *notes) {
		ctx, cancel := context.WithCancelCause(t.Context())
		m.Define(ctx, []NodeTask{task("a")})
		time.Sleep(3 * time.Second)
		cancel(errors.New("over"))
		synctest.Wait()
		said := len(s.all())
		time.Sleep(time.Minute)
		if got := len(s.all()); got != said {
			t.Errorf("%d observations after the context ended", got-said)
		}
	})
}
