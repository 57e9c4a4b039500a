package route53

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/ferry-ha/ferry/kits/cloud"
)

// Servers asks name servers over DNS: its method Ask is a Resolver. The zero value uses the machine's resolver to find
// their addresses, and port 53.
type Servers struct {
	// Port of the name servers (default "53").
	Port string
	// Addresses gives the IP addresses of a name server (default: asked of the machine's resolver).
	Addresses func(ctx context.Context, server string) ([]netip.Addr, error)
	// Of gives the name servers of a zone, asked when the zone does not say (default: the machine's resolver).
	Of func(ctx context.Context, zone string) ([]string, error)
	// Timeout of one question (default 2 s; each is put twice, since datagrams get lost).
	Timeout time.Duration
}

// mostServers bounds what is asked; a zone of Route 53 has four.
const mostServers = 8

// Ask is a Resolver: it asks every name server of the zone at the same time.
func (s Servers) Ask(ctx context.Context, zone cloud.Zone, name string) ([]Answer, error) {
	names := zone.Servers
	if len(names) == 0 {
		found, err := s.of(ctx, zone.Name)
		if err != nil {
			return nil, err
		}
		names = found
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	names = names[:min(len(names), mostServers)]
	out := make([]Answer, len(names))
	var wg sync.WaitGroup
	for i, server := range names {
		wg.Go(func() {
			addrs, err := s.askOne(ctx, server, name)
			out[i] = Answer{Server: server, Addrs: addrs, Err: err}
		})
	}
	wg.Wait()
	return out, nil
}

func (s Servers) of(ctx context.Context, zone string) ([]string, error) {
	if s.Of != nil {
		return s.Of(ctx, zone)
	}
	list, err := net.DefaultResolver.LookupNS(ctx, zone)
	if err != nil {
		return nil, fmt.Errorf("looking up the name servers of %s: %w", zone, err)
	}
	var names []string
	for _, ns := range list {
		names = append(names, ns.Host)
	}
	return names, nil
}

func (s Servers) addresses(ctx context.Context, server string) ([]netip.Addr, error) {
	if s.Addresses != nil {
		return s.Addresses(ctx, server)
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip4", strings.TrimSuffix(server, "."))
}

// askOne asks one server, at its first address.
func (s Servers) askOne(ctx context.Context, server, name string) ([]string, error) {
	at, err := s.addresses(ctx, server)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", server, err)
	}
	if len(at) == 0 {
		return nil, fmt.Errorf("%s has no address", server)
	}
	port := s.Port
	if port == "" {
		port = "53"
	}
	q := new(dns.Msg)
	q.SetQuestion(masterForm(name), dns.TypeA)
	q.RecursionDesired = false
	in, err := s.exchange(ctx, q, net.JoinHostPort(at[0].String(), port))
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", server, err)
	}
	return addressesIn(in)
}

// exchange puts a question up to twice.
func (s Servers) exchange(ctx context.Context, q *dns.Msg, at string) (*dns.Msg, error) {
	c := &dns.Client{Timeout: s.Timeout}
	if c.Timeout <= 0 {
		c.Timeout = 2 * time.Second
	}
	in, _, err := c.ExchangeContext(ctx, q, at)
	if err != nil && ctx.Err() == nil {
		in, _, err = c.ExchangeContext(ctx, q, at)
	}
	return in, err
}

// addressesIn reads an answer. One without authority may come from somebody in between, and out of a cache.
func addressesIn(in *dns.Msg) ([]string, error) {
	switch {
	case !in.Authoritative:
		return nil, errors.New("the answer has no authority")
	case in.Rcode == dns.RcodeNameError:
		return nil, nil
	case in.Rcode != dns.RcodeSuccess:
		return nil, fmt.Errorf("the answer is %s", dns.RcodeToString[in.Rcode])
	}
	var out []string
	for _, rr := range in.Answer {
		if a, ok := rr.(*dns.A); ok {
			out = append(out, a.A.String())
		}
	}
	slices.Sort(out)
	return out, nil
}

// masterForm writes a name for the DNS library, whose escapes are decimal where Route 53's are octal.
func masterForm(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] == '\\' && i+3 < len(name) {
			n := int(name[i+1]-'0')*64 + int(name[i+2]-'0')*8 + int(name[i+3]-'0')
			fmt.Fprintf(&b, "\\%03d", n)
			i += 3
			continue
		}
		b.WriteByte(name[i])
	}
	return b.String()
}
