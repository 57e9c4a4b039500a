package wizard

import (
	"context"
	"maps"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui/ui"
)

// source is where a question's choices come from: the kit on a node, with the answers
// before it.
type source struct {
	kit, field, node string
	attrs            map[string]string
	only             bool // nothing but one of them can be the answer
}

// key names everything that the choices may depend on, so that an answer that comes late
// belongs to its question and to no other.
func (s *source) key() string {
	words := []string{s.kit, s.field, s.node}
	for _, name := range slices.Sorted(maps.Keys(s.attrs)) {
		words = append(words, name, s.attrs[name])
	}
	return strings.Join(words, "\x00")
}

// live is what was loaded.
type live struct {
	loading bool
	items   []string
	problem string
}

type loaded struct {
	w   *Window
	key string
	got *live
}

// load asks for the choices of the question under the cursor, once.
func (w *Window) load() tea.Cmd {
	if w.onSummary() {
		return w.ask()
	}
	q := w.question()
	if q == nil || q.live == nil {
		return nil
	}
	s, key := q.live, q.live.key()
	if w.lives[key] != nil || w.c.MayAct(api.Operator) != "" {
		return nil
	}
	w.lives[key] = &live{loading: true}
	w.derive()
	return w.c.Call(func(ctx context.Context, svc api.Service) tea.Msg {
		items, err := svc.Choices(ctx, s.kit, s.field, s.node, s.attrs)
		got := &live{items: sound(items)}
		if err != nil {
			got = &live{problem: err.Error()}
		}
		return loaded{w, key, got}
	})
}

// choicesLimit is how many choices are kept of what a node or the cloud offers.
const choicesLimit = 10_000

// sound leaves out what cannot be shown as it is: what is chosen must be what was read.
func sound(items []string) []string {
	var out []string
	for _, it := range items {
		if it != "" && ui.Clean(it) == it && len(out) < choicesLimit {
			out = append(out, it)
		}
	}
	return out
}

// choices puts what was loaded into a question.
func (w *Window) choices(q *question) {
	if q.live == nil {
		return
	}
	got := w.lives[q.live.key()]
	switch {
	case got == nil:
	case got.loading:
		q.Loading = true
	case got.problem != "":
		q.Notice = w.c.T("wizard.choices-failed", "why", ui.Clean(got.problem))
	case len(got.items) == 0 && q.live.only:
		q.Notice = w.c.T("wizard.choices-none")
	case len(got.items) == 0: // the kit has nothing to offer here: it is simply asked for
	case len(q.Items) == 0:
		q.Items = got.items
	default:
		first := slices.DeleteFunc(slices.Clone(q.Items), func(it string) bool { return slices.Contains(got.items, it) })
		q.Items = append(first, got.items...)
	}
}
