package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// MaxSize bounds a definition file, in bytes. Ten thousand resources on four
// servers each take about 4 MiB.
const MaxSize = 16 << 20

// LoadFile reads a definition file. See Load.
func LoadFile(path string, reg kits.Registry) (*hierarchy.Estate, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the definition: %w", err)
	}
	defer f.Close()
	return Load(f, path, reg)
}

// Load reads a definition and judges it whole. The estate is in the form of
// hierarchy.Normalize. When anything is wrong with the text the error is *Errors, with
// every problem found, and there is no estate. With a nil registry, kits and their
// fields are taken as written. file is for messages only.
func Load(src io.Reader, file string, reg kits.Registry) (*hierarchy.Estate, error) {
	text, err := io.ReadAll(io.LimitReader(src, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading the definition %s: %w", file, err)
	}
	errs := &Errors{File: file}
	if len(text) > MaxSize {
		errs.Problems = []Problem{{1, 1, fmt.Sprintf("the file is larger than %d MiB", MaxSize>>20), "is it the right file?"}}
		return nil, errs
	}
	r := &reader{places: scan(string(text)), errs: errs, at: map[string]bool{}}
	var root map[string]any
	if !r.parse(string(text), &root) {
		return nil, errs.sorted()
	}
	e := hierarchy.Normalize(r.estate(&table{reader: r, m: root}, reg))
	r.judge(e, reg)
	if len(errs.Problems) > 0 {
		return nil, errs.sorted()
	}
	return e, nil
}

// judge adds what is wrong with the definition as a whole, at the lines concerned.
// It is silent where reading has found the cause already.
func (r *reader) judge(e *hierarchy.Estate, reg kits.Registry) {
	if r.confused {
		return
	}
	found := hierarchy.Validate(e, reg)
	before := r.at
	r.at = map[string]bool{}
	for _, p := range found {
		if !before[join(p.At)] {
			r.add(p.At, p.Fix, "%s", p.Text)
		}
	}
}

// parse runs the TOML decoder; false when the text is not TOML.
func (r *reader) parse(text string, root *map[string]any) bool {
	if r.places.tooDeep >= 0 {
		line, col := r.places.lineCol(r.places.tooDeep)
		r.errs.Problems = append(r.errs.Problems, Problem{line, col, "values are nested too deeply", fmt.Sprintf("at most %d levels", maxDepth)})
		return false
	}
	_, err := toml.Decode(text, root)
	if err == nil {
		return true
	}
	p := Problem{Line: 1, Col: 1, Message: "this is not TOML: " + err.Error()}
	var pe toml.ParseError
	if errors.As(err, &pe) {
		p = r.syntax(pe, len(text))
	}
	r.errs.Problems = append(r.errs.Problems, p)
	return false
}

// definedTwice is the decoder's message about a key or table that is there twice.
var definedTwice = regexp.MustCompile(`^Key '(.+)' (has already been defined|was already created)`)

// syntax puts a decoder's message into words that say what to do.
func (r *reader) syntax(pe toml.ParseError, size int) Problem {
	line, col := r.places.lineCol(min(max(pe.Position.Start, 0), size))
	p := Problem{Line: line, Col: col, Message: "not valid TOML here: " + pe.Message}
	m := definedTwice.FindStringSubmatch(pe.Message)
	if m == nil {
		p.Fix = syntaxFix(pe.Message)
		return p
	}
	path := (&scanner{src: m[1]}).key()
	p.Message = fmt.Sprintf("%s is defined twice", dotted(path))
	p.Fix = "keep one of the two"
	if len(path) == 4 && path[0] == "cluster" && path[2] == "resource" {
		p.Message = fmt.Sprintf("two resources of cluster %q have the tag %q", path[1], path[3])
		p.Fix = "tags are unique within a cluster: give one of them another tag"
	} else if len(path) == 2 {
		p.Message = fmt.Sprintf("two tables define the %s %q", path[0], path[1])
		p.Fix = "keep one of the two, or give one another name"
	}
	if first, known := r.places.at[join(path)]; known {
		if at, _ := r.places.lineCol(first.offset); at < line {
			p.Message += fmt.Sprintf("; the first is in line %d", at)
		}
	}
	return p
}

// syntaxFix is what to do about the commonest slips of the pen.
func syntaxFix(message string) string {
	for _, m := range [][2]string{
		{"expected value but found", `put text in quotes: key = "value"`},
		{"strings cannot contain newlines", "close the text with a quote in the same line"},
		{"array terminator", "close the list before this with ]"},
		{"inline table terminator", "close the table before this with }"},
		{"key separator", "write key = value"},
		{"expected '.' or '='", "write key = value"},
	} {
		if strings.Contains(message, m[0]) {
			return m[1]
		}
	}
	return ""
}
