package nodesim

import (
	"slices"
	"strings"
	"time"
)

// sync works out what has happened until now: which connections carry something, what was copied, who may go on.
// Call it before the network changes, and after it; without any lock.
func (m *mirrors) sync() {
	m.mu.Lock()
	var conns []*nbdConn
	for _, l := range m.all() {
		if l.array != nil {
			conns = append(conns, l.array.orderly()...)
		}
	}
	late := slices.Clone(m.late)
	m.mu.Unlock()
	if len(conns) == 0 && len(late) == 0 {
		return
	}
	// The ways are asked for without the lock: they lead through routes and tunnels.
	reach, resets := map[*nbdConn]bool{}, map[*nbdConn]bool{}
	for _, c := range conns {
		way := m.world.Node(c.to) != nil && m.world.passes(c.from, m.world.Node(c.to), c.address, "")
		reach[c] = way && c.server.lives() && c.server.n.runs(c.server.boot)
		resets[c] = way && !c.server.lives()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deliverLate()
	now := time.Now()
	for _, c := range conns {
		m.judge(c, reach[c], resets[c], now)
	}
	for _, l := range m.all() {
		if l.array != nil {
			m.bringOn(l, now)
		}
	}
}

// judge says what has become of a connection.
func (m *mirrors) judge(c *nbdConn, reaches, reset bool, now time.Time) {
	if c.gone {
		return
	}
	was := c.flows
	c.flows = c.connected && reaches
	switch {
	case c.flows:
		if !c.silent.IsZero() && c.member != nil && !c.member.inSync {
			c.member.ends = c.member.ends.Add(now.Sub(c.silent))
		}
		c.silent, c.asked = time.Time{}, false
		return
	case was || c.silent.IsZero():
		c.silent = now
	}
	waited := now.Sub(c.silent)
	if c.connected && (reset || c.asked && (c.patience > 0 && waited >= c.patience || waited >= mirrorGivesUp)) {
		c.connected = false
	}
	if !c.connected && c.mode != "freeze" {
		c.errors = true
	}
}

// bringOn copies what the array's members have been sent, and lets go on what need not wait any more. mu is held.
func (m *mirrors) bringOn(l *mirrorLeg, now time.Time) {
	disk, meta := l.n.disks.find(l.disk), m.meta(l)
	if disk == nil || meta == nil {
		return
	}
	a := l.array
	src := contentOf(disk.volume)
	if !a.errors {
		meta.note(src)
	}
	complete := len(a.conns) == a.disks-1
	for _, c := range a.orderly() {
		c.asked = c.asked || !c.flows && !c.gone && !a.errors && m.pending(c, src, meta)
		if c.member != nil && c.errors && !c.flows && !c.member.faulty && !a.errors {
			c.member.faulty, c.member.inSync = true, c.member.inSync && !c.member.ends.After(now)
			m.cutShort(l, c, src, now)
		}
		if !m.member(l, c, src, meta, now) {
			complete = false
		}
	}
	if complete && !a.errors && a.disks > 1 && len(meta.dirty) > 0 {
		meta.events++
		meta.cleared = meta.events
		clear(meta.dirty)
		for _, c := range a.orderly() {
			m.shareMeta(c, meta)
		}
	}
	m.settleThaw(a)
}

// member brings one member on; it says whether the member has everything.
func (m *mirrors) member(l *mirrorLeg, c *nbdConn, src content, meta *mdMeta, now time.Time) bool {
	t := m.served(c)
	if c.member == nil || c.member.faulty || !c.flows || t == nil || l.array.errors {
		return false
	}
	target := t.n.disks.find(t.disk)
	if target == nil {
		return false
	}
	paths := differing(src, contentOf(target.volume))
	if !c.member.inSync {
		if now.Before(c.member.ends) {
			return false
		}
		if !c.member.full {
			paths = meta.known(paths)
		}
		target.volume.writeOver(src, paths)
		c.member.inSync = true
		m.shareMeta(c, meta)
		return true
	}
	// What a wrong partial resync has left is not written again: only what has changed since is sent.
	paths = meta.known(paths)
	all := len(paths)
	if c.mode == "asynchronous" {
		paths = before(src, paths, now.Add(-m.world.rtt(c.from, c.to)/2))
	}
	if len(paths) > 0 {
		target.volume.writeOver(src, paths)
		m.shareMeta(c, meta)
	}
	return len(paths) == all
}

// pending tells that something written has not reached the other end. mu is held.
func (m *mirrors) pending(c *nbdConn, src content, meta *mdMeta) bool {
	t := m.leg(c.server.n, c.server.slug)
	if c.member == nil || t == nil {
		return false
	}
	d := t.n.disks.find(t.disk)
	return d != nil && len(meta.known(differing(src, contentOf(d.volume)))) > 0
}

// served is the leg at the other end of a connection; nil when its server does not live.
func (m *mirrors) served(c *nbdConn) *mirrorLeg {
	if !c.server.lives() {
		return nil
	}
	return m.leg(c.server.n, c.server.slug)
}

// shareMeta writes the array's superblock and bitmap to a member as well.
func (m *mirrors) shareMeta(c *nbdConn, meta *mdMeta) {
	t := m.served(c)
	if t == nil || c.member == nil || !c.member.inSync {
		return
	}
	own := meta.copy()
	own.half = ""
	if d := t.n.disks.find(t.disk); d != nil {
		own.seen = contentOf(d.volume)
	}
	m.keepMeta(t, own)
}

// cutShort leaves at the other end what a resync had copied so far. mu is held.
func (m *mirrors) cutShort(l *mirrorLeg, c *nbdConn, src content, now time.Time) {
	t := m.leg(c.server.n, c.server.slug)
	if t == nil || c.member == nil || c.member.inSync || !c.server.n.Powered() {
		return
	}
	target, meta := t.n.disks.find(t.disk), m.meta(l)
	if target == nil || meta == nil {
		return
	}
	when := now
	if !c.silent.IsZero() && c.silent.Before(now) {
		when = c.silent
	}
	paths := differing(src, contentOf(target.volume))
	if !c.member.full {
		paths = meta.known(paths)
	}
	share := 1.0
	if whole := c.member.ends.Sub(c.member.began); whole > 0 {
		share = min(float64(when.Sub(c.member.began))/float64(whole), 1)
	}
	target.volume.writeOver(src, paths[:int(float64(len(paths))*share)])
	c.member.ends = when
}

// settleThaw lets writes go on, or wait. mu is held.
func (m *mirrors) settleThaw(a *mdArray) {
	frozen := !a.errors && slices.ContainsFunc(a.orderly(), (*nbdConn).waits)
	switch {
	case frozen && a.thaw == nil:
		a.thaw = make(chan struct{})
	case !frozen && a.thaw != nil:
		close(a.thaw)
		a.thaw = nil
	}
}

// frozen is what whoever wants to write asks of the array's device.
func (m *mirrors) frozen(l *mirrorLeg) <-chan struct{} {
	m.sync()
	m.mu.Lock()
	defer m.mu.Unlock()
	if l.array == nil || l.array.thaw == nil {
		return nil
	}
	for _, c := range l.array.orderly() {
		c.asked = c.asked || c.waits()
	}
	m.poll(l)
	return l.array.thaw
}

// poll looks again from time to time while something waits: a tunnel that works again tells nobody. mu is held.
func (m *mirrors) poll(l *mirrorLeg) {
	a := l.array
	if a == nil || a.polled || a.thaw == nil {
		return
	}
	a.polled = true
	life := l.n.life()
	m.world.spawn(func() {
		_ = sleep(life, mirrorPoll)
		m.mu.Lock()
		a.polled = false
		m.mu.Unlock()
		if life.Err() != nil {
			return
		}
		m.sync()
		m.mu.Lock()
		defer m.mu.Unlock()
		m.poll(l)
	})
}

// end takes a connection's way away. What was on it and not written yet may still come. mu is held.
func (m *mirrors) end(l *mirrorLeg, c *nbdConn) {
	if c.gone {
		return
	}
	c.gone = true
	if !c.flows && c.connected && c.member != nil && !c.member.faulty {
		m.leaveLate(l, c)
	}
	if c.server.client == c && c.flows {
		c.server.client = nil
	}
	c.connected, c.flows = false, false
}

// down is called before a node's power goes: what it had sent to a node that hangs is there already.
func (m *mirrors) down(n *Node) {
	m.sync()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.at(n).legs {
		if l.array == nil {
			continue
		}
		for _, c := range l.array.orderly() {
			if !c.flows && c.connected && !c.gone && m.world.joined(c.from, c.to) {
				m.leaveLate(l, c)
			}
		}
	}
}

func (m *mirrors) leaveLate(l *mirrorLeg, c *nbdConn) {
	disk, t := l.n.disks.find(l.disk), m.served(c)
	if disk == nil || t == nil {
		return
	}
	src, target := contentOf(disk.volume), t.n.disks.find(t.disk)
	if target == nil {
		return
	}
	w := &lateWrites{from: c.from, to: c.to, server: c.server, files: content{}}
	for _, p := range differing(src, contentOf(target.volume)) {
		if !strings.HasPrefix(p, "/.") {
			w.files[p] = src[p]
		}
	}
	w.buffered = m.world.joined(c.from, c.to) // it hung: what was sent has arrived
	if len(w.files) > 0 {
		m.late = append(m.late, w)
	}
}

// deliverLate writes what old server processes still held. mu is held.
func (m *mirrors) deliverLate() {
	m.late = slices.DeleteFunc(m.late, func(w *lateWrites) bool {
		if !w.server.lives() {
			return true
		}
		from := m.world.Node(w.from)
		arrives := w.buffered || from != nil && from.Powered() && m.world.joined(w.from, w.to)
		t := m.leg(w.server.n, w.server.slug)
		if !arrives || t == nil || !w.server.n.runs(w.server.boot) {
			return false
		}
		if d := t.n.disks.find(t.disk); d != nil {
			var paths []string
			for p := range w.files {
				paths = append(paths, p)
			}
			d.volume.writeOver(w.files, paths)
		}
		return true
	})
}
