package config

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// word draws what may stand in a value: any printable text, with quotes, backslashes
// and other scripts, but no leading dash.
func word(t *rapid.T, label string) string {
	return strings.TrimLeft(rapid.StringOfN(rapid.SampledFrom([]rune(`abcXYZ 019/._:=#,"'\[]{}-東京é`)), 0, 12, -1).Draw(t, label), "-")
}

// anyName draws n different names, some of which need quotes in TOML.
func anyName(t *rapid.T, label string, i int) string {
	return label + rapid.SampledFrom([]string{"_", "-", "."}).Draw(t, label) + strconv.Itoa(i)
}

// anyEstate draws a definition that Validate accepts, using every part of it.
func anyEstate(t *rapid.T) *hierarchy.Estate {
	e := &hierarchy.Estate{Name: anyName(t, "estate", 1), Tuning: map[string]string{"CONFIRMSODEF": "1"}, SSH: anySSH(t)}
	for i := range rapid.IntRange(1, 3).Draw(t, "regions") {
		e.Regions = append(e.Regions, hierarchy.Region{
			Name: anyName(t, "region", i), VPC: word(t, "vpc"), CIDRs: []string{fmt.Sprintf("10.%d.0.0/16", i)},
			Profile: word(t, "profile"), EndpointEC2: "http://127.0.0.1:" + strconv.Itoa(8000+i), RouteTables: anyWords(t, "rtb"),
		})
	}
	for i := range rapid.IntRange(1, 6).Draw(t, "servers") {
		e.Servers = append(e.Servers, hierarchy.Server{
			Name: anyName(t, "SRV", i), Region: rapid.SampledFrom(e.Regions).Draw(t, "region").Name, Zone: word(t, "zone"),
			Address: fmt.Sprintf("10.0.0.%d", i+1), Connect: word(t, "connect"), ENI: word(t, "eni"), SSH: anySSH(t),
			Tuning: anyTuning(t), SwitchOnShutdown: rapid.Bool().Draw(t, "switch"),
		})
	}
	anyClusters(t, e)
	e.Notify = anyNotify(t)
	return e
}

// anyNotify draws a channel of each kind, or some of them.
func anyNotify(t *rapid.T) []hierarchy.Notify {
	all := []hierarchy.Notify{
		{Channel: hierarchy.NotifyExec, Command: append([]string{"/bin/page"}, anyWords(t, "argument")...)},
		{Channel: hierarchy.NotifyWebhook, URL: "https://example.com/hook", SecretFile: rapid.SampledFrom([]string{"", "/etc/secret"}).Draw(t, "secret")},
		{Channel: hierarchy.NotifyMail, SMTP: "mail:25", From: "a@b", To: []string{"c@d", "e@f"}, TLS: rapid.SampledFrom(append(hierarchy.NotifyTLS(), "")).Draw(t, "tls")},
		{Channel: hierarchy.NotifySNS, Topic: "arn:aws:sns:ap-northeast-1:123456789012:ferry", Profile: word(t, "profile")},
	}[:rapid.IntRange(0, 4).Draw(t, "channels")]
	for i := range all {
		all[i].Name = anyName(t, "notify", i)
		all[i].Severity = rapid.SampledFrom(append(hierarchy.Severities(), "")).Draw(t, "severity")
		all[i].Timeout = rapid.IntRange(0, hierarchy.MaxNotifyTimeout).Draw(t, "timeout")
		all[i].Events = rapid.SliceOfDistinct(rapid.SampledFrom(hierarchy.NotifyKinds()), rapid.ID[string]).Draw(t, "events")
	}
	return all
}

func anySSH(t *rapid.T) hierarchy.SSH {
	if rapid.Bool().Draw(t, "no ssh") {
		return hierarchy.SSH{}
	}
	return hierarchy.SSH{User: word(t, "user"), Port: rapid.IntRange(0, 65535).Draw(t, "port"), Identity: word(t, "identity"), Jump: word(t, "jump")}
}

func anyWords(t *rapid.T, label string) []string {
	var all []string
	for range rapid.IntRange(0, 3).Draw(t, label) {
		all = append(all, word(t, label))
	}
	return all
}

func anyTuning(t *rapid.T) map[string]string {
	all := map[string]string{}
	for _, row := range hierarchy.TuningTable() {
		if row.Name == hierarchy.ConfirmSoDef || !rapid.Bool().Draw(t, row.Name) {
			continue
		}
		switch row.Kind {
		case hierarchy.TuningWord:
			all[row.Name] = rapid.SampledFrom(row.Choices).Draw(t, row.Name)
		case hierarchy.TuningText:
			all[row.Name] = "10.9.0.1:22,10.9.0.2:22,10.9.0.3:22"
		default:
			all[row.Name] = strconv.Itoa(rapid.IntRange(row.Min, row.Max).Draw(t, row.Name))
		}
	}
	return all
}

// anyClusters deals the servers out and gives each cluster a hierarchy.
func anyClusters(t *rapid.T, e *hierarchy.Estate) {
	rest := e.Servers
	for i := 0; len(rest) > 0; i++ {
		n := rapid.IntRange(1, len(rest)).Draw(t, "servers in cluster")
		c := hierarchy.Cluster{Name: anyName(t, "cluster", i), AllowAutomaticCrossing: rapid.Bool().Draw(t, "crossing")}
		for _, s := range rest[:n] {
			c.Servers = append(c.Servers, s.Name)
		}
		if rapid.Bool().Draw(t, "quorum") {
			c.QuorumMode, c.QuorumHosts = hierarchy.TCPRemote, []string{"h1:1", "h2:2", "[fd00::1]:3"}
		}
		rest = rest[n:]
		e.Cluster = append(e.Cluster, c)
		anyResources(t, e, c, i)
		for _, peer := range c.Servers[1:] {
			e.Flags = append(e.Flags, hierarchy.Flag{Viewer: c.Servers[0], Peer: peer, Confirm: true, Block: rapid.Bool().Draw(t, "block")})
			e.Paths = append(e.Paths, hierarchy.CommPath{
				Cluster: c.Name, From: c.Servers[0], To: peer, ToAddr: "192.168.0.1", Priority: rapid.IntRange(0, 9).Draw(t, "path priority"),
			})
		}
	}
}

