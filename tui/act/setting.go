package act

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/ui"
)

// tuningJob sets a tuning value.
type tuningJob struct {
	c    *ui.Context
	wish ui.Wish
	row  hierarchy.Tuning
	bad  string // what is wrong with the wish
}

func newTuning(c *ui.Context, w ui.Wish) *tuningJob {
	j := &tuningJob{c: c, wish: w}
	t := w.Tuning
	row, ok := hierarchy.TuningFor(t.Name, c.Kits)
	switch {
	case !ok:
		j.bad = c.T("act.tuning-unknown", "name", ui.Clean(t.Name))
	case t.Value != "":
		if _, err := row.Fix(t.Value); err != nil {
			j.bad = c.T("act.tuning-wrong", "name", ui.Clean(t.Name), "value", ui.Clean(t.Value), "why", ui.Clean(err.Error()))
		}
	}
	j.row = row
	return j
}

func (j *tuningJob) need() api.Role                                        { return api.Administrator }
func (j *tuningJob) look() func(context.Context, api.Service) (any, error) { return nil }
func (j *tuningJob) saw(any)                                               {}
func (j *tuningJob) word() (string, string)                                { return "", "" }
func (j *tuningJob) extra() []ui.Action                                    { return nil }
func (j *tuningJob) press(string) bool                                     { return false }

func (j *tuningJob) off() string {
	if j.bad != "" {
		return j.bad
	}
	if v, own := j.set(); own && v == j.value() || !own && j.wish.Tuning.Value == "" {
		return j.c.T("act.off-no-change")
	}
	return ""
}

// set is the value that is set at this very place; own is false when none is.
func (j *tuningJob) set() (value string, own bool) {
	e, t := j.c.Est.Index.Estate(), j.wish.Tuning
	where := e.Tuning
	if t.Node != "" {
		where = nil
		if s := e.Server(t.Node); s != nil {
			where = s.Tuning
		}
	}
	value, own = where[t.Name]
	return value, own
}

// value is the wished one as it will be written.
func (j *tuningJob) value() string {
	if v, err := j.row.Fix(j.wish.Tuning.Value); err == nil {
		return v
	}
	return j.wish.Tuning.Value
}

// now is the value in force, and then the one that would be after it is taken away here.
func (j *tuningJob) now() edit.Value {
	if all := edit.Values(j.c.Est.Index, []hierarchy.Tuning{j.row}, j.wish.Tuning.Node); len(all) > 0 {
		return all[0]
	}
	return edit.Value{}
}

// below is what holds when nothing is set here.
func (j *tuningJob) below() string {
	if t := j.wish.Tuning; t.Node != "" {
		if v, ok := j.c.Est.Index.Estate().Tuning[t.Name]; ok {
			return v
		}
	}
	return j.row.Default
}

func (j *tuningJob) send(string) func(context.Context, api.Service) (any, error) {
	t := *j.wish.Tuning
	return func(ctx context.Context, s api.Service) (any, error) {
		return nil, s.SetTuning(ctx, t.Node, t.Name, t.Value)
	}
}

func (j *tuningJob) sent(any) (op, say string) {
	return "", j.c.T("act.tuning-set", "name", ui.Clean(j.wish.Tuning.Name), "value", j.after())
}

func (j *tuningJob) after() string {
	if j.wish.Tuning.Value == "" {
		return ui.Clean(j.below())
	}
	return ui.Clean(j.value())
}

func (j *tuningJob) command() string {
	if j.wish.Command != "" {
		return j.wish.Command
	}
	t := j.wish.Tuning
	line := "ferry tuning set " + ui.ShellWords(t.Name)
	if t.Value == "" {
		line += " --unset"
	} else {
		line += " " + ui.ShellWords(t.Value)
	}
	if t.Node != "" {
		line += " --on " + ui.ShellWords(t.Node)
	}
	return line
}

func (j *tuningJob) sections() []section {
	c, t := j.c, j.wish.Tuning
	return []section{{main: true, lines: func(w int) []string {
		var out []string
		if j.bad != "" {
			for _, l := range ui.Wrap(c.Marks.Failed+" "+j.bad, w) {
				out = append(out, c.Bad.Render(l))
			}
			return out
		}
		v := j.now()
		where := c.T("act.all-servers")
		if t.Node != "" {
			where = ui.Clean(t.Node)
		}
		to := j.after()
		if t.Value == "" {
			to = c.T("act.tuning-back", "value", to)
		}
		pairs := []string{c.T("act.tuning-name"), ui.Clean(t.Name), c.T("act.tuning-where"), where,
			c.T("act.tuning-now"), ui.Clean(v.Value) + "  (" + j.from(v.From) + ")", c.T("act.tuning-new"), c.Strong.Render(to)}
		if j.row.Help != "" {
			pairs = append(pairs, c.T("act.tuning-means"), ui.Clean(j.row.Help))
		}
		pairs = append(pairs, c.T("act.when"), c.T("act.when-at-once"))
		if own := j.elsewhere(); t.Node == "" && len(own) > 0 {
			pairs = append(pairs, c.T("act.untouched"), c.T("act.tuning-own", "nodes", strings.Join(own, ", ")))
		}
		return ui.Pairs(c.Theme, w, pairs...)
	}}}
}

