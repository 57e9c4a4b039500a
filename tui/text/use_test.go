package text

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// literal finds ids in Go code, whole ones and beginnings to which something is added
// ("root.page-" + kind).
var literal = regexp.MustCompile("[\"`]([a-z0-9]+\\.[A-Za-z0-9.-]*)[\"`]")

// TestEveryTextIsUsed: an id that no code names is left over from something that is gone;
// one that code names and no catalog has would stand on the screen in brackets.
func TestEveryTextIsUsed(t *testing.T) {
	whole, begun := map[string]bool{}, map[string]bool{}
	rooms := map[string]bool{}
	en := flatten(t, English)
	for id := range en {
		room, _, _ := strings.Cut(id, ".")
		rooms[room] = true
	}
	for _, root := range []string{"..", filepath.Join("..", "..", "internal", "demo"), filepath.Join("..", "..", "cmd", "ferry")} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			src, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range literal.FindAllStringSubmatch(string(src), -1) {
				if room, _, _ := strings.Cut(m[1], "."); !rooms[room] {
					continue
				}
				if last := m[1][len(m[1])-1]; last == '-' || last == '.' {
					begun[m[1]] = true
				} else {
					whole[m[1]] = true
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	used := func(id string) bool {
		id = strings.TrimSuffix(strings.TrimSuffix(id, ".one"), ".other")
		if whole[id] {
			return true
		}
		for b := range begun {
			if strings.HasPrefix(id, b) {
				return true
			}
		}
		return false
	}
	for id := range en {
		if room, _, _ := strings.Cut(id, "."); room != "reason" && room != "fields" && !used(id) {
			t.Errorf("no code says %s", id)
		}
	}
}
