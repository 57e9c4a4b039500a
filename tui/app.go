package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/tui/act"
	"github.com/ferry-ha/ferry/tui/confirm"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
)

// sayFor is how long a line at the bottom stays.
const sayFor = 6 * time.Second

// app is the root model.
type app struct {
	opts  Options
	theme *theme.Theme
	text  *text.Printer
	desks []*desk
	at    int // the desk in front
	w, h  int

	said   string
	saidAt time.Time
	bad    bool
	filter *typed // the filter that is being typed; nil = none
	frame  int
	over   bool // the person is leaving: nothing more is drawn
}

type tickMsg time.Time

// Init implements tea.Model.
func (a *app) Init() tea.Cmd { return a.tick() }

// tick redraws ages once a second, and faster while something moves.
func (a *app) tick() tea.Cmd {
	d := time.Second
	if a.moving() {
		d = 120 * time.Millisecond
	}
	return tea.Tick(d, func(t time.Time) tea.Msg { return tickMsg(t) })
}

func (a *app) moving() bool {
	d := a.desk()
	if len(d.ctx.Est.Running) > 0 || !d.ctx.Lost.IsZero() || !d.ctx.Est.Known() {
		return true
	}
	return len(d.windows) > 0
}

func (a *app) desk() *desk { return a.desks[a.at] }

// Update implements tea.Model.
func (a *app) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		a.w, a.h = msg.Width, msg.Height
		return a, nil
	case tickMsg:
		a.frame++
		return a, tea.Batch(a.ticked(time.Time(msg)), a.tick())
	case freshMsg:
		return a, a.fresh(msg)
	case whoMsg:
		c := a.desks[msg.desk].ctx
		c.Role, c.Who = msg.caller.Role, msg.caller.Who
		return a, nil
	case updateMsg:
		return a, a.updated(msg)
	case lostMsg:
		return a, a.lost(msg)
	case deskMsg:
		return a, a.asked(a.desks[msg.desk], msg.msg)
	case tea.KeyPressMsg:
		return a, a.key(msg)
	case tea.PasteMsg:
		return a, a.paste(msg)
	case tea.MouseClickMsg, tea.MouseWheelMsg:
		return a, a.mouse(msg)
	}
	return a, a.asked(a.desk(), msg)
}

// asked carries out what a page asks the root for; everything else is for all pages.
func (a *app) asked(d *desk, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ui.GoMsg:
		return a.own(d, d.open(msg.Kind, msg.Arg))
	case ui.BackMsg:
		return a.own(d, d.back())
	case ui.ShowMsg:
		d.show(msg.Window)
	case ui.CloseMsg:
		d.close(msg.Window)
	case ui.SayMsg:
		a.say(msg.Text, msg.Bad)
	case ui.CopyMsg:
		a.say(a.text.T("common.copied", "what", msg.What), false)
		return tea.SetClipboard(msg.Text)
	case ui.DoMsg:
		w, cmd := act.New(d.ctx, msg.Wish)
		d.show(w)
		return a.own(d, cmd)
	case deskAt:
		a.at = msg.n
	case lookMsg:
		a.look(msg)
	case quitMsg:
		return a.leave()
	default:
		return a.own(d, d.all(msg))
	}
	return nil
}

func (a *app) say(s string, bad bool) { a.said, a.bad, a.saidAt = ui.Clean(s), bad, time.Now() }

func (a *app) ticked(now time.Time) tea.Cmd {
	var cmds []tea.Cmd
	for _, d := range a.desks {
		d.ctx.Frame = a.frame
		d.clock(now)
		cmds = append(cmds, a.own(d, d.all(ui.Tick{Now: d.ctx.Now})))
	}
	if a.said != "" && now.Sub(a.saidAt) > sayFor {
		a.said = ""
	}
	return tea.Batch(cmds...)
}

func (a *app) fresh(msg freshMsg) tea.Cmd {
	d := a.desks[msg.desk]
	before := d.ctx.Est
	d.ctx.Est, d.at, d.ctx.Lost = msg.est, msg.at, time.Time{}
	d.clock(time.Now())
	cmds := []tea.Cmd{a.own(d, d.all(ui.Fresh{}))}
	if !before.Known() && d.spec.Welcome != nil {
		d.show(d.spec.Welcome(d.ctx))
	}
	a.ask(d)
	return tea.Batch(cmds...)
}

// ask opens the prompt of a question that is new, unless the person is busy with
// something else; the alarm line says it in any case.
func (a *app) ask(d *desk) {
	for _, q := range d.ctx.Est.Pending() {
		if d.asked[q.ID] {
			continue
		}
		d.asked[q.ID] = true
		if len(d.windows) == 0 && a.filter == nil && !d.typing() {
			d.show(confirm.New(d.ctx, q.ID))
		}
	}
}

func (a *app) updated(msg updateMsg) tea.Cmd {
	d := a.desks[msg.desk]
	var cmds []tea.Cmd
	if msg.Event != nil {
		cmds = append(cmds, d.all(ui.Happened{Event: *msg.Event}))
	}
	if msg.Operation != nil {
		cmds = append(cmds, d.all(ui.Progress{Operation: *msg.Operation}))
	}
	return a.own(d, tea.Batch(cmds...))
}

func (a *app) lost(msg lostMsg) tea.Cmd {
	d := a.desks[msg.desk]
	if d.ctx.Lost.IsZero() {
		d.ctx.Lost = time.Now()
	}
	d.why = msg.err
	if a.opts.Log != nil {
		a.opts.Log.Warn("the engine is lost", "desk", d.spec.Name, "error", msg.err)
	}
	return nil
}

// own lets the messages of a desk's command come back to that desk, whichever is in
// front by then.
func (a *app) own(d *desk, cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	n := d.n
	return func() tea.Msg {
		switch msg := cmd().(type) {
		case nil:
			return nil
		case tea.BatchMsg:
			out := make(tea.BatchMsg, 0, len(msg))
			for _, c := range msg {
				out = append(out, a.own(d, c))
			}
			return out
		case tea.QuitMsg, deskMsg:
			return msg
		default:
			return deskMsg{n, msg}
		}
	}
}

// deskMsg is a message for one desk.
type deskMsg struct {
	desk int
	msg  tea.Msg
}
