package dnssim_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/ferry-ha/ferry/internal/sim/dnssim"
	"github.com/ferry-ha/ferry/internal/sim/r53sim"
)

const www = "www.example.jp"

func a(name string, ttl int64, values ...string) r53sim.Record {
	return r53sim.Record{Name: name, Type: "A", TTL: ttl, Values: values}
}

func estate() r53sim.World {
	return r53sim.World{Zones: []r53sim.Zone{
		{ID: "ZPUBLIC", Name: "example.jp", Records: []r53sim.Record{
			a(www, 10, "10.1.0.10"),
			a("*.wild.example.jp", 60, "10.0.0.7"),
			a("here.wild.example.jp", 60, "10.0.0.8"),
			a("deep.below.example.jp", 60, "10.0.0.9"),
			a(`odd\043name.example.jp`, 60, "10.0.0.5"),
			{Name: "also.example.jp", Type: "CNAME", TTL: 30, Values: []string{"WWW.example.jp"}},
			{Name: "out.example.jp", Type: "CNAME", TTL: 30, Values: []string{"elsewhere.test"}},
			{Name: "loop.example.jp", Type: "CNAME", TTL: 30, Values: []string{"loop.example.jp"}},
			{Name: "alias.example.jp", Type: "A", Alias: &r53sim.Alias{Zone: "ZPUBLIC", Name: www}},
			{Name: "text.example.jp", Type: "TXT", TTL: 5, Values: []string{`"hello world"`}},
			{Name: "cut.example.jp", Type: "NS", TTL: 300, Values: []string{"ns.other.test"}},
			{Name: "pair.example.jp", Type: "A", TTL: 5, SetID: "b", Failover: "SECONDARY", Values: []string{"10.0.0.2"}},
			{Name: "pair.example.jp", Type: "A", TTL: 5, SetID: "c", Failover: "PRIMARY", Values: []string{"10.0.0.1"}},
		}},
		{ID: "ZPRIVATE", Name: "example.jp", VPCs: []r53sim.VPC{{Region: "ap-northeast-1", ID: "vpc-primary"}}, Records: []r53sim.Record{a(www, 10, "10.0.0.99")}},
		{ID: "ZBELOW", Name: "sub.example.jp", Records: []r53sim.Record{a("x.sub.example.jp", 10, "10.3.0.1")}},
	}}
}

