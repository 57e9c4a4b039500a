// Package decision puts what the engine decided into words: the decision in one line,
// what it means, and for each node that was not chosen why not. The events and the
// simulation show decisions through it, so that one reads like the other.
//
// It decides nothing and keeps nothing; foreign text is cleaned.
package decision

import (
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Headline is a decision in one line: "service/www: fails over LK_P_A → LK_P_B".
func Headline(c *ui.Context, d policy.Decision) string {
	tag, from, to := ui.Clean(string(d.Tag)), ui.Clean(d.From), ui.Clean(d.To)
	what := Word(c, d.Action)
	switch {
	case from != "" && to != "" && from != to:
		what += "  " + from + " " + c.Arrow + " " + to
	case to != "":
		what = c.T("decision.on", "what", what, "node", to)
	case from != "":
		what = c.T("decision.on", "what", what, "node", from)
	}
	return c.T("decision.headline", "tag", tag, "what", what)
}

// Word is a kind of decision in a few words: "fails over by itself".
func Word(c *ui.Context, a policy.ActionKind) string {
	switch a {
	case policy.DoNothing, policy.DoRecover, policy.DoFailover, policy.DoConfirm, policy.DoHold, policy.DoSwitchback:
		return c.T("decision.do-" + string(a))
	}
	return ui.Clean(string(a))
}

// Style is how a kind of decision looks, and its mark.
func Style(c *ui.Context, a policy.ActionKind) (lipgloss.Style, string) {
	switch a {
	case policy.DoNothing:
		return c.Dim, c.Skipped
	case policy.DoRecover, policy.DoFailover, policy.DoSwitchback:
		return c.Good, c.Arrow
	case policy.DoConfirm:
		return c.Warn, c.Ask
	}
	return c.Warn, c.Held
}

// Reasons are the lines of why it was decided so, node by node, in at most w cells.
func Reasons(c *ui.Context, d policy.Decision, w int) []string {
	var out []string
	for _, r := range d.Reasons {
		lead := c.Skipped
		if r.Code == "chosen" {
			lead = c.Done
		}
		text := ui.Clean(c.Reason(kits.Reason{Code: r.Code, Args: r.Args, Text: r.Text}))
		if r.Node != "" && !strings.Contains(text, ui.Clean(r.Node)) {
			text = c.T("decision.of", "node", ui.Clean(r.Node), "why", text)
		}
		for i, line := range ui.Wrap(text, max(1, w-2)) {
			if i > 0 {
				lead = " "
			}
			out = append(out, lead+" "+line)
		}
	}
	return out
}
