package datakeeper

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/kits"
)

// The model is a mirror of a few blocks on three nodes, with links that are cut, nodes that lose their power, an engine that
// hears only some, works late or never, and is lost with its newest records. It does what the kernel and the scripts do, one
// step at a time; the kit's own judgement runs unchanged on pulses written as the script writes them.

const modelBlocks = 5

type conn struct {
	number    int
	mode      string
	pending   bool
	member    bool
	sync      bool // in_sync
	faulty    bool
	connected bool
	failing   bool // errors are passed on: it was let go
	stalled   time.Time
	how       string
	set       map[int]bool // dirty on the other side
	todo      map[int]bool // blocks that a resync has still to copy
}

type write struct {
	block, value int
	missing      map[string]bool // legs that have not answered
	acked        bool            // asynchronous legs may still lack it
}

type box struct {
	on      bool
	gen     int
	uuid    string
	running bool
	void    bool // thawed: its writes are errors
	disk    [modelBlocks]int
	bitmap  map[int]bool // differs from some leg that is not there, or might
	conns   map[string]*conn
	waiting []write
	sb      superSim
	final   string // what a stop in good order noted
	served  string // what serve left in /run
}

type job struct {
	task kits.Task
	in   kits.Instance
	step int
	how  string
	set  map[int]bool
}

// world is what has to be kept as long as a force has not become more than a record.
type world struct {
	forced int
	acked  [modelBlocks]int
}

type model struct {
	pick    func(n int) int
	nodes   []string
	box     map[string]*box
	cut     map[string]bool
	blind   map[string]bool
	record  []byte
	old     [][]byte
	doubt   bool
	jobs    map[string]*job
	now     time.Time
	value   int
	acked   [modelBlocks]int
	forced  int     // the newest generation that a person forced
	before  []world // what stood before each force whose record may still be lost with it
	maxGen  int     // newest generation that was started
	runs    string  // where
	trace   []string
	attrs   map[string]map[string]string
	crossed bool
	// what was reached, so that a model in which nothing happens is noticed
	promotions, syncs, acks, refusals, frozen, thaws, partial, settled, unsettled, crossings int
	engines                                                                                  int
	nested                                                                                   bool
}

func newModel(pick func(int) int, nodes int) *model {
	m := &model{pick: pick, box: map[string]*box{}, cut: map[string]bool{}, blind: map[string]bool{}, jobs: map[string]*job{}, attrs: map[string]map[string]string{}, now: time.Unix(1e9, 0)}
	for i := range nodes {
		n := string(rune('A' + i))
		m.nodes = append(m.nodes, n)
		m.box[n] = &box{on: true, bitmap: map[int]bool{}, conns: map[string]*conn{}}
		m.attrs[n] = map[string]string{FieldDisk: "/dev/sdb"}
	}
	switch last := m.nodes[nodes-1]; m.pick(4) {
	case 0, 1:
		m.attrs[last][FieldMode] = ModeAsynchronous
	case 2:
		for _, n := range m.nodes {
			m.attrs[n][FieldMode] = ModeAsynchronous
		}
	}
	return m
}

func (m *model) say(format string, args ...any) {
	m.trace = append(m.trace, fmt.Sprintf(format, args...))
}

func (m *model) instance(node string) kits.Instance {
	in := kits.Instance{Tag: "c/d", On: m.attrs, Nodes: map[string]kits.Node{}, Record: m.record, Doubtful: m.doubt, Reached: map[string]bool{}, Attrs: m.attrs[node]}
	for _, n := range m.nodes {
		in.Nodes[n] = kits.Node{Name: n, Region: "r"}
		in.Reached[n] = m.hears(n)
	}
	in.Node = in.Nodes[node]
	return in
}

func link(a, b string) string {
	if a > b {
		a, b = b, a
	}
	return a + b
}

func (m *model) hears(n string) bool { return m.box[n].on && !m.blind[n] }

// alive: requests over a connection are answered.
func (m *model) alive(from, to string) bool {
	c := m.box[from].conns[to]
	return c != nil && c.connected && m.box[to].on && !m.cut[link(from, to)]
}

