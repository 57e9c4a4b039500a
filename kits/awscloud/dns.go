package awscloud

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/ferry-ha/ferry/kits/cloud"
)

var _ cloud.DNS = (*Cloud)(nil)

// askDNS makes one call to Route 53: do for another service, and at the rate one account may ask.
func askDNS[T any](ctx context.Context, c *Cloud, a cloud.Access, w what, call func(context.Context, *route53.Client) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	client, err := c.dnsClient(ctx, a)
	if err != nil {
		var none T
		return none, err
	}
	said := a
	said.Region = homeOfDNS(a.Region) // where to look when something is wrong with it
	out, failed := try(ctx, said, w, func(ctx context.Context) (T, error) {
		if err := c.dnsRate.wait(ctx); err != nil {
			var none T
			return none, errQueued
		}
		return call(ctx, client)
	})
	if failed == nil {
		return out, nil
	}
	if failed.Kind == cloud.Unauthorized {
		c.forget(a)
	}
	return out, failed
}

// errQueued: the call was never sent, because too many were before it.
var errQueued = errors.New("too many calls to Route 53 are waiting in this engine")

// dnsClient is the SDK's Route 53 client for an access, made at its first use.
func (c *Cloud) dnsClient(ctx context.Context, a cloud.Access) (*route53.Client, error) {
	if a.Region == "" {
		return nil, noRegion()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if have := c.dns[a]; have != nil {
		return have, nil
	}
	cfg, err := c.load(ctx, a)
	if err != nil {
		return nil, credentialsError(a, err)
	}
	made := route53.NewFromConfig(cfg, func(o *route53.Options) {
		o.Retryer = aws.NopRetryer{}
		o.Region = homeOfDNS(a.Region)
		if a.Endpoint != "" {
			o.BaseEndpoint = aws.String(a.Endpoint)
		}
		if c.opts.Transport != nil {
			o.HTTPClient = &http.Client{Transport: c.opts.Transport}
		}
	})
	c.dns[a] = made
	return made, nil
}

// homeOfDNS is the region for which calls to Route 53 are signed: one per partition, wherever the caller is. The SDK
// knows that for AWS's own endpoints only, not for an override.
func homeOfDNS(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "cn-northwest-1"
	case strings.HasPrefix(region, "us-gov-"):
		return "us-gov-west-1"
	}
	return "us-east-1"
}

// Zones lists every hosted zone of the account, all pages.
func (c *Cloud) Zones(ctx context.Context, a cloud.Access) ([]cloud.Zone, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	in := &route53.ListHostedZonesInput{}
	var zones []cloud.Zone
	for {
		out, err := askDNS(ctx, c, a, what{"ListHostedZones", "", true}, func(ctx context.Context, api *route53.Client) (*route53.ListHostedZonesOutput, error) {
			return api.ListHostedZones(ctx, in)
		})
		if err != nil {
			return nil, err
		}
		for _, z := range out.HostedZones {
			zones = append(zones, zoneOf(z))
		}
		if !out.IsTruncated || aws.ToString(out.NextMarker) == "" {
			return zones, nil
		}
		in.Marker = out.NextMarker
	}
}

// Zone reads one hosted zone with its name servers.
func (c *Cloud) Zone(ctx context.Context, a cloud.Access, id string) (cloud.Zone, error) {
	out, err := askDNS(ctx, c, a, what{"GetHostedZone", id, true}, func(ctx context.Context, api *route53.Client) (*route53.GetHostedZoneOutput, error) {
		return api.GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: aws.String(id)})
	})
	if err != nil {
		return cloud.Zone{}, err
	}
	if out.HostedZone == nil {
		return cloud.Zone{}, emptyAnswer("GetHostedZone", a, id)
	}
	z := zoneOf(*out.HostedZone)
	if out.DelegationSet != nil && !z.Private {
		z.Servers = out.DelegationSet.NameServers
	}
	return z, nil
}

func zoneOf(z types.HostedZone) cloud.Zone {
	return cloud.Zone{
		ID: bare(aws.ToString(z.Id)), Name: cloud.DNSName(aws.ToString(z.Name)),
		Private: z.Config != nil && z.Config.PrivateZone, Foreign: z.LinkedService != nil,
	}
}

// bare is an id without the path that Route 53 writes before it: "/hostedzone/Z1" is Z1.
func bare(id string) string { return id[strings.LastIndex(id, "/")+1:] }

// emptyAnswer is an answer that lacks what was asked for: nothing is known.
func emptyAnswer(op string, a cloud.Access, subject string) error {
	return &cloud.Error{
		Kind: cloud.Unreachable, Op: op, Region: a.Region, Subject: subject, Err: errors.New("the answer is empty"),
		Hint: "AWS answered without what was asked for; ask again",
	}
}
