package nodesim

import (
	"crypto/ed25519"
	"fmt"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// The parties that are no nodes.
const (
	Engine = "engine"
	Client = "client"
)

// Options of a world. The zero value is a fast network on which anybody logs in.
type Options struct {
	// Authorized keys; empty lets any key in.
	Authorized []ssh.PublicKey
	// CommandTime is how long a command of a script takes; 0 = 1 ms, negative = none.
	CommandTime time.Duration
	// RTT is the round trip between two parties, by name; nil = none.
	RTT func(a, b string) time.Duration
	// BootTime is how long a node takes from PowerOn until it answers; 0 = 5 s, negative = none.
	BootTime time.Duration
	// Watch is told everything that comes and goes on nodes, at once and in order. It is
	// called with the node's lock held: it must not wait and not call back.
	Watch func(Change)
}

// World is a network with nodes, an engine and a client on it.
type World struct {
	opts     Options
	commands map[string]func(*command) int // read only
	scripts  scripts
	natives  map[string]native // read only
	// interpretAll leaves every script to the interpreter; overheard is told of every
	// script before it runs, and whether it is answered without. Both serve tests.
	interpretAll bool
	overheard    func(p process, script string, native bool)
	ipsec        *ipsecWorld
	mirrors      *mirrors

	mu       sync.Mutex // never held while waiting
	nodes    map[string]*Node
	byAddr   map[string]string                    // primary or public address or name → node; virtual ones are looked up
	routes   func(from string, to netip.Addr) Hop // nil = everybody reaches everybody
	resolver func(name string) []string           // names.go
	cuts     map[[2]string]bool
	isolated map[string]bool
	links    map[*link]bool
	closed   bool
	running  sync.WaitGroup
	idle     []chan func() // goroutines that wait for work; see spawn
}

// NewWorld makes an empty world.
func NewWorld(opts Options) *World {
	switch {
	case opts.CommandTime == 0:
		opts.CommandTime = time.Millisecond
	case opts.CommandTime < 0:
		opts.CommandTime = 0
	}
	switch {
	case opts.BootTime == 0:
		opts.BootTime = 5 * time.Second
	case opts.BootTime < 0:
		opts.BootTime = 0
	}
	w := &World{
		opts: opts, commands: commands(), natives: natives(), nodes: map[string]*Node{}, byAddr: map[string]string{},
		cuts: map[[2]string]bool{}, isolated: map[string]bool{}, links: map[*link]bool{},
	}
	w.ipsec, w.mirrors = newIPsec(w), newMirrors(w)
	return w
}

// NodeConfig describes a node. Address is on Interface, with Prefix bits (24 when 0).
type NodeConfig struct {
	Name, Address, Interface string
	Prefix                   int
	// Connect is another name or address that the engine dials it by; may be empty.
	Connect string
	// Public is the address under which the Internet knows it, translated to Address on the way; may be empty.
	Public string
	// NoSSH makes a plain host, a witness: it answers pings and its services.
	NoSSH bool
	// Services it can run.
	Services []Service
}

// AddNode adds a node, powered on.
func (w *World) AddNode(c NodeConfig) (*Node, error) {
	n, err := newNode(w, c)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range []string{c.Name, c.Address, c.Connect, c.Public} {
		if key == "" {
			continue
		}
		if other, taken := w.byAddr[key]; taken && other != c.Name {
			return nil, fmt.Errorf("nodes %s and %s share %s", other, c.Name, key)
		}
		w.byAddr[key] = c.Name
	}
	w.nodes[c.Name] = n
	return n, nil
}

// Node finds a node by name; nil when there is none.
func (w *World) Node(name string) *Node {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nodes[name]
}

func (w *World) lookup(host string) *Node {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nodes[w.byAddr[host]]
}

// Close ends everything that runs: connections, scripts. It returns when all has ended.
func (w *World) Close() {
	w.mu.Lock()
	w.closed = true
	nodes := w.allNodes()
	for _, work := range w.idle {
		close(work)
	}
	w.idle = nil
	w.mu.Unlock()
	for _, n := range nodes {
		n.Resume()
		n.PowerOff()
	}
	w.dropLinks(func(*link) bool { return true })
	w.running.Wait()
}

func (w *World) allNodes() []*Node {
	var out []*Node
	for _, n := range w.nodes {
		out = append(out, n)
	}
	return out
}

// spawn runs f and lets Close wait for it; not at all when the world is closed.
func (w *World) spawn(f func()) bool {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return false
	}
	w.running.Add(1)
	var work chan func()
	if k := len(w.idle); k > 0 {
		work, w.idle = w.idle[k-1], w.idle[:k-1]
	}
	w.mu.Unlock()
	if work != nil {
		work <- f
	} else {
		go w.work(f)
	}
	return true
}