func endpoint(t *testing.T, o r53sim.Options) *r53sim.Server {
	t.Helper()
	s, err := r53sim.New(estate(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// server is a name server and a client that reaches it without a network.
func server(t *testing.T, zones *r53sim.Server, o dnssim.Options) (*dnssim.Server, *dnssim.Client) {
	t.Helper()
	ns := dnssim.New(zones, o)
	t.Cleanup(func() { must(t, ns.Close()) })
	return ns, &dnssim.Client{Servers: []string{"ns1"}, Dial: ns.Dial}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// asked is the reply to one question, as text: code, whether authoritative, answers, authorities.
func asked(t *testing.T, ns *dnssim.Server, name string, kind uint16) string {
	t.Helper()
	conn, err := ns.Dial(t.Context(), "tcp", "")
	must(t, err)
	defer conn.Close()
	reply, _, err := new(dns.Client).ExchangeWithConnContext(t.Context(), new(dns.Msg).SetQuestion(name, kind), &dns.Conn{Conn: conn})
	must(t, err)
	parts := []string{dns.RcodeToString[reply.Rcode]}
	if reply.Authoritative {
		parts = append(parts, "aa")
	}
	for _, rr := range reply.Answer {
		parts = append(parts, strings.Join(strings.Fields(rr.String()), " "))
	}
	for _, rr := range reply.Ns {
		parts = append(parts, fmt.Sprintf("(%s %s %d)", rr.Header().Name, dns.TypeToString[rr.Header().Rrtype], rr.Header().Ttl))
	}
	return strings.Join(parts, ", ")
}

func TestAnswers(t *testing.T) {
	zones := endpoint(t, r53sim.Options{})
	ns, _ := server(t, zones, dnssim.Options{})
	inner, _ := server(t, zones, dnssim.Options{VPC: "vpc-primary"})
	const nothing = "(example.jp. SOA 900)"
	for _, tc := range []struct {
		ns   *dnssim.Server
		name string
		kind uint16
		want string
	}{
		{ns, "www.example.jp.", dns.TypeA, "NOERROR, aa, www.example.jp. 10 IN A 10.1.0.10"},
		{ns, "wWw.Example.JP.", dns.TypeA, "NOERROR, aa, wWw.Example.JP. 10 IN A 10.1.0.10"},
		{inner, "www.example.jp.", dns.TypeA, "NOERROR, aa, www.example.jp. 10 IN A 10.0.0.99"},
		{inner, "alias.example.jp.", dns.TypeA, "NXDOMAIN, aa, " + nothing},
		{ns, "www.example.jp.", dns.TypeAAAA, "NOERROR, aa, " + nothing},
		{ns, "none.example.jp.", dns.TypeA, "NXDOMAIN, aa, " + nothing},
		{ns, "below.example.jp.", dns.TypeA, "NOERROR, aa, " + nothing},
		{ns, "any.wild.example.jp.", dns.TypeA, "NOERROR, aa, any.wild.example.jp. 60 IN A 10.0.0.7"},
		{ns, "x.any.wild.example.jp.", dns.TypeA, "NOERROR, aa, x.any.wild.example.jp. 60 IN A 10.0.0.7"},
		{ns, "here.wild.example.jp.", dns.TypeA, "NOERROR, aa, here.wild.example.jp. 60 IN A 10.0.0.8"},
		{ns, "x.here.wild.example.jp.", dns.TypeA, "NXDOMAIN, aa, " + nothing},
		{ns, "any.wild.example.jp.", dns.TypeTXT, "NOERROR, aa, " + nothing},
		{ns, `odd\035name.example.jp.`, dns.TypeA, "NOERROR, aa, odd#name.example.jp. 60 IN A 10.0.0.5"},
		{ns, "also.example.jp.", dns.TypeA, "NOERROR, aa, also.example.jp. 30 IN CNAME WWW.example.jp., www.example.jp. 10 IN A 10.1.0.10"},
		{ns, "also.example.jp.", dns.TypeCNAME, "NOERROR, aa, also.example.jp. 30 IN CNAME WWW.example.jp."},
		{ns, "out.example.jp.", dns.TypeA, "NOERROR, aa, out.example.jp. 30 IN CNAME elsewhere.test."},
		{ns, "alias.example.jp.", dns.TypeA, "NOERROR, aa, alias.example.jp. 10 IN A 10.1.0.10"},
		{ns, "pair.example.jp.", dns.TypeA, "NOERROR, aa, pair.example.jp. 5 IN A 10.0.0.1"},
		{ns, "text.example.jp.", dns.TypeTXT, `NOERROR, aa, text.example.jp. 5 IN TXT "hello world"`},
		{ns, "x.cut.example.jp.", dns.TypeA, "NOERROR, (cut.example.jp. NS 300)"},
		{ns, "x.sub.example.jp.", dns.TypeA, "NOERROR, aa, x.sub.example.jp. 10 IN A 10.3.0.1"},
		{ns, "www.elsewhere.test.", dns.TypeA, "REFUSED"},
		{ns, "notexample.jp.", dns.TypeA, "REFUSED"},
		{ns, "example.jp.", dns.TypeAXFR, "REFUSED"},
		{ns, "www.example.jp.", dns.TypeANY, "NOTIMP"},
	} {
		if got := asked(t, tc.ns, tc.name, tc.kind); got != tc.want {
			t.Errorf("%s %s: %s\nwant %s", tc.name, dns.TypeToString[tc.kind], got, tc.want)
		}
	}
	if got := asked(t, ns, "example.jp.", dns.TypeNS); strings.Count(got, "IN NS ns-") != 4 {
		t.Errorf("NS: %s", got)
	}
	if got := asked(t, ns, "loop.example.jp.", dns.TypeA); strings.Count(got, "CNAME") > 10 {
		t.Errorf("a loop: %s", got)
	}
}

// Over real sockets, asked by the resolver of Go's standard library, which shares no code with package dns.
func TestAnotherResolverAgrees(t *testing.T) {
	zones := endpoint(t, r53sim.Options{})
	var many []string
	for i := range 200 {
		many = append(many, fmt.Sprintf("10.7.%d.1", i))
	}
	must(t, zones.SetRecord("ZPUBLIC", a("many.example.jp", 60, many...)))
	ns, _ := server(t, zones, dnssim.Options{})
	must(t, ns.Listen("127.0.0.1:0"))
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, ns.Addr().String())
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for name, want := range map[string]int{"www.example.jp.": 1, "also.example.jp.": 1, "any.wild.example.jp.": 1, "many.example.jp.": 200} {
		got, err := resolver.LookupNetIP(ctx, "ip4", name)
		if err != nil || len(got) != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	_, err := resolver.LookupNetIP(ctx, "ip4", "none.example.jp.")
	var failed *net.DNSError
	if !errors.As(err, &failed) || !failed.IsNotFound {
		t.Errorf("a name that is not there: %v", err)
	}
	c := dnssim.Client{Servers: []string{ns.Addr().String()}}
	if got, err := c.LookupA(ctx, "many.example.jp"); err != nil || len(got.Addresses) != 200 {
		t.Errorf("our client over sockets: %d addresses, %v", len(got.Addresses), err)
	}
	ns.Inject(dnssim.Fault{Name: www, Truncate: true})
	if got, err := c.LookupA(ctx, www); err != nil || got.First() != netip.MustParseAddr("10.1.0.10") {
		t.Errorf("cut over UDP, whole over TCP: %+v, %v", got, err)
	}
}

func TestServersDisagreeForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zones := endpoint(t, r53sim.Options{})
		_, insync := server(t, zones, dnssim.Options{})
		_, slow := server(t, zones, dnssim.Options{View: r53sim.View{Own: true, Lag: 50 * time.Second}})
		cut, behind := server(t, zones, dnssim.Options{})
		cut.SetView(r53sim.View{Ago: 2 * time.Minute})
		must(t, zones.SetRecord("ZPUBLIC", a(www, 0, "10.2.0.10")))
		for _, step := range []struct {
			wait time.Duration
			want string
		}{{0, "2 1 1"}, {49 * time.Second, "2 1 1"}, {time.Second, "2 2 1"}, {70 * time.Second, "2 2 2"}} {
			time.Sleep(step.wait)
			var got []string
			for _, c := range []*dnssim.Client{insync, slow, behind} {
				c.Flush()
				answer, err := c.LookupA(t.Context(), www)
				must(t, err)
				got = append(got, strings.Split(answer.First().String(), ".")[1])
			}
			if s := strings.Join(got, " "); s != step.want {
				t.Errorf("after %s more: %s, want %s", step.wait, s, step.want)
			}
		}
	})
}

func TestAClientRemembersForAsLongAsTheTTLSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zones := endpoint(t, r53sim.Options{})
		ns, c := server(t, zones, dnssim.Options{})
		began := time.Now()
		at := func(name string) string {
			answer, err := c.LookupA(t.Context(), name)
			return fmt.Sprintf("%s: %s ttl %s cached %t asked %s %v", time.Since(began), answer.First(), answer.TTL, answer.Cached, answer.Asked.Sub(began), err)
		}
		var got []string
		look := func(wait time.Duration, name string) {
			time.Sleep(wait)
			got = append(got, at(name))
		}
		look(0, www)
		must(t, zones.SetRecord("ZPUBLIC", a(www, 10, "10.2.0.10")))
		look(4*time.Second, "WWW.example.jp.")
		look(5999*time.Millisecond, www)
		look(time.Millisecond, www)
		look(0, "none.example.jp")
		must(t, zones.SetRecord("ZPUBLIC", a("none.example.jp", 10, "10.0.0.1")))
		look(899*time.Second, "none.example.jp")
		look(time.Second, "none.example.jp")
		want := []string{
			"0s: 10.1.0.10 ttl 10s cached false asked 0s <nil>",
			"4s: 10.1.0.10 ttl 6s cached true asked 0s <nil>",
			"9.999s: 10.1.0.10 ttl 1ms cached true asked 0s <nil>",
			"10s: 10.2.0.10 ttl 10s cached false asked 10s <nil>",
			"10s: invalid IP ttl 15m0s cached false asked 10s no such name",
			"15m9s: invalid IP ttl 1s cached true asked 10s no such name",
			"15m10s: 10.0.0.1 ttl 10s cached false asked 15m10s <nil>",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if n := len(ns.Queries()); n != 4 {
			t.Errorf("the server was asked %d times", n)
		}
		if _, err := c.LookupA(t.Context(), "text.example.jp"); !errors.Is(err, dnssim.ErrNoData) {
			t.Errorf("a name without addresses: %v", err)
		}
	})
}

func TestFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zones := endpoint(t, r53sim.Options{})
		first, _ := server(t, zones, dnssim.Options{})
		second, _ := server(t, zones, dnssim.Options{})
		byName := map[string]*dnssim.Server{"ns1": first, "ns2": second}
		c := &dnssim.Client{Servers: []string{"ns1", "ns2"}, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			return byName[address].Dial(ctx, network, address)
		}}
		time.Sleep(time.Minute)
		must(t, zones.SetRecord("ZPUBLIC", a(www, 0, "10.2.0.10")))
		for _, tc := range []struct {
			name   string
			fault  dnssim.Fault
			server string
			took   time.Duration
			want   string
		}{
			{"silent", dnssim.Fault{Name: www, Silent: true}, "ns2", 2 * time.Second, "10.2.0.10"},
			{"failing", dnssim.Fault{Rcode: dns.RcodeServerFailure}, "ns2", 0, "10.2.0.10"},
			{"refusing", dnssim.Fault{Type: dns.TypeA, Rcode: dns.RcodeRefused}, "ns2", 0, "10.2.0.10"},
			{"slow", dnssim.Fault{Delay: time.Second}, "ns1", time.Second, "10.2.0.10"},
			{"stale", dnssim.Fault{Stale: 30 * time.Second}, "ns1", 0, "10.1.0.10"},
			{"another name", dnssim.Fault{Name: "x.example.jp", Silent: true}, "ns1", 0, "10.2.0.10"},
			{"another type", dnssim.Fault{Type: dns.TypeTXT, Silent: true}, "ns1", 0, "10.2.0.10"},
			{"later", dnssim.Fault{After: 1, Silent: true}, "ns1", 0, "10.2.0.10"},
		} {
			remove := first.Inject(tc.fault)
			began := time.Now()
			c.Flush()
			got, err := c.LookupA(t.Context(), www)
			if err != nil || got.Server != tc.server || got.First().String() != tc.want || time.Since(began) != tc.took {
				t.Errorf("%s: %+v after %s, %v", tc.name, got, time.Since(began), err)
			}
			remove()
			remove()
		}
		first.Inject(dnssim.Fault{Silent: true})
		second.Inject(dnssim.Fault{Rcode: dns.RcodeServerFailure})
		began := time.Now()
		if _, err := c.LookupA(t.Context(), www); err == nil || time.Since(began) != 4*time.Second || !strings.Contains(err.Error(), "ns2 answered SERVFAIL") {
			t.Errorf("nobody answers: %v after %s", err, time.Since(began))
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began = time.Now()
		if _, err := c.LookupA(ctx, www); err == nil || time.Since(began) != time.Second {
			t.Errorf("given up: %v after %s", err, time.Since(began))
		}
	})
}

