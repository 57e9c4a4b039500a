package hierarchies

import (
	"testing"

	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// Every mark has its ASCII twin, and the other themes are as wide.
func TestAsciiAlone(t *testing.T) {
	for _, scene := range uitest.Scenes() {
		s := uitest.Scene(t, scene)
		c := uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
		for _, k := range theme.Kinds() {
			*c.Theme = *theme.New(k, true)
			for i, r := range uitest.Screen(t, New(c, ""), 200, 57) {
				if r > 0x7e {
					t.Errorf("%s, %s: %q at %d", scene, k, r, i)
				}
			}
		}
	}
}
