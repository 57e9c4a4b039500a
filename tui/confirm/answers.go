package confirm

import (
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// needed is the role that answers.
const needed = api.Operator

// offer is an answer that may be given; off is why it may not be given now.
type offer struct{ kind, key, off string }

// offers are the answers that the question allows, as it is known now.
func (w *Window) offers() []offer {
	if w.q == nil || w.over || w.sent != "" {
		return nil
	}
	off := w.c.MayAct(needed)
	if op := w.c.Est.RunningOn(w.q.Tag); off == "" && op != nil {
		off = w.c.T("confirm.off-busy", "op", ui.Clean(op.ID))
	}
	no := offer{"no", "n", w.c.MayAct(needed)}
	if w.q.Proven {
		return []offer{{"yes", "y", off}, no}
	}
	fence := offer{"fence", "f", off}
	if c := w.c.Est.Index.ClusterOf(w.q.To); off == "" && (c == nil || c.Fencing == "") {
		fence.off = w.c.T("confirm.off-fencing")
	}
	return []offer{fence, {"off", "o", off}, no}
}

func (w *Window) offered(kind string) bool {
	return slices.ContainsFunc(w.offers(), func(o offer) bool { return o.kind == kind })
}

// Actions implements ui.Page.
func (w *Window) Actions() []ui.Action {
	t := w.c.T
	switch {
	case w.swallow || w.sending:
		return []ui.Action{{ID: "close", Key: "esc", Help: t("common.close")}}
	case w.field != nil:
		return []ui.Action{{ID: "send", Key: "enter", Help: t("confirm.do-send")}, {ID: "again", Key: "esc", Help: t("confirm.do-again")}}
	case w.over || w.sent != "":
		return w.afterwards()
	}
	var out []ui.Action
	for _, o := range w.offers() {
		out = append(out, ui.Action{ID: o.kind, Key: o.key, Help: t("confirm.do-" + o.kind), Off: o.off})
	}
	go1 := ui.Action{ID: "go", Key: "enter", Help: t("confirm.do-go"), Quiet: w.kind == ""}
	if w.kind == "" {
		go1.Off = t("confirm.choose-first")
	}
	return append(out,
		go1,
		ui.Action{ID: "next", Key: "tab", Help: t("confirm.do-next")},
		ui.Action{ID: "right", Key: "right", Help: t("confirm.do-next"), Quiet: true},
		ui.Action{ID: "before", Key: "shift+tab", Help: t("confirm.do-before"), Quiet: true},
		ui.Action{ID: "left", Key: "left", Help: t("confirm.do-before"), Quiet: true},
		ui.Action{ID: "copy", Key: "c", Help: t("confirm.do-copy"), Quiet: true})
}

// afterwards is what can be done when there is nothing to answer any more.
func (w *Window) afterwards() []ui.Action {
	out := []ui.Action{{ID: "close", Key: "esc", Help: w.c.T("common.close")}}
	if w.op != "" {
		out = append(out, ui.Action{ID: "operation", Key: "enter", Help: w.c.T("confirm.do-operation")})
	}
	if w.next() != "" {
		out = append(out, ui.Action{ID: "question", Key: "!", Help: w.c.T("confirm.do-question")})
	}
	return out
}

// next is another question that waits.
func (w *Window) next() string {
	for _, q := range w.c.Est.Pending() {
		if q.ID != w.id {
			return q.ID
		}
	}
	return ""
}

// Do implements ui.Page.
func (w *Window) Do(id string) tea.Cmd {
	switch id {
	case "yes", "off", "fence", "no":
		w.choose(id)
	case "go":
		w.choose(w.kind)
	case "next", "right":
		w.step(1)
	case "before", "left":
		w.step(-1)
	case "send":
		return w.enter()
	case "again":
		w.again()
	case "copy":
		return w.copy()
	case "close":
		return ui.Close(w)
	case "operation":
		return ui.Go(ui.Operations, w.op)
	case "question":
		return tea.Batch(ui.Close(w), ui.Show(New(w.c, w.next())))
	}
	return nil
}

// settle is how long no answer can be chosen after the window came. It opens by itself,
// maybe in the middle of keys that were meant for the page below.
const settle = 600 * time.Millisecond

// settling tells that it has only just come, and says so.
func (w *Window) settling() bool {
	if w.c.Now.Sub(w.opened) >= settle {
		return false
	}
	w.say(w.c.T("confirm.just-opened"), false)
	return true
}

// step puts the cursor on the next answer that may be given.
func (w *Window) step(by int) {
	if w.settling() {
		return
	}
	all := w.offers()
	at := slices.IndexFunc(all, func(o offer) bool { return o.kind == w.kind })
	if at < 0 && by < 0 {
		at = 0
	}
	for range all {
		at = (at + by + len(all)) % len(all)
		if all[at].off == "" {
			w.kind = all[at].kind
			w.say("", false)
			return
		}
	}
	if len(all) > 0 {
		w.say(all[len(all)-1].off, true)
	}
}

// choose opens the field for an answer's words.
func (w *Window) choose(kind string) {
	if kind == "" || w.settling() {
		return
	}
	w.kind, w.typed, w.armed, w.costs = kind, nil, false, nil
	if kind != "no" {
		w.costs = model.Lacking(*w.q)
	}
	w.field = ui.NewInput(w.c)
	w.say("", false)
}

// again takes the field away, back to the choice.
func (w *Window) again() {
	w.field, w.typed, w.armed, w.kind = nil, nil, false, ""
	w.say("", false)
}

// words are what has to be typed for the chosen answer, in order.
func (w *Window) words() []string {
	to := w.q.ToRegion
	if to == "" {
		to = w.q.To
	}
	switch w.kind {
	case "no":
		return []string{"no"}
	case "off":
		return []string{w.q.From, to}
	}
	return []string{to}
}

// key takes keys that are no action: those that are typed, and those that scroll.
func (w *Window) key(k tea.KeyPressMsg) tea.Cmd {
	s := k.String()
	switch {
	case w.sending || w.swallow || w.field == nil:
		return w.keyOutside(k)
	case s == "esc":
		w.again()
	case s == "enter":
		return w.enter()
	case s == "up" || s == "down" || s == "pgup" || s == "pgdown":
		w.scroll.Update(k)
	default:
		w.armed = false
		w.say("", false)
		return w.field.Update(k)
	}
	return nil
}

func (w *Window) keyOutside(k tea.KeyPressMsg) tea.Cmd {
	if k.String() != "esc" {
		if !w.Typing() {
			w.scroll.Update(k)
		}
		return nil
	}
	if w.swallow && !w.over {
		w.swallow = false
		w.again()
		return nil
	}
	return ui.Close(w)
}

// enter judges what was typed; the last right word sends the answer.
func (w *Window) enter() tea.Cmd {
	if off := w.off(); off != "" {
		w.say(off, true)
		return nil
	}
	want, typed := w.words()[len(w.typed)], strings.TrimSpace(w.field.Value())
	switch {
	case w.kind == "no" && typed == "" && w.armed:
		return w.send()
	case w.kind == "no" && typed == "":
		w.armed = true
		w.say(w.c.T("confirm.no-again"), false)
		return nil
	case typed == "":
		w.say(w.c.T("confirm.type-first", "word", ui.Clean(want)), true)
		return nil
	case typed != want:
		w.say(w.c.T("confirm.wrong", "word", ui.Clean(want), "typed", ui.Clean(typed)), true)
		return nil
	}
	if len(w.typed)+1 < len(w.words()) {
		w.typed = append(w.typed, typed)
		w.field.Set("")
		w.say("", false)
		return nil
	}
	return w.send()
}

// off is why the chosen answer cannot be given at this moment.
func (w *Window) off() string {
	for _, o := range w.offers() {
		if o.kind == w.kind {
			return o.off
		}
	}
	return w.c.T("confirm.over-now")
}

// click chooses the answer that was clicked.
func (w *Window) click(m ui.Click) {
	all := w.offers()
	if i := m.Y - w.answers; w.field == nil && !w.Typing() && i >= 0 && i < len(all) {
		if all[i].off != "" {
			w.say(all[i].off, true)
			return
		}
		w.choose(all[i].kind)
	}
}

func (w *Window) copy() tea.Cmd {
	if w.q == nil {
		return nil
	}
	cmd := Command(*w.q, w.kind)
	return ui.Copy(cmd, cmd)
}

// Command is the answer as a command that may be pasted; without a kind the one that
// shows the questions.
func Command(q policy.Question, kind string) string {
	words := []string{"ferry", "confirm", "yes", q.ID}
	if q.ToRegion != "" {
		words = append(words, "--region", q.ToRegion)
	}
	switch kind {
	case "":
		words = []string{"ferry", "confirm", "list"}
	case "no":
		words = []string{"ferry", "confirm", "no", q.ID}
	case "fence":
		words = append(words, "--fence")
	case "off":
		words = append(words, "--node-is-off", q.From)
	}
	if kind != "" && kind != "no" && len(model.Lacking(q)) > 0 {
		words = append(words, "--accept-data-loss")
	}
	return ui.ShellWords(words...)
}
