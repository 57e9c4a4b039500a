package wizard

import (
	"fmt"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// BenchmarkKey is a key press and the frame after it, without what runs beside.
func BenchmarkKey(b *testing.B) {
	for _, n := range []int{10, 1_000, 10_000} {
		s := uitest.Large(n)
		for i := range s.Estate.Res {
			s.Estate.Res[i].On = s.Estate.Res[i].On[:1]
		}
		c := uitest.Context(b, s, text.English, &uitest.Service{Snap: s})
		p := Create(c, s.Estate.Cluster[0].Name).(*Window)
		p.form.Set("kit", "ec2")
		p.renew()
		uitest.Press(b, p, "enter", "enter", "down")
		b.Run(fmt.Sprint("create/", n), func(b *testing.B) {
			for i := range b.N {
				p.Update(press1(i))
				p.View(106, 37)
			}
		})
		x := Extend(c, string(s.Estate.Res[0].Tag)).(*Window)
		x.to(1)
		b.Run(fmt.Sprint("extend/", n), func(b *testing.B) {
			for range b.N {
				x.derive()
				x.View(106, 37)
			}
		})
	}
}

func press1(i int) tea.KeyPressMsg {
	if i%2 == 0 {
		return tea.KeyPressMsg{Code: 'i', Text: "i"}
	}
	return tea.KeyPressMsg{Code: tea.KeyBackspace}
}
