package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/plan"
)

// Page is one screen, or a window over one (Show).
type Page interface {
	// Title is its place in the breadcrumbs.
	Title() string
	// Actions are what can be done now, the most wanted first.
	Actions() []Action
	// Do carries out an action of this page.
	Do(id string) tea.Cmd
	// Update hears every message that is no action's key.
	Update(msg tea.Msg) tea.Cmd
	// View draws exactly h lines of exactly w cells (Block does that to any string).
	View(w, h int) string
}

// Typer is a page in which text may be typed: while Typing, every key but ctrl+c goes
// to its Update, and none is an action.
type Typer interface{ Typing() bool }

// Filterer is a page whose content "/" narrows.
type Filterer interface {
	// Filter shows only what matches; empty shows all.
	Filter(words string)
	Filtered() string
}

// Sized is a window that says how large it wants to be; others get most of the screen.
type Sized interface {
	// Size is the wanted size within a screen of w × h.
	Size(w, h int) (int, int)
}

// Action is something that can be done on a page.
type Action struct {
	ID   string // "in-service"; the page's own word
	Key  string // as tea.KeyPressMsg.String() gives it: "i", "enter", "ctrl+d"
	Help string // what it does, in a few words, in the reader's language
	// Off is why it cannot be done now; empty = it can.
	Off string
	// Quiet leaves it out of the hint line (help still has it).
	Quiet bool
}

// Kind names a page.
type Kind string

// The pages, in the order of their numbers.
const (
	Hierarchies   Kind = "hierarchies"
	Topology      Kind = "topology"
	Resource      Kind = "resource" // argument: tag
	Server        Kind = "server"   // argument: name
	Operations    Kind = "operations"
	Confirmations Kind = "confirmations"
	Events        Kind = "events"
	Simulate      Kind = "simulate"
	Doctor        Kind = "doctor" // argument: a server, or none; it has no number
)

// Kinds lists the pages in the order of their numbers, from 1.
func Kinds() []Kind {
	return []Kind{Hierarchies, Topology, Resource, Server, Operations, Confirmations, Events, Simulate}
}

// Unnumbered lists the pages that have no number: the palette opens them, and keys of
// pages that lead there.
func Unnumbered() []Kind { return []Kind{Doctor} }

// Messages that pages get.
type (
	// Fresh: Context.Est is a new one.
	Fresh struct{}
	// Happened is an event as it happens.
	Happened struct{ Event api.Event }
	// Progress is an operation that moved.
	Progress struct{ Operation api.Operation }
	// Tick: Context.Now is another one (once a second, and faster while something runs).
	Tick struct{ Now time.Time }
	// Click is a press of the left button at a cell of the page.
	Click struct{ X, Y int }
	// Wheel is a turn of the wheel: -1 is up.
	Wheel struct{ By int }
)

// Messages by which pages ask the root for something; see the functions.
type (
	GoMsg struct {
		Kind Kind
		Arg  string
	}
	BackMsg  struct{}
	ShowMsg  struct{ Window Page }
	CloseMsg struct{ Window Page }
	SayMsg   struct {
		Text string
		Bad  bool
	}
	CopyMsg struct{ Text, What string }
	DoMsg   struct{ Wish Wish }
)

// Go opens a page, about arg where the kind has one.
func Go(k Kind, arg string) tea.Cmd { return send(GoMsg{k, arg}) }

// Back returns to the page before.
func Back() tea.Cmd { return send(BackMsg{}) }

// Show opens a window over the page; it has the keys until it is closed.
func Show(w Page) tea.Cmd { return send(ShowMsg{w}) }

// Close closes a window.
func Close(w Page) tea.Cmd { return send(CloseMsg{w}) }

// Say shows a line at the bottom for a few seconds; Complain shows one that something
// did not work.
func Say(text string) tea.Cmd      { return send(SayMsg{Text: text}) }
func Complain(text string) tea.Cmd { return send(SayMsg{Text: text, Bad: true}) }

// Copy puts text on the clipboard and says what it was.
func Copy(text, what string) tea.Cmd { return send(CopyMsg{text, what}) }

// Do asks for a change: its preview is opened.
func Do(w Wish) tea.Cmd { return send(DoMsg{w}) }

func send(m tea.Msg) tea.Cmd { return func() tea.Msg { return m } }

// Wish is a change that somebody wants. Exactly one of Goal, Edit, Tuning and Hold is set.
type Wish struct {
	// Title says it in the reader's language: "Put service/www in service on LK_P_B".
	Title string
	// Command is the same as a command, ready to be pasted.
	Command string

	Goal   *plan.Goal
	Edit   edit.Edit
	Tuning *Tuning
	Hold   *api.Hold
	// Then is done once the change is in force; may be nil (extend after create).
	Then func() tea.Cmd
}

// Tuning sets one tuning name on a node, or on all ("").
type Tuning struct{ Node, Name, Value string }
