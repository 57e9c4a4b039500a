package nodesim

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func catCommand(c *command) int {
	_, rest := c.flags("")
	text, code := c.text(rest)
	if _, err := io.WriteString(c.out, text); err != nil {
		return c.fail(1, "write error: %v", err)
	}
	return code
}

// grepCommand knows -E -F -q -s -v -c -l -x -w -i -n -o -e.
func grepCommand(c *command) int {
	flags, rest := c.flags("e")
	pattern, given := flags["e"]
	if !given {
		if len(rest) == 0 {
			return c.fail(2, "no pattern")
		}
		pattern, rest = rest[0], rest[1:]
	}
	re, err := compileGrep(pattern, flags)
	if err != nil {
		return c.fail(2, "%v", err)
	}
	many := len(rest) > 1
	if len(rest) == 0 {
		rest = []string{"-"}
	}
	found, code := false, 0
	for _, f := range rest {
		text, bad := c.text([]string{f})
		if bad != 0 {
			code = 2
			continue
		}
		found = c.grepText(re, f, text, many, flags) || found
	}
	switch {
	case found && flags["q"] != "":
		return 0
	case code != 0:
		return code
	case found:
		return 0
	}
	return 1
}

func compileGrep(pattern string, flags map[string]string) (*regexp.Regexp, error) {
	switch {
	case flags["F"] != "":
		pattern = regexp.QuoteMeta(pattern)
	case flags["E"] == "":
		pattern = basicToRE2(pattern)
	}
	if flags["w"] != "" {
		pattern = `\b(?:` + pattern + `)\b`
	}
	if flags["x"] != "" {
		pattern = `^(?:` + pattern + `)$`
	}
	if flags["i"] != "" {
		pattern = "(?i)" + pattern
	}
	return regexp.Compile(pattern)
}

func (c *command) grepText(re *regexp.Regexp, file, text string, many bool, flags map[string]string) bool {
	count := 0
	for k, line := range lines(text) {
		if re.MatchString(line) == (flags["v"] != "") {
			continue
		}
		count++
		if flags["q"] != "" || flags["c"] != "" || flags["l"] != "" {
			continue
		}
		prefix := ""
		if many && flags["h"] == "" {
			prefix = file + ":"
		}
		if flags["n"] != "" {
			prefix += strconv.Itoa(k+1) + ":"
		}
		if flags["o"] != "" {
			for _, m := range re.FindAllString(line, -1) {
				c.say(prefix + m)
			}
			continue
		}
		c.say(prefix + line)
	}
	if flags["c"] != "" {
		c.say(strconv.Itoa(count))
	}
	if flags["l"] != "" && count > 0 {
		c.say(file)
	}
	return count > 0
}

