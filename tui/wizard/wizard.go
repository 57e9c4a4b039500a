package wizard

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/form"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Create is the window that makes a resource. The cluster may be empty: then it is asked
// where there are several.
func Create(c *ui.Context, cluster string) ui.Page {
	w := newWindow(c)
	w.asks = &creation{w: w, given: cluster, scopes: map[string]int{}}
	w.derive()
	w.form.Start()
	return w
}

// Extend is the window that takes a resource, with the hierarchy that moves with it, to
// one more server.
func Extend(c *ui.Context, tag string) ui.Page {
	w := newWindow(c)
	w.asks = &extension{w: w, written: tag}
	w.derive()
	w.form.Start()
	return w
}

// asking is what one of the two wizards asks, and makes of the answers.
type asking interface {
	title() string
	// names is the wish's own title.
	names(e edit.Edit) string
	// pages are what is to be asked, as far as the answers tell.
	pages() []page
	// edit is the wish; sound leaves answers out that cannot be, so that the others can
	// be judged. It is nil as long as there is nothing to judge.
	edit(sound bool) edit.Edit
	// along is what belongs to the same change, after the edit.
	along(sound bool) []edit.Edit
	command() string
	// about is the resource whose problems are this wizard's; it may not exist yet.
	about() hierarchy.Tag
	// split asks the question under the cursor per region, per server, or once; help is
	// what that would do, empty when it cannot be.
	split(q *question) (help string, do func())
	// then is what follows once the wish is in force: the edit, and what came along.
	then(done edit.All) tea.Cmd
}

// page is a page of questions.
type page struct {
	id, title string
	asks      []question
}

// question is a question with what is known about its answer.
type question struct {
	form.Field
	check func(v string) string // what is wrong with an answer, in the reader's language
	// field and tag are what the answer becomes; nodes are the servers that it is for, none
	// = all.
	field   string
	tag     hierarchy.Tag
	nodes   []string
	live    *source // where choices come from; nil = from nowhere
	scope   string  // names what split changes
	missing string  // what is said when an answer that has to be given is not; empty = just that
	// pin: what holds by default is an answer once the page is left, so that it cannot
	// become another one when the estate changes.
	pin bool
}

// Window is a wizard.
type Window struct {
	c       *ui.Context
	asks    asking
	form    *form.Form
	pages   []page
	at      int // the page; len(pages) is the summary
	tried   map[string]bool
	lives   map[string]*live
	kins    map[string]*kin
	heardOf int // how often that changed
	// checkups are what the doctor said, by the servers.
	checkups map[string]*checkup
	judge    judge
	summary  ui.Scroll
	leaving  bool          // esc was pressed once
	est      *model.Estate // what the pages were made from
}

func newWindow(c *ui.Context) *Window {
	return &Window{c: c, form: form.New(c), tried: map[string]bool{}, lives: map[string]*live{}, kins: map[string]*kin{}, checkups: map[string]*checkup{}}
}

// Title implements ui.Page.
func (w *Window) Title() string { return ui.Clean(w.asks.title()) }

// Typing implements ui.Typer.
func (w *Window) Typing() bool { return w.at < len(w.pages) && w.form.Typing() }

func (w *Window) answer(id string) string { return strings.TrimSpace(w.form.Answer(id)) }

// choose is an answer, or what holds without one.
func (w *Window) choose(id, def string) string {
	if v := w.answer(id); v != "" {
		return v
	}
	return def
}

// onSummary tells that the last page is shown.
func (w *Window) onSummary() bool { return w.at >= len(w.pages) }

// question is the one under the cursor; nil on the summary.
func (w *Window) question() *question {
	x := w.form.At()
	if w.onSummary() || x == nil {
		return nil
	}
	for i := range w.pages[w.at].asks {
		if q := &w.pages[w.at].asks[i]; q.ID == x.ID {
			return q
		}
	}
	return nil
}

// derive makes the pages anew from the answers.
func (w *Window) derive() {
	w.pages = w.asks.pages()
	w.est = w.c.Est
	if w.at = min(w.at, len(w.pages)); w.pages[0].id == dead {
		w.at = 0
	}
	for p := range w.pages {
		for i := range w.pages[p].asks {
			w.choices(&w.pages[p].asks[i])
		}
	}
	if w.onSummary() {
		return
	}
	fields := make([]form.Field, len(w.pages[w.at].asks))
	for i, q := range w.pages[w.at].asks {
		fields[i] = q.Field
	}
	w.form.SetFields(fields)
	w.form.SetProblems(w.shown())
}

// renew derives the pages and starts what is to be loaded and judged.
func (w *Window) renew() tea.Cmd {
	w.derive()
	return tea.Batch(w.load(), w.judgeNow())
}

// Actions implements ui.Page.
func (w *Window) Actions() []ui.Action {
	c := w.c
	closing := ui.Action{ID: "close", Key: "esc", Help: c.T("wizard.do-close")}
	back := ui.Action{ID: "back", Key: "pgup", Help: c.T("wizard.do-back")}
	if w.at == 0 {
		back.Off, back.Quiet = c.T("wizard.off-first"), true
	}
	if w.onSummary() {
		out := []ui.Action{w.finishing()}
		if len(w.refusals()) > 0 {
			out = append(out, ui.Action{ID: "ask-again", Key: "ctrl+r", Help: c.T("wizard.do-ask-again")})
		}
		return append(out, ui.Action{ID: "copy", Key: "y", Help: c.T("wizard.do-copy")}, back, closing)
	}
	out := []ui.Action{{ID: "next", Key: "enter", Help: c.T("wizard.do-next")}, back}
	if q := w.question(); q != nil {
		if help, do := w.asks.split(q); do != nil {
			out = append(out, ui.Action{ID: "split", Key: "ctrl+o", Help: help})
		}
		if q.live != nil {
			out = append(out, ui.Action{ID: "reload", Key: "ctrl+r", Help: c.T("wizard.do-reload")})
		}
	}
	return append(out, closing)
}

