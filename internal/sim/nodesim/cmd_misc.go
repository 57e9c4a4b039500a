package nodesim

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/interp"
)

// Remove takes commands off the node, as if their package were not installed.
func (n *Node) Remove(tools ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.missing == nil {
		n.missing = map[string]bool{}
	}
	for _, t := range tools {
		n.missing[t] = true
	}
}

func (n *Node) lacks(tool string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.missing[tool] || tool == "ipsec" && n.services[ipsecUnit] == nil
}

// commandV is "command -v": the name of a builtin, the path of a command.
func commandV(c *command) int {
	for _, a := range c.args {
		probe := *c
		probe.name = a
		switch _, ours := c.node.world.commands[a]; {
		case interp.IsBuiltin(a):
			c.say(a)
		case ours && !strings.Contains(a, "/") && probe.visible(a):
			c.say("/usr/bin/" + a)
		case strings.Contains(a, "/"):
			if i, err := c.node.fs.stat(absolute(c.dir, a)); err != nil || i.IsDir() || i.Mode()&0o111 == 0 {
				return 127
			}
			c.say(a)
		default:
			return 127
		}
	}
	return 0
}

// sleepCommand takes seconds with fractions and the units s, m, h.
func sleepCommand(c *command) int {
	var total time.Duration
	for _, a := range c.args {
		d, err := parseDuration(a)
		if err != nil {
			return c.fail(1, "invalid time interval %q", a)
		}
		total += d
	}
	if sleep(c.ctx, total) != nil {
		return 143
	}
	return 0
}

func parseDuration(s string) (time.Duration, error) {
	if strings.TrimRight(s, "smh") == s {
		s += "s"
	}
	return time.ParseDuration(s)
}

// dateCommand prints +FORMAT with the usual letters, in UTC.
func dateCommand(c *command) int {
	_, rest := c.flags("d")
	now := c.node.now().UTC()
	format := "+%a %b %e %T UTC %Y"
	if len(rest) > 0 {
		format = rest[0]
	}
	if !strings.HasPrefix(format, "+") {
		return c.fail(1, "setting the clock is not simulated")
	}
	var pairs []string
	for letter, layout := range map[string]string{
		"Y": "2006", "m": "01", "d": "02", "H": "15", "M": "04", "S": "05", "F": "2006-01-02", "T": "15:04:05",
		"a": "Mon", "b": "Jan", "e": "_2", "Z": "UTC", "z": "-0700", "j": "002", "y": "06",
	} {
		pairs = append(pairs, "%"+letter, now.Format(layout))
	}
	pairs = append(pairs, "%s", strconv.FormatInt(now.Unix(), 10), "%N", fmt.Sprintf("%09d", now.Nanosecond()), "%%", "%", "%n", "\n")
	return c.say(strings.NewReplacer(pairs...).Replace(format[1:]))
}

func unameCommand(c *command) int {
	flags, _ := c.flags("")
	switch {
	case flags["n"] != "":
		return c.say(c.node.name)
	case flags["r"] != "":
		return c.say(c.node.kernel())
	case flags["m"] != "":
		return c.say("x86_64")
	}
	return c.say("Linux")
}

// idCommand knows root, nobody and who stands in /etc/passwd.
func idCommand(c *command) int {
	flags, rest := c.flags("")
	user := "root"
	if len(rest) > 0 {
		user = rest[0]
	}
	uid, ok := c.node.users()[user]
	switch {
	case !ok:
		return c.fail(1, "‘%s’: no such user", user)
	case flags["u"] != "" && flags["n"] == "":
		return c.say(uid)
	case flags["n"] != "":
		return c.say(user)
	}
	return c.say(fmt.Sprintf("uid=%s(%s) gid=%s(%s)", uid, user, uid, user))
}

func seqCommand(c *command) int {
	from, to := 1, c.number(lastOf(c.args), 0)
	if len(c.args) > 1 {
		from = c.number(c.args[0], 1)
	}
	for i := from; i <= to && i-from < 1e6; i++ {
		c.say(strconv.Itoa(i))
	}
	return 0
}

// shCommand is sh -c TEXT [NAME ARGS], sh FILE ARGS, or sh with the text on its input.
func shCommand(c *command) int {
	set, args := "", c.args
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		a := args[0][1:]
		args = args[1:]
		switch a {
		case "c":
			if len(args) == 0 {
				return c.fail(2, "-c: a command is missing")
			}
			name := ""
			if len(args) > 1 {
				name = args[1]
			}
			return c.shell(name, set+args[0], args[min(2, len(args)):])
		case "s":
			return c.inputScript(set, args)
		case "e", "u", "eu", "x":
			set += "set -" + a + "\n"
		default:
			return c.fail(2, "option -%s is not simulated", a)
		}
	}
	if len(args) == 0 {
		return c.inputScript(set, nil)
	}
	text, err := c.node.fs.read(absolute(c.dir, args[0]))
	if err != nil {
		return c.fail(127, "%v", err)
	}
	return c.shell(args[0], set+string(text), args[1:])
}

func (c *command) inputScript(set string, args []string) int {
	text := string(c.input())
	c.in = nil
	return c.shell("", set+text, args)
}

func envCommand(c *command) int {
	var add []string
	args := c.args
	for len(args) > 0 && strings.Contains(args[0], "=") {
		add, args = append(add, args[0]), args[1:]
	}
	if len(args) == 0 {
		return c.say(append(exported(c.env), add...)...)
	}
	return c.node.shell(c.ctx, process{
		stdin: c.input(), stdout: c.out, stderr: c.err, args: args, env: append(exported(c.env), add...), unit: c.st.p.unit,
	}, `"$@"`)
}

// timeoutCommand is timeout [-k N] [-s SIGNAL] DURATION COMMAND…: 124 when it was cut off.
func timeoutCommand(c *command) int {
	rest := c.positional("ks")
	if len(rest) < 2 {
		return c.fail(125, "usage")
	}
	d, err := parseDuration(rest[0])
	if err != nil {
		return c.fail(125, "invalid time interval %q", rest[0])
	}
	ctx, cancel := context.WithTimeout(c.ctx, d)
	defer cancel()
	code := c.sub(ctx, rest[1:])
	if ctx.Err() != nil && c.ctx.Err() == nil {
		return 124
	}
	return code
}

func sudoCommand(c *command) int { return c.sub(c.ctx, c.positional("u")) }

// runuserCommand is runuser -u USER -- COMMAND…
func runuserCommand(c *command) int {
	flags, _ := (&command{args: c.args[:min(2, len(c.args))]}).flags("u")
	if _, ok := c.node.users()[flags["u"]]; !ok {
		return c.fail(1, "user %s does not exist", flags["u"])
	}
	return c.sub(c.ctx, c.positional("u"))
}
