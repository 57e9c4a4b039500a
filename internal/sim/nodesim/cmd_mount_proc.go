package nodesim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// knownTypes are the file systems that the kernel knows, with xfs as a module that is loaded.
var knownTypes = []string{"ext3", "ext2", "ext4", "xfs"}

// made is what the kernel makes up on the spot about disks, file systems and mounts. nil
// data stands for a directory.
func (t *diskTable) made(p string) ([]byte, bool) {
	switch {
	case p == "/proc/self/mountinfo" || p == "/proc/1/mountinfo":
		return []byte(t.mountInfo()), true
	case p == "/proc/filesystems":
		return []byte("nodev\tproc\nnodev\ttmpfs\n\t" + strings.Join(knownTypes, "\n\t") + "\n"), true
	case p == "/proc/swaps":
		return []byte("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"), true
	case p == "/dev/zero", p == "/dev/urandom":
		return make([]byte, 4096), true
	}
	if rest, ok := strings.CutPrefix(p, "/sys/dev/block/"); ok {
		return t.sysBlock(rest)
	}
	if rest, ok := strings.CutPrefix(p, "/sys/fs/"); ok {
		return t.sysFS(rest)
	}
	return nil, false
}

// sysBlock is a file below /sys/dev/block: "254:16/ro".
func (t *diskTable) sysBlock(p string) ([]byte, bool) {
	number, file, _ := strings.Cut(p, "/")
	t.fs.mu.Lock()
	var d *blockDev
	for _, e := range t.devs {
		if e.number.String() == number {
			d = e
		}
	}
	t.fs.mu.Unlock()
	if d == nil {
		return nil, false
	}
	_, fault := t.state(d)
	writable := !fault.readOnly && (d.writable == nil || d.writable())
	switch file {
	case "":
		return nil, true
	case "ro":
		return []byte(map[bool]string{true: "0\n", false: "1\n"}[writable]), true
	case "size":
		return []byte(strconv.FormatInt(d.size/512, 10) + "\n"), true
	case "uevent":
		return fmt.Appendf(nil, "MAJOR=%d\nMINOR=%d\nDEVNAME=%s\nDEVTYPE=disk\n", d.number.major, d.number.minor, d.name), true
	}
	if d.sysfs == nil {
		return nil, false
	}
	text, there := d.sysfs()[file]
	return []byte(text), there
}

// sysFS is a file below /sys/fs: "ext4/vdb" is there as long as the file system is in use.
func (t *diskTable) sysFS(p string) ([]byte, bool) {
	part := strings.Split(p, "/")
	if len(part) < 2 || len(part) > 3 {
		return nil, false
	}
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	d := t.devs[part[1]]
	if d == nil || !d.dying && !slices.ContainsFunc(t.fs.mounts, func(m *mounted) bool { return m.dev == d }) {
		return nil, false
	}
	d.volume.mu.Lock()
	defer d.volume.mu.Unlock()
	switch {
	case d.volume.fsType != part[0]:
		return nil, false
	case len(part) == 2:
		return nil, true
	case part[2] == "errors_count":
		return []byte(strconv.Itoa(d.volume.errors) + "\n"), true
	}
	return nil, false
}

// mountInfo is /proc/self/mountinfo.
func (t *diskTable) mountInfo() string {
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	var b strings.Builder
	b.WriteString("22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p1 rw\n" +
		"23 22 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw\n" +
		"24 22 0:22 / /run rw,nosuid,nodev shared:13 - tmpfs tmpfs rw,size=402304k,mode=755\n")
	for _, m := range t.fs.mounts {
		number, source := "259:1", "/dev/nvme0n1p1"
		if m.dev != nil {
			number, source = m.dev.number.String(), "/dev/"+m.dev.name
		}
		super := "rw"
		if m.broken || m.ro && m.root == "/" {
			super = "ro"
		}
		parent := 22
		for _, p := range t.fs.mounts {
			if p != m && below(m.point, p.point) {
				parent = p.id
			}
		}
		fmt.Fprintf(&b, "%d %d %s %s %s %s shared:%d - %s %s %s\n", m.id, parent, number, mangle(m.root), mangle(m.point),
			strings.Join(append([]string{map[bool]string{true: "ro", false: "rw"}[m.ro]}, m.shown()...), ","), m.id, m.fsType, source, super)
	}
	return b.String()
}

// mangle writes a path as the kernel does in its lists.
func mangle(p string) string {
	return strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`).Replace(p)
}

// shown are the options that belong to the mount and not to the file system.
func (m *mounted) shown() []string {
	out := []string{"relatime"}
	if slices.Contains(m.opts, "noatime") {
		out[0] = "noatime"
	}
	for _, o := range m.opts {
		if o == "nosuid" || o == "nodev" || o == "noexec" {
			out = append(out, o)
		}
	}
	return out
}
