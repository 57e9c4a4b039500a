package main

import (
	"fmt"
	"strings"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
)

// progress shows an operation: live on a terminal, one line per change in a pipe.
type progress struct {
	app   *cli
	live  bool
	lines int // of the live picture
	seen  map[string]string
}

func newProgress(a *cli) *progress {
	return &progress{app: a, live: term.IsTerminal(a.err) && a.getenv("TERM") != "dumb", seen: map[string]string{}}
}

func (p *progress) draw(o *api.Operation) {
	if p.live {
		p.redraw(o)
		return
	}
	for i, s := range o.Plan.Steps {
		for _, ss := range o.Steps {
			if ss.ID != s.ID || ss.Status == "waiting" || ss.Status == "" || p.seen[s.ID] == ss.Status {
				continue
			}
			p.seen[s.ID] = ss.Status
			fmt.Fprint(p.app.err, view.StepLine(o, i, ss, p.app.now()))
		}
	}
}

func (p *progress) redraw(o *api.Operation) {
	text := view.Progress(o, p.app.errStyle, p.app.now(), max(p.app.errStyle.Height-2, 5))
	out := ""
	if p.lines > 0 {
		out = fmt.Sprintf("\x1b[%dA\x1b[J", p.lines)
	}
	fmt.Fprint(p.app.err, out+text)
	p.lines = strings.Count(text, "\n")
}

// note says something beside the steps; what was drawn stays above it.
func (p *progress) note(text string) {
	p.lines = 0
	if p.live { // the terminal has echoed ^C there
		text = "\r\x1b[K" + text
	}
	p.app.say("%s", text)
}

func (p *progress) end() { p.lines = 0 }
