package ui

import (
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// Canvas is a grid of cells to draw on where lines of text are not enough: frames that
// hold frames, lines between them. What is drawn later lies on top; what falls outside
// is left out. Pens are styles that were registered once; pen 0 is no style.
type Canvas struct {
	W, H int
	cell []rune // 0 = the right half of a wide character
	ink  []uint8
	pens []pen
}

// pen is what a style writes before and after text.
type pen struct{ on, off string }

// NewCanvas makes an empty canvas of w × h cells.
func NewCanvas(w, h int) *Canvas {
	c := &Canvas{W: max(w, 0), H: max(h, 0), pens: make([]pen, 1, 16)}
	c.cell, c.ink = make([]rune, c.W*c.H), make([]uint8, c.W*c.H)
	for i := range c.cell {
		c.cell[i] = ' '
	}
	return c
}

// Pen registers a style; there may be 255.
func (c *Canvas) Pen(st lipgloss.Style) uint8 {
	on, off, _ := strings.Cut(st.Render("x"), "x")
	p := pen{on, off}
	if i := slices.Index(c.pens, p); i >= 0 {
		return uint8(i)
	}
	if len(c.pens) > 255 {
		return 0
	}
	c.pens = append(c.pens, p)
	return uint8(len(c.pens) - 1)
}

// Text writes one line from (x, y) to the right and gives the cell after it. It must be
// clean (Clean); what has no width of its own is left out.
func (c *Canvas) Text(x, y int, s string, pen uint8) int {
	for _, r := range s {
		n := cells(r)
		if n > 0 {
			c.put(x, y, r, n, pen)
		}
		x += n
	}
	return x
}

// HLine repeats a mark of one cell from x0 to x1, both included.
func (c *Canvas) HLine(x0, x1, y int, mark string, pen uint8) {
	for x := min(x0, x1); x <= max(x0, x1); x++ {
		c.Text(x, y, mark, pen)
	}
}

// VLine repeats a mark of one cell from y0 to y1, both included.
func (c *Canvas) VLine(x, y0, y1 int, mark string, pen uint8) {
	for y := min(y0, y1); y <= max(y0, y1); y++ {
		c.Text(x, y, mark, pen)
	}
}

// Clear blanks a rectangle.
func (c *Canvas) Clear(x, y, w, h int) {
	for i := range h {
		c.HLine(x, x+w-1, y+i, " ", 0)
	}
}

// At is the character in a cell; empty outside and in the right half of a wide one.
func (c *Canvas) At(x, y int) string {
	if x < 0 || x >= c.W || y < 0 || y >= c.H || c.cell[y*c.W+x] == 0 {
		return ""
	}
	return string(c.cell[y*c.W+x])
}

func cells(r rune) int {
	switch {
	case r < 0x20 || r == 0x7f:
		return 0
	case r < 0x300, r >= 0x2190 && r < 0x2600:
		return 1
	}
	return ansi.StringWidth(string(r))
}

func (c *Canvas) put(x, y int, r rune, n int, pen uint8) {
	if y < 0 || y >= c.H || x < 0 || x+n > c.W {
		return
	}
	i := y*c.W + x
	if c.cell[i] == 0 { // the right half of a wide one: its left half goes too
		c.cell[i-1] = ' '
	}
	if end := i + n; x+n < c.W && c.cell[end] == 0 {
		c.cell[end] = ' '
	}
	c.cell[i], c.ink[i] = r, pen
	if n == 2 {
		c.cell[i+1], c.ink[i+1] = 0, pen
	}
}

// View is the part of w × h cells whose corner is (x, y); what lies outside is blank.
func (c *Canvas) View(x, y, w, h int) string {
	var b strings.Builder
	b.Grow(h * (w + 32))
	for i := range max(h, 0) {
		if i > 0 {
			b.WriteByte('\n')
		}
		c.line(&b, x, y+i, max(w, 0))
	}
	return b.String()
}

func (c *Canvas) line(b *strings.Builder, x, y, w int) {
	now := uint8(0)
	for i := x; i < x+w; i++ {
		r, ink := ' ', uint8(0)
		if y >= 0 && y < c.H && i >= 0 && i < c.W {
			r, ink = c.cell[y*c.W+i], c.ink[y*c.W+i]
			switch {
			case r == 0 && i > x:
				continue // drawn with its left half
			case r == 0, i == x+w-1 && i+1 < c.W && c.cell[y*c.W+i+1] == 0:
				r = ' ' // half of a wide one stands outside
			}
		}
		if ink != now {
			b.WriteString(c.pens[now].off + c.pens[ink].on)
			now = ink
		}
		b.WriteRune(r)
	}
	b.WriteString(c.pens[now].off)
}