// An outage as a client by name sees it: the servers have the new address when the change is INSYNC, the client asks
// again when its TTL is over.
func TestAnOutageByNameIsLagAndTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zones := endpoint(t, r53sim.Options{})
		_, c := server(t, zones, dnssim.Options{View: r53sim.View{Own: true, Lag: 35 * time.Second}})
		time.Sleep(time.Minute)
		_, err := c.LookupA(t.Context(), www)
		must(t, err)
		time.Sleep(3 * time.Second) // the change comes in the middle of a TTL
		began := time.Now()
		must(t, zones.SetRecord("ZPUBLIC", a(www, 10, "10.2.0.10")))
		for {
			answer, err := c.LookupA(t.Context(), www)
			must(t, err)
			if answer.First().String() == "10.2.0.10" {
				break
			}
			if time.Since(began) > 2*time.Minute {
				t.Fatal("the new address never came")
			}
			time.Sleep(500 * time.Millisecond)
		}
		if took := time.Since(began); took != 37*time.Second { // asked at 7, 17, 27 and 37 s
			t.Errorf("the new address came after %s", took)
		}
	})
}

func TestClosing(t *testing.T) {
	zones := endpoint(t, r53sim.Options{})
	ns := dnssim.New(zones, dnssim.Options{})
	must(t, ns.Listen("127.0.0.1:0"))
	ns.Inject(dnssim.Fault{Delay: time.Hour})
	done := make(chan error, 2)
	for _, c := range []*dnssim.Client{
		{Servers: []string{ns.Addr().String()}, Timeout: time.Minute, Rounds: 1},
		{Servers: []string{"x"}, Dial: ns.Dial, Timeout: time.Minute, Rounds: 1},
	} {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
			defer cancel()
			_, err := c.LookupA(ctx, www)
			done <- err
		}()
	}
	time.Sleep(50 * time.Millisecond) // real sockets: let the questions arrive; the test holds either way
	must(t, ns.Close())
	for range 2 {
		if err := <-done; err == nil {
			t.Error("answered by a closed server")
		}
	}
	if _, err := ns.Dial(t.Context(), "udp", ""); err == nil {
		t.Error("a closed server takes connections")
	}
	must(t, ns.Close())
}
