package nodesim

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// disk finds the disk that an argument names, or complains.
func (c *command) disk(p string) (*blockDev, int) {
	d := c.node.disks.find(p)
	if d == nil {
		return nil, c.fail(1, "cannot open %s: No such file or directory", p)
	}
	return d, 0
}

// blkidCommand is blkid [-p] [-c FILE] -o value -s TYPE|UUID DEVICE: 2 when nothing is known.
func blkidCommand(c *command) int {
	flags, rest := c.flags("osc")
	if len(rest) != 1 {
		return c.fail(4, "only one device is simulated")
	}
	d := c.node.disks.find(rest[0])
	if d == nil {
		return 2
	}
	if err := c.node.disks.settle(c.ctx, d, false); err != nil {
		return 2
	}
	v := d.volume.clone()
	switch {
	case v.fsType == "":
		return 2
	case flags["s"] == "UUID":
		return c.say(v.uuid)
	}
	return c.say(v.fsType)
}

// blockdevCommand knows --getro, --getsize64, --getsz, --setro, --setrw, --flushbufs.
func blockdevCommand(c *command) int {
	d, code := c.disk(lastOf(c.args))
	if code != 0 {
		return code
	}
	switch c.arg(0) {
	case "--getro":
		ro, _ := c.node.disks.made("/sys/dev/block/" + d.number.String() + "/ro")
		return c.say(strings.TrimSpace(string(ro)))
	case "--getsize64":
		return c.say(strconv.FormatInt(d.size, 10))
	case "--getsz":
		return c.say(strconv.FormatInt(d.size/512, 10))
	case "--setro", "--setrw":
		_ = c.node.ProtectDisk(d.name, c.arg(0) == "--setro") // it was there a moment ago
		return 0
	case "--flushbufs":
		return c.settled(c.ctx, c.node.disks.settle(c.ctx, d, true), "%s", d.name)
	}
	return c.fail(1, "%s is not simulated", c.arg(0))
}

// mkfsCommand makes an empty file system.
func mkfsCommand(c *command, fsType string) int {
	d, code := c.disk(lastOf(c.args))
	if code != 0 {
		return code
	}
	if code = c.settled(c.ctx, c.node.disks.settle(c.ctx, d, true), "/dev/%s", d.name); code != 0 {
		return code
	}
	if !c.node.disks.unused(d, func(v *volume) {
		fresh := newVolume(fsType)
		v.fsType, v.uuid, v.files, v.used, v.errors, v.dirty = fresh.fsType, fresh.uuid, fresh.files, 0, 0, false
	}) {
		return c.fail(1, "/dev/%s is in use by the system; will not make a filesystem here!", d.name)
	}
	return 0
}

// unused does something with what is on a disk, unless the disk is in use.
func (t *diskTable) unused(d *blockDev, f func(*volume)) bool {
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	if t.inUse(d) {
		return false
	}
	d.volume.mu.Lock()
	defer d.volume.mu.Unlock()
	f(d.volume)
	return true
}

// e2fsckCommand is e2fsck -p DEVICE: 0 = in order, 1 = put in order, 8 = cannot.
func e2fsckCommand(c *command) int {
	d, code := c.disk(lastOf(c.args))
	if code != 0 {
		return 8
	}
	t, repaired := c.node.disks, false
	if code = c.settled(c.ctx, t.settle(c.ctx, d, true), "/dev/%s", d.name); code != 0 {
		return 8
	}
	if !t.unused(d, func(v *volume) { repaired, v.errors, v.dirty = v.errors > 0, 0, false }) {
		return c.fail(8, "/dev/%s is in use.", d.name)
	}
	if repaired {
		c.say("/dev/" + d.name + ": ***** FILE SYSTEM WAS MODIFIED *****")
		return 1
	}
	return c.say("/dev/" + d.name + ": clean")
}

// dumpe2fsCommand is dumpe2fs -h DEVICE: the line with the state, as far as it goes.
func dumpe2fsCommand(c *command) int {
	d, code := c.disk(lastOf(c.args))
	if code != 0 {
		return code
	}
	if code = c.settled(c.ctx, c.node.disks.settle(c.ctx, d, false), "/dev/%s", d.name); code != 0 {
		return code
	}
	v := d.volume.clone()
	if !strings.HasPrefix(v.fsType, "ext") {
		return c.fail(1, "Bad magic number in super-block while trying to open /dev/%s", d.name)
	}
	state := "clean"
	if v.errors > 0 {
		state = "clean with errors"
	}
	return c.say("Filesystem UUID:          "+v.uuid, "Filesystem state:         "+state, "Errors behavior:          Continue")
}

// room is what a file system on a path has: its size and use in blocks of 4 KiB, and in files.
type room struct {
	source, point, kind        string
	blocks, free, files, spare int64
}

func (t *diskTable) room(p string) room {
	t.fs.mu.Lock()
	m := t.fs.mountOf(path.Clean(p))
	r := room{source: "/dev/nvme0n1p1", point: "/", kind: "ext2/ext3", blocks: 2 << 20, free: 3 << 19, files: 524288, spare: 400000}
	if m != nil {
		r.point = m.point
	}
	t.fs.mu.Unlock()
	if m == nil || m.dev == nil {
		return r
	}
	v := m.volume.clone()
	r.source, r.blocks, r.files = "/dev/"+m.dev.name, m.dev.size/4096, max(m.dev.size/16384, 64)
	if v.fsType == "xfs" {
		r.kind = "xfs"
	}
	var used int64
	for _, f := range v.files {
		used += int64(len(f.data)+4095) / 4096
	}
	if v.used > 0 {
		used = (r.blocks*int64(v.used) + 99) / 100
	}
	r.free, r.spare = max(r.blocks-used, 0), max(r.files-int64(len(v.files))-10, 0)
	return r
}

