package simulate

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/ui"
)

// situation is what is imagined: what is in service where, and what fails.
type situation struct {
	imagined policy.Imagined
	active   []string // the same as words of the command
	fails    []string
	left     []hierarchy.Tag // in service, but on what is not, so that it cannot be imagined
	// What holds in earnest now and not in the simulation.
	automation bool
	holds      int
	assumed    []string // servers taken to be alive that are not known to be
}

// key tells situations apart; empty = nothing fails.
func (s situation) key() string {
	if len(s.fails) == 0 {
		return ""
	}
	works := "beyond repair"
	if !s.imagined.Unrepairable {
		works = "repair works"
	}
	parts := slices.Concat(s.active, s.fails, s.assumed, []string{works, strconv.FormatBool(s.automation), strconv.Itoa(s.holds)})
	return strings.Join(parts, "\x00")
}

// command is the same as a command.
func (s situation) command() string {
	words := []string{"ferry", "simulate", "-f", "-"}
	for _, a := range s.active {
		words = append(words, "--active", a)
	}
	for _, f := range s.fails {
		words = append(words, "--fail", f)
	}
	if !s.imagined.Unrepairable {
		words = append(words, "--repair-works")
	}
	return "ferry export | " + ui.ShellWords(words...)
}

// situation is what the ticks say on the estate as it is now.
func (p *Page) situation() situation {
	est := p.c.Est
	s := situation{imagined: policy.Imagined{Active: map[hierarchy.Tag]string{}, Unrepairable: !p.works}}
	s.automation, s.holds = est.Engine.Automation, len(est.Holds)
	w := whole{p: p, at: map[hierarchy.Tag]string{}}
	for i := range est.Resources {
		r := &est.Resources[i]
		if r.Active != "" && w.node(r.Tag) == "" {
			s.left = append(s.left, r.Tag)
		}
	}
	for i := range est.Resources {
		t := est.Resources[i].Tag
		if n := w.node(t); n != "" && !slices.ContainsFunc(est.Index.Parents(t), func(up hierarchy.Tag) bool { return w.node(up) == n }) {
			s.imagined.Active[t] = n
		}
	}
	s.active = p.activeWords(s.imagined.Active)
	for i := range est.Nodes {
		if n := est.Nodes[i].Name; p.down(n) {
			s.imagined.FailNodes = append(s.imagined.FailNodes, n)
			s.fails = append(s.fails, "node="+n)
		} else if v := est.Nodes[i].Verdict; v != policy.Alive && v != policy.Degraded {
			s.assumed = append(s.assumed, n)
		}
	}
	for i := range est.Resources {
		if t := est.Resources[i].Tag; p.res[t] && w.node(t) != "" {
			s.imagined.FailResources = append(s.imagined.FailResources, hierarchy.Ref{Tag: t, Node: w.node(t)})
			s.fails = append(s.fails, "resource="+string(t)+"@"+w.node(t))
		}
	}
	return s
}

// whole finds resources that are in service with all that they need on one server: only
// those can be imagined.
type whole struct {
	p  *Page
	at map[hierarchy.Tag]string
}

// node is where a resource is whole; empty = nowhere.
func (w *whole) node(t hierarchy.Tag) string {
	if n, known := w.at[t]; known {
		return n
	}
	w.at[t] = "" // should needs ever go in a circle, that is not whole
	est := w.p.c.Est
	r := est.Res(t)
	if r == nil || r.Active == "" || est.Index.Placement(t, r.Active) == nil {
		return ""
	}
	for _, c := range r.Children {
		if w.node(c) != r.Active {
			return ""
		}
	}
	w.at[t] = r.Active
	return r.Active
}

// activeWords say the same as a command line: a cluster in one word where everything in
// it is on one server.
func (p *Page) activeWords(active map[hierarchy.Tag]string) []string {
	var clusters []string
	on := map[string][]string{}
	tags := map[string][]hierarchy.Tag{}
	for i := range p.c.Est.Resources {
		r := &p.c.Est.Resources[i]
		n, ok := active[r.Tag]
		if !ok {
			continue
		}
		if !slices.Contains(clusters, r.Cluster) {
			clusters = append(clusters, r.Cluster)
		}
		tags[r.Cluster] = append(tags[r.Cluster], r.Tag)
		if !slices.Contains(on[r.Cluster], n) {
			on[r.Cluster] = append(on[r.Cluster], n)
		}
	}
	var out []string
	for _, c := range clusters {
		if len(on[c]) == 1 {
			out = append(out, c+"="+on[c][0])
			continue
		}
		for _, t := range tags[c] {
			out = append(out, string(t)+"="+active[t])
		}
	}
	return out
}
