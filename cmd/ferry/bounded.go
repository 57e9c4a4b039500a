package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// The longest that one call may take. Asking and answering ends at the engine; a
// preview asks every veto of a hierarchy on its nodes, across regions, as does a change
// that puts a tunnel on them.
const (
	callTimeout    = 30 * time.Second
	previewTimeout = 2 * time.Minute
)

// bounded gives every call its deadline, so that an engine that hangs does not
// hang the command.
type bounded struct{ api.Service }

func within[T any](ctx context.Context, d time.Duration, what string, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, d, fail(api.KindTimeout,
		"look at the engine's log; ferry status tells whether it answers", "%s: no answer from the engine within %s", what, d))
	defer cancel()
	v, err := f(ctx)
	if err != nil && context.Cause(ctx) != nil && ctx.Err() == context.DeadlineExceeded {
		return v, context.Cause(ctx)
	}
	if err != nil {
		return v, fmt.Errorf("%s: %w", what, err)
	}
	return v, nil
}

func (b bounded) Snapshot(ctx context.Context) (*api.Snapshot, error) {
	return within(ctx, callTimeout, "reading the estate", b.Service.Snapshot)
}

func (b bounded) Events(ctx context.Context, after int64, limit int) ([]api.Event, error) {
	return within(ctx, callTimeout, "reading events", func(ctx context.Context) ([]api.Event, error) {
		return b.Service.Events(ctx, after, limit)
	})
}

func (b bounded) Operations(ctx context.Context, limit int) ([]api.Operation, error) {
	return within(ctx, callTimeout, "reading operations", func(ctx context.Context) ([]api.Operation, error) {
		return b.Service.Operations(ctx, limit)
	})
}

func (b bounded) Preview(ctx context.Context, c api.Command) (*api.Preview, error) {
	return within(ctx, previewTimeout, "making the plan", func(ctx context.Context) (*api.Preview, error) {
		return b.Service.Preview(ctx, c)
	})
}

func (b bounded) Submit(ctx context.Context, c api.Command) (*api.Submitted, error) {
	return within(ctx, callTimeout, "starting the operation", func(ctx context.Context) (*api.Submitted, error) {
		return b.Service.Submit(ctx, c)
	})
}

func (b bounded) Answer(ctx context.Context, ans api.Answer) error {
	_, err := within(ctx, callTimeout, "answering", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, b.Service.Answer(ctx, ans)
	})
	return err
}

func (b bounded) Apply(ctx context.Context, ap api.Apply) (*api.Applied, error) {
	return within(ctx, previewTimeout, "applying the definition", func(ctx context.Context) (*api.Applied, error) {
		return b.Service.Apply(ctx, ap)
	})
}

func (b bounded) Export(ctx context.Context) (*hierarchy.Estate, error) {
	return within(ctx, callTimeout, "reading the definition", b.Service.Export)
}

func (b bounded) SetHold(ctx context.Context, h api.Hold) error {
	_, err := within(ctx, callTimeout, "holding", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, b.Service.SetHold(ctx, h)
	})
	return err
}

func (b bounded) Choices(ctx context.Context, kit, field, node string, attrs map[string]string) ([]string, error) {
	return within(ctx, callTimeout, "loading the choices", func(ctx context.Context) ([]string, error) {
		return b.Service.Choices(ctx, kit, field, node, attrs)
	})
}

func (b bounded) Children(ctx context.Context, p api.Prospect) ([]api.Found, error) {
	return within(ctx, previewTimeout, "asking the servers", func(ctx context.Context) ([]api.Found, error) {
		return b.Service.Children(ctx, p)
	})
}
