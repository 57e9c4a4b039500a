package wire

import "strings"

// Quote returns s as one word of POSIX sh that means exactly s. It is the only way values get into shell text.
// NUL cannot exist in a shell word and is left out: Request.Validate refuses it earlier.
func Quote(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// unquote undoes Quote and reports whether q is something that Quote writes.
func unquote(q string) (string, bool) {
	if len(q) < 2 || q[0] != '\'' || q[len(q)-1] != '\'' {
		return "", false
	}
	s := strings.ReplaceAll(q[1:len(q)-1], `'\''`, "'")
	return s, Quote(s) == q
}

// quoteAll returns the values as words separated by blanks.
func quoteAll(values []string) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = Quote(v)
	}
	return strings.Join(words, " ")
}
