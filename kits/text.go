package kits

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// OutputLimit is how much of a script's output a Report keeps, in bytes: one
// screen of an operation's page, and small enough for every journal entry.
const OutputLimit = 4096

// Clean makes a node's output fit for display: invalid UTF-8, control and format
// characters (also escape sequences' ESC and bidirectional overrides) are
// replaced, tabs and newlines stay, and only the last max bytes are kept, because
// the reason for a failure is nearly always at the end.
func Clean(s string, max int) string {
	if len(s) > max {
		s = s[len(s)-max:]
		for len(s) > 0 && !utf8.RuneStart(s[0]) {
			s = s[1:]
		}
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return -1
		case r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// OneLine is Clean for a reason's text: the last non-empty line, at most max bytes.
func OneLine(s string, max int) string {
	lines := strings.Split(strings.TrimSpace(Clean(s, OutputLimit)), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	if len(last) > max {
		last = strings.ToValidUTF8(last[:max], "")
	}
	return last
}

// Tune reads a tuning value of the instance; def when it is not set.
func (in Instance) Tune(name, def string) string {
	if v, ok := in.Tuning[name]; ok && v != "" {
		return v
	}
	return def
}

// Attr reads a field of the resource on this node; def when it was left out.
func (in Instance) Attr(name, def string) string {
	if v := in.Attrs[name]; v != "" {
		return v
	}
	return def
}

// ParseSeconds reads a duration field: a whole number of seconds ("30") or Go's
// form ("1m30s"). It refuses zero, negative values and anything above a day.
func ParseSeconds(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if n, nerr := strconv.Atoi(s); nerr == nil {
		if n > 86400 || n < 0 {
			n = 0
		}
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil {
		return 0, fmt.Errorf("%q is not a number of seconds", s)
	}
	if d < time.Second || d > 24*time.Hour {
		return 0, fmt.Errorf("%q is not between 1 second and a day", s)
	}
	return d, nil
}
