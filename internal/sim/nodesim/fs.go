package nodesim

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// disk is a node's file system: files and directories by absolute path. What lies
// under a volatile directory does not survive a boot. Below a mount point the mounted
// volume's files stand in their place (cmd_mount_tree.go).
type disk struct {
	mu     sync.Mutex
	files  map[string]*inode
	full   bool
	since  time.Time
	mounts []*mounted // in the order in which they were mounted
	// made is asked for files that the kernel makes up on the spot; set once, before use,
	// and called without the lock.
	made func(p string) (data []byte, there bool)
	// booted is told of every boot, with the lock held; set once, before use.
	booted func()
}

type inode struct {
	dir  bool
	mode uint32
	data []byte
	mod  time.Time
	dev  devNumber // a block device's number; zero = none
	link string    // what a symbolic link says, for readlink and ls; it is not followed
}

var (
	standing = []string{"/", "/bin", "/etc", "/etc/network", "/etc/systemd", "/etc/systemd/system", "/etc/network/interfaces.d", "/home", "/opt", "/root", "/usr", "/usr/bin", "/usr/sbin", "/sbin", "/var", "/var/lib", "/var/log", "/dev"}
	volatile = []string{"/run", "/tmp", "/proc"}
)

func newDisk() *disk { return &disk{files: map[string]*inode{}} }

// reboot empties what is volatile and fills in what a fresh kernel shows.
func (d *disk) reboot(bootID, hostname string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.since = time.Now()
	d.mounts = nil
	for p := range d.files {
		if slices.ContainsFunc(volatile, func(v string) bool { return p == v || strings.HasPrefix(p, v+"/") }) {
			delete(d.files, p)
		}
	}
	for _, p := range append(append([]string{}, standing...), append(volatile, "/run/lock", "/run/systemd", "/run/systemd/system", "/proc/sys/kernel/random", "/proc/sys/kernel", "/proc/sys")...) {
		d.files[p] = &inode{dir: true, mode: 0o755, mod: d.since}
	}
	for p, text := range map[string]string{
		"/proc/sys/kernel/random/boot_id": bootID + "\n",
		"/proc/loadavg":                   "0.00 0.01 0.05 1/100 1234\n",
		"/etc/hostname":                   hostname + "\n",
		"/etc/os-release":                 "ID=ferry-sim\nPRETTY_NAME=\"simulated node\"\n",
	} {
		d.files[p] = &inode{mode: 0o644, data: []byte(text), mod: d.since}
	}
	for p, text := range prepared(hostname) {
		if d.files[p] != nil && !strings.HasPrefix(p, "/proc/") {
			continue
		}
		for dir := path.Dir(p); d.files[dir] == nil; dir = path.Dir(dir) {
			d.files[dir] = &inode{dir: true, mode: 0o755, mod: d.since}
		}
		d.files[p] = &inode{mode: 0o644, data: []byte(text), mod: d.since}
	}
	d.bootModules()
	if d.booted != nil {
		d.booted()
	}
}

func (d *disk) setFull(full bool) {
	d.mu.Lock()
	d.full = full
	d.mu.Unlock()
}

func pathError(op, p string, err error) error { return &os.PathError{Op: op, Path: p, Err: err} }

// get finds a file; /proc/uptime is made up on the spot. d.mu must be held.
func (d *disk) get(p string) *inode {
	if p == "/proc/uptime" {
		up := time.Since(d.since)
		return &inode{mode: 0o444, data: []byte(formatUptime(up)), mod: d.since}
	}
	t, p := d.at(p)
	defer t.lock()()
	return t.files[p].copy()
}

// makeUp finds a file that has no place anywhere: what the kernel says at this moment.
func (d *disk) makeUp(p string) *inode {
	if d.made == nil {
		return nil
	}
	data, there := d.made(path.Clean(p))
	if !there {
		return nil
	}
	return &inode{mode: 0o444, data: data, dir: data == nil}
}

func (d *disk) read(p string) ([]byte, error) {
	f := d.makeUp(p)
	if f == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		f = d.get(p)
	}
	switch {
	case f == nil:
		return nil, pathError("open", p, syscall.ENOENT)
	case f.dir:
		return nil, pathError("read", p, syscall.EISDIR)
	}
	return slices.Clone(f.data), nil
}

// put writes a whole file and makes its directories.
func (d *disk) put(p string, data []byte, mode uint32) error {
	if err := d.mkdir(path.Dir(path.Clean(p)), true); err != nil {
		return err
	}
	if err := d.create(p, mode, true); err != nil {
		return err
	}
	if err := d.add(p, data); err != nil {
		return err
	}
	return d.chmod(p, mode)
}

// create makes an empty file, or empties one.
func (d *disk) create(p string, mode uint32, truncate bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	full := d.full && !strings.HasPrefix(path.Clean(p), "/run/")
	t, p := d.at(p)
	defer t.lock()()
	dir, f := t.files[path.Dir(p)], t.files[p]
	switch {
	case t.readOnly:
		return pathError("open", p, syscall.EROFS)
	case dir == nil:
		return pathError("open", p, syscall.ENOENT)
	case !dir.dir:
		return pathError("open", p, syscall.ENOTDIR)
	case f != nil && f.dir:
		return pathError("open", p, syscall.EISDIR)
	case (full || t.full) && f == nil:
		return pathError("write", p, syscall.ENOSPC)
	case full:
		return pathError("write", p, syscall.ENOSPC)
	case f == nil:
		f = &inode{mode: mode}
		t.files[p] = f
	case truncate:
		f.data = nil
	}
	f.mod = time.Now()
	return nil
}

