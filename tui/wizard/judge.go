package wizard

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/form"
	"github.com/ferry-ha/ferry/tui/ui"
)

// judge is what edit.Make says of the answers. One is made at a time: a definition of
// ten thousand resources takes longer than a key press.
type judge struct {
	busy  bool
	dirty bool // the answers changed while it was made
	of    stamp
	res   *edit.Result
	err   error
	// whole is the wish with what comes along; missing are the prospects that the servers
	// have not been heard of yet, and rests the keys of those that whole rests on.
	whole   edit.All
	missing []api.Prospect
	rests   []string
	// servers and kits are what something comes to, and what comes.
	servers, kits []string
}

// stamp tells which answers, on which definition, were judged.
type stamp struct {
	version int
	def     *hierarchy.Estate
	heard   int // of the servers
}

type judged struct {
	w       *Window
	of      stamp
	res     *edit.Result
	err     error
	whole   edit.All
	missing []api.Prospect
	rests   []string

	servers, kits []string
}

func (w *Window) stamp() stamp { return stamp{w.form.Version(), w.c.Est.Estate, w.heardOf} }

// judged tells that what is known was made from the present answers. A definition that
// came meanwhile is judged when the next page is reached, and by the preview in any case.
func (w *Window) judged() bool {
	return w.judge.of.version == w.form.Version() && w.judge.of.heard == w.heardOf
}

func (w *Window) judgeNow() tea.Cmd {
	ed, of := w.asks.edit(true), w.stamp()
	switch {
	case ed == nil && !w.judge.busy: // what was said before is about other answers
		w.judge = judge{}
		return nil
	case ed == nil || of.def == nil || of == w.judge.of:
		return nil
	}
	if w.judge.busy {
		w.judge.dirty = true
		return nil
	}
	w.judge.busy = true
	reg, kins, along := w.c.Kits, maps.Clone(w.kins), w.asks.along(true)
	return w.c.Call(func(context.Context, api.Service) tea.Msg {
		m := judged{w: w, of: of}
		if m.err = m.complete(reg, append(edit.All{ed}, along...), kins); m.err != nil {
			return m
		}
		if m.res, m.err = edit.Make(of.def, reg, m.whole); m.err == nil {
			m.servers, m.kits = doctor.Touched(of.def, m.res.Estate)
		}
		return m
	})
}

func (w *Window) heard(m judged) tea.Cmd {
	again := w.judge.dirty
	w.judge = judge{of: m.of, res: m.res, err: m.err, whole: m.whole, missing: m.missing, rests: m.rests, servers: m.servers, kits: m.kits}
	w.derive()
	if again || !w.judged() {
		return w.judgeNow()
	}
	if w.onSummary() {
		return w.ask()
	}
	return nil
}

// problem is something that is wrong, with the question that it is about; without one it
// is about the whole.
type problem struct {
	page int
	id   string
	text string
	// asked: the question itself judges it, before anything is made of the answers.
	asked bool
}

// problems are all that are known, in the order of the pages.
func (w *Window) problems() []problem {
	byID := map[string]problem{}
	for p := range w.pages {
		for i := range w.pages[p].asks {
			q := &w.pages[p].asks[i]
			if text := w.wrong(q); text != "" {
				byID[q.ID] = problem{p, q.ID, text, true}
			}
		}
	}
	var whole []problem
	for _, x := range w.said(len(byID) > 0) {
		switch _, known := byID[x.id]; {
		case x.id == "":
			whole = append(whole, x)
		case !known:
			byID[x.id] = x
		}
	}
	var out []problem
	for p := range w.pages {
		for i := range w.pages[p].asks {
			if x, ok := byID[w.pages[p].asks[i].ID]; ok {
				out = append(out, x)
			}
		}
	}
	return append(append(out, w.refusals()...), whole...)
}

// wrong judges one answer by itself.
func (w *Window) wrong(q *question) string {
	if q.Kind == form.Note {
		return ""
	}
	v := w.answer(q.ID)
	switch {
	case v == "" && q.Default != "" && q.Kind == form.Text && q.check != nil:
		return q.check(q.Default) // it may be the answer to a coarser question
	case v == "" && q.Default != "":
		return ""
	case v == "" && q.Required:
		return cmp.Or(q.missing, w.c.T("wizard.missing"))
	case q.check == nil || v == "" && q.Kind != form.Rank && q.Kind != form.Check:
		return ""
	}
	return q.check(v)
}

