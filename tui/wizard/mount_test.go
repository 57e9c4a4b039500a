package wizard

import (
	"reflect"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// atMirror is the create wizard on the fields of a mirror on two servers.
func atMirror(t *testing.T) (*Window, *ui.Context) {
	t.Helper()
	c := calm(t, &uitest.Service{})
	w := Create(c, "service").(*Window)
	w.form.Set("kit", mirrorKit)
	w.form.Set("on/LK_P_A", "1")
	w.form.Set("on/LK_S_A", "2")
	uitest.Press(t, w, "enter", "enter")
	w.form.Set("k/datakeeper/disk@LK_P_A", "/dev/sdb")
	w.form.Set("k/datakeeper/disk@LK_S_A", "/dev/sdc")
	uitest.Press(t, w, "tab")
	return w, c
}

// A mirror with a mount point is two resources in one change, and nothing of it can be
// asked for before what is overwritten was agreed to by its word.
func TestMirrorWithAFileSystem(t *testing.T) {
	w, c := atMirror(t)
	w.form.Set(askPoint, "/oradata")
	uitest.Press(t, w, "tab", "enter")
	if s := screen(t, w); !strings.Contains(s, "LK_S_A") || !strings.Contains(s, "/dev/sdc") || !strings.Contains(s, "/dev/sdb") {
		t.Fatalf("what is overwritten, and with what, is not shown:\n%s", s)
	}
	for _, reflex := range []string{"enter", "y", "LK_S_A"} {
		uitest.Press(t, w, reflex, "enter")
		if s := screen(t, w); !strings.Contains(s, "Overwritten for good: LK_S_A /dev/sdc") {
			t.Fatalf("%s is taken for a yes:\n%s", reflex, s)
		}
		uitest.Press(t, w, "ctrl+u")
	}
	uitest.Press(t, w, "LK_P_A", "enter")
	got := wish(t, w)
	want := edit.All{
		edit.Create{
			Cluster: "service", Tag: "datakeeper-oradata", Kit: mirrorKit, Switchback: hierarchy.Intelligent, Fields: map[string]string{},
			On: []edit.Place{{Server: "LK_P_A", Priority: 1, Fields: map[string]string{"disk": "/dev/sdb"}}, {Server: "LK_S_A", Priority: 2, Fields: map[string]string{"disk": "/dev/sdc"}}},
		},
		edit.Create{
			Cluster: "service", Tag: "oradata", Kit: mountKit, Switchback: hierarchy.Intelligent,
			Fields: map[string]string{"mount_point": "/oradata"}, Needs: []string{"datakeeper-oradata"},
		},
	}
	if !reflect.DeepEqual(got.Edit, edit.Edit(want)) {
		t.Errorf("the wish is\n%#v, want\n%#v", got.Edit, want)
	}
	command := "ferry resource create datakeeper service/datakeeper-oradata --on LK_P_A,LK_S_A --disk LK_P_A=/dev/sdb --disk LK_S_A=/dev/sdc" +
		" && ferry resource create filesystem service/oradata --needs datakeeper-oradata --mount-point /oradata"
	if got.Command != command {
		t.Errorf("the command is\n%s, want\n%s", got.Command, command)
	}
	if _, err := edit.Make(c.Est.Estate, c.Kits, got.Edit); err != nil {
		t.Errorf("the wish cannot be made: %v", err)
	}
}

// The word is for the disks that were named: for another one it is typed again.
func TestAnotherDiskIsAgreedToAnew(t *testing.T) {
	w, _ := atMirror(t)
	uitest.Press(t, w, "enter", "LK_P_A", "enter")
	if w.finishing().ID != "finish" {
		t.Fatalf("not ready:\n%s", screen(t, w))
	}
	w.form.Set("k/datakeeper/disk@LK_S_A", "/dev/sdd")
	w.derive()
	if w.finishing().ID != "mend" {
		t.Errorf("a word for /dev/sdc counts for /dev/sdd:\n%s", screen(t, w))
	}
}

func TestADiskAsItIsHasNoMountPoint(t *testing.T) {
	w, _ := atMirror(t)
	w.form.Set("k/datakeeper/hierarchy_type", shapeBare)
	w.form.Set(askPoint, "/oradata")
	w.derive()
	if s := screen(t, w); strings.Contains(s, "Mount point") || w.asks.along(false) != nil {
		t.Errorf("a mount point is asked for, or used:\n%s", s)
	}
}
