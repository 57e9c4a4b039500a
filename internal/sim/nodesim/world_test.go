package nodesim

import (
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/app"
	"github.com/ferry-ha/ferry/kits/ip"
	"github.com/ferry-ha/ferry/kits/kittest"
	"github.com/ferry-ha/ferry/sshexec"
	"github.com/ferry-ha/ferry/sshexec/wire"
)

// testbed is a world with two nodes in each of two regions and ferry's own SSH client.
type testbed struct {
	*World
	t    *testing.T
	pool *sshexec.Pool
	dir  string
	jobs atomic.Int64
	make func(node string) kits.Instance
}

var addresses = map[string]string{"LK_P_A": "10.0.0.10", "LK_P_B": "10.0.10.10", "LK_S_A": "172.16.0.10", "LK_S_B": "172.16.10.10"}

func newTestbed(t *testing.T) *testbed {
	t.Helper()
	b := &testbed{t: t, dir: t.TempDir()}
	public := b.writeKey()
	b.World = NewWorld(Options{Authorized: []ssh.PublicKey{public}})
	known := ""
	for name, addr := range addresses {
		n, err := b.AddNode(NodeConfig{
			Name: name, Address: addr, Interface: "ens5",
			Services: []Service{{Name: "www", Port: 8080, StartTime: 300 * time.Millisecond}},
		})
		if err != nil {
			t.Fatal(err)
		}
		known += knownhosts.Line([]string{addr}, n.HostKey()) + "\n"
	}
	b.write("known_hosts", known)
	b.pool = sshexec.NewPool(sshexec.Options{DialContext: b.DialContext, Home: b.dir, AgentSocket: "none"})
	t.Cleanup(func() { b.pool.Close(); b.Close() })
	return b
}

func (b *testbed) write(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *testbed) writeKey() ssh.PublicKey {
	b.t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		b.t.Fatal(err)
	}
	b.write("key", string(pem.EncodeToMemory(block)))
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		b.t.Fatal(err)
	}
	return key
}

func (b *testbed) ssh(node string) *sshexec.Node {
	return b.pool.Node(sshexec.Target{
		Name: node, Host: addresses[node], User: "root", ConfigFile: "none",
		IdentityFiles: []string{filepath.Join(b.dir, "key")}, KnownHosts: []string{filepath.Join(b.dir, "known_hosts")},
	})
}

// run sends one unguarded script.
func (b *testbed) run(node, body string, args ...string) wire.Frame {
	b.t.Helper()
	f, err := b.ssh(node).Run(b.t.Context(), wire.Job{ID: "x", Body: body, Args: args})
	if err != nil {
		b.t.Fatal(err)
	}
	return f
}

func (b *testbed) Nodes() []string                    { return []string{"LK_P_A", "LK_P_B"} }
func (b *testbed) Instance(node string) kits.Instance { return b.make(node) }
func (b *testbed) Host(node string) kits.Host         { return sshHost{b, node} }

// sshHost is a kits.Host as the engine makes it.
type sshHost struct {
	b    *testbed
	node string
}

func (h sshHost) Node() string { return h.node }

func (h sshHost) Run(ctx context.Context, s kits.Script) (kits.Result, error) {
	j := wire.Job{ID: "1", Name: s.Name, Body: s.Body, Args: s.Args, Stdin: s.Stdin, Deadline: s.Deadline}
	if s.Mutates {
		j.Guard = &wire.Guard{Unit: fmt.Sprintf("ferry-test-%d", h.b.jobs.Add(1)), Lock: "test", Estate: "e", Engine: "n", Epoch: 1}
	}
	f, err := h.b.ssh(h.node).Run(ctx, j)
	if err != nil {
		return kits.Result{}, err
	}
	if f.Status != wire.Done {
		return kits.Result{}, fmt.Errorf("%s: %s", f.Status, f.Stderr)
	}
	return kits.Result{Exit: f.Exit, Stdout: string(f.Stdout), Stderr: string(f.Stderr), Truncated: f.Truncated}, nil
}

func TestKitIPOnSimulatedNodes(t *testing.T) {
	kittest.ConformanceInVirtualTime(t, ip.Kit{}, func(t *testing.T) kittest.World {
		b := newTestbed(t)
		b.make = func(node string) kits.Instance {
			return kits.Instance{
				Tag: "service/ip-www", Node: kits.Node{Name: node, Address: addresses[node]},
				Attrs: map[string]string{"address": "10.1.0.10"}, Tuning: map[string]string{"NOBCASTPING": "1"},
			}
		}
		return b
	})
}

