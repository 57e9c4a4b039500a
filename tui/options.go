package tui

import (
	"context"
	"io"
	"log/slog"

	"github.com/charmbracelet/colorprofile"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Options say what the console shows and where.
type Options struct {
	// Desks are the estates, at least one; the first is shown first.
	Desks []Desk
	// Kits are what wizards and simulations are made from.
	Kits  kits.Registry
	Lang  text.Lang
	Theme theme.Kind
	ASCII bool
	// ReadOnly starts without the means to act; R changes that.
	ReadOnly bool
	// Keys replace keys of actions: "hierarchies.in-service" = "f5".
	Keys map[string]string
	// In and Out are the terminal; nil = the process's own. Env is its environment (TERM,
	// COLORTERM, NO_COLOR …); nil = the process's own.
	In  io.Reader
	Out io.Writer
	Env []string
	// Width and Height are the terminal's size where it cannot be asked for.
	Width, Height int
	// Resized tells new sizes of a terminal that cannot be asked (an SSH session's).
	Resized <-chan Size
	// Colors is what the terminal can do; 0 = found out.
	Colors colorprofile.Profile
	// Served: this is a session of somebody else's process, so signals are not ours.
	Served bool
	// Log gets what goes wrong; nil = nothing is logged (stderr cannot be seen).
	Log *slog.Logger
}

// Size is a terminal's size in cells.
type Size struct{ W, H int }

// Desk is one estate and how its engine is reached.
type Desk struct {
	// Name is shown until the engine says the estate's own.
	Name string
	// Connect reaches the engine; it is called again whenever the connection is lost.
	Connect func(context.Context) (api.Service, error)
	// Local: the engine is in this process, and its automation ends with the console.
	Local bool
	// More are pages of this desk beside the usual ones, from number 9 (the demo's
	// things to break).
	More []Extra
	// Welcome is shown as a window at the beginning; nil = nothing.
	Welcome func(*ui.Context) ui.Page
}

// Extra is a page that only some desks have.
type Extra struct {
	Kind ui.Kind
	// Label is its name for the bar, in the reader's language.
	Label func(*text.Printer) string
	Make  func(*ui.Context) ui.Page
}
