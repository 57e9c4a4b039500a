package nodesim

import (
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// mounted is one entry of a node's mount table. The node's disk's mu guards it.
type mounted struct {
	id     int
	dev    *blockDev // nil for a bind mount of the root file system
	volume *volume   // the same; what dev held when it was mounted
	root   string    // which directory of it: "/" unless it is a bind mount
	point  string
	fsType string
	opts   []string // as given, without rw, ro and defaults
	ro     bool     // this mount
	broken bool     // the file system went read-only after an error
}

// tree is where a path leads: files by their path within it.
type tree struct {
	files    map[string]*inode
	mu       *sync.Mutex // the volume's; nil for the root file system, which the disk's own guards
	full     bool
	readOnly bool
}

// lock locks a volume's files and returns what unlocks them.
func (t tree) lock() func() {
	if t.mu == nil {
		return func() {}
	}
	t.mu.Lock()
	return t.mu.Unlock
}

// at finds the tree that a path is in, and the path there. d.mu must be held.
func (d *disk) at(p string) (tree, string) {
	p = path.Clean(p)
	m := d.mountOf(p)
	if m == nil {
		return tree{files: d.files}, p
	}
	t := tree{files: d.files, readOnly: m.ro || m.broken}
	if m.volume != nil {
		t.files, t.mu = m.volume.files, &m.volume.mu
		t.full = m.volume.isFull()
	}
	return t, path.Join(m.root, strings.TrimPrefix(p, m.point))
}

// mountOf is the mount that a path is on, the one on top where several are; nil = the root file system.
func (d *disk) mountOf(p string) *mounted {
	var best *mounted
	for _, m := range d.mounts {
		if below(p, m.point) && (best == nil || below(m.point, best.point)) {
			best = m
		}
	}
	return best
}

// below tells that p is dir or in it.
func below(p, dir string) bool {
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}

// mountedBelow tells that something is mounted on p or further down.
func (d *disk) mountedBelow(p string) bool {
	return slices.ContainsFunc(d.mounts, func(m *mounted) bool { return below(m.point, p) })
}

// cut takes a file or a directory with what is in it out of a tree, by the rest of each path.
func (t tree) cut(p string) (map[string]*inode, error) {
	if t.readOnly {
		return nil, pathError("rename", p, syscall.EROFS)
	}
	if t.files[p] == nil {
		return nil, pathError("rename", p, syscall.ENOENT)
	}
	out := map[string]*inode{}
	for q, f := range t.files {
		if below(q, p) {
			out[strings.TrimPrefix(q, p)] = f
			delete(t.files, q)
		}
	}
	return out, nil
}

func (t tree) paste(p string, files map[string]*inode) {
	for rest, f := range files {
		t.files[p+rest] = f
	}
}

// copy is a file's own copy; of nil it is nil.
func (i *inode) copy() *inode {
	if i == nil {
		return nil
	}
	c := *i
	c.data = slices.Clone(i.data)
	return &c
}
