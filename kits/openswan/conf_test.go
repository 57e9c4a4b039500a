package openswan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The seed's own example, with its comments in the midst of a section.
const seedConf = `version 2.0
config setup
    protostack=netkey
    nat_traversal=yes
    virtual_private=
    oe=off
conn vpn1
    type=tunnel
    authby=secret
    left=%defaultroute
    leftid=54.249.2.50
    #the public address of VPN_P_A
    leftnexthop=%defaultroute
    leftsubnets={10.0.0.0/16,10.1.0.0/16}
# at the margin
    leftsourceip=10.0.0.5	# the private address of VPN_P_A

    right=54.254.156.254
    rightsubnets={ 172.16.0.0/16, 10.2.0.0/16 }
    rightsourceip=172.16.0.5
    pfs=yes
    auto=start
`

func addrs(list ...string) []netip.Addr {
	var out []netip.Addr
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

func readOne(t *testing.T, own string, files ...file) Connection {
	t.Helper()
	c, err := parseConf(files)
	if err != nil {
		t.Fatal(err)
	}
	con, err := c.connection("vpn1", addrs(strings.Fields(own)...), nil)
	if err != nil {
		t.Fatal(err)
	}
	return con
}

func show(c Connection) string {
	side := func(s Side) string {
		return fmt.Sprintf("%s public %v source %v nets %v", s.word, s.Public, s.Source, s.Subnets)
	}
	return side(c.Local) + " | " + side(c.Peer)
}

const seedSeen = "left public 54.249.2.50 source 10.0.0.5 nets [10.0.0.0/16 10.1.0.0/16]" +
	" | right public 54.254.156.254 source 172.16.0.5 nets [172.16.0.0/16 10.2.0.0/16]"

func TestTheSeedsExample(t *testing.T) {
	con := readOne(t, "10.0.0.5", file{"/etc/ipsec.conf", seedConf})
	if got := show(con); got != seedSeen {
		t.Errorf("got  %s\nwant %s", got, seedSeen)
	}
	if m := con.missing(); len(m) > 0 {
		t.Errorf("missing: %v", m)
	}
	// The destinations of the Primary VPC's table, as the seed's Chapter 5 shows them.
	if got := fmt.Sprint(PeerSubnets(con)); got != "[172.16.0.0/16 10.2.0.0/16]" {
		t.Errorf("the EC2 child's destinations: %s", got)
	}
}

// Every way to write the same connection down.
func TestTheSameConnectionWrittenDifferently(t *testing.T) {
	head := "conn vpn1\n"
	for name, c := range map[string][]file{
		"the other way round": {{"/etc/ipsec.conf", head + " right=%defaultroute\n rightid=54.249.2.50\n rightsubnets={10.0.0.0/16,10.1.0.0/16}\n rightsourceip=10.0.0.5\n" +
			" left=54.254.156.254\n leftsubnets={172.16.0.0/16,10.2.0.0/16}\n leftsourceip=172.16.0.5\n"}},
		"own address and public id, both sides": {{"/etc/ipsec.conf", head + "\tleft=10.0.0.5\n\tleftid = \"54.249.2.50\"\n\tleftsubnets=\"10.0.0.0/16 10.1.0.0/16\"\n\tleftsourceip=10.0.0.5\n" +
			"\tright=54.254.156.254\n\trightid=172.16.0.5\n\trightsubnets=172.16.0.0/255.255.0.0,10.2.0.0/16\n\trightsourceip = 172.16.0.5 # twin\n"}},
		"defaults, a chain of also and includes": {
			{"/etc/ipsec.conf", "config setup\n\tdumpdir=/tmp\n\ninclude /etc/ipsec.d/*.conf\nconn %default\n leftsourceip=10.0.0.5\n left=192.0.2.1\n rightsourceip=172.16.0.5\n"},
			{"/etc/ipsec.d/a.conf", "conn vpn1\n also=far\n also=near\n"},
			{"/etc/ipsec.d/b.conf", "conn near\n left=%eth0\n leftid=@54.249.2.50\n also=nets\nconn nets\n leftsubnets={10.0.0.0/16 10.1.0.0/16}\ninclude more/far.inc\n"},
			{"/etc/ipsec.d/more/far.inc", "conn far\n RIGHT=54.254.156.254\n rightsubnets={172.16.0.0/16,  10.2.0.0/16,}\n"},
			{"/etc/ipsec.d/unasked.inc", "conn vpn1\n left=nowhere\n"}, // nobody includes it
		},
	} {
		con := readOne(t, "10.0.0.5", c...)
		got := show(con)
		if name == "the other way round" {
			got = strings.NewReplacer("left ", "right ", "right ", "left ").Replace(got)
		}
		if got != seedSeen {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, seedSeen)
		}
	}
}