// maxIdle is how many goroutines are kept for later.
const maxIdle = 32

// work runs f and what comes after it. Interpreting needs a deep stack, and to let it
// grow anew for every script costs more than many a script.
func (w *World) work(f func()) {
	work := make(chan func(), 1)
	for more := true; more; f, more = <-work {
		func() { defer w.running.Done(); f() }()
		w.mu.Lock()
		if w.closed || len(w.idle) >= maxIdle {
			w.mu.Unlock()
			return
		}
		w.idle = append(w.idle, work)
		w.mu.Unlock()
	}
}

func pair(a, b string) [2]string {
	if a > b {
		a, b = b, a
	}
	return [2]string{a, b}
}

// Cut lets every packet between two parties vanish.
func (w *World) Cut(a, b string) { w.change(func() { w.cuts[pair(a, b)] = true }) }

// Heal undoes Cut.
func (w *World) Heal(a, b string) { w.change(func() { delete(w.cuts, pair(a, b)) }) }

// CutNode cuts one party off from everybody.
func (w *World) CutNode(a string) { w.change(func() { w.isolated[a] = true }) }

// HealNode undoes CutNode; single cuts stay.
func (w *World) HealNode(a string) { w.change(func() { delete(w.isolated, a) }) }

// HealAll undoes every cut.
func (w *World) HealAll() { w.change(func() { clear(w.cuts); clear(w.isolated) }) }

// change alters the network and makes all that waits look again.
func (w *World) change(f func()) {
	w.ipsec.sync() // what led up to this happened on the network as it was
	w.mirrors.sync()
	w.mu.Lock()
	f()
	w.mu.Unlock()
	w.wakeAll()
	w.mirrors.sync()
}

func (w *World) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for l := range w.links {
		l.fore.wake()
		l.back.wake()
	}
}

// KillConnections resets every connection to and from a node.
func (w *World) KillConnections(node string) {
	w.dropLinks(func(l *link) bool { return l.from == node || l.to == node })
}

func (w *World) dropLinks(which func(*link) bool) {
	w.mu.Lock()
	var gone []*link
	for l := range w.links {
		if which(l) {
			gone = append(gone, l)
			delete(w.links, l)
		}
	}
	w.mu.Unlock()
	for _, l := range gone {
		l.fore.close(syscall.ECONNRESET)
		l.back.close(syscall.ECONNRESET)
	}
}

func (w *World) forget(l *link) {
	w.mu.Lock()
	delete(w.links, l)
	w.mu.Unlock()
}

// joined tells whether packets pass between two parties, whatever their state.
func (w *World) joined(a, b string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return a == b || !w.cuts[pair(a, b)] && !w.isolated[a] && !w.isolated[b]
}

func (w *World) rtt(a, b string) time.Duration {
	if w.opts.RTT == nil || a == b {
		return 0
	}
	return w.opts.RTT(a, b)
}

func newHostKey() (ssh.Signer, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("making a host key: %w", err)
	}
	return ssh.NewSignerFromKey(key)
}
