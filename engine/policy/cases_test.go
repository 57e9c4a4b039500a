package policy

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCases checks docs/cases.md: every row names tests that exist, or says that
// there are none yet.
func TestCases(t *testing.T) {
	const root = "../.."
	f, err := os.Open(filepath.Join(root, "docs/cases.md"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows := 0
	named := regexp.MustCompile("`([^`]+)`")
	for in := bufio.NewScanner(f); in.Scan(); {
		cells := strings.Split(in.Text(), "|")
		if len(cells) != 4 || strings.Contains(cells[1], "---") || strings.TrimSpace(cells[2]) == "tests" {
			continue
		}
		rows++
		names := named.FindAllStringSubmatch(cells[2], -1)
		if len(names) == 0 && strings.TrimSpace(cells[2]) != "not yet" {
			t.Errorf("%s: names no test and does not say not yet", strings.TrimSpace(cells[1]))
		}
		for _, n := range names {
			if !caseExists(t, root, n[1]) {
				t.Errorf("%s: there is no %s", strings.TrimSpace(cells[1]), n[1])
			}
		}
	}
	if rows < 60 {
		t.Errorf("%d cases in docs/cases.md, there were more", rows)
	}
}

// caseExists finds a file, or a test function written as "folder TestName".
func caseExists(t *testing.T, root, name string) bool {
	t.Helper()
	dir, test, isTest := strings.Cut(name, " ")
	if !isTest {
		_, err := os.Stat(filepath.Join(root, name))
		return err == nil
	}
	files, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "\nfunc "+test+"(") {
			return true
		}
	}
	return false
}
