package route53_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/ferry-ha/ferry/kits/cloud"
	"github.com/ferry-ha/ferry/kits/route53"
)

// serve is a real name server on the loopback interface that answers as the handler says.
func serve(t *testing.T, h dns.HandlerFunc) (port string) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{PacketConn: pc, Handler: h}
	go s.ActivateAndServe()
	t.Cleanup(func() { s.Shutdown() })
	_, port, _ = net.SplitHostPort(pc.LocalAddr().String())
	return port
}

func loopback(context.Context, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

func TestServersAreAskedOverDNS(t *testing.T) {
	var lost atomic.Int32
	port := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.Authoritative = true
		add := func(ip string) {
			m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 10}, A: net.ParseIP(ip)})
		}
		switch q.Question[0].Name {
		case "www.example.com.":
			add("10.2.0.10")
		case "two.example.com.":
			add("10.2.0.10")
			add("10.1.0.10")
		case "none.example.com.":
			m.Rcode = dns.RcodeNameError
		case "refused.example.com.":
			m.Rcode = dns.RcodeRefused
		case "cached.example.com.":
			add("10.1.0.10")
			m.Authoritative = false
		case `\*.example.com.`, `\042.example.com.`, "*.example.com.":
			add("10.3.0.10")
		case "lost.example.com.":
			if lost.Add(1) == 1 {
				return // the datagram got lost; the second one arrives
			}
			add("10.2.0.10")
		case "silent.example.com.":
			return
		}
		w.WriteMsg(m)
	})
	s := route53.Servers{Port: port, Addresses: loopback, Timeout: 300 * time.Millisecond}
	zone := cloud.Zone{Name: "example.com.", Servers: []string{"ns-1.example.net"}}
	for name, want := range map[string]struct{ addrs, err string }{
		"www.example.com.":     {"10.2.0.10", ""},
		"two.example.com.":     {"10.1.0.10 10.2.0.10", ""},
		"none.example.com.":    {"", ""},
		"refused.example.com.": {"", "REFUSED"},
		"cached.example.com.":  {"", "no authority"},
		`\052.example.com.`:    {"10.3.0.10", ""},
		"lost.example.com.":    {"10.2.0.10", ""},
		"silent.example.com.":  {"", "asking ns-1.example.net"},
	} {
		got, err := s.Ask(t.Context(), zone, name)
		if err != nil || len(got) != 1 || got[0].Server != "ns-1.example.net" {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
		if strings.Join(got[0].Addrs, " ") != want.addrs || (want.err == "") != (got[0].Err == nil) || want.err != "" && !strings.Contains(got[0].Err.Error(), want.err) {
			t.Errorf("%s: %+v, want %+v", name, got[0], want)
		}
	}
}

func TestServersAreFoundAndBounded(t *testing.T) {
	port := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {})
	var many []string
	for i := range 20 {
		many = append(many, "ns-"+string(rune('a'+i))+".example.net")
	}
	s := route53.Servers{
		Port: port, Addresses: loopback, Timeout: 50 * time.Millisecond,
		Of: func(_ context.Context, zone string) ([]string, error) {
			if zone != "example.com." {
				return nil, errors.New("no such zone")
			}
			return many, nil
		},
	}
	began := time.Now()
	got, err := s.Ask(t.Context(), cloud.Zone{Name: "example.com."}, "www.example.com.")
	if err != nil || len(got) != 8 || time.Since(began) > 2*time.Second {
		t.Errorf("%d answers after %s, %v", len(got), time.Since(began), err)
	}
	if slices.ContainsFunc(got, func(a route53.Answer) bool { return a.Err == nil }) {
		t.Errorf("servers that are silent answered: %+v", got)
	}
	if _, err := s.Ask(t.Context(), cloud.Zone{Name: "example.jp."}, "www.example.jp."); err == nil {
		t.Error("a zone without servers gave no error")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	s.Timeout, began = time.Minute, time.Now()
	if _, err := s.Ask(ctx, cloud.Zone{Name: "example.com."}, "www.example.com."); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("a short deadline: %v after %s", err, time.Since(began))
	}
}
