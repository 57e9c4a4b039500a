package nodesim

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

const sshPort = 22

// Service is a systemd unit of a node that listens on a port while it runs.
type Service struct {
	Name    string // "www" or "www.service"
	Port    int    // 0 = it does not listen
	Enabled bool   // starts at boot
	// StartTime is how long systemctl start takes.
	StartTime time.Duration
}

// Node is one simulated machine.
type Node struct {
	world         *World
	name, address string
	noSSH         bool
	config        NodeConfig
	hostKey       ssh.Signer
	fs            *disk
	recordTurn    chan struct{} // one look at the record at a time

	mu         sync.Mutex // never held while waiting
	power      bool
	ready      bool          // booted
	hung       chan struct{} // non-nil while hung; closed by Resume
	boots      int
	bootID     string
	since      time.Time
	ctx        context.Context // ends with the power: the lifetime of everything that runs on the node
	stop       context.CancelFunc
	ifaces     []*iface
	services   map[string]*service
	units      map[string]*sysUnit // transient units made with systemd-run
	guarded    map[string]*guarded
	locks      map[string]string // lock → unit that holds it
	missing    map[string]bool   // commands that are not installed
	stopping   bool              // being shut down in good order
	disks      *diskTable        // cmd_mount_disks.go; set once
	postgres   *pgWorld          // cmd_postgres.go; set once
	plutoShown int               // the process that stands below /proc as the IPsec daemon
}

type iface struct {
	name  string
	up    bool // the administrator's will
	cable bool // carrier
	addrs []netip.Prefix
}

type service struct {
	Service
	active, broken bool
	file           bool   // defined by a unit file on the node's disk
	execStop       string // its ExecStop, for those
}

func newNode(w *World, c NodeConfig) (*Node, error) {
	if _, err := netip.ParseAddr(c.Address); err != nil {
		return nil, fmt.Errorf("node %s: %w", c.Name, err)
	}
	if c.Interface == "" {
		c.Interface = "eth0"
	}
	if c.Prefix == 0 {
		c.Prefix = 24
	}
	key, err := newHostKey()
	if err != nil {
		return nil, err
	}
	n := &Node{world: w, name: c.Name, address: c.Address, noSSH: c.NoSSH, config: c, hostKey: key, fs: newDisk(), recordTurn: make(chan struct{}, 1)}
	n.disks, n.postgres = newDisks(n.fs), newPostgres(n)
	n.services = map[string]*service{}
	for _, s := range c.Services {
		s.Name = unitKey(s.Name)
		n.services[s.Name] = &service{Service: s}
	}
	n.boot(0)
	return n, nil
}

func unitKey(name string) string {
	if !strings.Contains(name, ".") {
		name += ".service"
	}
	return name
}

// boot starts the node: a new boot id, an empty /run, its own address, and the
// services that are enabled.
func (n *Node) boot(takes time.Duration) {
	n.switchOn(takes)
	if takes <= 0 {
		n.bootIPsec()
	}
}

func (n *Node) switchOn(takes time.Duration) {
	n.world.ipsec.sync()
	n.world.mirrors.sync()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.boots++
	n.power, n.ready, n.hung, n.stopping = true, takes <= 0, nil, false
	n.ctx, n.stop = context.WithCancel(context.Background())
	n.bootID, n.since = newBootID(), time.Now()
	n.units, n.guarded, n.locks = map[string]*sysUnit{}, map[string]*guarded{}, map[string]string{}
	addr := netip.PrefixFrom(netip.MustParseAddr(n.address), n.config.Prefix)
	n.ifaces = []*iface{
		{name: "lo", up: true, cable: true, addrs: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8")}},
		{name: n.config.Interface, up: true, cable: true, addrs: []netip.Prefix{addr}},
	}
	n.tell("power", "", true)
	for name, s := range n.services {
		s.active = false // without a word: it went with the power
		n.set(name, s, s.Enabled && !s.broken)
	}
	n.fs.reboot(n.bootID, n.name)
	if takes > 0 {
		boot := n.boots
		n.world.spawn(func() { n.finishBoot(n.ctx, boot, takes) })
	}
}

func (n *Node) finishBoot(ctx context.Context, boot int, takes time.Duration) {
	if sleep(ctx, takes) != nil {
		return
	}
	n.world.ipsec.sync()
	n.mu.Lock()
	mine := n.boots == boot
	n.ready = n.ready || mine
	n.mu.Unlock()
	if mine {
		n.bootIPsec()
	}
}

// bootIPsec starts the IPsec daemon when it is enabled.
func (n *Node) bootIPsec() {
	n.mu.Lock()
	s := n.services[ipsecUnit]
	enabled := s != nil && s.Enabled
	n.mu.Unlock()
	if enabled {
		n.StartIPsec()
	}
}

func newBootID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Name of the node.
func (n *Node) Name() string { return n.name }

// HostKey is the public key by which the node shows itself.
func (n *Node) HostKey() ssh.PublicKey { return n.hostKey.PublicKey() }

// ReplaceHostKey gives the node another key, as a machine in the middle would show.
func (n *Node) ReplaceHostKey() error {
	key, err := newHostKey()
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.hostKey = key
	n.mu.Unlock()
	return nil
}

// PowerOff pulls the plug. Connections fall silent; nothing is told to anybody.
func (n *Node) PowerOff() {
	n.world.mirrors.down(n)
	n.pluto(func(d *pluto, _ time.Time) { d.gone(plutoStopped, time.Time{}) })
	n.mu.Lock()
	if n.power {
		n.tell("power", "", false)
	}
	n.power, n.ready = false, false
	n.stop() // at once with the power: nobody may see the one without the other, and tell a client something
	n.mu.Unlock()
	n.world.wakeAll()
	n.world.mirrors.sync()
}

// PowerOn boots the node again after Options.BootTime; connections of the time
// before break. Without effect on a node that has power.
func (n *Node) PowerOn() {
	n.mu.Lock()
	on := n.power
	n.mu.Unlock()
	if on {
		return
	}
	n.boot(n.world.opts.BootTime)
	n.world.KillConnections(n.name)
}

// Powered tells whether the node has power.
func (n *Node) Powered() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.power
}

