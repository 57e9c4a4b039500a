package doctor

import (
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// Scope is what of an estate an examination is about; the zero value is all of it. It says who has to be asked for
// that, and what, so that a server nobody wants to know of costs no time when it does not answer.
type Scope struct {
	// Checks are ids, or beginnings of them up to a dot; none = all. Except are left out.
	Checks, Except []string
	// Nodes: only what concerns one of these servers; none = everything.
	Nodes []string
}

// Unknown is the first word of the scope that begins no check's id; empty when all do.
func (s Scope) Unknown() string {
	for _, w := range slices.Concat(s.Checks, s.Except) {
		if !slices.ContainsFunc(rules(), func(r rule) bool { return begins(r.ID, w) }) {
			return w
		}
	}
	return ""
}

// begins says whether a word is an id or the part of it before a dot.
func begins(id, word string) bool { return id == word || strings.HasPrefix(id, word+".") }

// Wants says whether a check is made.
func (s Scope) Wants(check string) bool {
	is := func(word string) bool { return begins(check, word) }
	return (len(s.Checks) == 0 || slices.ContainsFunc(s.Checks, is)) && !slices.ContainsFunc(s.Except, is)
}

// Of keeps the findings that the scope is about.
func (s Scope) Of(all []Finding) []Finding {
	return slices.DeleteFunc(all, func(f Finding) bool {
		return !s.Wants(f.Check) || len(s.Nodes) > 0 && !slices.ContainsFunc(f.Nodes, func(n string) bool { return slices.Contains(s.Nodes, n) })
	})
}

// Servers are those to be asked: about themselves, and beside them the others of their clusters, which are asked only
// for what servers are compared by. A server of which no check wants to know anything is in neither list.
func (s Scope) Servers(x *hierarchy.Index) (wanted, beside []string) {
	var own []string
	for _, srv := range x.Estate().Servers {
		switch {
		case len(s.Nodes) == 0 || slices.Contains(s.Nodes, srv.Name):
			own = append(own, srv.Name)
			if s.asks(x, srv.Name, anyCheck) {
				wanted = append(wanted, srv.Name)
			}
		case slices.ContainsFunc(s.Nodes, func(n string) bool { return slices.Contains(x.Peers(n), srv.Name) }):
			beside = append(beside, srv.Name)
		}
	}
	return wanted, slices.DeleteFunc(beside, func(name string) bool {
		return !s.asks(x, name, func(r rule) bool {
			return compares(r) && slices.ContainsFunc(own, func(o string) bool { return applies(x, r, o) })
		})
	})
}

// asks: one of the rules that the scope wants looks at what the server says.
func (s Scope) asks(x *hierarchy.Index, server string, which func(rule) bool) bool {
	return slices.ContainsFunc(rules(), func(r rule) bool { return s.Wants(r.ID) && which(r) && applies(x, r, server) })
}

func anyCheck(rule) bool { return true }

// compares: what one server says matters to a finding about another one.
func compares(r rule) bool { return r.Subject == OfGroup || r.Subject == OfCloud && r.ask != nil }

// applies: a rule wants an answer of the server. One without questions looks whether there is any (node.reached), or at
// what every answer has (same.clock).
func applies(x *hierarchy.Index, r rule, server string) bool {
	switch r.Subject {
	case OfNode, OfGroup:
		return r.ask == nil || len(r.ask(x, server)) > 0
	case OfCloud: // most of these look at AWS alone
		return r.ask != nil && len(r.ask(x, server)) > 0
	case OfKit:
		return uses(x, server, strings.TrimPrefix(r.ID, "kit."))
	}
	return false
}

// Questions are what to ask of a server, in one script; beside: only what it is compared by.
func (s Scope) Questions(x *hierarchy.Index, server string, beside bool) []Question {
	out := []Question{clockBefore}
	for _, r := range rules() {
		if r.ask == nil || !s.Wants(r.ID) || beside && !compares(r) {
			continue
		}
		for _, q := range r.ask(x, server) {
			if !slices.Contains(out, q) {
				out = append(out, q)
			}
		}
	}
	return append(out, clockAfter)
}

// Account says whether AWS is to be asked about the VPCs and what is in them.
func (s Scope) Account() bool { return s.looksAt(func(r rule) bool { return r.account }) }

// Names says whether Route 53 is to be asked.
func (s Scope) Names() bool { return s.looksAt(func(r rule) bool { return r.names }) }

func (s Scope) looksAt(source func(rule) bool) bool {
	return slices.ContainsFunc(rules(), func(r rule) bool { return source(r) && s.Wants(r.ID) })
}