// write begins a write on a node, if an array takes one there.
func (m *model) write(n string) {
	b := m.box[n]
	if !b.on || !b.running || b.void || len(b.waiting) > 2 {
		return
	}
	m.value++
	w := write{block: m.pick(modelBlocks), value: m.value, missing: map[string]bool{}}
	// Setting the bit waits for all legs, unless it is set.
	if (!b.bitmap[w.block] || b.sb.clean) && m.stuck(n) {
		return
	}
	if b.sb.clean {
		m.super(n, false, true)
	}
	b.bitmap[w.block] = true
	for to, c := range b.conns {
		if c.member && !c.faulty && m.alive(n, to) {
			m.box[to].bitmap[w.block] = true
		}
	}
	b.disk[w.block] = w.value
	for to, c := range b.conns {
		if !c.member || c.faulty {
			continue
		}
		if !m.alive(n, to) {
			w.missing[to] = true
			continue
		}
		if m.pick(4) == 0 {
			w.missing[to] = true // on its way
			continue
		}
		m.box[to].disk[w.block] = w.value
	}
	b.waiting = append(b.waiting, w)
	m.deliver(n)
}

func (m *model) stuck(n string) bool {
	for to, c := range m.box[n].conns {
		if c.member && !c.faulty && !m.alive(n, to) {
			return true
		}
	}
	return false
}

// deliver sends what is on its way, where there is a way, and acknowledges what is everywhere.
func (m *model) deliver(n string) {
	b := m.box[n]
	if !b.on || !b.running {
		return
	}
	for to, c := range b.conns {
		if c.failing && c.member && !c.faulty && (!c.connected) {
			c.faulty = true // the error arrives
			m.super(n, b.sb.clean, false)
		}
		if c.faulty {
			for i := range b.waiting {
				delete(b.waiting[i].missing, to)
			}
		}
	}
	m.superDue(n)
	var still []write
	for _, w := range b.waiting {
		for to := range w.missing {
			c := b.conns[to]
			if c == nil || !c.member || c.faulty {
				delete(w.missing, to)
			} else if m.alive(n, to) && m.pick(2) == 0 {
				// An older write of the same block does not overtake a newer one on one connection.
				if m.box[to].disk[w.block] < w.value {
					m.box[to].disk[w.block] = w.value
				}
				delete(w.missing, to)
			}
		}
		held := false
		for to := range w.missing {
			held = held || b.conns[to].mode == modeFreeze
		}
		if held {
			m.frozen++
		}
		if acked := w.acked; held || acked || b.void { // of one that is void the process was killed
			if len(w.missing) > 0 {
				still = append(still, w)
			}
			continue
		}
		if w.acked = true; len(w.missing) > 0 {
			still = append(still, w)
		}
		for i := range m.before {
			if b.gen >= m.before[i].forced {
				m.before[i].acked[w.block] = max(m.before[i].acked[w.block], w.value)
			}
		}
		if b.gen < m.forced {
			continue // a person was told that this may be lost
		}
		m.acks++
		m.acked[w.block] = max(m.acked[w.block], w.value)
		// One that was under way, and is on the new source as well, may still be acknowledged.
		if b.gen < m.maxGen && m.box[m.runs].disk[w.block] < w.value {
			m.crossed = true
			m.say("%s acknowledges %d although generation %d runs", n, w.value, m.maxGen)
		}
	}
	b.waiting = still
}

// clean clears bits of blocks that are equal on all legs, which md does only while every leg is there.
func (m *model) clean(n string) {
	b := m.box[n]
	if !b.on || !b.running || b.void || len(b.waiting) > 0 {
		return
	}
	if !b.sb.clean && !m.stuck(n) {
		m.super(n, true, true)
	}
	members := 0
	for to, c := range b.conns {
		if !c.member || !c.sync || c.faulty || !m.alive(n, to) {
			return
		}
		members++
	}
	if members < len(m.nodes)-1 {
		return
	}
	clear(b.bitmap)
	for to := range b.conns {
		clear(m.box[to].bitmap)
	}
}

// resync copies one block to one leg.
func (m *model) resync(n, to string) {
	b := m.box[n]
	c := b.conns[to]
	if !b.on || !b.running || b.void || c == nil || !c.member || c.sync || c.faulty || !m.alive(n, to) {
		return
	}
	for block := range modelBlocks {
		if c.todo[block] {
			m.box[to].disk[block] = b.disk[block]
			delete(c.todo, block)
			break
		}
	}
	if len(c.todo) == 0 {
		c.sync = true
		m.box[to].bitmap = maps.Clone(b.bitmap) // md writes its whole bitmap to a leg that comes in
		m.super(n, b.sb.clean, false)
		m.syncs++
	}
}

