package main

import (
	"fmt"
	"html"
	"image/color"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
)

// The size of a cell and of the margin, in the picture's own units; the font is
// whatever monospaced one the reader has, stretched to fill its cells.
const (
	cellW, cellH = 8.4, 17.0
	margin       = 12.0
	fontSize     = 14.0
)

// screen is what a picture is made of.
type screen interface {
	CellAt(x, y int) *uv.Cell
	Width() int
	Height() int
}

// run is a piece of a line in one style.
type run struct {
	x, w  int
	text  strings.Builder
	style uv.Style
}

// svg draws a terminal's screen: dark paper, a rectangle for every background, a text
// for every run of one style.
func svg(s screen, title string) string {
	var b strings.Builder
	w, h := float64(s.Width())*cellW+2*margin, float64(s.Height())*cellH+2*margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img">`, w, h, w, h)
	fmt.Fprintf(&b, "\n<title>%s</title>\n", html.EscapeString(title))
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`, paper)
	fmt.Fprintf(&b, "\n"+`<g font-family="ui-monospace,'DejaVu Sans Mono','Noto Sans Mono CJK JP',Menlo,Consolas,monospace" font-size="%.0f" xml:space="preserve">`+"\n", fontSize)
	for y := range s.Height() {
		for _, r := range runs(s, y) {
			r.draw(&b, y)
		}
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

const paper, ink = "#16191d", "#d7dde4"

// runs splits a line where its style changes.
func runs(s screen, y int) []*run {
	var out []*run
	for x := 0; x < s.Width(); {
		c := s.CellAt(x, y)
		if c == nil {
			c = &uv.Cell{Content: " ", Width: 1}
		}
		width := max(c.Width, 1)
		wide := width > 1
		last := len(out) - 1
		// Wide characters stand alone: no font agrees on their width with its narrow ones.
		if last < 0 || wide || !out[last].style.Equal(&c.Style) || out[last].x+out[last].w != x || out[last].w == 2 && len([]rune(out[last].text.String())) == 1 {
			out = append(out, &run{x: x, style: c.Style})
			last++
		}
		text := c.Content
		if text == "" {
			text = " "
		}
		out[last].text.WriteString(text)
		out[last].w += width
		x += width
	}
	return out
}

func (r *run) draw(b *strings.Builder, y int) {
	fg, bg := hex(r.style.Fg, ink), hex(r.style.Bg, "")
	if r.style.Attrs&uv.AttrReverse != 0 {
		fg, bg = or(bg, paper), fg
	}
	x, top := margin+float64(r.x)*cellW, margin+float64(y)*cellH
	if bg != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, top, float64(r.w)*cellW, cellH, bg)
	}
	text := r.text.String()
	if strings.TrimSpace(text) == "" {
		return
	}
	lead := len(text) - len(strings.TrimLeft(text, " "))
	text = strings.TrimRight(text[lead:], " ")
	cells := r.w - lead - (len(r.text.String()) - lead - len(text))
	more := ""
	if r.style.Attrs&uv.AttrBold != 0 {
		more += ` font-weight="bold"`
	}
	if r.style.Attrs&uv.AttrFaint != 0 {
		more += ` opacity="0.6"`
	}
	if r.style.Underline != uv.UnderlineNone {
		more += ` text-decoration="underline"`
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs" fill="%s"%s>%s</text>`+"\n",
		x+float64(lead)*cellW, top+cellH*0.76, float64(cells)*cellW, fg, more, html.EscapeString(text))
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func hex(c color.Color, none string) string {
	if c == nil {
		return none
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
