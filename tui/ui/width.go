package ui

import "unicode/utf8"

// plainWidth is the width of a text made of what screens of this console are mostly made
// of: ASCII, colours, and characters that stand for themselves whatever is beside them.
// Anything else (marks that combine, emoji, other control characters) is not plain, and
// has to be measured by the rules for those, which take many times as long: a screen
// measures each of its lines several times.
func plainWidth(s string) (n int, plain bool) {
	for i := 0; i < len(s); {
		switch b := s[i]; {
		case 0x20 <= b && b < 0x7f:
			n++
			i++
		case b == 0x1b:
			end := colour(s[i:])
			if end == 0 {
				return 0, false
			}
			i += end
		case b < utf8.RuneSelf:
			return 0, false
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			w := alone(r)
			if w == 0 {
				return 0, false
			}
			n += w
			i += size
		}
	}
	return n, true
}

// colour is how many bytes the escape sequence has that s begins with, where it is one
// that sets colours (ESC [ digits m); 0 where it is another.
func colour(s string) int {
	if len(s) < 3 || s[1] != '[' {
		return 0
	}
	for i := 2; i < len(s); i++ {
		switch b := s[i]; {
		case b == 'm':
			return i + 1
		case b != ';' && b != ':' && (b < '0' || b > '9'):
			return 0
		}
	}
	return 0
}

// alone is the width of a character that neither joins with its neighbours nor changes
// its width beside them; 0 of those that may, and of all that are not listed here.
func alone(r rune) int {
	switch {
	case 0x2500 <= r && r <= 0x259f, // lines and blocks
		0x2800 <= r && r <= 0x28ff, // Braille, for what turns
		r == '●', r == '○', r == '◐', r == '✖', r == '✔', r == '▶', r == '◀', r == '▾', r == '▸', r == '…', r == '·', r == '–', r == '’',
		r == '→', r == '←', r == '↑', r == '↓', r == '•', r == '‖', r == '∎', r == '×':
		return 1
	case 0x3041 <= r && r <= 0x3096, 0x30a1 <= r && r <= 0x30fc, 0x4e00 <= r && r <= 0x9fff, r == '、', r == '。', r == '「', r == '」':
		return 2
	}
	return 0
}
