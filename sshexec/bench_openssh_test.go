package sshexec

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// BenchmarkOpenSSHFanOut runs /bin/true on 32 addresses of a real sshd at once, once
// with OpenSSH's client over warm master connections (one ssh process for each) and
// once with this package, by turns in one loop, so that both feel the same machine:
//
//	openssh-ns, ferry-ns   one fan-out, mean
//	times-faster           their ratio
//
// "beat" is the cheap way that heartbeats, light scripts and checks of one line take,
// "run" the full wrapper with deadline, process group and bounded output, which
// OpenSSH does not have.
func BenchmarkOpenSSHFanOut(b *testing.B) {
	const count = 32
	c := newCredentials(b)
	ports := sshdOn(b, c, count)
	masters := warmMasters(b, c, ports)
	p := newPool(b, Options{})
	var nodes []*Node
	for _, port := range ports {
		nodes = append(nodes, p.Node(loopback(b, c, port)))
	}
	for name, one := range map[string]func(*Node) error{
		"beat": func(n *Node) error {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			return n.Beat(ctx, "/bin/true").Err
		},
		"run": func(n *Node) error {
			_, err := n.Run(context.Background(), sh("t", "/bin/true"))
			return err
		},
	} {
		b.Run(fmt.Sprintf("%s/nodes=%d", name, count), func(b *testing.B) {
			ours := func() { everywhere(b, len(nodes), func(i int) error { return one(nodes[i]) }) }
			theirs := func() { everywhere(b, len(masters), func(i int) error { return masters[i].sh("/bin/true") }) }
			ours()
			theirs()
			var ferry, openssh time.Duration
			for b.Loop() {
				began := time.Now()
				theirs()
				half := time.Now()
				ours()
				openssh += half.Sub(began)
				ferry += time.Since(half)
			}
			b.ReportMetric(float64(openssh.Nanoseconds())/float64(b.N), "openssh-ns")
			b.ReportMetric(float64(ferry.Nanoseconds())/float64(b.N), "ferry-ns")
			b.ReportMetric(float64(openssh)/float64(ferry), "times-faster")
		})
	}
}

// everywhere does something n times side by side.
func everywhere(b *testing.B, n int, do func(i int) error) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := do(i); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
}

// sshdOn starts that many sshd, each on a port of its own.
func sshdOn(b *testing.B, c credentials, count int) []int {
	b.Helper()
	const sshd = "/usr/sbin/sshd"
	for _, tool := range []string{sshd, "/usr/bin/ssh"} {
		if _, err := os.Stat(tool); err != nil {
			b.Skip("no OpenSSH on this machine: ", err)
		}
	}
	dir := b.TempDir()
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	block, _ := ssh.MarshalPrivateKey(key, "host")
	write(b, dir+"/host", string(pem.EncodeToMemory(block)), 0o600)
	write(b, dir+"/authorized", string(ssh.MarshalAuthorizedKey(c.signer.PublicKey())), 0o600)
	if os.Getuid() == 0 {
		_ = os.MkdirAll("/run/sshd", 0o755) // sshd insists on it when it is root
	}
	host, _ := ssh.NewSignerFromKey(key)
	var ports []int
	var held []net.Listener
	for range count {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		held = append(held, ln) // all at once, so that none is given out twice
		ports = append(ports, ln.Addr().(*net.TCPAddr).Port)
	}
	for _, ln := range held {
		_ = ln.Close()
	}
	for _, port := range ports {
		c.trust(b, fmt.Sprintf("127.0.0.1:%d", port), host.PublicKey())
		text := fmt.Sprintf("ListenAddress 127.0.0.1:%[2]d\nHostKey %[1]s/host\nPidFile none\nAuthorizedKeysFile %[1]s/authorized\nStrictModes no\nUsePAM no\n"+
			"PasswordAuthentication no\nKbdInteractiveAuthentication no\nUseDNS no\nSetEnv FERRY_ROOT=%[1]s/root\n", dir, port)
		config := fmt.Sprintf("%s/config-%d", dir, port)
		write(b, config, text, 0o600)
		cmd := exec.Command(sshd, "-D", "-f", config)
		b.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
	}
	return ports
}

func loopback(b *testing.B, c credentials, port int) Target {
	me, err := user.Current()
	if err != nil {
		b.Fatal(err)
	}
	return Target{
		Name: fmt.Sprint(port), Host: "127.0.0.1", Port: port, User: me.Username,
		IdentityFiles: []string{c.identity}, KnownHosts: []string{c.known}, ConfigFile: "none",
	}
}

// master is a warm connection of OpenSSH's client.
type master struct{ args []string }

// sh runs a command over it.
func (m master) sh(command string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	args := append([]string{"-o", "ControlMaster=no"}, m.args...)
	out, err := exec.CommandContext(ctx, "/usr/bin/ssh", append(args, command)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ssh: %w: %s", err, out)
	}
	return nil
}

// warm starts the master, which stays behind: what it says goes to a file, not to a
// pipe of ours that would then stay open.
func (m master) warm(said string) error {
	f, err := os.Create(said)
	if err != nil {
		return err
	}
	defer f.Close()
	cmd := exec.Command("/usr/bin/ssh", append([]string{"-M", "-f", "-N"}, m.args...)...)
	cmd.Stderr = f
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(said)
		return fmt.Errorf("%w: %s", err, text)
	}
	return nil
}

func warmMasters(b *testing.B, c credentials, ports []int) []master {
	b.Helper()
	dir, err := os.MkdirTemp("/tmp", "fs") // a socket's path is short
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	me, err := user.Current()
	if err != nil {
		b.Fatal(err)
	}
	var out []master
	for _, port := range ports {
		m := master{[]string{"-F", "none", "-i", c.identity, "-o", "UserKnownHostsFile=" + c.known, "-o", "BatchMode=yes",
			"-S", filepath.Join(dir, fmt.Sprint(port)), "-p", fmt.Sprint(port), me.Username + "@127.0.0.1"}}
		b.Cleanup(func() { _ = exec.Command("/usr/bin/ssh", append([]string{"-O", "exit"}, m.args...)...).Run() })
		var last error
		for range 50 { // until sshd has its ports
			if last = m.warm(dir + "/said"); last == nil {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if last != nil {
			b.Fatalf("no master connection to port %d: %v", port, last)
		}
		out = append(out, m)
	}
	return out
}
