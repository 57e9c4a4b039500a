package datakeeper

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// maxSlug: names of devices have room for 127 bytes, with a node's name and our prefix.
const maxSlug = 50

// Validate judges a definition.
func (k Kit) Validate(in kits.Instance) []kits.Problem {
	var out []kits.Problem
	add := func(field, text, fix string) {
		out = append(out, kits.Problem{Field: field, Node: in.Node.Name, Text: text, Fix: fix})
	}
	a := in.Attrs
	if !devicePath.MatchString(a[FieldDisk]) || strings.Contains(a[FieldDisk], "..") {
		add(FieldDisk, fmt.Sprintf("%q is not the path of a disk", a[FieldDisk]), "the disk's device, like /dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123")
	}
	for _, f := range k.Fields() {
		if v := a[f.Name]; v != "" && len(f.Choices) > 0 && !slices.Contains(f.Choices, v) {
			add(f.Name, fmt.Sprintf("%q is not known", v), "one of "+strings.Join(f.Choices, ", "))
		}
	}
	if v := a[FieldMetadata]; v != "" && (!filePath.MatchString(v) || strings.HasPrefix(v, "/dev/") || strings.Contains(v, "..")) {
		add(FieldMetadata, fmt.Sprintf("%q is not the path of a file", v), "a file on a local disk that is not mirrored, or leave it out")
	}
	if v := device(in); !devicePath.MatchString(v) || !strings.HasPrefix(v, "/dev/md") {
		add(FieldDevice, fmt.Sprintf("%q is no name for a mirror", v), "/dev/md/ and a name, like /dev/md/data")
	}
	if v := a[FieldAddress]; v != "" {
		if ip, err := netip.ParseAddr(v); err != nil || !ip.Is4() || ip.IsUnspecified() || ip.IsLoopback() {
			add(FieldAddress, fmt.Sprintf("%q is not an address of this node", v), "an IPv4 address of its own, or leave it out")
		}
	}
	if v := a[FieldPort]; v != "" {
		if n, err := strconv.Atoi(v); err != nil || n < 1024 || n > 65535 {
			add(FieldPort, fmt.Sprintf("%q is not a port", v), "a number from 1024 to 65535, or leave it out")
		}
	}
	if v := a[FieldPaused]; v != "" && v != "true" && v != "false" {
		add(FieldPaused, fmt.Sprintf("%q is neither true nor false", v), "true or false")
	}
	if len(Slug(in)) > maxSlug {
		add("", fmt.Sprintf("the tag %s is too long for a mirror's devices", in.Tag), fmt.Sprintf("at most %d characters with the cluster's name", maxSlug))
	}
	return out
}
