package dnssim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/ferry-ha/ferry/internal/sim/r53sim"
)

// Options are a server's settings. The zero value serves every public zone as soon as its changes are INSYNC.
type Options struct {
	// VPC makes it that network's resolver: it sees the private zones of that VPC id, too.
	VPC string
	// View is how it sees the zones (default: what is INSYNC).
	View r53sim.View
}

// Server is an authoritative name server. Create one with New; it is safe for concurrent use.
type Server struct {
	zones *r53sim.Server
	vpc   string

	mu     sync.Mutex
	view   r53sim.View
	faults []*armedFault
	log    []Query
	conns  map[net.Conn]bool
	addr   netip.AddrPort
	served []*dns.Server
	closed chan struct{}
	once   sync.Once
	wg     sync.WaitGroup
}

// New makes a server that answers from the endpoint's zones. It listens nowhere yet.
func New(zones *r53sim.Server, o Options) *Server {
	return &Server{zones: zones, vpc: o.VPC, view: o.View, closed: make(chan struct{}), conns: map[net.Conn]bool{}}
}

// SetView changes how the server sees the zones, from the next question on.
func (s *Server) SetView(v r53sim.View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.view = v
}

// Listen serves UDP and TCP on one address; port 0 takes a free one, which Addr tells.
func (s *Server) Listen(address string) error {
	const tries = 20 // a port that is free for UDP may be taken for TCP
	var err error
	for range tries {
		var packets net.PacketConn
		if packets, err = net.ListenPacket("udp", address); err != nil {
			break
		}
		var streams net.Listener
		if streams, err = net.Listen("tcp", packets.LocalAddr().String()); err != nil {
			_ = packets.Close()
			continue
		}
		s.ServePacket(packets)
		s.Serve(streams)
		return nil
	}
	return fmt.Errorf("listening for DNS on %s: %w", address, err)
}

// Addr is where Listen, ServePacket or Serve listen; invalid before.
func (s *Server) Addr() netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// ServePacket answers on a datagram socket, for instance one made inside another network namespace. It returns at
// once; Close ends it and closes the socket.
func (s *Server) ServePacket(c net.PacketConn) {
	s.start(&dns.Server{PacketConn: c, Handler: handler{s, true}}, c.LocalAddr())
}

// Serve answers on a stream listener, as ServePacket does on a datagram socket.
func (s *Server) Serve(l net.Listener) {
	s.start(&dns.Server{Listener: l, Handler: handler{s, false}}, l.Addr())
}

func (s *Server) start(d *dns.Server, at net.Addr) {
	up := make(chan struct{})
	d.NotifyStartedFunc = func() { close(up) }
	s.mu.Lock()
	s.served = append(s.served, d)
	if a, err := netip.ParseAddrPort(at.String()); err == nil {
		s.addr = a
	}
	s.mu.Unlock()
	failed := make(chan struct{})
	s.wg.Go(func() {
		if err := d.ActivateAndServe(); err != nil {
			close(failed) // the socket was closed before it was served
		}
	})
	select { // a Close right after must find it started
	case <-up:
	case <-failed:
	}
}

// Close ends everything, questions that wait included.
func (s *Server) Close() error {
	var errs []error
	s.once.Do(func() {
		close(s.closed)
		s.mu.Lock()
		served, conns := s.served, s.conns
		s.conns = map[net.Conn]bool{}
		s.mu.Unlock()
		for _, d := range served {
			errs = append(errs, d.Shutdown())
		}
		for c := range conns {
			errs = append(errs, c.Close())
		}
		s.wg.Wait()
	})
	return errors.Join(errs...)
}

// Dial connects to the server without a network, whatever the network and address: in a synctest bubble a socket would
// keep the clock from moving. Messages go framed as over TCP, which is how package dns treats such a connection.
func (s *Server) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closed:
		return nil, fmt.Errorf("dialing the simulated name server: %w", net.ErrClosed)
	case <-ctx.Done():
		return nil, ctx.Err()
	default:
	}
	s.conns[far] = true
	s.wg.Go(func() {
		s.talk(&dns.Conn{Conn: far})
		_ = far.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, far)
	})
	return near, nil
}

// talk answers questions on a connection until the other side hangs up.
func (s *Server) talk(c *dns.Conn) {
	for {
		q, err := c.ReadMsg()
		if err != nil {
			return
		}
		if reply := s.ask(q, false); reply != nil {
			if c.WriteMsg(reply) != nil {
				return
			}
		}
	}
}

// handler is the server on one kind of socket.
type handler struct {
	s        *Server
	datagram bool
}

// ServeDNS answers one question, or does not.
func (h handler) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	if reply := h.s.ask(q, h.datagram); reply != nil {
		_ = w.WriteMsg(reply) // the asker may be gone; that is its business
	}
}

// ask answers a question as the faults allow; nil is silence.
func (s *Server) ask(q *dns.Msg, datagram bool) *dns.Msg {
	f := s.faultFor(q)
	if f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-s.closed:
			return nil
		}
	}
	if f.Silent {
		s.note(q, nil)
		return nil
	}
	reply := s.answer(q, f)
	if f.Rcode != dns.RcodeSuccess {
		reply = new(dns.Msg).SetRcode(q, f.Rcode)
	}
	s.fit(q, reply, datagram, f.Truncate)
	s.note(q, reply)
	return reply
}

// fit answers EDNS with EDNS and cuts what is too long for a datagram.
func (s *Server) fit(q, reply *dns.Msg, datagram, truncate bool) {
	size := dns.MinMsgSize
	if o := q.IsEdns0(); o != nil {
		size = max(size, min(int(o.UDPSize()), 4096))
		reply.SetEdns0(4096, false)
	}
	if !datagram {
		return
	}
	if truncate {
		reply.Answer, reply.Truncated = nil, true
		return
	}
	reply.Truncate(size)
}