func anyResources(t *rapid.T, e *hierarchy.Estate, c hierarchy.Cluster, i int) {
	on := func(first int, own func(k int) map[string]string) []hierarchy.Placement {
		var all []hierarchy.Placement
		for k, s := range c.Servers {
			all = append(all, hierarchy.Placement{Server: s, Priority: first + k, Attrs: own(k)})
		}
		return all
	}
	none := func(int) map[string]string { return nil }
	tag := func(s string) hierarchy.Tag { return hierarchy.MakeTag(c.Name, s) }
	vip := fmt.Sprintf("10.200.%d.1", i)
	e.Res = append(e.Res, hierarchy.Resource{
		Tag: tag("/ip"), Kit: "ip", Cluster: c.Name, Switchback: hierarchy.Intelligent,
		On: on(rapid.IntRange(1, 3).Draw(t, "first priority"), func(int) map[string]string {
			return map[string]string{"address": vip, "interface": word(t, "interface")}
		}),
	}, hierarchy.Resource{
		Tag: tag("LSNR.ec2"), Kit: "ec2", Cluster: c.Name, Switchback: hierarchy.Automatic, Children: []hierarchy.Tag{tag("/ip")},
		Attrs: map[string]string{"destinations": rapid.SampledFrom([]string{"", "10.2.0.0/16", "10.2.0.0/16,172.16.0.0/16"}).Draw(t, "destinations"), "ip": "/ip"},
		On:    on(1, none),
	}, hierarchy.Resource{
		Tag: tag("app"), Kit: "app", Cluster: c.Name, Switchback: hierarchy.Intelligent, Children: []hierarchy.Tag{tag("LSNR.ec2"), tag("/ip")},
		Attrs: map[string]string{
			"start": "/" + word(t, "start") + rapid.SampledFrom([]string{"", "\n", "\t"}).Draw(t, "end"),
			"quiet": rapid.SampledFrom([]string{"true", "false"}).Draw(t, "quiet"), "start_timeout": rapid.SampledFrom([]string{"30", "2m", "007"}).Draw(t, "timeout"),
		},
		On: on(1, none),
	})
}

// TestRoundTrip: what is exported is read back as the same definition, with and
// without the kits, and the same definition is always written as the same bytes.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := hierarchy.Normalize(anyEstate(t))
		text := Export(e, toyKits())
		back, err := Load(bytes.NewReader(text), "exported.toml", toyKits())
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !reflect.DeepEqual(back, e) {
			t.Fatalf("differs: %v\n%s", hierarchy.Diff(e, back), text)
		}
		if again := Export(back, toyKits()); !bytes.Equal(again, text) {
			t.Fatalf("two exports differ:\n%s\n---\n%s", text, again)
		}
		plain, err := Load(bytes.NewReader(Export(e, nil)), "exported.toml", toyKits())
		if err != nil || !reflect.DeepEqual(plain, e) {
			t.Fatalf("exported without kits: %v", err)
		}
	})
}

// FuzzLoad: no text makes Load panic or hang; what is refused has lines that exist;
// what is accepted survives a round trip.
func FuzzLoad(f *testing.F) {
	f.Add(twoNodes)
	for _, c := range badFiles {
		f.Add(badText(c.old, c.new))
	}
	for _, s := range []string{"a=[{b=1},{b=2}]\n[[c.d]]\n[c.d.e]\n[[c.d]]", "\"a\\\"b\".'c' = '''x\n'''\n", "a = \"\"\"\"\"\"\"", "[a", "a={b={c=[1,", "\xff", "[[a.b.c]]\n[a]\nx.y.z=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		reg := toyKits()
		e, err := Load(strings.NewReader(text), "f.toml", reg)
		if err == nil {
			back, err := Load(bytes.NewReader(Export(e, reg)), "f.toml", reg)
			if err != nil || !reflect.DeepEqual(back, e) {
				t.Fatalf("round trip: %v\n%s", err, Export(e, reg))
			}
			return
		}
		errs, ok := err.(*Errors)
		if !ok {
			t.Fatalf("not *Errors: %v", err)
		}
		lines := strings.Count(text, "\n") + 1
		for _, p := range errs.Problems {
			if p.Line < 1 || p.Line > lines || p.Col < 1 {
				t.Fatalf("place %d:%d of %d lines: %s", p.Line, p.Col, lines, p.Message)
			}
		}
	})
}

// BenchmarkLoad measures reading and judging a large definition.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{10, 1000, 10000} {
		var text strings.Builder
		text.WriteString(twoNodes)
		for i := range n {
			fmt.Fprintf(&text, "\n[cluster.service.resource.r%d]\nkit = \"ip\"\naddress = \"10.200.%d.%d\"\non = [\"NODE_A\", \"NODE_B\"]\n", i, i/250, i%250)
		}
		b.Run(fmt.Sprintf("resources=%d", n), func(b *testing.B) {
			for b.Loop() {
				if _, err := Load(strings.NewReader(text.String()), "big.toml", toyKits()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
