package hierarchy

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestFindTakesShortTagsWhenUnambiguous(t *testing.T) {
	e := figure1()
	for _, c := range []string{"service", "vpn-primary"} {
		e.Res = append(e.Res, Resource{Tag: MakeTag(c, "same"), Cluster: c}, Resource{Tag: MakeTag(c, "/data"), Cluster: c})
	}
	x := NewIndex(e)
	for _, c := range []struct{ in, want string }{
		{"www", "service/www"},
		{"service/www", "service/www"},
		{"vpn-primary//data", "vpn-primary//data"},
		{"same", `resource "same" is ambiguous: write one of service/same, vpn-primary/same`},
		{"ip-route35", `no resource "ip-route35" in this estate; did you mean "ip-route53"?`},
		{"nothing-like-it", `no resource "nothing-like-it" in this estate`},
	} {
		r, err := x.Find(c.in)
		got := fmt.Sprint(err)
		if err == nil {
			got = string(r.Tag)
		}
		if got != c.want {
			t.Errorf("Find(%q): got %s, want %s", c.in, got, c.want)
		}
	}
	if tag := Tag("vpn-primary//data"); tag.Cluster() != "vpn-primary" || tag.Short() != "/data" {
		t.Errorf("parts of %s: %q, %q", tag, tag.Cluster(), tag.Short())
	}
}

func TestLookups(t *testing.T) {
	e := figure1()
	e.Res[0].On[0], e.Res[0].On[3] = e.Res[0].On[3], e.Res[0].On[0]
	x := NewIndex(e)
	var order []string
	for _, p := range x.PlacementsByPriority("service/www") {
		order = append(order, p.Server)
	}
	if got := strings.Join(order, " "); got != "LK_P_A LK_P_B LK_S_A LK_S_B" {
		t.Errorf("by priority: %s", got)
	}
	if e.Res[0].On[0].Server != "LK_S_B" {
		t.Error("the estate itself was sorted")
	}
	if c := x.ClusterOf("VPN_P_B"); c == nil || c.Name != "vpn-primary" || x.ClusterOf("nobody") != nil {
		t.Error("cluster of a server")
	}
	if !x.SameRegion("LK_P_A", "VPN_P_B") || x.SameRegion("LK_P_A", "LK_S_A") || x.SameRegion("nobody", "nobody") {
		t.Error("same region")
	}
	if got := fmt.Sprint(x.On("LK_S_A")); got != "[service/ip-route53 service/ec2-route53 service/www]" {
		t.Errorf("on LK_S_A: %s", got)
	}
	if got := fmt.Sprint(x.Regions("service/www"), x.Peers("LK_P_B")); got != "[ap-northeast-1 ap-southeast-1] [LK_P_A LK_S_A LK_S_B]" {
		t.Error(got)
	}
}

func TestFlagsInForce(t *testing.T) {
	e := figure1()
	e.Flags = []Flag{{Viewer: "LK_S_A", Peer: "LK_P_A"}, {Viewer: "LK_P_B", Peer: "LK_P_A", Block: true}}
	x := NewIndex(e)
	for _, c := range []struct {
		viewer, peer   string
		confirm, block bool
	}{
		{"LK_P_A", "LK_S_A", true, false},
		{"LK_S_B", "LK_P_A", true, false},
		{"LK_P_A", "LK_P_B", false, false},
		{"LK_P_A", "LK_P_A", false, false},
		{"LK_S_A", "LK_P_A", false, false}, // the written row wins
		{"LK_P_B", "LK_P_A", false, true},
		{"LK_P_A", "nobody", true, false},
	} {
		f := x.Flag(c.viewer, c.peer)
		if f.Confirm != c.confirm || f.Block != c.block {
			t.Errorf("%s before it takes over from %s: got %+v", c.viewer, c.peer, f)
		}
	}
	if rows := x.FlagMatrix("service"); len(rows) != 16 || rows[0] != (Flag{Viewer: "LK_P_A", Peer: "LK_P_A"}) || !rows[2].Confirm {
		t.Errorf("matrix: %+v", rows)
	}
}

