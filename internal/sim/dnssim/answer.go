package dnssim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/ferry-ha/ferry/internal/sim/r53sim"
)

// maxCNAMEs bounds how far CNAMEs are followed inside the zones served.
const maxCNAMEs = 8

// answer is the reply to a question, without what the socket demands.
func (s *Server) answer(q *dns.Msg, f Fault) *dns.Msg {
	reply := new(dns.Msg).SetReply(q)
	if q.Opcode != dns.OpcodeQuery || len(q.Question) != 1 {
		return reply.SetRcode(q, dns.RcodeNotImplemented)
	}
	ask := q.Question[0]
	name, err := fromDNS(ask.Name)
	if err != nil {
		return reply.SetRcode(q, dns.RcodeFormatError)
	}
	if ask.Qclass != dns.ClassINET {
		return reply.SetRcode(q, dns.RcodeRefused)
	}
	switch ask.Qtype {
	case dns.TypeANY:
		return reply.SetRcode(q, dns.RcodeNotImplemented)
	case dns.TypeAXFR, dns.TypeIXFR:
		return reply.SetRcode(q, dns.RcodeRefused)
	}
	zones := s.visible(f)
	shown := ask.Name // as it was asked, capitals and all
	for range maxCNAMEs {
		z, ok := zoneOf(zones, name)
		if !ok {
			break
		}
		next := s.fill(reply, z, name, shown, dns.TypeToString[ask.Qtype])
		if next == "" {
			return reply
		}
		name, shown = next, toDNS(next)
	}
	if len(reply.Answer) == 0 {
		reply.Rcode = dns.RcodeRefused // no zone of ours
	}
	return reply
}

// visible are the zones that this server answers from, as it sees them now.
func (s *Server) visible(f Fault) []r53sim.Zone {
	s.mu.Lock()
	v := s.view
	s.mu.Unlock()
	v.Ago += f.Stale
	return slices.DeleteFunc(s.zones.Served(v), func(z r53sim.Zone) bool {
		return z.Private() && !slices.ContainsFunc(z.VPCs, func(v r53sim.VPC) bool { return v.ID == s.vpc })
	})
}

// zoneOf is the zone that holds a name: the longest name wins, and a private zone before a public one.
func zoneOf(zones []r53sim.Zone, name string) (r53sim.Zone, bool) {
	var best r53sim.Zone
	for _, z := range zones {
		if name != z.Name && !strings.HasSuffix(name, "."+z.Name) {
			continue
		}
		if len(z.Name) > len(best.Name) || len(z.Name) == len(best.Name) && z.Private() && !best.Private() {
			best = z
		}
	}
	return best, best.Name != ""
}

// fill adds what one zone says about a name. It gives back the name that a CNAME leads on to.
func (s *Server) fill(reply *dns.Msg, z r53sim.Zone, name, shown, kind string) (next string) {
	if cut := delegation(z, name); cut != nil {
		reply.Ns = append(reply.Ns, records(*cut, toDNS(cut.Name))...)
		return ""
	}
	reply.Authoritative = true
	r, exists := z.Lookup(name, kind)
	if exists && r == nil && kind != "CNAME" {
		if alias, _ := z.Lookup(name, "CNAME"); alias != nil && len(alias.Values) == 1 {
			reply.Answer = append(reply.Answer, records(*alias, shown)...)
			next, err := r53sim.Canonical(alias.Values[0])
			if err != nil {
				return ""
			}
			return next
		}
	}
	if r != nil {
		reply.Answer = append(reply.Answer, records(*r, shown)...)
		return ""
	}
	if !exists {
		reply.Rcode = dns.RcodeNameError
	}
	reply.Ns = append(reply.Ns, negative(z)...)
	return ""
}

// delegation is the NS set between a name and the zone's apex that hands the name to other servers; nil when there is none.
func delegation(z r53sim.Zone, name string) *r53sim.Record {
	for at := name; at != z.Name && at != ""; {
		if ns := z.Find(at, "NS"); ns != nil {
			return ns
		}
		_, at, _ = strings.Cut(at, ".")
	}
	return nil
}

// negative is the zone's SOA with the time for which "there is nothing" may be remembered (RFC 2308).
func negative(z r53sim.Zone) []dns.RR {
	r := z.Find(z.Name, "SOA")
	if r == nil {
		return nil
	}
	out := records(*r, toDNS(z.Name))
	for _, rr := range out {
		if soa, ok := rr.(*dns.SOA); ok {
			soa.Hdr.Ttl = min(soa.Hdr.Ttl, soa.Minttl)
		}
	}
	return out
}

// records is a record set as DNS records that belong to the given name. A value that DNS cannot carry is left out.
func records(r r53sim.Record, name string) []dns.RR {
	var out []dns.RR
	for _, v := range r.Values {
		rr, err := dns.NewRR(fmt.Sprintf("%s %d IN %s %s", name, r.TTL, r.Type, absolute(r.Type, v)))
		if err == nil && rr != nil {
			out = append(out, rr)
		}
	}
	return out
}

// absolute adds the dot at the end that Route 53 supplies where a value is or ends in a name.
func absolute(kind, value string) string {
	switch kind {
	case "CNAME", "NS", "PTR", "MX", "SRV":
		return dns.Fqdn(value)
	}
	return value
}
