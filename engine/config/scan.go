package config

import (
	"sort"
	"strconv"
	"strings"
)

// The TOML decoder tells no positions of keys, so this scanner finds them. It
// expects text that the decoder accepts; on other text it never fails, loops or
// recurses deeply, and what it then finds is good enough for a message.

// maxDepth bounds nesting of values, which the decoder follows by recursion.
const maxDepth = 32

// place is where a key stands.
type place struct {
	offset   int
	explicit bool // named itself, not only as the beginning of a longer key
}

// places finds keys in a text. Array elements count as keys "0", "1", ….
type places struct {
	lines   []int // offset at which each line begins
	at      map[string]place
	tooDeep int // offset of a value nested too deeply; -1
}

func join(path []string) string { return strings.Join(path, "\x00") }

// find gives the offset of a key, or of the nearest thing around it that has one.
func (p *places) find(path []string) int {
	for n := len(path); n > 0; n-- {
		if at, ok := p.at[join(path[:n])]; ok {
			return at.offset
		}
	}
	return 0
}

// lineCol turns an offset into line and column, both from 1.
func (p *places) lineCol(offset int) (line, col int) {
	line = sort.SearchInts(p.lines, offset+1)
	return line, offset - p.lines[line-1] + 1
}

// scanner walks the text once.
type scanner struct {
	*places
	src    string
	i      int
	prefix []string       // of the table that keys now belong to
	count  map[string]int // elements so far of each array of tables
}

