package nodesim

import (
	"bytes"
	"hash/fnv"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// content is what is on a disk at a moment: files by path, and under the empty path what its file system says of itself.
// It shares the files' bytes, which are only ever added to or replaced.
type content map[string]*inode

// contentOf reads a volume.
func contentOf(v *volume) content {
	v.mu.Lock()
	defer v.mu.Unlock()
	c := make(content, len(v.files)+1)
	for p, f := range v.files {
		c[p] = snap(f)
	}
	c[""] = &inode{data: []byte(strings.Join([]string{v.fsType, v.uuid, strconv.Itoa(v.errors), strconv.Itoa(v.used), strconv.FormatBool(v.dirty)}, "\n"))}
	return c
}

func snap(f *inode) *inode {
	g := *f
	g.data = slices.Clip(f.data)
	return &g
}

// same tells that two blocks are equal; nil is one that was never written.
func same(a, b *inode) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.dir == b.dir && a.mode == b.mode && a.link == b.link && bytes.Equal(a.data, b.data)
}

// differing are the paths at which two contents differ, in order.
func differing(a, b content) []string {
	var out []string
	for p, f := range a {
		if !same(f, b[p]) {
			out = append(out, p)
		}
	}
	for p := range b {
		if a[p] == nil {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// writeOver makes a volume what another was, at those paths.
func (v *volume) writeOver(from content, paths []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range paths {
		f := from[p]
		switch {
		case p == "" && f != nil:
			parts := bytes.Split(f.data, []byte("\n"))
			v.fsType, v.uuid = string(parts[0]), string(parts[1])
			v.errors, _ = strconv.Atoi(string(parts[2]))
			v.used, _ = strconv.Atoi(string(parts[3]))
			v.dirty = string(parts[4]) == "true"
		case p == "":
		case f == nil:
			delete(v.files, p)
		default:
			v.files[p] = snap(f)
		}
	}
}

// chunkOf is the chunk that a path stands for, of so many.
func chunkOf(p string, chunks int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(p))
	return int(h.Sum32()) % max(chunks, 1)
}

func (m *mdMeta) chunks() int { return int(max((m.sectors*512+mirrorChunk-1)/mirrorChunk, 1)) }

// note adds to the bitmap what has changed on the disk since it was looked at.
func (m *mdMeta) note(now content) {
	for _, p := range differing(m.seen, now) {
		m.dirty[chunkOf(p, m.chunks())] = true
	}
	m.seen = now
}

// known are those of the paths whose chunks the bitmap holds.
func (m *mdMeta) known(paths []string) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return !m.dirty[chunkOf(p, m.chunks())] })
}

// before are those of the paths that were not written after a moment.
func before(c content, paths []string, when time.Time) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(p string) bool { f := c[p]; return f != nil && f.mod.After(when) })
}

// put writes a file with its directories; mu is held.
func (v *volume) put(p, text string) {
	for dir := path.Dir(p); v.files[dir] == nil; dir = path.Dir(dir) {
		v.files[dir] = &inode{dir: true, mode: 0o755, mod: time.Now()}
	}
	v.files[p] = &inode{mode: 0o644, data: []byte(text), mod: time.Now()}
}
