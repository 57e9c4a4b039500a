package resource

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// What the mirror kit says of a copy has words in the reader's language. The kit's English
// stands in its code.
func TestEveryWordOfTheMirrorIsSaid(t *testing.T) {
	var src strings.Builder
	for _, f := range []string{"live.go", "keep.go", "promote.go"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "..", "kits", "datakeeper", f))
		if err != nil {
			t.Fatal(err)
		}
		src.Write(b)
	}
	s := uitest.Mirrored(t, uitest.InSync)
	p := &Page{c: uitest.Context(t, s, text.Japanese, &uitest.Service{Snap: s})}
	for what, x := range map[string]struct {
		words *regexp.Regexp
		least int
		said  func(string) string
	}{
		"states":  {regexp.MustCompile(`"((?:Source|Target), [^"]+)"`), 8, func(w string) string { return p.legState(leg(w)) }},
		"modes":   {regexp.MustCompile(`return "((?:a?synchronous)[^"]*)"`), 3, func(w string) string { return p.said("mode", w) }},
		"reasons": {regexp.MustCompile(`(?:return|Why:|whyPaused =) "((?:it|its|the|blocks) [^"]+)"`), 8, p.why},
	} {
		n := 0
		for _, m := range found(x.words, src.String()) {
			n++
			if got := x.said(m); got == "" || strings.Contains(got, strings.TrimPrefix(strings.TrimPrefix(m, "Target, "), "Source, ")) {
				t.Errorf("%s: %q has no words in Japanese: %q", what, m, got)
			}
		}
		if n < x.least {
			t.Errorf("%s: only %d found: has the kit moved?", what, n)
		}
	}
}

func found(re *regexp.Regexp, src string) []string {
	var out []string
	for _, m := range re.FindAllStringSubmatch(src, -1) {
		out = append(out, m[1])
	}
	return out
}

// leg is a copy in this state, as the model reads it.
func leg(state string) model.Leg {
	l := model.Leg{Percent: -1}
	_, l.State, _ = strings.Cut(state, ", ")
	return l
}
