package uitest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
)

var update = flag.Bool("update", false, "write the golden screens anew")

// Sizes are the windows that every page is drawn in; what the bars take is off already.
var Sizes = []struct{ W, H int }{{80, 21}, {120, 37}, {200, 57}}

// Context is a page's context on a snapshot: an administrator at Clock.
func Context(t testing.TB, s *api.Snapshot, l text.Lang, svc api.Service) *ui.Context {
	t.Helper()
	p, err := text.New(l)
	if err != nil {
		t.Fatal(err)
	}
	c := ui.NewContext(context.Background(), func() api.Service { return svc }, theme.New(theme.Dark, false), p, Kits())
	c.Est, c.Now, c.Role, c.Who = model.New(s, Kits()), Clock, api.Administrator, "anna"
	return c
}

// Golden draws a page in every size and language and compares it with
// testdata/NAME-LANG-WxH.txt (go test -update writes them). Every line must have its
// width, and nothing but styles may stand between the characters.
func Golden(t *testing.T, name string, s *api.Snapshot, mk func(*ui.Context) ui.Page) {
	t.Helper()
	local := time.Local
	time.Local = time.UTC
	defer func() { time.Local = local }()
	for _, l := range text.Langs() {
		p := mk(Context(t, s, l, &Service{Snap: s}))
		for _, z := range Sizes {
			screen := Screen(t, p, z.W, z.H)
			if strings.Contains(screen, "[root.") || missing(screen) {
				t.Errorf("%s %s: a text is missing:\n%s", name, l, screen)
			}
			file := filepath.Join("testdata", fmt.Sprintf("%s-%s-%dx%d.txt", name, l, z.W, z.H))
			compare(t, file, screen)
		}
	}
}

// missing looks for an id in brackets, which stands for a text that no catalog has.
func missing(screen string) bool {
	for _, w := range strings.Fields(screen) {
		if strings.HasPrefix(w, "[") && strings.HasSuffix(w, "]") && strings.Count(w, ".") == 1 {
			return true
		}
	}
	return false
}

func compare(t *testing.T, file, screen string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(screen), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != screen {
		t.Errorf("%s is different now (go test -update, then look at the diff):\n%s", file, screen)
	}
}

// Screen draws a page without its styles, and fails when it does not fill exactly w × h
// cells or lets a control character through.
func Screen(t testing.TB, p ui.Page, w, h int) string {
	t.Helper()
	raw := p.View(w, h)
	plain := ansi.Strip(raw)
	lines := strings.Split(plain, "\n")
	if len(lines) != h {
		t.Errorf("%d lines, want %d", len(lines), h)
	}
	var b strings.Builder
	for i, line := range lines {
		if n := ansi.StringWidth(line); n != w {
			t.Errorf("line %d has %d cells, want %d: %q", i+1, n, w, line)
		}
		for _, r := range line {
			if r < 0x20 || r == 0x7f || r == 0x202e {
				t.Errorf("line %d lets %U through", i+1, r)
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// Press gives keys to a page as the root does ("i", "enter", "ctrl+f"; other words are
// typed letter by letter), runs what comes back (at most a few rounds), gives the
// messages to the page, and returns those that are for the root.
func Press(t testing.TB, p ui.Page, keys ...string) []tea.Msg {
	t.Helper()
	var out []tea.Msg
	for _, k := range keys {
		for _, one := range split(k) {
			out = append(out, Run(p, press(p, one))...)
		}
	}
	return out
}

func press(p ui.Page, k tea.KeyPressMsg) tea.Cmd {
	if ty, ok := p.(ui.Typer); !ok || !ty.Typing() {
		for _, a := range p.Actions() {
			if a.Key == k.String() {
				if a.Off != "" {
					return ui.Complain(a.Off)
				}
				return p.Do(a.ID)
			}
		}
	}
	return p.Update(k)
}

// Run carries commands out until nothing comes back but what the root would act on.
func Run(p ui.Page, cmd tea.Cmd) []tea.Msg {
	var forRoot []tea.Msg
	queue := []tea.Cmd{cmd}
	for round := 0; len(queue) > 0 && round < 200; round++ {
		c := queue[0]
		queue = queue[1:]
		if c == nil {
			continue
		}
		switch m := c().(type) {
		case nil:
		case tea.BatchMsg:
			queue = append(queue, m...)
		case ui.GoMsg, ui.BackMsg, ui.ShowMsg, ui.CloseMsg, ui.SayMsg, ui.CopyMsg, ui.DoMsg:
			forRoot = append(forRoot, m)
		default:
			queue = append(queue, p.Update(m))
		}
	}
	return forRoot
}

var named = map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight,
	"tab": tea.KeyTab, "backspace": tea.KeyBackspace, "home": tea.KeyHome, "end": tea.KeyEnd, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "space": tea.KeySpace}

func split(k string) []tea.KeyPressMsg {
	mod := tea.KeyMod(0)
	word := k
	if rest, ok := strings.CutPrefix(word, "ctrl+"); ok {
		mod, word = tea.ModCtrl, rest
	} else if rest, ok := strings.CutPrefix(word, "shift+"); ok {
		mod, word = tea.ModShift, rest
	}
	if code, ok := named[word]; ok {
		text := ""
		if word == "space" {
			text = " "
		}
		return []tea.KeyPressMsg{{Code: code, Mod: mod, Text: text}}
	}
	if mod != 0 {
		return []tea.KeyPressMsg{{Code: []rune(word)[0], Mod: mod}}
	}
	var out []tea.KeyPressMsg
	for _, r := range k {
		out = append(out, tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	return out
}
