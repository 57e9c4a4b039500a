package doctor_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/doctor"
)

var spoken = regexp.MustCompile(`\.found\([^,]+, "([a-z.-]+)"`)

// TestEverySentenceIsThere: a word that no sentence has would be a finding that says nothing, and a sentence whose word
// no check says is left over.
func TestEverySentenceIsThere(t *testing.T) {
	files, err := filepath.Glob("check_*.go")
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]bool{}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range spoken.FindAllStringSubmatch(string(src), -1) {
			words[m[1]] = true
		}
	}
	of := func(code, word string) bool {
		if strings.Contains(word, ".") {
			return code == "doctor."+word
		}
		for _, c := range doctor.Checks() {
			if code == "doctor."+c.ID+"-"+word {
				return true
			}
		}
		return false
	}
	left := doctor.Sentences()
	for word := range words {
		some := false
		for code := range doctor.Sentences() {
			if of(code, word) {
				some = true
				delete(left, code)
			}
		}
		if !some {
			t.Errorf("no sentence is of the word %q", word)
		}
	}
	for code := range left {
		t.Errorf("no check says %s", code)
	}
}