func (m *model) off(n string) {
	b := m.box[n]
	if !b.on {
		return
	}
	m.say("%s loses its power", n)
	b.on, b.running, b.void, b.waiting, b.conns, b.served = false, false, false, nil, map[string]*conn{}, ""
	m.drop(n)
}

// drop ends what a node served.
func (m *model) drop(n string) {
	for _, from := range m.nodes {
		if c := m.box[from].conns[n]; c != nil {
			c.connected = false
		}
	}
}

// pulse writes what the script writes.
func (m *model) pulse(n string) kits.Pulse {
	if !m.hears(n) {
		return kits.Pulse{Err: errors.New("no answer")}
	}
	b := m.box[n]
	var s strings.Builder
	fmt.Fprintf(&s, "@begin\n@up %d\n@gen %d uuid=%s\n@disk yes\n@leg none\n", m.now.Unix()*100, b.gen, b.uuid)
	if b.running {
		fmt.Fprintf(&s, "@array md127 array_state=active raid_disks=3 degraded=0 sync_action=idle sync_completed=none sync_speed=0 mismatch_cnt=0 size=100 ro=0\n@own state=in_sync bad=no\n")
	}
	for to, c := range b.conns {
		number, path, connected := strconv.Itoa(c.number), "A", "yes"
		if c.pending {
			number = "pending"
		}
		if !c.connected {
			path, connected = "F", "no"
		}
		state := "none"
		switch {
		case c.member && c.faulty:
			state = "faulty"
		case c.member && c.sync:
			state = "in_sync,write_mostly"
		case c.member:
			state = "write_mostly"
		}
		flights := 0
		for _, w := range b.waiting {
			if w.missing[to] {
				flights++
			}
		}
		stalled := 0
		if !c.connected || flights > 0 && !m.alive(n, to) {
			if c.stalled.IsZero() {
				c.stalled = m.now
			}
			stalled = int(m.now.Sub(c.stalled) / (10 * time.Millisecond))
		} else {
			c.stalled = time.Time{}
		}
		fmt.Fprintf(&s, "@far %s number=%s mode=%s state=%s bad=no path=%s connected=%s flights=%d stalled=%d\n", to, number, c.mode, state, path, connected, flights, stalled)
	}
	if b.running {
		s.WriteString("@still active\n")
	} else if b.final != "" {
		s.WriteString("@final " + b.final + "\n")
	}
	s.WriteString("@end\n")
	return kits.Pulse{Result: kits.Result{Stdout: s.String()}}
}

// beat is a heartbeat of the engine. With late, the pulses are of before something that happened meanwhile.
func (m *model) beat() {
	if m.record == nil {
		return
	}
	heard := map[string]kits.Pulse{}
	for _, n := range m.nodes {
		if m.pick(10) > 0 {
			heard[n] = m.pulse(n)
		}
	}
	if m.pick(3) == 0 {
		nested, engine, starts := m.nested, m.engines, m.promotions
		m.nested = true // two things, no whole move
		m.step()        // while the answers are on their way
		m.step()
		m.nested = nested
		if m.engines != engine || m.promotions != starts {
			return // what an engine was told goes with it; a start goes with a new record, and what was heard before counts no more
		}
	}
	if m.record == nil {
		return
	}
	in := m.instance(m.nodes[0])
	kept := Kit{}.Keep(in, heard, m.now)
	if string(kept.Record) != string(m.record) {
		m.say("record %s", kept.Record)
		m.store(kept.Record)
	}
	if kept.Proven {
		m.doubt = false
	}
	for _, t := range kept.Tasks {
		key := t.Name + " " + t.Node
		if m.jobs[key] == nil {
			m.jobs[key] = &job{task: t, in: m.instance(t.Node)}
		}
	}
}

func (m *model) store(rec []byte) {
	m.old = append(m.old, m.record)
	m.record = rec
}

// run takes a task one step on; each step is a script, or a part of one.
func (m *model) run(key string) {
	j := m.jobs[key]
	rec, err := decode(j.in.Record)
	if err != nil || rec == nil {
		delete(m.jobs, key)
		return
	}
	done := true
	switch j.task.Name {
	case taskExclude:
		m.exclude(rec)
	case taskThaw:
		m.thaw(rec, j.task.Node)
	case taskJoin:
		done = m.join(rec, j)
	}
	if done {
		delete(m.jobs, key)
	}
}

