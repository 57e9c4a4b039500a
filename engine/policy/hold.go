package policy

import (
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// Hold is a maintenance hold: until a time, automation starts nothing of what it
// covers. Checks and verdicts go on, people's commands and answers work, nothing new
// is asked. What is wrong when it ends is acted on then.
type Hold struct {
	// Scope: "" is the whole estate; else the name of a cluster, of a node (nothing is
	// done about what it holds, and nothing is moved to it), or a resource's full tag
	// (its whole hierarchy). Where a cluster and a node share a name, both are meant.
	Scope string    `json:"scope"`
	Until time.Time `json:"until"`
	By    string    `json:"by"`
	Why   string    `json:"why,omitempty"`
	Since time.Time `json:"since"`
	// Warned: its end has been announced.
	Warned bool `json:"warned,omitempty"`
}

// holdWarning is how long before its end a hold is announced to end.
const holdWarning = 5 * time.Minute

// holdKey names a hold in the store; the estate's scope is empty, which no key may be.
func holdKey(scope string) string {
	if scope == "" {
		scope = "*"
	}
	return "hold/" + scope
}

func scopeOf(name string) string {
	if name == "*" {
		return ""
	}
	return name
}

// reason renders one of the texts about a hold.
func (h *Hold) reason(code string, pairs ...string) kits.Reason {
	scope := h.Scope
	if scope == "" {
		scope = "the whole estate"
	}
	r := why(code, append(pairs, "scope", scope, "by", h.By, "until", h.Until.UTC().Format("2006-01-02 15:04:05"), "why", h.Why)...)
	if h.Why != "" {
		r.Text += " " + h.By + " says: " + h.Why
	}
	return r
}

// setHold puts a hold in force or releases it.
func (s *step) setHold(in SetHold) {
	was, there := s.Holds[in.Scope]
	shown := &Hold{Scope: in.Scope, Until: in.Until, By: in.By}
	switch {
	case !s.isScope(in.Scope) && !there:
		s.refuse(in.Scope, RefusedNoSuch, shown.reason("hold-no-scope"))
	case in.By == "":
		s.refuse(in.Scope, RefusedInvalid, shown.reason("hold-no-name"))
	case in.Until.IsZero() && !there:
		s.refuse(in.Scope, RefusedNoSuch, shown.reason("hold-none"))
	case in.Until.IsZero():
		was.By, was.Why = in.By, in.Why
		s.endHold(was, "info", "hold-released")
		s.out(Accepted{ID: in.Scope})
	case !in.Until.After(s.now):
		s.refuse(in.Scope, RefusedInvalid, shown.reason("hold-past"))
	default:
		s.putHold(in, was, there)
		s.out(Accepted{ID: in.Scope})
	}
}

func (s *step) putHold(in SetHold, was Hold, changed bool) {
	h := Hold{Scope: in.Scope, Until: in.Until, By: in.By, Why: in.Why, Since: s.now}
	h.Warned = in.Until.Sub(s.now) <= holdWarning
	code := "hold-set"
	if changed {
		h.Since, code = was.Since, "hold-changed"
	}
	s.Holds[in.Scope] = h
	s.dirt(holdKey(in.Scope))
	s.holdEvent(&h, "warning", code)
	s.touchAll()
}

func (s *step) holdEvent(h *Hold, severity, code string) {
	e := Event{Kind: "hold", Severity: severity, By: h.By, Reason: h.reason(code)}
	if s.x.Server(h.Scope) != nil {
		e.Node = h.Scope
	} else if s.x.Resource(hierarchy.Tag(h.Scope)) != nil {
		e.Tag = hierarchy.Tag(h.Scope)
	}
	s.event(e)
}

func (s *step) endHold(h Hold, severity, code string) {
	delete(s.Holds, h.Scope)
	s.dirt(holdKey(h.Scope))
	s.holdEvent(&h, severity, code)
	for c, id := range s.asking { // silence during the hold was nobody's answer
		if q := s.Questions[id]; q != nil && !q.Until.IsZero() && s.heldBy(c, q.From) == nil {
			q.Until = s.now.Add(s.x.Seconds(q.To, hierarchy.ConfirmSoTo))
			s.dirt(questionKey(id))
		}
	}
	s.touchAll()
}

// holdsEnd lets holds end whose time is up, and announces those that soon will.
func (s *step) holdsEnd() {
	for _, scope := range sorted(s.Holds) {
		h := s.Holds[scope]
		switch {
		case !s.now.Before(h.Until):
			s.endHold(h, "warning", "hold-ended")
		case !h.Warned && h.Until.Sub(s.now) <= holdWarning:
			h.Warned = true
			s.Holds[scope] = h
			s.dirt(holdKey(scope))
			s.holdEvent(&h, "warning", "hold-ends")
		}
	}
}

func (w *World) isScope(scope string) bool {
	return scope == "" || w.x.Cluster(scope) != nil || w.x.Server(scope) != nil || w.x.Resource(hierarchy.Tag(scope)) != nil
}

// forgetHolds drops holds on what the definition does not name any more.
func (w *World) forgetHolds() {
	for scope := range w.Holds {
		if !w.isScope(scope) {
			delete(w.Holds, scope)
			w.dirt(holdKey(scope))
		}
	}
}

// heldBy is the hold that keeps automation from a hierarchy's part on a node: of
// several, the one that ends last. Nil = none.
func (w *World) heldBy(c int, node string) *Hold {
	var last *Hold
	for scope, h := range w.Holds {
		t := hierarchy.Tag(scope)
		covers := scope == "" || scope == node || scope == w.comps[c][0].Cluster() ||
			w.x.Resource(t) != nil && w.x.HierarchyID(t) == c
		if covers && (last == nil || h.Until.After(last.Until) || h.Until.Equal(last.Until) && h.Scope < last.Scope) {
			last = &h
		}
	}
	return last
}

// heldNode is the hold on a node itself.
func (w *World) heldNode(node string) *Hold {
	if h, ok := w.Holds[node]; ok {
		return &h
	}
	return nil
}

// idle tells that automation starts nothing about a hierarchy's part on a node.
func (s *step) idle(c int, node string) bool {
	return !s.Automation || len(s.Holds) > 0 && s.heldBy(c, node) != nil
}

// idleReason is why it is idle, and what it leaves to people. A question that stands
// stays for them to answer.
func (s *step) idleReason(c int, node string, a ActionKind, t hierarchy.Tag, to string) kits.Reason {
	if !s.Automation {
		return why("automation-off", "action", string(a), "tag", string(t), "node", to)
	}
	s.keep = true
	return s.heldBy(c, node).reason("held-by", "action", string(a), "tag", string(t), "node", to)
}
