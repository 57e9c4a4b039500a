package act

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui/ui"
)

// phase is how far a window is.
type phase int

const (
	loading  phase = iota // the engine is asked what would happen
	asking                // the person is asked
	sending               // the engine is told to do it
	watching              // an operation runs
	over                  // it has ended, or there was nothing to do
)

// hastyFor is how long after a preview came an enter is not taken for a yes, when one was
// pressed before: nobody reads faster, and a double press is quicker.
const hastyFor = 500 * time.Millisecond

// job is what the kinds of wish differ in. Its methods are called by Update and View
// only; what talks to the engine is a function that look and send give away, and must
// not touch the job.
type job interface {
	// need is the role that carrying it out takes.
	need() api.Role
	// look makes the question what would happen; nil = nobody has to be asked.
	look() func(context.Context, api.Service) (any, error)
	// saw takes look's answer.
	saw(any)
	// off says why it cannot be carried out as it stands; empty = it can.
	off() string
	// word is what has to be typed, exactly, before it is carried out, and the sentence
	// that asks for it. Both empty: the key is enough. Without want, any words do.
	word() (want, prompt string)
	// send makes the order; typed is what was typed for word.
	send(typed string) func(context.Context, api.Service) (any, error)
	// sent takes send's answer: the operation to watch, or what to say at the end.
	sent(any) (op, say string)
	// extra are keys of its own, and press what they do: true asks the engine again.
	extra() []ui.Action
	press(id string) (again bool)
	// sections are what the preview consists of.
	sections() []section
	// command is the same as a command; may be empty.
	command() string
}

// section is a part of a preview.
type section struct {
	title string // empty = none
	lines func(w int) []string
	// main goes on the left where there is room for two columns.
	main bool
}

// Window previews a wish and carries it out.
type Window struct {
	c   *ui.Context
	w   ui.Wish
	job job

	phase phase
	since time.Time // when the present call began
	seq   int       // number of the present call; answers to others are void
	bad   *problem  // what went wrong last
	mind  string    // said above the preview: it was made anew, and why

	input *ui.Input // where a word is typed; nil = none is wanted now
	want  string
	ask   string
	wrong string // what was typed instead

	run    watch
	shown  time.Time // when the preview came
	hasty  bool      // enter was pressed before there was anything to say yes to
	tried  bool      // an order was sent of which it is not known whether it was taken
	scroll ui.Scroll
	pin    int  // lines at the top that do not scroll
	follow int  // the line at which something runs
	moved  bool // the person scrolls by hand
	rev    int  // counts what changed what is drawn
	kept   kept
	tall   int
}

// answer is what came of a call.
type answer struct {
	w    *Window
	seq  int
	what any
	err  error
}

// New makes the window of a wish, and the command that loads its preview.
func New(c *ui.Context, wish ui.Wish) (*Window, tea.Cmd) {
	w := &Window{c: c, w: wish, run: watch{began: c.Now}}
	switch {
	case wish.Goal != nil:
		w.job = newGoal(c, wish)
	case wish.Edit != nil:
		w.job = &editJob{c: c, wish: wish}
	case wish.Tuning != nil:
		w.job = newTuning(c, wish)
	case wish.Hold != nil:
		w.job = &holdJob{c: c, wish: wish}
	default:
		w.job, w.phase = nothing{}, over
		return w, nil
	}
	return w, w.load()
}

// load asks what would happen.
func (w *Window) load() tea.Cmd {
	f := w.job.look()
	if f == nil {
		w.to(asking)
		return nil
	}
	return w.call(loading, f)
}

func (w *Window) to(p phase) {
	w.phase = p
	w.rev++
}

func (w *Window) call(p phase, f func(context.Context, api.Service) (any, error)) tea.Cmd {
	w.to(p)
	w.seq++
	w.since, w.bad = w.c.Now, nil
	me := answer{w: w, seq: w.seq}
	return w.c.Call(func(ctx context.Context, s api.Service) tea.Msg {
		me.what, me.err = f(ctx, s)
		return me
	})
}

// Title implements ui.Page.
func (w *Window) Title() string { return ui.Clean(w.w.Title) }

// Typing implements ui.Typer.
func (w *Window) Typing() bool { return w.input != nil }

// Actions implements ui.Page.
func (w *Window) Actions() []ui.Action {
	t := w.c.T
	switch {
	case w.input != nil:
		return []ui.Action{{ID: "go", Key: "enter", Help: t("act.key-go")}, {ID: "untype", Key: "esc", Help: t("act.key-back")}}
	case w.phase == loading:
		return w.with(ui.Action{ID: "close", Key: "esc", Help: t("common.cancel")})
	case w.phase == sending:
		return []ui.Action{{ID: "go", Key: "enter", Help: t("act.key-go"), Off: t("act.off-sending"), Quiet: true}, {ID: "close", Key: "esc", Help: t("act.key-leave")}}
	case w.phase == watching:
		return w.with(ui.Action{ID: "close", Key: "esc", Help: t("act.key-leave")}, ui.Action{ID: "operations", Key: "5", Help: t("act.key-operations")})
	case w.phase == over:
		return w.with(ui.Action{ID: "close", Key: "enter", Help: t("common.close")}, ui.Action{ID: "operations", Key: "5", Help: t("act.key-operations"), Off: w.noOperation()})
	}
	again := ui.Action{ID: "again", Key: "r", Help: t("act.key-again")}
	out := []ui.Action{{ID: "go", Key: "enter", Help: t("act.key-go"), Off: w.off()}}
	if w.unsure() { // the same order under the same id
		out[0].Help = t("act.key-resend")
	}
	out = append(out, w.job.extra()...)
	return w.with(append(out, again, ui.Action{ID: "close", Key: "esc", Help: t("common.cancel")})...)
}

