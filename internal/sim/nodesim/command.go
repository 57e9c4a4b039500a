package nodesim

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
)

// command is one command of a script while it runs.
type command struct {
	ctx  context.Context // of the command's own life, a moment
	st   *shellState
	node *Node
	name string
	args []string
	in   io.Reader
	out  io.Writer
	err  io.Writer
	dir  string
	env  expand.Environ
}

// commands are all there are. Each returns its exit code.
func commands() map[string]func(*command) int {
	all := plainCommands()
	for _, more := range []map[string]func(*command) int{mountCommands(), mirrorCommands(), postgresCommands(), oracleCommands(), doctorCommands()} {
		maps.Copy(all, more)
	}
	return all
}

// plainCommands are those that belong to no kit's world.
func plainCommands() map[string]func(*command) int {
	return map[string]func(*command) int{
		"/.sim/newpipe":   func(c *command) int { return c.say(c.st.newPipe()) },
		"/.sim/command-v": commandV,
		"/.sim/umask":     succeed,
		"/.sim/ulimit":    succeed,
		"/.sim/hash":      succeed,
		"/.sim/kill":      func(c *command) int { return c.fail(1, "no signals in a simulated node") },
		"ip":              ipCommand,
		"ping":            pingCommand,
		"ipsec":           ipsecCommand,
		"arping":          arpingCommand,
		"nc":              ncCommand,
		"curl":            curlCommand,
		"cat":             catCommand,
		"grep":            grepCommand,
		"sed":             sedCommand,
		"head":            headCommand,
		"tail":            tailCommand,
		"cut":             cutCommand,
		"tr":              trCommand,
		"sort":            sortCommand,
		"uniq":            uniqCommand,
		"wc":              wcCommand,
		"tee":             teeCommand,
		"base64":          base64Command,
		"sha256sum":       shaCommand,
		"mkdir":           mkdirCommand,
		"rmdir":           func(c *command) int { return c.each(func(p string) error { return c.node.fs.remove(p, true) }) },
		"rm":              rmCommand,
		"mv":              mvCommand,
		"cp":              cpCommand,
		"chmod":           chmodCommand,
		"chown":           succeed,
		"touch":           touchCommand,
		"ls":              lsCommand,
		"stat":            statCommand,
		"mktemp":          mktempCommand,
		"sync":            syncCommand,
		"basename":        func(c *command) int { return c.say(strings.TrimSuffix(path.Base(c.arg(0)), c.arg(1))) },
		"dirname":         func(c *command) int { return c.say(path.Dir(c.arg(0))) },
		"seq":             seqCommand,
		"sleep":           sleepCommand,
		"date":            dateCommand,
		"hostname":        func(c *command) int { return c.say(c.node.name) },
		"uname":           unameCommand,
		"id":              idCommand,
		"whoami":          func(c *command) int { return c.say("root") },
		"logger":          succeed,
		"sh":              shCommand,
		"dash":            shCommand,
		"env":             envCommand,
		"timeout":         timeoutCommand,
		"setsid":          func(c *command) int { return c.sub(c.ctx, c.args) },
		"nohup":           func(c *command) int { return c.sub(c.ctx, c.args) },
		"sudo":            sudoCommand,
		"runuser":         runuserCommand,
		"systemctl":       systemctlCommand,
		"systemd-run":     systemdRunCommand,
		"systemd-cat":     func(c *command) int { return c.sub(c.ctx, c.positional("t")) },
		"journalctl":      journalCommand,
	}
}

func succeed(*command) int { return 0 }

// run finds the command by its name, or by its path below a usual directory.
func (c *command) run() int {
	name := c.name
	if dir, base := path.Split(name); dir == "/bin/" || dir == "/usr/bin/" || dir == "/sbin/" || dir == "/usr/sbin/" {
		name = base
	}
	if f, ok := c.node.world.commands[name]; ok && c.visible(name) {
		return f(c)
	}
	if strings.Contains(c.name, "/") {
		return c.file(absolute(c.dir, c.name))
	}
	fmt.Fprintf(c.err, "sh: %s: not found\n", c.name)
	return 127
}

// visible: without the usual directories in PATH nothing is found by its bare name.
func (c *command) visible(name string) bool {
	if strings.Contains(c.name, "/") {
		return true
	}
	for _, dir := range strings.Split(c.env.Get("PATH").String(), ":") {
		if dir == "/usr/bin" || dir == "/bin" || dir == "/usr/sbin" || dir == "/sbin" {
			return !c.node.lacks(name)
		}
	}
	return false
}

