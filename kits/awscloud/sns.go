package awscloud

import (
	"context"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/ferry-ha/ferry/kits/cloud"
)

// Publish hands a text to an SNS topic. The region is the one in the topic's ARN; the
// profile is one of the machine's, empty for the SDK's default chain; the endpoint
// replaces AWS's own. SNS's subject is ASCII, at most 100 characters. A publication that
// got no answer is tried again, so that a topic may get it twice.
func (c *Cloud) Publish(ctx context.Context, topic, profile, endpoint, subject, text string) error {
	a := cloud.Access{Region: topicRegion(topic), Endpoint: endpoint}
	if profile != "" {
		a.Source, a.Profile = cloud.FromProfile, profile
	}
	if a.Region == "" {
		return noRegion()
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	cfg, err := c.load(ctx, a)
	if err != nil {
		return credentialsError(a, err)
	}
	client := sns.NewFromConfig(cfg, func(o *sns.Options) { // messages are rare: none is kept
		o.Retryer = aws.NopRetryer{}
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		if c.opts.Transport != nil {
			o.HTTPClient = &http.Client{Transport: c.opts.Transport}
		}
	})
	in := &sns.PublishInput{TopicArn: aws.String(topic), Message: aws.String(text)}
	if subject != "" {
		in.Subject = aws.String(subject)
	}
	_, failed := try(ctx, a, what{"Publish", topic, true}, func(ctx context.Context) (*sns.PublishOutput, error) {
		return client.Publish(ctx, in)
	})
	if failed != nil {
		return failed
	}
	return nil
}

// topicRegion is the region in arn:aws:sns:REGION:ACCOUNT:NAME; empty when it is no ARN.
func topicRegion(arn string) string {
	if p := strings.Split(arn, ":"); len(p) == 6 {
		return p[3]
	}
	return ""
}
