package orainst

import (
	_ "embed" // the prelude, kept as a file so that shellcheck and editors know it
	"errors"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// Prelude is what every script of both kits begins with; see prelude.sh for its arguments.
//
//go:embed prelude.sh
var Prelude string

// Answer is what a script printed: marks with the quoted lines behind them, in order.
type Answer struct{ Marks []Mark }

// Mark is one "@word rest" with its lines.
type Mark struct {
	Word, Rest string
	Lines      []string
}

// ParseAnswer reads a result. One that does not begin with "@begin" and end with "@end", or holds anything
// that is neither a mark nor quoted, is an error: it was cut off or is no answer of ours.
func ParseAnswer(res kits.Result) (Answer, error) {
	var a Answer
	ended := false
	for line := range strings.SplitSeq(res.Stdout, "\n") {
		line = strings.TrimSuffix(line, "\r")
		switch {
		case ended && line != "":
			return a, errors.New("something follows the end of the answer")
		case strings.HasPrefix(line, "@"):
			word, rest, _ := strings.Cut(line[1:], " ")
			ended = word == "end"
			a.Marks = append(a.Marks, Mark{Word: word, Rest: kits.OneLine(rest, 400)})
		case strings.HasPrefix(line, "|") && len(a.Marks) > 0:
			m := &a.Marks[len(a.Marks)-1]
			m.Lines = append(m.Lines, line[1:])
		case line != "":
			return a, fmt.Errorf("%q is not a line of an answer", kits.OneLine(line, 60))
		}
	}
	if res.Truncated || !ended || a.Marks[0].Word != "begin" {
		return a, errors.New("the answer is not complete")
	}
	return a, nil
}

// Get gives the last mark of that word: scripts that look twice mean the later look.
func (a Answer) Get(word string) (Mark, bool) {
	for i := len(a.Marks) - 1; i >= 0; i-- {
		if a.Marks[i].Word == word {
			return a.Marks[i], true
		}
	}
	return Mark{}, false
}

// All gives every mark of that word.
func (a Answer) All(word string) []Mark {
	var out []Mark
	for _, m := range a.Marks {
		if m.Word == word {
			out = append(out, m)
		}
	}
	return out
}

// Code is the number behind the last mark of that word; -1 when there is none.
func (a Answer) Code(word string) int {
	m, _ := a.Get(word)
	n, err := strconv.Atoi(m.Rest)
	if err != nil {
		return -1
	}
	return n
}

// Text is everything quoted behind a mark.
func (m Mark) Text() string { return strings.Join(m.Lines, "\n") }

// TimedOut tells whether an exit code is that of a command whose time was over.
func TimedOut(code int) bool { return code == 124 || code == 137 }

// Database is one line of oratab.
type Database struct {
	SID, Home string
	// Boot: the third field is Y, so dbstart starts it.
	Boot bool
	// File is the oratab that it stands in.
	File string
}

// ParseOratab reads the lines "SID:HOME:Y" of an oratab; comments, empty lines, the entry "*" (any) and lines of
// another form are left out. A home that cannot be one is empty: whether dbstart tries it counts all the same.
func ParseOratab(file string, lines []string) []Database {
	var out []Database
	for _, l := range lines {
		l, _, _ = strings.Cut(l, "#")
		f := strings.Split(strings.TrimSpace(l), ":")
		if len(f) < 2 || !SIDName.MatchString(f[0]) {
			continue
		}
		home := path.Clean(f[1])
		if !HomePath(home) {
			home = ""
		}
		boot := len(f) > 2 && strings.EqualFold(strings.TrimSpace(f[2]), "Y")
		out = append(out, Database{SID: f[0], Home: home, Boot: boot, File: file})
	}
	return out
}

// Databases are those of every oratab in an answer of the prelude's function installation.
func (a Answer) Databases() []Database {
	var out []Database
	for _, m := range a.All("oratab") {
		out = append(out, ParseOratab(m.Rest, m.Lines)...)
	}
	return out
}

// SIDName is what may be an ORACLE_SID: it counts upper and lower case, and begins with a letter.
var SIDName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,29}$`)

// UserName is what may own an installation. Long names are fine: nothing here reads the columns of ps.
var UserName = regexp.MustCompile(`^[a-z_][a-z0-9_.-]{0,31}$`)

var plainPath = regexp.MustCompile(`^/[A-Za-z0-9/._+@-]{1,500}$`)

// HomePath tells whether a path may be an ORACLE_HOME or a file beside it: absolute, clean (Oracle finds an
// instance by the very letters of its home, and "/x/" is not "/x"), and without a character that a shell, sqlplus or
// systemd would read as something else.
func HomePath(p string) bool { return plainPath.MatchString(p) && path.Clean(p) == p && p != "/" }

// Boot is a unit that starts at boot and speaks of Oracle, with the lines in which it does.
type Boot struct {
	Unit  string // its name: "dbora.service"
	Path  string
	Lines []string
}

// Boots are those of an answer of the prelude's function installation.
func (a Answer) Boots() []Boot {
	var out []Boot
	for _, m := range a.All("boot") {
		out = append(out, Boot{Unit: path.Base(m.Rest), Path: m.Rest, Lines: m.Lines})
	}
	return out
}

// SwitchOff is the command that keeps it from starting at boot.
func (b Boot) SwitchOff() string {
	switch {
	case strings.HasSuffix(b.Unit, ".service"):
		return "systemctl disable " + b.Unit
	case strings.HasPrefix(b.Unit, "S"):
		return "systemctl disable " + strings.TrimLeft(b.Unit[1:], "0123456789")
	}
	return "taking the lines out of " + b.Path
}

// HasWord tells whether a line of the unit holds the word as a whole: ORCL is not in ORCL2.
func (b Boot) HasWord(word string) bool {
	re := regexp.MustCompile(`(^|[^A-Za-z0-9_])` + regexp.QuoteMeta(word) + `($|[^A-Za-z0-9_])`)
	for _, l := range b.Lines {
		if re.MatchString(l) {
			return true
		}
	}
	return false
}

// Code is an Oracle error: "ORA-01034" or "TNS-12541", with the text behind it.
type Code struct{ Code, Text string }

var oraCode = regexp.MustCompile(`\b((?:ORA|TNS|LRM|SP2)-\d{4,5}):? ?(.*)`)

// Codes are the errors in a tool's output, in order, cleaned for display.
func Codes(text string) []Code {
	var out []Code
	for l := range strings.SplitSeq(text, "\n") {
		if m := oraCode.FindStringSubmatch(l); m != nil && len(out) < 100 {
			out = append(out, Code{m[1], kits.OneLine(m[2], 160)})
		}
	}
	return out
}

// Has finds the first of the wanted codes in an output; "" when there is none.
func Has(text string, wanted ...string) string {
	for _, c := range Codes(text) {
		for _, w := range wanted {
			if c.Code == w {
				return w
			}
		}
	}
	return ""
}

// UnitName is the transient unit, without ".service", that the daemons of a resource live in. Whatever is
// no letter or digit is written as _xx, so that two tags never share one.
func UnitName(tag string) string {
	var b strings.Builder
	b.WriteString("ferry-oracle-")
	for i := range len(tag) {
		c := tag[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}

// Seconds reads a tuning value; one that is no number within least and most counts as the default.
func Seconds(in kits.Instance, name string, def, least, most int) int {
	n, err := strconv.Atoi(in.Tune(name, strconv.Itoa(def)))
	if err != nil || n < least || n > most {
		return def
	}
	return n
}
