package doctor

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ferry-ha/ferry/kits"
)

// Verdict is what came of a check.
type Verdict string

// The verdicts, from the one that matters most.
const (
	Fail    Verdict = "fail"
	Unknown Verdict = "unknown"
	Warn    Verdict = "warn"
	Pass    Verdict = "pass"
)

// rank orders verdicts by how much they matter.
func (v Verdict) rank() int {
	return slices.Index([]Verdict{Fail, Unknown, Warn, Pass}, v)
}

// Subject is what a check looks at.
type Subject string

// The subjects.
const (
	OfEstate Subject = "estate" // the definition itself
	OfNode   Subject = "node"
	OfGroup  Subject = "nodes" // several nodes compared
	OfKit    Subject = "kit"
	OfCloud  Subject = "cloud"
)

// Check is one requirement.
type Check struct {
	// ID is constant and dotted: "node.forwarding".
	ID      string  `json:"id"`
	Subject Subject `json:"subject"`
	// About is what must be so, in one sentence without a full stop.
	About string `json:"about"`
	// Why is what goes wrong otherwise.
	Why string `json:"why"`
	// Mend is how to put it right.
	Mend string `json:"mend"`
	// Fixable: --fix can do that.
	Fixable bool `json:"fixable,omitempty"`
}

// Finding is a check's verdict at one place.
type Finding struct {
	Check   string  `json:"check"`
	Subject Subject `json:"subject"`
	// Where is a node, a cluster, a region, or a resource on a node.
	Where string `json:"where"`
	// Nodes are those that it concerns; none = the estate as a whole.
	Nodes   []string    `json:"nodes,omitempty"`
	Verdict Verdict     `json:"verdict"`
	Reason  kits.Reason `json:"reason,omitzero"`
	Fix     Fix         `json:"fix,omitzero"`
}

// ID names the finding among those of one examination: "node.forwarding@VPN_P_A".
func (f Finding) ID() string { return f.Check + "@" + f.Where }

// Fix is what puts a finding right.
type Fix struct {
	// Text tells a person what to do.
	Text string `json:"text,omitempty"`
	// Code is what other languages know the text by; its arguments are the reason's. Empty: there is none but the text.
	Code string `json:"code,omitempty"`
	// Node is where Command runs, as root; empty where the account is changed.
	Node string `json:"node,omitempty"`
	// Command is exactly what runs; for the account, the same in the words of AWS's own tool.
	Command string `json:"command,omitempty"`
	// Safe: it changes only what it says, interrupts nothing, and is undone easily.
	Safe bool `json:"safe,omitempty"`
	// Interface and Region are set for a fix in the account: source/dest check off.
	Interface string `json:"interface,omitempty"`
	Region    string `json:"region,omitempty"`
}

// sorted orders findings by what matters, and within that by check and place.
func sorted(all []Finding) []Finding {
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Verdict.rank(), b.Verdict.rank()), cmp.Compare(a.Check, b.Check), cmp.Compare(a.Where, b.Where))
	})
	return all
}

// why makes a finding's reason.
func why(code, text string, pairs ...string) kits.Reason {
	return kits.Why("doctor."+code, text, pairs...)
}

// textf is fmt.Sprintf, short.
func textf(format string, args ...any) string { return fmt.Sprintf(format, args...) }
