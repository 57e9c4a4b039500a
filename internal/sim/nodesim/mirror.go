package nodesim

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Simulated mirrors of disks (md over nbd, as kits/datakeeper builds them). Every leg has content of its own: the files of
// the volume on its disk stand for blocks. What a source wrote is brought to its other legs whenever somebody looks
// and before anything of the network or of a node's power changes (sync); so a link that is cut leaves at the other
// end just what had been written by then. A write is waited for (blockDev.frozen) while a leg of the array does not
// answer. Superblock and bitmap are each leg's own: a partial resync copies what the bitmap of the source's knows and nothing
// else, so one that is begun wrongly leaves legs that differ and look well (MirrorDiffers finds them).
//
// What is sent and not yet delivered when a connection is ended lies with the server process at the other
// end; while that process lives it may still write it (late).

// Figures of the real ones.
const (
	// mirrorSpeed is how fast a resync is unless a test says otherwise, in bytes a second: md's own limit.
	mirrorSpeed = 200 << 20
	// mirrorGivesUp is when a kernel gives up a TCP connection that does not answer.
	mirrorGivesUp = 15 * time.Minute
	// mirrorChunk is how many bytes one bit of a bitmap stands for.
	mirrorChunk = 64 << 10
	// mirrorPoll is how often one that waits is looked at for changes that nobody told.
	mirrorPoll = 500 * time.Millisecond
)

// mirrors are those of a world. mu is never held while waiting, and may be held while a node's and its disks'
// locks are taken, but not the other way round.
type mirrors struct {
	world *World

	mu    sync.Mutex
	nodes map[string]*mirrorNode
	metas map[string]*mdMeta // by what stands in the metadata file
	count int
	late  []*lateWrites
	speed int64
}

func newMirrors(w *World) *mirrors {
	return &mirrors{world: w, nodes: map[string]*mirrorNode{}, metas: map[string]*mdMeta{}, speed: mirrorSpeed}
}

// mirrorNode is what a node's kernel has of mirrors. It goes with the power.
type mirrorNode struct {
	node *Node
	boot int
	legs map[string]*mirrorLeg // by slug
	// served is what serve.sh leaves in /run: generation and array of the leg, by slug.
	served map[string]string
}

// mirrorLeg is a disk with its metadata file, and what stands on it.
type mirrorLeg struct {
	n          *Node
	slug, disk string // disk is the kernel's name
	dm         string
	metaFile   string
	array      *mdArray   // nil: it is in none
	server     *nbdServer // nil: it is not served
}

// mdMeta is what lies in a leg's metadata file: superblock and bitmap.
type mdMeta struct {
	uuid    string // empty = nothing
	sectors int64
	disks   int
	// half: a resync onto it has not ended: "full", or "bitmap" for one with the bitmap's help. Empty = it is whole.
	half string
	// events and cleared count as md does: a member of before cleared cannot come back with the bitmap's help.
	events, cleared int
	// The rest of the superblock: when it was last written, whether the array was clean then, the legs' nodes by their
	// numbers, and those that had their place.
	stamp   int64
	clean   bool
	members []string
	active  map[string]bool
	dirty   map[int]bool // chunks
	seen    content      // what was on the disk when dirty was made
}

func (m *mdMeta) copy() *mdMeta {
	c := *m
	c.dirty, c.active, c.members = maps.Clone(m.dirty), maps.Clone(m.active), slices.Clone(m.members)
	return &c
}

// mdArray runs on the source.
type mdArray struct {
	name   string
	device string
	disks  int
	conns  map[string]*nbdConn // by the node at the other end
	thaw   chan struct{}       // non-nil: writes wait; closed when they go on
	polled bool
	errors bool // the own leg answers with errors
}

// nbdServer serves a leg.
type nbdServer struct {
	n      *Node
	slug   string
	boot   int
	addr   netip.Addr
	port   int
	source string // address that is let in
	client *nbdConn
	dead   bool
}

// nbdConn is a connection to another node's leg, with the device over it that decides what its loss means.
type nbdConn struct {
	from, to  string
	address   string // of the other end
	server    *nbdServer
	dm, nbd   string
	number    int // -1: its join has not ended
	mode      string
	patience  time.Duration // 0 = for ever
	connected bool
	gone      bool // it was taken apart: nobody waits for it
	errors    bool // it reports errors instead of waiting
	flows     bool
	silent    time.Time // since when it does not flow
	asked     bool      // something waits for it
	stuck     time.Time // the first pulse that saw it wait
	how       string    // partial or full, as it was connected for
	dirty     string    // chunks that the other side wrote on its own
	member    *mdMember // nil: the array does not have it
}

// mdMember is another node's leg as a part of the array.
type mdMember struct {
	faulty, inSync bool
	writeMostly    bool
	full           bool
	began, ends    time.Time // of its resync
}

// lateWrites is what a connection had sent and the other end had not yet written when it ended.
type lateWrites struct {
	from, to string
	server   *nbdServer
	files    content
	buffered bool // it lies with the server, which only has to go on
}

// at is a node's mirrors; what was before its last boot is forgotten. mu is held.
func (m *mirrors) at(n *Node) *mirrorNode {
	mn := m.nodes[n.name]
	if boot := n.bootCount(); mn == nil || mn.boot != boot {
		mn = &mirrorNode{node: n, boot: boot, legs: map[string]*mirrorLeg{}, served: map[string]string{}}
		m.nodes[n.name] = mn
	}
	return mn
}

// leg finds a leg that is put together; nil when there is none. mu is held.
func (m *mirrors) leg(n *Node, slug string) *mirrorLeg { return m.at(n).legs[slug] }

// all are the legs of nodes that have power, in order. mu is held.
func (m *mirrors) all() []*mirrorLeg {
	var out []*mirrorLeg
	for _, name := range slices.Sorted(maps.Keys(m.nodes)) {
		mn := m.nodes[name]
		if !mn.node.Powered() || mn.boot != mn.node.bootCount() {
			continue
		}
		for _, slug := range slices.Sorted(maps.Keys(mn.legs)) {
			out = append(out, mn.legs[slug])
		}
	}
	return out
}

// serving tells that the server process lives, with or without a network.
func (s *nbdServer) lives() bool {
	return s != nil && !s.dead && s.n.Powered() && s.n.bootCount() == s.boot
}

// waits tells that writes wait for a connection that does not answer.
func (c *nbdConn) waits() bool {
	if c.member == nil || c.member.faulty || c.gone || c.flows || c.errors {
		return false
	}
	return c.mode != "asynchronous"
}

// orderly are an array's connections, by node.
func (a *mdArray) orderly() []*nbdConn {
	var out []*nbdConn
	for _, n := range slices.Sorted(maps.Keys(a.conns)) {
		out = append(out, a.conns[n])
	}
	return out
}

// meta is what lies in a leg's metadata file; nil when the file is gone.
func (m *mirrors) meta(l *mirrorLeg) *mdMeta {
	text, err := l.n.fs.read(l.metaFile)
	if err != nil || len(text) == 0 {
		return nil
	}
	return m.metas[string(text)]
}

// keepMeta writes it.
func (m *mirrors) keepMeta(l *mirrorLeg, meta *mdMeta) {
	if text, err := l.n.fs.read(l.metaFile); err == nil {
		m.metas[string(text)] = meta
	}
}
