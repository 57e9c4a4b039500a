package nodesim

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"
)

// connectTimeout is how long a kernel tries to connect to nobody; Linux gives up
// after about two minutes.
const connectTimeout = 127 * time.Second

// DialContext connects the engine to host:port, like net.Dialer.DialContext.
func (w *World) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return w.DialFrom(ctx, Engine, network, addr)
}

// DialFrom connects any party. A way that is cut and a node without power are
// silent until ctx ends; a live node without such a port refuses.
func (w *World) DialFrom(ctx context.Context, from, network, addr string) (net.Conn, error) {
	return w.dial(ctx, from, network, addr, false)
}

// dial connects; straight: whatever routes and tunnels say, as a jump host's own network does.
func (w *World) dial(ctx context.Context, from, network, addr string, straight bool) (net.Conn, error) {
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: simAddr(addr), Err: err}
	}
	host, port, err := splitPort(addr)
	if err != nil {
		return fail(err)
	}
	n := w.lookup(host)
	if n == nil {
		return fail(&net.DNSError{Err: "no such host", Name: host, IsNotFound: true})
	}
	if err := sleep(ctx, w.rtt(from, n.name)); err != nil {
		return fail(err)
	}
	if straight {
		host = "" // no private address of the node's
	}
	switch w.knock(from, n, host, port) {
	case refused:
		return fail(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	case silent:
		if err := sleep(ctx, connectTimeout); err != nil {
			return fail(err)
		}
		return fail(os.NewSyscallError("connect", syscall.ETIMEDOUT))
	}
	return w.connect(from, n, port)
}

type answer int

const (
	silent answer = iota
	refused
	accepted
)

// knock tries a TCP connection to a node by one of its addresses. A hung node's kernel accepts.
func (w *World) knock(from string, n *Node, host string, port int) answer {
	switch {
	case !w.passes(from, n, host, ""):
		return silent
	case port == sshPort && !n.noSSH, n.listens(port):
		return accepted
	}
	return refused
}

// connect makes the link and, on the ssh port, serves its other end.
func (w *World) connect(from string, n *Node, port int) (net.Conn, error) {
	l := &link{world: w, from: from, to: n.name, boot: n.bootCount()}
	delay := func() time.Duration { return w.rtt(from, n.name) / 2 }
	stuck := func() bool { return !w.joined(from, n.name) || !n.runs(l.boot) }
	l.fore, l.back = newStream(delay, stuck), newStream(delay, stuck)
	near := newConn(l, l.back, l.fore, simAddr(from+":40000"), simAddr(n.address+":"+strconv.Itoa(port)))
	far := newConn(l, l.fore, l.back, near.remote, near.local)
	w.mu.Lock()
	w.links[l] = true
	w.mu.Unlock()
	serve := func() { defer far.Close(); n.greet(far, port) }
	if port == sshPort && !n.noSSH {
		serve = func() { defer far.Close(); n.serveSSH(far) }
	}
	if !w.spawn(serve) {
		return nil, net.ErrClosed
	}
	return near, nil
}

// ping tells whether an echo comes back to a party: the kernel behind the address
// answers, on an interface whose link is up. source is the sender's address; empty = its own.
func (w *World) ping(from, addr, source string) bool {
	n := w.owner(from, addr)
	return n != nil && w.passes(from, n, addr, source)
}

// owner is the node an address leads to: the party itself, or the node whose own
// address it is. Virtual addresses lead nowhere without a route; see Ask.
func (w *World) owner(from, addr string) *Node {
	if n := w.Node(from); n != nil && (addr == "127.0.0.1" || addr == "localhost" || n.Carries(addr)) {
		return n
	}
	n := w.lookup(addr)
	if n == nil || addr == n.address && !n.Carries(addr) {
		return nil
	}
	return n
}

// reach tells whether a TCP connection to host:port is accepted, from a party.
func (w *World) reach(from, host string, port int) answer {
	n := w.owner(from, host)
	if n == nil {
		return silent
	}
	return w.knock(from, n, host, port)
}

// Ask is a client's question to addr (like "10.1.0.10:8080"). route tells, as the
// route tables do, which node packets for an address are handed to. The answer is
// the name of the node that serves it: it must be reached by the client, run, have
// the address on a live interface, and have a service on that port.
func (w *World) Ask(route func(netip.Addr) (node string, ok bool), addr string) (string, error) {
	host, port, err := splitPort(addr)
	if err != nil {
		return "", err
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "", fmt.Errorf("asking %s: %w", addr, err)
	}
	name, ok := route(ip)
	if !ok {
		return "", fmt.Errorf("no route to %s", host)
	}
	n := w.Node(name)
	switch {
	case n == nil || !w.joined(Client, name) || !n.kernelUp():
		return "", fmt.Errorf("no answer from %s (handed to %s)", addr, name)
	case !n.Carries(host):
		return "", fmt.Errorf("no answer from %s: %s does not have the address", addr, name)
	case !n.listens(port):
		return "", fmt.Errorf("connection refused by %s on %s", name, addr)
	case !n.runs(n.bootCount()):
		return "", fmt.Errorf("no answer from %s: %s hangs", addr, name)
	}
	return name, nil
}

func splitPort(addr string) (string, int, error) {
	host, p, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	port, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return "", 0, &net.AddrError{Err: "unknown port", Addr: addr}
	}
	return host, int(port), nil
}

type simAddr string

func (simAddr) Network() string  { return "tcp" }
func (a simAddr) String() string { return string(a) }

// sleep waits, or ends with the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
