package nodesim

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"syscall"
	"time"
)

// AddDisk puts a disk on the node, /dev/NAME, of that many bytes, with an empty file
// system of that type on it, or nothing when it is empty. What is on it survives a power-off.
func (n *Node) AddDisk(name string, size int64, fsType string) error {
	v := newVolume(fsType)
	if err := n.disks.add(&blockDev{name: name, size: size, volume: v}); err != nil {
		return fmt.Errorf("adding a disk to %s: %w", n.name, err)
	}
	return nil
}

// RemoveDisk takes a disk off the node; one that is in use is an error.
func (n *Node) RemoveDisk(name string) error {
	if err := n.disks.remove(name); err != nil {
		return fmt.Errorf("taking a disk off %s: %w", n.name, err)
	}
	return nil
}

// LinkDisk gives a disk another path, "/dev/md/ferry-data".
func (n *Node) LinkDisk(name, link string) error {
	return n.withDisk(name, func(d *blockDev) {
		d.links = append(d.links, link)
		n.disks.node(link, d.number)
	})
}

// FillDisk makes the file system on a disk that full, in percent of its blocks; at 100
// nothing can be added. 0 lets what is in it count again.
func (n *Node) FillDisk(name string, percent int) error {
	return n.withDisk(name, func(d *blockDev) {
		d.volume.mu.Lock()
		d.volume.used = percent
		d.volume.mu.Unlock()
	})
}

// FreezeDisk lets whatever needs the disk itself wait, until ThawDisk: what the caches
// answer goes on.
func (n *Node) FreezeDisk(name string) error {
	return n.withDisk(name, func(d *blockDev) {
		if d.fault.frozen == nil {
			d.fault.frozen = make(chan struct{})
		}
	})
}

// ThawDisk ends FreezeDisk.
func (n *Node) ThawDisk(name string) error {
	return n.withDisk(name, func(d *blockDev) {
		if d.fault.frozen != nil {
			close(d.fault.frozen)
			d.fault.frozen = nil
		}
	})
}

// BreakDisk makes the disk answer with input/output errors, or work again.
func (n *Node) BreakDisk(name string, broken bool) error {
	return n.withDisk(name, func(d *blockDev) { d.fault.broken = broken })
}

// ProtectDisk makes the disk read-only, or writable again; what is mounted is not told.
func (n *Node) ProtectDisk(name string, readOnly bool) error {
	return n.withDisk(name, func(d *blockDev) { d.fault.readOnly = readOnly })
}

// RemountReadOnly makes a mounted file system read-only, as the kernel does after an error.
func (n *Node) RemountReadOnly(point string) error {
	n.fs.mu.Lock()
	defer n.fs.mu.Unlock()
	m := n.fs.mountOf(point)
	if m == nil || m.point != point {
		return fmt.Errorf("nothing is mounted on %s of %s", point, n.name)
	}
	m.broken = true
	if m.volume != nil {
		m.volume.mu.Lock()
		m.volume.errors++
		m.volume.mu.Unlock()
	}
	return nil
}

// Mounted is the path of the disk that is mounted on a point; empty when there is none.
func (n *Node) Mounted(point string) string {
	n.fs.mu.Lock()
	defer n.fs.mu.Unlock()
	if m := n.fs.mountOf(point); m != nil && m.point == point && m.dev != nil {
		return "/dev/" + m.dev.name
	}
	return ""
}

// OnDisk reads a file that lies on a disk, mounted or not, by its path within it.
func (n *Node) OnDisk(name, p string) (string, error) {
	var data []byte
	var found bool
	err := n.withDisk(name, func(d *blockDev) {
		d.volume.mu.Lock()
		defer d.volume.mu.Unlock()
		if f := d.volume.files[path.Clean(p)]; f != nil {
			data, found = append(data, f.data...), true
		}
	})
	if err == nil && !found {
		err = pathError("open", p, syscall.ENOENT)
	}
	return string(data), err
}

func (n *Node) withDisk(name string, f func(*blockDev)) error {
	n.fs.mu.Lock()
	defer n.fs.mu.Unlock()
	d := n.disks.findLocked(name)
	if d == nil {
		return fmt.Errorf("%s has no disk %s", n.name, name)
	}
	f(d)
	return nil
}

// Holder is a process that uses a file or a directory.
type Holder struct {
	PID     int
	Command string
	Path    string
	// Cwd: it is there; otherwise it has the file open.
	Cwd bool
	// IgnoresTerm: only KILL ends it.
	IgnoresTerm bool
	// Kernel: it is a thread of the kernel.
	Kernel bool
}

