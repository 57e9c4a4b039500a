package e2e

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
)

// What a node writes never reaches the terminal as a sequence, on whatever page.
func TestHostileOutput(t *testing.T) {
	const evil = `printf '\033]0;owned\007\033[31mred\033[2J\r\n\302\2331mcsi \342\200\256rtl \017\n' >&2; printf '\033[5n\033Pq\033\\' ; exit 1`
	bubble(t, nil, func(t *testing.T, w world) {
		o := options(w.desk("anna", api.Administrator))
		o.Width, o.Height = 120, 40
		c := open(t, o)
		defer c.leave()
		c.see("ISP")
		for _, n := range []string{"LK_P_A", "LK_P_B"} {
			if err := w.Sim().Nodes.Node(n).WriteFile("/etc/ferry/www-check", "#!/bin/sh\n"+evil+"\n", true); err != nil {
				t.Fatal(err)
			}
		}
		c.see("OSF")
		for _, key := range "1345678291" {
			c.press(string(key))
			time.Sleep(3 * time.Second)
			c.press("enter")
			settle()
			c.press("esc")
		}
		c.press("esc", "esc", "7")
		c.see("red") // it is told, harmlessly
		wire := c.bytes()
		for _, bad := range []string{"owned\x07", "\x1b[31mred", "\x1b[5n", "\x1bPq", "\u202e", "\u009b", "\x0f"} {
			if strings.Contains(wire, bad) {
				t.Errorf("%q went over the wire", bad)
			}
		}
	})
}

// ended opens a console on a page of its own and ends it in some way.
func ended(t *testing.T, page ui.Page, end func(c *console), want error) {
	synctest.Test(t, func(t *testing.T) {
		w := bring(t, nil)
		defer func() { w.Close(); time.Sleep(time.Minute); synctest.Wait() }()
		o := options(w.desk("anna", api.Administrator))
		if page != nil {
			o.Desks[0].More = []tui.Extra{{Kind: "bad", Label: func(*text.Printer) string { return "bad" }, Make: func(*ui.Context) ui.Page { return page }}}
		}
		c := open(t, o)
		c.see("cross-region")
		end(c)
		c.over(want)
	})
}

func TestTerminalIsRestored(t *testing.T) {
	boom := errors.New("an error")
	t.Run("quit", func(t *testing.T) { ended(t, nil, func(c *console) { c.type1("q") }, nil) })
	t.Run("ctrl+c", func(t *testing.T) { ended(t, nil, func(c *console) { c.press("ctrl+c") }, nil) })
	t.Run("context", func(t *testing.T) { ended(t, nil, func(c *console) { c.cancel() }, nil) })
	t.Run("hang up", func(t *testing.T) { ended(t, nil, func(c *console) { _ = c.in.Close(); c.cancel() }, nil) })
	for _, where := range []string{"update", "view", "command"} {
		t.Run("panic in "+where, func(t *testing.T) {
			ended(t, &bad{where: where}, func(c *console) { c.press("9"); c.type1("x") }, boom)
		})
	}
}

// bad is a page with a bug.
type bad struct {
	where string
	armed bool
}

func (b *bad) Title() string        { return "bad" }
func (b *bad) Actions() []ui.Action { return []ui.Action{{ID: "x", Key: "x", Help: "boom"}} }
func (b *bad) Update(tea.Msg) tea.Cmd {
	if b.armed && b.where == "update" {
		panic("a bug in Update")
	}
	return nil
}
func (b *bad) View(w, h int) string {
	if b.armed && b.where == "view" {
		panic("a bug in View")
	}
	return ui.Block("", w, h)
}
func (b *bad) Do(string) tea.Cmd {
	b.armed = true
	if b.where == "command" {
		return func() tea.Msg { panic("a bug in a command") }
	}
	return nil
}
