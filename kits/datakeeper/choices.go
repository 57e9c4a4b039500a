package datakeeper

import (
	"context"
	"fmt"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// Choices offers the disks and partitions of a node that nobody uses. It changes nothing.
func (k Kit) Choices(ctx context.Context, h kits.Host, in kits.Instance, field string) ([]string, error) {
	if field != FieldDisk {
		return nil, nil
	}
	s := script("disks", disksSh, in, nil)
	s.Light, s.Deadline = true, k.Timeout(kits.ActEligible, in)
	res, err := h.Run(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("asking %s for its disks: %w", in.Node.Name, err)
	}
	a, err := parse(res)
	if err != nil {
		return nil, fmt.Errorf("asking %s for its disks: %w", in.Node.Name, err)
	}
	var out []string
	for _, m := range a.marks {
		if path, _, _ := strings.Cut(m.rest, " "); m.word == "disk" && devicePath.MatchString(path) {
			out = append(out, path)
		}
	}
	return out, nil
}
