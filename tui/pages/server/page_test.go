package server

import (
	"testing"

	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

func of(name string, at int) func(*ui.Context) ui.Page {
	return func(c *ui.Context) ui.Page {
		p := New(c, name)
		if x, ok := p.(*Page); ok {
			x.at = at
		}
		return p
	}
}

func TestScreens(t *testing.T) {
	for _, name := range []string{uitest.Calm, uitest.Failover, uitest.Question, uitest.Trouble, uitest.Fresh} {
		uitest.Golden(t, "list-"+name, uitest.Scene(t, name), of("", 0))
	}
	uitest.Golden(t, "calm", uitest.Scene(t, uitest.Calm), of("LK_P_A", general))
	uitest.Golden(t, "flags", uitest.Scene(t, uitest.Calm), of("LK_P_A", flags))
	uitest.Golden(t, "tuning", uitest.Scene(t, uitest.Calm), of("LK_P_A", tuning))
	uitest.Golden(t, "failover", uitest.Scene(t, uitest.Failover), of("LK_P_A", general))
	uitest.Golden(t, "question", uitest.Scene(t, uitest.Question), of("LK_P_B", paths))
	uitest.Golden(t, "trouble", uitest.Scene(t, uitest.Trouble), of("LK_P_A", resources))
	uitest.Golden(t, "stale", uitest.Scene(t, uitest.Trouble), of("LK_P_B", resources))
	uitest.Golden(t, "vpn", uitest.Scene(t, uitest.Calm), of("VPN_P_A", flags))
	uitest.Golden(t, "gone", uitest.Scene(t, uitest.Calm), of("NOBODY", general))
	uitest.Golden(t, "sixteen", uitest.Large(100), of("NODE_01", flags))
}