// from says who set a value.
func (j *tuningJob) from(s string) string {
	if name, ok := strings.CutPrefix(s, "server "); ok {
		return j.c.T("act.tuning-from-own", "name", ui.Clean(name))
	}
	if name, ok := strings.CutPrefix(s, "cluster "); ok {
		return j.c.T("act.tuning-from-cluster", "name", ui.Clean(name))
	}
	switch s {
	case "default":
		return j.c.T("act.tuning-from-default")
	case "all servers":
		return j.c.T("act.tuning-from-all")
	case "cluster's shape":
		return j.c.T("act.tuning-from-shape")
	}
	return ui.Clean(s)
}

// elsewhere are the servers that have a value of their own, which a value for all does
// not touch.
func (j *tuningJob) elsewhere() []string {
	var out []string
	for _, s := range j.c.Est.Index.Estate().Servers {
		if v, ok := s.Tuning[j.wish.Tuning.Name]; ok {
			out = append(out, ui.Clean(s.Name+" = "+v))
		}
	}
	return out
}

// holdJob keeps automation quiet, or ends that.
type holdJob struct {
	c    *ui.Context
	wish ui.Wish
}

func (j *holdJob) need() api.Role                                        { return api.Operator }
func (j *holdJob) look() func(context.Context, api.Service) (any, error) { return nil }
func (j *holdJob) saw(any)                                               {}
func (j *holdJob) extra() []ui.Action                                    { return nil }
func (j *holdJob) press(string) bool                                     { return false }

// old is the hold of this scope in force; nil when there is none.
func (j *holdJob) old() *api.HoldStatus {
	holds := j.c.Est.Holds
	if i := slices.IndexFunc(holds, func(h api.HoldStatus) bool { return h.Scope == j.wish.Hold.Scope }); i >= 0 {
		return &holds[i]
	}
	return nil
}

func (j *holdJob) off() string {
	h := j.wish.Hold
	switch {
	case h.Until.IsZero() && j.old() == nil:
		return j.c.T("act.hold-none")
	case !h.Until.IsZero() && !h.Until.After(j.c.Now):
		return j.c.T("act.hold-past")
	}
	return ""
}

// word asks for the reason where the wish has none: those who come later wonder.
func (j *holdJob) word() (want, prompt string) {
	if j.wish.Hold.Until.IsZero() || strings.TrimSpace(j.wish.Hold.Why) != "" {
		return "", ""
	}
	return "", j.c.T("act.hold-why")
}

func (j *holdJob) send(typed string) func(context.Context, api.Service) (any, error) {
	h := *j.wish.Hold
	if strings.TrimSpace(h.Why) == "" {
		h.Why = typed
	}
	return func(ctx context.Context, s api.Service) (any, error) { return nil, s.SetHold(ctx, h) }
}

func (j *holdJob) sent(any) (op, say string) {
	if j.wish.Hold.Until.IsZero() {
		return "", j.c.T("act.hold-released")
	}
	return "", j.c.T("act.hold-set", "until", j.c.Clock(j.c.Now, j.wish.Hold.Until))
}

func (j *holdJob) command() string {
	h := j.wish.Hold
	if j.wish.Command != "" {
		return j.wish.Command
	}
	line := "ferry hold"
	if h.Scope != "" {
		line += " " + ui.ShellWords(h.Scope)
	}
	if h.Until.IsZero() {
		return line + " --release"
	}
	why := h.Why
	if why == "" {
		why = "WHY"
	}
	return line + " --for " + span(h.Until.Sub(j.c.Now)) + " --why " + ui.ShellWords(why)
}

// span writes a time as the flag takes it, in whole minutes: "2h", "1h30m".
func span(d time.Duration) string {
	s := strings.TrimSuffix(max(d.Round(time.Minute), time.Minute).String(), "0s")
	if strings.Contains(s, "h") {
		s = strings.TrimSuffix(s, "h0m") + map[bool]string{true: "h"}[strings.HasSuffix(s, "h0m")]
	}
	return s
}

func (j *holdJob) sections() []section {
	c, h := j.c, j.wish.Hold
	return []section{{main: true, lines: func(w int) []string {
		scope := ui.Clean(h.Scope)
		if scope == "" {
			scope = c.T("act.hold-estate")
		}
		old := c.T("act.hold-not")
		if o := j.old(); o != nil {
			old = c.T("act.hold-now", "until", c.Clock(c.Now, o.Until), "by", ui.Clean(o.By), "why", ui.Clean(o.Why))
		}
		to := c.T("act.hold-ends")
		if !h.Until.IsZero() {
			to = c.T("act.hold-new", "until", c.Clock(c.Now, h.Until), "span", c.Span(h.Until.Sub(c.Now).Round(time.Second)))
		}
		pairs := []string{c.T("act.hold-scope"), scope, c.T("act.tuning-now"), old, c.T("act.tuning-new"), c.Strong.Render(to)}
		if h.Why != "" {
			pairs = append(pairs, c.T("act.hold-reason"), ui.Clean(h.Why))
		}
		what := c.T("act.hold-means")
		if h.Until.IsZero() {
			what = c.T("act.hold-means-end")
		}
		pairs = append(pairs, c.T("act.hold-effect"), what, c.T("act.when"), c.T("act.when-at-once"))
		return ui.Pairs(c.Theme, w, pairs...)
	}}}
}
