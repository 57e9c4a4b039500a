package api

import (
	"context"
	"time"
)

// NotifyTester is what an engine offers beside Service that can try the channels of the
// definition ([notify.NAME]). Client has it; whether the engine behind it has, its
// answer tells.
type NotifyTester interface {
	// TestNotify sends a test message over one channel, or over all of them (""), once.
	// KindNoSuch when there is no such channel.
	TestNotify(ctx context.Context, name string) ([]NotifyResult, error)
}

// NotifyResult is what became of one test message.
type NotifyResult struct {
	Name    string        `json:"name"`
	Channel string        `json:"channel"` // exec, webhook, mail, sns
	OK      bool          `json:"ok"`
	Took    time.Duration `json:"took"` // nanoseconds
	Error   string        `json:"error,omitempty"`
}

type notifyRequest struct {
	Name string `json:"name,omitempty"`
}

type notifyAnswer struct {
	Results []NotifyResult `json:"results"`
}

// notifyTimeout bounds a test of all channels, which are tried at the same time, each
// within its own timeout (hierarchy.MaxNotifyTimeout at most).
const notifyTimeout = 310 * time.Second

func notifyCall() call {
	return post("notify-test", Operator, true, notifyTimeout, func(ctx context.Context, s Service, in *notifyRequest, _ Caller) (any, string, error) {
		t, ok := s.(NotifyTester)
		if !ok {
			return nil, in.Name, &Error{Kind: KindUnavailable, Message: "this engine sends no notifications", Hint: "`ferry engine` does; a console's own engine does not"}
		}
		results, err := t.TestNotify(ctx, in.Name)
		return notifyAnswer{results}, in.Name, err
	})
}

// TestNotify implements NotifyTester.
func (c *Client) TestNotify(ctx context.Context, name string) ([]NotifyResult, error) {
	var out notifyAnswer
	err := c.post(ctx, notifyTimeout, "notify-test", notifyRequest{name}, &out)
	return out.Results, err
}
