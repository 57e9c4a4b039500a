package events

import (
	"strings"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui/decision"
	"github.com/ferry-ha/ferry/tui/ui"
)

// message is what happened, in a sentence.
func message(c *ui.Context, e api.Event) string {
	text := ui.Clean(c.Reason(e.Reason))
	if text == "" && e.Decision != nil {
		text = decision.Headline(c, *e.Decision)
	}
	if text == "" {
		text = ui.Clean(e.Kind)
	}
	return text
}

// subject is what it is about: a resource, else a node.
func subject(e api.Event) string {
	if e.Tag != "" {
		return ui.Clean(string(e.Tag))
	}
	return ui.Clean(e.Node)
}

// full is the sentence with its subject where it does not name that itself.
func full(c *ui.Context, e api.Event) string {
	text := message(c, e)
	if s := subject(e); s != "" && !strings.Contains(text, s) {
		text = s + ": " + text
	}
	return text
}

// kind is what sort of event it is.
func kind(c *ui.Context, e api.Event) string {
	switch e.Kind {
	case "decision", "state", "node", "question", "operation", "definition", "hold":
		return c.T("events.kind-" + e.Kind)
	}
	return ui.Clean(e.Kind)
}

// asLine is an event as one line of text, for the clipboard.
func asLine(c *ui.Context, e api.Event) string {
	out := e.At.Local().Format("2006-01-02 15:04:05 ") + ui.Clean(e.Severity) + " " + ui.Clean(e.Kind) + " " + full(c, e)
	for _, x := range []string{e.Op, e.Question, e.By} {
		if x != "" {
			out += " (" + ui.Clean(x) + ")"
		}
	}
	return out
}
