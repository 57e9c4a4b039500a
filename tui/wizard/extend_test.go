package wizard

import (
	"reflect"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// without is the calm estate with the service taken away from some servers.
func without(t testing.TB, servers ...string) *api.Snapshot {
	e := uitest.Scene(t, uitest.Calm).Estate
	for _, s := range servers {
		res, err := edit.Make(e, uitest.Kits(), edit.Unextend{Tag: "service/www", Server: s})
		if err != nil {
			t.Fatal(err)
		}
		e = res.Estate
	}
	return uitest.Of(e, "LK_P_A")
}

func TestExtendToAnotherRegionAsksForTheAddress(t *testing.T) {
	s := without(t, "LK_S_A", "LK_S_B")
	c := uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
	p := Extend(c, "service/www")
	uitest.Press(t, p, "enter", "enter")
	if s := screen(t, p); !strings.Contains(s, "has to be given") || !strings.Contains(s, "service/ip-route53") {
		t.Errorf("the address of another region is not asked for:\n%s", s)
	}
	uitest.Press(t, p, "10.2.0.10", "enter")
	w := wish(t, p)
	want := edit.Extend{Tag: "service/www", Server: "LK_S_A", Fields: map[string]map[string]string{"ip-route53": {"address": "10.2.0.10"}}}
	if !reflect.DeepEqual(w.Edit, want) {
		t.Errorf("got %#v", w.Edit)
	}
	if cmd := "ferry resource extend service/www --to LK_S_A --set ip-route53.address=10.2.0.10"; w.Command != cmd {
		t.Errorf("the command is %s", w.Command)
	}
	if _, err := edit.Make(s.Estate, c.Kits, w.Edit); err != nil {
		t.Error(err)
	}
}

func TestExtendInsideARegionNeedsNothing(t *testing.T) {
	s := without(t, "LK_P_B")
	c := uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
	p := Extend(c, "service/www")
	// automatic, the template LK_S_A, which gets priority 9; the target 5
	uitest.Press(t, p, "tab", "right", "tab", "right", "tab", "9", "tab", "5", "enter", "enter")
	w := wish(t, p)
	want := edit.Extend{Tag: "service/www", Server: "LK_P_B", Switchback: hierarchy.Automatic, Template: "LK_S_A", TemplatePriority: 9, Priority: 5}
	if !reflect.DeepEqual(w.Edit, want) {
		t.Errorf("got %#v", w.Edit)
	}
	if cmd := "ferry resource extend service/www --to LK_P_B --switchback automatic --template LK_S_A --template-priority 9 --priority 5"; w.Command != cmd {
		t.Errorf("the command is %s", w.Command)
	}
	shown := 0
	for _, m := range uitest.Run(p, w.Then()) {
		m, ok := m.(ui.ShowMsg)
		if !ok {
			continue
		}
		shown++
		// The resource is known, but not yet on that server: nothing is offered that the engine would refuse.
		if s := uitest.Screen(t, m.Window, 70, 8); !strings.Contains(s, "extended to LK_P_B") || strings.Count(s, "has not told of it yet") != 1 || strings.Contains(s, "in service on LK_P_A") {
			t.Errorf("before the engine tells of it:\n%s", s)
		}
		c.Est = uitest.Context(t, uitest.Scene(t, uitest.Calm), text.English, nil).Est
		if s := uitest.Screen(t, m.Window, 70, 8); strings.Contains(s, "has not told of it yet") || !strings.Contains(s, "in service on LK_P_A") {
			t.Errorf("afterwards:\n%s", s)
		}
	}
	if shown != 1 {
		t.Errorf("%d windows come after it", shown)
	}
}

func TestExtendRefusesAPriorityThatIsTaken(t *testing.T) {
	s := without(t, "LK_S_B")
	p := Extend(uitest.Context(t, s, text.English, &uitest.Service{Snap: s}), "service/www")
	uitest.Press(t, p, "tab", "tab", "tab", "tab", "2", "enter")
	if s := screen(t, p); !strings.Contains(s, "LK_P_B has this priority") {
		t.Errorf("priority 2 is taken:\n%s", s)
	}
}

func TestExtendKeepsAnswersPerServer(t *testing.T) {
	s := without(t, "LK_S_A", "LK_S_B")
	p := Extend(uitest.Context(t, s, text.English, &uitest.Service{Snap: s}), "service/www")
	uitest.Press(t, p, "enter", "10.2.0.10", "enter", "pgup", "pgup", "right", "enter")
	if s := screen(t, p); !strings.Contains(s, "On LK_S_B") || strings.Contains(s, "10.2.0.10") {
		t.Errorf("another server is another question:\n%s", s)
	}
	uitest.Press(t, p, "10.2.0.11", "pgup", "left", "enter", "enter")
	if s := screen(t, p); !strings.Contains(s, "10.2.0.10") {
		t.Errorf("the first server's answer is gone:\n%s", s)
	}
}

func TestExtendSeveralRoots(t *testing.T) {
	s := without(t, "LK_S_B")
	res, err := edit.Make(s.Estate, uitest.Kits(), edit.Create{
		Cluster: "service", Tag: "second", Kit: "app", Needs: []string{"route53-www"},
		Fields: map[string]string{"start": "/a", "stop": "/b", "check": "/c"},
	})
	if err != nil {
		t.Fatal(err)
	}
	s = uitest.Of(res.Estate, "LK_P_A")
	c := uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
	p := Extend(c, "service/www")
	uitest.Press(t, p, "enter")
	if s := screen(t, p); !strings.Contains(s, "move together") {
		t.Errorf("one of several roots goes alone:\n%s", s)
	}
	uitest.Press(t, p, "space", "enter", "enter")
	if w := wish(t, p); !w.Edit.(edit.Extend).AllRoots || !strings.Contains(w.Command, "--all-roots") {
		t.Errorf("got %#v %s", w.Edit, w.Command)
	}
}

func TestExtendWhatIsEverywhere(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	p := Extend(uitest.Context(t, s, text.English, &uitest.Service{Snap: s}), "service/www")
	if s := screen(t, p); !strings.Contains(s, "on every server") {
		t.Errorf("got\n%s", s)
	}
	if got := uitest.Press(t, p, "enter"); len(got) != 1 || !got[0].(ui.SayMsg).Bad {
		t.Errorf("enter gives %v", got)
	}
}

// TestSomebodyElseWasQuicker: the target does not become another one unasked.
func TestSomebodyElseWasQuicker(t *testing.T) {
	s := without(t, "LK_S_A", "LK_S_B")
	c := uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
	p := Extend(c, "service/www")
	uitest.Press(t, p, "enter", "10.2.0.10", "enter")
	later := without(t, "LK_S_B")
	c.Est = uitest.Context(t, later, text.English, &uitest.Service{Snap: later}).Est
	uitest.Run(p, p.Update(ui.Fresh{}))
	for _, m := range uitest.Press(t, p, "enter") {
		if _, ok := m.(ui.DoMsg); ok {
			t.Fatal("it would be extended to another server than the one that was chosen")
		}
	}
	if s := screen(t, p); !strings.Contains(s, "on LK_S_A already") {
		t.Errorf("enter does not lead to what is wrong:\n%s", s)
	}
}
