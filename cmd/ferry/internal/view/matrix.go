package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// row is one line of a cluster's tree.
type row struct {
	branch string // tree lines in front of the tag
	res    *api.ResourceStatus
	again  bool // shown in full further up, under another parent
}

func (p *page) matrices(s *api.Snapshot) {
	for _, c := range clusters(s) {
		var res []*api.ResourceStatus
		for i := range s.Resources {
			if s.Resources[i].Cluster == c {
				res = append(res, &s.Resources[i])
			}
		}
		p.line("")
		p.matrix(c, serversOf(s, c, res), p.tree(res))
	}
}

func clusters(s *api.Snapshot) []string {
	var out []string
	for _, r := range s.Resources {
		if !slices.Contains(out, r.Cluster) {
			out = append(out, r.Cluster)
		}
	}
	return out
}

// serversOf are the cluster's servers in the definition's order; what the
// resources name beside them follows.
func serversOf(s *api.Snapshot, cluster string, res []*api.ResourceStatus) []string {
	var out []string
	if s.Estate != nil {
		for _, c := range s.Estate.Cluster {
			if c.Name == cluster {
				out = slices.Clone(c.Servers)
			}
		}
	}
	for _, r := range res {
		for _, i := range r.On {
			if !slices.Contains(out, i.Server) {
				out = append(out, i.Server)
			}
		}
	}
	return out
}

// tree orders a cluster's resources: parents above what they need. A child of two
// parents is drawn in full once.
func (p *page) tree(res []*api.ResourceStatus) []row {
	byTag := map[hierarchy.Tag]*api.ResourceStatus{}
	child := map[hierarchy.Tag]bool{}
	for _, r := range res {
		byTag[r.Tag] = r
		for _, c := range r.Children {
			child[c] = true
		}
	}
	t := treeWalk{p: p, byTag: byTag, drawn: map[hierarchy.Tag]bool{}}
	for _, r := range res {
		if !child[r.Tag] {
			t.add(r, "", "")
		}
	}
	for _, r := range res { // what only a cycle reaches must not vanish
		if !t.drawn[r.Tag] {
			t.add(r, "", "")
		}
	}
	return t.rows
}

type treeWalk struct {
	p     *page
	byTag map[hierarchy.Tag]*api.ResourceStatus
	drawn map[hierarchy.Tag]bool
	rows  []row
}

func (t *treeWalk) add(r *api.ResourceStatus, branch, below string) {
	again := t.drawn[r.Tag]
	t.drawn[r.Tag] = true
	t.rows = append(t.rows, row{branch, r, again})
	if again {
		return
	}
	var kids []*api.ResourceStatus
	for _, c := range r.Children {
		if k := t.byTag[c]; k != nil {
			kids = append(kids, k)
		}
	}
	for i, k := range kids {
		if i == len(kids)-1 {
			t.add(k, below+t.p.st.Mark(term.Last), below+"   ")
		} else {
			t.add(k, below+t.p.st.Mark(term.Branch), below+t.p.st.Mark(term.Through))
		}
	}
}

// checkedWidth holds the ages of the last column.
const checkedWidth = 8

// matrix draws the tree against the servers. When they do not fit side by side,
// the tree is repeated for the next ones: a tag or a name that is cut could be
// taken for another.
func (p *page) matrix(cluster string, servers []string, rows []row) {
	left := term.Width("cluster " + name(cluster))
	for _, r := range rows {
		left = max(left, term.Width(p.label(r)))
	}
	for len(servers) > 0 {
		n := p.fit(servers, rows, left)
		p.block(cluster, servers[:n], rows, left, n == len(servers))
		servers = servers[n:]
		if len(servers) > 0 {
			p.line("")
		}
	}
	var rs remarks
	for _, r := range rows {
		if !r.again {
			p.remarks(&rs, r.res)
		}
	}
	for _, m := range rs {
		p.wrapped(p.st.Paint(m.tone, "  ! "), term.Plain, strings.Join(m.tags, ", ")+m.text)
	}
}

func (p *page) label(r row) string {
	l := r.branch + short(r.res.Tag)
	if r.again {
		l += " " + p.st.Mark(term.Up)
	}
	return l
}

func (p *page) fit(servers []string, rows []row, left int) int {
	room := p.st.Columns() - left - checkedWidth - 1
	for i, s := range servers {
		if room -= 2 + columnWidth(s, rows); room < 0 {
			return max(i, 1)
		}
	}
	return len(servers)
}

func columnWidth(server string, rows []row) int {
	w := term.Width(name(server))
	for _, r := range rows {
		if i := on(r.res, server); i != nil {
			w = max(w, 1+len(cellText(i)))
		}
	}
	return w
}

func on(r *api.ResourceStatus, server string) *api.InstanceStatus {
	for i := range r.On {
		if r.On[i].Server == server {
			return &r.On[i]
		}
	}
	return nil
}

