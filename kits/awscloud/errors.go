package awscloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/smithy-go"

	"github.com/ferry-ha/ferry/kits/cloud"
)

// classify turns the SDK's error into ours.
func classify(a cloud.Access, w what, err error) *cloud.Error {
	out := &cloud.Error{Op: w.op, Region: a.Region, Subject: w.subject, Err: err, Kind: cloud.Unreachable}
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		out.Code = api.ErrorCode()
		out.Kind = kindOfCode(out.Code, statusOf(err))
		out.Err = errors.New(plain(api)) // the SDK's own text repeats operation, status and request id
		if out.Code == "UnknownError" {  // the SDK's word for an answer that is not the API's
			out.Err = fmt.Errorf("the answer is HTTP %d and not from the AWS API: look at a proxy in between", statusOf(err))
		}
	case isCredentials(err): // before the deadline: looking for credentials in vain may take all of it
		out.Kind = cloud.Unauthorized
		out.Err = errors.New("no credentials: " + innermost(err))
	case errors.Is(err, errQueued):
		out.Kind = cloud.Throttled
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		out.Kind, out.Err = cloud.Timeout, errors.New("no answer in time")
	default:
		out.Err = lost(err)
	}
	out.Hint = hint(out, a)
	return out
}

// plain is AWS's message with its code in front, which is what one searches for.
func plain(api smithy.APIError) string {
	var batch *types.InvalidChangeBatch
	if errors.As(api, &batch) && len(batch.Messages) > 0 {
		return api.ErrorCode() + ": " + strings.Join(batch.Messages, "; ")
	}
	if api.ErrorMessage() == "" {
		return api.ErrorCode()
	}
	return api.ErrorCode() + ": " + api.ErrorMessage()
}

func statusOf(err error) int {
	var resp *awshttp.ResponseError
	if errors.As(err, &resp) {
		return resp.HTTPStatusCode()
	}
	return 0
}

func kindOfCode(code string, status int) cloud.Kind {
	if code == "PriorRequestNotComplete" {
		return cloud.Busy
	}
	if _, throttled := retry.DefaultThrottleErrorCodes[code]; throttled {
		return cloud.Throttled
	}
	switch {
	case code == "AuthFailure", code == "UnauthorizedOperation", code == "RequestExpired", code == "OptInRequired",
		code == "AccessDenied", code == "AccessDeniedException", code == "InvalidClientTokenId", code == "ExpiredToken",
		code == "ExpiredTokenException", code == "SignatureDoesNotMatch", code == "UnrecognizedClientException", code == "Blocked",
		status == http.StatusUnauthorized, status == http.StatusForbidden:
		return cloud.Unauthorized
	case strings.HasSuffix(code, ".NotFound"), code == "NoSuchHostedZone", code == "NoSuchChange":
		return cloud.NotFound
	case status >= 500, status == 0:
		return cloud.Unreachable
	}
	return cloud.Refused
}

// isCredentials says whether the call was never sent because no credentials were found.
func isCredentials(err error) bool {
	var op *smithy.OperationError
	text := err.Error()
	return errors.As(err, &op) && (strings.Contains(text, "get identity:") || strings.Contains(text, "failed to refresh cached credentials"))
}

// hint says what a person can do about it.
func hint(e *cloud.Error, a cloud.Access) string {
	switch e.Kind {
	case cloud.Throttled:
		return "AWS limits the rate of calls; nothing is known until it answers again"
	case cloud.Busy:
		return "AWS still works on an earlier change; nothing was done, try again in a minute"
	case cloud.Unauthorized:
		return unauthorizedHint(e, a)
	case cloud.Unreachable, cloud.Timeout:
		if a.Endpoint != "" {
			return "check that " + a.Endpoint + " can be reached from the engine"
		}
		return "check the engine's way to the AWS API (network, proxy, VPC endpoint)"
	case cloud.NotFound:
		return "check the id and the region; AWS may also not show yet what is new"
	}
	return ""
}

func unauthorizedHint(e *cloud.Error, a cloud.Access) string {
	switch e.Code {
	case "UnauthorizedOperation":
		return "allow ec2:" + e.Op + " to the identity the engine uses"
	case "AccessDenied", "AccessDeniedException":
		return "allow " + e.Op + " to the identity the engine uses, on this very thing"
	}
	switch a.Source {
	case cloud.FromProfile:
		return "check or renew the credentials of profile " + a.Profile
	case cloud.FromRole:
		return "attach an instance role to the machine the engine runs on"
	case cloud.FromKey:
		return "check the access key " + a.Key.ID
	}
	return "give the engine credentials: an instance role, a profile, or the AWS environment variables; check the machine's clock too"
}
