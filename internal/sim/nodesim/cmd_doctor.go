package nodesim

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Where a node keeps what somebody did to its clock. Real nodes have no such files.
const (
	skewFile   = "/.sim/clock-skew"
	unheldFile = "/.sim/clock-unheld"
	wallFile   = "/.sim/firewalld"
	kernelFile = "/.sim/kernel"
)

// SetClock puts the node's clock that far ahead (behind, when negative). What the node's programs say as date is so; timers
// are not.
func (n *Node) SetClock(ahead time.Duration) error {
	return n.fs.put(skewFile, []byte(ahead.String()), 0o600)
}

// SetClockHeld tells whether something holds the clock right, as timedatectl says.
func (n *Node) SetClockHeld(held bool) error {
	if held {
		return n.fs.remove(unheldFile, false)
	}
	return n.fs.put(unheldFile, nil, 0o600)
}

// SetFirewall runs firewalld with these ports ("22/tcp"), beside the service ssh; nothing of it is enforced.
func (n *Node) SetFirewall(ports ...string) error {
	n.mu.Lock()
	n.services["firewalld.service"] = &service{Service: Service{Name: "firewalld.service", Enabled: true}, active: true}
	n.mu.Unlock()
	return n.fs.put(wallFile, []byte(strings.Join(ports, " ")), 0o600)
}

// Install brings removed commands back.
func (n *Node) Install(tools ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range tools {
		delete(n.missing, t)
	}
}

// RemoveFirewall takes it away again.
func (n *Node) RemoveFirewall() {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.services, "firewalld.service")
}

// SetKernel is what uname -r says; empty = the simulation's own.
func (n *Node) SetKernel(release string) error {
	return n.fs.put(kernelFile, []byte(release), 0o600)
}

// kernel is the release that uname tells.
func (n *Node) kernel() string {
	if text, err := n.fs.read(kernelFile); err == nil && len(text) > 0 {
		return string(text)
	}
	return "6.1.0-ferry-sim"
}

// AddService gives the node another unit.
func (n *Node) AddService(s Service) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s.Name = unitKey(s.Name)
	n.services[s.Name] = &service{Service: s}
}

// now is the node's clock.
func (n *Node) now() time.Time {
	text, err := n.fs.read(skewFile)
	if err != nil {
		return time.Now()
	}
	ahead, _ := time.ParseDuration(string(text))
	return time.Now().Add(ahead)
}

// doctorCommands are what is asked about a node's preparation, and what wrappers need that are played in Go.
func doctorCommands() map[string]func(*command) int {
	played := func(c *command) int { return c.fail(1, "%s is played natively", c.name) }
	return map[string]func(*command) int{
		"flock": played, "setsid": played, "mkfifo": played,
		"getconf":      getconfCommand,
		"timedatectl":  timedatectlCommand,
		"firewall-cmd": firewallCommand,
	}
}

func getconfCommand(c *command) int {
	if c.arg(0) != "GNU_LIBC_VERSION" {
		return c.fail(1, "only GNU_LIBC_VERSION is simulated")
	}
	if text, err := c.node.fs.read("/.sim/libc"); err == nil {
		return c.say(string(text))
	}
	return c.say("glibc 2.36")
}

func timedatectlCommand(c *command) int {
	if c.arg(0) != "show" {
		return c.fail(1, "only show is simulated")
	}
	if _, err := c.node.fs.stat(unheldFile); err == nil {
		return c.say("no")
	}
	return c.say("yes")
}

func firewallCommand(c *command) int {
	switch text, err := c.node.fs.read(wallFile); {
	case err != nil:
		return c.fail(252, "FirewallD is not running")
	case c.arg(0) == "--list-ports":
		return c.say(string(text))
	case c.arg(0) == "--list-services":
		return c.say("ssh")
	}
	return c.fail(2, "%s is not simulated", c.arg(0))
}

// prepared is what a well prepared machine's kernel and files say; a boot brings it back below /proc.
func prepared(hostname string) map[string]string {
	sum := sha256.Sum256([]byte(hostname))
	out := map[string]string{"/etc/machine-id": hex.EncodeToString(sum[:16]) + "\n", "/etc/hosts": "127.0.0.1 localhost\n"}
	for key, value := range map[string]string{
		"ip_forward": "1", "conf/all/rp_filter": "0", "conf/default/rp_filter": "2", "conf/eth0/rp_filter": "2", "conf/all/send_redirects": "0", "conf/all/accept_redirects": "0",
		"conf/default/send_redirects": "0", "conf/default/accept_redirects": "0", "ip_local_port_range": "32768\t60999",
	} {
		out["/proc/sys/net/ipv4/"+key] = value + "\n"
	}
	return out
}
