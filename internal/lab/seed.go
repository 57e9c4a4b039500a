package lab

import (
	"archive/tar"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	// guestNIC is a guest's interface in its subnet; what the cluster uses.
	guestNIC = "eth0"
	// mgmtNIC is the interface that only the harness reaches.
	mgmtNIC = "mgmt0"
)

// Interface is the name of a guest's network interface in its subnet.
const Interface = guestNIC

// keyPair is an ed25519 key as OpenSSH keeps it.
type keyPair struct {
	private []byte // PEM
	signer  ssh.Signer
}

func newKeyPair(comment string) (keyPair, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return keyPair{}, err
	}
	block, err := ssh.MarshalPrivateKey(key, comment)
	if err != nil {
		return keyPair{}, err
	}
	signer, err := ssh.NewSignerFromKey(key)
	return keyPair{private: pem.EncodeToMemory(block), signer: signer}, err
}

// authorized is the public half as a line of authorized_keys.
func (k keyPair) authorized() []byte { return ssh.MarshalAuthorizedKey(k.signer.PublicKey()) }

// guestMAC is the hardware address of guest k's interface in its subnet (0) or on the management network (1).
func guestMAC(kind, k int) string { return fmt.Sprintf("52:54:00:fe:%02x:%02x", kind, k+1) }

// writeSeed writes the disk that makes guest g out of the common image: name, addresses, host key, who may log in. It is a
// plain tar archive; the guest unpacks it over its root before anything listens.
func (l *Lab) writeSeed(g *Guest, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := tar.NewWriter(f)
	const root, ferry = 0, 1000
	files := []seedFile{
		{"etc/hostname", 0o644, root, []byte(g.Name() + "\n")},
		{"etc/hosts", 0o644, root, []byte(l.hostsFile())},
		{"etc/ssh/ssh_host_ed25519_key", 0o600, root, g.hostKey.private},
		{"etc/lab/sshd_config", 0o644, root, []byte(g.managementConfig())},
		{"etc/lab/up.sh", 0o644, root, []byte(g.upScript())},
		{"etc/lab/addresses", 0o644, root, []byte(g.addressBatch())},
		{"root/.ssh/authorized_keys", 0o600, root, l.userKey.authorized()},
		{"home/ferry/.ssh/", 0o700, ferry, nil},
		{"home/ferry/.ssh/authorized_keys", 0o600, ferry, l.userKey.authorized()},
	}
	if g.isVPN() {
		files = append(files, seedFile{confPath, 0o644, root, []byte(l.top.ipsecConf(g.Name()))},
			seedFile{secretsPath, 0o600, root, []byte(l.top.ipsecSecrets(g.Name()))})
	}
	for _, x := range files {
		h := &tar.Header{Name: x.name, Mode: x.mode, Uid: x.uid, Gid: x.uid, Size: int64(len(x.body)), ModTime: time.Now(), Typeflag: tar.TypeReg}
		if strings.HasSuffix(x.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		if _, err := w.Write(x.body); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return f.Close()
}

type seedFile struct {
	name string
	mode int64
	uid  int
	body []byte
}

// hostsFile names every guest and the engine in all of them.
func (l *Lab) hostsFile() string {
	var b strings.Builder
	fmt.Fprintf(&b, "127.0.0.1 localhost\n%s %s\n", l.top.Engine, EngineNS)
	for _, g := range l.top.Guests {
		fmt.Fprintf(&b, "%s %s\n", g.Addr, g.Name)
	}
	return b.String()
}

// upScript is run by the guest at boot, by systemd's first unit.
func (g *Guest) upScript() string {
	// hostname(1) refuses the underscore in the example's names; the kernel does not.
	up := "echo " + g.Name() + " >/proc/sys/kernel/hostname\n" +
		"for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$f; done\n" +
		"ip -batch /etc/lab/addresses\n"
	if g.isVPN() {
		up += vpnUp
	}
	return up
}

// managementConfig is for the harness's own sshd.
func (g *Guest) managementConfig() string {
	return fmt.Sprintf("ListenAddress %s:%s\nHostKey /etc/ssh/ssh_host_ed25519_key\nPidFile none\nPasswordAuthentication no\nUsePAM no\nUseDNS no\nMaxStartups 100\nMaxSessions 100\n",
		g.managementAddr(), managementPort)
}

func (g *Guest) managementAddr() string { return mgmtAddr(g.region, g.index+1) }

func (g *Guest) addressBatch() string {
	s, _ := g.lab.top.Regions[g.region].subnet(g.spec.Addr)
	return strings.Join([]string{
		"link set lo up",
		"link set vec0 name " + guestNIC,
		"link set vec1 name " + mgmtNIC,
		fmt.Sprintf("addr add %s/%d dev %s", g.spec.Addr, s.CIDR.Bits(), guestNIC),
		fmt.Sprintf("addr add %s/24 dev %s", g.managementAddr(), mgmtNIC),
		"link set " + mgmtNIC + " up",
		"link set " + guestNIC + " up",
		fmt.Sprintf("route add default via %s dev %s", s.Gateway, guestNIC),
	}, "\n") + "\n"
}

// SSHFiles are what a program needs to log in to the guests as the engine would: written once into the lab's directory.
type SSHFiles struct {
	Config     string // an ssh_config with a Host entry per guest, by name and by address
	KnownHosts string // the guests' host keys, by name and by address
	Identity   string // private key that root and the user "ferry" accept
}

// SSHConfig says where the files are. They suit ssh -F as well as a program that reads ssh_config; the addresses in them are
// reachable from [EngineNS].
func (l *Lab) SSHConfig() SSHFiles {
	return SSHFiles{
		Config:     filepath.Join(l.dir, "ssh_config"),
		KnownHosts: filepath.Join(l.dir, "known_hosts"),
		Identity:   filepath.Join(l.dir, "id_ed25519"),
	}
}

func (l *Lab) writeSSHFiles() error {
	f := l.SSHConfig()
	var known, config strings.Builder
	for _, g := range l.guests {
		fmt.Fprintf(&known, "%s,%s %s", g.Name(), g.Addr(), g.hostKey.authorized())
		fmt.Fprintf(&config, "Host %s %s\n  HostName %s\n  User ferry\n  IdentityFile %s\n  IdentitiesOnly yes\n  UserKnownHostsFile %s\n  StrictHostKeyChecking yes\n",
			g.Name(), g.Addr(), g.Addr(), f.Identity, f.KnownHosts)
	}
	for path, body := range map[string]string{f.Config: config.String(), f.KnownHosts: known.String(), f.Identity: string(l.userKey.private)} {
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			return err
		}
	}
	return nil
}