// finishing is the action of the last page: ask for the change, or mend what is wrong.
func (w *Window) finishing() ui.Action {
	a := ui.Action{ID: "finish", Key: "enter", Help: w.c.T("wizard.do-finish")}
	if all := w.problems(); len(all) > 0 {
		if all[0].id != "" {
			return ui.Action{ID: "mend", Key: "enter", Help: w.c.T("wizard.do-mend")}
		}
		a.Off = w.c.T("wizard.off-problem", "problem", all[0].text)
	}
	switch {
	case w.c.MayAct(api.Administrator) != "":
		a.Off = w.c.MayAct(api.Administrator)
	case a.Off == "" && len(w.judge.missing) > 0:
		a.Off = w.c.T("wizard.off-asking")
	case a.Off == "" && (w.judge.busy || !w.judged()):
		a.Off = w.c.T("wizard.off-judging")
	case a.Off == "" && w.judge.res != nil && len(w.judge.res.Changes) == 0:
		a.Off = w.c.T("wizard.off-nothing")
	}
	return a
}

// Do implements ui.Page.
func (w *Window) Do(id string) tea.Cmd {
	if id != "close" {
		w.leaving = false
	}
	switch id {
	case "close":
		if w.leaving || !w.form.Answered() {
			return ui.Close(w)
		}
		w.leaving = true
	case "next":
		return w.next()
	case "back":
		w.to(w.at - 1)
		return w.renew()
	case "split":
		if q := w.question(); q != nil {
			if _, do := w.asks.split(q); do != nil {
				do()
			}
		}
		return w.renew()
	case "reload":
		if q := w.question(); q != nil && q.live != nil {
			delete(w.lives, q.live.key())
		}
		return w.renew()
	case "ask-again":
		return w.forget()
	case "copy":
		return ui.Copy(w.asks.command(), w.c.T("wizard.the-command"))
	case "mend":
		return w.mend()
	case "finish":
		return w.finish()
	}
	return nil
}

func (w *Window) to(page int) {
	w.at = min(max(page, 0), len(w.pages))
	w.summary = ui.Scroll{}
	w.derive()
	w.form.Start()
}

// next goes on, unless something of this page cannot be.
func (w *Window) next() tea.Cmd {
	w.derive()
	here := &w.pages[w.at]
	w.tried[here.id] = true
	wrong := w.shown()
	for _, q := range here.asks {
		if wrong[q.ID] != "" {
			w.form.SetProblems(wrong)
			w.form.Focus(q.ID)
			return w.renew()
		}
	}
	if len(here.asks) == 0 || here.id == dead {
		return ui.Complain(w.c.T("wizard.off-dead"))
	}
	for _, q := range here.asks {
		if q.pin && w.answer(q.ID) == "" {
			w.form.Set(q.ID, q.Default)
		}
	}
	w.to(w.at + 1)
	return w.renew()
}

// mend goes to the first thing that is wrong.
func (w *Window) mend() tea.Cmd {
	all := w.problems()
	if len(all) == 0 || all[0].id == "" {
		return nil
	}
	w.tried[w.pages[all[0].page].id] = true
	w.to(all[0].page)
	w.form.Focus(all[0].id)
	return w.renew()
}

func (w *Window) finish() tea.Cmd {
	ed := w.asks.edit(false)
	if a := w.finishing(); a.ID != "finish" || a.Off != "" || ed == nil || w.judge.whole == nil {
		return ui.Complain(a.Off)
	}
	whole := append(edit.All{ed}, w.judge.whole[1:]...)
	var wish edit.Edit = whole
	if len(whole) == 1 {
		wish = ed
	}
	return ui.Do(ui.Wish{Title: ui.Clean(w.asks.names(ed)), Command: w.asks.command(), Edit: wish, Then: func() tea.Cmd { return w.asks.then(whole) }})
}

// Update implements ui.Page.
func (w *Window) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case loaded:
		if msg.w == w {
			w.lives[msg.key] = msg.got
			w.derive()
		}
		return nil
	case told:
		if msg.w == w {
			return w.learn(msg)
		}
		return nil
	case examined:
		if msg.w == w {
			w.checkups[msg.key] = msg.got
		}
		return nil
	case judged:
		if msg.w == w {
			return w.heard(msg)
		}
		return nil
	case ui.Fresh:
		if w.est != w.c.Est {
			w.derive()
			return w.load()
		}
		return nil
	case tea.KeyPressMsg:
		return w.key(msg)
	case ui.Click:
		return w.click(msg)
	}
	if w.onSummary() {
		w.summary.Update(msg)
		return nil
	}
	if w.form.Update(msg) {
		w.leaving = false
		return w.renew()
	}
	return nil
}

func (w *Window) key(k tea.KeyPressMsg) tea.Cmd {
	for _, a := range w.Actions() {
		if a.Key != k.String() {
			continue
		}
		if a.Off != "" {
			return ui.Complain(a.Off)
		}
		return w.Do(a.ID)
	}
	w.leaving = false
	if w.onSummary() {
		w.summary.Update(k)
		return nil
	}
	if k.String() == "pgdown" {
		return w.next()
	}
	if w.form.Update(k) {
		return w.renew()
	}
	return nil
}
