package nodesim

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// sedCommand knows s, p, d and q with an address of one line number, $ or one
// regular expression, options -n, -E and -e. Anything else is an error.
func sedCommand(c *command) int {
	var scripts, files []string
	quiet, extended := false, false
	for i := 0; i < len(c.args); i++ {
		switch a := c.args[i]; {
		case a == "-n":
			quiet = true
		case a == "-E" || a == "-r":
			extended = true
		case a == "-e" && i+1 < len(c.args):
			i++
			scripts = append(scripts, c.args[i])
		case strings.HasPrefix(a, "-") && a != "-":
			return c.fail(1, "option %s is not simulated", a)
		case len(scripts) == 0 && !hasFlag(c.args, "-e"):
			scripts = append(scripts, a)
		default:
			files = append(files, a)
		}
	}
	var prog []edit
	for _, s := range scripts {
		e, err := parseSed(s, extended)
		if err != nil {
			return c.fail(1, "%v", err)
		}
		prog = append(prog, e...)
	}
	text, code := c.text(files)
	all := lines(text)
	for i, line := range all {
		if !c.sedLine(prog, line, i+1, i+1 == len(all), quiet) {
			break
		}
	}
	return code
}

func hasFlag(args []string, flag string) bool {
	for _, a := range args {
		if a == flag {
			return true
		}
	}
	return false
}

// edit is one command of a sed script.
type edit struct {
	line   int // 0 = any, -1 = last
	match  *regexp.Regexp
	not    bool
	op     byte
	find   *regexp.Regexp
	repl   string
	global bool
	print  bool
}

func (e edit) applies(line string, number int, last bool) bool {
	hit := true
	switch {
	case e.line > 0:
		hit = number == e.line
	case e.line < 0:
		hit = last
	case e.match != nil:
		hit = e.match.MatchString(line)
	}
	return hit != e.not
}

// sedLine carries the script out on one line; false ends the run.
func (c *command) sedLine(prog []edit, line string, number int, last, quiet bool) bool {
	keepOn := true
	for _, e := range prog {
		if !e.applies(line, number, last) {
			continue
		}
		switch e.op {
		case 'd':
			return true
		case 'p':
			c.say(line)
		case 'q':
			keepOn = false
		case 's':
			done := false
			line = substitute(e, line, &done)
			if done && e.print {
				c.say(line)
			}
		}
		if !keepOn {
			break
		}
	}
	if !quiet {
		c.say(line)
	}
	return keepOn
}

func substitute(e edit, line string, done *bool) string {
	var b strings.Builder
	at := 0
	for _, m := range e.find.FindAllStringSubmatchIndex(line, -1) {
		b.WriteString(line[at:m[0]])
		for i := 0; i < len(e.repl); i++ {
			switch ch := e.repl[i]; {
			case ch == '&':
				b.WriteString(line[m[0]:m[1]])
			case ch == '\\' && i+1 < len(e.repl):
				i++
				if k := int(e.repl[i] - '0'); k >= 0 && k <= 9 {
					if 2*k+1 < len(m) && m[2*k] >= 0 {
						b.WriteString(line[m[2*k]:m[2*k+1]])
					}
				} else if e.repl[i] == 'n' {
					b.WriteByte('\n')
				} else {
					b.WriteByte(e.repl[i])
				}
			default:
				b.WriteByte(ch)
			}
		}
		at, *done = m[1], true
		if !e.global {
			break
		}
	}
	b.WriteString(line[at:])
	return b.String()
}

func parseSed(s string, extended bool) ([]edit, error) {
	compile := func(p string) (*regexp.Regexp, error) {
		if !extended {
			p = basicToRE2(p)
		}
		return regexp.Compile(p)
	}
	var out []edit
	for {
		s = strings.TrimLeft(s, " \t\n;")
		if s == "" {
			return out, nil
		}
		e, rest, err := parseEdit(s, compile)
		if err != nil {
			return nil, fmt.Errorf("%q is not simulated: %w", s, err)
		}
		out, s = append(out, e), rest
	}
}

func parseEdit(s string, compile func(string) (*regexp.Regexp, error)) (e edit, rest string, err error) {
	switch {
	case s[0] == '/':
		p, after, ok := delimited(s[1:], '/')
		if !ok {
			return e, "", errors.New("unfinished address")
		}
		if e.match, err = compile(p); err != nil {
			return e, "", err
		}
		s = after
	case s[0] == '$':
		e.line, s = -1, s[1:]
	case s[0] >= '0' && s[0] <= '9':
		digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
		e.line, _ = strconv.Atoi(s[:digits])
		s = s[digits:]
	}
	if strings.HasPrefix(s, "!") {
		e.not, s = true, s[1:]
	}
	if s == "" {
		return e, "", errors.New("no command")
	}
	e.op, s = s[0], s[1:]
	switch e.op {
	case 'p', 'd', 'q':
		return e, s, nil
	case 's':
		return parseSubst(e, s, compile)
	}
	return e, "", errors.New("unknown command")
}

func parseSubst(e edit, s string, compile func(string) (*regexp.Regexp, error)) (edit, string, error) {
	if s == "" {
		return e, "", errors.New("unfinished s")
	}
	sep := s[0]
	p, s, ok1 := delimited(s[1:], sep)
	repl, s, ok2 := delimited(s, sep)
	if !ok1 || !ok2 {
		return e, "", errors.New("unfinished s")
	}
	var err error
	if e.find, err = compile(p); err != nil {
		return e, "", err
	}
	e.repl = repl
	for s != "" && (s[0] == 'g' || s[0] == 'p') {
		e.global, e.print = e.global || s[0] == 'g', e.print || s[0] == 'p'
		s = s[1:]
	}
	if s != "" && !strings.ContainsRune("; \n", rune(s[0])) {
		return e, "", errors.New("unknown flag of s")
	}
	return e, s, nil
}

// delimited splits at the next separator that is not escaped; an escaped one loses its backslash.
func delimited(s string, sep byte) (part, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == sep:
			return b.String(), s[i+1:], true
		case s[i] == '\\' && i+1 < len(s):
			if s[i+1] != sep {
				b.WriteByte('\\')
			}
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}
