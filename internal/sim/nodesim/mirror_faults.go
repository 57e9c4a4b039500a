package nodesim

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// SetMirrorSpeed is how fast the disks of mirrors are copied from now on, in bytes a second; 200 MiB unless it is set.
func (w *World) SetMirrorSpeed(bytes int64) {
	w.mirrors.sync()
	w.mirrors.mu.Lock()
	defer w.mirrors.mu.Unlock()
	w.mirrors.speed = max(bytes, 1)
}

// KillMirrorServer ends the process that serves the node's leg of a mirror ("service-data"); an error when none does.
func (n *Node) KillMirrorServer(slug string) error {
	m := n.world.mirrors
	m.sync()
	defer m.sync()
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.leg(n, slug)
	if l == nil || !l.server.lives() {
		return fmt.Errorf("%s serves no leg of %s", n.name, slug)
	}
	l.server.dead = true
	return nil
}

// MirrorState is what a node's kernel has of a mirror.
type MirrorState struct {
	// Source: the array runs here. Frozen: its writes wait. Errors: it answers with errors.
	Source, Frozen, Errors bool
	// Served: the leg is served to another node.
	Served bool
	// InSync are the other nodes whose legs the array calls in sync, Copying those it copies to, Faulty those it has given up.
	InSync, Copying, Faulty []string
}

// Mirror tells what a node's kernel has of a mirror ("service-data").
func (n *Node) Mirror(slug string) MirrorState {
	m := n.world.mirrors
	m.sync()
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.leg(n, slug)
	if l == nil || !n.Powered() {
		return MirrorState{}
	}
	s := MirrorState{Served: l.server.lives(), Source: l.array != nil}
	if l.array == nil {
		return s
	}
	s.Frozen, s.Errors = l.array.thaw != nil, l.array.errors
	for _, c := range l.array.orderly() {
		switch {
		case c.member == nil:
		case c.member.faulty:
			s.Faulty = append(s.Faulty, c.to)
		case c.member.inSync:
			s.InSync = append(s.InSync, c.to)
		default:
			s.Copying = append(s.Copying, c.to)
		}
	}
	return s
}

// MirrorDiffers compares two nodes' disks block by block and names the files that differ.
func (w *World) MirrorDiffers(a, diskA, b, diskB string) ([]string, error) {
	w.mirrors.sync()
	var both [2]content
	for i, d := range [][2]string{{a, diskA}, {b, diskB}} {
		n := w.Node(d[0])
		if n == nil {
			return nil, fmt.Errorf("there is no node %s", d[0])
		}
		dev := n.disks.find(d[1])
		if dev == nil {
			return nil, fmt.Errorf("%s has no disk %s", d[0], d[1])
		}
		both[i] = contentOf(dev.volume)
	}
	return differing(both[0], both[1]), nil
}

// HasDisk tells whether the node has a disk of that name.
func (n *Node) HasDisk(name string) bool { return n.disks.find(name) != nil }

// PostgresFiles are the files of a new database cluster in a directory, by path: what initdb makes.
func PostgresFiles(dir, version string, port int) map[string]string {
	major, _, _ := strings.Cut(version, ".")
	out := map[string]string{}
	for name, text := range map[string]string{
		"PG_VERSION": major + "\n", "postgresql.conf": fmt.Sprintf("port = %d\n", port), PostgresRows: "",
		"global/pg_control": pgShutDown + "\n", "pg_wal/000000010000000000000001": "",
	} {
		out[path.Join("/", dir, name)] = text
	}
	return out
}

// FillDiskFiles puts files on a disk that nobody uses, by their path within it.
func (n *Node) FillDiskFiles(disk string, files map[string]string) error {
	d := n.disks.find(disk)
	if d == nil {
		return fmt.Errorf("%s has no disk %s", n.name, disk)
	}
	if n.disks.inUse(d) {
		return fmt.Errorf("%s of %s is in use", disk, n.name)
	}
	d.volume.mu.Lock()
	defer d.volume.mu.Unlock()
	for _, p := range slices.Sorted(maps.Keys(files)) {
		d.volume.put(p, files[p])
	}
	return nil
}

// RotDisk changes what is on a disk beneath everything that uses it, as a failing disk does that does not say so.
func (n *Node) RotDisk(disk, file, text string) error {
	d := n.disks.find(disk)
	if d == nil {
		return fmt.Errorf("%s has no disk %s", n.name, disk)
	}
	d.volume.mu.Lock()
	defer d.volume.mu.Unlock()
	d.volume.put(file, text)
	return nil
}
