package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
)

// choicesLimit is how long the engine waits for a node's choices, and what it takes to be seen.
const choicesLimit = 20*time.Second + time.Second

// under is the question that a wizard's cursor is on, with what stands behind it.
func (c *console) under() string {
	m := cursor.FindStringSubmatch(c.screen())
	if m == nil {
		return ""
	}
	return strings.TrimSpace(m[1])
}

// goes takes the cursor of a wizard to a question: each key has its effect at once, whatever a node is asked meanwhile.
func (c *console) goes(label string) {
	c.t.Helper()
	for range 40 {
		was := c.under()
		if strings.HasPrefix(was, label) {
			return
		}
		c.press("tab")
		if c.under() == was {
			c.t.Fatalf("the cursor does not move on from %q:\n%s", was, c.screen())
		}
	}
	c.t.Fatalf("the cursor does not come to %q:\n%s", label, c.screen())
}

// gives types an answer, which stands there at once.
func (c *console) gives(label, value string) {
	c.t.Helper()
	c.goes(label)
	c.press(value)
	if !strings.HasSuffix(c.under(), value) {
		c.t.Fatalf("%s does not take %q:\n%s", label, value, c.screen())
	}
}

// A node that hangs takes connections and answers nothing. Asked for its choices the wizard says so within the engine's
// deadline. Until then, and afterwards, everything else can be answered, and so can that question; when the node is
// back its choices come.
func TestANodeHangsWhileItsChoicesAreAskedFor(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w world) {
		o := options(w.desk("anna", api.Administrator))
		o.Width, o.Height = 150, 45
		c := open(t, o)
		defer c.leave()
		c.see("ISP")
		c.press("n")
		c.see("Create a resource")
		for range 20 {
			if strings.Contains(c.under(), "← ip →") {
				break
			}
			c.press("right")
		}
		c.press("enter")
		c.goes("LK_P_B")
		c.press(" ", "enter")
		c.see("Network interface")

		w.toggle("hang/LK_P_B")
		c.goes("Network interface")
		asked := time.Now()
		c.see("loading")
		c.gives("IP address", "10.1.0.20")
		c.gives("Tag", "ip-shop")
		c.goes("Network interface")
		if since := time.Since(asked); since > choicesLimit/4 {
			t.Errorf("the other answers took %s", since)
		}
		c.see("The choices could not be loaded: asking", "LK_P_B for its network interfaces", "ctrl+r tries again")
		if since := time.Since(asked); since > choicesLimit {
			t.Errorf("it was said after %s", since)
		}
		c.gives("Network interface", "eth7")
		c.press("enter")
		c.see("Your answers", "--on LK_P_B --address 10.1.0.20 --interface eth7")

		w.toggle("hang/LK_P_B")
		c.press("\x1b[5~") // page up
		c.see("IP address *")
		c.goes("Network interface")
		c.press("\x15", "\x12") // ctrl+u takes the answer away, ctrl+r asks again
		c.gone("could not be loaded", "loading")
		c.press("right")
		c.match(`▸ Network interface +eth0`)
	})
}
