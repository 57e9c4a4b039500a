package nodesim

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// sysUnit is a transient unit made by systemd-run.
type sysUnit struct {
	state  string // activating, active, failed
	result string
	status int
	log    *capture
	stop   context.CancelFunc
	done   chan struct{}
}

// systemdRunCommand starts a unit and, unless it is of type simple, waits for its command.
func systemdRunCommand(c *command) int {
	rest := c.positional("pu")
	opts := c.args[:len(c.args)-len(rest)]
	name, remain, simple, limit := "run-sim.service", false, false, ""
	env := []string{}
	for i, o := range opts {
		key, value, _ := strings.Cut(o, "=")
		if key == "-p" && i+1 < len(opts) {
			key, value = "--property", opts[i+1]
		}
		switch key {
		case "--unit":
			name = unitKey(value)
		case "--remain-after-exit", "-r":
			remain = true
		case "--service-type":
			simple = value == "simple"
		case "--setenv":
			env = append(env, value)
		case "--property":
			if v, ok := strings.CutPrefix(value, "TimeoutStartSec="); ok {
				limit = v
			}
		case "--uid":
			if _, ok := c.node.users()[value]; !ok {
				return c.fail(1, "Failed to start transient service unit: user %s does not exist", value)
			}
		}
	}
	u := c.node.newUnit(name)
	if u == nil {
		return c.fail(1, "Failed to start transient service unit: Unit %s was already loaded or has a fragment file.", name)
	}
	if !c.node.world.spawn(func() { c.node.runUnit(name, u, rest, env, limit, remain) }) {
		return 1
	}
	if simple {
		c.node.setUnitState(u, "active")
		return 0
	}
	select {
	case <-u.done:
	case <-c.ctx.Done():
		return 143 // the unit goes on
	}
	if c.node.unitState(name) == "failed" {
		fmt.Fprintf(c.err, "Job for %s failed because the control process exited with error code.\n", name)
		return 1
	}
	return 0
}

// setUnitState is for a unit whose command runs on while it is active.
func (n *Node) setUnitState(u *sysUnit, state string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if u.state == "activating" {
		u.state = state
	}
}

// newUnit registers a unit; nil when one of that name is loaded.
func (n *Node) newUnit(name string) *sysUnit {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.units[name] != nil || n.services[name] != nil {
		return nil
	}
	u := &sysUnit{state: "activating", log: &capture{limit: 64 << 10}, done: make(chan struct{})}
	n.units[name] = u
	return u
}

// runUnit carries a oneshot unit's command out under systemd, not under the caller.
func (n *Node) runUnit(name string, u *sysUnit, args, env []string, limit string, remain bool) {
	ctx, stop := context.WithCancel(n.life())
	n.mu.Lock()
	u.stop = stop
	n.mu.Unlock()
	main, cancel := ctx, context.CancelFunc(func() {})
	if d, err := parseDuration(limit); err == nil && d > 0 {
		main, cancel = context.WithTimeout(ctx, d)
	}
	defer cancel()
	code := n.shell(main, process{stdout: u.log, stderr: u.log, args: args, env: env, unit: name}, `"$@"`)
	n.mu.Lock()
	u.status = code
	switch {
	case main.Err() != nil && ctx.Err() == nil:
		u.state, u.result = "failed", "timeout"
	case code != 0:
		u.state, u.result = "failed", "exit-code"
	default:
		u.state, u.result = "active", "success"
	}
	if !remain && u.state == "active" && n.units[name] == u {
		delete(n.units, name)
	}
	if u.state == "failed" || !remain {
		stop()
	}
	n.mu.Unlock()
	close(u.done)
}

