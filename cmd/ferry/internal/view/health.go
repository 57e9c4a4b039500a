package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
)

// Health sums a snapshot up. Failed: a resource that does not run although it
// should, because it failed. Degraded: impaired or unknown states, a failed
// standby, nodes that are not plainly alive, held or unfenced resources, pending
// questions, a notice of the engine. What a person took out of service is neither.
func Health(s *api.Snapshot) (failed, degraded []string) {
	for _, q := range PendingOf(s) {
		degraded = append(degraded, "question "+name(q.ID)+" waits for an answer")
	}
	if s.Engine.Notice != "" {
		degraded = append(degraded, term.Clean(s.Engine.Notice))
	}
	for _, n := range s.Nodes {
		if n.Verdict != policy.Alive {
			degraded = append(degraded, name(n.Name)+" "+verdict(n.Verdict))
		}
	}
	for i := range s.Resources {
		f, d := resourceHealth(&s.Resources[i])
		failed, degraded = append(failed, f...), append(degraded, d...)
	}
	return failed, degraded
}

func resourceHealth(r *api.ResourceStatus) (failed, degraded []string) {
	tag := name(string(r.Tag))
	if r.Claim != nil && r.Claim.Unfenced {
		degraded = append(degraded, tag+" claim unfenced")
	}
	runs := false
	for _, i := range r.On {
		runs = runs || i.State.InService()
	}
	for _, i := range r.On {
		what := fmt.Sprintf("%s %s on %s", tag, name(string(i.State)), name(i.Server))
		active := r.Active == i.Server
		switch {
		case i.State == hierarchy.OSF && (active || !runs), i.State == hierarchy.OSU && active:
			failed = append(failed, what)
		case i.State == hierarchy.ISP || i.State == hierarchy.OSU:
		default:
			degraded = append(degraded, what)
		}
		if i.Held != "" {
			degraded = append(degraded, tag+" held on "+name(i.Server))
		}
	}
	return failed, degraded
}

// Changed says, a line each, what became different from one snapshot to the next:
// what status --watch appends in a pipe.
func Changed(before, after *api.Snapshot, st term.Style, now time.Time) string {
	p := newPage(st, now)
	p.changedNodes(before, after)
	p.changedResources(before, after)
	p.changedQuestions(before, after)
	p.changedEngine(before, after)
	return p.String()
}

func (p *page) changed(format string, args ...any) {
	p.wrapped(p.now.Format(time.TimeOnly)+" ", term.Plain, fmt.Sprintf(format, args...))
}

func (p *page) changedNodes(before, after *api.Snapshot) {
	was := map[string]policy.Verdict{}
	for _, n := range before.Nodes {
		was[n.Name] = n.Verdict
	}
	for _, n := range after.Nodes {
		if was[n.Name] == n.Verdict {
			continue
		}
		why := ""
		if len(n.Evidence) > 0 && n.Verdict != policy.Alive {
			why = ": " + Reason(n.Evidence[0])
		}
		p.changed("node %s: %s %s %s%s", name(n.Name), verdict(was[n.Name]), p.st.Mark(term.Arrow), verdict(n.Verdict), why)
	}
}

func (p *page) changedResources(before, after *api.Snapshot) {
	was := map[hierarchy.Ref]hierarchy.State{}
	active := map[hierarchy.Tag]string{}
	for _, r := range before.Resources {
		active[r.Tag] = r.Active
		for _, i := range r.On {
			was[hierarchy.Ref{Tag: r.Tag, Node: i.Server}] = i.State
		}
	}
	for _, r := range after.Resources {
		for _, i := range r.On {
			if w := was[hierarchy.Ref{Tag: r.Tag, Node: i.Server}]; w != i.State {
				p.changed("%s on %s: %s %s %s%s", name(string(r.Tag)), name(i.Server), word(string(w)), p.st.Mark(term.Arrow), word(string(i.State)), because(i))
			}
		}
		if w := active[r.Tag]; w != r.Active {
			p.changed("%s active: %s %s %s", name(string(r.Tag)), word(w), p.st.Mark(term.Arrow), word(r.Active))
		}
	}
}

func because(i api.InstanceStatus) string {
	if why := Reason(i.Reason); why != "" && i.State != hierarchy.ISP && i.State != hierarchy.OSU {
		return ": " + why
	}
	return ""
}

func word(s string) string {
	if s == "" {
		return "none"
	}
	return name(s)
}

func (p *page) changedQuestions(before, after *api.Snapshot) {
	was := map[string]policy.QuestionState{}
	for _, q := range before.Questions {
		was[q.ID] = q.State
	}
	for _, q := range after.Questions {
		if was[q.ID] == q.State {
			continue
		}
		if q.State == policy.Pending {
			p.question(q, after)
			continue
		}
		p.changed("question %s: %s", name(q.ID), strings.TrimSpace(name(string(q.State))+" "+name(q.Answer)+" "+by(q)))
	}
}

func (p *page) changedEngine(before, after *api.Snapshot) {
	b, a := before.Engine, after.Engine
	if b.Who != a.Who || b.Epoch != a.Epoch {
		p.changed("engine %s leads", name(a.Who))
	}
	if b.Automation != a.Automation {
		p.changed("automation %s", map[bool]string{true: "ON", false: "OFF"}[a.Automation])
	}
	if a.Notice != "" && a.Notice != b.Notice {
		p.changed("NOTICE %s", term.Clean(a.Notice))
	}
}
