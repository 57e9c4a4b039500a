package ui

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
)

// Highlight gives each word of a filter the style wherever it stands in drawn lines,
// whatever the case (as Matches finds it); what was drawn around it keeps its looks, and
// no cell moves. Without words the block comes back as it is.
func Highlight(block, words string, st lipgloss.Style) string {
	found := strings.Fields(strings.ToLower(words))
	on, _, _ := strings.Cut(st.Render("x"), "x")
	if len(found) == 0 || on == "" {
		return block
	}
	lines := strings.Split(block, "\n")
	for i, l := range lines {
		lines[i] = highlight(l, found, on)
	}
	return strings.Join(lines, "\n")
}

// span is a part of a line, in bytes.
type span struct{ from, to int }

func highlight(line string, words []string, on string) string {
	all := spans(line, words)
	if len(all) == 0 {
		return line
	}
	var out strings.Builder
	style := "" // the looks that hold at this place, as they were switched on
	inside := false
	for i := 0; i < len(line); {
		if inside && i >= all[0].to {
			out.WriteString(reset + style)
			inside, all = false, all[1:]
		}
		if n := sequence(line[i:]); n > 0 {
			seq := line[i : i+n]
			out.WriteString(seq)
			style = after(style, seq)
			if inside {
				out.WriteString(on)
			}
			i += n
			continue
		}
		if !inside && len(all) > 0 && i >= all[0].from {
			out.WriteString(on)
			inside = true
		}
		out.WriteByte(line[i])
		i++
	}
	if inside {
		out.WriteString(reset + style)
	}
	return out.String()
}

const reset = "\x1b[m"

// after is the looks that hold after a sequence.
func after(style, seq string) string {
	switch {
	case !strings.HasSuffix(seq, "m") || !strings.HasPrefix(seq, "\x1b["):
		return style
	case seq == reset || seq == "\x1b[0m":
		return ""
	}
	return style + seq
}

// sequence is how long the escape sequence is that a text begins with; 0 = it begins with
// none. Drawn lines have no other than CSI ones: foreign text was cleaned.
func sequence(s string) int {
	if len(s) < 2 || s[0] != 0x1b || s[1] != '[' {
		return 0
	}
	for i := 2; i < len(s); i++ {
		if s[i] >= 0x40 && s[i] <= 0x7e {
			return i + 1
		}
	}
	return len(s)
}

// spans are where the words stand in a line, in order and apart from each other.
func spans(line string, words []string) []span {
	plain := make([]byte, 0, len(line)) // what is seen, in lower case
	runes := make([]span, 0, len(line)) // for each byte of that, its rune in the line
	for i := 0; i < len(line); {
		if n := sequence(line[i:]); n > 0 {
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(line[i:])
		was := len(plain)
		plain = utf8.AppendRune(plain, unicode.ToLower(r))
		for range len(plain) - was {
			runes = append(runes, span{i, i + n})
		}
		i += n
	}
	var out []span
	text := string(plain)
	for _, w := range words {
		for from := 0; ; {
			at := strings.Index(text[from:], w)
			if at < 0 {
				break
			}
			at += from
			from = at + len(w)
			out = append(out, span{runes[at].from, runes[from-1].to})
		}
	}
	return joined(out)
}

// joined puts spans in order, those that meet as one.
func joined(all []span) []span {
	slices.SortFunc(all, func(a, b span) int { return a.from - b.from })
	var out []span
	for _, s := range all {
		if last := len(out) - 1; last >= 0 && s.from <= out[last].to {
			out[last].to = max(out[last].to, s.to)
			continue
		}
		out = append(out, s)
	}
	return out
}
