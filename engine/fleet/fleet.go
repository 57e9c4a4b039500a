package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/sshexec"
	"github.com/ferry-ha/ferry/sshexec/wire"
)

// Dialer opens connections; nil is the network. The simulated estate gives its own.
type Dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// Identity is what the engine shows to a node's record.
type Identity struct {
	Estate, Engine string
	Epoch          uint64
	// After is the highest epoch of other engines that was seen when this one adopted
	// the estate; 0 = it never did.
	After uint64
	// Who leads, as people read it, and since when: for the record and its refusals.
	Who   string
	Since time.Time
}

// guard is what goes out with a script that changes something.
func (id Identity) guard(unit, lock string) *wire.Guard {
	return &wire.Guard{Unit: unit, Lock: lock, Estate: id.Estate, Engine: id.Engine, Epoch: id.Epoch,
		After: id.After, Leader: printable(id.Who), Since: id.Since}
}

// printable keeps a name to what a record may hold: one line of ASCII, 200 characters at most.
func printable(s string) string {
	out := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return out[:min(len(out), 200)]
}

// Fleet reaches the nodes of one estate.
type Fleet struct {
	pool *sshexec.Pool
	log  *slog.Logger
	// stopping is called with every heartbeat of a node that is being shut down in good order.
	stopping func(node string)
	// restarted is told of nodes whose heartbeat comes from another boot than the last one.
	restarted func(node string)
	boots     map[string]string // by node, from its last heartbeat

	mu      sync.Mutex
	targets map[string]sshexec.Target
	flushed map[string]time.Time // when a node's heartbeat last went to the disk
	self    Identity
	trouble map[string]error // why the last heartbeat was not answered
	leaders Leaders          // nil: nobody wants to know
}

// New makes a fleet without nodes; Define names them. stopping is called with every
// heartbeat of a node that is being shut down in good order; it must not wait.
func New(dial Dialer, stopping func(node string), log *slog.Logger) *Fleet {
	return &Fleet{stopping: stopping, pool: sshexec.NewPool(sshexec.Options{DialContext: dial}), log: log, targets: map[string]sshexec.Target{}, flushed: map[string]time.Time{}, boots: map[string]string{}, trouble: map[string]error{}}
}

// Define takes the servers of a definition; connections to unchanged ones stay.
func (f *Fleet) Define(e *hierarchy.Estate, self Identity) {
	targets := make(map[string]sshexec.Target, len(e.Servers))
	for _, s := range e.Servers {
		targets[s.Name] = target(e.SSH, s)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.targets, f.self = targets, self
}

// target joins the estate's ssh settings with the server's own, which win.
func target(all hierarchy.SSH, s hierarchy.Server) sshexec.Target {
	pick := func(own, common string) string {
		if own != "" {
			return own
		}
		return common
	}
	t := sshexec.Target{
		Name: s.Name, Host: pick(s.Connect, s.Address), User: pick(s.SSH.User, all.User),
		ProxyJump: pick(s.SSH.Jump, all.Jump), ConfigFile: pick(s.SSH.Config, all.Config), Port: s.SSH.Port,
	}
	if t.Port == 0 {
		t.Port = all.Port
	}
	if id := pick(s.SSH.Identity, all.Identity); id != "" {
		t.IdentityFiles = []string{id}
	}
	if kh := pick(s.SSH.KnownHosts, all.KnownHosts); kh != "" {
		t.KnownHosts = []string{kh}
	}
	return t
}

// Close ends all connections.
func (f *Fleet) Close() { f.pool.Close() }

// Trouble is why the node's last heartbeat was not answered, for people: it says
// what to do. nil when it was, or when none was tried.
func (f *Fleet) Trouble(node string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.trouble[node]
}

func (f *Fleet) note(node string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trouble[node] = err
}

// Stats counts round trips and bytes since New.
func (f *Fleet) Stats() sshexec.Stats { return f.pool.Stats() }

// node finds the connection for a server.
func (f *Fleet) node(name string) (*sshexec.Node, Identity, error) {
	f.mu.Lock()
	t, ok := f.targets[name]
	self := f.self
	f.mu.Unlock()
	if !ok {
		return nil, self, fmt.Errorf("%s is not a server of this estate", name)
	}
	return f.pool.Node(t), self, nil
}
