package kittest_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/lab"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/datakeeper"
	"github.com/ferry-ha/ferry/kits/kittest/onlab"
)

const (
	mirrorDisk = "/dev/ubdb"
	mirrorDev  = "/dev/md/data"
	// beat is the test engine's heartbeat: with a freeze limit of 1 s a lost leg is out after two or three.
	beat = 500 * time.Millisecond
)

// mirror is the smallest engine that a Keeper can live with: it hears pulses, keeps the record (the writing down is
// instantaneous here), and works.
type mirror struct {
	t     *testing.T
	lab   *lab.Lab
	hosts *onlab.Hosts
	kit   datakeeper.Kit
	attrs map[string]map[string]string

	mu      sync.Mutex
	record  []byte
	blind   map[string]bool // nodes that the engine does not reach
	running map[string]bool // tasks under way
	live    map[string]map[string]string
	history []string
	stop    context.CancelFunc
	done    chan struct{}
}

// newMirror has both data disks zeroed or made by prepare, and no engine yet.
func newMirror(t *testing.T, hierarchy string) *mirror {
	l := estate.Lab(t)
	m := &mirror{
		t: t, lab: l, hosts: onlab.New(t, l), blind: map[string]bool{}, running: map[string]bool{},
		attrs: map[string]map[string]string{},
	}
	for _, n := range []string{"LK_P_A", "LK_P_B"} {
		m.attrs[n] = map[string]string{datakeeper.FieldDisk: mirrorDisk, datakeeper.FieldHierarchy: hierarchy, datakeeper.FieldDevice: mirrorDev}
		l.Guest(n).Spoil()
	}
	t.Cleanup(m.lost)
	return m
}

func (m *mirror) instance(node string) kits.Instance {
	m.mu.Lock()
	defer m.mu.Unlock()
	nodes := map[string]kits.Node{}
	reached := map[string]bool{}
	for n := range m.attrs {
		nodes[n] = m.hosts.Node(n)
		reached[n] = !m.blind[n]
	}
	return kits.Instance{
		Tag: "service/data", Kit: "datakeeper", Cluster: "service", Node: nodes[node], Attrs: m.attrs[node], On: m.attrs, Nodes: nodes,
		Record: m.record, Reached: reached, Tuning: map[string]string{datakeeper.TuneFreezeLimit: "1", datakeeper.TuneStop: "20", datakeeper.TuneSpeedMin: "50000"},
	}
}

// begin is the engine coming up; lost is its end, at once.
func (m *mirror) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	m.stop, m.done = cancel, make(chan struct{})
	go func() {
		defer close(m.done)
		for ctx.Err() == nil {
			m.round(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(beat):
			}
		}
	}()
}

func (m *mirror) lost() {
	if m.stop != nil {
		m.stop()
		<-m.done
		m.stop = nil
	}
}

func (m *mirror) round(ctx context.Context) {
	in := m.instance("LK_P_A")
	heard := map[string]kits.Pulse{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for n := range m.attrs {
		if !in.Reached[n] {
			continue
		}
		all.Go(func() {
			pctx, cancel := context.WithTimeout(ctx, 3*time.Second)
			defer cancel()
			res, err := m.host(n).Run(pctx, m.kit.Pulse(m.instance(n)))
			mu.Lock()
			heard[n] = kits.Pulse{Result: res, Err: err}
			mu.Unlock()
		})
	}
	all.Wait()
	m.mu.Lock()
	if string(m.record) != string(in.Record) { // a promotion came in between: what was heard is of before
		m.mu.Unlock()
		return
	}
	kept := m.kit.Keep(in, heard, time.Now())
	if string(kept.Record) != string(m.record) {
		m.note("record %s", kept.Record)
	}
	m.record, m.live = kept.Record, kept.Live
	m.mu.Unlock()
	for _, t := range kept.Tasks {
		m.work(ctx, t)
	}
}

// note keeps what happened, for a test that fails. Call with the lock.
func (m *mirror) note(format string, args ...any) {
	m.history = append(m.history, time.Now().Format("05.000 ")+fmt.Sprintf(format, args...))
}

func (m *mirror) work(ctx context.Context, t kits.Task) {
	key := t.Name + " " + t.Node
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running[key] {
		return
	}
	m.running[key] = true
	m.note("task %s: %s", key, t.Why.Text)
	go func() {
		r := m.kit.Work(ctx, m.host, m.instance(t.Node), t)
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.running, key)
		m.note("task %s ended: %v %v %s", key, r.Outcome, r.Details, r.Reason.Text)
	}()
}

