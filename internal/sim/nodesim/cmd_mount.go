package nodesim

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
)

// mountCommands are those of disks and mounted file systems. A few take the place of
// plainer ones that know nothing of disks.
func mountCommands() map[string]func(*command) int {
	return map[string]func(*command) int{
		"/.sim/kill": killCommand,
		"mount":      mountCommand,
		"umount":     umountCommand,
		"mountpoint": mountpointCommand,
		"blkid":      blkidCommand,
		"blockdev":   blockdevCommand,
		"mkfs.ext4":  func(c *command) int { return mkfsCommand(c, "ext4") },
		"mkfs.xfs":   func(c *command) int { return mkfsCommand(c, "xfs") },
		"e2fsck":     e2fsckCommand,
		"dumpe2fs":   dumpe2fsCommand,
		"modprobe":   modprobeCommand,
		"df":         dfCommand,
		"dd":         ddCommand,
		"stat":       diskStatCommand,
		"sync":       diskSyncCommand,
		"readlink":   readlinkCommand,
		"ls":         longListCommand,
	}
}

// failMount is mount's and umount's exit code for what the kernel refused.
const failMount = 32

// mountCommand is mount [-w|-r] [-t TYPE] [-o OPTIONS] [--] DEVICE POINT, mount --bind DIR
// POINT, and mount -o remount,… POINT.
func mountCommand(c *command) int {
	flags, rest := c.flags("to")
	opts := strings.Split(flags["o"], ",")
	_, bind := flags["--bind"]
	switch {
	case len(rest) == 0:
		return c.say(strings.TrimSuffix(c.node.disks.mountInfo(), "\n"))
	case slices.Contains(opts, "remount") && len(rest) == 1:
		return c.remount(absolute(c.dir, rest[0]), opts)
	case len(rest) != 2:
		return c.fail(1, "bad usage")
	}
	point := absolute(c.dir, rest[1])
	if i, err := c.node.fs.stat(point); err != nil || !i.IsDir() {
		return c.fail(failMount, "%s: mount point does not exist.", point)
	}
	if bind || slices.Contains(opts, "bind") {
		return c.bind(absolute(c.dir, rest[0]), point)
	}
	d := c.node.disks.find(rest[0])
	if d == nil {
		return c.fail(failMount, "%s: special device %s does not exist.", point, rest[0])
	}
	return c.mount(d, point, flags["t"], opts, flags["r"] != "" || slices.Contains(opts, "ro"), flags["w"] != "")
}

// mount reads the disk and puts it into the table. Like the real one it falls back to
// read-only where the disk cannot be written, unless it is told not to.
func (c *command) mount(d *blockDev, point, fsType string, opts []string, ro, insist bool) int {
	t := c.node.disks
	err := t.settle(c.ctx, d, !ro)
	if err != nil && err.Error() == "Read-only file system" {
		if insist {
			return c.fail(failMount, "%s: cannot mount %s read-only.", point, "/dev/"+d.name)
		}
		fmt.Fprintf(c.err, "mount: %s: WARNING: source write-protected, mounted read-only.\n", point)
		ro, err = true, t.settle(c.ctx, d, false)
	}
	switch {
	case c.ctx.Err() != nil:
		return terminated
	case err != nil:
		return c.fail(failMount, "%s: can't read superblock on /dev/%s.", point, d.name)
	}
	if err := t.attach(&mounted{dev: d, root: "/", point: point, fsType: fsType, opts: opts, ro: ro}); err != nil {
		return c.fail(failMount, "%s: %v", point, err)
	}
	return 0
}

// attach puts a disk's mount into the table. No command may say anything while it holds a
// lock of the table: its words may go into a file.
func (t *diskTable) attach(m *mounted) error {
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	d := m.dev
	d.volume.mu.Lock()
	defer d.volume.mu.Unlock()
	switch {
	case d.owner != "" || t.isOn(d, m.point):
		return fmt.Errorf("/dev/%s already mounted or mount point busy.", d.name) //nolint:staticcheck // the tool's words
	case d.volume.fsType == "" || m.fsType != "" && m.fsType != d.volume.fsType || !slices.Contains(knownTypes, d.volume.fsType):
		return fmt.Errorf("wrong fs type, bad option, bad superblock on /dev/%s, missing codepage or helper program, or other error.", d.name) //nolint:staticcheck // the tool's words
	}
	d.volume.dirty = true
	m.volume, m.fsType = d.volume, d.volume.fsType
	t.put(m)
	return nil
}

