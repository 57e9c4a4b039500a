package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/bringup"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/model"
)

// How long copies are waited for.
const (
	// beginCopying is how long each copy may take to be begun; some wait for another's beat.
	beginCopying = 30 * time.Second
	// stuckCopy is how long --wait-sync goes on while nobody copies and nothing gets on.
	stuckCopy = 3 * time.Minute
	// tellEvery is how often waiting says how far copies are.
	tellEvery = 10 * time.Second
)

// copies waits until the copies of the data are under way, or complete, and says of every hierarchy in the end
// what is wrong with it.
func (r *raising) copies(ctx context.Context) error {
	began, moved, said, shown := time.Now(), time.Now(), time.Time{}, ""
	for {
		s, err := r.look(ctx)
		if err != nil {
			return err
		}
		lines, idle := r.incomplete(s)
		text := strings.Join(lines, "\n")
		if text != shown {
			moved = time.Now()
		}
		if text != shown && time.Since(said) > tellEvery {
			for _, l := range lines {
				r.say("%s", l)
			}
			said = time.Now()
		}
		shown = text
		late := time.Since(began) > beginCopying
		if r.f.waitSync {
			late = idle > 0 && time.Since(moved) > stuckCopy
		}
		if len(lines) == 0 || late || idle == 0 && !r.f.waitSync {
			r.judge(s, late)
			return nil
		}
		if err := pause(ctx, pollEvery); err != nil {
			return err
		}
	}
}

// incomplete tells of what was in service before and is not seen so now, and of the copies of data that are not complete; idle
// is how many of these nobody does anything about.
func (r *raising) incomplete(s *api.Snapshot) (lines []string, idle int) {
	for _, w := range bringup.Make(r.x, r.reg, s) {
		was := slices.ContainsFunc(r.did, func(d BroughtUp) bool { return d.State == bringup.Done && d.Resources[0] == w.Resources[0] })
		if !was {
			continue
		}
		if w.State != bringup.Done {
			lines, idle = append(lines, view.Tags(w.Roots)+": "+view.Reason(w.Reason)), idle+1
		}
		for i := range s.Resources {
			if res := &s.Resources[i]; res.Data != nil && slices.Contains(w.Resources, res.Tag) {
				more, none := missing(res)
				lines, idle = append(lines, more...), idle+none
			}
		}
	}
	return lines, idle
}

// missing are the copies of one resource's data that are not complete.
func missing(res *api.ResourceStatus) (lines []string, idle int) {
	for _, l := range model.Legs(res) {
		if !l.Source && !l.InSync() && l.Percent < 0 && !tasked(res, l.Node) {
			idle++
		}
	}
	if res.Data.Heard.IsZero() { // nothing is told yet
		return []string{view.Tags([]hierarchy.Tag{res.Tag}) + ": nothing was heard of its copies yet"}, idle + 1
	}
	return view.Copies(res), idle
}

// tasked tells that something is being done about a node's copy.
func tasked(res *api.ResourceStatus, node string) bool {
	return slices.ContainsFunc(res.Data.Tasks, func(t api.TaskStatus) bool { return t.Node == node && t.Running })
}

// judge notes of every hierarchy in service what is impaired, and which copies are still made. late: those that nobody
// makes are a fault by now.
func (r *raising) judge(s *api.Snapshot, late bool) {
	now := bringup.Make(r.x, r.reg, s)
	for i := range r.did {
		d := &r.did[i]
		if d.State != bringup.Done {
			continue
		}
		for _, w := range now {
			if w.Resources[0] == d.Resources[0] {
				d.Work = w
			}
		}
		for j := range s.Resources {
			res := &s.Resources[j]
			if slices.Contains(d.Resources, res.Tag) {
				d.note(res, late)
			}
		}
	}
}

func (d *BroughtUp) note(res *api.ResourceStatus, late bool) {
	if res.Data != nil {
		d.Copies = append(d.Copies, view.Copies(res)...)
	}
	for _, i := range res.On {
		if i.Server != d.Node || i.State != hierarchy.ISU {
			continue
		}
		if res.Data != nil && res.Data.Impaired.Code == i.Reason.Code && !late {
			continue // copies are on their way
		}
		d.Impaired = append(d.Impaired, string(res.Tag)+": "+view.Reason(i.Reason))
	}
}
