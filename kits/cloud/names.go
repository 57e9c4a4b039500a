package cloud

import (
	"fmt"
	"strings"
)

// DNSName brings a domain name into the one form in which Route 53 reads it back, so that names can be compared as text:
// lower case, ending in a dot, every character that is neither letter, digit, hyphen nor underscore as a backslash and
// three octal digits ("*.Example.com" becomes "\052.example.com."). A dot inside a label ("\056") stays apart from one
// between labels. It does not judge whether the name is a good one.
func DNSName(name string) string {
	var b strings.Builder
	dot := false
	for i := 0; i < len(name); i++ {
		c := name[i]
		dot = c == '.'
		if dot {
			b.WriteByte('.')
			continue
		}
		if code, ok := octal(name[i:]); ok {
			c = code
			i += 3
		}
		writeDNSByte(&b, c)
	}
	if !dot {
		b.WriteByte('.')
	}
	return b.String()
}

func writeDNSByte(b *strings.Builder, c byte) {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' {
		b.WriteByte(c)
		return
	}
	fmt.Fprintf(b, "\\%03o", c)
}

// octal reads an escape like \052 at the beginning of s.
func octal(s string) (byte, bool) {
	if len(s) < 4 || s[0] != '\\' {
		return 0, false
	}
	n := 0
	for _, d := range []byte(s[1:4]) {
		if d < '0' || d > '7' {
			return 0, false
		}
		n = n*8 + int(d-'0')
	}
	return byte(n), n < 256
}

// ShowDNSName is a name as people write it: without the last dot, and with its asterisk.
func ShowDNSName(name string) string {
	name = strings.ReplaceAll(DNSName(name), `\052`, "*")
	if bare := strings.TrimSuffix(name, "."); bare != "" && !strings.HasSuffix(bare, ".") {
		return bare
	}
	return name
}