func cellText(i *api.InstanceStatus) string {
	state := term.Clean(string(i.State))
	if state == "" {
		state = string(hierarchy.ILLSTATE)
	}
	s := fmt.Sprintf("%s %d", state, i.Priority)
	if i.Held != "" {
		s += " H"
	}
	return s
}

func (p *page) block(cluster string, servers []string, rows []row, left int, last bool) {
	head := p.st.Paint(term.Bold, term.Pad("cluster "+name(cluster), left))
	widths := make([]int, len(servers)) // once: each looks at every row
	for i, s := range servers {
		widths[i] = columnWidth(s, rows)
		head += "  " + p.st.Paint(term.Bold, term.Pad(name(s), widths[i]))
	}
	if last {
		head += "  " + p.st.Paint(term.Dim, "checked")
	}
	p.line("%s", head)
	for _, r := range rows {
		l := term.Pad(p.label(r), left)
		for i, s := range servers {
			l += "  " + p.cell(r, s, widths[i])
		}
		if last && !r.again {
			l += "  " + p.st.Paint(term.Dim, p.checked(r.res))
		}
		p.line("%s", l)
	}
}

func (p *page) cell(r row, server string, w int) string {
	i := on(r.res, server)
	if i == nil || r.again {
		return term.Pad(" "+p.st.Mark(term.Waiting), w)
	}
	mark := " "
	if r.res.Active == server {
		mark = p.st.Mark(term.Active)
	}
	return p.st.Paint(stateTone(i.State, r.res.Active == server), term.Pad(mark+cellText(i), w))
}

func stateTone(s hierarchy.State, active bool) term.Tone {
	switch s {
	case hierarchy.ISP:
		return term.Good
	case hierarchy.ISU:
		return term.Warn
	case hierarchy.OSF:
		return term.Bad
	case hierarchy.OSU:
		if active { // it should run here and does not
			return term.Bad
		}
		return term.Plain
	}
	return term.Warn
}

// checked is the age of the last check where the resource is active; where it is
// active nowhere, of the oldest check.
func (p *page) checked(r *api.ResourceStatus) string {
	if i := on(r, r.Active); i != nil {
		return Age(p.now, i.Checked)
	}
	if len(r.On) == 0 {
		return ""
	}
	oldest := r.On[0].Checked
	for _, i := range r.On {
		if i.Checked.Before(oldest) {
			oldest = i.Checked
		}
	}
	return Age(p.now, oldest)
}

// remarks are the lines under the table: whatever is not plainly well, and why.
// What holds for several resources, like a node that is gone, is said once.
type remarks []remark

type remark struct {
	tone term.Tone
	tags []string
	text string
}

func (rs *remarks) add(tone term.Tone, tag, text string) {
	for i := range *rs {
		if m := &(*rs)[i]; m.text == text && m.tone == tone {
			m.tags = append(m.tags, tag)
			return
		}
	}
	*rs = append(*rs, remark{tone, []string{tag}, text})
}

func (p *page) remarks(rs *remarks, r *api.ResourceStatus) {
	tag := short(r.Tag)
	if r.Claim != nil && r.Claim.Unfenced {
		rs.add(term.Warn, tag, fmt.Sprintf(": claim %d of %s is UNFENCED: the node before it was not proven dead and may still run it",
			r.Claim.Number, name(r.Claim.Node)))
	}
	for i := range r.On {
		in := &r.On[i]
		if note := p.note(r, in); note != "" {
			rs.add(stateTone(in.State, r.Active == in.Server), tag, fmt.Sprintf(" on %s: %s", name(in.Server), note))
		}
		if in.Held != "" {
			rs.add(term.Warn, tag, fmt.Sprintf(" on %s: HELD, automation leaves it alone: %s", name(in.Server), term.Clean(in.Held)))
		}
	}
	if text := dataRemark(r); text != "" {
		rs.add(term.Warn, tag, ": "+text)
	}
}

// note says why an instance is not plainly ISP or OSU; empty when it is.
func (p *page) note(r *api.ResourceStatus, i *api.InstanceStatus) string {
	why := Reason(i.Reason)
	switch {
	case i.State == hierarchy.ISP && r.Active == i.Server:
		return ""
	case i.State == hierarchy.OSU && r.Active != i.Server:
		return ""
	case why == "" && i.State == hierarchy.ILLSTATE:
		why = "not known yet"
	case why == "":
		why = "no reason given"
	}
	state := string(i.State)
	if i.State == hierarchy.ISP {
		state = "ISP, but not the active node"
	}
	if i.State == hierarchy.OSU {
		state = "OSU, though it is the active node"
	}
	head := state
	if !i.Since.IsZero() {
		head += " for " + Age(p.now, i.Since)
	}
	if i.State == hierarchy.ILLSTATE && !i.Checked.IsZero() {
		head += ", last known " + Age(p.now, i.Checked) + " ago"
	}
	return strings.TrimSpace(term.Clean(head)) + ": " + why
}
