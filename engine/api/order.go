package api

import (
	"context"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// Orderer is what a Service may offer beside the rest: tasks of a resource that keeps copies of data, which a person orders.
type Orderer interface {
	// Order has a task done, and does not wait for it: what comes of it is an event. KindNoSuch when the resource has no such
	// task, KindUnsafe when it makes no sense now.
	Order(ctx context.Context, o Order) error
}

// Order names a task.
type Order struct {
	Tag  hierarchy.Tag `json:"tag"`
	Task string        `json:"task"`         // the kit's word: verify
	By   string        `json:"by,omitempty"` // filled by the server from the peer's credential
}

func orderCall() call {
	return post("order", Operator, true, quick, func(ctx context.Context, s Service, in *Order, c Caller) (any, string, error) {
		in.By = c.Who
		summary := in.Task + " of " + string(in.Tag)
		o, err := orderer(s)
		if err != nil {
			return nil, summary, err
		}
		return empty{}, summary, o.Order(ctx, *in)
	})
}

// orderer is the service as an Orderer.
func orderer(s Service) (Orderer, error) {
	if o, ok := s.(Orderer); ok {
		return o, nil
	}
	return nil, &Error{Kind: KindUnavailable, Message: "nothing can be ordered from this engine"}
}

// Order implements Orderer.
func (c *Client) Order(ctx context.Context, o Order) error {
	return c.post(ctx, quick, "order", o, nil)
}

var _ Orderer = (*Client)(nil)
