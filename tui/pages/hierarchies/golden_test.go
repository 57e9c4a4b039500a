package hierarchies

import (
	"testing"

	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

func TestScreens(t *testing.T) {
	for _, name := range uitest.Scenes() {
		t.Run(name, func(t *testing.T) {
			uitest.Golden(t, name, uitest.Scene(t, name), func(c *ui.Context) ui.Page { return New(c, "") })
		})
	}
	t.Run("large", func(t *testing.T) {
		uitest.Golden(t, "large", uitest.Large(100), func(c *ui.Context) ui.Page {
			p := New(c, "")
			uitest.Screen(t, p, 80, 21)
			uitest.Press(t, p, "pgdown", "pgdown", "right", "right")
			return p
		})
	})
}