// dfCommand is df [-P] [-k] [-i] PATH….
func dfCommand(c *command) int {
	flags, rest := c.flags("")
	code := 0
	c.say("Filesystem 1024-blocks Used Available Capacity Mounted on")
	for _, p := range rest {
		p = absolute(c.dir, p)
		if _, err := c.node.fs.stat(p); err != nil {
			code = c.fail(1, "%s: No such file or directory", p)
			continue
		}
		r := c.node.disks.room(p)
		total, free := r.blocks*4, r.free*4
		if flags["i"] != "" {
			total, free = r.files, r.spare
		}
		c.say(fmt.Sprintf("%s %d %d %d %d%% %s", r.source, total, total-free, free, (total-free)*100/max(total, 1), r.point))
	}
	return code
}

// diskStatCommand is stat with what concerns disks: -L -c %t %T of a device, %d of a
// file, and -f -c %S %b %f %a %c %d %T. The rest is the plain one's.
func diskStatCommand(c *command) int {
	flags, rest := c.flags("c")
	format := flags["c"]
	if flags["f"] != "" {
		for _, p := range rest {
			if _, err := c.node.fs.stat(absolute(c.dir, p)); err != nil {
				return c.fail(1, "cannot read file system information for '%s': No such file or directory", p)
			}
			r := c.node.disks.room(absolute(c.dir, p))
			n := func(v int64) string { return strconv.FormatInt(v, 10) }
			c.say(strings.NewReplacer("%S", "4096", "%s", "4096", "%b", n(r.blocks), "%f", n(r.free), "%a", n(r.free),
				"%c", n(r.files), "%d", n(r.spare), "%T", r.kind).Replace(format))
		}
		return 0
	}
	if strings.Contains(format, "%h") { // one link each; and who asks for that has files of root in mind
		for i := range c.args {
			c.args[i] = strings.NewReplacer("%h", "1", "%u", "0").Replace(c.args[i])
		}
	}
	if !strings.Contains(format, "%t") && !strings.Contains(format, "%T") && !strings.Contains(format, "%d") {
		return statCommand(c)
	}
	for _, p := range rest {
		i, err := c.node.fs.stat(absolute(c.dir, p))
		if err != nil {
			return c.fail(1, "cannot statx '%s': No such file or directory", p)
		}
		own, in := i.(info).dev, c.node.disks.device(absolute(c.dir, p))
		c.say(strings.NewReplacer("%t", strconv.FormatInt(int64(own.major), 16), "%T", strconv.FormatInt(int64(own.minor), 16),
			"%d", strconv.Itoa(in.major<<8|in.minor), "%n", p).Replace(format))
	}
	return 0
}

// device is the number of the device that a path is on; for /proc/PID/cwd, where that process is.
func (t *diskTable) device(p string) devNumber {
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	if f := t.fs.files[p]; f != nil && f.link != "" {
		p = f.link
	}
	if m := t.fs.mountOf(p); m != nil && m.dev != nil {
		return m.dev.number
	}
	return devNumber{259, 1}
}

// diskSyncCommand is sync [-f|-d] FILE…: it comes back when what was written is on the disk.
func diskSyncCommand(c *command) int {
	return c.each(func(p string) error {
		if _, err := c.node.fs.stat(p); err != nil {
			return err
		}
		return c.node.disks.settlePath(c.ctx, p, true)
	})
}

// readlinkCommand is readlink [-f] [-n] PATH. There are no links but those of the
// kernel and those that disks have, so that any other path is its own end.
func readlinkCommand(c *command) int {
	flags, rest := c.flags("")
	for _, r := range rest {
		p := absolute(c.dir, r)
		i, err := c.node.fs.stat(p)
		switch d := c.node.disks.find(p); {
		case d != nil && p != "/dev/"+d.name:
			p = "/dev/" + d.name
		case err == nil && i.(info).link != "":
			p = i.(info).link
		case err == nil && flags["f"] == "":
			return 1
		case err != nil:
			if up, uerr := c.node.fs.stat(path.Dir(p)); flags["f"] == "" || uerr != nil || !up.IsDir() {
				return 1
			}
		}
		c.say(p)
	}
	return 0
}

// longListCommand is ls; with -l it writes where links lead, a directory at a time, as the
// real one does for /proc.
func longListCommand(c *command) int {
	flags, rest := c.flags("")
	if flags["l"] == "" {
		return lsCommand(c)
	}
	row := func(name string, i info) {
		if i.link == "" {
			c.say("-r--r--r-- 1 root root 0 Jan  1 00:00 " + name)
		} else {
			c.say("lrwxrwxrwx 1 root root 64 Jan  1 00:00 " + name + " -> " + i.link)
		}
	}
	code := 0
	var dirs []string
	for _, r := range rest {
		i, err := c.node.fs.stat(absolute(c.dir, r))
		switch {
		case err != nil:
			code = c.fail(2, "cannot access '%s': No such file or directory", r)
		case i.IsDir() && flags["d"] == "":
			dirs = append(dirs, r)
		default:
			row(r, i.(info))
		}
	}
	for _, r := range dirs {
		c.say("", r+":", "total 0")
		infos, _ := c.node.fs.list(absolute(c.dir, r))
		for _, i := range infos {
			row(i.Name(), i.(info))
		}
	}
	return code
}