// simProcess is a process that holds something.
type simProcess struct{ Holder }

// HoldMount starts a process that holds a file or a directory; it lives until it is
// killed or the node is switched off.
func (n *Node) HoldMount(h Holder) error {
	n.fs.mu.Lock()
	defer n.fs.mu.Unlock()
	if n.disks.procs[h.PID] != nil || h.PID <= 1 {
		return fmt.Errorf("%s cannot start another process %d", n.name, h.PID)
	}
	n.disks.procs[h.PID] = &simProcess{h}
	flags := "4194304"
	if h.Kernel {
		flags = strconv.Itoa(0x200000)
	}
	start := strconv.FormatInt(int64(time.Since(n.fs.since)/(10*time.Millisecond)), 10)
	dir := "/proc/" + strconv.Itoa(h.PID)
	cwd, exe, id := "/", "/usr/bin/"+h.Command, 22
	if m := n.fs.mountOf(h.Path); m != nil {
		id = m.id
	}
	put := func(name string, f *inode) { n.fs.files[dir+name] = f }
	put("", &inode{dir: true, mode: 0o555})
	put("/fd", &inode{dir: true, mode: 0o555})
	put("/fdinfo", &inode{dir: true, mode: 0o555})
	if h.Cwd {
		cwd = h.Path
	} else {
		put("/fd/3", &inode{link: h.Path})
		put("/fdinfo/3", &inode{data: []byte("pos:\t0\nflags:\t0100002\nmnt_id:\t" + strconv.Itoa(id) + "\n")})
	}
	put("/cwd", &inode{link: cwd})
	put("/root", &inode{link: "/"})
	put("/exe", &inode{link: exe})
	put("/comm", &inode{data: []byte(h.Command + "\n")})
	put("/cmdline", &inode{data: []byte(h.Command + "\x00")})
	put("/maps", &inode{data: []byte("00400000-00452000 r-xp 00000000 103:01 173521 " + exe + "\n")})
	put("/stat", &inode{data: []byte(strconv.Itoa(h.PID) + " (" + h.Command + ") S 1 1 1 0 -1 " + flags +
		" 0 0 0 0 0 0 0 0 20 0 1 0 " + start + " 1000 100\n")})
	return nil
}

// Alive tells that a process of HoldMount still runs.
func (n *Node) Alive(pid int) bool {
	n.fs.mu.Lock()
	defer n.fs.mu.Unlock()
	return n.disks.procs[pid] != nil
}

// end takes a process away; t.fs.mu must be held.
func (t *diskTable) end(pid int) {
	delete(t.procs, pid)
	dir := "/proc/" + strconv.Itoa(pid)
	for p := range t.fs.files {
		if below(p, dir) {
			delete(t.fs.files, p)
		}
	}
}

// killCommand is kill [-SIGNAL | -s SIGNAL] PID…, for processes of HoldMount.
func killCommand(c *command) int {
	t, signal, rest := c.node.disks, "TERM", c.args
	if len(rest) > 1 && rest[0] == "-s" {
		signal, rest = rest[1], rest[2:]
	} else if len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-' {
		signal, rest = rest[0][1:], rest[1:]
	}
	if len(rest) > 0 && rest[0] == "--" {
		rest = rest[1:]
	}
	code := 0
	for _, a := range rest {
		if !t.signal(c.number(a, -1), signal) {
			code = c.fail(1, "(%s) - No such process", a)
		}
	}
	return code
}

// signal does to a process what the signal does; false when there is none.
func (t *diskTable) signal(pid int, signal string) bool {
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	p := t.procs[pid]
	if p == nil {
		return false
	}
	term, kill := signal == "TERM" || signal == "15", signal == "KILL" || signal == "9"
	if !p.Kernel && (kill || term && !p.IgnoresTerm) {
		t.end(pid)
	}
	return true
}

// holders are the processes that keep a mount busy; t.fs.mu must be held.
func (t *diskTable) holders(m *mounted) int {
	count := 0
	for _, p := range t.procs {
		if t.fs.mountOf(path.Clean(p.Path)) == m {
			count++
		}
	}
	return count
}

// settled gives settle's error the words of a tool: its exit code is 1, or that of a killed process.
func (c *command) settled(ctx context.Context, err error, format string, args ...any) int {
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		return terminated
	}
	return c.fail(1, format+": %v", append(args, err)...)
}
