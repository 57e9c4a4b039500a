package hierarchies

import (
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/tui/pages/hierarchies/cell"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// Data that nobody could take over is hinted at wherever the cursor is on the resource;
// nothing is said where it is redundant, or where there is no data.
func TestHintsAtDataThatIsNotRedundant(t *testing.T) {
	for scene, want := range map[string]string{
		uitest.InSync: "", uitest.Frozen: "", uitest.Unheard: "",
		uitest.Resyncing: "no copy but that of LK_P_A is known to be complete",
		uitest.InDoubt:   "its record is in doubt",
	} {
		s := uitest.Mirrored(t, scene)
		c := uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
		for _, node := range []string{"LK_P_A", "LK_S_B"} {
			got := ""
			for _, f := range cell.Facts(c, cell.At{Tag: uitest.Mirror, Node: node, Cluster: "service"}) {
				if f.Label == "Data" {
					got += f.Text
				}
			}
			if want == "" && got != "" || !strings.HasPrefix(got, want) {
				t.Errorf("%s on %s: %q, want %q", scene, node, got, want)
			}
		}
		for _, f := range cell.Facts(c, cell.At{Tag: "service/www", Node: "LK_P_A", Cluster: "service"}) {
			if f.Label == "Data" {
				t.Errorf("%s: service/www has %q", scene, f.Text)
			}
		}
	}
}
