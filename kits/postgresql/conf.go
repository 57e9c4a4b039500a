package postgresql

import "strings"

// setting reads one line of postgresql.conf: "port = 5433 # ours", "data_directory '/x'". The value is without
// quotes, and those inside it single again. It returns false for what is no setting.
func setting(line string) (name, value string, ok bool) {
	line = strings.TrimSpace(line)
	end := strings.IndexAny(line, " \t=")
	if end <= 0 || line[0] == '#' {
		return "", "", false
	}
	name = strings.ToLower(line[:end])
	rest := strings.TrimLeft(line[end:], " \t")
	rest = strings.TrimLeft(strings.TrimPrefix(rest, "="), " \t")
	if !strings.HasPrefix(rest, "'") {
		value, _, _ = strings.Cut(rest, "#")
		value = strings.TrimSpace(value)
		return name, value, value != "" && !strings.ContainsAny(value, "' \t")
	}
	value, ok = quoted(rest[1:])
	return name, value, ok
}

// quoted reads up to the closing quote; two quotes, or one after a backslash, are one.
func quoted(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '\'' && i+1 < len(s) && s[i+1] == '\'':
			i++
			b.WriteByte('\'')
		case s[i] == '\'':
			return b.String(), true
		default:
			b.WriteByte(s[i])
		}
	}
	return "", false
}

// majorOf reads the major version out of "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)": "15", and "9.6" of
// "9.6.24". Empty when there is none.
func majorOf(v string) string {
	_, v, ok := strings.Cut(v, "(PostgreSQL) ")
	if !ok {
		return ""
	}
	digits := func(s string) string {
		return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
	}
	first := digits(v)
	if first != "9" {
		return first
	}
	second := digits(strings.TrimPrefix(v[1:], "."))
	if second == "" {
		return ""
	}
	return "9." + second
}
