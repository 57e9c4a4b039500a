package server

import (
	"context"
	"errors"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/ui"
)

// flagPanel is the form of LifeKeeper's server properties: a row for each server of the
// cluster, itself included, with the boxes "Confirm failover" and "Block resource
// failover".
type flagPanel struct {
	p     *Page
	peers []string
	list  ui.List
	col   int                       // 0 = confirm, 1 = block
	draft map[string]hierarchy.Flag // rows that a person changed, by peer
	// judgement of the draft: its number, and what is wrong with it.
	draftNo, judgedNo int
	refused           string
	apply             bool // apply as soon as it is judged
}

// judgedMsg is what a definition with the draft would be.
type judgedMsg struct {
	panel   *flagPanel
	no      int
	refused string
}

func newFlags(p *Page) *flagPanel { return &flagPanel{p: p, draft: map[string]hierarchy.Flag{}} }

func (f *flagPanel) title() string { return f.p.c.T("server.panel-flags") + more(&f.list) }

func (f *flagPanel) fresh() {
	at := f.peer()
	f.peers, f.judgedNo = nil, -1
	if cl := f.p.c.Est.Index.ClusterOf(f.p.name); cl != nil {
		f.peers = cl.Servers
	}
	f.list.SetN(len(f.peers))
	if i := slices.Index(f.peers, at); i >= 0 {
		f.list.At = i
	}
	for peer, want := range f.draft {
		if !slices.Contains(f.peers, peer) || want == f.now(peer) {
			delete(f.draft, peer)
		}
	}
	if len(f.draft) == 0 {
		f.refused, f.apply = "", false
	}
}

// peer is the server whose row the cursor is on.
func (f *flagPanel) peer() string {
	if f.list.At < len(f.peers) {
		return f.peers[f.list.At]
	}
	return ""
}

// now is the row in force, want the row as the draft has it.
func (f *flagPanel) now(peer string) hierarchy.Flag { return f.p.c.Est.Index.Flag(f.p.name, peer) }
func (f *flagPanel) want(peer string) hierarchy.Flag {
	if row, ok := f.draft[peer]; ok {
		return row
	}
	return f.now(peer)
}

func (f *flagPanel) actions() []ui.Action {
	admin := f.p.c.MayAct(api.Administrator)
	toggle, apply, discard := admin, admin, ""
	switch {
	case len(f.peers) == 0:
		toggle = f.p.c.T("server.off-no-cluster")
		apply, discard = toggle, toggle
	case len(f.draft) == 0:
		apply, discard = f.p.c.T("server.off-no-change"), f.p.c.T("server.off-no-change")
	case apply == "" && f.refused != "" && f.judgedNo == f.draftNo:
		apply = f.refused
	}
	return []ui.Action{
		{ID: "toggle", Key: "space", Help: f.p.c.T("server.do-toggle"), Off: toggle},
		{ID: "apply", Key: "enter", Help: f.p.c.T("server.do-apply"), Off: apply},
		{ID: "discard", Key: "x", Help: f.p.c.T("server.do-discard"), Off: discard, Quiet: len(f.draft) == 0},
	}
}

func (f *flagPanel) do(id string) tea.Cmd {
	switch id {
	case "toggle":
		return f.toggle()
	case "discard":
		f.draft, f.refused, f.apply = map[string]hierarchy.Flag{}, "", false
	case "apply":
		f.apply = true
		return f.judge()
	}
	return nil
}

// toggle changes the box under the cursor in the draft.
func (f *flagPanel) toggle() tea.Cmd {
	row := f.want(f.peer())
	if f.col == 0 {
		row.Confirm = !row.Confirm
	} else {
		row.Block = !row.Block
	}
	if f.draft[row.Peer] = row; row == f.now(row.Peer) {
		delete(f.draft, row.Peer)
	}
	f.draftNo++
	f.refused, f.apply = "", false
	if len(f.draft) == 0 {
		return nil
	}
	return f.judge()
}

