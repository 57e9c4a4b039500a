package form

import (
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// page lets the form stand where uitest wants a page.
type page struct{ *Form }

func (p page) Title() string              { return "" }
func (p page) Actions() []ui.Action       { return nil }
func (p page) Do(string) tea.Cmd          { return nil }
func (p page) Update(msg tea.Msg) tea.Cmd { p.Form.Update(msg); return nil }

func newForm(t *testing.T, fields ...Field) page {
	f := New(uitest.Context(t, uitest.Scene(t, uitest.Calm), text.English, &uitest.Service{}))
	f.SetFields(fields)
	f.Start()
	return page{f}
}

func TestRank(t *testing.T) {
	p := newForm(t, Field{ID: "a", Label: "A", Kind: Rank}, Field{ID: "b", Label: "B", Kind: Rank})
	tests := []struct {
		keys string
		a, b string
	}{
		{"space", "1", ""},
		{"down space", "1", "2"},
		{"right", "1", "3"},
		{"5", "1", "35"},
		{"99", "1", "359"}, // 1000 and more is no priority
		{"backspace backspace", "1", "3"},
		{"0", "1", "30"},
		{"space", "1", ""},
		{"left", "1", ""},
		{"up left", "", ""},
		{"0", "", ""},
		{"7", "7", ""},
		{"down right", "7", "8"},
	}
	for _, tt := range tests {
		uitest.Press(t, p, strings.Fields(tt.keys)...)
		if p.Answer("a") != tt.a || p.Answer("b") != tt.b {
			t.Errorf("after %s: %q %q, want %q %q", tt.keys, p.Answer("a"), p.Answer("b"), tt.a, tt.b)
		}
	}
}

func TestChoiceAndCheck(t *testing.T) {
	p := newForm(t, Field{ID: "c", Label: "C", Kind: Choice, Items: []string{"x", "y", "z"}, Default: "y"}, Field{ID: "k", Label: "K", Kind: Check, Default: "true"})
	uitest.Press(t, p, "right")
	if p.Answer("c") != "z" {
		t.Errorf("after the default comes %q", p.Answer("c"))
	}
	uitest.Press(t, p, "right", "left", "left", "tab", "space")
	if p.Answer("c") != "y" || p.Answer("k") != "false" {
		t.Errorf("got %q %q", p.Answer("c"), p.Answer("k"))
	}
	uitest.Press(t, p, "tab")
	if p.At().ID != "c" {
		t.Error("tab does not go round")
	}
	uitest.Press(t, p, "up")
	if p.At().ID != "c" {
		t.Error("up goes round")
	}
}

func TestOffers(t *testing.T) {
	items := []string{"eth0", "eth1", "lo"}
	p := newForm(t, Field{ID: "i", Label: "Interface", Items: items})
	steps := []struct {
		key, want string
		offers    []string
	}{
		{"right", "eth0", items},
		{"right", "eth1", items},
		{"left", "eth0", items},
		{"left", "lo", items},
		{"backspace", "l", []string{"lo"}},
		{"backspace", "", items},
		{"th", "th", []string{"eth0", "eth1"}},
		{"right", "eth0", []string{"eth0", "eth1"}},
		{"right", "eth1", []string{"eth0", "eth1"}},
		{"right", "eth0", []string{"eth0", "eth1"}},
		{"x", "eth0x", nil},
		{"left", "eth0x", nil}, // moves the cursor
		{"y", "eth0yx", nil},
		{"right", "eth0yx", nil},
	}
	for _, s := range steps {
		uitest.Press(t, p, s.key)
		if got := p.Answer("i"); got != s.want {
			t.Errorf("after %s: %q, want %q", s.key, got, s.want)
		}
		if got := p.Offers(p.At()); !slices.Equal(got, s.offers) {
			t.Errorf("after %s: offers %q, want %q", s.key, got, s.offers)
		}
	}
}

func TestAnswersOutliveTheirQuestion(t *testing.T) {
	a, b := Field{ID: "a", Label: "A"}, Field{ID: "b", Label: "B"}
	p := newForm(t, a, b)
	uitest.Press(t, p, "one", "tab", "two")
	p.SetFields([]Field{b})
	p.SetFields([]Field{a, b})
	if p.At().ID != "b" || p.Answer("a") != "one" || p.Answer("b") != "two" {
		t.Errorf("at %s: %q %q", p.At().ID, p.Answer("a"), p.Answer("b"))
	}
	uitest.Press(t, p, "up", "s")
	if p.Answer("a") != "ones" {
		t.Errorf("going on typing gives %q", p.Answer("a"))
	}
}

func TestNotesArePassedBy(t *testing.T) {
	note := Field{ID: "n", Label: "N", Kind: Note, Default: "says something"}
	p := newForm(t, note, Field{ID: "a", Label: "A"}, note, Field{ID: "b", Label: "B"}, note)
	for _, step := range []struct{ key, want string }{{"up", "a"}, {"down", "b"}, {"down", "b"}, {"tab", "a"}, {"shift+tab", "b"}} {
		uitest.Press(t, p, step.key)
		if p.At().ID != step.want {
			t.Errorf("after %s at %s, want %s", step.key, p.At().ID, step.want)
		}
	}
	alone := newForm(t, note)
	uitest.Press(t, alone, "tab", "down", "x", "space")
	uitest.Screen(t, alone, 80, 10)
}

func TestTheCursorStaysInSight(t *testing.T) {
	var fields []Field
	for i := range 40 {
		fields = append(fields, Field{ID: string(rune('A' + i)), Label: "Field " + string(rune('A'+i)), Heading: "Part " + string(rune('0'+i/10))})
	}
	p := newForm(t, fields...)
	for range 40 {
		for _, z := range [][2]int{{80, 18}, {120, 12}, {40, 5}} {
			if s := uitest.Screen(t, p, z[0], z[1]); !strings.Contains(s, p.c.Closed+" "+p.At().Label) {
				t.Fatalf("%v: the cursor is out of sight at %s:\n%s", z, p.At().Label, s)
			}
		}
		uitest.Press(t, p, "down")
	}
}

func TestForeignTextIsHarmless(t *testing.T) {
	evil := "a\x1b[2J\u202eb"
	p := newForm(t, Field{ID: "a", Label: evil, Help: evil, Heading: evil, Hint: evil, Notice: evil, Items: []string{evil}},
		Field{ID: "b", Label: "B", Kind: Choice, Items: []string{evil}, Default: evil})
	p.SetProblems(map[string]string{"b": "no"})
	for _, w := range []int{3, 20, 80, 120} {
		uitest.Screen(t, p, w, 12)
	}
	uitest.Press(t, p, "right")
	uitest.Screen(t, p, 80, 12)
	uitest.Press(t, p, "down")
	uitest.Screen(t, p, 80, 12)
}
