package filesystem

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// Choices offers, for the mount point and the device, what is mounted on the node now
// from real disks and could be protected; for the type, the one that is there.
func (k Kit) Choices(ctx context.Context, h kits.Host, in kits.Instance, field string) ([]string, error) {
	if field != FieldMountPoint && field != FieldDevice && field != FieldType {
		return nil, nil
	}
	res, err := h.Run(ctx, kits.Script{Name: "filesystem/choices", Body: choicesSh, Light: true})
	if err != nil {
		return nil, fmt.Errorf("asking %s for its mounts: %w", in.Node.Name, err)
	}
	l, err := parseLook(res)
	if err != nil {
		return nil, fmt.Errorf("asking %s for its mounts: %w", in.Node.Name, err)
	}
	return choicesIn(in, l.mounts, field), nil
}

// choicesIn picks from a mount table. Once the mount point is answered, device and type are its own.
func choicesIn(in kits.Instance, table []mount, field string) []string {
	var out []string
	for _, m := range table {
		text, _ := pointProblem(m.point)
		if m.major == 0 || m.root != "/" || text != "" || !slices.Contains(types[:], m.fsType) || !devicePath.MatchString(m.source) {
			continue
		}
		if p := point(in); p != "" && field != FieldMountPoint && p != m.point {
			continue
		}
		out = append(out, map[string]string{FieldMountPoint: m.point, FieldDevice: m.source, FieldType: m.fsType}[field])
	}
	slices.SortFunc(out, strings.Compare)
	out = slices.Compact(out)
	if field == FieldType && len(out) == 0 {
		return append(out, types[:]...)
	}
	return out
}

// SuggestTag is the mount point as a tag: "oradata" of /oradata, "srv-db" of /srv/db.
func (Kit) SuggestTag(attrs map[string]string) string {
	return strings.Trim(notSlug.ReplaceAllString(attrs[FieldMountPoint], "-"), "-")
}
