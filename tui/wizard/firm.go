package wizard

import (
	"context"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/doctor"
	doctorpage "github.com/ferry-ha/ferry/tui/pages/doctor"
	"github.com/ferry-ha/ferry/tui/ui"
)

// When the summary is reached, the engine's doctor is asked once what it finds on the
// servers that something comes to. What speaks against the wish stands at the top; it is
// never waited for, and keeps nobody from going on.

// examineLimit is a little longer than the engine gives itself.
const examineLimit = 95 * time.Second

// mostObstacles is how many findings the summary shows whole.
const mostObstacles = 6

// checkup is what the doctor said of some servers.
type checkup struct {
	asking bool
	all    []doctor.Finding
	err    error
}

// examined is the answer.
type examined struct {
	w   *Window
	key string
	got *checkup
}

// examine asks about the servers of the judged wish, once for each set of them.
func (w *Window) examine() tea.Cmd {
	servers := w.judge.servers
	key := strings.Join(servers, "\x00")
	if len(servers) == 0 || w.checkups[key] != nil {
		return nil
	}
	w.checkups[key] = &checkup{asking: true}
	return w.c.CallWithin(examineLimit, func(ctx context.Context, s api.Service) tea.Msg {
		got := &checkup{}
		d, err := api.AsDoctor(s)
		if got.err = err; err == nil {
			var found *api.Diagnosis
			if found, got.err = d.Examine(ctx, api.Examination{Nodes: servers}); got.err == nil {
				got.all = found.Findings
			}
		}
		return examined{w, key, got}
	})
}

// checkup is what is known of the servers of the judged wish; nil = nothing is, or the
// engine is no doctor.
func (w *Window) checkup() *checkup {
	k := w.checkups[strings.Join(w.judge.servers, "\x00")]
	if k == nil || len(w.judge.servers) == 0 || api.NoDoctor(k.err) {
		return nil
	}
	return k
}

// obstacles are the findings that speak against the wish.
func (w *Window) obstacles() []doctor.Finding {
	k := w.checkup()
	if k == nil {
		return nil
	}
	return doctor.Obstacles(k.all, w.judge.kits)
}

// ground are the summary's lines about them.
func (w *Window) ground(width int) []string {
	all := w.obstacles()
	var out []string
	for _, f := range all[:min(len(all), mostObstacles)] {
		out = append(out, doctorpage.Brief(w.c, f, width)...)
	}
	if n := len(all) - mostObstacles; n > 0 {
		out = append(out, ui.Wrap(w.c.T("wizard.doctor-more", "n", n), width)...)
	}
	return out
}

// firm says in one line where the doctor stands.
func (w *Window) firm() string {
	c, k := w.c, w.checkup()
	if k == nil {
		return ""
	}
	fails, all := 0, w.obstacles()
	for _, f := range all {
		if f.Verdict == doctor.Fail {
			fails++
		}
	}
	switch {
	case k.asking:
		return c.Accent.Render(c.Spinner() + " " + c.T("wizard.doctor-looking"))
	case k.err != nil:
		return c.Theme.Unknown.Render(c.Marks.Unknown + " " + c.T("wizard.doctor-failed", "why", ui.Clean(api.AsError(k.err).Message)))
	case fails > 0:
		return c.Bad.Render(c.Marks.Failed + " " + c.T("wizard.doctor-fails", "n", fails))
	case len(all) > 0:
		return c.Theme.Unknown.Render(c.Marks.Unknown + " " + c.T("wizard.doctor-unknown", "n", len(all)))
	}
	return c.Good.Render(c.Done + " " + c.T("wizard.doctor-clear"))
}
