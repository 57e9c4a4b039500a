package tui

import (
	"context"
	"errors"
	"fmt"
	"sync"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Run opens the console and returns when the person leaves or ctx ends. The terminal
// is as it was before, also after a panic, which is returned as an error.
func Run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	var p *tea.Program
	a, err := newApp(ctx, o, func(m tea.Msg) { p.Send(m) })
	if err != nil {
		return err
	}
	p = tea.NewProgram(a, programOptions(ctx, o)...)
	for _, d := range a.desks {
		running.Add(1)
		go func() { defer running.Done(); d.feed.run(ctx) }()
	}
	if o.Resized != nil {
		running.Add(1)
		go func() { defer running.Done(); relaySizes(ctx, o.Resized, p) }()
	}
	_, err = p.Run()
	if errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil || errors.Is(err, tea.ErrInterrupted) {
		return nil
	}
	return err
}

func relaySizes(ctx context.Context, sizes <-chan Size, p *tea.Program) {
	for {
		select {
		case <-ctx.Done():
			return
		case s, ok := <-sizes:
			if !ok {
				return
			}
			p.Send(tea.WindowSizeMsg{Width: s.W, Height: s.H})
		}
	}
}

// framesPerSecond is how often the screen may be drawn: a key waits for at most a
// 120th of a second before its frame is begun. Nothing is drawn that did not change.
const framesPerSecond = 120

func programOptions(ctx context.Context, o Options) []tea.ProgramOption {
	opts := []tea.ProgramOption{tea.WithContext(ctx), tea.WithFPS(framesPerSecond)}
	if o.In != nil {
		opts = append(opts, tea.WithInput(o.In))
	}
	if o.Out != nil {
		opts = append(opts, tea.WithOutput(o.Out))
	}
	if o.Env != nil {
		opts = append(opts, tea.WithEnvironment(o.Env))
	}
	if o.Width > 0 && o.Height > 0 {
		opts = append(opts, tea.WithWindowSize(o.Width, o.Height))
	}
	if o.Colors != 0 {
		opts = append(opts, tea.WithColorProfile(o.Colors))
	}
	if o.Served {
		opts = append(opts, tea.WithoutSignals())
	}
	return opts
}

// newApp makes the root model. send reaches the program once that runs.
func newApp(ctx context.Context, o Options, send func(tea.Msg)) (*app, error) {
	if len(o.Desks) == 0 {
		return nil, errors.New("opening the console: no estate to show")
	}
	if o.Lang == "" {
		o.Lang = text.English
	}
	printer, err := text.New(o.Lang)
	if err != nil {
		return nil, fmt.Errorf("opening the console: %w", err)
	}
	a := &app{opts: o, theme: theme.New(o.Theme, o.ASCII), text: printer, w: o.Width, h: o.Height}
	for i, spec := range o.Desks {
		f := &feed{desk: i, connect: spec.Connect, kits: o.Kits, send: send}
		c := ui.NewContext(ctx, f.current, a.theme, a.text, o.Kits)
		c.ReadOnly = o.ReadOnly
		d := &desk{n: i, spec: spec, ctx: c, feed: f, make: makers(), pages: map[place]ui.Page{}, asked: map[string]bool{}}
		for _, x := range spec.More {
			d.make[x.Kind] = func(c *ui.Context, _ string) ui.Page { return x.Make(c) }
		}
		d.trail = nil
		d.open(ui.Hierarchies, "")
		a.desks = append(a.desks, d)
	}
	return a, nil
}