func (d *disk) add(p string, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	full := d.full && !strings.HasPrefix(path.Clean(p), "/run/")
	t, p := d.at(p)
	defer t.lock()()
	f := t.files[p]
	switch {
	case f == nil || f.dir:
		return pathError("write", p, syscall.ENOENT)
	case t.readOnly:
		return pathError("write", p, syscall.EROFS)
	case (full || t.full) && len(data) > 0:
		return pathError("write", p, syscall.ENOSPC)
	}
	f.data, f.mod = append(f.data, data...), time.Now()
	return nil
}

func (d *disk) chmod(p string, mode uint32) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, p := d.at(p)
	defer t.lock()()
	f := t.files[p]
	if f == nil {
		return pathError("chmod", p, syscall.ENOENT)
	}
	if t.readOnly {
		return pathError("chmod", p, syscall.EROFS)
	}
	f.mode = mode
	return nil
}

func (d *disk) mkdir(p string, parents bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	full := d.full && !strings.HasPrefix(path.Clean(p), "/run/")
	t, p := d.at(p)
	defer t.lock()()
	if f := t.files[p]; f != nil {
		if f.dir && parents {
			return nil
		}
		return pathError("mkdir", p, syscall.EEXIST)
	}
	var missing []string
	for q := p; t.files[q] == nil; q = path.Dir(q) {
		missing = append(missing, q)
	}
	top := t.files[path.Dir(missing[len(missing)-1])]
	switch {
	case t.readOnly:
		return pathError("mkdir", p, syscall.EROFS)
	case !top.dir:
		return pathError("mkdir", p, syscall.ENOTDIR)
	case len(missing) > 1 && !parents:
		return pathError("mkdir", p, syscall.ENOENT)
	case full || t.full:
		return pathError("mkdir", p, syscall.ENOSPC)
	}
	for _, q := range missing {
		t.files[q] = &inode{dir: true, mode: 0o755, mod: time.Now()}
	}
	return nil
}

// remove takes a file away; a directory only when all is set, with what is in it.
func (d *disk) remove(p string, all bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mountedBelow(path.Clean(p)) {
		return pathError("remove", p, syscall.EBUSY)
	}
	t, p := d.at(p)
	defer t.lock()()
	f := t.files[p]
	switch {
	case f == nil:
		return pathError("remove", p, syscall.ENOENT)
	case t.readOnly:
		return pathError("remove", p, syscall.EROFS)
	case f.dir && !all:
		return pathError("remove", p, syscall.EISDIR)
	}
	for q := range t.files {
		if q == p || strings.HasPrefix(q, p+"/") {
			delete(t.files, q)
		}
	}
	return nil
}

// rename moves a file or a directory over what is there.
func (d *disk) rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	src, from := d.at(from)
	dst, to := d.at(to)
	if from == "/" || d.mountedBelow(from) {
		return pathError("rename", from, syscall.EBUSY)
	}
	unlock := src.lock()
	moved, err := src.cut(from)
	unlock()
	if err != nil {
		return err
	}
	defer dst.lock()()
	name := path.Base(from)
	if t := dst.files[to]; t != nil && t.dir {
		to = path.Join(to, name)
	}
	if dst.readOnly || dst.files[path.Dir(to)] == nil {
		src.paste(from, moved)
		return pathError("rename", to, syscall.ENOENT)
	}
	dst.paste(to, moved)
	return nil
}

// list returns the names in a directory, sorted.
func (d *disk) list(p string) ([]fs.FileInfo, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, p := d.at(p)
	defer t.lock()()
	switch f := t.files[p]; {
	case f == nil:
		return nil, pathError("open", p, syscall.ENOENT)
	case !f.dir:
		return nil, pathError("readdirent", p, syscall.ENOTDIR) // a pattern's last part asks so whether it is there
	}
	var out []fs.FileInfo
	for q, f := range t.files {
		if q != "/" && path.Dir(q) == p {
			out = append(out, info{path.Base(q), *f})
		}
	}
	slices.SortFunc(out, func(a, b fs.FileInfo) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

func (d *disk) stat(p string) (fs.FileInfo, error) {
	f := d.makeUp(p)
	if f == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		f = d.get(p)
	}
	if f == nil {
		return nil, pathError("stat", p, syscall.ENOENT)
	}
	return info{path.Base(path.Clean(p)), *f}, nil
}

// info is a file's fs.FileInfo.
type info struct {
	name string
	inode
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return int64(len(i.data)) }
func (i info) ModTime() time.Time { return i.mod }
func (i info) IsDir() bool        { return i.dir }
func (i info) Sys() any           { return nil }
func (i info) Mode() fs.FileMode {
	m := fs.FileMode(i.mode & 0o777)
	if i.dir {
		m |= fs.ModeDir
	}
	if i.dev != (devNumber{}) {
		m |= fs.ModeDevice
	}
	return m
}

// appender writes to a file of the disk, as a redirection does.
type appender struct {
	d *disk
	p string
}

func (appender) Read([]byte) (int, error) { return 0, io.EOF }
func (appender) Close() error             { return nil }
func (a appender) Write(b []byte) (int, error) {
	if err := a.d.add(a.p, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// asFile makes an *os.File that reads the data: what the interpreter wants for
// standard input, without a goroutine that would wait on the machine's pipes.
func asFile(data []byte) (*os.File, error) {
	if len(data) <= pipeRoom {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		_, err = w.Write(data)
		_ = w.Close()
		return r, err
	}
	f, err := os.CreateTemp("", "ferry-sim-")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name())
	if _, err = io.Copy(f, bytes.NewReader(data)); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	return f, err
}

// pipeRoom is what every system's pipe takes without a reader.
const pipeRoom = 4096
