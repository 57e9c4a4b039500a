package nodesim

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const recorded = "../../../kits/openswan/testdata/captured/"

// twoVPN is a world with one tunnel of one pair of networks, as the recordings have it.
func twoVPN(t *testing.T) (*World, *Node, *Node) {
	t.Helper()
	w := NewWorld(Options{})
	t.Cleanup(w.Close)
	var nodes []*Node
	for _, c := range []NodeConfig{{Name: "L", Address: "10.1.0.1", Public: "54.0.0.1"}, {Name: "R", Address: "10.2.0.1", Public: "54.0.0.2"}} {
		n, err := w.AddNode(c)
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, n)
	}
	if err := w.AddTunnel(TunnelEnd{"L", "vpn1", []string{"10.1.0.0/24"}}, TunnelEnd{"R", "vpn1", []string{"10.2.0.0/24"}}, "key"); err != nil {
		t.Fatal(err)
	}
	return w, nodes[0], nodes[1]
}

// The recordings of "auto --up" have no address translation between their nodes; what it
// adds to a line there is taken off before it is compared.
var (
	translated = strings.NewReplacer(" NATD=54.0.0.2:4500", "", "ESPinUDP", "ESP", "eth0", "vec0")
	fades      = regexp.MustCompile(`0x[0-9a-f]+|esp\.[0-9a-f]+|\d+(\.\d+)*(/\d+)?|their_ip=[^;]+`)
)

// shape is a line without what differs from run to run.
func shape(line string) string {
	return strings.TrimRight(fades.ReplaceAllString(translated.Replace(line), "N"), " ")
}

// lineKinds are the shapes of the lines of a text, each once.
func lineKinds(text string) map[string]string {
	out := map[string]string{}
	for _, l := range lines(text) {
		if strings.HasPrefix(l, "0") || strings.HasPrefix(l, "1") || strings.HasPrefix(l, "whack") {
			out[shape(l)] = l
		}
	}
	return out
}

