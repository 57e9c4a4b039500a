package listener

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"unicode"
)

// node is one "NAME = value" of listener.ora: either a text or a list of further ones.
type node struct {
	name string // in upper case
	text string
	list []node
	line int
}

// limits of what is read: far above any real configuration, and small enough for one that was made to hurt.
const (
	maxFile  = 256 << 10
	maxDepth = 32
	maxNodes = 20000
	maxFiles = 10
)

// parseOra reads a file of Oracle Net's parameters. Errors name the file and the line.
func parseOra(file, text string) ([]node, error) {
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d bytes", file, maxFile)
	}
	p := &oraParser{file: file, text: text, line: 1}
	var out []node
	for {
		p.blank()
		if p.pos == len(p.text) {
			return out, nil
		}
		n, err := p.parameter(0)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
}

type oraParser struct {
	file, text string
	pos, line  int
	nodes      int
}

func (p *oraParser) errorf(format string, args ...any) error {
	return fmt.Errorf("%s, line %d: %s", p.file, p.line, fmt.Sprintf(format, args...))
}

// peek gives the next byte; 0 at the end.
func (p *oraParser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

// blank passes over white space and comments.
func (p *oraParser) blank() {
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == '\n':
			p.line++
			p.pos++
		case c == ' ' || c == '\t' || c == '\r':
			p.pos++
		case c == '#':
			for p.pos < len(p.text) && p.text[p.pos] != '\n' {
				p.pos++
			}
		default:
			return
		}
	}
}

// parameter reads "NAME = value".
func (p *oraParser) parameter(depth int) (node, error) {
	if p.nodes++; p.nodes > maxNodes {
		return node{}, p.errorf("more than %d parameters", maxNodes)
	}
	n := node{line: p.line}
	name, err := p.word("=")
	if err != nil {
		return n, err
	}
	if n.name = strings.ToUpper(name); n.name == "" {
		return n, p.errorf("a parameter's name is missing before %.20q", p.rest())
	}
	p.blank()
	if p.peek() != '=' {
		return n, p.errorf("%.40q is not followed by =", name)
	}
	p.pos++
	p.blank()
	if p.peek() == '(' {
		n.list, err = p.lists(depth + 1)
		return n, err
	}
	n.text, err = p.word(",")
	return n, err
}

// lists reads "(…)(…)": parameters, or plain words, which have no name.
func (p *oraParser) lists(depth int) ([]node, error) {
	if depth > maxDepth {
		return nil, p.errorf("parentheses are more than %d deep", maxDepth)
	}
	var out []node
	for {
		p.blank()
		if p.peek() != '(' {
			return out, nil
		}
		open := p.line
		p.pos++
		p.blank()
		in, err := p.inside(depth)
		if err != nil {
			return nil, err
		}
		out = append(out, in...)
		p.blank()
		if p.peek() != ')' {
			if p.pos == len(p.text) {
				return nil, p.errorf("the parenthesis of line %d is not closed", open)
			}
			return nil, p.errorf("%.20q where a parenthesis was to be closed", p.rest())
		}
		p.pos++
	}
}

// inside reads one pair of parentheses: "NAME = value", further parentheses, or words between commas.
func (p *oraParser) inside(depth int) ([]node, error) {
	if p.peek() == '(' {
		return p.lists(depth + 1)
	}
	start, line := p.pos, p.line
	if _, err := p.word("=,"); err != nil {
		return nil, err
	}
	p.blank()
	if p.peek() == '=' {
		p.pos, p.line = start, line
		n, err := p.parameter(depth)
		return []node{n}, err
	}
	p.pos, p.line = start, line
	var out []node
	for {
		p.blank()
		w, err := p.word("=,")
		if err != nil {
			return nil, err
		}
		if p.nodes++; p.nodes > maxNodes {
			return nil, p.errorf("more than %d parameters", maxNodes)
		}
		out = append(out, node{text: w, line: p.line})
		if p.blank(); p.peek() != ',' {
			return out, nil
		}
		p.pos++
	}
}

// word reads up to white space, a parenthesis, a comment or one of the bytes in stop; or what stands between quotes.
// A backslash takes the next byte as it is.
func (p *oraParser) word(stop string) (string, error) {
	if q := p.peek(); q == '"' || q == '\'' {
		return p.quoted(q)
	}
	var b strings.Builder
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '(' || c == ')' || c == '#' || strings.IndexByte(stop, c) >= 0 {
			break
		}
		if c == '\\' && p.pos+1 < len(p.text) && p.text[p.pos+1] > ' ' {
			p.pos++
			c = p.text[p.pos]
		}
		b.WriteByte(c)
		p.pos++
	}
	return b.String(), p.printable(b.String())
}