func TestKitAppOnSimulatedNodes(t *testing.T) {
	kittest.ConformanceInVirtualTime(t, app.Kit{}, func(t *testing.T) kittest.World {
		b := newTestbed(t)
		b.make = func(node string) kits.Instance {
			return kits.Instance{Tag: "service/www", Node: kits.Node{Name: node, Address: addresses[node]}, Attrs: map[string]string{
				"start": "systemctl start www", "stop": "systemctl stop www", "check": "systemctl is-active --quiet www", "unit": "www.service",
			}}
		}
		return b
	})
}

// The seed's Figure 1 from a client's view: the address answers where the route
// leads, the address is, and the service runs.
func TestClientsView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		to := "LK_P_A"
		route := func(a netip.Addr) (string, bool) { return to, a.String() == "10.1.0.10" }
		ask := func(want, problem string) {
			t.Helper()
			got, err := b.Ask(route, "10.1.0.10:8080")
			if got != want || want == "" && !strings.Contains(err.Error(), problem) {
				t.Errorf("got %q, %v; want %q %q", got, err, want, problem)
			}
		}
		ask("", "does not have the address")
		b.run("LK_P_A", "ip addr add 10.1.0.10/32 dev ens5")
		ask("", "connection refused")
		b.run("LK_P_A", "systemctl start www")
		ask("LK_P_A", "")
		b.Node("LK_P_A").Hang()
		ask("", "hangs")
		b.Node("LK_P_A").Resume()
		b.Cut(Client, "LK_P_A")
		ask("", "no answer")
		b.HealAll()
		if err := b.Node("LK_P_A").SetCable("ens5", false); err != nil {
			t.Fatal(err)
		}
		ask("", "does not have the address")
		_ = b.Node("LK_P_A").SetCable("ens5", true)
		ask("LK_P_A", "")
		b.Node("LK_P_A").PowerOff()
		ask("", "no answer")
		to = "LK_P_B"
		ask("", "does not have the address")
		if _, err := b.Ask(route, "10.1.0.1:8080"); err == nil || !strings.Contains(err.Error(), "no route") {
			t.Errorf("10.1.0.1 is not 10.1.0.10: %v", err)
		}
	})
}

func TestPowerOffAndOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		n := b.Node("LK_P_A")
		first := b.run("LK_P_A", "cat /proc/sys/kernel/random/boot_id; mkdir -p /var/lib/ferry /run/x; echo kept >/var/lib/ferry/f; echo lost >/run/x/f; ip addr add 10.1.0.10/32 dev ens5; systemctl start www")
		n.PowerOff()
		start := time.Now()
		if _, err := b.ssh("LK_P_A").Run(t.Context(), wire.Job{ID: "x", Body: "echo", Deadline: time.Second}); err == nil {
			t.Error("a node without power answers")
		} else if took := time.Since(start); took < time.Second {
			t.Errorf("the connection broke at once (%v): without power nobody says goodbye", took)
		}
		n.PowerOn()
		time.Sleep(20 * time.Second)
		f := b.run("LK_P_A", "cat /proc/sys/kernel/random/boot_id; cat /var/lib/ferry/f; ls /run/x; ip -o -4 addr show dev ens5; systemctl is-active www")
		got := string(f.Stdout)
		if strings.Contains(got, strings.TrimSpace(string(first.Stdout))) {
			t.Error("the boot id is the same")
		}
		if !strings.Contains(got, "kept\n") || strings.Contains(got, "10.1.0.10") || !strings.Contains(got, "inactive") || strings.Contains(got, "lost") {
			t.Errorf("after the boot: %s", got)
		}
	})
}

func TestHungNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		node := b.ssh("LK_P_A")
		beat := func() sshexec.Pulse {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			return node.Beat(ctx, "mkdir -p /var/lib/ferry; echo x >/var/lib/ferry/beat && sync /var/lib/ferry/beat")
		}
		if p := beat(); !p.Path || !p.Function {
			t.Fatalf("%+v", p)
		}
		b.Node("LK_P_A").Hang()
		if p := beat(); !p.Path || p.Function {
			t.Errorf("hung: %+v, want a path without function", p)
		}
		if f := b.run("LK_P_B", "ping -c1 -W1 10.0.0.10"); f.Exit != 0 {
			t.Error("the kernel of a hung node does not answer a ping")
		}
		b.Node("LK_P_A").Resume()
		time.Sleep(30 * time.Second)
		if p := beat(); !p.Path || !p.Function {
			t.Errorf("resumed: %+v", p)
		}
	})
}

func TestCutWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		node := b.ssh("LK_P_A")
		beat := func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			p := node.Beat(ctx, "true")
			return p.Path || p.Function
		}
		ping := func() int { return b.run("LK_P_B", "ping -n -q -c 1 -W 1 10.0.0.10").Exit }
		if !beat() || ping() != 0 {
			t.Fatal("nothing is cut")
		}
		b.Cut(Engine, "LK_P_A")
		if beat() || ping() != 0 {
			t.Error("only the engine's way is cut")
		}
		b.Heal(Engine, "LK_P_A")
		b.Cut("LK_P_A", "LK_P_B")
		time.Sleep(30 * time.Second)
		if !beat() || ping() != 1 {
			t.Error("only the way between the two is cut")
		}
		b.CutNode("LK_P_A")
		if beat() {
			t.Error("cut off from everybody")
		}
		b.HealAll()
		time.Sleep(30 * time.Second)
		if !beat() || ping() != 0 {
			t.Error("healed")
		}
	})
}

func TestTwoWitnessesAndPorts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		if _, err := b.AddNode(NodeConfig{Name: "w1", Address: "192.0.2.9", NoSSH: true, Services: []Service{{Name: "w", Port: 443, Enabled: true}}}); err != nil {
			t.Fatal(err)
		}
		for script, want := range map[string]int{
			"nc -z -w 2 192.0.2.9 443": 0, "nc -z -w 2 192.0.2.9 444": 1, "nc -z -w 2 192.0.2.10 443": 1,
			"ping -c1 -W1 192.0.2.9": 0, "nc -z -w 2 10.0.10.10 22": 0, "nc -z -w 2 192.0.2.9 22": 1,
		} {
			if f := b.run("LK_P_A", script); f.Exit != want {
				t.Errorf("%s: exit %d, want %d (%s)", script, f.Exit, want, f.Stderr)
			}
		}
		b.Cut("LK_P_A", "w1")
		if f := b.run("LK_P_A", "nc -z -w 2 192.0.2.9 443"); f.Exit != 1 || f.Duration < 2*time.Second {
			t.Errorf("over a cut way: %+v", f)
		}
	})
}

func TestChangedHostKeyAndWrongKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		if err := b.Node("LK_P_A").ReplaceHostKey(); err != nil {
			t.Fatal(err)
		}
		_, err := b.ssh("LK_P_A").Run(t.Context(), wire.Job{ID: "x", Body: "true"})
		if sshexec.KindOf(err) != sshexec.HostKeyChanged {
			t.Errorf("a changed host key: %v", err)
		}
		b.writeKey()
		_, err = b.ssh("LK_P_B").Run(t.Context(), wire.Job{ID: "x", Body: "true"})
		if err == nil {
			t.Error("any key is let in")
		}
	})
}

func TestProxyJump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		target := b.pool.Node(sshexec.Target{
			Name: "LK_S_A", Host: addresses["LK_S_A"], User: "root", ConfigFile: "none", ProxyJump: "root@" + addresses["LK_P_A"],
			IdentityFiles: []string{filepath.Join(b.dir, "key")}, KnownHosts: []string{filepath.Join(b.dir, "known_hosts")},
		})
		b.Cut(Engine, "LK_S_A") // only the way over the jump host is left
		f, err := target.Run(t.Context(), wire.Job{ID: "x", Body: "hostname"})
		if err != nil || string(f.Stdout) != "LK_S_A\n" {
			t.Fatalf("%+v %v", f, err)
		}
		b.Node("LK_P_A").PowerOff()
		if _, err = target.Run(t.Context(), wire.Job{ID: "x", Body: "hostname", Deadline: time.Second}); err == nil {
			t.Error("reached without its jump host")
		}
	})
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		b.opts.RTT = func(x, y string) time.Duration {
			if x == Engine && y == "LK_S_A" {
				return 80 * time.Millisecond
			}
			return 0
		}
		b.run("LK_S_A", "true")
		start := time.Now()
		b.run("LK_S_A", "true")
		if took := time.Since(start); took < 80*time.Millisecond || took > 90*time.Millisecond {
			t.Errorf("a round trip takes %v", took)
		}
	})
}

// The same nodes over a real socket, in real time.
func TestServeOnASocket(t *testing.T) {
	b := newTestbed(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- b.Node("LK_P_A").Serve(l) }()
	host, port, err := splitPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b.write("known_real", knownhosts.Line([]string{l.Addr().String()}, b.Node("LK_P_A").HostKey())+"\n")
	pool := sshexec.NewPool(sshexec.Options{Home: b.dir, AgentSocket: "none"})
	node := pool.Node(sshexec.Target{
		Host: host, Port: port, User: "root", ConfigFile: "none",
		IdentityFiles: []string{filepath.Join(b.dir, "key")}, KnownHosts: []string{filepath.Join(b.dir, "known_real")},
	})
	f, err := node.Run(t.Context(), wire.Job{ID: "x", Body: "hostname"})
	if err != nil || string(f.Stdout) != "LK_P_A\n" {
		t.Errorf("%+v %v", f, err)
	}
	pool.Close()
	_ = l.Close()
	if err := <-done; err == nil {
		t.Error("Serve ended without an error")
	}
}

