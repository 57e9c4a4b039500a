package act_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/internal/allkits"
	"github.com/ferry-ha/ferry/internal/demo"
	"github.com/ferry-ha/ferry/internal/sim/account"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/ec2"
	"github.com/ferry-ha/ferry/kits/route53"
	"github.com/ferry-ha/ferry/tui/act"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// TestOnARealEngine moves the service of a simulated estate across regions by the window
// alone, on the product's engine: what a stand-in answers may be wished for, this is not.
func TestOnARealEngine(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	d, err := demo.Open(ctx, demo.Options{Small: true, Person: "anna", Who: "test", Version: "test", Kits: func(a account.Account) kits.Registry {
		return allkits.Of(ec2.New(a), route53.New(a).Asking(nil))
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	svc, err := d.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p, err := text.New(text.English)
	if err != nil {
		t.Fatal(err)
	}
	c := ui.NewContext(ctx, func() api.Service { return svc }, theme.New(theme.Dark, false), p, d.Kits())
	c.Role = api.Administrator
	look := func() { // what the feed does
		s, err := svc.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		c.Est, c.Now = model.New(s, d.Kits()), s.At
	}
	until := func(what string, ok func() bool) {
		t.Helper()
		for look(); !ok(); look() {
			select {
			case <-ctx.Done():
				t.Fatalf("never: %s", what)
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	until("the service is up and every node is seen", func() bool {
		r := c.Est.Res("service/www")
		if r == nil || r.Active != "LK_P_A" || len(c.Est.Running) > 0 {
			return false
		}
		for _, n := range c.Est.Nodes {
			if n.Verdict != "alive" {
				return false
			}
		}
		return true
	})
	w, cmd := act.New(c, move("LK_S_A"))
	uitest.Run(w, cmd)
	screen := func() string { return strings.Join(strings.Fields(uitest.Screen(t, w, 100, 70)), " ") }
	if s := screen(); !strings.Contains(s, "CROSSES REGIONS: from ap-northeast-1 to ap-southeast-1") || !strings.Contains(s, "yes, it may") {
		t.Fatalf("the preview:\n%s", s)
	}
	uitest.Press(t, w, "enter", "ap-southeast-1", "enter")
	until("the window tells that it is done", func() bool {
		uitest.Run(w, w.Update(ui.Fresh{}))
		s := screen()
		if strings.Contains(s, "failed") || strings.Contains(s, "taken back") {
			t.Fatalf("it went wrong:\n%s", s)
		}
		return strings.Contains(s, "is done. It took")
	})
	if at := c.Est.Res("service/www").Active; at != "LK_S_A" {
		t.Errorf("the service is on %s", at)
	}
	if s := screen(); !strings.Contains(s, "out of service for") {
		t.Errorf("no outage is told:\n%s", s)
	}
}