func TestTuningInForce(t *testing.T) {
	e := figure1()
	e.Tuning["LKCHECKINTERVAL"] = "200"
	e.Servers[0].Tuning = map[string]string{"LKCHECKINTERVAL": "360"}
	e.Cluster[1].QuorumMode, e.Cluster[1].QuorumHosts = Majority, []string{"a:22", "b:22"}
	x := NewIndexFor(e, toyKits())
	for _, c := range []struct{ server, name, want string }{
		{"LK_P_A", "LKCHECKINTERVAL", "360"},
		{"LK_P_B", "LKCHECKINTERVAL", "200"},
		{"", "LKCHECKINTERVAL", "200"},
		{"LK_P_B", "CONFIRMSOTO", "600"},
		{"LK_P_B", "IP_PAUSE", "3"},
		{"LK_P_B", "NO_SUCH", ""},
		{"LK_P_B", "QUORUM_MODE", "tcp_remote"}, // two regions
		{"VPN_P_A", "QUORUM_MODE", "majority"},
		{"VPN_P_A", "QUORUM_HOSTS", "a:22,b:22"},
	} {
		if got := x.Effective(c.server, c.name); got != c.want {
			t.Errorf("%s on %q: got %q, want %q", c.name, c.server, got, c.want)
		}
	}
	if q := x.Quorum("VPN_P_B"); len(q.Hosts) != 2 || q.Timeout.Seconds() != 20 {
		t.Errorf("quorum: %+v", q)
	}
	if x.Int("LK_P_A", LCMNumHBeats) != 3 || x.Seconds("LK_P_A", LKCheckInterval).Minutes() != 6 {
		t.Error("typed values")
	}
}

func TestQuorumThatCannotBeJudged(t *testing.T) {
	e := &Estate{
		Name: "e", Regions: []Region{{Name: "r"}},
		Servers: []Server{{Name: "a", Region: "r"}, {Name: "b", Region: "r"}, {Name: "alone", Region: "r"}},
		Cluster: []Cluster{{Name: "c", Servers: []string{"a", "b"}}, {Name: "d", Servers: []string{"alone"}}},
	}
	for _, c := range []struct {
		name     string
		hosts    []string
		mode     string
		want     string
		unjudged bool
		warnings int
	}{
		{"two servers and no hosts", nil, "", NoQuorum, true, 1},
		{"asked for, and no hosts", nil, TCPRemote, NoQuorum, true, 1},
		{"with hosts", []string{"w1:22", "w2:22", "w3:22"}, "", TCPRemote, false, 0},
		{"none in so many words", nil, NoQuorum, NoQuorum, false, 0},
		{"majority", nil, Majority, Majority, false, 0},
	} {
		e.Cluster[0].QuorumHosts, e.Cluster[0].QuorumMode = c.hosts, c.mode
		q := NewIndex(e).Quorum("a")
		if q.Mode != c.want || q.Unjudged != c.unjudged {
			t.Errorf("%s: mode %q unjudged %v", c.name, q.Mode, q.Unjudged)
		}
		if w := Warnings(e, nil); len(w) != c.warnings {
			t.Errorf("%s: %d warnings: %v", c.name, len(w), w)
		}
		if q := NewIndex(e).Quorum("alone"); q.Mode != NoQuorum || q.Unjudged {
			t.Errorf("%s: a server alone has %+v", c.name, q)
		}
	}
}

func TestDefaultQuorumMode(t *testing.T) {
	x := NewIndex(figure1())
	for _, c := range []struct {
		servers []string
		want    string
	}{
		{[]string{"LK_P_A"}, NoQuorum},
		{[]string{"LK_P_A", "LK_P_B"}, TCPRemote},
		{[]string{"LK_P_A", "LK_P_B", "VPN_P_A"}, Majority},
		{[]string{"LK_P_A", "LK_P_B", "LK_S_A"}, TCPRemote},
	} {
		if got := x.DefaultQuorumMode(&Cluster{Servers: c.servers}); got != c.want {
			t.Errorf("%v: got %s, want %s", c.servers, got, c.want)
		}
	}
}

