package view

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// Resources is the list of resources: what each is, where it runs, where it may.
func Resources(s *api.Snapshot, st term.Style) string {
	p := newPage(st, time.Time{})
	var rows [][]string
	var tones []term.Tone
	for i := range s.Resources {
		r := &s.Resources[i]
		state, tone := stateWhereItMatters(r)
		tones = append(tones, tone)
		var on []string
		for _, i := range r.On {
			on = append(on, name(i.Server)+" "+strconv.Itoa(i.Priority))
		}
		rows = append(rows, []string{name(string(r.Tag)), name(r.Kit), switchbackOf(s, r.Tag), state, strings.Join(on, ", ")})
	}
	p.table([]string{"resource", "kit", "switchback", "state", "servers by priority"}, rows, tones...)
	return p.String()
}

// stateWhereItMatters is the state on the active server, or the worst one elsewhere.
func stateWhereItMatters(r *api.ResourceStatus) (string, term.Tone) {
	if i := on(r, r.Active); i != nil {
		return string(i.State) + " " + name(i.Server), stateTone(i.State, true)
	}
	for _, s := range []hierarchy.State{hierarchy.OSF, hierarchy.ILLSTATE} {
		for _, i := range r.On {
			if i.State == s {
				return string(s) + " " + name(i.Server), stateTone(s, false)
			}
		}
	}
	return string(hierarchy.OSU), term.Plain
}

func switchbackOf(s *api.Snapshot, t hierarchy.Tag) string {
	for i := range s.Estate.Res {
		if s.Estate.Res[i].Tag == t {
			return name(string(s.Estate.Res[i].Switchback))
		}
	}
	return ""
}

// Resource is everything about one resource: the definition with its fields, its
// relatives, and its state on each server.
func Resource(x *hierarchy.Index, r *hierarchy.Resource, status *api.ResourceStatus, fields []kits.Field, st term.Style, now time.Time) string {
	p := newPage(st, now)
	p.line("%s  kit %s", p.st.Paint(term.Bold, name(string(r.Tag))), name(r.Kit))
	p.pair("switchback", switchbackWords(r.Switchback))
	p.pair("needed by", shortList(x.Parents(r.Tag)))
	p.pair("needs", shortList(x.Children(r.Tag)))
	if h := x.Hierarchy(r.Tag); len(h) > 1 {
		p.pair("moves with", shortList(slices.DeleteFunc(slices.Clone(h), func(t hierarchy.Tag) bool { return t == r.Tag })))
	}
	p.fieldLines(r.Attrs, fields)
	p.line("")
	var rows [][]string
	var tones []term.Tone
	for _, pl := range x.PlacementsByPriority(r.Tag) {
		row, tone := p.placement(pl, status)
		rows, tones = append(rows, row), append(tones, tone)
	}
	p.table([]string{"server", "priority", "state", "checked", "own fields"}, rows, tones...)
	if status != nil {
		var rs remarks
		states := *status
		states.Data = nil // told in full below
		p.remarks(&rs, &states)
		for _, m := range rs {
			p.wrapped(p.st.Paint(m.tone, "  ! "), term.Plain, strings.TrimPrefix(strings.TrimPrefix(m.text, " "), ": "))
		}
	}
	p.data(status)
	return p.String()
}

func (p *page) placement(pl hierarchy.Placement, status *api.ResourceStatus) ([]string, term.Tone) {
	var own []string
	for _, k := range slices.Sorted(maps.Keys(pl.Attrs)) {
		own = append(own, name(k)+"="+name(pl.Attrs[k]))
	}
	row := []string{name(pl.Server), strconv.Itoa(pl.Priority), "", "", strings.Join(own, " ")}
	if status == nil {
		return row, term.Plain
	}
	i := on(status, pl.Server)
	if i == nil {
		return row, term.Plain
	}
	row[2], row[3] = string(i.State), Age(p.now, i.Checked)
	if status.Active == pl.Server {
		row[2] = p.st.Mark(term.Active) + row[2]
	}
	return row, stateTone(i.State, status.Active == pl.Server)
}

// pairWidth holds the longest name in front of a value.
const pairWidth = 14

func (p *page) pair(key, value string) {
	if value != "" {
		p.wrapped("  "+term.Pad(key, max(pairWidth, term.Width(key)+1)), term.Plain, value)
	}
}

// fieldLines are the fields in their kit's order, then what the kit does not know.
func (p *page) fieldLines(attrs map[string]string, fields []kits.Field) {
	shown := map[string]bool{}
	for _, f := range fields {
		if v, there := attrs[f.Name]; there {
			p.pair(f.Name, name(v))
			shown[f.Name] = true
		}
	}
	for _, k := range slices.Sorted(maps.Keys(attrs)) {
		if !shown[k] {
			p.pair(name(k), name(attrs[k]))
		}
	}
}

func shortList(all []hierarchy.Tag) string {
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = short(t)
	}
	return strings.Join(names, ", ")
}

func switchbackWords(s hierarchy.Switchback) string {
	if s == hierarchy.Automatic {
		return "automatic: returns to the best server when that comes back"
	}
	return "intelligent: stays where it is until told"
}