func (m *model) exclude(rec *Record) {
	b := m.box[rec.Source]
	if !m.hears(rec.Source) {
		return
	}
	for n, leg := range rec.Legs {
		c := b.conns[n]
		if c == nil || leg.State != Out || !c.pending && c.number >= leg.Number {
			continue
		}
		m.say("%s goes on without %s (%d < %d)", rec.Source, n, c.number, leg.Number)
		c.failing, c.connected = true, false
		m.deliver(rec.Source)
		delete(b.conns, n)
		m.super(rec.Source, b.sb.clean, false)
		m.deliver(rec.Source)
	}
}

func (m *model) thaw(rec *Record, n string) {
	b := m.box[n]
	if !m.hears(n) || b.gen >= rec.Gen || !b.running {
		return
	}
	m.say("%s is thawed", n)
	m.thaws++
	b.void, b.waiting, b.conns = true, nil, map[string]*conn{}
}

func (m *model) join(rec *Record, j *job) bool {
	n := j.task.Node
	leg, src, dst := rec.Legs[n], m.box[rec.Source], m.box[n]
	if leg.State == InSync {
		return true
	}
	c := src.conns[n]
	ready := c != nil && c.number == leg.Number && !c.pending && !c.member
	switch j.step {
	case 0: // add, of a leg that is connected; or dirty
		if leg.State == Syncing && c != nil {
			if c.member && !c.pending {
				return true
			}
			if !ready {
				m.takeBack(rec.Source, n)
				return true
			}
			j.step = 3
			return false
		}
		j.how = "full"
		if leg.Partial {
			j.how = "partial"
		}
		if leg.Partial && leg.Merge {
			if !m.hears(n) || dst.running {
				return true
			}
			m.drop(n)
			j.set = maps.Clone(dst.bitmap)
			if dst.uuid != rec.UUID {
				j.how = "full"
			}
		}
	case 1: // serve
		if !m.hears(n) || dst.running || dst.gen > rec.Gen {
			return true
		}
		m.drop(n)
		dst.gen, dst.uuid, dst.final = rec.Gen, rec.UUID, ""
		dst.served = fmt.Sprintf("%d %s", rec.Gen, rec.UUID)
	case 2: // connect
		if !m.hears(rec.Source) || !src.running || src.void || src.gen != rec.Gen || m.cut[link(rec.Source, n)] || !dst.on || dst.gen != rec.Gen || dst.running {
			return true
		}
		if c != nil {
			if c.member {
				return true
			}
			delete(src.conns, n)
		}
		src.conns[n] = &conn{connected: true, mode: modeOf(j.in, rec.Source, n), number: leg.Number, how: j.how, set: j.set}
		src.conns[n].failing = src.conns[n].mode != modeFreeze
		return leg.State == Out
	case 3: // add
		if !ready || !m.alive(rec.Source, n) || !m.hears(rec.Source) || !src.running || src.gen != rec.Gen || leg.State != Syncing {
			return true
		}
		c.member, c.pending, c.todo = true, true, map[int]bool{}
		for i := range modelBlocks {
			if c.how == "full" || src.bitmap[i] || c.set[i] {
				c.todo[i] = true
				src.bitmap[i] = true
			}
		}
		m.super(rec.Source, src.sb.clean, false)
		if c.how == "partial" {
			m.partial++
		}
	case 4:
		if c == nil || !m.hears(rec.Source) || !c.pending {
			return true
		}
		if m.pick(8) == 0 {
			m.takeBack(rec.Source, n) // it took too long
			return true
		}
		c.pending = false
		return true
	}
	j.step++
	return false
}

// takeBack ends a connection whose join was cut short.
func (m *model) takeBack(source, n string) {
	b := m.box[source]
	c := b.conns[n]
	if !m.hears(source) || c == nil || !c.pending && c.member {
		return
	}
	c.failing, c.connected = true, false
	m.deliver(source)
	delete(b.conns, n)
	m.super(source, b.sb.clean, false)
	m.deliver(source)
}

// promote is an operation: the record, and later or never the start.
func (m *model) promote(n string, forced bool) {
	in := m.instance(n)
	rec, no := Kit{}.Promote(in, forced, m.now)
	if no != nil {
		m.refusals++
		return
	}
	m.say("promoted %s: %s", n, rec)
	if was, _ := decode(m.record); was != nil && was.Legs[n].Complete {
		m.crossings++
	}
	m.store(rec)
	if forced {
		m.forget(n)
	}
}

