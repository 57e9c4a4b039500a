package nodesim

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// devNumber is a block device's number.
type devNumber struct{ major, minor int }

func (n devNumber) String() string { return strconv.Itoa(n.major) + ":" + strconv.Itoa(n.minor) }

// volume is what is on a disk: a file system with its files. It survives a power-off. Two
// devices may share one (a mirror and its leg), and so may two nodes' while their legs are in step.
type volume struct {
	mu     sync.Mutex // of the files; the last lock to be taken
	fsType string     // empty = nothing that anybody knows
	uuid   string
	files  map[string]*inode // by path, the root is "/"
	used   int               // percent, as a fault says; 0 = by what is in it
	dirty  bool              // mounted, or not unmounted in good order: a journal is to be replayed
	errors int               // errors that the file system's superblock has recorded
}

// newVolume makes one with an empty file system of that type.
func newVolume(fsType string) *volume {
	return &volume{fsType: fsType, uuid: newBootID(), files: map[string]*inode{"/": {dir: true, mode: 0o755, mod: time.Now()}}}
}

// clone is a copy that goes its own way from now on.
func (v *volume) clone() *volume {
	v.mu.Lock()
	defer v.mu.Unlock()
	c := &volume{fsType: v.fsType, uuid: v.uuid, used: v.used, dirty: v.dirty, errors: v.errors, files: map[string]*inode{}}
	for p, f := range v.files {
		c.files[p] = f.copy()
	}
	return c
}

// isFull tells that nothing can be added.
func (v *volume) isFull() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.used >= 100
}

// blockDev is a disk of a node, or what another kind of device makes look like one.
type blockDev struct {
	name     string   // the kernel's: "vdb", "md127"; /dev/ + name is made for it
	links    []string // further paths of it: "/dev/md/ferry-data"
	size     int64    // bytes
	volume   *volume
	volatile bool // gone after a boot, until somebody adds it again

	// The following are asked at each use, without any lock of this file held. They may be nil: a plain disk.
	writable func() bool              // false: "Read-only file system" for whoever wants to write to it
	frozen   func() <-chan struct{}   // nil: it answers; else closed when it answers again
	sysfs    func() map[string]string // files below /sys/dev/block/MAJ:MIN/: "md/array_state" → "active\n"

	number devNumber // given by add
	owner  string    // who has it exclusively, beside a mount: "md127"
	dying  bool      // unmounted, but not yet written out
	fault  diskFault
}

// diskFault is what a test does to a disk.
type diskFault struct {
	frozen   chan struct{} // non-nil: closed by ThawDisk
	broken   bool          // input/output errors
	readOnly bool
}

// diskTable is a node's block devices. The node's disk's mu guards what is in it.
type diskTable struct {
	fs     *disk
	devs   map[string]*blockDev // by name
	minors map[int]int          // how many minors of a major were given
	procs  map[int]*simProcess  // those that hold files, by pid
	nextID int                  // of the next mount
}

func newDisks(d *disk) *diskTable {
	t := &diskTable{fs: d, devs: map[string]*blockDev{}, minors: map[int]int{}, procs: map[int]*simProcess{}, nextID: 40}
	d.made, d.booted = t.made, t.booted
	return t
}

// The majors that names get: what the kernels of our days use.
func majorOf(name string) int {
	switch {
	case len(name) > 2 && name[:2] == "md":
		return 9
	case len(name) > 3 && name[:3] == "nbd":
		return 43
	}
	return 254
}

// add puts a device on the node: from now on its paths are there. A device of that name
// must not be there; its volume may be shared, and is a blank one when left out.
func (t *diskTable) add(d *blockDev) error {
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	if t.devs[d.name] != nil {
		return fmt.Errorf("%s: %w", d.name, syscall.EEXIST)
	}
	if d.volume == nil {
		d.volume = newVolume("")
	}
	major := majorOf(d.name)
	d.number = devNumber{major, t.minors[major] * 16}
	t.minors[major]++
	if t.minors[major] > 1<<15 {
		t.minors[major] = 0
	}
	t.devs[d.name] = d
	for _, p := range d.paths() {
		t.node(p, d.number)
	}
	return nil
}

