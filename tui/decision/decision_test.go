package decision

import (
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

func TestWords(t *testing.T) {
	for _, l := range text.Langs() {
		c := uitest.Context(t, uitest.Scene(t, uitest.Calm), l, nil)
		for _, a := range []policy.ActionKind{policy.DoNothing, policy.DoRecover, policy.DoFailover, policy.DoConfirm, policy.DoHold, policy.DoSwitchback, "new\x1b[2J"} {
			for _, d := range []policy.Decision{{Tag: "service/www", Action: a, From: "A", To: "B"}, {Tag: "x", Action: a, To: "B"}, {Tag: "x", Action: a, From: "B", To: "B"}, {Tag: "x", Action: a, From: "B"}, {Tag: "x", Action: a}} {
				got := Headline(c, d)
				if strings.Contains(got, "[decision.") || strings.ContainsRune(got, 0x1b) || !strings.Contains(got, string(d.Tag)) || d.To != "" && !strings.Contains(got, d.To) {
					t.Errorf("%s %+v: %q", l, d, got)
				}
			}
		}
	}
}

func TestReasonsNameTheirNodes(t *testing.T) {
	c := uitest.Context(t, uitest.Scene(t, uitest.Calm), text.English, nil)
	d := policy.Decision{Reasons: []policy.NodeReason{
		{Code: "chosen", Node: "LK_P_B", Text: "LK_P_B has the best priority (2) of those that may take it."},
		{Code: "x", Node: "LK_S_A", Text: "why? " + strings.Repeat("hostile \x1b[31m text ", 20)},
	}}
	lines := Reasons(c, d, 40)
	if len(lines) < 4 || !strings.HasPrefix(lines[0], c.Done+" LK_P_B has ") {
		t.Errorf("%q", lines)
	}
	if !strings.Contains(strings.Join(lines, "\n"), c.Skipped+" LK_S_A: why?") {
		t.Errorf("the node that was not chosen is not named: %q", lines)
	}
	for _, l := range lines {
		if ui.Width(l) > 40 || strings.ContainsRune(l, 0x1b) {
			t.Errorf("%q", l)
		}
	}
}
