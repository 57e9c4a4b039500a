package datakeeper

import "github.com/ferry-ha/ferry/kits"

var _ kits.Overwriter = Kit{}

// Overwrites are the disks of all other nodes: in's own is the first source.
func (Kit) Overwrites(in kits.Instance) (source string, lost map[string]string) {
	lost = map[string]string{}
	for node, attrs := range in.On {
		if node != in.Node.Name {
			lost[node] = attrs[FieldDisk]
		}
	}
	return in.Attrs[FieldDisk], lost
}
