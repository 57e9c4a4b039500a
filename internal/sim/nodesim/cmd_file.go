package nodesim

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

func mkdirCommand(c *command) int {
	flags, _ := c.flags("m")
	return c.each(func(p string) error { return c.node.fs.mkdir(p, flags["p"] != "") })
}

func rmCommand(c *command) int {
	flags, _ := c.flags("")
	all := flags["r"] != "" || flags["R"] != ""
	return c.each(func(p string) error { return c.node.fs.remove(p, all) })
}

func mvCommand(c *command) int {
	_, rest := c.flags("")
	if len(rest) != 2 {
		return c.fail(1, "only \"mv FROM TO\" is simulated")
	}
	if err := c.node.fs.rename(absolute(c.dir, rest[0]), absolute(c.dir, rest[1])); err != nil {
		return c.fail(1, "%v", err)
	}
	return 0
}

func cpCommand(c *command) int {
	_, rest := c.flags("")
	if len(rest) != 2 {
		return c.fail(1, "only \"cp FROM TO\" is simulated")
	}
	from, to := absolute(c.dir, rest[0]), absolute(c.dir, rest[1])
	data, err := c.node.fs.read(from)
	if err != nil {
		return c.fail(1, "%v", err)
	}
	i, err := c.node.fs.stat(from)
	if err == nil {
		err = c.node.fs.create(to, uint32(i.Mode().Perm()), true)
	}
	if err == nil {
		err = c.node.fs.add(to, data)
	}
	if err != nil {
		return c.fail(1, "%v", err)
	}
	return 0
}

func chmodCommand(c *command) int {
	mode := map[string]uint32{"+x": 0o755, "-x": 0o644, "u+x": 0o744, "a+x": 0o755}[c.arg(0)]
	if mode == 0 {
		m, err := strconv.ParseUint(c.arg(0), 8, 12)
		if err != nil {
			return c.fail(1, "mode %q is not simulated", c.arg(0))
		}
		mode = uint32(m)
	}
	c.args = c.args[1:]
	return c.each(func(p string) error { return c.node.fs.chmod(p, mode) })
}

func touchCommand(c *command) int {
	return c.each(func(p string) error { return c.node.fs.create(p, 0o644, false) })
}

func lsCommand(c *command) int {
	flags, rest := c.flags("")
	if len(rest) == 0 {
		rest = []string{"."}
	}
	code := 0
	for _, r := range rest {
		p := absolute(c.dir, r)
		i, err := c.node.fs.stat(p)
		if err != nil {
			code = c.fail(2, "%v", err)
			continue
		}
		if !i.IsDir() || flags["d"] != "" {
			c.say(r)
			continue
		}
		infos, err := c.node.fs.list(p)
		if err != nil {
			code = c.fail(2, "%v", err)
		}
		for _, i := range infos {
			if !strings.HasPrefix(i.Name(), ".") || flags["a"] != "" {
				c.say(i.Name())
			}
		}
	}
	return code
}

// statCommand knows -c with %s %Y %a %n %F, and %u %U, which are root except for a database's directory.
func statCommand(c *command) int {
	flags, rest := c.flags("c")
	format, ok := flags["c"]
	if !ok {
		return c.fail(1, "only stat -c is simulated")
	}
	for _, r := range rest {
		i, err := c.node.fs.stat(absolute(c.dir, r))
		if err != nil {
			return c.fail(1, "%v", err)
		}
		kind := "regular file"
		if i.IsDir() {
			kind = "directory"
		}
		c.say(strings.NewReplacer("%s", strconv.FormatInt(i.Size(), 10), "%Y", strconv.FormatInt(i.ModTime().Unix(), 10),
			"%a", fmt.Sprintf("%o", i.Mode().Perm()), "%n", r, "%F", kind,
			"%U", c.node.ownerOf(absolute(c.dir, r)), "%u", c.node.users()[c.node.ownerOf(absolute(c.dir, r))]).Replace(format))
	}
	return 0
}

func mktempCommand(c *command) int {
	flags, rest := c.flags("p")
	b := make([]byte, 6)
	_, _ = rand.Read(b)
	name := "/tmp/tmp." + hex.EncodeToString(b)
	if len(rest) > 0 {
		name = absolute(c.dir, strings.TrimRight(rest[0], "X")+hex.EncodeToString(b))
	}
	var err error
	if flags["d"] != "" {
		err = c.node.fs.mkdir(name, false)
	} else {
		err = c.node.fs.create(name, 0o600, true)
	}
	if err != nil {
		return c.fail(1, "%v", err)
	}
	return c.say(name)
}

// syncCommand fails for a file that is not there, as coreutils' does.
func syncCommand(c *command) int {
	return c.each(func(p string) error { _, err := c.node.fs.stat(p); return err })
}
