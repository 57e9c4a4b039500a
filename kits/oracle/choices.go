package oracle

import (
	"context"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/oracle/orainst"
)

// Choices offers what oratab names: instances, their home on this node, and its owner. It changes nothing.
func (k Kit) Choices(ctx context.Context, h kits.Host, in kits.Instance, field string) ([]string, error) {
	if field != FieldSID && field != FieldHome && field != FieldUser {
		return nil, nil
	}
	found, err := orainst.Find(ctx, h, in.Attrs[FieldHome])
	if err != nil {
		return nil, err
	}
	switch field {
	case FieldSID:
		return found.SIDs(), nil
	case FieldHome:
		return found.Homes(in.Attrs[FieldSID]), nil
	}
	return found.Owners(in.Attrs[FieldHome]), nil
}

// SuggestTag is the name that the resource has in the field: the instance's.
func (Kit) SuggestTag(attrs map[string]string) string { return attrs[FieldSID] }
