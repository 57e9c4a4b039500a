package nodesim

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// The IPsec daemons of a world and what they agreed on. Nothing runs in the background:
// what would have happened since the last look is worked out when somebody looks (sync),
// and before anything changes on which it depends: a cut, a node's power, a fault. So
// between two looks nothing changes but the time, and the outcome is exact.
//
// The times are Libreswan 4.10's, as recorded on two real nodes.
const (
	// handshake is from a first packet that gets through to the tunnel.
	handshake = 100 * time.Millisecond
	// retransmitLimit is when an exchange without an answer is given up: the seven
	// pauses of retransmits together. A cut tunnel shows "up" as long.
	retransmitLimit = 63500 * time.Millisecond
	plutoStart      = 4600 * time.Millisecond // systemctl start
	plutoStop       = 1200 * time.Millisecond // systemctl stop
	plutoRestart    = 4 * time.Second         // from a kill until systemd has it up again
	reviveStep      = 5 * time.Second         // after a refused authentication; longer each time
	reviveMost      = 300 * time.Second
)

// retransmits are when the packets of an exchange without an answer are sent, after its begin.
var retransmits = []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond, 3500 * time.Millisecond, 7500 * time.Millisecond, 15500 * time.Millisecond, 31500 * time.Millisecond}

// ipsecWorld is all of it. Its lock comes before the world's and the nodes'.
type ipsecWorld struct {
	world *World

	mu       sync.Mutex // never held while waiting
	at       time.Time  // how far things have been worked out
	daemons  []*pluto
	noData   map[[2]string]bool // between these nodes IKE passes and ESP does not
	sessions uint64
}

type plutoState int

const (
	plutoStopped plutoState = iota
	plutoStarting
	plutoRuns
	plutoDead // killed; systemd starts it again
)

// pluto is the daemon of one node.
type pluto struct {
	node    *Node
	state   plutoState
	until   time.Time // of starting, or of being dead
	frozen  bool      // stopped by a signal: it is there and answers nothing
	broken  bool      // no start succeeds
	conns   []*ipsecConn
	secrets []secret
	serial  int // of connections
	sas     int // of IKE and Child SAs
	pid     int
}

// ipsecConn is one connection that a daemon has loaded.
type ipsecConn struct {
	*connSetting
	d      *pluto
	serial int  // of the first part
	up     bool // meant to be up: auto=start, or --up
	routed bool // the kernel has a policy: packets for the peer go into the tunnel or nowhere

	session  uint64 // the same at both ends of a tunnel; 0 = not established
	ike      int    // the number of the IKE SA, established or in the making
	since    time.Time
	children []*childSA
	kernel   bool      // the kernel has the keys, too
	probe    time.Time // when the peer was asked for the first time without an answer

	try     time.Time // the attempt under way began; zero = there is none
	sent    int       // packets of it
	revive  time.Time // the next attempt after a refusal; zero = none
	revives int
	refused int // the number of the IKE SA that was refused last
}

// childSA carries one pair of networks.
type childSA struct {
	num, part       int
	since           time.Time
	spiIn, spiOut   uint32
	bytesIn, bytesO int64
}

func newIPsec(w *World) *ipsecWorld {
	return &ipsecWorld{world: w, noData: map[[2]string]bool{}}
}

// sync works out what has happened until now.
func (v *ipsecWorld) sync() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.advance(time.Now())
}

// do changes something, with all worked out before it.
func (v *ipsecWorld) do(f func(now time.Time)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now()
	v.advance(now)
	f(now)
}

// on finds a node's daemon; nil where there is none. v.mu is held.
func (v *ipsecWorld) on(node string) *pluto {
	for _, d := range v.daemons {
		if d.node.name == node {
			return d
		}
	}
	return nil
}

// answers tells whether the daemon takes part: it runs, and programs run on its node.
func (d *pluto) answers() bool {
	return d.state == plutoRuns && !d.frozen && d.node.runs(d.node.bootCount())
}

// conn finds a loaded connection.
func (d *pluto) conn(name string) *ipsecConn {
	for _, c := range d.conns {
		if c.name == name {
			return c
		}
	}
	return nil
}

func (d *pluto) number() int {
	d.sas++
	return d.sas
}

// far finds the daemon at the peer's address; nil when nothing gets there now.
func (v *ipsecWorld) far(c *ipsecConn) *pluto {
	n := v.world.lookup(c.peer.String())
	if n == nil || !v.world.joined(c.d.node.name, n.name) || !c.d.node.kernelUp() || !n.kernelUp() {
		return nil
	}
	if p := v.on(n.name); p != nil && p.answers() {
		return p
	}
	return nil
}

