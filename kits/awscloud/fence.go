package awscloud

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/ferry-ha/ferry/kits/cloud"
)

// Stop is the engine's port for fencing, with the region's own access: it pulls an instance's plug and waits until EC2
// says stopped (or terminated) or the context ends. Only nil means that the instance is off: every error, a Timeout
// above all, means "not known to be stopped".
//
// While EC2 cannot be asked, or says to slow down, the stop is asked for again until the context ends: a fence that gives
// up at the first hiccup keeps a service down. Stopping may take some minutes; give the context that long (a deadline of
// 5 minutes is ample). Options.Timeout bounds each call in it, Options.PollEvery is the pause between two looks.
func (c *Cloud) Stop(ctx context.Context, region, instance string) error {
	a := c.opts.Access(region)
	for {
		err := c.StopInstance(ctx, a, instance)
		if err == nil {
			return c.AwaitStopped(ctx, a, instance, c.opts.PollEvery)
		}
		if cloud.KindOf(err).Answered() || !pause(ctx, c.opts.PollEvery) {
			return err
		}
	}
}

// StopInstance asks EC2 to stop an instance without waiting for its operating system (SkipOsShutdown): anything else
// lets a hung guest go on for minutes. An endpoint that does not know that is asked to use force. Nil means that EC2
// accepted it, or that the instance is in no state to be stopped; AwaitStopped tells whether it is off. It may be done twice.
func (c *Cloud) StopInstance(ctx context.Context, a cloud.Access, id string) error {
	err := c.stop(ctx, a, &ec2.StopInstancesInput{InstanceIds: []string{id}, SkipOsShutdown: aws.Bool(true)})
	switch cloud.CodeOf(err) {
	case "UnknownParameter", "UnsupportedOperation", "InvalidParameterCombination":
		err = c.stop(ctx, a, &ec2.StopInstancesInput{InstanceIds: []string{id}, Force: aws.Bool(true)})
	}
	if cloud.CodeOf(err) == "IncorrectInstanceState" { // already gone for good, perhaps: the state decides, not the refusal
		return nil
	}
	return err
}

func (c *Cloud) stop(ctx context.Context, a cloud.Access, in *ec2.StopInstancesInput) error {
	_, err := do(ctx, c, a, what{"StopInstances", in.InstanceIds[0], true}, func(ctx context.Context, api *ec2.Client) (*ec2.StopInstancesOutput, error) {
		return api.StopInstances(ctx, in)
	})
	return err
}

// AwaitStopped reads an instance's state, every so often, until it is stopped or terminated: then nil. When the context
// ends first it is a Timeout. An error of a read does not end the wait, since it says nothing about the instance; only
// credentials that are not accepted do.
func (c *Cloud) AwaitStopped(ctx context.Context, a cloud.Access, instance string, every time.Duration) error {
	last := "nothing yet"
	for {
		i, err := c.Instance(ctx, a, instance)
		switch {
		case err == nil && (i.State == cloud.StateStopped || i.State == cloud.StateTerminated):
			return nil
		case err == nil:
			last = "EC2 says " + i.State
		case cloud.KindOf(err) == cloud.Unauthorized:
			return err
		case ctx.Err() == nil: // else the call was cut off by the end of the wait, which is no news
			last = err.Error()
		}
		if !pause(ctx, every) {
			return &cloud.Error{
				Kind: cloud.Timeout, Op: "waiting for stopped", Region: a.Region, Subject: instance, Err: fmt.Errorf("not stopped when the time was over: %s", last),
				Hint: "do not take it for off; look at the instance in the AWS console",
			}
		}
	}
}
