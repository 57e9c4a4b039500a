package cell

import (
	"strconv"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Face is how a resource on a server looks in short.
type Face struct {
	Mark string
	// Word is the state in three letters.
	Word string
	// Alert is STALE, DUAL or HELD; empty when it is none of them.
	Alert string
	Tone  Tone
	// Active: this is where the resource belongs now.
	Active bool
}

// FaceOf is a cell's face. A state that is as it should be is quiet; what nobody may
// overlook has a word of its own beside the state.
func FaceOf(c *ui.Context, r *api.ResourceStatus, i *api.InstanceStatus) Face {
	f := Face{Word: Word(i.State), Active: model.Holder(r) == i.Server}
	f.Mark, f.Tone = markOf(c, i.State, f.Active)
	switch {
	case Dual(i):
		f.Alert = c.T("hierarchies.alert-dual")
	case model.Stale(r, i):
		f.Alert = c.T("hierarchies.alert-stale")
	case i.Held != "":
		f.Alert = c.T("hierarchies.alert-held")
	default:
		return f
	}
	f.Mark, f.Tone = c.Attention, Alarm
	return f
}

func markOf(c *ui.Context, s hierarchy.State, active bool) (string, Tone) {
	switch s {
	case hierarchy.ISP:
		if !active { // in service, and nobody claims it
			return c.Marks.InService, Warn
		}
		return c.Marks.InService, Active
	case hierarchy.ISU:
		return c.Marks.Impaired, Warn
	case hierarchy.OSU:
		return c.Marks.Standby, Standby
	case hierarchy.OSF:
		return c.Marks.Failed, Bad
	}
	return c.Marks.Unknown, NotKnown
}

// Word is a state in three letters.
func Word(s hierarchy.State) string {
	switch s {
	case hierarchy.ISP, hierarchy.ISU, hierarchy.OSU, hierarchy.OSF:
		return string(s)
	}
	return "ILL"
}

// Dual tells that two claims on the resource cannot be ordered: a person has to decide.
func Dual(i *api.InstanceStatus) bool { return i.HeldWhy.Code == "held-dual" }

// Text is the face in at most w cells, with the priority and the age as far as there is
// room. moving, when not empty, stands instead of the mark.
func (f Face) Text(c *ui.Context, i *api.InstanceStatus, w int, moving string) string {
	mark := f.Mark
	if moving != "" {
		mark = moving
	}
	s := mark + " " + f.Word
	if f.Alert != "" {
		if s += " " + f.Alert; ui.Width(s) > w {
			s = mark + " " + f.Alert
		}
	}
	if p := " " + strconv.Itoa(i.Priority); i.Priority > 0 && ui.Width(s+p) <= w {
		s += p
	}
	if age := " " + Short(c, i.Since); !i.Since.IsZero() && ui.Width(s+age) <= w {
		s += age
	}
	return ui.Fit(s, w)
}

// Short is the age of something in one unit: 42s, 3h, 12d.
func Short(c *ui.Context, t time.Time) string {
	d := max(0, c.Now.Sub(t))
	switch {
	case d >= 24*time.Hour:
		d = d.Truncate(24 * time.Hour)
	case d >= time.Hour:
		d = d.Truncate(time.Hour)
	case d >= time.Minute:
		d = d.Truncate(time.Minute)
	default:
		return strconv.Itoa(int(d.Seconds())) + "s"
	}
	return c.Span(d)
}

// Ago is the age of something for a sentence, in whole seconds: tenths would flicker.
func Ago(c *ui.Context, t time.Time) string {
	if d := c.Now.Sub(t); !t.IsZero() && d < 10*time.Second {
		return strconv.Itoa(max(0, int(d.Seconds()))) + "s"
	}
	return c.Ago(t)
}

// NodeFace is a server's mark, verdict and tone.
func NodeFace(c *ui.Context, n *api.NodeStatus) (mark, word string, tone Tone) {
	if n == nil {
		return c.Marks.NotKnown, c.T("common.verdict-unknown"), NotKnown
	}
	switch n.Verdict {
	case policy.Alive:
		return c.Marks.Alive, c.T("common.verdict-alive"), Good
	case policy.Degraded:
		return c.Marks.Degraded, c.T("common.verdict-degraded"), Warn
	case policy.Hung, policy.Presumed, policy.Dead:
		return c.Marks.Dead, c.T("common.verdict-" + string(n.Verdict)), Bad
	}
	return c.Marks.NotKnown, c.T("common.verdict-unknown"), NotKnown
}

// There tells that a node can be acted on.
func There(n *api.NodeStatus) bool {
	return n != nil && (n.Verdict == policy.Alive || n.Verdict == policy.Degraded)
}
