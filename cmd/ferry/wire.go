package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/fleet"
	"github.com/ferry-ha/ferry/internal/demo"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui"
)

// deps is everything the commands need from the rest of the house. wired fills it
// for the product, the tests fill it with a service of their own.
type deps struct {
	// registry is the kits this program was built with.
	registry func() kits.Registry
	// dial connects to the engine behind a socket. Nobody listening must be
	// recognisable by errors.Is: fs.ErrNotExist or ECONNREFUSED.
	dial func(ctx context.Context, socket string) (api.Service, error)
	// dialFor connects as dial does, to act for a person: in that name, with that role.
	dialFor func(ctx context.Context, socket string, who api.Caller) (api.Service, error)
	// openLocal runs an engine in this process that acts only on what it is asked,
	// until Close. The context is for opening alone.
	openLocal func(ctx context.Context, o engineOptions) (api.Service, error)
	// runEngine runs the acting engine until ctx ends; then it returns nil.
	runEngine func(ctx context.Context, o engineOptions) error
	// nodes is how adopt reaches nodes; nil = real SSH.
	nodes fleet.Dialer
	// demo runs the guided tour; openDemo is the simulated estate for the console.
	demo     func(ctx context.Context, out io.Writer, o demoOptions) error
	openDemo func(ctx context.Context, o demo.Options) (*demo.Demo, error)
	// look looks at a drill's target as a client does; nil = over the network of this machine.
	look func(ctx context.Context, target string) error
	// console shows the console until the person leaves.
	console func(ctx context.Context, o tui.Options) error
}

// engineOptions say how an engine is run.
type engineOptions struct {
	StateDir string
	Socket   string
	// Automation: recover and fail over without being asked.
	Automation bool
	// Create: a state directory that is not there yet may be made.
	Create bool
	// Who appears as the leader: user@host (pid).
	Who     string
	Version string
	Log     *slog.Logger
	// Metrics is where metrics and health are shown; empty = nowhere.
	Metrics string
}

// demoOptions say how the tour is told.
type demoOptions struct {
	Style term.Style
	// Brisk leaves the pauses for reading out; Small takes the estate without data.
	Brisk, Small bool
}