func (t *diskTable) node(p string, number devNumber) {
	for dir := path.Dir(p); t.fs.files[dir] == nil; dir = path.Dir(dir) {
		t.fs.files[dir] = &inode{dir: true, mode: 0o755, mod: time.Now()}
	}
	t.fs.files[p] = &inode{mode: 0o660, mod: time.Now(), dev: number}
}

func (d *blockDev) paths() []string { return append([]string{"/dev/" + d.name}, d.links...) }

// remove takes a device off the node. One that is mounted or owned is busy (EBUSY).
func (t *diskTable) remove(name string) error {
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	d := t.devs[name]
	switch {
	case d == nil:
		return fmt.Errorf("%s: %w", name, syscall.ENODEV)
	case t.inUse(d):
		return fmt.Errorf("%s: %w", name, syscall.EBUSY)
	}
	t.drop(d)
	return nil
}

func (t *diskTable) drop(d *blockDev) {
	delete(t.devs, d.name)
	for _, p := range d.paths() {
		delete(t.fs.files, p)
	}
}

// booted forgets what does not survive a boot. t.fs.mu must be held.
func (t *diskTable) booted() {
	clear(t.procs)
	for _, d := range t.devs {
		d.owner, d.dying = "", false
		if d.volatile {
			t.drop(d)
		}
	}
}

func (t *diskTable) inUse(d *blockDev) bool {
	return d.owner != "" || slices.ContainsFunc(t.fs.mounts, func(m *mounted) bool { return m.dev == d })
}

// find is the device with that name or path; nil when there is none.
func (t *diskTable) find(p string) *blockDev {
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	return t.findLocked(p)
}

func (t *diskTable) findLocked(p string) *blockDev {
	for _, d := range t.devs {
		if d.name == p || slices.Contains(d.paths(), p) {
			return d
		}
	}
	return nil
}

// claim takes a device exclusively, as an array does with its legs; EBUSY when it is
// mounted or claimed by another. An empty owner gives it back.
func (t *diskTable) claim(name, owner string) error {
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	d := t.devs[name]
	switch {
	case d == nil:
		return fmt.Errorf("%s: %w", name, syscall.ENODEV)
	case owner != "" && d.owner != owner && t.inUse(d):
		return fmt.Errorf("%s: %w", name, syscall.EBUSY)
	}
	d.owner = owner
	return nil
}

// sameVolume moves a mounted device to another volume with the same files: what a mirror
// does when a leg goes its own way. The mount follows.
func (t *diskTable) sameVolume(name string, v *volume) {
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	d := t.devs[name]
	if d == nil {
		return
	}
	d.volume = v
	for _, m := range t.fs.mounts {
		if m.dev == d {
			m.volume = v
		}
	}
}

// errInput is what a broken disk answers.
var errInput = errors.New("Input/output error")

// settle waits until what a disk is asked for is really on it: at once, or when it thaws. It
// fails when ctx ends first, and with what the disk says when it does not work.
func (t *diskTable) settle(ctx context.Context, d *blockDev, write bool) error {
	for {
		thaw, fault := t.state(d)
		switch {
		case fault.broken:
			return errInput
		case write && (fault.readOnly || d.writable != nil && !d.writable()):
			return errors.New("Read-only file system")
		case thaw == nil:
			return ctx.Err()
		}
		select {
		case <-thaw:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// state is a disk's fault, and what is closed when it answers again; nil when it answers.
func (t *diskTable) state(d *blockDev) (thaw <-chan struct{}, f diskFault) {
	t.fs.mu.Lock()
	f = d.fault
	t.fs.mu.Unlock()
	if f.frozen != nil {
		return f.frozen, f
	}
	if d.frozen != nil {
		thaw = d.frozen()
	}
	return thaw, f
}

// settlePath is settle for the disk that a file is on, as fsync would: a commit's cost. Files
// of the root file system are always on it.
func (t *diskTable) settlePath(ctx context.Context, p string, write bool) error {
	t.fs.mu.Lock()
	m := t.fs.mountOf(path.Clean(p))
	broken := m != nil && (m.broken || m.ro)
	t.fs.mu.Unlock()
	switch {
	case m == nil || m.dev == nil:
		return ctx.Err()
	case write && broken:
		return errors.New("Read-only file system")
	}
	return t.settle(ctx, m.dev, write)
}
