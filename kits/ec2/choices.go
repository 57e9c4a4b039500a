package ec2

import (
	"context"
	"fmt"

	"github.com/ferry-ha/ferry/kits"
)

// Choices offers what AWS has for a field: network interfaces, Elastic IPs, private addresses.
func (k Kit) Choices(ctx context.Context, _ kits.Host, in kits.Instance, field string) ([]string, error) {
	switch field {
	case FieldENI:
		return k.interfaces(ctx, in)
	case FieldElasticIP:
		return k.elasticIPs(ctx, in)
	case FieldPrivate:
		i, err := k.cloud.Interface(ctx, accessOf(in), eniOf(in))
		return i.Addresses, err
	}
	return nil, nil
}

// interfaces are the VPC's network interfaces that belong to the node, or all of them when its instance is not known.
func (k Kit) interfaces(ctx context.Context, in kits.Instance) ([]string, error) {
	list, err := k.cloud.Interfaces(ctx, accessOf(in), in.Node.VPC)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, i := range list {
		if in.Node.Instance == "" || i.Instance == in.Node.Instance {
			ids = append(ids, i.ID)
		}
	}
	return ids, nil
}

// elasticIPs are those of the node's region.
func (k Kit) elasticIPs(ctx context.Context, in kits.Instance) ([]string, error) {
	if k.addresses == nil {
		return nil, nil
	}
	list, err := k.addresses.Addresses(ctx, accessOf(in))
	if err != nil {
		return nil, fmt.Errorf("listing the Elastic IPs of %s: %w", in.Node.Region, err)
	}
	var out []string
	for _, a := range list {
		out = append(out, showEIP(a))
	}
	return out, nil
}
