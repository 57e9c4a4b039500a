package r53sim

import (
	"fmt"
	"slices"
	"strings"
)

// Canonical is a domain name as Route 53 writes it: lower-cased, ending in a dot, and with every byte other than
// a-z, 0-9, hyphen and underscore as an octal escape ("*" becomes \052). The error is in Route 53's words.
func Canonical(name string) (string, error) {
	labels, err := splitLabels(name)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, l := range labels {
		for _, c := range []byte(l) {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
				b.WriteByte(c)
			} else {
				fmt.Fprintf(&b, "\\%03o", c)
			}
		}
		b.WriteByte('.')
	}
	if b.Len() == 0 {
		b.WriteByte('.')
	}
	return b.String(), nil
}

// canonical is Canonical for names that were checked before; an impossible name stays as it is.
func canonical(name string) string {
	if c, err := Canonical(name); err == nil {
		return c
	}
	return name
}

// splitLabels takes a name apart into its raw labels.
func splitLabels(name string) ([]string, error) {
	var labels []string
	var label []byte
	total := 0
	end := func() error {
		switch {
		case len(label) == 0:
			return fatal("DomainLabelEmpty", "Domain label is empty", name)
		case len(label) > 63:
			return fatal("DomainLabelTooLong", "Domain label is too long", string(label))
		}
		total += len(label) + 1
		labels, label = append(labels, string(label)), nil
		return nil
	}
	text := strings.TrimSuffix(name, ".")
	if text == "" {
		return nil, nil
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '.':
			if err := end(); err != nil {
				return nil, err
			}
		case c == '\\':
			v, ok := octal(text[i+1:])
			if !ok {
				return nil, fatal("InvalidEscape", "Value contains an invalid escape sequence", name)
			}
			label, i = append(label, v), i+3
		case c <= ' ' || c >= 0x7f:
			return nil, fatal("UnsupportedCharacter", "Value contains unsupported characters", name)
		default:
			label = append(label, c)
		}
	}
	if err := end(); err != nil {
		return nil, err
	}
	if total > 255 {
		return nil, fatal("DomainNameTooLong", "Domain name is too long", name)
	}
	return labels, nil
}

// octal reads the three digits of an escape.
func octal(s string) (byte, bool) {
	if len(s) < 3 {
		return 0, false
	}
	v := 0
	for _, c := range []byte(s[:3]) {
		if c < '0' || c > '7' {
			return 0, false
		}
		v = v*8 + int(c-'0')
	}
	return byte(v), v < 256
}

// fatal is how Route 53 words what it cannot parse.
func fatal(kind, why, what string) error {
	return fmt.Errorf("FATAL problem: %s (%s) encountered with '%s'", kind, why, what)
}

// sortKey is what Route 53 sorts names by: the labels from right to left, each with its dot ("jp.example.www.").
func sortKey(canonical string) string {
	labels := strings.Split(strings.TrimSuffix(canonical, "."), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "."
}

// inZone says whether a name lies in a zone or is its apex; both are canonical.
func inZone(name, zone string) bool {
	return name == zone || zone == "." || strings.HasSuffix(name, "."+zone)
}

// compareRecords is the order of ListResourceRecordSets: name, type, set identifier.
func compareRecords(a, b Record) int {
	if c := strings.Compare(sortKey(a.Name), sortKey(b.Name)); c != 0 {
		return c
	}
	if c := strings.Compare(a.Type, b.Type); c != 0 {
		return c
	}
	return strings.Compare(a.SetID, b.SetID)
}
