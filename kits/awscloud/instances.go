package awscloud

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ferry-ha/ferry/kits/cloud"
)

// InstanceState is the engine's port: what EC2 says about an instance, with the region's own access. EC2 lags reality.
// An error means that EC2 could not be asked or does not know the instance; neither says anything about it.
func (c *Cloud) InstanceState(ctx context.Context, region, instance string) (string, error) {
	i, err := c.Instance(ctx, c.opts.Access(region), instance)
	if err != nil {
		return "", err
	}
	return i.State, nil
}

// Instance reads state and status checks of an instance, in one call.
func (c *Cloud) Instance(ctx context.Context, a cloud.Access, id string) (cloud.Instance, error) {
	at := time.Now()
	out, err := do(ctx, c, a, what{"DescribeInstanceStatus", id, true}, func(ctx context.Context, api *ec2.Client) (*ec2.DescribeInstanceStatusOutput, error) {
		return api.DescribeInstanceStatus(ctx, &ec2.DescribeInstanceStatusInput{InstanceIds: []string{id}, IncludeAllInstances: aws.Bool(true)})
	})
	if err != nil {
		return cloud.Instance{}, err
	}
	for _, s := range out.InstanceStatuses {
		if aws.ToString(s.InstanceId) == id {
			return instanceOf(s, at), nil
		}
	}
	return cloud.Instance{}, &cloud.Error{
		Kind: cloud.NotFound, Op: "DescribeInstanceStatus", Region: a.Region, Subject: id,
		Hint: "AWS answered without the instance; that does not mean that it is gone", Err: errors.New("the answer is empty"),
	}
}

func instanceOf(s types.InstanceStatus, at time.Time) cloud.Instance {
	out := cloud.Instance{ID: aws.ToString(s.InstanceId), State: cloud.StateUnknown, At: at, System: checkWord(s.SystemStatus), Checks: checkWord(s.InstanceStatus)}
	if s.InstanceState != nil {
		out.State = stateWord(string(s.InstanceState.Name))
	}
	return out
}

func stateWord(name string) string {
	switch name {
	case cloud.StatePending, cloud.StateRunning, cloud.StateStopping, cloud.StateStopped, cloud.StateShuttingDown, cloud.StateTerminated:
		return name
	}
	return cloud.StateUnknown
}

// checkWord gives a status check's result; insufficient-data and whatever we do not know are unknown.
func checkWord(s *types.InstanceStatusSummary) string {
	if s == nil {
		return cloud.StateUnknown
	}
	switch s.Status {
	case types.SummaryStatusOk, types.SummaryStatusImpaired, types.SummaryStatusInitializing, types.SummaryStatusNotApplicable:
		return string(s.Status)
	}
	return cloud.StateUnknown
}

// pause waits; false when the context ends first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
