package awscloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ferry-ha/ferry/kits/cloud"
)

// Interface reads one network interface; NotFound when the region has none of that id.
func (c *Cloud) Interface(ctx context.Context, a cloud.Access, id string) (cloud.Interface, error) {
	list, err := c.interfaces(ctx, a, id, &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{id}})
	if err != nil {
		return cloud.Interface{}, err
	}
	if len(list) != 1 {
		return cloud.Interface{}, &cloud.Error{
			Kind: cloud.Unreachable, Op: "DescribeNetworkInterfaces", Region: a.Region, Subject: id, Hint: "AWS answered without the interface that was asked for; ask again",
		}
	}
	return list[0], nil
}

// Interfaces reads all network interfaces of a VPC, for a form's choices.
func (c *Cloud) Interfaces(ctx context.Context, a cloud.Access, vpc string) ([]cloud.Interface, error) {
	return c.interfaces(ctx, a, vpc, &ec2.DescribeNetworkInterfacesInput{
		Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{vpc}}},
	})
}

func (c *Cloud) interfaces(ctx context.Context, a cloud.Access, subject string, in *ec2.DescribeNetworkInterfacesInput) ([]cloud.Interface, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	var list []cloud.Interface
	for {
		out, err := do(ctx, c, a, what{"DescribeNetworkInterfaces", subject, true}, func(ctx context.Context, api *ec2.Client) (*ec2.DescribeNetworkInterfacesOutput, error) {
			return api.DescribeNetworkInterfaces(ctx, in)
		})
		if err != nil {
			return nil, err
		}
		for _, i := range out.NetworkInterfaces {
			list = append(list, interfaceOf(i))
		}
		if aws.ToString(out.NextToken) == "" {
			return list, nil
		}
		in.NextToken = out.NextToken
	}
}

func interfaceOf(i types.NetworkInterface) cloud.Interface {
	out := cloud.Interface{
		ID: aws.ToString(i.NetworkInterfaceId), Name: nameTag(i.TagSet), VPC: aws.ToString(i.VpcId), Subnet: aws.ToString(i.SubnetId),
		Zone: aws.ToString(i.AvailabilityZone), SourceDestCheck: aws.ToBool(i.SourceDestCheck),
	}
	if i.Attachment != nil {
		out.Instance = aws.ToString(i.Attachment.InstanceId)
	}
	for _, g := range i.Groups {
		out.Groups = append(out.Groups, aws.ToString(g.GroupId))
	}
	for _, ip := range i.PrivateIpAddresses {
		if aws.ToBool(ip.Primary) {
			out.Addresses = append([]string{aws.ToString(ip.PrivateIpAddress)}, out.Addresses...)
		} else {
			out.Addresses = append(out.Addresses, aws.ToString(ip.PrivateIpAddress))
		}
	}
	return out
}

// SetSourceDestCheck switches an interface's source/dest check. It may be done twice.
func (c *Cloud) SetSourceDestCheck(ctx context.Context, a cloud.Access, eni string, on bool) error {
	_, err := do(ctx, c, a, what{"ModifyNetworkInterfaceAttribute", eni, true}, func(ctx context.Context, api *ec2.Client) (*ec2.ModifyNetworkInterfaceAttributeOutput, error) {
		return api.ModifyNetworkInterfaceAttribute(ctx, &ec2.ModifyNetworkInterfaceAttributeInput{
			NetworkInterfaceId: aws.String(eni), SourceDestCheck: &types.AttributeBooleanValue{Value: aws.Bool(on)},
		})
	})
	return err
}