// Dependencies lists who needs whom, by cluster.
func Dependencies(x *hierarchy.Index, st term.Style) string {
	p := newPage(st, time.Time{})
	var rows [][]string
	for i := range x.Estate().Res {
		r := &x.Estate().Res[i]
		for _, c := range x.Children(r.Tag) {
			rows = append(rows, []string{name(string(r.Tag)), name(string(c))})
		}
	}
	if len(rows) == 0 {
		return "no resource needs another\n"
	}
	p.table([]string{"parent", "needs child"}, rows)
	return p.String()
}

// Servers is the list of servers.
func Servers(s *api.Snapshot, st term.Style) string {
	p := newPage(st, time.Time{})
	var rows [][]string
	for _, n := range s.Nodes {
		strategy := ""
		if srv := s.Estate.Server(n.Name); srv != nil {
			strategy = hierarchy.ShutdownWord(srv.SwitchOnShutdown)
		}
		rows = append(rows, []string{name(n.Name), name(n.Cluster), name(n.Region) + " " + zone(n), verdict(n.Verdict), strategy})
	}
	p.table([]string{"server", "cluster", "place", "verdict", "when shut down"}, rows)
	return p.String()
}

// Server is one server, with the form of its flags: a row for each server of its
// cluster, itself included, with both boxes.
func Server(s *api.Snapshot, x *hierarchy.Index, srv *hierarchy.Server, st term.Style, now time.Time) string {
	p := newPage(st, now)
	p.line("%s", p.st.Paint(term.Bold, name(srv.Name)))
	cl := x.ClusterOf(srv.Name)
	if cl != nil {
		p.pair("cluster", name(cl.Name))
	}
	p.pair("place", name(srv.Region)+" "+name(srv.Zone))
	p.pair("address", name(srv.Address))
	p.pair("connect", name(srv.Connect))
	p.pair("interface", name(srv.Interface))
	p.pair("instance", name(srv.Instance))
	p.pair("eni", name(srv.ENI))
	p.pair("shut down", hierarchy.ShutdownWord(srv.SwitchOnShutdown)+" when it is shut down in good order")
	for _, n := range s.Nodes {
		if n.Name == srv.Name {
			p.line("")
			p.node(n, nodeWidths([]api.NodeStatus{n}))
		}
	}
	if cl != nil {
		p.line("")
		p.form(x, cl, srv.Name)
	}
	return p.String()
}

func (p *page) form(x *hierarchy.Index, cl *hierarchy.Cluster, viewer string) {
	box := func(set bool) string {
		if set {
			return "[x]"
		}
		return "[ ]"
	}
	var rows [][]string
	for _, peer := range cl.Servers {
		f := x.Flag(viewer, peer)
		rows = append(rows, []string{box(f.Confirm), box(f.Block), name(peer)})
	}
	p.table([]string{"confirm failover", "block failover", "server"}, rows)
	p.wrapped("", term.Dim, "Confirm: before "+name(viewer)+" takes over from that server, a person must say yes. "+
		"Block: a failure of a resource on that server never moves it to "+name(viewer)+".")
}

// Tuning is the table of values in force; where somebody set one, who.
func Tuning(values []edit.Value, st term.Style) string {
	p := newPage(st, time.Time{})
	var rows [][]string
	var tones []term.Tone
	for _, v := range values {
		tone := term.Plain
		if v.From != "default" {
			tone = term.Name
		}
		rows, tones = append(rows, []string{v.Name, orDash(name(v.Default)), v.From, orDash(name(v.Value))}), append(tones, tone)
	}
	p.table([]string{"name", "default", "set by", "value"}, rows, tones...)
	return p.String()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// TuningName is one name: what it means, its bounds, and its value on each server.
func TuningName(t hierarchy.Tuning, rows [][]string, st term.Style) string {
	p := newPage(st, time.Time{})
	p.line("%s", p.st.Paint(term.Bold, t.Name))
	p.pair("meaning", name(t.Help))
	p.pair("default", orDash(name(t.Default)))
	p.pair("range", tuningRange(t))
	p.line("")
	p.table([]string{"server", "set by", "value"}, rows)
	return p.String()
}

func tuningRange(t hierarchy.Tuning) string {
	switch t.Kind {
	case hierarchy.TuningSeconds:
		return fmt.Sprintf("%d to %d seconds", t.Min, t.Max)
	case hierarchy.TuningCount:
		return fmt.Sprintf("%d to %d", t.Min, t.Max)
	case hierarchy.TuningSwitch:
		return "0 or 1"
	case hierarchy.TuningWord:
		return strings.Join(t.Choices, ", ")
	}
	return ""
}

// Holds lists the maintenance holds in force.
func Holds(holds []api.HoldStatus, st term.Style, now time.Time) string {
	p := newPage(st, now)
	var rows [][]string
	for _, h := range holds {
		rows = append(rows, []string{HoldScope(h.Scope), Clock(now, h.Until), "in " + Span(max(h.Until.Sub(now), 0)), name(h.By), name(h.Why)})
	}
	p.table([]string{"held", "until", "ends", "by", "why"}, rows)
	return p.String()
}

// HoldScope names what a hold is on.
func HoldScope(scope string) string {
	if scope == "" {
		return "the whole estate"
	}
	return name(scope)
}
