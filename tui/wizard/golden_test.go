package wizard

import (
	"slices"
	"testing"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

func create(c *ui.Context) ui.Page     { return Create(c, "service") }
func anyCluster(c *ui.Context) ui.Page { return Create(c, "") }
func extend(c *ui.Context) ui.Page     { return Extend(c, "service/www") }

// kitIP chooses the kit ip on the first page of a wizard whose cluster is given, and goes on.
var kitIP = keys(toIP, []string{"enter"})

// The way to a kit from the first one, app: the kits stand in the order of their names.
var toEC2, toIP, toOpenswan = rights(2), rights(4), rights(6)

func rights(n int) []string { return slices.Repeat([]string{"right"}, n) }

func keys(all ...[]string) []string {
	var out []string
	for _, k := range all {
		out = append(out, k...)
	}
	return out
}

func TestScreens(t *testing.T) {
	calm := uitest.Scene(t, uitest.Calm)
	half := without(t, "LK_S_A", "LK_S_B")
	pressed := func(mk func(*ui.Context) ui.Page, keys ...string) func(*ui.Context) ui.Page {
		return func(c *ui.Context) ui.Page {
			p := mk(c)
			uitest.Press(t, p, keys...)
			return p
		}
	}
	twoServers := keys(kitIP, []string{"down", "space", "down", "down", "space", "enter"})
	tests := []struct {
		name string
		s    *api.Snapshot
		mk   func(*ui.Context) ui.Page
	}{
		{"create-kit", calm, pressed(anyCluster)},
		{"create-servers", calm, pressed(create, keys(kitIP, []string{"down", "space", "down"})...)},
		{"create-follow", calm, pressed(create, keys(toEC2, []string{"enter", "tab"})...)},
		{"create-ip", calm, pressed(create, keys(twoServers, []string{"10.1.0", "down", "10.2.0.99"})...)},
		{"create-ec2", calm, pressed(create, keys(toEC2, []string{"enter", "enter", "down"})...)},
		{"create-app", calm, pressed(create, "enter", "www", "enter", "/opt/shop-start", "enter")},
		{"create-summary", calm, pressed(create, keys(twoServers, []string{"10.1.0.99", "down", "10.2.0.99", "enter"})...)},
		{"create-problem", calm, pressed(create, keys([]string{"tab", "right", "tab"}, twoServers, []string{"10.1.0.99", "down", "10.1.0.10", "enter"})...)},
		{"create-refused", calm, pressed(create, "enter", "www", "down", "space", "down", "space", "enter", "/a", "down", "down", "/b", "down", "down", "/c", "enter")},
		{"create-leave", calm, pressed(create, keys(toOpenswan, []string{"esc"})...)},
		{"create-choices", calm, func(c *ui.Context) ui.Page {
			p := pressed(create, "left", "enter", "enter", "down", "down", "example")(c)
			w := p.(*Window)
			w.lives[w.question().live.key()] = &live{items: []string{"example.com (Z0123456789ABC)", "example.com (Z0999)", "example.org (Z0777)", "other.net (Z1)"}}
			uitest.Press(t, p, "right", "right")
			return p
		}},
		{"create-loading", calm, func(c *ui.Context) ui.Page {
			p := pressed(create, "left", "enter", "enter", "down", "down")(c)
			w := p.(*Window)
			w.lives[w.question().live.key()] = &live{loading: true}
			w.derive()
			return p
		}},
		{"extend-where", half, pressed(extend)},
		{"extend-there", half, pressed(extend, "enter", "enter")},
		{"extend-summary", half, pressed(extend, "enter", "10.2.0.10", "enter")},
		{"no-estate", uitest.Scene(t, uitest.Fresh), pressed(anyCluster)},
		{"next", half, func(c *ui.Context) ui.Page {
			return newNext(c, "service/www", "LK_P_B", c.T("wizard.extended", "tag", "service/www", "server", "LK_P_B"))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { uitest.Golden(t, tt.name, tt.s, tt.mk) })
	}
}
