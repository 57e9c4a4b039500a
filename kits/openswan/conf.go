package openswan

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// file is one configuration file as it lies on a node.
type file struct{ path, text string }

// place is where something was written.
type place struct {
	file string
	line int
}

func (p place) String() string { return fmt.Sprintf("%s, line %d", p.file, p.line) }

// errorf makes an error that names the place.
func (p place) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %s", p, fmt.Sprintf(format, args...))
}

// value is a parameter's value and where it stands.
type value struct {
	text string
	at   place
}

// section is one "conn" section.
type section struct {
	name   string
	at     place
	params map[string]value
	also   []value
}

// conf is what all files together say, sections in the order found.
type conf struct{ conns []*section }

// limits of what is read: far above any real configuration, and small enough for a node that sends megabytes.
const (
	maxFiles    = 200
	maxLines    = 20000
	maxSections = 2000
)

// parseConf reads the files; the first is the one that includes the others.
func parseConf(files []file) (*conf, error) {
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no ipsec.conf")
	}
	if len(files) > maxFiles {
		return nil, fmt.Errorf("%s and its includes are more than %d files", files[0].path, maxFiles)
	}
	p := &confParser{have: map[string]file{}, done: map[string]bool{}}
	for _, f := range files {
		f.path = path.Clean(f.path)
		p.have[f.path] = f
	}
	if err := p.file(p.have[path.Clean(files[0].path)]); err != nil {
		return nil, err
	}
	// What nobody includes is not read, also when the node sent it.
	for i := 0; i < len(p.includes); i++ {
		if err := p.include(p.includes[i]); err != nil {
			return nil, err
		}
	}
	return &p.conf, nil
}

// include reads the files that an include names. A file counts once, and a pattern may match none.
func (p *confParser) include(inc value) error {
	if strings.ContainsAny(inc.text, "[?\\") {
		return inc.at.errorf("include %.80s: of the patterns only * is supported", inc.text)
	}
	if !strings.Contains(inc.text, "*") {
		f, ok := p.have[inc.text]
		if !ok {
			return inc.at.errorf("the included file %.80s cannot be read; correct the include", inc.text)
		}
		return p.file(f)
	}
	for _, name := range slices.Sorted(maps.Keys(p.have)) {
		if ok, _ := path.Match(inc.text, name); ok {
			if err := p.file(p.have[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

// blanks separate words; the many other spaces of Unicode are part of a word to the daemons.
const blanks = " \t"

func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(blanks, r) })
}

type confParser struct {
	conf     conf
	have     map[string]file
	done     map[string]bool
	includes []value
	lines    int
	// The section being read; inside tells whether there is one, cur is nil for those that are passed over.
	inside bool
	cur    *section
}

func (p *confParser) file(f file) error {
	if p.done[f.path] {
		return nil
	}
	p.done[f.path] = true
	p.inside, p.cur = false, nil
	n := 0
	for line := range strings.SplitSeq(f.text, "\n") {
		n++
		if p.lines++; p.lines > maxLines {
			return place{f.path, n}.errorf("more than %d lines of configuration", maxLines)
		}
		if err := p.line(strings.TrimSuffix(line, "\r"), place{f.path, n}); err != nil {
			return err
		}
	}
	return nil
}

func (p *confParser) line(line string, at place) error {
	text := strings.Trim(line, blanks)
	if text == "" || text[0] == '#' {
		return nil
	}
	text, err := uncomment(text, at)
	if err != nil {
		return err
	}
	if line[0] == ' ' || line[0] == '\t' {
		return p.parameter(text, at)
	}
	return p.heading(text, at)
}

// uncomment takes a comment off the end and refuses characters that no configuration holds.
func uncomment(text string, at place) (string, error) {
	quoted := false
	for i, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case r == '#' && !quoted && (text[i-1] == ' ' || text[i-1] == '\t'):
			return strings.TrimRight(text[:i], blanks), nil
		case r == utf8.RuneError || unicode.IsControl(r) && r != '\t' || unicode.Is(unicode.Cf, r):
			return "", at.errorf("a control character or bytes that are not UTF-8; write plain text")
		}
	}
	if quoted {
		return "", at.errorf("a quotation mark is not closed")
	}
	return text, nil
}

// heading takes in a line at the margin: it begins a section or includes a file.
func (p *confParser) heading(text string, at place) error {
	f := words(text)
	switch {
	case f[0] == "version" && len(f) == 2:
		p.inside, p.cur = false, nil
	case f[0] == "config" && len(f) == 2 && f[1] == "setup", f[0] == "ca" && len(f) == 2:
		p.inside, p.cur = true, nil
	case f[0] == "include" && len(f) == 2:
		p.inside, p.cur = false, nil
		p.includes = append(p.includes, value{absolute(f[1], at.file), at})
	case f[0] == "conn" && len(f) == 2:
		if len(p.conf.conns) == maxSections {
			return at.errorf("more than %d connections", maxSections)
		}
		p.inside, p.cur = true, &section{name: unquote(f[1]), at: at, params: map[string]value{}}
		if p.cur.name == "" {
			return at.errorf("the connection has no name")
		}
		p.conf.conns = append(p.conf.conns, p.cur)
	case strings.Contains(f[0], "="):
		return at.errorf("a parameter stands at the margin; indent it below its section")
	default:
		return at.errorf("%.60q is not known; a section is \"conn NAME\", \"config setup\" or \"ca NAME\"", text)
	}
	return nil
}

// absolute is an include's path; one that is not absolute counts from the including file.
func absolute(p, from string) string {
	p = unquote(p)
	if !path.IsAbs(p) {
		p = path.Dir(from) + "/" + p
	}
	return path.Clean(p)
}

// parameter takes in an indented line.
func (p *confParser) parameter(text string, at place) error {
	key, val, ok := strings.Cut(text, "=")
	key, val = strings.ToLower(strings.Trim(key, blanks)), strings.Trim(val, blanks)
	switch {
	case !ok || !isKey(key):
		return at.errorf("%.60q is not \"name=value\"", text)
	case !p.inside:
		return at.errorf("the parameter %s belongs to no section", key)
	case p.cur == nil:
		return nil // config setup and ca say nothing about connections
	}
	v := value{unquote(val), at}
	if strings.Contains(v.text, `"`) {
		return at.errorf("quotation marks in the midst of the value of %s", key)
	}
	if key == "also" {
		p.cur.also = append(p.cur.also, v)
		return nil
	}
	if was, twice := p.cur.params[key]; twice && was.text != v.text {
		return at.errorf("%s of conn %s is already set to something else in line %d of %s", key, p.cur.name, was.at.line, was.at.file)
	}
	p.cur.params[key] = v
	return nil
}

func isKey(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			return false
		}
	}
	return s != ""
}

// unquote takes off the double quotes around a whole value.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' && !strings.Contains(s[1:len(s)-1], `"`) {
		return s[1 : len(s)-1]
	}
	return s
}
