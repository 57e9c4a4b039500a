package dnssim

import (
	"fmt"
	"strings"

	"github.com/ferry-ha/ferry/internal/sim/r53sim"
)

// fromDNS brings a name as package dns writes it (decimal escapes, any case) into Route 53's form (octal escapes).
func fromDNS(name string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c == '\\' && i+3 < len(name) && digits(name[i+1:i+4]) {
			fmt.Fprintf(&b, "\\%03o", (name[i+1]-'0')*100+(name[i+2]-'0')*10+name[i+3]-'0')
			i += 3
			continue
		}
		if c == '\\' && i+1 < len(name) {
			fmt.Fprintf(&b, "\\%03o", name[i+1])
			i++
			continue
		}
		b.WriteByte(c)
	}
	return r53sim.Canonical(b.String())
}

// toDNS brings a name in Route 53's form into the one of package dns.
func toDNS(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] != '\\' || i+3 >= len(name) {
			b.WriteByte(name[i])
			continue
		}
		c := (name[i+1]-'0')<<6 | (name[i+2]-'0')<<3 | name[i+3] - '0'
		if c == '*' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "\\%03d", c)
		}
		i += 3
	}
	return b.String()
}

func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
