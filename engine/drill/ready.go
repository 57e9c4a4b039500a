package drill

import (
	"fmt"
	"strings"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
)

// Check is one thing that must be so before a drill begins.
type Check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
	Fix  string `json:"fix,omitempty"`
}

// Failing are the checks that are not well.
func Failing(checks []Check) []Check {
	var out []Check
	for _, c := range checks {
		if !c.OK {
			out = append(out, c)
		}
	}
	return out
}

// Ready judges whether a resource's hierarchy may go to a server as a test: everything
// is seen, nothing is degraded, nothing is going on, and the target could take it without
// loss. What is not known is not ready.
func Ready(s *api.Snapshot, x *hierarchy.Index, tag hierarchy.Tag, to string) []Check {
	r := &readiness{s: s, x: x, tag: tag, to: to, members: x.Hierarchy(tag)}
	r.engine()
	r.nodes()
	r.resources()
	r.quiet()
	r.data()
	return r.checks
}

type readiness struct {
	s       *api.Snapshot
	x       *hierarchy.Index
	tag     hierarchy.Tag
	to      string
	members []hierarchy.Tag
	checks  []Check
}

// check files one; bad lists what is not well.
func (r *readiness) check(name, well, fix string, bad []string) {
	if len(bad) == 0 {
		r.checks = append(r.checks, Check{Name: name, OK: true, Text: well})
		return
	}
	r.checks = append(r.checks, Check{Name: name, Text: strings.Join(bad, "; "), Fix: fix})
}

func (r *readiness) engine() {
	var bad []string
	if r.s.Engine.Notice != "" {
		bad = append(bad, r.s.Engine.Notice)
	}
	r.check("engine", "the engine has nothing to report about itself", "ferry status shows the notice", bad)
}

func (r *readiness) nodes() {
	cl := r.x.ClusterOf(r.to)
	var bad []string
	n := 0
	for i := range r.s.Nodes {
		st := &r.s.Nodes[i]
		if cl == nil || st.Cluster != cl.Name {
			continue
		}
		if n++; st.Verdict != policy.Alive {
			bad = append(bad, fmt.Sprintf("%s is %s", st.Name, st.Verdict))
		}
	}
	if n == 0 {
		bad = append(bad, r.to+" is in no cluster")
	}
	r.check("servers", fmt.Sprintf("all %d servers of the cluster are alive on every path", n), "ferry server show NODE tells what is missing", bad)
}

func (r *readiness) status(tag hierarchy.Tag) *api.ResourceStatus {
	for i := range r.s.Resources {
		if r.s.Resources[i].Tag == tag {
			return &r.s.Resources[i]
		}
	}
	return nil
}

func (r *readiness) resources() {
	var serving, standby []string
	at := ""
	if top := r.status(r.tag); top != nil {
		at = top.Active
	}
	for _, t := range r.members {
		st := r.status(t)
		if st == nil || st.Active == "" || st.Active != at {
			serving = append(serving, fmt.Sprintf("%s is not in service on %s", t, at))
			continue
		}
		found := false
		for k := range st.On {
			on := &st.On[k]
			if on.Server == st.Active && (on.State != hierarchy.ISP || on.Held != "") {
				serving = append(serving, fmt.Sprintf("%s is %s on %s %s", t, on.State, on.Server, on.Held))
			}
			if on.Server == r.to {
				found = true
				if on.State != hierarchy.OSU || on.Held != "" {
					standby = append(standby, fmt.Sprintf("%s is %s on %s %s", t, on.State, on.Server, on.Held))
				}
			}
		}
		if !found {
			standby = append(standby, fmt.Sprintf("%s is not extended to %s", t, r.to))
		}
	}
	if at == r.to {
		standby = append(standby, fmt.Sprintf("%s is in service on %s already", r.tag, r.to))
	}
	r.check("service", fmt.Sprintf("all %d resources are in service and unimpaired on %s", len(r.members), at), "a drill begins on a service that is well: ferry status shows what is wrong", serving)
	r.check("standby", r.to+" is out of service and unimpaired", "ferry status shows what is wrong there", standby)
}

func (r *readiness) quiet() {
	var running, holds, asked []string
	for i := range r.s.Running {
		running = append(running, fmt.Sprintf("operation %s (%s %s) runs", r.s.Running[i].ID, r.s.Running[i].Plan.Goal.Kind, r.s.Running[i].Plan.Goal.Tag))
	}
	for _, h := range r.s.Holds {
		holds = append(holds, fmt.Sprintf("%s holds %s", h.By, orAll(h.Scope)))
	}
	for i := range r.s.Questions {
		if q := &r.s.Questions[i]; q.State == policy.Pending {
			asked = append(asked, fmt.Sprintf("question %s waits for an answer", q.ID))
		}
	}
	r.check("operations", "no operation runs", "wait for its end", running)
	r.check("holds", "nothing is held", "ferry hold SCOPE --release ends a hold", holds)
	r.check("questions", "no question is open", "ferry confirm list shows it", asked)
}

func orAll(scope string) string {
	if scope == "" {
		return "the whole estate"
	}
	return scope
}

func (r *readiness) data() {
	var bad []string
	any := false
	for _, t := range r.members {
		st := r.status(t)
		if st == nil || st.Data == nil {
			continue
		}
		any = true
		d := st.Data
		switch state := d.Nodes[r.to]["state"]; {
		case d.Doubtful:
			bad = append(bad, fmt.Sprintf("what is on record of %s is in doubt", t))
		case state == "":
			bad = append(bad, fmt.Sprintf("nothing is known of the copy of %s on %s", t, r.to))
		case !strings.HasSuffix(state, "in sync"):
			bad = append(bad, fmt.Sprintf("%s on %s is: %s", t, r.to, state))
		}
	}
	if any {
		r.check("data", "the copy on "+r.to+" is in sync", "wait for the resync; ferry status shows how far it is", bad)
	}
}
