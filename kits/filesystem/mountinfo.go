package filesystem

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// mount is one line of /proc/self/mountinfo.
type mount struct {
	id, parent   int
	major, minor int
	root, point  string // which directory of the file system; where. Decoded
	options      []string
	fsType       string
	source       string
	super        []string // the file system's own options
}

// parseMount reads a line:
//
//	36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
//
// The optional fields before the dash are of any number. Paths are decoded.
func parseMount(line string) (mount, error) {
	f := strings.Split(strings.TrimRight(line, " \r"), " ")
	dash := -1
	for i := 6; i < len(f); i++ {
		if f[i] == "-" {
			dash = i
			break
		}
	}
	if dash < 0 || len(f) < dash+3 || len(f) > dash+4 {
		return mount{}, errors.New("a line of the mount table cannot be read")
	}
	var m mount
	var err [4]error
	m.id, err[0] = strconv.Atoi(f[0])
	m.parent, err[1] = strconv.Atoi(f[1])
	major, minor, colon := strings.Cut(f[2], ":")
	m.major, err[2] = strconv.Atoi(major)
	m.minor, err[3] = strconv.Atoi(minor)
	if e := errors.Join(err[:]...); e != nil || !colon || m.major < 0 || m.minor < 0 {
		return mount{}, errors.New("a line of the mount table has no number where one belongs")
	}
	m.root, m.point, m.options = decode(f[3]), decode(f[4]), strings.Split(f[5], ",")
	m.fsType, m.source = f[dash+1], decode(f[dash+2])
	if len(f) > dash+3 { // a source may be empty, which leaves one field less
		m.super = strings.Split(f[dash+3], ",")
	}
	if !strings.HasPrefix(m.point, "/") {
		return mount{}, errors.New("a line of the mount table has no mount point")
	}
	return m, nil
}

// number is the device's, "254:16".
func (m mount) number() string { return fmt.Sprintf("%d:%d", m.major, m.minor) }

// readOnly tells that nobody can write: this mount, or the file system as a whole. The kernel
// says emergency_ro, or shutdown, where it has given a file system up.
func (m mount) readOnly() bool {
	for _, o := range append(append([]string(nil), m.options...), m.super...) {
		switch o {
		case "ro", "emergency_ro", "shutdown":
			return true
		}
	}
	return false
}

// decode turns the kernel's \ooo, which it writes for spaces, tabs, newlines, backslashes and
// hashes, into the characters. What is no such number stays as it is.
func decode(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// encode writes a path as the kernel does in the mount table.
func encode(p string) string {
	return strings.NewReplacer(`\`, `\134`, " ", `\040`, "\t", `\011`, "\n", `\012`).Replace(p)
}

// unitName is systemd's name for the mount unit of a path, without ".mount": letters, digits,
// ":", "_" and "." stay, a slash becomes a dash, the rest \xNN.
func unitName(p string) string {
	p = strings.Trim(p, "/")
	var b strings.Builder
	for i := range len(p) {
		switch c := p[i]; {
		case c == '/':
			b.WriteByte('-')
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == ':', c == '_', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	return b.String()
}
