package awscloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/smithy-go/logging"

	"github.com/ferry-ha/ferry/kits/cloud"
)

// Options are the settings of a Cloud; the zero value is ready for use.
type Options struct {
	// Timeout bounds each call with all its tries (default 15 s: a switchover waits for it).
	Timeout time.Duration
	// Access gives a region's access for the calls that are told a region only (the engine's port).
	// Default: the SDK's default chain. The definition may change, so it is asked at each call.
	Access func(region string) cloud.Access
	// PollEvery is the pause between looks while waiting for an instance to stop (default 2 s).
	PollEvery time.Duration
	// Transport replaces the HTTP transport of the service calls and of the questions for an instance role (tests in virtual time).
	// Default: the SDK's own.
	Transport http.RoundTripper
}

// Cloud makes calls to AWS. Create one with New; it is safe for concurrent use.
type Cloud struct {
	opts Options

	// dnsRate keeps to what Route 53 lets one account ask.
	dnsRate *rate

	mu      sync.Mutex
	clients map[cloud.Access]*ec2.Client
	dns     map[cloud.Access]*route53.Client
}

// New makes a Cloud. Nothing is read and nobody is called before the first call.
func New(o Options) *Cloud {
	if o.Timeout <= 0 {
		o.Timeout = 15 * time.Second
	}
	if o.PollEvery <= 0 {
		o.PollEvery = 2 * time.Second
	}
	if o.Access == nil {
		o.Access = func(region string) cloud.Access { return cloud.Access{Region: region} }
	}
	return &Cloud{
		opts: o, dnsRate: newRate(dnsPerSecond, dnsBurst),
		clients: map[cloud.Access]*ec2.Client{}, dns: map[cloud.Access]*route53.Client{},
	}
}

// client is the SDK's client for an access, made at its first use.
func (c *Cloud) client(ctx context.Context, a cloud.Access) (*ec2.Client, error) {
	if a.Region == "" {
		return nil, noRegion()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if have := c.clients[a]; have != nil {
		return have, nil
	}
	cfg, err := c.load(ctx, a)
	if err != nil {
		return nil, credentialsError(a, err)
	}
	made := ec2.NewFromConfig(cfg, func(o *ec2.Options) {
		o.Retryer = aws.NopRetryer{}
		if a.Endpoint != "" {
			o.BaseEndpoint = aws.String(a.Endpoint)
		}
		if c.opts.Transport != nil {
			o.HTTPClient = &http.Client{Transport: c.opts.Transport}
		}
	})
	c.clients[a] = made
	return made, nil
}

func noRegion() error {
	return &cloud.Error{Kind: cloud.Refused, Op: "a call", Region: "no region", Hint: "name the region in the definition"}
}

// forget drops the clients whose credentials were not accepted: they may have been renewed in a file meanwhile.
func (c *Cloud) forget(a cloud.Access) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.clients, a)
	delete(c.dns, a)
}

// dialTimeout is short because a node's route to AWS is near: who does not answer in that time is tried again.
const dialTimeout = 5 * time.Second

// load reads the SDK's configuration. The HTTP client must be the SDK's buildable one: with AWS_CA_BUNDLE set the SDK
// refuses any other.
func (c *Cloud) load(ctx context.Context, a cloud.Access) (aws.Config, error) {
	client := awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout })
	opts := []func(*config.LoadOptions) error{config.WithRegion(a.Region), config.WithHTTPClient(client)}
	switch a.Source {
	case cloud.FromProfile:
		opts = append(opts, config.WithSharedConfigProfile(a.Profile))
	case cloud.FromKey:
		opts = append(opts, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(a.Key.ID, a.Key.Secret, a.Key.Token)))
	}
	opts = append(opts, config.WithLogger(logging.Nop{})) // it would write to stderr, over whatever is on the screen
	cfg, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return cfg, err
	}
	if a.Source == cloud.FromRole {
		cfg.Credentials = aws.NewCredentialsCache(ec2rolecreds.New(func(o *ec2rolecreds.Options) {
			o.Client = imds.NewFromConfig(cfg, func(m *imds.Options) {
				if c.opts.Transport != nil {
					m.HTTPClient, m.ClientEnableState = &http.Client{Transport: c.opts.Transport}, imds.ClientEnabled
				}
			})
		}))
	}
	return cfg, nil
}

func credentialsError(a cloud.Access, err error) error {
	hint := "check the machine's AWS configuration files"
	var missing config.SharedConfigProfileNotExistError
	if errors.As(err, &missing) {
		hint = fmt.Sprintf("add the profile %s to ~/.aws/config of the user the engine runs as", a.Profile)
	}
	return &cloud.Error{Kind: cloud.Unauthorized, Op: "reading the AWS configuration", Region: a.Region, Hint: hint, Err: err}
}
