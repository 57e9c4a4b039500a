package ui

import (
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestShellWords: a shell reads back exactly the words that were written.
func TestShellWords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringOf(rapid.RuneFrom([]rune("ab1-_./='\"$`\\ !*?[]{}~#&|;<>()語é"))), 1, 5).Draw(t, "words")
		out, err := exec.Command("sh", "-c", "printf '%s\\n' "+ShellWords(words...)).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSuffix(string(out), "\n"); got != strings.Join(words, "\n") {
			t.Fatalf("%q comes back as %q", words, got)
		}
	})
	if got := ShellWords("a\x1b[2J\u202eb\n", ""); got != "'a[2Jb' ''" {
		t.Errorf("control characters: %q", got)
	}
}
