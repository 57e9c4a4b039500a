package ui

import (
	"context"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// away stands for an engine that cannot be reached: every call says so.
type away struct{}

var errAway = &api.Error{Kind: api.KindUnavailable, Message: "the engine does not answer", Hint: "the console connects again by itself"}

func (away) Snapshot(context.Context) (*api.Snapshot, error)             { return nil, errAway }
func (away) Watch(context.Context, int64) (<-chan api.Update, error)     { return nil, errAway }
func (away) Events(context.Context, int64, int) ([]api.Event, error)     { return nil, errAway }
func (away) Operations(context.Context, int) ([]api.Operation, error)    { return nil, errAway }
func (away) Preview(context.Context, api.Command) (*api.Preview, error)  { return nil, errAway }
func (away) Submit(context.Context, api.Command) (*api.Submitted, error) { return nil, errAway }
func (away) Answer(context.Context, api.Answer) error                    { return errAway }
func (away) Apply(context.Context, api.Apply) (*api.Applied, error)      { return nil, errAway }
func (away) Export(context.Context) (*hierarchy.Estate, error)           { return nil, errAway }
func (away) SetTuning(context.Context, string, string, string) error     { return errAway }
func (away) Children(context.Context, api.Prospect) ([]api.Found, error) { return nil, errAway }
func (away) SetHold(context.Context, api.Hold) error                     { return errAway }
func (away) GracefulStop(context.Context, string) error                  { return errAway }
func (away) Close() error                                                { return nil }
func (away) Choices(context.Context, string, string, string, map[string]string) ([]string, error) {
	return nil, errAway
}
