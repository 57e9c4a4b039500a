package tui

import (
	"testing"

	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// A page's number opens the one of that kind that one was on last, not any of them.
func TestNumberOpensThePageOfLately(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	for range 20 { // maps have no order: once would prove nothing
		c := uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
		c.Est = model.New(s, uitest.Kits())
		d := &desk{ctx: c, make: makers(), pages: map[place]ui.Page{}}
		d.open(ui.Hierarchies, "")
		for _, tag := range []string{"service/www", "service/route53-www", "service/ec2-route53"} {
			d.open(ui.Resource, tag)
		}
		d.back()
		d.open(ui.Resource, "")
		if got := d.here().arg; got != "service/route53-www" {
			t.Fatalf("back on route53-www, the number opens %s", got)
		}
		d.open(ui.Hierarchies, "")
		d.open(ui.Resource, "")
		if got := d.here().arg; got != "service/route53-www" {
			t.Fatalf("from elsewhere the number opens %s", got)
		}
	}
}