// twin is the peer's connection that leads back here.
func (c *ipsecConn) twin(p *pluto) *ipsecConn {
	for _, o := range p.conns {
		if own := c.d.node; o.peer.String() == own.config.Public || o.peer.String() == own.address {
			return o
		}
	}
	return nil
}

// mate is the other end of an established tunnel, however reachable; nil when it is gone.
func (v *ipsecWorld) mate(c *ipsecConn) *ipsecConn {
	if c.session == 0 {
		return nil
	}
	for _, p := range v.daemons {
		for _, o := range p.conns {
			if o != c && o.session == c.session {
				return o
			}
		}
	}
	return nil
}

// heard tells whether the peer answers on the established tunnel.
func (v *ipsecWorld) heard(c *ipsecConn) bool {
	p, m := v.far(c), v.mate(c)
	return p != nil && m != nil && m.d == p
}

// advance lets happen what is due until now, in order. v.mu is held.
func (v *ipsecWorld) advance(now time.Time) {
	if len(v.daemons) == 0 {
		v.at = now
		return
	}
	for {
		var first func(time.Time)
		at := now
		for _, d := range v.daemons {
			if f, due := v.nextOf(d); f != nil && (first == nil && !due.After(at) || due.Before(at)) {
				first, at = f, due
			}
		}
		if first == nil {
			break
		}
		if at.After(v.at) {
			v.at = at
		}
		first(v.at)
	}
	v.at = now
}

// nextOf is what a daemon does next if nothing changes, and when.
func (v *ipsecWorld) nextOf(d *pluto) (do func(time.Time), due time.Time) {
	if d.state == plutoStarting || d.state == plutoDead {
		return func(t time.Time) { v.run(d, t) }, d.until
	}
	if !d.answers() {
		return nil, due
	}
	for _, c := range d.conns {
		if f, at := v.nextOn(c); f != nil && (do == nil || at.Before(due)) {
			do, due = f, at
		}
	}
	return do, due
}

// nextOn is what a daemon does next about one connection.
func (v *ipsecWorld) nextOn(c *ipsecConn) (do func(time.Time), due time.Time) {
	switch heard := c.session != 0 && v.heard(c); {
	case c.session != 0 && !c.probe.IsZero() && heard:
		for _, d := range retransmits {
			if due = c.probe.Add(d); !due.Before(v.at) {
				break
			}
		}
		return func(time.Time) { c.probe = time.Time{} }, due
	case c.session != 0 && !c.probe.IsZero():
		return func(t time.Time) { v.lost(c, t) }, c.probe.Add(retransmitLimit)
	case c.session != 0 && !heard && c.liveness > 0:
		ticks := (v.at.Sub(c.since) + c.liveness - 1) / c.liveness
		return func(t time.Time) { c.probe = t }, c.since.Add(ticks * c.liveness)
	case c.session != 0:
	case !c.try.IsZero() && c.sent < len(retransmits):
		return func(t time.Time) { v.transmit(c, t) }, c.try.Add(retransmits[c.sent] + handshake)
	case !c.try.IsZero():
		return func(t time.Time) { c.begin(t) }, c.try.Add(retransmitLimit)
	case !c.revive.IsZero():
		return func(t time.Time) { c.begin(t) }, c.revive
	}
	return nil, due
}

// begin starts an attempt.
func (c *ipsecConn) begin(t time.Time) {
	c.try, c.sent, c.revive, c.routed = t, 0, time.Time{}, true
	c.ike = c.d.number()
}

// transmit is a packet of an attempt: it gets an answer, a refusal, or nothing.
func (v *ipsecWorld) transmit(c *ipsecConn, t time.Time) {
	p := v.far(c)
	var m *ipsecConn
	if p != nil {
		m = c.twin(p)
	}
	switch key := shared(c.d.secrets, c.ownID, c.peerID); {
	case m == nil:
		c.sent++
	case key == "" || key != shared(p.secrets, m.ownID, m.peerID):
		c.revives++
		c.refused, c.ike, c.try = c.ike, 0, time.Time{}
		c.revive = t.Add(min(time.Duration(c.revives)*reviveStep, reviveMost))
	default:
		v.establish(c, m, t)
	}
}

// establish makes the tunnel, of every part that both ends know. What either had before is replaced.
func (v *ipsecWorld) establish(c, m *ipsecConn, t time.Time) {
	v.sessions++
	m.ike = m.d.number()
	for _, e := range []*ipsecConn{c, m} {
		e.session, e.since, e.children, e.kernel, e.routed = v.sessions, t, nil, true, true
		e.probe, e.try, e.revive, e.revives, e.refused = time.Time{}, time.Time{}, time.Time{}, 0, 0
	}
	for k := range c.pairs() {
		v.child(c, m, k, t)
	}
}