// Whatever the simulated ipsec says in any state has the very form of a line that the real one said.
func TestIPsecSpeaksAsRecorded(t *testing.T) {
	var all strings.Builder
	for _, f := range []string{"vpn-up.txt", "vpn-more.txt", "vpn-more2.txt", "vpn-peerdown.txt"} {
		b, err := os.ReadFile(recorded + f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	behindNAT, err := filepath.Glob(recorded + "../lab/*.txt") // quoted, as the kit's scripts hand it on
	if err != nil || len(behindNAT) == 0 {
		t.Fatalf("no recordings of nodes behind an address translation: %v", err)
	}
	for _, f := range behindNAT {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(strings.ReplaceAll("\n"+string(b), "\n|", "\n"))
	}
	known := lineKinds(all.String())
	synctest.Test(t, func(t *testing.T) {
		w, l, r := twoVPN(t)
		seen := 0
		say := func(when, script string) string {
			t.Helper()
			_, out := l.Exec(t.Context(), script)
			for kind, line := range lineKinds(out) {
				seen++
				if known[kind] == "" {
					t.Errorf("%s, %s: no real line looks like\n%s\n(%s)", when, script, line, kind)
				}
			}
			return out
		}
		both := func(when string) string {
			t.Helper()
			say(when, "ipsec trafficstatus")
			return say(when, "ipsec status")
		}
		if out := both("up"); !strings.Contains(out, `"vpn1/1x1":4500 STATE_V2_ESTABLISHED_CHILD_SA (established Child SA)`) {
			t.Errorf("up: %s", out)
		}
		if code, out := l.Exec(t.Context(), "ping -n -c 1 -w 5 -W 5 -I 10.1.0.1 10.2.0.1"); code != 0 {
			t.Errorf("ping: %s", out)
		}
		say("up", "ipsec auto --up vpn1")
		if out := both("twice up"); strings.Count(out, "STATE_V2_ESTABLISHED_CHILD_SA") != 2 {
			t.Errorf("--up of a tunnel that is up adds no SA: %s", out)
		}
		say("up", "ipsec auto --down vpn1")
		if out := both("down"); strings.Count(out, "prospective erouted") != 1 {
			t.Errorf("down: %s", out)
		}
		time.Sleep(time.Second)
		say("up", "ipsec auto --rereadsecrets")
		w.Cut("L", "R")
		time.Sleep(30 * time.Second)
		if out := both("cut"); !strings.Contains(out, "(established IKE SA); RETRANSMIT in ") || !strings.Contains(out, "erouted; eroute owner: #") {
			t.Errorf("cut for 30 s: %s", out)
		}
		time.Sleep(40 * time.Second)
		if out := both("cut for long"); !strings.Contains(out, "half-open(1)") || !strings.Contains(out, "pending CHILD SA") {
			t.Errorf("cut for 70 s: %s", out)
		}
		if code, out := l.Exec(t.Context(), "ipsec auto --up vpn1"); code != 0 || strings.Contains(out, "established") {
			t.Errorf("--up of what is being tried: %d %s", code, out)
		}
		say("cut for long", "timeout 5 ipsec auto --down vpn1; timeout 5 ipsec auto --up vpn1")
		w.Heal("L", "R")
		time.Sleep(33 * time.Second)
		both("back")
		say("back", "ipsec auto --up nosuch")
		if err := r.SetSharedKey("vpn1", "another"); err != nil {
			t.Fatal(err)
		}
		r.ReloadSecrets()
		time.Sleep(time.Second)
		if code, out := l.Exec(t.Context(), "ipsec auto --down vpn1; ipsec auto --up vpn1"); code != 36 || !strings.Contains(out, "AUTHENTICATION_FAILED") {
			t.Errorf("another key: %d %s", code, out)
		}
		say("another key", "ipsec auto --down vpn1; ipsec auto --up vpn1")
		l.KillIPsec()
		if out := say("killed", "ipsec status; echo $?"); !strings.Contains(out, "Connection refused)\n33") {
			t.Errorf("killed: %s", out)
		}
		l.StopIPsec()
		if out := say("stopped", "ipsec status 2>/dev/null; echo $?; systemctl is-active ipsec"); out != "33\ninactive\n" {
			t.Errorf("stopped: %s", out)
		}
		if seen < 200 {
			t.Errorf("only %d lines were compared", seen)
		}
	})
}

// A daemon that hangs keeps a question for ever, and what the kernel has goes on until the peer gives up.
func TestIPsecThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, l, r := twoVPN(t)
		l.FreezeIPsec()
		began := time.Now()
		if code, out := l.Exec(t.Context(), "timeout 6 ipsec status"); code != 124 || out != "" || time.Since(began) < 6*time.Second {
			t.Errorf("%d %q after %v", code, out, time.Since(began))
		}
		ping := "ping -n -c 1 -W 1 -I 10.1.0.1 10.2.0.1"
		l.world.SetRoutes(nil)
		if code, _ := l.Exec(t.Context(), ping); code != 0 {
			t.Error("the kernel's tunnel ended with the daemon's silence")
		}
		time.Sleep(90 * time.Second)
		if _, out := r.Exec(t.Context(), "ipsec status"); !strings.Contains(out, "half-open(1)") {
			t.Errorf("the peer still believes in it: %s", out)
		}
		l.ThawIPsec()
		time.Sleep(35 * time.Second)
		for _, e := range l.world.Tunnels() {
			if !e.Carries {
				t.Errorf("after it went on: %+v", e)
			}
		}
	})
}

// The daemon loads what the files say, and nothing without them.
func TestIPsecReadsItsFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, l, _ := twoVPN(t)
		text, err := l.ReadFile("/etc/ipsec.d/vpn1.conf")
		if err != nil {
			t.Fatal(err)
		}
		// An administrator rewrites it: the other way round, by also=, with one network.
		text = strings.NewReplacer("left", "right", "right", "left", "subnets={10.1.0.0/24}", "subnet=10.1.0.0/24", "subnets={10.2.0.0/24}", "subnet=10.2.0.0/24").Replace(text)
		text = strings.Replace(text, "conn vpn1\n", "conn base\n", 1) + "\nconn vpn1\n    also=base\n    auto=add\n"
		if err := l.WriteFile("/etc/ipsec.d/vpn1.conf", text, false); err != nil {
			t.Fatal(err)
		}
		l.Exec(t.Context(), "ipsec auto --replace vpn1")
		_, out := l.Exec(t.Context(), "ipsec status")
		if !strings.Contains(out, `000 "vpn1": 10.1.0.0/24===10.1.0.1[54.0.0.1]`) || strings.Contains(out, "aliases") {
			t.Errorf("%s", out)
		}
		if _, err := l.ReadFile("/etc/ipsec.secrets"); err != nil {
			t.Error(err)
		}
	})
	n, err := NewWorld(Options{}).AddNode(NodeConfig{Name: "N", Address: "10.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	if code, _ := n.Exec(t.Context(), "command -v ipsec || systemctl is-active ipsec"); code == 0 {
		t.Error("a node without IPsec has the tool")
	}
}
