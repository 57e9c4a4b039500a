package wizard

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Some kits cannot do without a child that is made with their resource (kits.ChildMaker: an
// Openswan tunnel's routes). What it is to be is read from the servers, and whether they may
// take it, when the summary is reached: it takes seconds, and the tunnels are looked at.

// kin is what the servers said of one prospect.
type kin struct {
	asking bool
	found  []api.Found
	no     string // why it cannot be; empty = it can
}

// told is the answer to one question.
type told struct {
	w   *Window
	key string
	got *kin
}

// keyOf names everything that an answer may depend on.
func keyOf(p api.Prospect) string {
	b, err := json.Marshal(p) // maps are written in the order of their keys
	if err != nil {
		return ""
	}
	return string(b)
}

// complete adds to a wish what the servers said of it, and names the prospects that none
// has been heard of yet.
func (m *judged) complete(reg kits.Registry, ed edit.All, kins map[string]*kin) error {
	pending, err := edit.Pendings(m.of.def, reg, ed...)
	if err != nil {
		return err
	}
	m.whole = ed
	for _, p := range pending {
		prospect := api.Prospect(p)
		key := keyOf(prospect)
		if k := kins[key]; k != nil && !k.asking && k.no == "" {
			m.whole, m.rests = append(m.whole, prospect.Provide(k.found)), append(m.rests, key)
		} else {
			m.missing = append(m.missing, prospect)
		}
	}
	return nil
}

// ask asks the servers, once for each prospect, and the doctor.
func (w *Window) ask() tea.Cmd {
	if w.c.MayAct(api.Operator) != "" {
		return nil
	}
	out := []tea.Cmd{w.examine()}
	for _, p := range w.judge.missing {
		key := keyOf(p)
		if w.kins[key] != nil {
			continue
		}
		w.kins[key] = &kin{asking: true}
		out = append(out, w.c.Call(func(ctx context.Context, s api.Service) tea.Msg {
			got := &kin{}
			var err error
			if got.found, err = s.Children(ctx, p); err != nil {
				got.no = sentence(err.Error(), hintOf(err))
			} else if no := p.Refusal(got.found); no != nil {
				got.no = ui.Clean(no.Message)
			}
			return told{w, key, got}
		}))
	}
	return tea.Batch(out...)
}

func hintOf(err error) string {
	if e := api.AsError(err); e != nil {
		return e.Hint
	}
	return ""
}

// learn keeps an answer and judges anew.
func (w *Window) learn(m told) tea.Cmd {
	if w.kins[m.key] != nil { // it may have been forgotten meanwhile
		w.kins[m.key] = m.got
	}
	w.heardOf++
	return w.judgeNow()
}

// forget lets the servers be asked once more.
func (w *Window) forget() tea.Cmd {
	w.kins = map[string]*kin{}
	w.heardOf++
	return w.judgeNow()
}

// refusals are what the servers said against the wish as it is.
func (w *Window) refusals() []problem {
	var out []problem
	for _, p := range w.judge.missing {
		if k := w.kins[keyOf(p)]; k != nil && k.no != "" {
			out = append(out, problem{text: k.no})
		}
	}
	return out
}

// askedNow are the servers that have not answered yet.
func (w *Window) askedNow() []string {
	var out []string
	for _, p := range w.judge.missing {
		if k := w.kins[keyOf(p)]; k != nil && k.asking {
			out = append(out, slices.Sorted(maps.Keys(p.On))...)
		}
	}
	return out
}

// comes are the children that come along: a line with tag and kit, then what is theirs on
// each server.
func (w *Window) comes(width int) []string {
	var out, seen []string
	for _, k := range w.known() {
		for _, f := range k.found {
			for _, c := range f.Children {
				if name := c.Tag + "  " + c.Kit; !slices.Contains(seen, name) {
					seen = append(seen, name)
					out = append(out, w.bullets("+", name, width)...)
				}
				for _, field := range slices.Sorted(maps.Keys(c.Attrs)) {
					line := f.Server + "  " + field + " = " + c.Attrs[field]
					out = append(out, w.bullets(" ", line, width)...)
				}
			}
		}
	}
	return out
}

// known are the answers that the judged wish rests on, in its order.
func (w *Window) known() []*kin {
	var out []*kin
	for _, key := range w.judge.rests {
		if k := w.kins[key]; k != nil {
			out = append(out, k)
		}
	}
	return out
}
