package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// cursorAt is the question that a window's cursor is on, with what stands behind it.
var cursorAt = regexp.MustCompile(`(?m)^[^│]*│ ▸ ([^│]*)`)

func (x *screen) here() string {
	if m := cursorAt.FindStringSubmatch(x.text()); m != nil {
		return strings.TrimSpace(m[1])
	}
	return ""
}

// becomes waits until the screen is as it must become.
func (x *screen) becomes(what string, is func() bool) {
	x.s.t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			x.s.t.Fatalf("the screen never became: %s\n%s", what, x.text())
		}
	}
}

// to takes the cursor to a question of the page.
func (x *screen) to(label string) {
	x.s.t.Helper()
	x.becomes("the page with "+label, func() bool { return x.here() != "" && strings.Contains(x.text(), label) })
	for range 40 {
		was, _, _ := strings.Cut(x.here(), "  ")
		if strings.HasPrefix(was, label) {
			return
		}
		x.keys("Tab")
		x.becomes("the cursor on from "+was, func() bool { now, _, _ := strings.Cut(x.here(), "  "); return now != was && now != "" })
	}
	x.s.t.Fatalf("the cursor does not come to %q:\n%s", label, x.text())
}

// turn goes through a question's choices to one of them.
func (x *screen) turn(label, value string) {
	x.s.t.Helper()
	x.to(label)
	for range 40 {
		was := x.here()
		if strings.Contains(strings.TrimPrefix(was, label), value) {
			return
		}
		x.keys("Right")
		x.becomes(label+" turned", func() bool { now := x.here(); return now != was && strings.HasPrefix(now, label) })
	}
	x.s.t.Fatalf("%s never becomes %s:\n%s", label, value, x.text())
}

// carriesOut goes from the summary over the plan to the end.
func (x *screen) carriesOut(words ...string) {
	x.s.t.Helper()
	x.keys("Enter")
	x.sees("Your answers", "What applying changes", "The same as a command")
	x.becomes("all checked by the servers", func() bool {
		s := x.text()
		return !strings.Contains(s, "checking") && !strings.Contains(s, "whether it works there")
	})
	x.sees(words...)
	x.keys("Enter")
	x.sees("Enter carries this out")
	x.keys("Enter")
}

// TestVPNWizard: the tunnels of the Primary Region are set up in the console, on real VPN nodes: the connection is chosen
// from the node's own ipsec.conf, the routes come along, the other node is offered, and then the service of it.
func TestVPNWizard(t *testing.T) {
	s := newSiteIn(remember(t), eight(), short, func(e *hierarchy.Estate) {
		e.Res = slices.DeleteFunc(e.Res, func(r hierarchy.Resource) bool { return r.Cluster != "service" })
	})
	s.startEngine()
	s.must("apply", s.file, "--yes")
	s.until("all nodes alive", allAlive)
	x := s.console(150, 45)
	x.sees("OSU", "vpn-primary", "no resources yet")
	for try := 0; !strings.Contains(x.text(), "[VPN_P_A"); try++ {
		if try == 20 {
			t.Fatalf("the cursor does not come to VPN_P_A:\n%s", x.text())
		}
		x.keys("Down")
		time.Sleep(300 * time.Millisecond)
	}
	x.keys("n")
	x.sees("Create a resource")
	x.turn("Recovery kit", "openswan")
	x.keys("Enter")
	x.to("VPN_P_A")
	x.keys("Space")
	x.keys("Enter")
	x.to("IPSec connection name")
	x.sees("vpn1") // read from the node
	x.turn("IPSec connection name", "vpn1")
	x.to("Tag")
	x.keys("C-u")
	x.typed("openswan-vpn1")
	x.becomes("the tag typed", func() bool { return strings.Contains(x.here(), "openswan-vpn1") })
	x.carriesOut("ec2-vpn1", "172.16.0.0/16", "VPN_P_A")
	x.sees("What next?", "vpn-primary/openswan-vpn1 is created")
	x.becomes("the engine has told of it", func() bool { return !strings.Contains(x.text(), "has not told of it yet") })
	x.keys("e")
	x.sees("Extend vpn-primary/openswan-vpn1")
	x.turn("Target server", "VPN_P_B")
	x.keys("Enter")
	x.to("IPSec connection name")
	x.sees("vpn2") // its own
	x.turn("IPSec connection name", "vpn2")
	x.carriesOut("VPN_P_B")
	x.sees("What next?", "is extended to VPN_P_B")
	x.becomes("told of and looked at", func() bool {
		s := x.text()
		return !strings.Contains(s, "has not told of it yet") && !strings.Contains(s, "not looked at on")
	})
	x.keys("i")
	x.sees("Put vpn-primary/openswan-vpn1 in service on VPN_P_A", "Enter carries this out")
	x.keys("Enter")
	x.sees("is done")
	s.holds(vpnPrimary, "VPN_P_A")
	s.leads("ap-northeast-1", "VPN_P_A")
	s.put(vpnPrimary, "VPN_P_B")
	s.leads("ap-northeast-1", "VPN_P_B")
}