func TestTheOtherNodeSeesTheOtherSide(t *testing.T) {
	text := strings.Replace(seedConf, "left=%defaultroute", "left=54.249.2.50", 1)
	text = strings.Replace(text, "right=54.254.156.254", "right=172.16.0.5\n    rightid=54.254.156.254", 1)
	con := readOne(t, "172.16.0.5", file{"/etc/ipsec.conf", text})
	if con.Local.word != "right" || con.Local.Public.String() != "54.254.156.254" || con.Peer.Public.String() != "54.249.2.50" {
		t.Errorf("%s", show(con))
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	con := readOne(t, "10.0.0.5", file{"/etc/ipsec.conf", "conn vpn1\n left=10.0.0.5\n leftsubnet=10.0.0.0/16\n right=%any\n rightid=@peer\n"})
	want := []string{"leftsourceip", "the public IP in right or rightid", "rightsubnets", "rightsourceip"}
	if got := con.missing(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestWhatIsNotUnderstoodIsRefusedWithItsPlace(t *testing.T) {
	side := " right=192.0.2.9\n"
	for text, want := range map[string]string{
		"conn vpn1\nleft=10.0.0.5\n":                  "/etc/ipsec.conf, line 2: a parameter stands at the margin",
		"conn vpn1\n left\n":                          `line 2: "left" is not "name=value"`,
		" left=10.0.0.5\n":                            "line 1: the parameter left belongs to no section",
		"connection vpn1\n":                           `line 1: "connection vpn1" is not known`,
		"conn vpn1 vpn2\n":                            "line 1",
		"conn vpn1\n leftid=\"54.249\n":               "line 2: a quotation mark is not closed",
		"conn vpn1\n leftid=a\"b\"c\n":                "line 2: quotation marks in the midst",
		"conn vpn1\n left=10.0.0.5\n left=10.0.0.6\n": "line 3: left of conn vpn1 is already set",
		"conn vpn1\n left=10.0.0.5\n" + side + "conn vpn1\n left=1.2.3.4\n":                     "line 4: conn vpn1 is already at /etc/ipsec.conf, line 1",
		"conn vpn1\n also=a\nconn a\n also=b\nconn b\n also=a\n":                                "circle: vpn1 → a → b → a",
		"conn vpn1\n also=vpn1\n":                                                               "circle",
		"conn vpn1\n also=gone\n":                                                               "line 2: also=gone: there is no conn gone",
		"conn vpn1\n alsoflip=a\n":                                                              "line 2: alsoflip= is not supported",
		"conn vpn1\n also=a\n also=b\nconn a\n left=1.1.1.1\nconn b\n left=2.2.2.2\n":           "line 7: conn vpn1 is given two values for left",
		"conn vpn1\n left=10.0.0.500\n" + side:                                                  "line 2: left=10.0.0.500 is not",
		"conn vpn1\n left=fe80::1\n" + side:                                                     "line 2: left=fe80::1 is not",
		"conn vpn1\n left=10.0.0.5\n leftsubnets={10.0.0.0/16\n" + side:                         "line 3: leftsubnets={10.0.0.0/16: a brace is missing",
		"conn vpn1\n left=10.0.0.5\n leftsubnets={10.0.0.5/16}\n" + side:                        "write 10.0.0.0/16",
		"conn vpn1\n left=10.0.0.5\n leftsubnets=10.0.0.0/016\n" + side:                         "is not an IPv4 network",
		"conn vpn1\n left=10.0.0.5\n leftsubnets={}\n" + side:                                   "names no network",
		"conn vpn1\n left=10.0.0.5\n leftsubnet=10.0.0.0/24,10.1.0.0/24\n" + side:               "write leftsubnets",
		"conn vpn1\n left=10.0.0.5\n leftsubnet=10.0.0.0/24\n leftsubnets=10.1.0.0/24\n" + side: "both leftsubnet and leftsubnets",
		"conn vpn1\n left=10.0.0.5\n leftsourceip=%config\n" + side:                             "leftsourceip=%config is not an IPv4 address",
		"conn vpn1\n left=10.0.0.5\n right=%defaultroute\n":                                     "both ends of conn vpn1 are this node's",
		"conn vpn1\n left=10.0.0.7\n" + side:                                                    "neither end of conn vpn1 is this node's",
		"conn vpn1\n left=10.0.0.5\n":                                                           "no right",
		"conn other\n left=10.0.0.5\n" + side:                                                   "ipsec.conf has no conn vpn1",
		"include /etc/ipsec.d/gone.conf\nconn vpn1\n left=10.0.0.5\n" + side:                    "line 1: the included file /etc/ipsec.d/gone.conf cannot be read",
		"include /etc/ipsec.d/[ab].conf\n":                                                      "line 1: include",
		"conn vpn1\n left=10.0.0.5\x1b[2J\n":                                                    "line 2: a control character",
		"\u00a0conn vpn1\n":                                                                     "is not known",
	} {
		c, err := parseConf([]file{{"/etc/ipsec.conf", text}})
		if err == nil {
			_, err = c.connection("vpn1", addrs("10.0.0.5"), nil)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\ngot  %v\nwant %s", text, err, want)
		}
	}
}

func TestChoicesAreTheConnectionsWithBothEnds(t *testing.T) {
	c, err := parseConf([]file{{"/etc/ipsec.conf", "conn %default\n keyingtries=0\nconn half\n left=1.2.3.4\nconn vpn2\n also=half\n right=%any\n" + strings.TrimPrefix(seedConf, "version 2.0\n")}})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.names(); !slices.Equal(got, []string{"vpn2", "vpn1"}) {
		t.Errorf("%q", got)
	}
}

// Whatever connection is written down, in whatever way, is read back as it was.
func TestAConnectionReadBackIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		addr := func(name string, first byte) netip.Addr {
			b := rapid.SliceOfN(rapid.Byte(), 3, 3).Draw(t, name)
			return netip.AddrFrom4([4]byte{first, b[0], b[1], b[2]})
		}
		nets := func(name string, first byte) (out []netip.Prefix) {
			for i := range rapid.IntRange(1, 4).Draw(t, name+" count") {
				p, _ := addr(fmt.Sprint(name, i), first).Prefix(rapid.IntRange(8, 32).Draw(t, name+" bits"))
				out = append(out, p)
			}
			return out
		}
		me := Side{Public: addr("my public", 54), Source: addr("my source", 10), Subnets: nets("my nets", 10)}
		peer := Side{Public: addr("peer public", 52), Source: addr("peer source", 172), Subnets: nets("peer nets", 172)}
		text := written(t, me, peer)
		c, err := parseConf([]file{{"/etc/ipsec.conf", text}})
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		got, err := c.connection("vpn1", []netip.Addr{me.Source}, nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		for i, pair := range [][2]Side{{got.Local, me}, {got.Peer, peer}} {
			if pair[0].Public != pair[1].Public || pair[0].Source != pair[1].Source || !slices.Equal(pair[0].Subnets, pair[1].Subnets) {
				t.Errorf("side %d: got %+v, want %+v from\n%s", i, pair[0], pair[1], text)
			}
		}
	})
}

// written writes a connection in one of the many ways.
func written(t *rapid.T, me, peer Side) string {
	pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	words := []string{"left", "right"}
	if rapid.Bool().Draw(t, "right is ours") {
		slices.Reverse(words)
	}
	lines := []string{
		words[0] + "=" + pick("host", "%defaultroute", me.Source.String(), "%eth0"), words[0] + "id=" + me.Public.String(),
		words[1] + "=" + peer.Public.String(), words[1] + "id=" + pick("id", "@peer.example", peer.Public.String(), peer.Source.String()),
	}
	for i, s := range []Side{me, peer} {
		var nets []string
		for _, p := range s.Subnets {
			nets = append(nets, p.String())
		}
		list := strings.Join(nets, pick("separator", ",", ", ", " ", " ,\t"))
		lines = append(lines, words[i]+"sourceip="+s.Source.String(),
			words[i]+"subnets="+pick("braces", "{"+list+"}", "{ "+list+" }", list, `"`+list+`"`))
	}
	lines = rapid.Permutation(lines).Draw(t, "order")
	var b strings.Builder
	fmt.Fprint(&b, pick("head", "", "version 2\n\n", "# words\nconfig setup\n\tplutodebug=none\n"), "conn vpn1\n")
	cut := rapid.IntRange(0, len(lines)).Draw(t, "moved to also")
	for i, l := range lines {
		if i == cut {
			b.WriteString("  also=rest\n\nconn rest\n")
		}
		key, val, _ := strings.Cut(l, "=")
		fmt.Fprint(&b, pick("indent", " ", "\t", "    "), key, pick("equals", "=", " = ", "\t="), val, pick("tail", "", " # said", "\t#", "  "), "\n",
			pick("between", "", "\n", "# said\n", "\t# said\n"))
	}
	return b.String()
}

// Whatever is read as a connection stands in the text.
func FuzzConf(f *testing.F) {
	f.Add(seedConf, "")
	f.Add("include a\nconn vpn1\n also=b\n", "conn b\n left=%defaultroute\n right=192.0.2.9\n")
	f.Add("conn %default\n also=%default\n", "conn vpn1\n leftsubnets={10.0.0.0/255.255.0.0 10.1.0.0/16,}\n")
	f.Fuzz(func(t *testing.T, text, included string) {
		c, err := parseConf([]file{{"/etc/ipsec.conf", text}, {"/etc/a", included}})
		if err != nil {
			return
		}
		c.names()
		con, err := c.connection("vpn1", addrs("10.0.0.5"), nil)
		if err != nil {
			return
		}
		all := text + included
		for _, s := range []Side{con.Local, con.Peer} {
			for _, a := range append(addrsOf(s.Subnets), s.Public, s.Source) {
				if a.IsValid() && !strings.Contains(all, a.String()) {
					t.Errorf("%v is not in %q", a, all)
				}
			}
		}
	})
}

func addrsOf(list []netip.Prefix) (out []netip.Addr) {
	for _, p := range list {
		out = append(out, p.Addr())
	}
	return out
}