// forget: a person's force may lose what the node does not have.
func (m *model) forget(n string) {
	rec, _ := decode(m.record)
	m.before = append(m.before, world{m.forced, m.acked})
	m.acked, m.forced = m.box[n].disk, rec.Gen
}

// remember: a force that was lost with its record before its node started has given nothing up.
func (m *model) remember(gen int) {
	for m.forced > gen && m.forced > m.maxGen {
		last := m.before[len(m.before)-1]
		m.before = m.before[:len(m.before)-1]
		m.forced, m.acked = last.forced, last.acked
	}
}

func (m *model) start() {
	rec, _ := decode(m.record)
	if rec == nil || !m.hears(rec.Source) {
		return
	}
	b := m.box[rec.Source]
	if b.running || b.gen > rec.Gen || b.gen == rec.Gen && (m.doubt || promises(rec)) || m.doubt && !rec.Forced {
		return
	}
	m.drop(rec.Source)
	m.say("%s starts at %d", rec.Source, rec.Gen)
	if rec.Gen == m.forced && m.maxGen < rec.Gen {
		m.acked = b.disk // until now a former source may have written to what was forced
	}
	b.gen, b.uuid, b.running, b.conns, b.waiting, b.final = rec.Gen, rec.UUID, true, map[string]*conn{}, nil, ""
	b.sb.uuid = rec.UUID
	m.super(rec.Source, true, false)
	if rec.Gen >= m.maxGen {
		m.maxGen, m.runs = rec.Gen, rec.Source
	}
	m.promotions++
}

func (m *model) stop(n string) {
	b := m.box[n]
	m.deliver(n)
	if !m.hears(n) || !b.running || len(b.waiting) > 0 || !b.void && m.stuck(n) && (!b.sb.clean || len(b.sb.due) > 0) {
		return
	}
	m.say("%s stops", n)
	m.clean(n)
	if !b.void && m.pick(6) > 0 { // else the script was cut short before it noted that
		b.final = fmt.Sprint(b.gen) + " " + m.superLine(n)
	}
	b.running, b.void, b.conns = false, false, map[string]*conn{}
}

// step is one thing that happens.
func (m *model) step() {
	n := m.nodes[m.pick(len(m.nodes))]
	other := m.nodes[m.pick(len(m.nodes))]
	m.now = m.now.Add(time.Duration(m.pick(2000)) * time.Millisecond)
	switch m.pick(40) {
	case 0, 1, 2, 3, 4, 5:
		m.write(n)
	case 6, 7, 8:
		m.deliver(n)
	case 9, 10, 11, 12:
		for range modelBlocks - m.pick(3) {
			m.resync(n, other)
		}
	case 13, 14:
		m.clean(n)
	case 15:
		if m.pick(4) == 0 {
			m.off(n)
		}
	case 16, 17, 18:
		m.box[n].on = true
	case 19:
		if m.pick(3) == 0 && n != other {
			m.say("cut %s", link(n, other))
			m.cut[link(n, other)] = true
		}
	case 20, 21, 22:
		delete(m.cut, link(n, other))
	case 23:
		m.blind[n] = m.pick(4) == 0
	case 24, 25, 26, 27, 28, 29, 30, 31, 32:
		if len(m.jobs) > 0 {
			keys := slices.Sorted(maps.Keys(m.jobs))
			m.run(keys[m.pick(len(keys))])
		}
	case 33:
		if m.pick(4) == 0 {
			m.promote(n, false)
		}
	case 34, 35, 36:
		m.start()
	case 37:
		switch m.pick(8) {
		case 0, 1:
			m.stop(n)
		case 2:
			m.settle(n)
		case 3, 4, 5, 6:
			m.cross(n)
		case 7:
			m.giveUp(n)
		}
	case 38:
		if m.pick(15) == 0 {
			m.lose()
		}
	case 39:
		if m.pick(80) == 0 {
			m.promote(n, true)
		}
	}
}

// lose: the engine is gone, and its tasks with it. A successor may find an older record.
func (m *model) lose() {
	m.say("the engine is lost")
	m.engines++
	clear(m.jobs)
	if len(m.old) > 0 && m.pick(3) == 0 {
		m.record, m.doubt = m.old[max(len(m.old)-1-m.pick(3), 0)], true
		m.say("its record is now %s", m.record)
		if rec, err := decode(m.record); err == nil && rec != nil {
			m.remember(rec.Gen)
		}
	}
}

