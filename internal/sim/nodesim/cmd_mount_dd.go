package nodesim

import (
	"strings"
	"syscall"
)

// ddCommand is dd of files, and of files on disks: with conv=fsync, fdatasync or
// oflag=direct it comes back when the disk has it, with iflag=direct when the disk was read.
func ddCommand(c *command) int {
	arg := map[string]string{"bs": "512"}
	for _, a := range c.args {
		key, value, _ := strings.Cut(a, "=")
		arg[key] = value
	}
	data, code := c.ddRead(arg["if"], arg["iflag"])
	if code != 0 {
		return code
	}
	if count, given := arg["count"]; given {
		data = data[:min(len(data), c.ddSize(arg["bs"])*c.number(count, 0))]
	}
	return c.ddWrite(arg["of"], arg["conv"]+","+arg["oflag"], data)
}

func (c *command) ddSize(s string) int {
	unit := 1
	switch {
	case strings.HasSuffix(s, "M"):
		s, unit = strings.TrimSuffix(s, "M"), 1<<20
	case strings.HasSuffix(strings.ToLower(s), "k"):
		s, unit = s[:len(s)-1], 1<<10
	}
	return c.number(s, 512) * unit
}

func (c *command) ddRead(from, how string) ([]byte, int) {
	if from == "" {
		return c.input(), 0
	}
	p := absolute(c.dir, from)
	if strings.Contains(how, "direct") {
		if code := c.settled(c.ctx, c.node.disks.settlePath(c.ctx, p, false), "error reading '%s'", from); code != 0 {
			return nil, code
		}
	}
	data, err := c.node.fs.read(p)
	if err != nil {
		return nil, c.fail(1, "failed to open '%s': %v", from, unwrapped(err))
	}
	return data, 0
}

func (c *command) ddWrite(to, how string, data []byte) int {
	if to == "" {
		_, _ = c.out.Write(data)
		return 0
	}
	p := absolute(c.dir, to)
	if p == "/dev/null" {
		return 0
	}
	if err := c.node.fs.create(p, 0o644, !strings.Contains(how, "notrunc")); err != nil {
		return c.fail(1, "failed to open '%s': %v", to, unwrapped(err))
	}
	write := c.node.fs.add
	if strings.Contains(how, "notrunc") {
		write = c.node.fs.over
	}
	if err := write(p, data); err != nil {
		return c.fail(1, "error writing '%s': %v", to, unwrapped(err))
	}
	if strings.Contains(how, "sync") || strings.Contains(how, "direct") {
		return c.settled(c.ctx, c.node.disks.settlePath(c.ctx, p, true), "fsync failed for '%s'", to)
	}
	return 0
}

// unwrapped says what went wrong in the words of the C library.
func unwrapped(err error) string {
	s := err.Error()
	if i := strings.LastIndex(s, ": "); i >= 0 {
		s = s[i+2:]
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// over writes over the beginning of a file, which takes no further room.
func (d *disk) over(p string, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, p := d.at(p)
	defer t.lock()()
	f := t.files[p]
	if f == nil || f.dir {
		return pathError("write", p, syscall.ENOENT)
	}
	if len(f.data) < len(data) && t.full {
		return pathError("write", p, syscall.ENOSPC)
	}
	f.data = append(append([]byte(nil), data...), f.data[min(len(data), len(f.data)):]...)
	return nil
}