func (p *oraParser) quoted(q byte) (string, error) {
	end := strings.IndexByte(p.text[p.pos+1:], q)
	s := ""
	if end >= 0 {
		s = p.text[p.pos+1 : p.pos+1+end]
	}
	if end < 0 || strings.Contains(s, "\n") {
		return "", p.errorf("a quotation mark is not closed")
	}
	p.pos += end + 2
	return s, p.printable(s)
}

func (p *oraParser) printable(s string) error {
	for _, r := range s {
		if r == unicode.ReplacementChar || unicode.IsControl(r) && r != '\t' || unicode.Is(unicode.Cf, r) {
			return p.errorf("a control character or bytes that are not UTF-8; write plain text")
		}
	}
	if len(s) > 4096 {
		return p.errorf("a word is longer than 4096 bytes")
	}
	return nil
}

func (p *oraParser) rest() string { return p.text[p.pos:min(len(p.text), p.pos+40)] }

// Address is one that a listener listens on.
type Address struct {
	// Protocol is TCP, TCPS, IPC, …, in upper case.
	Protocol string
	Host     string // a name or an address; of TCP and TCPS
	Port     int
	Key      string // of IPC
}

// String is how an address is chosen: "tcp:www.example.com:1521" or "ipc:EXTPROC1521".
func (a Address) String() string {
	if a.Protocol == "IPC" {
		return "ipc:" + a.Key
	}
	host := a.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s:%s:%d", strings.ToLower(a.Protocol), host, a.Port)
}

// listening tells whether somebody in the network can connect to it.
func (a Address) listening() bool { return a.Protocol == "TCP" || a.Protocol == "TCPS" }

// File is one file as it lies on a node.
type File struct{ Path, Text string }

// Listeners reads the listeners that listener.ora defines, by their names in upper case, each with its addresses. The
// first file is listener.ora, the others are those that IFILE may name. Later definitions win, as Oracle has it.
func Listeners(files []File) (map[string][]Address, error) {
	if len(files) == 0 || len(files) > maxFiles {
		return nil, fmt.Errorf("there are %d files, not between 1 and %d", len(files), maxFiles)
	}
	have := map[string]string{}
	for _, f := range files {
		have[path.Clean(f.Path)] = f.Text
	}
	out, done := map[string][]Address{}, map[string]bool{}
	return out, include(path.Clean(files[0].Path), have, done, out)
}

func include(file string, have map[string]string, done map[string]bool, out map[string][]Address) error {
	text, ok := have[file]
	if !ok {
		return fmt.Errorf("%s cannot be read", file)
	}
	if done[file] {
		return nil
	}
	done[file] = true
	nodes, err := parseOra(file, text)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if n.name == "IFILE" {
			if err := include(path.Clean(n.text), have, done, out); err != nil {
				return fmt.Errorf("%s, line %d: IFILE: %w", file, n.line, err)
			}
			continue
		}
		var found []Address
		if err := addresses(file, n, &found); err != nil {
			return err
		}
		if len(found) > 0 && !strings.HasPrefix(n.name, "SID_LIST_") {
			out[n.name] = found
		}
	}
	return nil
}

// includes names the files that IFILE asks for in a text.
func includes(file, text string) []string {
	nodes, err := parseOra(file, text)
	if err != nil {
		return nil // said when all are read
	}
	var out []string
	for _, n := range nodes {
		if n.name == "IFILE" && path.IsAbs(n.text) {
			out = append(out, path.Clean(n.text))
		}
	}
	return out
}

// addresses finds every ADDRESS below a parameter, however they are nested.
func addresses(file string, n node, out *[]Address) error {
	if n.name != "ADDRESS" {
		for _, c := range n.list {
			if err := addresses(file, c, out); err != nil {
				return err
			}
		}
		return nil
	}
	a := Address{}
	for _, c := range n.list {
		switch c.name {
		case "PROTOCOL":
			a.Protocol = strings.ToUpper(c.text)
		case "HOST":
			a.Host = c.text
		case "PORT":
			port, err := strconv.Atoi(c.text)
			if err != nil || port < 1 || port > 65535 {
				return fmt.Errorf("%s, line %d: %.20q is no port", file, c.line, c.text)
			}
			a.Port = port
		case "KEY":
			a.Key = c.text
		}
	}
	switch {
	case a.Protocol == "":
		return fmt.Errorf("%s, line %d: an ADDRESS without a PROTOCOL", file, n.line)
	case a.listening() && (a.Host == "" || a.Port == 0):
		return fmt.Errorf("%s, line %d: an ADDRESS of %s needs a HOST and a PORT", file, n.line, a.Protocol)
	}
	*out = append(*out, a)
	return nil
}
