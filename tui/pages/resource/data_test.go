package resource

import (
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// mirrorPage is the page of the mirror. The kit's own fields are another test's.
func mirrorPage(c *ui.Context) *Page {
	c.Kits = kits.Registry{}
	p := New(c, string(uitest.Mirror))
	p.Update(loaded{tag: p.tag})
	return p
}

func TestReplicationScreens(t *testing.T) {
	for _, name := range uitest.Mirrors() {
		t.Run(name, func(t *testing.T) {
			uitest.Golden(t, name, uitest.Mirrored(t, name), func(c *ui.Context) ui.Page { return mirrorPage(c) })
		})
	}
}

// What is meant must be readable without colours and without Unicode; the styles differ,
// the words do not.
func TestReplicationInEveryTheme(t *testing.T) {
	s := uitest.Mirrored(t, uitest.Resyncing)
	var plain string
	for _, k := range []theme.Kind{theme.Dark, theme.Light, theme.Mono} {
		for _, ascii := range []bool{false, true} {
			c := uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
			c.Theme = theme.New(k, ascii)
			screen := uitest.Screen(t, mirrorPage(c), 120, 45)
			for _, want := range []string{"resyncing 42 %", "148.2 MiB/s", "29696 MiB to go", "done in about 3m21s", "its data is up to 11m old", "not promoted without a person's force"} {
				if !strings.Contains(screen, want) {
					t.Errorf("%v ascii=%v: %q is missing:\n%s", k, ascii, want, screen)
				}
			}
			if ascii {
				for _, r := range screen {
					if r > 0x7e {
						t.Fatalf("%v: %q is not ASCII:\n%s", k, r, screen)
					}
				}
			} else if plain == "" {
				plain = screen
			} else if screen != plain {
				t.Errorf("%v says something else:\n%s", k, screen)
			}
		}
	}
}

// lines are the panel's, without styles, in an endless room.
func lines(t *testing.T, s *api.Snapshot, l text.Lang) string {
	t.Helper()
	c := uitest.Context(t, s, l, &uitest.Service{Snap: s})
	return uitest.Screen(t, mirrorPage(c), 100, 120)
}

func TestSaysWhoMayBePromoted(t *testing.T) {
	for _, x := range []struct {
		scene string
		set   func(*api.DataStatus)
		want  []string
		not   []string
	}{
		{uitest.InSync, nil, []string{"LK_P_B has all of the data, and may be promoted without force", "a planned stop hands over to it without force; a loss of the source does not: an asynchronous copy lags behind", "generation 7"}, []string{"IN DOUBT", "no other copy is known"}},
		{uitest.InSync, func(d *api.DataStatus) { d.Doubtful = true }, []string{"IN DOUBT", "no other copy is known to be complete", "the record is in doubt"}, []string{"may be promoted without force"}},
		{uitest.InSync, func(d *api.DataStatus) { d.Nodes["LK_P_B"]["promote"] = "stale" }, []string{"no other copy is known", "its data is out of date"}, nil},
		{uitest.InSync, func(d *api.DataStatus) { d.Nodes["LK_P_B"]["promote"] = "some new reason" }, []string{"force: some new reason"}, []string{"may be promoted without force"}},
		{uitest.InSync, func(d *api.DataStatus) { d.Heard = uitest.Ago(time.Minute) }, []string{"what stands here is as old as that"}, nil},
		{uitest.InSync, func(d *api.DataStatus) { d.Nodes = nil }, []string{"not told"}, []string{"may be promoted"}},
		{uitest.InSync, func(d *api.DataStatus) { d.Impaired = kits.Why("datakeeper.source-bad", "The disk fails.") }, []string{"The disk fails.", "its disk failed while it was the source"}, nil},
		{uitest.Unheard, nil, []string{"nothing is on record yet", "not heard yet"}, []string{"may be promoted", "IN DOUBT"}},
		{uitest.Frozen, nil, []string{"WRITES WAIT", "3 writes on the way", "a planned stop hands over to it without force; a loss of the source does not: the source goes on alone when the link is lost"}, []string{"without a person's force: the source goes on alone"}},
	} {
		s := uitest.Mirrored(t, x.scene)
		d := s.Resources[len(s.Resources)-1].Data
		if x.set != nil {
			x.set(d)
		}
		screen := lines(t, s, text.English)
		flat := strings.Join(strings.Fields(screen), " ")
		for _, w := range x.want {
			if !strings.Contains(flat, w) {
				t.Errorf("%s: %q is missing:\n%s", x.scene, w, screen)
			}
		}
		for _, w := range x.not {
			if strings.Contains(flat, strings.TrimSpace(w)) {
				t.Errorf("%s: %q is there:\n%s", x.scene, w, screen)
			}
		}
	}
}

// The cursor on a copy makes its node the one that keys act on; enter opens the server.
func TestActsOnTheCopyUnderTheCursor(t *testing.T) {
	p, _ := open(t, uitest.Mirrored(t, uitest.InSync), string(uitest.Mirror))
	for range 40 {
		uitest.Press(t, p, "down")
		if it := p.current(); it != nil && it.key == "leg:LK_S_A" {
			break
		}
	}
	if m := only[ui.GoMsg](t, p, "enter"); m != (ui.GoMsg{Kind: ui.Server, Arg: "LK_S_A"}) {
		t.Error(m)
	}
	if w := only[ui.DoMsg](t, p, "i").Wish; w.Goal == nil || w.Goal.Node != "LK_S_A" || w.Goal.Force {
		t.Errorf("%+v", w)
	}
}

// Nothing that a node says gets through as it is, whatever the key.
func TestHostileLiveData(t *testing.T) {
	evil := "\x1b]0;owned\x07\u202e\nsecond line" + strings.Repeat("x", 300)
	s := uitest.Mirrored(t, uitest.InSync)
	d := s.Resources[len(s.Resources)-1].Data
	d.Nodes["LK_P_B"] = map[string]string{}
	for _, k := range []string{"state", "mode", "percent", "left", "speed", "eta", "backlog", "why", "since", "last", "age", "generation", "promote", "new\x1b[2J"} {
		d.Nodes["LK_P_B"][k] = evil
	}
	d.Nodes["ghost\x1b[31m"] = map[string]string{"state": evil, "percent": "50", "left": evil, "speed": evil, "eta": evil}
	d.Tasks = []api.TaskStatus{{Name: evil, Node: evil, Failed: kits.Why("x", evil)}}
	c := uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
	for _, w := range []int{80, 120, 200} {
		uitest.Screen(t, mirrorPage(c), w, 200)
	}
}
