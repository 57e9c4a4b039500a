package doctor

import (
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// Case is all that is known of an estate. Maps may lack what was not asked: checks that need it are then left out.
type Case struct {
	// Index is the definition in force, made with the kits.
	Index *hierarchy.Index
	// Nodes are the nodes' answers, by server.
	Nodes map[string]*Facts
	// Ready is what the kits say of their resources on the nodes.
	Ready []Ready
	// Peers is what the engine knows of comm paths: server → peer → "ok", "failed" or "unknown".
	Peers map[string]map[string]string
	// Surveys are what AWS said, by region; nil when there is no cloud.
	Surveys map[string]*cloud.Survey
	// Zones are the hosted zones, by the resource that names one.
	Zones map[hierarchy.Tag]*cloud.ZoneSurvey
}

// Ready is a kit's answer for one of its resources on one node.
type Ready struct {
	Tag  hierarchy.Tag
	Node string
	// Active: it is in service there.
	Active bool
	Said   kits.Eligibility
}

// rule is a check with its questions and its judgement.
type rule struct {
	Check
	// ask names what a node has to be asked for it; nil = nothing.
	ask func(x *hierarchy.Index, node string) []Question
	// judge looks at every place where the check applies.
	judge func(b *bench)
	// account and names: it looks at Case.Surveys, at Case.Zones.
	account, names bool
}

// bench is where one rule is applied to a case.
type bench struct {
	*Case
	check Check
	x     *hierarchy.Index
	out   []*Finding
}

// Examine applies every check to the case. Findings come in order of what matters, passes included.
func Examine(c Case) []Finding {
	var all []Finding
	for _, r := range rules() {
		b := &bench{Case: &c, check: r.Check, x: c.Index}
		r.judge(b)
		for _, f := range b.out {
			all = append(all, *f)
		}
	}
	return sorted(all)
}

// Checks are all requirements, in the order of the documentation.
func Checks() []Check {
	var out []Check
	for _, r := range rules() {
		out = append(out, r.Check)
	}
	return out
}

// rules are all there are.
func rules() []rule {
	account := slices.Concat(cloudRules(), networkRules())
	for i := range account {
		account[i].account = true
	}
	names := nameRules()
	for i := range names {
		names[i].names = true
	}
	return slices.Concat(estateRules(), nodeRules(), vpnRules(), appRules(), mirrorRules(), sameRules(), kitRules(), account, names)
}

// at opens a finding, which passes unless something is said against it.
func (b *bench) at(where string, nodes ...string) *Finding {
	f := &Finding{Check: b.check.ID, Subject: b.check.Subject, Where: where, Nodes: nodes, Verdict: Pass}
	b.out = append(b.out, f)
	return f
}

// is gives a finding its verdict and reason; the code is the check's own, with a word behind it where there are several.
func (f *Finding) is(v Verdict, text string, pairs ...string) *Finding {
	f.Verdict, f.Reason = v, why(f.Check, text, append([]string{"where", f.Where}, pairs...)...)
	return f
}

func (f *Finding) fail(text string, pairs ...string) *Finding { return f.is(Fail, text, pairs...) }
func (f *Finding) warn(text string, pairs ...string) *Finding { return f.is(Warn, text, pairs...) }

// unknown says what could not be found out.
func (f *Finding) unknown(what string) *Finding {
	return f.is(Unknown, what, "what", what)
}

// mend tells a person what to do.
func (f *Finding) mend(text string) *Finding {
	f.Fix.Text = text
	return f
}

// run adds the command that mends it, on a node. Only a safe one is ever run by ferry.
func (f *Finding) run(node, command string, safe bool) *Finding {
	f.Fix.Node, f.Fix.Command, f.Fix.Safe = node, command, safe
	return f
}

// nodes calls f for every node that answered and that the rule's questions were put to.
func (b *bench) nodes(want func(server string) bool, judge func(server string, facts *Facts)) {
	for _, s := range b.x.Estate().Servers {
		if facts := b.Nodes[s.Name]; facts != nil && facts.Err == nil && want(s.Name) {
			judge(s.Name, facts)
		}
	}
}

// every is for rules that hold on all nodes.
func every(string) bool { return true }

// uses says whether a resource of one of the kits is on the server.
func uses(x *hierarchy.Index, server string, names ...string) bool {
	return slices.ContainsFunc(x.On(server), func(t hierarchy.Tag) bool {
		r := x.Resource(t)
		return r != nil && slices.Contains(names, r.Kit)
	})
}

// of are the instances of a kit on a server.
func of(x *hierarchy.Index, server, kit string) []kits.Instance {
	var out []kits.Instance
	for _, t := range x.On(server) {
		if r := x.Resource(t); r != nil && r.Kit == kit {
			out = append(out, hierarchy.InstanceOf(x, t, server, ""))
		}
	}
	return out
}

// resources are the tags of a kit, in the definition's order.
func resources(x *hierarchy.Index, kit string) []*hierarchy.Resource {
	var out []*hierarchy.Resource
	for i := range x.Estate().Res {
		if r := &x.Estate().Res[i]; r.Kit == kit {
			out = append(out, r)
		}
	}
	return out
}

// askIf asks the questions of nodes that have one of the kits.
func askIf(names []string, questions ...Question) func(*hierarchy.Index, string) []Question {
	return func(x *hierarchy.Index, node string) []Question {
		if !uses(x, node, names...) {
			return nil
		}
		return questions
	}
}

// ask asks every node.
func ask(questions ...Question) func(*hierarchy.Index, string) []Question {
	return func(*hierarchy.Index, string) []Question { return questions }
}

// quote puts a word into single quotes for the shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
