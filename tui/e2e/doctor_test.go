package e2e

import (
	"testing"

	"github.com/ferry-ha/ferry/engine/api"
)

// The doctor's page on the real engine: opened by name it examines once and says what came
// of it; on a server's page a key opens what concerns that one.
func TestDoctorsPage(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w world) {
		c := open(t, options(w.desk("anna", api.Administrator)))
		defer c.leave()
		c.see("ISP")
		c.press(":", "doctor")
		c.see("page · doctor")
		c.press("enter")
		c.see("Doctor", "passed", "ago, took")
		c.press("a", "end")
		c.see("PASS: ", "hide what passed")
		c.press("4")
		c.see("LK_P_A")
		c.press("enter", "c")
		c.see("Doctor: LK_P_A", "passed", "ago, took")
	})
}

// Who may only look is told what is missing, and nothing is asked.
func TestDoctorsPageForGuests(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w world) {
		c := open(t, options(w.desk("gus", api.Guest)))
		defer c.leave()
		c.see("ISP")
		c.press(":", "doctor")
		c.see("page · doctor")
		c.press("enter")
		c.see("operator")
		c.gone("took")
	})
}