func TestInstanceOf(t *testing.T) {
	x := NewIndexFor(figure1(), toyKits())
	in := InstanceOf(x, "service/www", "LK_S_A", "LK_P_A")
	if in.Node.Address != "172.16.0.10" || in.Node.VPC != "vpc-0s" || in.Active != "LK_P_A" || in.Kit != "app" {
		t.Errorf("instance: %+v", in)
	}
	if in.Attrs["start"] != "/etc/www/start" || in.Attrs["start_timeout"] != "60s" {
		t.Errorf("fields: %v", in.Attrs)
	}
	if len(in.Children) != 2 || in.Children[0].Tag != "service/ec2-route53" || in.Children[1].On["LK_S_B"]["address"] != "10.2.0.10" {
		t.Errorf("children, nearest first: %+v", in.Children)
	}
	if ip := InstanceOf(x, "service/ip-route53", "LK_P_B", ""); len(ip.Parents) != 2 || ip.Attrs["address"] != "10.1.0.10" || len(ip.Nodes) != 4 {
		t.Errorf("ip: %+v", ip)
	}
	if len(in.EstateCIDRs) != 2 || in.Tuning["CONFIRMSODEF"] != "1" || in.Regions["ap-northeast-1"].VPC != "vpc-0p" {
		t.Errorf("shared facts: %+v", in)
	}
	if none := InstanceOf(x, "service/none", "LK_P_A", ""); none.Kit != "" {
		t.Errorf("unknown tag: %+v", none)
	}
	if away := InstanceOf(x, "service/www", "VPN_P_A", ""); away.Attrs["start"] == "" || away.Node.Name != "VPN_P_A" {
		t.Errorf("not extended there: %+v", away)
	}
}

// TestIndexIsSharedSafely asks the same things from many goroutines; the race
// detector judges what the comparison does not.
func TestIndexIsSharedSafely(t *testing.T) {
	x := NewIndexFor(figure1(), toyKits())
	want := InstanceOf(NewIndexFor(figure1(), toyKits()), "service/www", "LK_S_A", "LK_P_A")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := InstanceOf(x, "service/www", "LK_S_A", "LK_P_A"); !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v", got)
			}
			x.Ancestors("service/ip-route53")
			x.Flag("LK_P_A", "LK_S_A")
		})
	}
	all.Wait()
}

// BenchmarkIndex measures what every change of the definition costs.
func BenchmarkIndex(b *testing.B) {
	for _, n := range []int{10, 1000, 10000} {
		e := figure1()
		base := e.Res
		e.Res = nil
		for i := range n {
			r := base[i%3]
			r.Tag = MakeTag("service", fmt.Sprintf("%s-%d", r.Tag.Short(), i/3))
			r.Children = nil
			for _, c := range base[i%3].Children {
				r.Children = append(r.Children, MakeTag("service", fmt.Sprintf("%s-%d", c.Short(), i/3)))
			}
			e.Res = append(e.Res, r)
		}
		b.Run(fmt.Sprintf("new/resources=%d", n), func(b *testing.B) {
			for b.Loop() {
				NewIndex(e)
			}
		})
		x := NewIndex(e)
		tag := e.Res[n/2].Tag
		b.Run(fmt.Sprintf("ask/resources=%d", n), func(b *testing.B) {
			for b.Loop() {
				x.Hierarchy(tag)
				x.StopOrder(x.Ancestors(tag)...)
				x.PlacementsByPriority(tag)
				InstanceOf(x, tag, "LK_P_A", "LK_P_B")
			}
		})
	}
}

// Values of kits that an estate has nothing of are not listed, unless somebody set one.
func TestTuningsOfAnEstate(t *testing.T) {
	e := &Estate{Name: "e", Servers: []Server{{Name: "a"}}}
	has := func() bool {
		return slices.ContainsFunc(TuningsOf(e, toyKits()), func(t Tuning) bool { return t.Name == "IP_PAUSE" })
	}
	if has() || len(TuningsOf(e, toyKits())) != len(TuningTable()) {
		t.Error("an estate without resources has values of kits")
	}
	e.Servers[0].Tuning = map[string]string{"IP_PAUSE": "5"}
	if !has() {
		t.Error("a value that is set is not listed")
	}
	e.Servers[0].Tuning, e.Res = nil, []Resource{{Tag: "c/ip", Kit: "ip"}}
	if !has() {
		t.Error("a value of a kit that is in use is not listed")
	}
}
