package tui

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/tui/ui"
)

// desk is one estate: its connection, its pages, the windows over them.
type desk struct {
	n     int
	spec  Desk
	ctx   *ui.Context
	feed  *feed
	make  map[ui.Kind]maker
	at    time.Time // when the last snapshot came
	why   error     // why the connection was lost last
	pages map[place]ui.Page
	trail []place           // where one has been; the last one is shown
	last  map[ui.Kind]place // the page of each kind that was opened last
	// windows lie over the page, the last one on top; it has the keys.
	windows []ui.Page
	asked   map[string]bool // questions whose prompt was opened by itself
}

// place is a page's address.
type place struct {
	kind ui.Kind
	arg  string
}

// trailLimit is how many pages one can go back.
const trailLimit = 20

func (d *desk) here() place   { return d.trail[len(d.trail)-1] }
func (d *desk) page() ui.Page { return d.pages[d.here()] }
func (d *desk) top() ui.Page {
	if n := len(d.windows); n > 0 {
		return d.windows[n-1]
	}
	return d.page()
}

func (d *desk) typing() bool {
	t, ok := d.top().(ui.Typer)
	return ok && t.Typing()
}

// open goes to a page. A page of a kind that stands in the trail already is gone back to;
// pages that are in no trail are forgotten.
func (d *desk) open(k ui.Kind, arg string) tea.Cmd {
	mk := d.make[k]
	if mk == nil {
		return nil
	}
	to := place{k, arg}
	d.windows = nil
	if arg == "" {
		to = d.lately(k)
	}
	if i := slices.Index(d.trail, to); i >= 0 {
		d.trail = d.trail[:i+1]
	} else {
		d.trail = append(d.trail, to)
	}
	if d.last == nil {
		d.last = map[ui.Kind]place{}
	}
	d.last[k] = to
	if len(d.trail) > trailLimit {
		d.trail = slices.Delete(d.trail, 0, 1)
	}
	if d.pages[to] == nil {
		for p := range d.pages {
			if p.kind == k && !slices.Contains(d.trail, p) {
				delete(d.pages, p)
			}
		}
		d.pages[to] = mk(d.ctx, arg)
		if s, ok := d.pages[to].(interface{ Init() tea.Cmd }); ok {
			return s.Init()
		}
	}
	return nil
}

// lately is the page of a kind that one was on last, whatever it is about.
func (d *desk) lately(k ui.Kind) place {
	for _, p := range slices.Backward(d.trail) {
		if p.kind == k {
			return p
		}
	}
	if p := d.last[k]; d.pages[p] != nil {
		return p
	}
	return place{kind: k}
}

// back closes the window on top, or returns to the page before.
func (d *desk) back() tea.Cmd {
	if n := len(d.windows); n > 0 {
		d.windows = d.windows[:n-1]
		return nil
	}
	if len(d.trail) > 1 {
		d.trail = d.trail[:len(d.trail)-1]
	}
	return nil
}

func (d *desk) show(w ui.Page) { d.windows = append(d.windows, w) }

func (d *desk) close(w ui.Page) {
	d.windows = slices.DeleteFunc(d.windows, func(x ui.Page) bool { return x == w })
}

// all gives a message to every page and window.
func (d *desk) all(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	for _, p := range d.pages {
		cmds = append(cmds, p.Update(msg))
	}
	for _, w := range slices.Clone(d.windows) {
		cmds = append(cmds, w.Update(msg))
	}
	return tea.Batch(cmds...)
}

// clock sets the time that ages are told from: the engine's, carried on by our own
// clock, so that a laptop whose clock is wrong still shows right ages.
func (d *desk) clock(now time.Time) {
	d.ctx.Now = now
	if !d.ctx.Est.At.IsZero() && !d.at.IsZero() {
		d.ctx.Now = d.ctx.Est.At.Add(now.Sub(d.at))
	}
}