// said is what edit.Make found. While answers are missing, a refusal of the whole may
// only be about them, and is left out.
func (w *Window) said(incomplete bool) []problem {
	var one *edit.Error
	var all *edit.InvalidError
	switch {
	case w.judge.err == nil:
		return nil
	case errors.As(w.judge.err, &all):
		var out []problem
		for _, p := range all.Problems {
			if p.Field == "needs" && len(w.judge.missing) > 0 {
				continue // what it needs is read from the servers in the end
			}
			if x := w.place(p); x.id != "" || !incomplete {
				out = append(out, x)
			}
		}
		return out
	case incomplete:
		return nil
	case errors.As(w.judge.err, &one):
		return []problem{{text: sentence(one.Text, one.Fix)}}
	}
	return []problem{{text: ui.Clean(w.judge.err.Error())}}
}

// sentence is a problem with what to write instead.
func sentence(text, fix string) string {
	if fix != "" {
		text += ": " + fix
	}
	return ui.Clean(text)
}

// place finds the question that a problem is about: of the same field and resource, for
// that server when it names one.
func (w *Window) place(p hierarchy.Problem) problem {
	tag, server := whose(p)
	out := problem{text: sentence(p.Text, p.Fix)}
	if p.Field == "" {
		out.page, out.id = w.placeOf(p, tag)
		return out
	}
	for n := range w.pages {
		for i := range w.pages[n].asks {
			q := &w.pages[n].asks[i]
			if q.field != p.Field || tag != "" && q.tag != tag {
				continue
			}
			exact := server == "" || len(q.nodes) == 0 || slices.Contains(q.nodes, server)
			if exact || out.id == "" {
				out.page, out.id = n, q.ID
				out.text = sentence(plain(p.Text, q), p.Fix)
			}
			if exact {
				return out
			}
		}
	}
	return out
}

// plain leaves out which resource a problem is about, and where, as far as its question says it.
func plain(text string, q *question) string {
	rest, of := strings.CutPrefix(text, "resource "+string(q.tag))
	if !of || q.tag == "" {
		return text
	}
	for _, s := range q.nodes {
		if after, there := strings.CutPrefix(rest, " on "+s+": "); there {
			return after
		}
	}
	if after, there := strings.CutPrefix(rest, ": "); there {
		return after
	}
	return text
}

// placeOf finds the question for what is wrong with the resource's servers, or with
// what it needs.
func (w *Window) placeOf(p hierarchy.Problem, tag hierarchy.Tag) (page int, id string) {
	if tag != w.asks.about() || len(p.At) < 5 {
		return 0, ""
	}
	for n := range w.pages {
		for _, q := range w.pages[n].asks {
			on := q.ID == "follow" || strings.HasPrefix(q.ID, "on/") && (len(p.At) < 6 || q.ID == "on/"+p.At[5])
			if p.At[4] == "on" && on || p.At[4] == "needs" && q.ID == "needs" {
				return n, q.ID
			}
		}
	}
	return 0, ""
}

// whose is the resource and the server that a problem is about, from its place in the
// definition.
func whose(p hierarchy.Problem) (tag hierarchy.Tag, server string) {
	server = p.Node
	if len(p.At) >= 4 && p.At[0] == "cluster" && p.At[2] == "resource" {
		tag = hierarchy.MakeTag(p.At[1], p.At[3])
	}
	if len(p.At) >= 6 && p.At[4] == "on" && server == "" {
		server = p.At[5]
	}
	return tag, server
}

// shown are the problems of the page that the person is to see now: of what was
// answered, or passed by.
func (w *Window) shown() map[string]string {
	out := map[string]string{}
	if w.onSummary() {
		return out
	}
	for _, x := range w.problems() {
		if x.page == w.at && x.id != "" && (w.tried[w.pages[w.at].id] || w.answer(x.id) != "" || w.form.Left(x.id)) {
			out[x.id] = x.text
		}
	}
	return out
}
