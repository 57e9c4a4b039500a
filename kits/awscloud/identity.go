package awscloud

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ferry-ha/ferry/kits/cloud"
)

// identity asks STS whom AWS takes an access for, which needs no permission. Nothing is kept: the credentials are looked up anew.
func (c *Cloud) identity(ctx context.Context, a cloud.Access) cloud.Identity {
	out := cloud.Identity{Access: a}
	if a.Region == "" {
		out.Err = noRegion()
		return out
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	cfg, err := c.load(ctx, a)
	if err != nil {
		out.Err = credentialsError(a, err)
		return out
	}
	client := sts.NewFromConfig(cfg, func(o *sts.Options) {
		o.Retryer = aws.NopRetryer{}
		if end := identityEndpoint(a.Endpoint); end != "" {
			o.BaseEndpoint = aws.String(end)
		}
		if c.opts.Transport != nil {
			o.HTTPClient = &http.Client{Transport: c.opts.Transport}
		}
	})
	said, failed := try(ctx, a, what{"GetCallerIdentity", "", true}, func(ctx context.Context) (*sts.GetCallerIdentityOutput, error) {
		return client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	})
	switch {
	case failed != nil:
		out.Err = failed
	case aws.ToString(said.Arn) == "":
		out.Err = &cloud.Error{Kind: cloud.Unreachable, Op: "GetCallerIdentity", Region: a.Region, Err: errors.New("the answer is empty")}
	default:
		out.ARN = aws.ToString(said.Arn)
	}
	if key, err := cfg.Credentials.Retrieve(ctx); err == nil {
		out.Lasting = key.SessionToken == ""
	}
	return out
}

// identityEndpoint is where STS is asked when EC2's endpoint was replaced: whoever stands in for AWS as a whole stands in for STS, too,
// and an address of AWS's own, such as a VPC endpoint, is EC2's alone.
func identityEndpoint(ec2 string) string {
	u, err := url.Parse(ec2)
	if err != nil || ec2 == "" {
		return ""
	}
	for _, own := range []string{"amazonaws.com", "amazonaws.com.cn", "api.aws"} {
		if h := strings.ToLower(u.Hostname()); h == own || strings.HasSuffix(h, "."+own) {
			return ""
		}
	}
	return ec2
}
