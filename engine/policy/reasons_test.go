package policy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryCodeHasAText finds the codes in the source: one without a text would
// show people an empty line at three in the morning.
func TestEveryCodeHasAText(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	plain := regexp.MustCompile(`(?:why|because|s\.common)\("([a-zA-Z-]+)"(\s*\+)?`)
	found := 0
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range plain.FindAllStringSubmatch(string(src), -1) {
			found++
			if m[2] == "" && texts[m[1]] == "" {
				t.Errorf("%s: code %q has no text", f, m[1])
			}
			if m[2] != "" && !anyPrefix(m[1]) {
				t.Errorf("%s: no code begins with %q", f, m[1])
			}
		}
	}
	if found < 60 {
		t.Fatalf("only %d codes found: the search is wrong", found)
	}
}

func anyPrefix(p string) bool {
	for code := range texts {
		if strings.HasPrefix(code, p) {
			return true
		}
	}
	return false
}

func TestTextsAreSentences(t *testing.T) {
	for code, text := range texts {
		if first := text[0]; first != '{' && (first < 'A' || first > 'Z') {
			t.Errorf("%s: %q does not begin like a sentence", code, text)
		}
		if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "}") {
			t.Errorf("%s: %q does not end like a sentence", code, text)
		}
	}
}

func TestRenderFillsArguments(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"nothing to fill", "nothing to fill"},
		{"{a} and {b}", "1 and 2"},
		{"{missing} stays", "{missing} stays"},
		{"open { only", "open { only"},
	} {
		if got := render(c.text, []string{"a", "1", "b", "2"}); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}