// file runs a script that lies on the node's disk.
func (c *command) file(p string) int {
	i, err := c.node.fs.stat(p)
	switch {
	case err != nil:
		return c.fail(127, "%s: not found", p)
	case i.IsDir() || i.Mode()&0o111 == 0:
		return c.fail(126, "%s: permission denied", p)
	}
	text, err := c.node.fs.read(p)
	if err != nil {
		return c.fail(126, "%v", err)
	}
	return c.shell(p, string(text), c.args)
}

// shell interprets text as a process of its own.
func (c *command) shell(name, text string, args []string) int {
	return c.node.shell(c.ctx, process{
		stdin: c.input(), stdout: c.out, stderr: c.err, name: name, args: args, env: exported(c.env), unit: c.st.p.unit,
	}, text)
}

// sub runs another command in this one's place, with a context of its own.
func (c *command) sub(ctx context.Context, args []string) int {
	if len(args) == 0 {
		return c.fail(125, "nothing to run")
	}
	d := *c
	d.ctx, d.name, d.args = ctx, args[0], args[1:]
	if interp.IsBuiltin(args[0]) {
		d.name, d.args = "sh", append([]string{"-c", `"$@"`, "sh"}, args...)
	}
	return d.run()
}

func exported(env expand.Environ) []string {
	var out []string
	env.Each(func(name string, v expand.Variable) bool {
		if v.Exported {
			out = append(out, name+"="+v.String())
		}
		return true
	})
	return out
}

// input reads all of standard input.
func (c *command) input() []byte {
	if c.in == nil {
		return nil
	}
	b, _ := io.ReadAll(io.LimitReader(c.in, 8<<20))
	return b
}

func (c *command) say(lines ...string) int {
	for _, l := range lines {
		if _, err := io.WriteString(c.out, l+"\n"); err != nil {
			return c.fail(1, "write error: %v", err)
		}
	}
	return 0
}

func (c *command) fail(code int, format string, args ...any) int {
	fmt.Fprintf(c.err, path.Base(c.name)+": "+format+"\n", args...)
	return code
}

func (c *command) arg(i int) string {
	if i < len(c.args) {
		return c.args[i]
	}
	return ""
}

// flags splits the arguments as getopt does: letters in valued take a value, "--"
// ends the options. Long options keep their dashes: "--quiet" is flags["--quiet"].
func (c *command) flags(valued string) (flags map[string]string, rest []string) {
	flags = map[string]string{}
	for i := 0; i < len(c.args); i++ {
		a := c.args[i]
		switch {
		case a == "--":
			return flags, append(rest, c.args[i+1:]...)
		case strings.HasPrefix(a, "--"):
			name, value, _ := strings.Cut(a, "=")
			flags[name] = value
		case len(a) > 1 && a[0] == '-':
			for j := 1; j < len(a); j++ {
				f := a[j : j+1]
				if !strings.Contains(valued, f) {
					flags[f] = "y"
					continue
				}
				value := a[j+1:]
				if value == "" && i+1 < len(c.args) {
					i++
					value = c.args[i]
				}
				flags[f] = value
				break
			}
		default:
			rest = append(rest, a)
		}
	}
	return flags, rest
}

// positional drops leading options, of which those in valued take a value.
func (c *command) positional(valued string) []string {
	a := c.args
	for len(a) > 0 && strings.HasPrefix(a[0], "-") {
		if a[0] == "--" {
			return a[1:]
		}
		skip := 1
		if len(a[0]) == 2 && strings.Contains(valued, a[0][1:]) {
			skip = 2
		}
		a = a[min(skip, len(a)):]
	}
	return a
}

// each does something with every file named, and complains about each failure.
func (c *command) each(do func(p string) error) int {
	flags, rest := c.flags("m")
	code := 0
	for _, p := range rest {
		if err := do(absolute(c.dir, p)); err != nil {
			if _, quiet := flags["f"]; !quiet {
				code = c.fail(1, "%v", err)
			}
		}
	}
	return code
}

// text is the files named, or standard input.
func (c *command) text(files []string) (string, int) {
	if len(files) == 0 {
		return string(c.input()), 0
	}
	var b strings.Builder
	code := 0
	for _, f := range files {
		if f == "-" {
			b.Write(c.input())
			continue
		}
		data, err := c.node.fs.read(absolute(c.dir, f))
		if err != nil {
			code = c.fail(1, "%v", err)
		}
		b.Write(data)
	}
	return b.String(), code
}

// lines splits text; a last line without a newline counts.
func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

func (c *command) number(s string, def int) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return def
	}
	return n
}
