package main

import (
	"context"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
)

// lastStatus shows what the last engine recorded: the very first snapshot of an
// engine that was opened on its state just now and has not seen anything itself.
// Its time is that of the newest record; when things changed after that, nobody
// noticed.
func (a *cli) lastStatus(ctx context.Context, c *conn, check bool) error {
	s, err := c.snapshot(ctx)
	if err != nil {
		return err
	}
	at, err := newest(ctx, c, s)
	if err != nil {
		return err
	}
	last := *s
	last.At = at
	last.Engine = api.EngineInfo{Epoch: s.Engine.Epoch, Notice: s.Engine.Notice}
	if err := a.print(statusDocument(&last), func() string { return view.Status(&last, a.outStyle, a.now()) }); err != nil {
		return err
	}
	a.say("notice: no engine runs, nothing is watched; ferry status --look looks at the nodes now")
	if !check {
		return nil
	}
	return fail(api.KindUnavailable, "systemctl start ferry starts it", "no engine runs: what is shown is the last record")
}

// newest is the time of the newest record: a look, a change, an event.
func newest(ctx context.Context, c *conn, s *api.Snapshot) (time.Time, error) {
	var at time.Time
	later := func(all ...time.Time) {
		for _, t := range all {
			if t.After(at) && (s.Engine.Since.IsZero() || t.Before(s.Engine.Since)) {
				at = t
			}
		}
	}
	for _, n := range s.Nodes {
		later(n.Seen, n.Since)
	}
	for _, r := range s.Resources {
		for _, i := range r.On {
			later(i.Checked, i.Since)
		}
	}
	events, err := c.Events(ctx, 0, lookBack)
	for _, e := range events {
		later(e.At)
	}
	return at, err
}