// wrong says what must never be; empty = nothing.
func (m *model) wrong() string {
	if m.crossed {
		return "a source that was overtaken acknowledged a write"
	}
	rec, err := decode(m.record)
	if err != nil {
		return err.Error()
	}
	for _, n := range m.nodes {
		if rec != nil && rec.Gen == m.forced && m.maxGen < rec.Gen {
			break // forced, and not started yet
		}
		// What Promote asks, without writing a record each time.
		if rec == nil || refusal(kits.Instance{Tag: "c/d", Node: kits.Node{Name: n}, Doubtful: m.doubt}, rec, m.now) != nil {
			continue
		}
		for b, v := range m.acked {
			if m.box[n].disk[b] < v {
				return fmt.Sprintf("%s may be promoted, but has %d of block %d, and %d was acknowledged", n, m.box[n].disk[b], b, v)
			}
		}
	}
	// Legs that the record and the source call in sync are equal where nothing is under way.
	return m.unequal(rec)
}

func (m *model) unequal(rec *Record) string {
	if rec == nil || m.doubt {
		return ""
	}
	src := m.box[rec.Source]
	if !src.running || src.gen != rec.Gen || len(src.waiting) > 0 {
		return ""
	}
	for n, leg := range rec.Legs {
		if c := src.conns[n]; leg.promotable() && c != nil && c.sync && c.number == leg.Number && m.alive(rec.Source, n) && m.box[n].disk != src.disk {
			return fmt.Sprintf("%s is in sync with %s, and differs: %v, %v", n, rec.Source, m.box[n].disk, src.disk)
		}
	}
	return ""
}

func play(pick func(int) int, nodes, steps int) *model {
	m := newModel(pick, nodes)
	m.promote("A", false)
	m.start()
	for range steps {
		if m.pick(4) == 0 {
			m.beat()
		} else {
			m.step()
		}
		if w := m.wrong(); w != "" {
			m.say("WRONG: %s", w)
			return m
		}
	}
	return m
}

func (m *model) failed() bool {
	return len(m.trace) > 0 && strings.HasPrefix(m.trace[len(m.trace)-1], "WRONG")
}

// Thousands of lives of a mirror. FERRY_SEED repeats one that failed, FERRY_RUNS plays more.
func TestModelManyLives(t *testing.T) {
	seed, runs := uint64(time.Now().UnixNano()), 2000
	if s := os.Getenv("FERRY_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
		runs = 1
	}
	if s := os.Getenv("FERRY_RUNS"); s != "" {
		runs, _ = strconv.Atoi(s)
	}
	t.Logf("seeds from %d", seed)
	sum := model{}
	for i := range runs {
		r := rand.New(rand.NewPCG(seed+uint64(i), 1))
		m := play(r.IntN, 2+int((seed+uint64(i))%2), 400)
		if m.failed() {
			t.Fatalf("FERRY_SEED=%d (%d nodes):\n%s", seed+uint64(i), 2+int((seed+uint64(i))%2), strings.Join(m.trace, "\n"))
		}
		sum.promotions += m.promotions
		sum.syncs += m.syncs
		sum.acks += m.acks
		sum.refusals += m.refusals
		sum.frozen += m.frozen
		sum.thaws += m.thaws
		sum.partial += m.partial
		sum.settled += m.settled
		sum.unsettled += m.unsettled
		sum.crossings += m.crossings
	}
	t.Logf("%d runs: %d starts, %d acknowledged writes, %d resyncs (%d partial), %d refusals, %d thaws, %d settled and %d not, %d promoted by that", runs, sum.promotions, sum.acks, sum.syncs, sum.partial, sum.refusals, sum.thaws, sum.settled, sum.unsettled, sum.crossings)
	if runs > 100 && (sum.promotions < runs || sum.syncs < runs/2 || sum.acks < 10*runs || sum.refusals < runs/2 || sum.thaws == 0 || sum.partial == 0 || sum.settled < runs/100 || sum.unsettled == 0 || sum.crossings < runs/200) {
		t.Error("too little happens in the model")
	}
}

// The same with rapid, which finds the shortest life that goes wrong.
func TestModelShortestLife(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := play(func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "pick") }, 3, 120)
		if m.failed() {
			rt.Fatal(strings.Join(m.trace, "\n"))
		}
	})
}
