package ui

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable takes out of a line what does not stand for a character: control and format
// characters (also direction overrides) and what is no UTF-8. Unlike Clean it leaves
// blanks as they are, so that a text may be cleaned while somebody types it.
func Printable(s string) string {
	bad := func(r rune) bool {
		return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
	}
	if strings.IndexFunc(s, bad) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if bad(r) {
			return -1
		}
		return r
	}, s)
}
