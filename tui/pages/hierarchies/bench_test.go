package hierarchies

import (
	"fmt"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

var sizes = []int{10, 1000, 10000}

func large(b *testing.B, n int) *Page {
	s := uitest.Large(n)
	return New(uitest.Context(b, s, text.English, &uitest.Service{Snap: s}), "")
}

// BenchmarkView is a frame of the largest window after a key press.
func BenchmarkView(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("resources=%d/nodes=16", n), func(b *testing.B) {
			p := large(b, n)
			keys := []tea.KeyPressMsg{{Code: tea.KeyPgDown}, {Code: tea.KeyRight}, {Code: tea.KeyDown}, {Code: 'g', Text: "g"}}
			i := 0
			for b.Loop() {
				p.Update(keys[i%len(keys)])
				_ = p.Actions()
				_ = p.View(200, 57)
				i++
			}
		})
	}
}

// BenchmarkFresh is a frame after a new snapshot.
func BenchmarkFresh(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("resources=%d/nodes=16", n), func(b *testing.B) {
			p := large(b, n)
			one, two := p.c.Est, model.New(uitest.Large(n), uitest.Kits())
			for b.Loop() {
				one, two = two, one
				p.c.Est = one
				p.Update(ui.Fresh{})
				_ = p.View(200, 57)
			}
		})
	}
}

// BenchmarkFilter is a key press in the filter, with its frame.
func BenchmarkFilter(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("resources=%d/nodes=16", n), func(b *testing.B) {
			p := large(b, n)
			words := []string{"app-00", "node_03 osu", "isp", "nothing"}
			i := 0
			for b.Loop() {
				p.Filter(words[i%len(words)])
				_ = p.View(200, 57)
				i++
			}
		})
	}
}
