package awscloud

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/ferry-ha/ferry/kits/cloud"
)

// what is one call: its name and subject for errors, and whether doing it twice does no harm.
type what struct {
	op, subject string
	repeatable  bool
}

// The pauses between tries: doubling from first to cap, each shortened at random by up to a half, so that several
// engines or checks that were throttled together do not come back together.
const (
	firstPause = 100 * time.Millisecond
	capPause   = 4 * time.Second
	// lostTries is how often a call that got no answer is made: once more covers a dropped connection, a second time a
	// short outage; longer ones are the caller's to see.
	lostTries = 3
)

// do makes one call to EC2 with its tries until it succeeds, is answered, or the deadline is over.
func do[T any](ctx context.Context, c *Cloud, a cloud.Access, w what, call func(context.Context, *ec2.Client) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	client, err := c.client(ctx, a)
	if err != nil {
		var none T
		return none, err
	}
	out, failed := try(ctx, a, w, func(ctx context.Context) (T, error) { return call(ctx, client) })
	if failed == nil {
		return out, nil
	}
	if failed.Kind == cloud.Unauthorized {
		c.forget(a)
	}
	return out, failed
}

// try makes a call until it succeeds, is answered, or the deadline is over. The error is nil when it succeeded.
func try[T any](ctx context.Context, a cloud.Access, w what, call func(context.Context) (T, error)) (T, *cloud.Error) {
	var none T
	pause := firstPause
	for lost := 0; ; {
		out, err := call(ctx)
		if err == nil {
			return out, nil
		}
		failed := classify(a, w, err)
		if failed.Kind == cloud.Unreachable {
			lost++
		}
		if !again(failed.Kind, w, lost) || !wait(ctx, pause) {
			return none, failed
		}
		pause = min(2*pause, capPause)
	}
}

// again says whether a call that ended so is worth another try.
func again(k cloud.Kind, w what, lost int) bool {
	return k == cloud.Throttled || k == cloud.Busy || k == cloud.Unreachable && w.repeatable && lost < lostTries
}

// wait pauses; false when the deadline comes first.
func wait(ctx context.Context, pause time.Duration) bool {
	pause -= rand.N(pause / 2)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= pause {
		return false
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