// The monitor's question about peers: side by side, one second for those who are silent.
func TestProbesRunSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		b.Cut("LK_P_A", "LK_S_A")
		b.Cut("LK_P_A", "LK_S_B")
		f := b.run("LK_P_A", `for a in "$@"; do ( ping -n -q -c 1 -W 1 "$a" >/dev/null 2>&1; echo "$a $?" ) & done
wait`, addresses["LK_P_B"], addresses["LK_S_A"], addresses["LK_S_B"])
		got := string(f.Stdout)
		for _, want := range []string{addresses["LK_P_B"] + " 0\n", addresses["LK_S_A"] + " 1\n", addresses["LK_S_B"] + " 1\n"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q lacks %q", got, want)
			}
		}
		if f.Duration > 1100*time.Millisecond {
			t.Errorf("took %v", f.Duration)
		}
	})
}

// The kit's broadcast ping and the question who else answers.
func TestBroadcastPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		if _, err := b.AddNode(NodeConfig{Name: "neighbour", Address: "10.0.0.77", Interface: "ens5"}); err != nil {
			t.Fatal(err)
		}
		in := kits.Instance{
			Node: kits.Node{Name: "LK_P_A", Address: addresses["LK_P_A"]}, Attrs: map[string]string{"address": "10.1.0.10"},
		}
		if r := (ip.Kit{}).Start(t.Context(), b.Host("LK_P_A"), in); r.Outcome != kits.OK {
			t.Fatal(r)
		}
		if r := (ip.Kit{}).Check(t.Context(), b.Host("LK_P_A"), in); r.Outcome != kits.OK {
			t.Errorf("with a neighbour: %+v", r)
		}
		b.Node("neighbour").PowerOff()
		if r := (ip.Kit{}).Check(t.Context(), b.Host("LK_P_A"), in); r.Outcome != kits.Failed || r.Reason.Code != "ip.nobody-answers" {
			t.Errorf("alone: %+v", r)
		}
		b.Node("LK_P_A").Remove("ping")
		if r := (ip.Kit{}).Check(t.Context(), b.Host("LK_P_A"), in); r.Outcome != kits.Unknown {
			t.Errorf("without ping: %+v", r)
		}
	})
}

// SPEC 4: what brings the address up at boot makes a node not eligible.
func TestStaticAddressIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		in := kits.Instance{
			Node: kits.Node{Name: "LK_P_A", Address: addresses["LK_P_A"]}, Attrs: map[string]string{"address": "10.1.0.10"},
		}
		for path, text := range map[string]string{
			"/etc/netplan/60-vip.yaml":                                  "      addresses:\n        - 10.1.0.10/32\n",
			"/etc/network/interfaces.d/vip":                             "iface ens5:1 inet static\n  address 10.1.0.10/32\n",
			"/etc/sysconfig/network-scripts/ifcfg-ens5":                 "IPADDR1=10.1.0.10\n",
			"/etc/NetworkManager/system-connections/Wired.nmconnection": "[ipv4]\naddress1=10.1.0.10/32\n",
			"/etc/rc.local": "#!/bin/sh\nip addr add 10.1.0.10/32 dev ens5\n",
		} {
			if err := b.Node("LK_P_A").WriteFile(path, "# 10.1.0.10 must not be here\naddress 10.1.0.101\n", false); err != nil {
				t.Fatal(err)
			}
			if e := (ip.Kit{}).Eligible(t.Context(), b.Host("LK_P_A"), in); e.Outcome != kits.OK {
				t.Errorf("%s: a comment and 10.1.0.101: %+v", path, e)
			}
			if err := b.Node("LK_P_A").WriteFile(path, text, false); err != nil {
				t.Fatal(err)
			}
			if e := (ip.Kit{}).Eligible(t.Context(), b.Host("LK_P_A"), in); e.Outcome != kits.Failed || !strings.Contains(e.Reason.Text, path) {
				t.Errorf("%s: %+v", path, e)
			}
			if code, out := b.Node("LK_P_A").Exec(t.Context(), "rm "+path); code != 0 {
				t.Fatal(out)
			}
		}
	})
}
