package datakeeper

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// What md's superblocks do in the model: they are written to all legs when an array becomes dirty or clean and when a member
// comes or goes, and one event is taken back where an array becomes clean again.

type superSim struct {
	uuid       string
	events     int
	time       int64
	clean      bool
	recovering bool
	active     map[string]bool
	undo       bool            // the next one may take an event back
	due        map[string]bool // members that it has not reached
}

// super has the array of a node write its superblocks. toggled: it only became clean or dirty.
func (m *model) super(n string, clean, toggled bool) {
	b := m.box[n]
	if !b.on || !b.running || b.void {
		return
	}
	degraded := false
	active := map[string]bool{n: true}
	for _, to := range m.nodes {
		if c := b.conns[to]; to != n && (c == nil || !c.member || c.faulty || !c.sync) {
			degraded = true
		}
		if c := b.conns[to]; c != nil && c.member && !c.faulty {
			active[to] = true
		}
	}
	toggled = toggled && !degraded
	if toggled && clean && b.sb.undo && b.sb.events > 1 {
		b.sb.events--
		b.sb.undo = false
	} else {
		b.sb.events++
		b.sb.undo = toggled
	}
	b.sb.time, b.sb.clean, b.sb.recovering, b.sb.active, b.sb.due = m.now.Unix(), clean, false, active, map[string]bool{}
	for to := range active {
		if to != n {
			b.sb.due[to] = true
		}
	}
	m.superDue(n)
}

// superDue brings the superblock to the members that can be reached.
func (m *model) superDue(n string) {
	b := m.box[n]
	for to := range b.sb.due {
		c := b.conns[to]
		if c == nil || !c.member || c.faulty {
			delete(b.sb.due, to)
		} else if m.alive(n, to) {
			own := b.sb
			own.active, own.due, own.recovering = maps.Clone(b.sb.active), nil, !c.sync
			m.box[to].sb = own
			delete(b.sb.due, to)
		}
	}
}

// superLine is a leg's superblock as the scripts print it.
func (m *model) superLine(n string) string {
	sb, clean, features, dev := m.box[n].sb, "no", 1, 0
	if sb.clean {
		clean = "yes"
	}
	if sb.recovering {
		features |= 2
	}
	var roles []string
	for i, to := range m.nodes {
		if to == n {
			dev = i
		}
		if sb.active[to] {
			roles = append(roles, strconv.Itoa(i))
		} else {
			roles = append(roles, "65534")
		}
	}
	return fmt.Sprintf("uuid=%s events=%d time=%d clean=%s features=%d dev=%d roles=%s", sb.uuid, sb.events, sb.time, clean, features, dev, strings.Join(roles, ","))
}

// giveUp: the kernel ends connections that do not answer, where it may.
func (m *model) giveUp(n string) {
	for to, c := range m.box[n].conns {
		if c.mode != modeFreeze && !m.alive(n, to) {
			c.connected = false
		}
	}
	m.deliver(n)
}

// modelHost runs the kit's scripts on the model; while they are on their way, other things happen.
type modelHost struct {
	m    *model
	node string
}

func (h modelHost) Node() string { return h.node }

func (h modelHost) Run(_ context.Context, s kits.Script) (kits.Result, error) {
	h.m.meanwhile()
	defer h.m.meanwhile()
	switch s.Name {
	case "datakeeper/pulse":
		p := h.m.pulse(h.node)
		return p.Result, p.Err
	case "datakeeper/settle":
		return h.m.settleScript(h.node, s.Args[6], s.Args[2])
	}
	return kits.Result{}, errors.New("no such script")
}

func (m *model) meanwhile() {
	if m.nested {
		return
	}
	m.nested = true
	for m.pick(3) == 0 {
		m.step()
	}
	m.nested = false
}

func (m *model) settleScript(n, gen, uuid string) (kits.Result, error) {
	b := m.box[n]
	if !m.hears(n) {
		return kits.Result{}, errors.New("no answer")
	}
	no := ""
	switch {
	case b.running:
		no = "runs-here"
	case strconv.Itoa(b.gen) != gen || b.uuid != uuid:
		no = "not-served"
	case b.served != gen+" "+uuid:
		no = "rebooted"
	}
	if no != "" {
		return kits.Result{Stdout: "@begin\n@failed " + no + "\n@end\n"}, nil
	}
	m.drop(n)
	return kits.Result{Stdout: "@begin\n@leg " + m.superLine(n) + "\n@end\n"}, nil
}

// settle is what the engine does behind the stops.
func (m *model) settle(n string) {
	rec, err := decode(m.record)
	if err != nil || rec == nil || m.nested {
		return
	}
	in, was := m.instance(n), string(m.record)
	no := refusal(in, rec, m.now)
	if no == nil {
		return
	}
	on := func(node string) kits.Host { return modelHost{m, node} }
	el, ready := Kit{}.Prospect(context.Background(), on, in, kits.Eligibility{Outcome: kits.Failed, Reason: *no})
	if el.Outcome != kits.OK || !ready {
		return
	}
	got, why := Kit{}.Settle(context.Background(), on, in)
	switch {
	case got == nil:
		m.say("%s is not settled: %s", n, why.Text)
		m.unsettled++
	case string(m.record) == was && !m.doubt:
		m.say("%s is settled", n)
		m.store(got)
		m.settled++
	}
}

// cross is a planned move, as far as it gets.
func (m *model) cross(n string) {
	rec, err := decode(m.record)
	if err != nil || rec == nil || n == rec.Source || m.nested {
		return
	}
	if m.pick(3) == 0 { // what goes wrong right before the stop is in no record yet
		m.cut[link(rec.Source, n)] = true
		m.write(rec.Source)
		m.giveUp(rec.Source)
		m.write(rec.Source)
		for range 3 {
			m.deliver(rec.Source)
		}
	}
	m.stop(rec.Source)
	if m.settle(n); m.box[rec.Source].running {
		return
	}
	was := string(m.record)
	if m.promote(n, false); string(m.record) == was {
		m.promote(rec.Source, false) // taken back
	}
	m.start()
}
