package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
)

// CallTimeout bounds one call to an engine; previews ask nodes, so it is generous.
const CallTimeout = 45 * time.Second

// Context is what all pages of one estate share. The root changes it between messages.
type Context struct {
	// Est is the estate as last seen; never nil (model.Empty before the first snapshot).
	Est *model.Estate
	// Now is the time that ages are told from.
	Now time.Time
	// Lost is since when the engine does not answer; zero while it does. What is shown
	// is then as old as Est.At.
	Lost time.Time
	// Role is what the engine lets this person do; ReadOnly is the person's own wish.
	Role     api.Role
	ReadOnly bool
	// Who is the name that the engine knows this person by.
	Who string
	// Kits are needed for wizards and simulations.
	Kits kits.Registry
	*theme.Theme
	*text.Printer
	// Frame counts redraws of what moves (Spinner).
	Frame int

	service func() api.Service
	life    context.Context
}

// NewContext makes the context of an estate. service gives the engine's connection of
// the moment, nil while there is none; life ends with the console.
func NewContext(life context.Context, service func() api.Service, th *theme.Theme, p *text.Printer, reg kits.Registry) *Context {
	return &Context{Est: model.Empty(), Theme: th, Printer: p, Kits: reg, service: service, life: life}
}

// Call talks to the engine beside the screen. f's message comes back to every page of
// the estate; f gets an error of kind unavailable as its service when none answers.
func (c *Context) Call(f func(ctx context.Context, s api.Service) tea.Msg) tea.Cmd {
	return c.CallWithin(CallTimeout, f)
}

// CallWithin is Call with another deadline, for what asks all nodes and the cloud.
func (c *Context) CallWithin(d time.Duration, f func(ctx context.Context, s api.Service) tea.Msg) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(c.life, d)
		defer cancel()
		s := c.service()
		if s == nil {
			s = away{}
		}
		return f(ctx, s)
	}
}

// MayAct tells whether this person may do what needs a role; otherwise why not, in the
// reader's language, for Action.Off.
func (c *Context) MayAct(need api.Role) (off string) {
	switch {
	case c.ReadOnly:
		return c.T("common.off-readonly")
	case !c.Lost.IsZero():
		return c.T("common.off-lost")
	case c.Role < need:
		return c.T("common.off-role", "role", c.Role.String(), "need", need.String())
	}
	return ""
}

// Spinner is the present frame of something that runs.
func (c *Context) Spinner() string { return c.Spin[c.Frame%len(c.Spin)] }

// Ago is the age of something, from the time of the screen.
func (c *Context) Ago(t time.Time) string { return c.Age(c.Now, t) }