func (m *mirror) host(n string) kits.Host { return patient{m.hosts.Host(n)} }

// patient waits for a script that holds the node's lock, as the engine does.
type patient struct{ kits.Host }

func (p patient) Run(ctx context.Context, s kits.Script) (kits.Result, error) {
	for {
		res, err := p.Host.Run(ctx, s)
		if err == nil || !strings.HasPrefix(err.Error(), "locked:") || ctx.Err() != nil {
			return res, err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// promote and start, as an operation does.
func (m *mirror) promote(node string, forced bool) *kits.Reason {
	in := m.instance(node)
	rec, no := m.kit.Promote(in, forced, time.Now())
	if no != nil {
		return no
	}
	m.mu.Lock()
	m.record = rec
	m.note("promoted %s: %s", node, rec)
	m.mu.Unlock()
	in = m.instance(node)
	in.Active = node
	var r kits.Report
	for range 3 { // a connection from before a power-off ends with the first script
		if r = m.kit.Start(m.t.Context(), m.host(node), in); r.Outcome != kits.Unknown {
			break
		}
	}
	if r.Outcome != kits.OK {
		m.fatal("start on %s: %+v", node, r)
	}
	return nil
}

func (m *mirror) mustPromote(node string) {
	m.t.Helper()
	if no := m.promote(node, false); no != nil {
		m.fatal("promoting %s: %s", node, no.Text)
	}
}

func (m *mirror) stopOn(node string) {
	m.t.Helper()
	if r := m.kit.Stop(m.t.Context(), m.host(node), m.instance(node)); r.Outcome != kits.OK {
		m.fatal("stop on %s: %+v", node, r)
	}
}

func (m *mirror) fatal(format string, args ...any) {
	m.t.Helper()
	m.mu.Lock()
	for _, h := range m.history {
		m.t.Log(h)
	}
	m.mu.Unlock()
	for n := range m.attrs {
		if m.lab.Guest(n).Running() {
			out, _ := m.lab.Guest(n).Sh(context.Background(), `cat /proc/mdstat; dmsetup status; dmsetup table; cat /run/ferry/mirror/*/far.* /var/lib/ferry/mirror/*.gen; dmesg | tail -25`)
			m.t.Logf("%s:\n%s", n, out)
		}
	}
	m.t.Fatalf(format, args...)
}

// state waits until a node's live state begins with a word, and says how long that took.
func (m *mirror) state(node, want string, limit time.Duration) time.Duration {
	m.t.Helper()
	start := time.Now()
	for {
		m.mu.Lock()
		live := maps.Clone(m.live[node])
		m.mu.Unlock()
		if live["state"] == want {
			return time.Since(start).Round(time.Millisecond)
		}
		if time.Since(start) > limit {
			m.fatal("%s is %v after %v, want %q", node, live, limit, want)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (m *mirror) inSync(node string) time.Duration {
	m.t.Helper()
	return m.state(node, "Target, in sync", 90*time.Second)
}

// notInSync waits until the record says that a leg is out.
func (m *mirror) notInSync(node string) time.Duration {
	m.t.Helper()
	start := time.Now()
	for {
		m.mu.Lock()
		state := m.live[node]["state"]
		m.mu.Unlock()
		if !strings.HasPrefix(state, "Target, in sync") {
			return time.Since(start).Round(time.Millisecond)
		}
		if time.Since(start) > 30*time.Second {
			m.fatal("%s is still %s", node, state)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (m *mirror) sh(node, script string) string {
	m.t.Helper()
	out, err := m.lab.Guest(node).Sh(m.t.Context(), script)
	if err != nil {
		m.fatal("on %s: %v", node, err)
	}
	return strings.TrimSpace(out)
}

// sums compares the disks block for block, past every cache.
func (m *mirror) sameDisks() {
	m.t.Helper()
	sum := map[string]string{}
	for n := range m.attrs {
		sum[n] = m.sh(n, "dd if="+mirrorDisk+" bs=1M iflag=direct 2>/dev/null | sha256sum")
	}
	if sum["LK_P_A"] != sum["LK_P_B"] {
		a := m.sh("LK_P_A", "dd if="+mirrorDisk+" bs=1M iflag=direct 2>/dev/null | split -b 65536 --filter='sha256sum' | cut -c1-12")
		b := m.sh("LK_P_B", "dd if="+mirrorDisk+" bs=1M iflag=direct 2>/dev/null | split -b 65536 --filter='sha256sum' | cut -c1-12")
		la, lb := strings.Split(a, "\n"), strings.Split(b, "\n")
		for i := range la {
			if i < len(lb) && la[i] != lb[i] {
				m.t.Logf("chunk %d differs", i)
			}
		}
		m.fatal("the disks differ: %v", sum)
	}
}

func TestMirrorKeepsAFileSystem(t *testing.T) {
	for _, fs := range []string{"mke2fs -q -F -t ext4", "mkfs.xfs -q -f"} {
		t.Run(strings.Fields(fs)[0], func(t *testing.T) {
			m := newMirror(t, datakeeper.HierarchyExisting)
			m.sh("LK_P_A", fs+" "+mirrorDisk+" && mkdir -p /data && mount "+mirrorDisk+" /data && dd if=/dev/urandom of=/data/file bs=1M count=20 2>/dev/null && umount /data && sync")
			before := m.sh("LK_P_A", "dd if="+mirrorDisk+" bs=1M iflag=direct 2>/dev/null | sha256sum")
			for _, n := range []string{"LK_P_A", "LK_P_B"} {
				if e := m.kit.Eligible(t.Context(), m.host(n), m.instance(n)); e.Outcome != kits.OK {
					t.Errorf("eligible on %s: %+v", n, e)
				}
			}
			if disks, err := m.kit.Choices(t.Context(), m.host("LK_P_A"), m.instance("LK_P_A"), datakeeper.FieldDisk); err != nil || !slices.Contains(disks, mirrorDisk) {
				t.Errorf("the disks to choose from: %v %v", disks, err)
			}
			start := time.Now()
			m.mustPromote("LK_P_A")
			t.Logf("created in %v", time.Since(start).Round(time.Millisecond))
			if after := m.sh("LK_P_A", "dd if="+mirrorDisk+" bs=1M iflag=direct 2>/dev/null | sha256sum"); after != before {
				t.Fatalf("the disk was %s and is %s", before, after)
			}
			m.begin()
			t.Logf("in sync after %v", m.inSync("LK_P_B"))
			if got := m.sh("LK_P_B", "dd if="+mirrorDisk+" bs=1M iflag=direct 2>/dev/null | sha256sum"); got != before {
				t.Fatalf("the copy is %s, want %s", got, before)
			}
			m.sh("LK_P_A", "mount "+mirrorDev+" /data && sha256sum /data/file && dd if=/dev/urandom of=/data/more bs=1M count=5 conv=fsync 2>/dev/null")
			if r := m.kit.Stop(t.Context(), m.host("LK_P_A"), m.instance("LK_P_A")); r.Outcome != kits.Failed || r.Reason.Code != "datakeeper.failed-held" {
				t.Errorf("stop under a mounted file system: %+v", r)
			}
			m.sh("LK_P_A", "umount /data")
			m.checked("LK_P_A", kits.OK, kits.Present)
			m.checked("LK_P_B", kits.Failed, kits.Absent)
			for _, to := range []string{"LK_P_B", "LK_P_A"} {
				from := other(to)
				start = time.Now()
				m.stopOn(from)
				stopped := time.Since(start)
				m.mustPromote(to)
				t.Logf("moved to %s: stop %v, all %v", to, stopped.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
				m.sh(to, "mkdir -p /data && mount "+mirrorDev+" /data && sha256sum /data/more && echo "+to+" >>/data/been && sync && umount /data")
				t.Logf("%s in sync after %v", from, m.inSync(from))
				m.sameDisks()
			}
			m.lost()
			m.stopOn("LK_P_A")
			m.sh("LK_P_A", "mount "+mirrorDisk+" /data && test $(wc -l </data/been) = 2 && umount /data")
		})
	}
}

func (m *mirror) checked(node string, o kits.Outcome, p kits.Presence) {
	m.t.Helper()
	if r := m.kit.Check(m.t.Context(), m.host(node), m.instance(node)); r.Outcome != o || r.Presence != p {
		m.fatal("check on %s: %+v", node, r)
	}
}

func other(n string) string {
	if n == "LK_P_A" {
		return "LK_P_B"
	}
	return "LK_P_A"
}

func (m *mirror) must(err error) {
	m.t.Helper()
	if err != nil {
		m.fatal("%v", err)
	}
}

// A link that is lost freezes the writes, until the exclusion is recorded; then they go on, and what was missed follows.
func TestMirrorCutLink(t *testing.T) {
	m, w := ready(t)
	w.start("LK_P_A", 1)
	time.Sleep(time.Second)
	m.must(m.lab.Cut(t.Context(), "LK_P_A", "LK_P_B"))
	t.Logf("excluded after %v", m.notInSync("LK_P_B"))
	time.Sleep(3 * time.Second)
	w.end()
	t.Logf("%d writes, the longest pause %.1f s", w.acks, w.longestPause())
	if len(w.errors) > 0 {
		t.Errorf("writes failed: %v", w.errors)
	}
	if no := m.promote("LK_P_B", false); no == nil || no.Code != "datakeeper.stale" {
		t.Errorf("a stale copy: %+v", no)
	} else {
		t.Log(no.Text)
	}
	m.must(m.lab.Heal(t.Context()))
	t.Logf("in sync again after %v", m.inSync("LK_P_B"))
	m.sameDisks()
	w.checkOn("LK_P_A")

	// The server is killed: the same, without a cut.
	w.start("LK_P_A", 2)
	time.Sleep(500 * time.Millisecond)
	m.sh("LK_P_B", `for f in $(grep -lz '^/run/ferry/mirror/service-data/server[.]conf$' /proc/[0-9]*/cmdline); do f=${f%/cmdline}; kill -9 ${f##*/}; done`)
	time.Sleep(2 * time.Second)
	t.Logf("in sync after its server was killed: %v", m.inSync("LK_P_B"))
	w.end()
	t.Logf("%d writes, the longest pause %.1f s", w.acks, w.longestPause())
	m.sameDisks()

	// The target loses its power, and comes back.
	w.start("LK_P_A", 3)
	time.Sleep(500 * time.Millisecond)
	m.must(m.lab.Guest("LK_P_B").PowerOff(t.Context()))
	t.Logf("the dead target is out after %v", m.notInSync("LK_P_B"))
	m.must(m.lab.Guest("LK_P_B").PowerOn(t.Context()))
	m.must(m.lab.Guest("LK_P_B").WaitSSH(t.Context()))
	t.Logf("in sync after its power came back: %v", m.inSync("LK_P_B"))
	w.end()
	t.Logf("%d writes, the longest pause %.1f s", w.acks, w.longestPause())
	m.sameDisks()
	w.checkOn("LK_P_A")
}

// A source whose engine is gone stays frozen. Cut off alive it is overtaken, and nothing that waited there is ever acknowledged.
func TestMirrorSourceCutOffAlive(t *testing.T) {
	m, w := ready(t)
	m.lost()
	w.start("LK_P_A", 4)
	time.Sleep(time.Second)
	m.mu.Lock()
	m.blind["LK_P_A"] = true
	m.mu.Unlock()
	m.must(m.lab.Cut(t.Context(), "LK_P_A", "LK_P_B"))
	cut := float64(time.Now().UnixMilli()) / 1000
	time.Sleep(8 * time.Second)
	m.begin()
	m.mustPromote("LK_P_B")
	after := newWriter(m)
	after.base = 1000000
	after.start("LK_P_B", 5)
	time.Sleep(time.Second)
	m.must(m.lab.Heal(t.Context()))
	m.mu.Lock()
	m.blind["LK_P_A"] = false
	m.mu.Unlock()
	start := time.Now()
	w.ended(20 * time.Second)
	t.Logf("what waited on the old source ended %v after it was seen again: %v", time.Since(start).Round(time.Millisecond), w.errors)
	for _, at := range w.times {
		if at > cut+1 {
			t.Errorf("the old source acknowledged a write %.1f s after the cut", at-cut)
			break
		}
	}
	m.stopOn("LK_P_A")
	t.Logf("the old source is in sync after %v", m.inSync("LK_P_A"))
	after.end()
	m.sameDisks()
	// What the old source's clients were told is on the new one, or was overwritten there since.
	maps.Copy(w.acked, after.acked)
	w.checkOn("LK_P_B")
}
