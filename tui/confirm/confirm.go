package confirm

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Window is the prompt of one question.
type Window struct {
	c  *ui.Context
	id string
	q  *policy.Question // as last seen; nil = never seen
	// over: it does not wait for an answer any more.
	over bool
	// opened is when the window came: by itself perhaps, under keys meant for the page below.
	opened time.Time

	kind  string    // the answer that is chosen; "" = none yet
	field *ui.Input // open while the chosen answer's words are typed
	typed []string  // words of the answer that are right and done with
	armed bool      // enter was pressed once on an empty "no"
	// costs are the copies that are not complete, as they were shown when the answer was chosen.
	costs []policy.Copy
	// swallow: the ground went away under what was being typed; every key but esc is ignored.
	swallow bool

	sending bool
	sent    string // the kind that the engine accepted
	op      string // the operation that the answer started
	said    string // what is to be said below the field
	bad     bool

	scroll  ui.Scroll
	answers int // line of the first answer in the last view, for clicks
	body    body
}

// New makes the prompt of a question.
func New(c *ui.Context, id string) *Window {
	w := &Window{c: c, id: id, opened: c.Now}
	w.look()
	return w
}

// Question is the id of the question that it asks.
func (w *Window) Question() string { return w.id }

// Title implements ui.Page.
func (w *Window) Title() string { return w.c.T("confirm.title", "id", ui.Clean(w.id)) }

// Typing implements ui.Typer.
func (w *Window) Typing() bool { return w.field != nil || w.sending || w.swallow }

// answeredMsg is the engine's word on an answer.
type answeredMsg struct {
	w    *Window
	kind string
	err  error
}

// Update implements ui.Page.
func (w *Window) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ui.Fresh:
		w.look()
	case answeredMsg:
		if msg.w == w {
			w.heard(msg)
		}
	case ui.Progress:
		if msg.Operation.Question == w.id {
			w.op = msg.Operation.ID
		}
	case ui.Wheel:
		w.scroll.Update(msg)
	case ui.Click:
		w.click(msg)
	case tea.PasteMsg:
		if w.field != nil && !w.sending {
			w.armed = false
			return w.field.Update(msg)
		}
	case tea.KeyPressMsg:
		return w.key(msg)
	}
	return nil
}

// look takes the question from the estate as it is now.
func (w *Window) look() {
	for i := range w.c.Est.Running {
		if w.c.Est.Running[i].Question == w.id {
			w.op = w.c.Est.Running[i].ID
		}
	}
	q := w.c.Est.Question(w.id)
	switch {
	case q != nil:
		same := *q
		w.q = &same
	case !w.c.Est.Known():
		return // nothing was heard yet
	}
	if q == nil || q.State != policy.Pending {
		w.end()
		return
	}
	if w.field != nil && !w.sending && !w.offered(w.kind) {
		w.field, w.swallow = nil, true
		w.say(w.c.T("confirm.changed", "from", ui.Clean(w.q.From)), true)
	}
	if w.field != nil && !w.sending && w.kind != "no" && !slices.EqualFunc(w.costs, model.Lacking(*w.q), sameCost) {
		w.field, w.swallow = nil, true
		w.say(w.c.T("confirm.data-changed", "to", ui.Clean(w.q.To)), true)
	}
}

// sameCost tells that what was read of a copy still holds; its age grows by itself.
func sameCost(a, b policy.Copy) bool {
	return a.Tag == b.Tag && a.Node == b.Node && a.Price.Code == b.Price.Code && a.Last.Sub(b.Last).Abs() < settleLast
}

// settleLast is how far two tellings of when a copy was complete lie apart though nothing has
// changed: its age is told in whole seconds.
const settleLast = 3 * time.Second

// end closes the field for good; keys that are on their way go nowhere.
func (w *Window) end() {
	if w.over {
		return
	}
	w.over = true
	if w.field != nil && !w.sending {
		w.swallow = true
	}
	w.field, w.kind, w.said, w.scroll.Top = nil, "", "", 0
}

// heard takes the engine's word on what was answered.
func (w *Window) heard(msg answeredMsg) {
	w.sending = false
	if msg.err == nil {
		w.sent, w.field, w.kind = msg.kind, nil, ""
		w.say("", false)
		return
	}
	e := api.AsError(msg.err)
	r := kits.Reason{Code: e.Code, Args: w.arguments(), Text: e.Message}
	if e.Code == "question-ended-answered" && w.q.By == "" || e.Code == "busy" && r.Args["op"] == "" {
		r.Code = ""
	}
	text := ui.Clean(w.c.Reason(r))
	if e.Hint != "" {
		text += " (" + ui.Clean(e.Hint) + ")"
	}
	if lost := e.Kind == api.KindUnavailable || e.Kind == api.KindTimeout; lost && !ui.NeverSent(msg.err) {
		text = w.c.T("confirm.no-word", "error", text)
	}
	w.say(text, true)
}

// arguments fill the sentences of the refusals that an answer may meet. An error brings
// its code and its English, not its arguments; all of them are known here, but who was
// first, which the next snapshot says.
func (w *Window) arguments() map[string]string {
	q := w.q
	op := ""
	if o := w.c.Est.RunningOn(q.Tag); o != nil {
		op = o.ID
	}
	tag := string(q.Tag)
	if len(w.costs) > 0 {
		tag = string(w.costs[0].Tag)
	}
	return map[string]string{"id": q.ID, "tag": tag, "from": q.From, "to": q.To, "node": q.To, "region": q.ToRegion,
		"by": q.By, "answer": q.Answer, "kind": w.kind, "op": op}
}

func (w *Window) say(s string, bad bool) { w.said, w.bad = s, bad }

// send gives the answer to the engine.
func (w *Window) send() tea.Cmd {
	a := api.Answer{Question: w.id, Kind: w.kind}
	if w.kind != "no" {
		a.Typed, a.Accept = w.q.ToRegion, w.costs
	}
	w.sending, w.armed = true, false
	w.say("", false)
	return w.c.Call(func(ctx context.Context, s api.Service) tea.Msg {
		return answeredMsg{w, a.Kind, s.Answer(ctx, a)}
	})
}
