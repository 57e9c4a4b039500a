package openswan

import (
	"os"
	"strings"
	"testing"
)

// captured gives the lines of a state as Libreswan 4.10 printed it: those of status
// and those of trafficstatus. The recordings left out the list's head in most states.
func captured(t testing.TB, name, state string) (status, traffic []string) {
	t.Helper()
	b, err := os.ReadFile("testdata/captured/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(b), "### "+state)
	if !ok {
		t.Fatalf("%s has no state %s", name, state)
	}
	_, block, _ = strings.Cut(block, "\n")
	status = []string{"000 using kernel interface: xfrm"}
	for line := range strings.SplitSeq(block, "\n") {
		switch {
		case strings.HasPrefix(line, "### "), strings.HasPrefix(line, "== "), strings.HasPrefix(line, "ping-"):
			return status, traffic
		case strings.HasPrefix(line, "000 "):
			status = append(status, line)
		case strings.HasPrefix(line, "006 "):
			traffic = append(traffic, line)
		}
	}
	return status, traffic
}

func TestTunnelStatesAsCaptured(t *testing.T) {
	for _, c := range []struct {
		file, state string
		word        string
		ike         bool
		host        string
		out         int64
		sas         int // in trafficstatus
	}{
		{"vpn-up", "ipsec status (up)", "up", true, "10.9.0.2", 252, -1},
		{"vpn-up", "status tail after down", "up", true, "10.9.0.2", 0, 1}, // the peer revived it
		{"vpn-peerdown", "up ", "up", true, "10.9.0.2", 0, 1},
		{"vpn-peerdown", "cut+12s", "up, peer does not answer", true, "10.9.0.2", 84, 1},
		{"vpn-peerdown", "cut+24s", "up, peer does not answer", true, "10.9.0.2", 168, 1},
		{"vpn-peerdown", "cut+48s", "up, peer does not answer", true, "10.9.0.2", 336, 1},
		{"vpn-peerdown", "cut+60s", "connecting", false, "10.9.0.2", 0, 0},
		{"vpn-peerdown", "back+12s", "connecting", false, "10.9.0.2", 0, 0},
		{"vpn-more", "now", "up", true, "10.9.0.2", 0, 1}, // two child SAs of one part
		{"vpn-more", "both-down ", "down", false, "10.9.0.2", 0, 0},
		{"vpn-more", "both-down-right-side", "up", true, "10.9.0.1", 0, 1},
		{"vpn-more2", "peer-pluto-stopped+1s", "connecting", false, "10.9.0.2", 0, 0},
		{"vpn-more2", "psk-repaired", "up", true, "10.9.0.2", 0, 1},
		{"vpn-more2", "left-down-right-add", "up", true, "10.9.0.2", 0, 1},
	} {
		status, list := captured(t, c.file, c.state)
		got, err := parseStatus(status, "vpn1")
		if err != nil {
			t.Errorf("%s: %v", c.state, err)
			continue
		}
		if stateWord(got) != c.word || got.ike != c.ike || got.host.String() != c.host || got.out != c.out {
			t.Errorf("%s: %q ike %v host %v out %d", c.state, stateWord(got), got.ike, got.host, got.out)
		}
		tr, err := parseTraffic(list, "vpn1")
		if err != nil || c.sas >= 0 && len(tr.names) != c.sas {
			t.Errorf("%s: traffic %+v %v", c.state, tr, err)
		}
		if other, err := parseStatus(status, "vpn"); err != nil || stateWord(other) != "not loaded" {
			t.Errorf("%s: vpn is not vpn1: %+v %v", c.state, other, err)
		}
	}
}

func TestStatusOfADaemonThatIsGone(t *testing.T) {
	for _, said := range []string{
		"", "whack: Pluto is not running (no \"/run/pluto/pluto.ctl\")",
		`whack: is Pluto running?  connect() for "/run/pluto/pluto.ctl" failed (111 Connection refused)`,
	} {
		if _, err := parseStatus([]string{said}, "vpn1"); err == nil {
			t.Errorf("%q passes for a status", said)
		}
		if !notRunning([]string{said}) {
			t.Errorf("%q is not taken for a daemon that is gone", said)
		}
	}
	if notRunning([]string{"Segmentation fault"}) {
		t.Error("an unknown word is taken for a daemon that is gone")
	}
}

// The form of Openswan 2.6 and of Libreswan 3 with IKEv1, behind an Elastic IP. Put together from the
// sources' format strings, not recorded.
const openswanStatus = `000 using kernel interface: netkey
000 interface eth0/eth0 10.0.0.5
000 "other": 192.0.2.1...192.0.2.2; unrouted; eroute owner: #0
000 "other":     myip=unset; hisip=unset;
000 "other":   newest ISAKMP SA: #0; newest IPsec SA: #0; 
000 "vpn1/1x1": 10.0.0.0/16===10.0.0.5<10.0.0.5>[54.249.2.50,+S=C]---10.0.0.1...54.254.156.254<54.254.156.254>[+S=C]===172.16.0.0/16; erouted; eroute owner: #2
000 "vpn1/1x1":     myip=10.0.0.5; hisip=172.16.0.5;
000 "vpn1/1x1":   newest ISAKMP SA: #1; newest IPsec SA: #2; 
000 "vpn1/1x2": 10.0.0.0/16===10.0.0.5<10.0.0.5>[54.249.2.50,+S=C]---10.0.0.1...54.254.156.254<54.254.156.254>[+S=C]===10.2.0.0/16; erouted; eroute owner: #3
000 "vpn1/1x2":     myip=10.0.0.5; hisip=172.16.0.5;
000 "vpn1/1x2":   newest ISAKMP SA: #0; newest IPsec SA: #3; 
000  
000 #3: "vpn1/1x2":4500 STATE_QUICK_I2 (sent QI2, IPsec SA established); EVENT_SA_REPLACE in 27957s; newest IPSEC; eroute owner; isakmp#1; idle; import:admin initiate
000 #3: "vpn1/1x2" esp.7ab5e4e4@54.254.156.254 esp.c0d2a0f1@10.0.0.5 tun.0@54.254.156.254 tun.0@10.0.0.5 ref=0 refhim=4294901761 Traffic: ESPin=1KB ESPout=2KB! ESPmax=0B
000 #2: "vpn1/1x1":4500 STATE_QUICK_I2 (sent QI2, IPsec SA established); EVENT_SA_REPLACE in 27957s; newest IPSEC; eroute owner; isakmp#1; idle; import:admin initiate
000 #1: "vpn1/1x1":4500 STATE_MAIN_I4 (ISAKMP SA established); EVENT_SA_REPLACE in 2762s; newest ISAKMP; lastdpd=-1s(seq in:0 out:0); idle; import:admin initiate`

func TestStatusOfOpenswan(t *testing.T) {
	got, err := parseStatus(strings.Split(openswanStatus, "\n"), "vpn1")
	if err != nil {
		t.Fatal(err)
	}
	if stateWord(got) != "up" || !got.ike || len(got.parts) != 2 || got.in != 1024 ||
		got.source.String() != "10.0.0.5" || got.peer.String() != "172.16.0.5" || got.host.String() != "54.254.156.254" {
		t.Errorf("%s %+v", stateWord(got), got)
	}
}

func TestStatusThatIsNotUnderstoodIsAnError(t *testing.T) {
	for name, change := range map[string][2]string{
		"a state nobody knows":          {"STATE_QUICK_I2 (sent QI2, IPsec SA established); EVENT_SA_REPLACE in 27957s; newest IPSEC; eroute owner; isakmp#1; idle; import:admin initiate\n000 #3", "STATE_QUICK_X9 (what)\n000 #3"},
		"the SA is not in the list":     {`000 #2: "vpn1/1x1":4500`, `000 #7: "vpn1/1x1":4500`},
		"the SA belongs to another":     {`000 #2: "vpn1/1x1":4500`, `000 #2: "vpn2":4500`},
		"no newest SA":                  {"newest ISAKMP SA: #0; newest IPsec SA: #3", "newer"},
		"a number that is none":         {"newest IPsec SA: #3", "newest IPsec SA: #x"},
		"a template":                    {`"vpn1/1x2":     myip`, `"vpn1/1x2"[1]:     myip`},
		"two peers":                     {`"vpn1/1x2":     myip=10.0.0.5; hisip=172.16.0.5`, `"vpn1/1x2":     myip=10.0.0.5; hisip=172.16.0.6`},
		"no head":                       {"000 using kernel interface: netkey\n", ""},
		"the same part in two places":   {`000 "vpn1/1x2":   newest`, `000 "vpn1/1x1":   newest`},
		"a state without a number":      {"000 #1:", "000 #:"},
		"a connection without its ends": {"54.249.2.50,+S=C]---10.0.0.1...54.254.156.254<54.254.156.254>[+S=C]===10.2", "54.249.2.50,+S=C]---10.2"},
	} {
		text := openswanStatus
		if name == "a state nobody knows" {
			text = strings.Replace(text, `000 #2: "vpn1/1x1":4500 STATE_QUICK_I2 (sent QI2, IPsec SA established)`, `000 #2: "vpn1/1x1":4500 STATE_QUICK_X9 (what)`, 1)
		} else {
			text = strings.Replace(text, change[0], change[1], 1)
		}
		if text == openswanStatus {
			t.Fatalf("%s changes nothing", name)
		}
		if got, err := parseStatus(strings.Split(text, "\n"), "vpn1"); err == nil {
			t.Errorf("%s: %s %+v", name, stateWord(got), got)
		}
	}
}

func TestOnePartOfTwoDown(t *testing.T) {
	text := strings.Replace(openswanStatus, "newest IPsec SA: #3", "newest IPsec SA: #0", 1)
	got, err := parseStatus(strings.Split(text, "\n"), "vpn1")
	if err != nil || got.up() || stateWord(got) != "partly up" || list(got.down()) != "vpn1/1x2" {
		t.Errorf("%s %+v %v", stateWord(got), got, err)
	}
}

func TestTraffic(t *testing.T) {
	got, err := parseTraffic([]string{
		`006 #5: "vpn1/1x1", type=ESP, add_time=1795374683, inBytes=84, outBytes=252, maxBytes=2^63B, id='10.9.0.2'`,
		`006 #6: "vpn1/1x1", type=ESP, add_time=0, inBytes=1, outBytes=2, maxBytes=2^63B, id='10.9.0.2'`,
		`006 #8: "vpn1/2x1", username=x, type=ESP, add_time=1795374600, inBytes=1, outBytes=2, id='10.9.0.2'`,
		`006 #7: "vpn10", type=ESP, add_time=1, inBytes=1000, outBytes=1000, id='10.9.0.2'`,
	}, "vpn1")
	if err != nil || len(got.names) != 2 || got.in != 86 || got.out != 256 || got.since.Unix() != 1795374600 {
		t.Errorf("%+v %v", got, err)
	}
	for _, bad := range []string{"garbage", `006 #x: "vpn1"`, `006 #5: "vpn1", type=ESP`, `006 #5: "vpn1", add_time=-1, inBytes=1, outBytes=1`, `006 #5: "vpn1", inBytes=1e9, outBytes=1`} {
		if _, err := parseTraffic([]string{bad}, "vpn1"); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

// A tunnel is only up when both lists of the status say so of every part.
func FuzzStatus(f *testing.F) {
	f.Add(openswanStatus)
	for _, s := range []string{"ipsec status (up)", "status tail after down"} {
		lines, _ := captured(f, "vpn-up", s)
		f.Add(strings.Join(lines, "\n"))
	}
	lines, _ := captured(f, "vpn-peerdown", "cut+60s")
	f.Add(strings.Join(lines, "\n"))
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseStatus(strings.Split(s, "\n"), "vpn1")
		if err == nil && got.up() && !(strings.Contains(s, "established") && strings.Contains(s, "using kernel interface")) {
			t.Errorf("up from %q", s)
		}
		if got.in < 0 || got.out < 0 {
			t.Errorf("bytes %d %d", got.in, got.out)
		}
	})
}

func FuzzTraffic(f *testing.F) {
	f.Add(`006 #5: "vpn1/1x1", type=ESP, add_time=1795374683, inBytes=84, outBytes=252, maxBytes=2^63B, id='10.9.0.2'`)
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseTraffic(strings.Split(s, "\n"), "vpn1")
		if err == nil && len(got.names) > 0 && !strings.Contains(s, `"vpn1`) {
			t.Errorf("%+v from %q", got, s)
		}
	})
}