// isOn tells that a disk is mounted on that very point.
func (t *diskTable) isOn(d *blockDev, point string) bool {
	m := t.fs.mountOf(point)
	return m != nil && m.point == point && m.dev == d && m.root == "/"
}

func (t *diskTable) put(m *mounted) {
	t.nextID++
	m.id = t.nextID
	t.fs.mounts = append(t.fs.mounts, m)
}

func (c *command) bind(dir, point string) int {
	t := c.node.disks
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	b := &mounted{root: dir, point: point, fsType: "ext4"}
	if m := t.fs.mountOf(dir); m != nil {
		b.dev, b.volume, b.fsType, b.opts, b.ro = m.dev, m.volume, m.fsType, m.opts, m.ro
		b.root = path.Join(m.root, strings.TrimPrefix(dir, m.point))
	}
	t.put(b)
	return 0
}

func (c *command) remount(point string, opts []string) int {
	if !c.node.disks.change(point, slices.Contains(opts, "ro"), slices.Contains(opts, "rw")) {
		return c.fail(failMount, "%s: mount point not mounted or bad option.", point)
	}
	return 0
}

// change makes a mount read-only or writable; false when there is none.
func (t *diskTable) change(point string, ro, rw bool) bool {
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	m := t.fs.mountOf(point)
	if m == nil || m.point != point {
		return false
	}
	m.ro, m.broken = ro || m.ro && !rw, m.broken && !rw
	return true
}

// umountCommand is umount [--] POINT. The entry goes at once; then what is not yet on the disk
// is written, for which a frozen disk lets it wait.
func umountCommand(c *command) int {
	_, rest := c.flags("t")
	if len(rest) != 1 {
		return c.fail(1, "bad usage")
	}
	point := absolute(c.dir, rest[0])
	t := c.node.disks
	d, refused := t.detach(point)
	if refused != "" {
		return c.fail(failMount, "%s: %s", point, refused)
	}
	if d == nil {
		return 0
	}
	err := t.settle(c.ctx, d, false)
	if c.ctx.Err() != nil { // nothing ends a process that waits for a disk: it goes on
		c.node.world.spawn(func() { t.writtenOut(c.node.life(), d) })
		return terminated
	}
	_ = err // what a broken disk loses is not told by umount
	t.released(d)
	return 0
}

func (t *diskTable) writtenOut(ctx context.Context, d *blockDev) {
	if _ = t.settle(ctx, d, false); ctx.Err() == nil {
		t.released(d)
	}
}

// detach takes the topmost mount of a point out of the table. A disk is returned when it was its last.
func (t *diskTable) detach(point string) (d *blockDev, refused string) {
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	m := t.fs.mountOf(point)
	if m == nil || m.point != point {
		return nil, "not mounted."
	}
	i := slices.Index(t.fs.mounts, m)
	nested := slices.ContainsFunc(t.fs.mounts[i+1:], func(o *mounted) bool { return below(o.point, point) })
	if nested || t.holders(m) > 0 {
		return nil, "target is busy."
	}
	t.fs.mounts = slices.Delete(t.fs.mounts, i, i+1)
	if m.dev == nil || t.inUse(m.dev) {
		return nil, ""
	}
	m.dev.dying = true
	return m.dev, ""
}

// released: nothing of a disk's file system is left in memory.
func (t *diskTable) released(d *blockDev) {
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	if d.dying && !t.inUse(d) {
		d.dying = false
		d.volume.mu.Lock()
		d.volume.dirty = false
		d.volume.mu.Unlock()
	}
}

// mountpointCommand is mountpoint -q PATH.
func mountpointCommand(c *command) int {
	flags, rest := c.flags("")
	if len(rest) != 1 {
		return c.fail(1, "bad usage")
	}
	p := absolute(c.dir, rest[0])
	t := c.node.disks
	t.fs.mu.Lock()
	m := t.fs.mountOf(p)
	t.fs.mu.Unlock()
	is := m != nil && m.point == p || p == "/"
	switch {
	case is && flags["q"] == "":
		return c.say(rest[0] + " is a mountpoint")
	case is:
		return 0
	case flags["q"] == "":
		c.say(rest[0] + " is not a mountpoint")
	}
	return failMount
}
