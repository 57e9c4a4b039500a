package filesystem

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// look is what one script found on a node.
type look struct {
	marks  map[string]string // "@word value"; the first of a word that comes more than once
	list   []mark            // all of them, in order
	mounts []mount           // on the point, below it, and of the device elsewhere
	room   room
}

type mark struct{ word, value string }

// room is how much of a file system is in use.
type room struct {
	known                                bool
	block                                uint64 // bytes
	blocks, free, available, files, left uint64
}

// parseLook reads an answer. An error means that it cannot be understood: Unknown.
func parseLook(res kits.Result) (look, error) {
	l := look{marks: map[string]string{}}
	if res.Truncated {
		return l, errors.New("the answer is too long")
	}
	table, ended := false, false
	for line := range strings.Lines(res.Stdout) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case line == "" || ended:
		case strings.HasPrefix(line, "@"):
			word, value, _ := strings.Cut(line[1:], " ")
			table, ended = word == "mounts", word == "end"
			if err := l.mark(word, value); err != nil {
				return l, err
			}
		case table:
			m, err := parseMount(line)
			if err != nil {
				return l, err
			}
			l.mounts = append(l.mounts, m)
		}
	}
	if _, there := l.marks["mounts"]; !there || !ended {
		return l, errors.New("the answer is not complete")
	}
	return l, nil
}

func (l *look) mark(word, value string) error {
	value = kits.OneLine(value, 600)
	if word == "room" {
		r, err := parseRoom(value)
		if err != nil {
			return err
		}
		l.room = r
		return nil
	}
	if _, twice := l.marks[word]; !twice {
		l.marks[word] = value
	}
	if len(l.list) < 1000 {
		l.list = append(l.list, mark{word, value})
	}
	return nil
}

// parseRoom reads "4096 262144 250000 236000 65536 65000": the size of a block, blocks,
// free ones, those that are not kept for root, inodes, free ones.
func parseRoom(s string) (room, error) {
	f := strings.Fields(s)
	if len(f) != 6 {
		return room{}, fmt.Errorf("cannot read the figures %q", kits.OneLine(s, 80))
	}
	var n [6]uint64
	for i := range f {
		v, err := strconv.ParseUint(f[i], 10, 63)
		if err != nil {
			return room{}, fmt.Errorf("cannot read the figures %q", kits.OneLine(s, 80))
		}
		n[i] = v
	}
	r := room{known: true, block: n[0], blocks: n[1], free: n[2], available: n[3], files: n[4], left: n[5]}
	if r.block == 0 || r.blocks == 0 || r.free > r.blocks || r.left > r.files || r.blocks > (1<<62)/r.block {
		return room{}, fmt.Errorf("the figures %q make no sense", kits.OneLine(s, 80))
	}
	return r, nil
}

// used is the share of the blocks in use, in whole percent, of what is not kept for root.
// Rounded down, so that the figure shown is one that has been reached.
func (r room) used() int {
	used := r.blocks - r.free
	return percent(used, used+min(r.available, r.free))
}

// usedFiles is the same of the inodes; 0 where the file system does not count them.
func (r room) usedFiles() int { return percent(r.files-r.left, r.files) }

func percent(part, whole uint64) int {
	if whole == 0 {
		return 0
	}
	for whole > 1<<55 {
		part, whole = part/2, whole/2
	}
	return int(part * 100 / whole)
}

// has tells that a word was said.
func (l look) has(word string) bool { _, there := l.marks[word]; return there }

// all are the values of a word that comes more than once.
func (l look) all(word string) []string {
	var out []string
	for _, m := range l.list {
		if m.word == word {
			out = append(out, m.value)
		}
	}
	return out
}

// top is what is mounted on the point, on top of what else is; nil when nothing is.
func (l look) top(point string) *mount {
	for i := len(l.mounts) - 1; i >= 0; i-- {
		if l.mounts[i].point == point {
			return &l.mounts[i]
		}
	}
	return nil
}

// ours tells that a mount is the whole of our device.
func (l look) ours(m *mount) bool {
	return m != nil && l.marks["number"] != "" && m.number() == l.marks["number"] && m.root == "/"
}

// elsewhere are the other points on which our device is mounted. What is below our own
// point goes with it.
func (l look) elsewhere(point string) []string {
	var out []string
	for _, m := range l.mounts {
		if m.point != point && !strings.HasPrefix(m.point, point+"/") && m.number() == l.marks["number"] {
			out = append(out, m.point)
		}
	}
	return out
}
