package ui

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// List is a cursor in a list of rows of which only the visible part is drawn. The
// rows are the page's own: it says how many there are and draws one of them.
type List struct {
	At  int // the row under the cursor
	Top int // the first visible row
	N   int // how many rows there are
	h   int // how many were visible last
}

// SetN says how many rows there are now; the cursor stays inside.
func (l *List) SetN(n int) {
	l.N = n
	l.At = min(max(l.At, 0), max(0, n-1))
}

// Update moves the cursor by keys and the wheel; it tells whether the message was for it.
func (l *List) Update(msg tea.Msg) bool {
	page := max(1, l.h-1)
	switch msg := msg.(type) {
	case Wheel:
		l.move(3 * msg.By)
		return true
	case tea.KeyPressMsg:
		switch msg.String() {
		case "up", "k":
			l.move(-1)
		case "down", "j":
			l.move(1)
		case "pgup", "ctrl+b":
			l.move(-page)
		case "pgdown", "ctrl+f":
			l.move(page)
		case "home", "g":
			l.move(-l.N)
		case "end", "G":
			l.move(l.N)
		default:
			return false
		}
		return true
	}
	return false
}

func (l *List) move(by int) { l.At = min(max(l.At+by, 0), max(0, l.N-1)) }

// Hit tells which row is at line y of what View drew, and puts the cursor there.
func (l *List) Hit(y int) (row int, ok bool) {
	row = l.Top + y
	if y < 0 || y >= l.h || row >= l.N {
		return 0, false
	}
	l.At = row
	return row, true
}

// View draws h lines of w cells; draw gives row i in at most w cells, and says by at
// whether the cursor is on it (the page paints that).
func (l *List) View(w, h int, draw func(i int, at bool) string) string {
	l.h = max(h, 0)
	l.Top = min(l.Top, l.At)
	l.Top = max(l.Top, l.At-h+1)
	l.Top = max(0, min(l.Top, l.N-h))
	lines := make([]string, 0, l.h)
	for i := l.Top; i < min(l.N, l.Top+h); i++ {
		lines = append(lines, draw(i, i == l.At))
	}
	return Lines(lines, w, h)
}

// More says how much is above and below the visible part: "12–30/400"; empty when all
// is visible.
func (l *List) More() string {
	if l.N <= l.h || l.h <= 0 {
		return ""
	}
	return strconv.Itoa(l.Top+1) + "-" + strconv.Itoa(min(l.N, l.Top+l.h)) + "/" + strconv.Itoa(l.N)
}

// Scroll is a window on lines that are longer than the screen.
type Scroll struct {
	Top int
	n   int
	h   int
}

// Update scrolls by keys and the wheel; it tells whether the message was for it.
func (s *Scroll) Update(msg tea.Msg) bool {
	l := List{At: s.Top, N: max(1, s.n-s.h+1), h: s.h}
	if !l.Update(msg) {
		return false
	}
	s.Top = l.At
	return true
}

// View shows the visible part of the lines.
func (s *Scroll) View(lines []string, w, h int) string {
	s.n, s.h = len(lines), h
	s.Top = max(0, min(s.Top, len(lines)-h))
	return Lines(lines[min(s.Top, len(lines)):], w, h)
}

// More says where in the lines one is; empty when all is visible.
func (s *Scroll) More() string {
	l := List{Top: s.Top, N: s.n, h: s.h}
	return l.More()
}

// Matches tells whether every word of a filter is somewhere in the texts, whatever the
// case.
func Matches(filter string, texts ...string) bool {
	all := strings.ToLower(strings.Join(texts, " "))
	for _, w := range strings.Fields(strings.ToLower(filter)) {
		if !strings.Contains(all, w) {
			return false
		}
	}
	return true
}