// child adds an SA for one part, at both ends.
func (v *ipsecWorld) child(c, m *ipsecConn, k int, t time.Time) {
	pair := c.pairs()[k]
	j := slices.Index(m.pairs(), netPair{pair.peer, pair.own})
	if j < 0 {
		return // no proposal chosen
	}
	a := &childSA{num: c.d.number(), part: k, since: t}
	b := &childSA{num: m.d.number(), part: j, since: t}
	a.spiIn, a.spiOut = spi(v.sessions, a.num, 1), spi(v.sessions, a.num, 2)
	b.spiIn, b.spiOut = a.spiOut, a.spiIn
	c.children, m.children = append(c.children, a), append(m.children, b)
}

// spi is a number that looks like one and is the same in every run.
func spi(session uint64, num, side int) uint32 {
	x := (session*1000003+uint64(num))*2654435761 + uint64(side)*0x9e3779b1
	return uint32(x>>7) | 0x1000
}

// drop ends the tunnel or the attempt at this end only.
func (c *ipsecConn) drop() {
	c.session, c.ike, c.children, c.kernel = 0, 0, nil, false
	c.probe, c.try, c.revive = time.Time{}, time.Time{}, time.Time{}
}

// lost is a peer that did not answer any more.
func (v *ipsecWorld) lost(c *ipsecConn, t time.Time) {
	c.drop()
	if c.up || c.restart {
		c.begin(t)
	}
}

// terminate ends the tunnel in good order: the peer is told, and one that is meant to
// be up makes it anew at once.
func (v *ipsecWorld) terminate(c *ipsecConn, t time.Time) {
	m, p := v.mate(c), v.far(c)
	c.drop()
	if m != nil && p == m.d {
		m.drop()
		if m.up || m.restart {
			m.begin(t)
		}
	}
}

// run is a daemon that has come up: it has the kernel load what it needs, and loads what the files say.
func (v *ipsecWorld) run(d *pluto, t time.Time) {
	d.pid += 101
	d.state, d.frozen, d.conns, d.sas, d.serial = plutoRuns, false, nil, 0, 0
	if d.broken {
		d.state = plutoStopped
		return
	}
	d.node.fs.loadModules(ipsecModules...)
	d.secrets, _ = d.node.readSecrets()
	conf := d.node.readConf()
	for _, name := range sortedKeys(conf) {
		if a := conf[name].auto; a == "start" || a == "add" || a == "route" || a == "ondemand" {
			d.load(conf[name], a == "start", t)
		}
	}
}

// load adds a connection, and starts it where it is meant to be up.
func (d *pluto) load(s *connSetting, up bool, t time.Time) *ipsecConn {
	c := &ipsecConn{connSetting: s, d: d, serial: d.serial + 1, up: up}
	d.serial += len(s.pairs()) // every part has one
	d.conns = append(d.conns, c)
	if up {
		c.begin(t)
	}
	return c
}

// gone is a daemon that ended without a word. What systemd does after it empties the kernel, too.
func (d *pluto) gone(state plutoState, until time.Time) {
	d.state, d.until, d.frozen, d.conns = state, until, false, nil
}

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// policy is the connection into which the kernel puts a packet from src to dst, and the part; nil = none.
func (d *pluto) policy(src, dst netip.Addr) (*ipsecConn, int) {
	for _, c := range d.conns {
		if !c.routed {
			continue
		}
		for k, p := range c.pairs() {
			if p.own.Contains(src) && p.peer.Contains(dst) {
				return c, k
			}
		}
	}
	return nil, 0
}

// packet puts a packet of that many bytes into a tunnel; it gives the node where it comes out, nil when it does not.
func (v *ipsecWorld) packet(c *ipsecConn, k int, size int64) *Node {
	out := newestChild(c, k)
	if out == nil || !c.kernel {
		return nil
	}
	out.bytesO += size
	m := v.mate(c)
	if m == nil || !m.kernel || !v.world.joined(c.d.node.name, m.d.node.name) || !m.d.node.kernelUp() || v.noData[pair(c.d.node.name, m.d.node.name)] {
		return nil
	}
	for _, b := range m.children {
		if b.spiIn == out.spiOut {
			b.bytesIn += size
			return m.d.node
		}
	}
	return nil
}

func newestChild(c *ipsecConn, part int) *childSA {
	for _, s := range slices.Backward(c.children) {
		if s.part == part {
			return s
		}
	}
	return nil
}
