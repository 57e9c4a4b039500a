package tui

import (
	"github.com/ferry-ha/ferry/tui/pages/confirmations"
	"github.com/ferry-ha/ferry/tui/pages/doctor"
	"github.com/ferry-ha/ferry/tui/pages/events"
	"github.com/ferry-ha/ferry/tui/pages/hierarchies"
	"github.com/ferry-ha/ferry/tui/pages/operations"
	"github.com/ferry-ha/ferry/tui/pages/resource"
	"github.com/ferry-ha/ferry/tui/pages/server"
	"github.com/ferry-ha/ferry/tui/pages/simulate"
	"github.com/ferry-ha/ferry/tui/pages/topology"
	"github.com/ferry-ha/ferry/tui/ui"
)

// maker makes a page about arg, which some kinds have no use for.
type maker func(c *ui.Context, arg string) ui.Page

// makers are the pages that every desk has.
func makers() map[ui.Kind]maker {
	return map[ui.Kind]maker{
		ui.Hierarchies:   func(c *ui.Context, arg string) ui.Page { return hierarchies.New(c, arg) },
		ui.Topology:      func(c *ui.Context, arg string) ui.Page { return topology.New(c, arg) },
		ui.Resource:      func(c *ui.Context, arg string) ui.Page { return resource.New(c, arg) },
		ui.Server:        func(c *ui.Context, arg string) ui.Page { return server.New(c, arg) },
		ui.Operations:    func(c *ui.Context, arg string) ui.Page { return operations.New(c, arg) },
		ui.Confirmations: func(c *ui.Context, arg string) ui.Page { return confirmations.New(c, arg) },
		ui.Events:        func(c *ui.Context, arg string) ui.Page { return events.New(c, arg) },
		ui.Simulate:      func(c *ui.Context, arg string) ui.Page { return simulate.New(c, arg) },
		ui.Doctor:        func(c *ui.Context, arg string) ui.Page { return doctor.New(c, arg) },
	}
}