// Hang stops every program while the kernel goes on answering.
func (n *Node) Hang() {
	n.world.ipsec.sync()
	n.world.mirrors.sync()
	n.mu.Lock()
	if n.hung == nil {
		n.hung = make(chan struct{})
	}
	n.mu.Unlock()
}

// Resume lets the programs of a hung node go on where they were.
func (n *Node) Resume() {
	n.world.ipsec.sync()
	n.mu.Lock()
	if n.hung != nil {
		close(n.hung)
		n.hung = nil
	}
	n.mu.Unlock()
	n.world.wakeAll()
	n.world.mirrors.sync()
}

// gate waits while the node hangs.
func (n *Node) gate(ctx context.Context) error {
	for {
		n.mu.Lock()
		hung := n.hung
		n.mu.Unlock()
		if hung == nil {
			return ctx.Err()
		}
		select {
		case <-hung:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (n *Node) kernelUp() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.power && n.ready
}

// runs tells whether programs of that boot run now.
func (n *Node) runs(boot int) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.power && n.ready && n.hung == nil && n.boots == boot
}

func (n *Node) bootCount() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.boots
}

// life is the context of everything that runs in this boot.
func (n *Node) life() context.Context {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ctx
}

// Carries tells whether an address is on an interface whose link is up.
func (n *Node) Carries(addr string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, i := range n.ifaces {
		if i.up && i.cable && slices.ContainsFunc(i.addrs, func(p netip.Prefix) bool { return p.Addr().String() == addr }) {
			return true
		}
	}
	return false
}

// Addresses lists what the node has on its interfaces, "eth0 10.0.0.10/24".
func (n *Node) Addresses() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []string
	for _, i := range n.ifaces {
		for _, a := range i.addrs {
			out = append(out, i.name+" "+a.String())
		}
	}
	return out
}

// SetCable plugs the cable of an interface in or pulls it out. SSH is not affected:
// an estate's management way is not modelled. Unknown interfaces are an error.
func (n *Node) SetCable(name string, in bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	i := n.iface(name)
	if i == nil {
		return fmt.Errorf("%s has no interface %s", n.name, name)
	}
	i.cable = in
	return nil
}

// iface finds an interface; n.mu must be held.
func (n *Node) iface(name string) *iface {
	for _, i := range n.ifaces {
		if i.name == name {
			return i
		}
	}
	return nil
}

// listens tells whether a service that runs has the port.
func (n *Node) listens(port int) bool {
	if n.postgres.listens(port) {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.services {
		if s.active && s.Port == port {
			return true
		}
	}
	return false
}

// Running tells whether a service runs.
func (n *Node) Running(name string) bool {
	if unitKey(name) == ipsecUnit {
		return n.world.ipsec.unitState(n) == "active"
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.services[unitKey(name)]
	return s != nil && s.active && n.power
}

// Kill ends a service as a crash would.
func (n *Node) Kill(name string) {
	n.setService(name, func(s *service) { n.set(unitKey(name), s, false) })
}

// Break ends a service and lets every start of it fail, until Mend.
func (n *Node) Break(name string) {
	n.setService(name, func(s *service) { n.set(unitKey(name), s, false); s.broken = true })
}

// Mend undoes Break; it does not start the service.
func (n *Node) Mend(name string) { n.setService(name, func(s *service) { s.broken = false }) }

func (n *Node) setService(name string, f func(*service)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s := n.services[unitKey(name)]; s != nil {
		f(s)
	}
}

// greet is what a service says to a connection: the node's name, as one line.
func (n *Node) greet(c net.Conn, port int) {
	_, _ = c.Write([]byte(n.name + " " + strconv.Itoa(port) + "\n"))
}

// WriteFile puts a file on the node's disk, as an administrator would.
func (n *Node) WriteFile(path, text string, executable bool) error {
	mode := uint32(0o644)
	if executable {
		mode = 0o755
	}
	return n.fs.put(path, []byte(text), mode)
}

// ReadFile reads one.
func (n *Node) ReadFile(path string) (string, error) {
	b, err := n.fs.read(path)
	return string(b), err
}

// RemoveFile takes a file away.
func (n *Node) RemoveFile(path string) error { return n.fs.remove(path, false) }

// Exec runs a script on the node outside of any wrapper, as an administrator's
// hand would, and returns its exit code and output.
func (n *Node) Exec(ctx context.Context, script string, args ...string) (int, string) {
	var out capture
	out.limit = 1 << 20
	code := n.shell(ctx, process{stdout: &out, stderr: &out, args: args}, script)
	return code, out.String()
}

// SetDiskFull makes every further write to the disk fail, or work again.
func (n *Node) SetDiskFull(full bool) { n.fs.setFull(full) }