func (n *Node) unitState(name string) string {
	if name == ipsecUnit {
		return n.world.ipsec.unitState(n)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if u := n.units[name]; u != nil {
		return u.state
	}
	if s := n.services[name]; s != nil {
		switch {
		case s.active:
			return "active"
		case s.broken:
			return "failed"
		}
	}
	return "inactive"
}

// match lists the known units that a name or pattern means.
func (n *Node) match(pattern string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []string
	for name := range n.units {
		if ok, _ := path.Match(unitKey(pattern), name); ok {
			out = append(out, name)
		}
	}
	for name := range n.services {
		if ok, _ := path.Match(unitKey(pattern), name); ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (n *Node) stopUnit(name string) {
	n.mu.Lock()
	u, s := n.units[name], n.services[name]
	if s != nil {
		n.set(name, s, false)
	}
	var stop context.CancelFunc
	if u != nil {
		stop = u.stop
		delete(n.units, name)
	}
	n.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// systemctlCommand knows the verbs that scripts use.
func systemctlCommand(c *command) int {
	flags, rest := c.flags("ps")
	if len(rest) == 0 {
		return c.fail(1, "only verbs are simulated")
	}
	verb, names := rest[0], rest[1:]
	quiet := flags["q"] != "" || hasFlag(c.args, "--quiet")
	switch verb {
	case "is-active":
		return c.isActive(names, quiet)
	case "is-enabled":
		return c.isEnabled(names, quiet)
	case "show":
		return c.showUnit(flags["p"], names)
	case "daemon-reload":
		c.node.loadUnitFiles()
		return 0
	case "is-system-running":
		return c.systemRunning()
	case "start", "stop", "restart", "enable", "disable", "reset-failed", "kill":
		code := 0
		for _, name := range names {
			code = max(code, c.changeUnit(verb, name))
		}
		return code
	}
	return c.fail(1, "verb %q is not simulated", verb)
}

func (c *command) isActive(names []string, quiet bool) int {
	code := 3
	for _, name := range names {
		state := c.node.unitState(unitKey(name))
		if !quiet {
			c.say(state)
		}
		if state == "active" {
			code = 0
		}
	}
	return code
}

func (c *command) isEnabled(names []string, quiet bool) int {
	code := 1
	for _, name := range names {
		c.node.mu.Lock()
		s := c.node.services[unitKey(name)]
		c.node.mu.Unlock()
		state := "disabled"
		switch {
		case s == nil:
			return c.fail(1, "Failed to get unit file state for %s: No such file or directory", name)
		case s.Enabled:
			state, code = "enabled", 0
		}
		if !quiet {
			c.say(state)
		}
	}
	return code
}

func (c *command) showUnit(property string, names []string) int {
	c.node.mu.Lock()
	defer c.node.mu.Unlock()
	for _, name := range names {
		u := c.node.units[unitKey(name)]
		if u == nil {
			u = &sysUnit{state: "inactive", result: "success"}
		}
		value := map[string]string{
			"ExecMainStatus": strconv.Itoa(u.status), "Result": u.result, "ActiveState": u.state,
		}[property]
		if hasFlag(c.args, "--value") {
			c.say(value)
		} else {
			c.say(property + "=" + value)
		}
	}
	return 0
}

func (c *command) changeUnit(verb, name string) int {
	n := c.node
	known := n.match(name)
	if len(known) == 0 && !strings.ContainsAny(name, "*?[") {
		switch verb {
		case "reset-failed", "stop", "kill":
			return c.fail(5, "Unit %s not loaded.", unitKey(name))
		}
		return c.fail(5, "Failed to %s %s: Unit %s not found.", verb, name, unitKey(name))
	}
	code := 0
	for _, k := range known {
		if k == ipsecUnit && verb != "enable" && verb != "disable" && verb != "reset-failed" {
			code = max(code, c.ipsecUnitVerb(verb))
			continue
		}
		switch verb {
		case "stop", "kill":
			n.stopUnit(k)
		case "start", "restart":
			code = max(code, c.startService(k))
		case "enable", "disable":
			n.setService(k, func(s *service) { s.Enabled = verb == "enable" })
		case "reset-failed":
			if n.unitState(k) == "failed" {
				n.mu.Lock()
				delete(n.units, k)
				n.mu.Unlock()
			}
		}
	}
	return code
}

// startService takes the service's own time; a broken one fails.
func (c *command) startService(name string) int {
	n := c.node
	n.mu.Lock()
	s := n.services[name]
	n.mu.Unlock()
	if s == nil {
		return c.fail(1, "%s is a transient unit", name)
	}
	if sleep(c.ctx, s.StartTime) != nil {
		return 143
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.broken {
		fmt.Fprintf(c.err, "Job for %s failed because the control process exited with error code.\n", name)
		return 1
	}
	n.set(name, s, true)
	return 0
}

// journalCommand prints what a transient unit said: -u UNIT [-n LINES].
func journalCommand(c *command) int {
	flags, _ := c.flags("uno")
	c.node.mu.Lock()
	u := c.node.units[unitKey(flags["u"])]
	c.node.mu.Unlock()
	if u == nil {
		return 0
	}
	all := lines(u.log.String())
	return c.say(all[max(0, len(all)-c.number(flags["n"], len(all))):]...)
}
