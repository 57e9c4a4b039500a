package filesystem

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ferry-ha/ferry/kits"
)

// Validate judges the fields of one node.
func (Kit) Validate(in kits.Instance) []kits.Problem {
	var out []kits.Problem
	add := func(field, text, fix string) {
		if text != "" {
			out = append(out, kits.Problem{Field: field, Node: in.Node.Name, Text: text, Fix: fix})
		}
	}
	text, fix := pointProblem(point(in))
	add(FieldMountPoint, text, fix)
	text, fix = deviceProblem(in)
	add(FieldDevice, text, fix)
	if t := in.Attrs[FieldType]; t != "" && !slices.Contains(types[:], t) {
		add(FieldType, fmt.Sprintf("the file system type %q cannot be protected", kits.OneLine(t, 40)), "write ext4, xfs or ext3, or leave it out")
	}
	text, fix = optionProblem(in)
	add(FieldOptions, text, fix)
	return out
}

// systemDirs are no mount points for data, and below those in systemTrees there is none either.
// The scripts hold the same list (careful in sh/lib.sh).
var (
	systemDirs = [...]string{
		"/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys", "/tmp",
		"/usr", "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/local", "/usr/sbin", "/var", "/var/lib", "/var/log", "/var/run", "/var/tmp",
	}
	systemTrees = [...]string{
		"/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys",
		"/usr/bin", "/usr/lib", "/usr/lib64", "/usr/sbin", "/var/run", "/var/lib/ferry", "/var/lib/dpkg", "/var/lib/rpm", "/var/lib/systemd",
	}
)

func pointProblem(p string) (text, fix string) {
	const example = `write a directory of its own, like "/oradata"`
	switch {
	case p == "":
		return "the mount point is missing", example
	case !path.IsAbs(p) || strings.ContainsFunc(p, unicode.IsControl) || !utf8.ValidString(p) || len(p) > 1024:
		return fmt.Sprintf("%q cannot be a mount point", kits.OneLine(p, 80)), example
	case path.Clean(p) != p:
		return fmt.Sprintf("the mount point %q is not written in its shortest form", kits.OneLine(p, 80)), fmt.Sprintf("write %q", path.Clean(p))
	case strings.Contains(p, `\`):
		return fmt.Sprintf("the mount point %q contains a backslash", kits.OneLine(p, 80)), example
	case slices.Contains(systemDirs[:], p):
		return fmt.Sprintf("%s belongs to the system; a protected file system is never mounted over it", p), example
	}
	for _, dir := range systemTrees {
		if strings.HasPrefix(p, dir+"/") {
			return fmt.Sprintf("%s lies in %s, which belongs to the system", p, dir), example
		}
	}
	return "", ""
}

// devicePath: what is usual below /dev, without "..".
var devicePath = regexp.MustCompile(`^/dev/[A-Za-z0-9][A-Za-z0-9_.:+=@/-]{0,200}$`)

func deviceProblem(in kits.Instance) (text, fix string) {
	d := Device(in)
	switch {
	case d == "":
		return "the device is missing", `write its path, like "/dev/md/ferry-oradata", or make a DataKeeper resource the child of this one`
	case !devicePath.MatchString(d) || path.Clean(d) != d:
		return fmt.Sprintf("%q cannot be the path of a block device", kits.OneLine(d, 80)), `write a path below /dev, like "/dev/md/ferry-oradata" or "/dev/disk/by-id/…"`
	}
	return "", ""
}

var optionWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*(=[A-Za-z0-9_.:/@+-]+)?$`)

// refusedOptions are options that do not do here what they say, or that risk the data.
var refusedOptions = map[string]string{
	"auto": "it is a word of fstab; ferry mounts, and nothing else does", "noauto": "it is a word of fstab; nothing but ferry mounts this file system anyway",
	"nofail": "it is a word of fstab", "_netdev": "it is a word of fstab", "user": "other users must not mount or unmount it", "users": "other users must not mount or unmount it",
	"owner": "other users must not mount or unmount it", "group": "other users must not mount or unmount it",
	"remount": "the file system is mounted afresh", "bind": "only a whole device can be protected", "rbind": "only a whole device can be protected",
	"move": "only a whole device can be protected", "loop": "only a block device can be protected",
	"norecovery": "without the journal the files are not what they were", "noload": "without the journal the files are not what they were",
	"nobarrier": "what was acknowledged would be lost with the power", "barrier=0": "what was acknowledged would be lost with the power",
	"errors=continue": "after an error it would go on writing on what is broken",
}

func optionProblem(in kits.Instance) (text, fix string) {
	const example = `write options as for mount -o, like "noatime"`
	all := in.Attr(FieldOptions, defaultOptions)
	seen := map[string]bool{}
	for o := range strings.SplitSeq(all, ",") {
		if len(all) > 500 || !optionWord.MatchString(o) {
			return fmt.Sprintf("the mount options %q cannot be read", kits.OneLine(all, 80)), example
		}
		if why, refused := refusedOptions[o]; refused {
			return fmt.Sprintf("the mount option %s is refused: %s", o, why), "leave it out"
		}
		name, _, _ := strings.Cut(o, "=")
		if strings.HasPrefix(name, "x-") || strings.HasPrefix(name, "X-") || name == "comment" || name == "offset" || name == "sizelimit" {
			return fmt.Sprintf("the mount option %s is refused: it is meant for fstab or for mount itself, not for the file system", o), "leave it out"
		}
		if o == "discard" && mirrored(in) {
			return "the mount option discard is refused: discards make the sides of a mirror differ", "leave it out"
		}
		seen[o] = true
	}
	if seen["ro"] && seen["rw"] {
		return "the mount options say both ro and rw", "leave one of them out"
	}
	return "", ""
}