// scan finds every key of src.
func scan(src string) *places {
	s := &scanner{src: src, count: map[string]int{}, places: &places{lines: []int{0}, at: map[string]place{}, tooDeep: -1}}
	if strings.HasPrefix(src, "\ufeff") { // a byte order mark, as some editors write
		s.i = len("\ufeff")
	}
	for i := range len(src) {
		if src[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	for s.tooDeep < 0 {
		s.space(true)
		if s.i >= len(s.src) {
			break
		}
		if s.src[s.i] == '[' {
			s.header()
		} else {
			s.keyValue(s.prefix, 0)
		}
		s.restOfLine()
	}
	return s.places
}

// note remembers where a path stands. A place that names the path itself wins over
// one that only mentions it on the way to something deeper.
func (s *scanner) note(path []string, offset int) {
	for n := 1; n <= len(path); n++ {
		k := join(path[:n])
		was, known := s.at[k]
		own := n == len(path)
		if !known || own && !was.explicit {
			s.at[k] = place{offset, own}
		}
	}
}

func (s *scanner) header() {
	start := s.i
	s.i++
	array := s.i < len(s.src) && s.src[s.i] == '['
	if array {
		s.i++
	}
	parts := s.key()
	var path []string
	for k, part := range parts {
		path = append(path, part)
		if n := s.count[join(path)]; n > 0 && (k < len(parts)-1 || !array) {
			path = append(path, strconv.Itoa(n-1))
		}
	}
	if array && len(path) > 0 {
		n := s.count[join(path)]
		s.count[join(path)]++
		path = append(path, strconv.Itoa(n))
	}
	s.prefix = path
	s.note(path, start)
}

func (s *scanner) keyValue(prefix []string, depth int) {
	start := s.i
	parts := s.key()
	if len(parts) == 0 {
		s.i++ // not a key at all
		return
	}
	path := append(append([]string(nil), prefix...), parts...)
	s.note(path, start)
	s.space(false)
	if s.i < len(s.src) && s.src[s.i] == '=' {
		s.i++
		s.space(false)
		s.value(path, depth)
	}
}

// key reads a dotted key.
func (s *scanner) key() []string {
	var parts []string
	for {
		s.space(false)
		if s.i >= len(s.src) {
			return parts
		}
		if c := s.src[s.i]; c == '"' || c == '\'' {
			parts = append(parts, s.str())
		} else {
			from := s.i
			for s.i < len(s.src) && bare(s.src[s.i]) {
				s.i++
			}
			if s.i == from {
				return parts
			}
			parts = append(parts, s.src[from:s.i])
		}
		s.space(false)
		if s.i >= len(s.src) || s.src[s.i] != '.' {
			return parts
		}
		s.i++
	}
}

func bare(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

func (s *scanner) value(path []string, depth int) {
	if s.i >= len(s.src) || s.tooDeep >= 0 {
		return
	}
	if depth > maxDepth {
		s.tooDeep = s.i
		return
	}
	switch s.src[s.i] {
	case '"', '\'':
		s.str()
	case '[':
		s.list(path, depth)
	case '{':
		s.inline(path, depth)
	default:
		for s.i < len(s.src) && !strings.ContainsRune(",]}#\n", rune(s.src[s.i])) {
			s.i++
		}
	}
}

func (s *scanner) list(path []string, depth int) {
	s.i++
	for n := 0; ; n++ {
		s.space(true)
		if s.i >= len(s.src) || s.tooDeep >= 0 {
			return
		}
		if s.src[s.i] == ']' {
			s.i++
			return
		}
		from := s.i
		element := append(append([]string(nil), path...), strconv.Itoa(n))
		s.note(element, s.i)
		s.value(element, depth+1)
		if !s.comma(from) {
			return
		}
	}
}

func (s *scanner) inline(path []string, depth int) {
	s.i++
	for {
		s.space(true)
		if s.i >= len(s.src) || s.tooDeep >= 0 {
			return
		}
		if s.src[s.i] == '}' {
			s.i++
			return
		}
		from := s.i
		s.keyValue(path, depth+1)
		if !s.comma(from) {
			return
		}
	}
}

// comma passes over the comma after an element; false when nothing was read since
// from, which means that the text is not TOML.
func (s *scanner) comma(from int) bool {
	s.space(true)
	if s.i < len(s.src) && s.src[s.i] == ',' {
		s.i++
	}
	return s.i > from
}

// str reads a string of any of the four kinds and gives its text. Of escapes only
// those that may stand in a key matter.
func (s *scanner) str() string {
	q := s.src[s.i : s.i+1]
	if strings.HasPrefix(s.src[s.i:], q+q+q) {
		return s.longStr(q)
	}
	from := s.i
	s.i++
	for s.i < len(s.src) && s.src[s.i] != q[0] && s.src[s.i] != '\n' {
		if q == `"` && s.src[s.i] == '\\' {
			s.i++
		}
		s.i++
	}
	s.i = min(s.i, len(s.src))
	text := s.src[from+1 : s.i]
	if s.i < len(s.src) && s.src[s.i] == q[0] {
		s.i++
	}
	if q == `"` && strings.ContainsRune(text, '\\') {
		if plain, err := strconv.Unquote(`"` + text + `"`); err == nil {
			return plain
		}
	}
	return text
}

func (s *scanner) longStr(q string) string {
	from := s.i + 3
	s.i = from
	for s.i < len(s.src) && !strings.HasPrefix(s.src[s.i:], q+q+q) {
		if q == `"` && s.src[s.i] == '\\' {
			s.i++
		}
		s.i++
	}
	end := min(s.i, len(s.src))
	s.i = min(s.i+3, len(s.src))
	for s.i < len(s.src) && s.src[s.i] == q[0] { // a quote or two may end the text
		s.i++
	}
	return s.src[min(from, end):end]
}

// space passes over blanks and, when asked, over line ends and comments too.
func (s *scanner) space(lines bool) {
	for s.i < len(s.src) {
		switch c := s.src[s.i]; {
		case c == ' ' || c == '\t' || c == '\r':
		case lines && c == '\n':
		case lines && c == '#':
			for s.i < len(s.src) && s.src[s.i] != '\n' {
				s.i++
			}
			continue
		default:
			return
		}
		s.i++
	}
}

func (s *scanner) restOfLine() {
	for s.i < len(s.src) && s.src[s.i] != '\n' {
		s.i++
	}
}
