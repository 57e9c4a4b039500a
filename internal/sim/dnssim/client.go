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
)

// What a lookup can come to beside addresses and a failure to ask.
var (
	// ErrNoName: the servers say that there is no such name.
	ErrNoName = errors.New("no such name")
	// ErrNoData: the name is there, without an address.
	ErrNoData = errors.New("the name has no address")
)

// Client is a caching stub resolver, the way the machine of somebody who uses the service by name has one. Set the
// fields before the first lookup; it is safe for concurrent use.
type Client struct {
	// Servers are asked in order ("10.0.0.2:53"); the next one when one does not answer, fails or refuses.
	Servers []string
	// Rotate begins with the next server at each question, as resolv.conf's option does.
	Rotate bool
	// Dial makes connections (default: net.Dialer's).
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Clock tells the time for the cache (default time.Now).
	Clock func() time.Time
	// Timeout is how long a server is waited for (default 2 s), Rounds how often all of them are tried (default 2).
	Timeout time.Duration
	Rounds  int

	mu    sync.Mutex
	cache map[string]entry
	turn  int
}

// Answer is what a name leads to.
type Answer struct {
	Addresses []netip.Addr
	// TTL is how long it may still be remembered.
	TTL time.Duration
	// Server is who said so, and Asked when.
	Server string
	Asked  time.Time
	// Cached says that nobody was asked this time.
	Cached bool
}

// First is the first address; the zero Addr when there is none.
func (a Answer) First() netip.Addr {
	if len(a.Addresses) == 0 {
		return netip.Addr{}
	}
	return a.Addresses[0]
}

type entry struct {
	answer  Answer
	err     error // ErrNoName or ErrNoData
	expires time.Time
}

// LookupA is the IPv4 addresses of a name. The error is ErrNoName, ErrNoData, or why nobody could be asked.
func (c *Client) LookupA(ctx context.Context, name string) (Answer, error) {
	name = dns.CanonicalName(name)
	now := c.now()
	if e, ok := c.remembered(name, now); ok {
		e.answer.Cached, e.answer.TTL = true, e.expires.Sub(now)
		return e.answer, e.err
	}
	var errs []error
	for range c.rounds() {
		for _, server := range c.order() {
			e, err := c.ask(ctx, server, name)
			if err == nil {
				c.remember(name, e)
				return e.answer, e.err
			}
			errs = append(errs, err)
			if ctx.Err() != nil {
				return Answer{}, fmt.Errorf("looking up %s: %w", name, errors.Join(errs...))
			}
		}
	}
	if len(errs) == 0 {
		return Answer{}, fmt.Errorf("looking up %s: there is no name server to ask", name)
	}
	return Answer{}, fmt.Errorf("looking up %s: %w", name, errors.Join(errs...))
}

// Flush forgets everything.
func (c *Client) Flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cache = nil
}

// ask asks one server. An error means that the next one should be asked.
func (c *Client) ask(ctx context.Context, server, name string) (entry, error) {
	q := new(dns.Msg).SetQuestion(name, dns.TypeA)
	q.SetEdns0(1232, false)
	reply, err := c.exchange(ctx, "udp", server, q)
	if err == nil && reply.Truncated {
		reply, err = c.exchange(ctx, "tcp", server, q)
	}
	if err != nil {
		return entry{}, fmt.Errorf("asking %s: %w", server, err)
	}
	if reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError {
		return entry{}, fmt.Errorf("%s answered %s", server, dns.RcodeToString[reply.Rcode])
	}
	return c.read(server, reply), nil
}

func (c *Client) exchange(ctx context.Context, network, server string, q *dns.Msg) (*dns.Msg, error) {
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = 2 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	dial := c.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // package dns heeds the context's deadline only
	reply, _, err := (&dns.Client{Timeout: timeout}).ExchangeWithConnContext(ctx, q, &dns.Conn{Conn: conn, UDPSize: 1232})
	return reply, err
}

// read makes an entry of a reply.
func (c *Client) read(server string, reply *dns.Msg) entry {
	now := c.now()
	e := entry{answer: Answer{Server: server, Asked: now}}
	ttl, some := uint32(0), false
	shorter := func(t uint32) {
		if !some || t < ttl {
			ttl, some = t, true
		}
	}
	for _, rr := range reply.Answer {
		shorter(rr.Header().Ttl)
		if a, ok := rr.(*dns.A); ok {
			if addr, ok := netip.AddrFromSlice(a.A.To4()); ok {
				e.answer.Addresses = append(e.answer.Addresses, addr)
			}
		}
	}
	if len(e.answer.Addresses) == 0 {
		e.err = ErrNoData
		if reply.Rcode == dns.RcodeNameError {
			e.err = ErrNoName
		}
		for _, rr := range reply.Ns {
			if soa, ok := rr.(*dns.SOA); ok {
				shorter(min(soa.Hdr.Ttl, soa.Minttl))
			}
		}
	}
	e.answer.TTL = time.Duration(ttl) * time.Second
	e.expires = now.Add(e.answer.TTL)
	return e
}

func (c *Client) remembered(name string, now time.Time) (entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.cache[name]
	return e, ok && now.Before(e.expires)
}

func (c *Client) remember(name string, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cache == nil {
		c.cache = map[string]entry{}
	}
	c.cache[name] = e
}

// order is the servers in the order they are asked this time.
func (c *Client) order() []string {
	if !c.Rotate || len(c.Servers) == 0 {
		return c.Servers
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.turn % len(c.Servers)
	c.turn++
	return append(append([]string(nil), c.Servers[at:]...), c.Servers[:at]...)
}

func (c *Client) now() time.Time {
	if c.Clock == nil {
		return time.Now()
	}
	return c.Clock()
}

func (c *Client) rounds() int {
	if c.Rounds <= 0 {
		return 2
	}
	return c.Rounds
}
