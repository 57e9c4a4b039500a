package tui

import (
	"context"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// opened is the console on a scene, without a program around it.
func opened(t *testing.T, scene string, w, h int) *app {
	t.Helper()
	return onService(t, &uitest.Service{Snap: uitest.Scene(t, scene)}, w, h)
}

// onService is the console on a service, its first snapshot already there.
func onService(t testing.TB, svc *uitest.Service, w, h int) *app {
	t.Helper()
	a, err := newApp(t.Context(), Options{Kits: uitest.Kits(), Lang: text.English, Width: w, Height: h,
		Desks: []Desk{{Name: "test", Connect: func(context.Context) (api.Service, error) { return svc, nil }}}}, func(tea.Msg) {})
	if err != nil {
		t.Fatal(err)
	}
	est := uitest.Context(t, svc.Snap, text.English, svc).Est
	a.Update(freshMsg{desk: 0, est: est})
	return a
}

// key is a printable key.
func key(s string) tea.KeyPressMsg { return tea.KeyPressMsg{Code: []rune(s)[0], Text: s} }

func TestEveryScreenFillsTheWindow(t *testing.T) {
	for _, scene := range uitest.Scenes() {
		for _, size := range []struct{ w, h int }{{20, 5}, {60, 16}, {80, 24}, {200, 60}} {
			a := opened(t, scene, size.w, size.h)
			for _, page := range "12345678" {
				a.Update(key(string(page)))
				for _, over := range []string{"", "?", ":"} {
					if over != "" {
						a.Update(key(over))
					}
					lines := strings.Split(a.View().Content, "\n")
					if len(lines) != size.h {
						t.Fatalf("%s page %c over %q at %v: %d lines", scene, page, over, size, len(lines))
					}
					for i, line := range lines {
						if n := ansi.StringWidth(line); n != size.w {
							t.Fatalf("%s page %c over %q at %v: line %d has %d cells: %q", scene, page, over, size, i+1, n, ansi.Strip(line))
						}
					}
				}
				a.desk().windows = nil
			}
		}
	}
}

func TestASCIIIsASCII(t *testing.T) {
	for _, scene := range uitest.Scenes() {
		a := opened(t, scene, 120, 40)
		a.look(lookMsg{ascii: true})
		for _, page := range "12345678" {
			a.Update(key(string(page)))
			for _, over := range []string{"", "?", ":"} {
				if over != "" {
					a.Update(key(over))
				}
				for i, line := range strings.Split(ansi.Strip(a.View().Content), "\n") {
					for _, r := range strings.ReplaceAll(line, "日本語", "") { // the name of the language
						if r > 0x7e {
							t.Fatalf("%s page %c over %q: line %d has %q: %q", scene, page, over, i+1, r, line)
						}
					}
				}
			}
			a.desk().windows = nil
		}
	}
}