// with adds the key that copies the command.
func (w *Window) with(a ...ui.Action) []ui.Action {
	if w.job.command() != "" {
		a = append(a, ui.Action{ID: "copy", Key: "y", Help: w.c.T("act.key-copy")})
	}
	return a
}

func (w *Window) noOperation() string {
	if w.run.id == "" {
		return w.c.T("act.off-no-operation")
	}
	return ""
}

// off is why the plan cannot be carried out now.
func (w *Window) off() string {
	if off := w.c.MayAct(w.job.need()); off != "" {
		return off
	}
	if w.bad != nil && !w.bad.sending {
		return w.c.T("act.off-no-preview")
	}
	return w.job.off()
}

// Do implements ui.Page.
func (w *Window) Do(id string) tea.Cmd {
	switch id {
	case "go":
		return w.yes()
	case "again":
		w.mind = ""
		return w.load()
	case "copy":
		return ui.Copy(w.job.command(), w.job.command())
	case "operations":
		return ui.Go(ui.Operations, w.run.id)
	case "close":
		return tea.Batch(ui.Close(w), w.farewell())
	}
	if w.phase == asking && w.job.press(id) {
		w.mind = ""
		return w.load()
	}
	w.rev++
	return nil
}

// farewell says what goes on when the window is left.
func (w *Window) farewell() tea.Cmd {
	switch {
	case w.phase == watching:
		return ui.Say(w.c.T("act.leaves-running", "op", ui.Clean(w.run.id)))
	case w.phase == sending || w.tried:
		return ui.Complain(w.c.T("act.leaves-unknown"))
	}
	return nil
}

// yes carries it out, after the word that is wanted.
func (w *Window) yes() tea.Cmd {
	if w.phase != asking {
		return nil
	}
	if off := w.off(); off != "" {
		return ui.Complain(off)
	}
	if w.hasty && w.c.Now.Sub(w.shown) < hastyFor { // meant for something else, or for nothing
		w.hasty = false
		return ui.Say(w.c.T("act.look-first"))
	}
	if want, prompt := w.job.word(); prompt != "" {
		w.want, w.ask, w.wrong = want, prompt, ""
		w.input = ui.NewInput(w.c)
		w.rev++
		return nil
	}
	return w.send("")
}

func (w *Window) send(typed string) tea.Cmd {
	w.input = nil
	return w.call(sending, w.job.send(typed))
}

// Update implements ui.Page.
func (w *Window) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case answer:
		if msg.w == w && msg.seq == w.seq {
			return w.answered(msg)
		}
		return nil
	case ui.Fresh:
		w.rev++ // what is said of the estate may be different now
		return w.watched(msg)
	case seen, ui.Progress, ui.Tick:
		return w.watched(msg)
	case tea.KeyPressMsg, tea.PasteMsg:
		if w.input != nil {
			return w.typed(msg)
		}
		if k, ok := msg.(tea.KeyPressMsg); ok && w.phase == loading && k.String() == "enter" {
			w.hasty = true
		}
	}
	if w.scroll.Update(msg) {
		w.moved = true
	}
	return nil
}

// typed takes keys while a word is typed; keys that write nothing still scroll.
func (w *Window) typed(msg tea.Msg) tea.Cmd {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch k.String() {
		case "esc":
			w.input = nil
			w.rev++
			return nil
		case "enter":
			return w.entered(w.input.Value())
		case "up", "down", "pgup", "pgdown":
			w.scroll.Update(msg)
			return nil
		}
	}
	w.wrong = ""
	return w.input.Update(msg)
}

// entered judges the word: only the exact one is a yes.
func (w *Window) entered(typed string) tea.Cmd {
	if off := w.off(); off != "" { // it may have changed while one typed
		w.input = nil
		return ui.Complain(off)
	}
	if typed == "" || w.want != "" && typed != w.want {
		w.wrong = ui.Clean(typed)
		if typed == "" {
			w.wrong = " "
		}
		return nil
	}
	return w.send(typed)
}

// answered takes what came of a call.
func (w *Window) answered(a answer) tea.Cmd {
	was := w.phase
	w.to(asking)
	if a.err != nil {
		return w.failed(a.err, was == sending)
	}
	if was == loading {
		w.job.saw(a.what)
		w.shown = w.c.Now
		return nil
	}
	op, say := w.job.sent(a.what)
	if op != "" {
		w.to(watching)
		w.run.id, w.scroll.Top, w.moved = op, 0, false
		return w.watched(ui.Fresh{})
	}
	return tea.Batch(ui.Close(w), ui.Say(say), w.then())
}

// then is what the wish wants to be done after it was fulfilled, once.
func (w *Window) then() tea.Cmd {
	f := w.w.Then
	w.w.Then = nil
	if f == nil {
		return nil
	}
	return f()
}

// nothing is the job of a wish that wishes nothing.
type nothing struct{}

func (nothing) need() api.Role                                              { return api.Guest }
func (nothing) look() func(context.Context, api.Service) (any, error)       { return nil }
func (nothing) saw(any)                                                     {}
func (nothing) off() string                                                 { return "" }
func (nothing) word() (string, string)                                      { return "", "" }
func (nothing) send(string) func(context.Context, api.Service) (any, error) { return nil }
func (nothing) sent(any) (string, string)                                   { return "", "" }
func (nothing) extra() []ui.Action                                          { return nil }
func (nothing) press(string) bool                                           { return false }
func (nothing) sections() []section                                         { return nil }
func (nothing) command() string                                             { return "" }