// basicToRE2 turns a basic regular expression into Go's: there \( \) \{ \} \| \+ \?
// are special and the bare ones are not.
func basicToRE2(p string) string {
	var b strings.Builder
	class := false
	for i := 0; i < len(p); i++ {
		ch := p[i]
		switch {
		case class:
			b.WriteByte(ch)
			class = ch != ']' || p[i-1] == '[' || p[i-1] == '^' && p[i-2] == '['
		case ch == '[':
			class = true
			b.WriteByte(ch)
		case ch == '\\' && i+1 < len(p):
			i++
			if !strings.ContainsRune("(){}|+?", rune(p[i])) {
				b.WriteByte('\\')
			}
			b.WriteByte(p[i])
		case strings.ContainsRune("(){}|+?", rune(ch)):
			b.WriteString(`\` + string(ch))
		default:
			b.WriteByte(ch)
		}
	}
	return b.String()
}

func headCommand(c *command) int { return c.part(false) }
func tailCommand(c *command) int { return c.part(true) }

// part is head and tail with -n and -c; "-n +K" (from line K) in tail.
func (c *command) part(tail bool) int {
	if a := c.arg(0); len(a) > 1 && a[0] == '-' && a[1] >= '0' && a[1] <= '9' {
		c.args[0] = "-n" + a[1:]
	}
	flags, rest := c.flags("nc")
	text, code := c.text(rest)
	if n, ok := flags["c"]; ok {
		k := min(max(c.number(n, 0), 0), len(text))
		if tail {
			text = text[len(text)-k:]
		} else {
			text = text[:k]
		}
		_, _ = io.WriteString(c.out, text)
		return code
	}
	all := strings.SplitAfter(text, "\n")
	if all[len(all)-1] == "" {
		all = all[:len(all)-1]
	}
	n := flags["n"]
	k := min(max(c.number(strings.TrimPrefix(n, "+"), 10), 0), len(all))
	switch {
	case tail && strings.HasPrefix(n, "+"):
		all = all[max(k-1, 0):]
	case tail:
		all = all[len(all)-k:]
	default:
		all = all[:k]
	}
	_, _ = io.WriteString(c.out, strings.Join(all, ""))
	return code
}

// cutCommand knows -d and -f with a list of fields, and -c.
func cutCommand(c *command) int {
	flags, rest := c.flags("dfc")
	text, code := c.text(rest)
	delim := flags["d"]
	if delim == "" {
		delim = "\t"
	}
	for _, line := range lines(text) {
		if list, ok := flags["c"]; ok {
			c.say(strings.Join(pick(strings.Split(line, ""), list), ""))
			continue
		}
		if !strings.Contains(line, delim) {
			if flags["s"] == "" {
				c.say(line)
			}
			continue
		}
		c.say(strings.Join(pick(strings.Split(line, delim), flags["f"]), delim))
	}
	return code
}

// pick takes "1,3-4,6-" of a list.
func pick(all []string, list string) []string {
	var out []string
	for i, s := range all {
		for _, r := range strings.Split(list, ",") {
			from, to, ranged := strings.Cut(r, "-")
			a, _ := strconv.Atoi(from)
			b, err := strconv.Atoi(to)
			if !ranged {
				b = a
			} else if err != nil {
				b = len(all)
			}
			if i+1 >= a && i+1 <= b {
				out = append(out, s)
				break
			}
		}
	}
	return out
}

// trCommand knows two sets, -d and -s, with ranges and a few classes.
func trCommand(c *command) int {
	flags, rest := c.flags("")
	if len(rest) == 0 {
		return c.fail(1, "missing operand")
	}
	from := expandSet(rest[0])
	var to []rune
	if len(rest) > 1 {
		to = expandSet(rest[1])
	}
	var last rune = -1
	out := strings.Map(func(r rune) rune {
		i := slices.Index(from, r)
		switch {
		case i >= 0 && flags["d"] != "":
			return -1
		case i >= 0 && len(to) > 0:
			r = to[min(i, len(to)-1)]
		}
		if flags["s"] != "" && i >= 0 && r == last {
			return -1
		}
		last = r
		return r
	}, string(c.input()))
	_, _ = io.WriteString(c.out, out)
	return 0
}

func expandSet(s string) []rune {
	s = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r", `\0`, "\x00", "[:lower:]", "a-z", "[:upper:]", "A-Z", "[:digit:]", "0-9", "[:space:]", " \t\n\r").Replace(s)
	in := []rune(s)
	var out []rune
	for i := 0; i < len(in); i++ {
		if i+2 < len(in) && in[i+1] == '-' {
			for r := in[i]; r <= in[i+2]; r++ {
				out = append(out, r)
			}
			i += 2
			continue
		}
		out = append(out, in[i])
	}
	return out
}

func sortCommand(c *command) int {
	flags, rest := c.flags("kt")
	if flags["k"] != "" {
		return c.fail(2, "sort -k is not simulated")
	}
	text, code := c.text(rest)
	all := lines(text)
	slices.SortStableFunc(all, func(a, b string) int {
		if flags["n"] != "" {
			x, _ := strconv.ParseFloat(strings.Fields(a + " 0")[0], 64)
			y, _ := strconv.ParseFloat(strings.Fields(b + " 0")[0], 64)
			if x != y {
				return map[bool]int{true: -1, false: 1}[x < y]
			}
		}
		return strings.Compare(a, b)
	})
	if flags["r"] != "" {
		slices.Reverse(all)
	}
	if flags["u"] != "" {
		all = slices.Compact(all)
	}
	c.say(all...)
	return code
}

func uniqCommand(c *command) int {
	_, rest := c.flags("")
	text, code := c.text(rest)
	c.say(slices.Compact(lines(text))...)
	return code
}

func wcCommand(c *command) int {
	flags, rest := c.flags("")
	text, code := c.text(rest)
	var out []string
	for _, f := range []struct {
		flag string
		n    int
	}{{"l", strings.Count(text, "\n")}, {"w", len(strings.Fields(text))}, {"c", len(text)}} {
		if flags[f.flag] != "" || len(flags) == 0 {
			out = append(out, strconv.Itoa(f.n))
		}
	}
	c.say(strings.TrimSpace(strings.Join(append(out, rest...), " ")))
	return code
}

func teeCommand(c *command) int {
	flags, rest := c.flags("")
	in := c.input()
	_, _ = c.out.Write(in)
	c.args = rest
	return c.each(func(p string) error {
		if err := c.node.fs.create(p, 0o644, flags["a"] == ""); err != nil {
			return err
		}
		return c.node.fs.add(p, in)
	})
}

func base64Command(c *command) int {
	flags, rest := c.flags("w")
	text, code := c.text(rest)
	if flags["d"] == "" && flags["--decode"] == "" {
		c.say(base64.StdEncoding.EncodeToString([]byte(text)))
		return code
	}
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return c.fail(1, "invalid input")
	}
	_, _ = c.out.Write(b)
	return code
}

func shaCommand(c *command) int {
	_, rest := c.flags("")
	if len(rest) == 0 {
		rest = []string{"-"}
	}
	for _, f := range rest {
		text, code := c.text([]string{f})
		if code != 0 {
			return code
		}
		fmt.Fprintf(c.out, "%x  %s\n", sha256.Sum256([]byte(text)), f)
	}
	return 0
}
