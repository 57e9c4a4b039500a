package nodesim

import (
	"context"
	"path"
	"strings"
	"time"
)

const unitDir = "/etc/systemd/system"

// stopLimit is how long a unit's ExecStop may take in a shutdown, unless its file says
// otherwise; systemd's own default.
const stopLimit = 90 * time.Second

// loadUnitFiles makes services of the unit files on the node's disk, as
// systemctl daemon-reload does, and forgets those whose file is gone.
func (n *Node) loadUnitFiles() {
	found := map[string]string{}
	all, _ := n.fs.list(unitDir)
	for _, f := range all {
		if text, err := n.fs.read(path.Join(unitDir, f.Name())); err == nil && strings.HasSuffix(f.Name(), ".service") {
			found[f.Name()] = setting(string(text), "ExecStop")
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for name, s := range n.services {
		if _, there := found[name]; s.file && !there {
			delete(n.services, name)
		}
	}
	for name, stop := range found {
		if s := n.services[name]; s == nil {
			n.services[name] = &service{Service: Service{Name: name}, file: true, execStop: stop}
		} else if s.file {
			s.execStop = stop
		}
	}
}

// setting is the last value of a key in a unit file.
func setting(text, key string) (value string) {
	for l := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(l), key+"="); ok {
			value = v
		}
	}
	return value
}

// systemRunning is the manager's state: its exit code is 0 only for running.
func (c *command) systemRunning() int {
	c.node.mu.Lock()
	stopping := c.node.stopping
	c.node.mu.Unlock()
	if stopping {
		c.say("stopping")
		return 1
	}
	return c.say("running")
}

// Shutdown shuts the node down in good order: what its units' ExecStop do is done, while
// everything else still works, then the power goes. It returns when it is off. (Other
// services stop with the power: what an orderly stop of theirs does is not simulated.)
func (n *Node) Shutdown() {
	n.mu.Lock()
	if !n.power {
		n.mu.Unlock()
		return
	}
	n.stopping = true
	boot := n.boots
	var stops []string
	for _, s := range n.services {
		if s.active && s.execStop != "" {
			stops = append(stops, s.execStop)
		}
	}
	n.mu.Unlock()
	for _, line := range stops {
		ctx, cancel := context.WithTimeout(n.life(), stopLimit+time.Minute)
		log := &capture{limit: 4 << 10}
		n.shell(ctx, process{stdout: log, stderr: log}, line)
		cancel()
	}
	n.mu.Lock()
	same := n.boots == boot
	n.mu.Unlock()
	if same {
		n.PowerOff()
	}
}