// edits are the draft, row by row in the form's order.
func (f *flagPanel) edits() []edit.Edit {
	var out []edit.Edit
	for _, peer := range f.peers {
		want, ok := f.draft[peer]
		if !ok {
			continue
		}
		e, now := edit.SetFlag{Viewer: f.p.name, Peer: peer}, f.now(peer)
		if want.Confirm != now.Confirm {
			e.Confirm = &want.Confirm
		}
		if want.Block != now.Block {
			e.Block = &want.Block
		}
		out = append(out, e)
	}
	return out
}

// judge asks, beside the screen, what the definition's rules say about the draft.
func (f *flagPanel) judge() tea.Cmd {
	no, est, kits, edits := f.draftNo, f.p.c.Est.Index.Estate(), f.p.c.Kits, f.edits()
	return f.p.c.Call(func(context.Context, api.Service) tea.Msg {
		_, err := edit.Make(est, kits, edits...)
		return judgedMsg{f, no, reasonOf(err)}
	})
}

// reasonOf says why an edit cannot be made, with what to do instead; empty = it can.
func reasonOf(err error) string {
	var invalid *edit.InvalidError
	var one *edit.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &invalid):
		var all []string
		for _, x := range invalid.Problems {
			all = append(all, x.String())
		}
		return ui.Clean(strings.Join(all, "; "))
	case errors.As(err, &one) && one.Fix != "":
		return ui.Clean(one.Text + " - " + one.Fix)
	}
	return ui.Clean(err.Error())
}

// judged hears the answer, and applies the draft when that was asked for.
func (f *flagPanel) judged(m judgedMsg) tea.Cmd {
	if m.panel != f || m.no != f.draftNo || len(f.draft) == 0 {
		return nil
	}
	f.judgedNo, f.refused = m.no, m.refused
	if !f.apply {
		return nil
	}
	f.apply = false
	if f.refused != "" {
		return ui.Complain(f.refused)
	}
	return f.next(f.edits(), 1, len(f.draft))
}

// next asks for the first of the edits; the others follow when that is in force.
func (f *flagPanel) next(edits []edit.Edit, at, of int) tea.Cmd {
	e := edits[0].(edit.SetFlag)
	w := ui.Wish{Title: f.wishTitle(e, at, of), Command: flagCommand(e), Edit: e}
	if len(edits) > 1 {
		w.Then = func() tea.Cmd { return f.next(edits[1:], at+1, of) }
	}
	return ui.Do(w)
}

func (f *flagPanel) wishTitle(e edit.SetFlag, at, of int) string {
	var what []string
	say := func(id string, on *bool) {
		if on != nil {
			what = append(what, f.p.c.T("server."+id)+" "+f.p.c.T(map[bool]string{true: "server.on", false: "server.off"}[*on]))
		}
	}
	say("confirm", e.Confirm)
	say("block", e.Block)
	s := f.p.c.T("server.wish-flag", "viewer", ui.Clean(e.Viewer), "peer", ui.Clean(e.Peer), "what", strings.Join(what, ", "))
	if of > 1 {
		s += " " + f.p.c.T("server.of", "at", at, "of", of)
	}
	return s
}

// flagCommand is a row's change as commands of the shell.
func flagCommand(e edit.SetFlag) string {
	var out []string
	say := func(name string, on *bool) {
		if on != nil {
			out = append(out, "ferry server "+name+" "+shell(e.Viewer)+" "+shell(e.Peer)+" "+map[bool]string{true: "on", false: "off"}[*on])
		}
	}
	say("confirm-failover", e.Confirm)
	say("block-failover", e.Block)
	return strings.Join(out, " && ")
}

func (f *flagPanel) update(msg tea.Msg) (tea.Cmd, bool) {
	switch msg := msg.(type) {
	case ui.Click:
		if _, ok := f.list.Hit(msg.Y - f.head()); ok {
			name, confirm := f.widths(200)
			if x := msg.X - name; x >= 0 {
				f.col = min(1, x/max(1, confirm))
			}
		}
		return nil, true
	case tea.KeyPressMsg:
		switch s := msg.String(); {
		case (s == "right" || s == "l") && f.col == 0, (s == "left" || s == "h") && f.col == 1:
			f.col = 1 - f.col
			return nil, true
		}
	}
	return nil, f.list.Update(msg)
}
