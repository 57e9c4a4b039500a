package awscloud

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ferry-ha/ferry/kits/cloud"
)

// Address reads an Elastic IP by its allocation id ("eipalloc-…") or, when id is none, by the public address itself;
// NotFound when the region has none.
func (c *Cloud) Address(ctx context.Context, a cloud.Access, id string) (cloud.Address, error) {
	in := &ec2.DescribeAddressesInput{PublicIps: []string{id}}
	if strings.HasPrefix(id, "eipalloc-") {
		in = &ec2.DescribeAddressesInput{AllocationIds: []string{id}}
	}
	list, err := c.addresses(ctx, a, id, in)
	if err != nil {
		return cloud.Address{}, err
	}
	if len(list) != 1 {
		return cloud.Address{}, emptyAnswer("DescribeAddresses", a, id)
	}
	return list[0], nil
}

// Addresses reads every Elastic IP of the region, for a form's choices. AWS gives them in one answer.
func (c *Cloud) Addresses(ctx context.Context, a cloud.Access) ([]cloud.Address, error) {
	return c.addresses(ctx, a, "", &ec2.DescribeAddressesInput{})
}

func (c *Cloud) addresses(ctx context.Context, a cloud.Access, subject string, in *ec2.DescribeAddressesInput) ([]cloud.Address, error) {
	out, err := do(ctx, c, a, what{"DescribeAddresses", subject, true}, func(ctx context.Context, api *ec2.Client) (*ec2.DescribeAddressesOutput, error) {
		return api.DescribeAddresses(ctx, in)
	})
	if err != nil {
		return nil, err
	}
	var list []cloud.Address
	for _, x := range out.Addresses {
		list = append(list, addressOf(x))
	}
	return list, nil
}

func addressOf(x types.Address) cloud.Address {
	return cloud.Address{
		Allocation: aws.ToString(x.AllocationId), Association: aws.ToString(x.AssociationId), PublicIP: aws.ToString(x.PublicIp), Name: nameTag(x.Tags),
		Interface: aws.ToString(x.NetworkInterfaceId), Instance: aws.ToString(x.InstanceId), PrivateIP: aws.ToString(x.PrivateIpAddress),
	}
}

// PutAddress associates an Elastic IP with a private address of an interface (the primary one when private is empty),
// taking it away from whoever has it. It may be done twice. That AWS accepted it does not mean that reads show it yet.
func (c *Cloud) PutAddress(ctx context.Context, a cloud.Access, allocation, eni, private string) error {
	return c.associate(ctx, a, allocation, eni, private, false)
}

// MayPutAddress asks EC2 whether PutAddress would be allowed, without doing it: nil when it says so.
func (c *Cloud) MayPutAddress(ctx context.Context, a cloud.Access, allocation, eni, private string) error {
	return rehearsed(c.associate(ctx, a, allocation, eni, private, true))
}

func (c *Cloud) associate(ctx context.Context, a cloud.Access, allocation, eni, private string, dry bool) error {
	in := &ec2.AssociateAddressInput{
		AllocationId: aws.String(allocation), NetworkInterfaceId: aws.String(eni), AllowReassociation: aws.Bool(true), DryRun: aws.Bool(dry),
	}
	if private != "" {
		in.PrivateIpAddress = aws.String(private)
	}
	_, err := do(ctx, c, a, what{"AssociateAddress", allocation + " to " + eni, true}, func(ctx context.Context, api *ec2.Client) (*ec2.AssociateAddressOutput, error) {
		return api.AssociateAddress(ctx, in)
	})
	return err
}

// rehearsed reads the answer to a dry run: EC2 refuses it in so many words when it would have been done.
func rehearsed(err error) error {
	if cloud.CodeOf(err) == "DryRunOperation" {
		return nil
	}
	return err
}
