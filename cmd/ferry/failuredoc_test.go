package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFailureModel: every situation of docs/failure-model.md says all five things,
// and every proof that it names exists.
func TestFailureModel(t *testing.T) {
	text, err := os.ReadFile("../../docs/failure-model.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "\n### ")[1:]
	if len(parts) < 30 {
		t.Errorf("%d situations, at least 30 are promised", len(parts))
	}
	seen := map[string]bool{}
	for _, p := range parts {
		title, body, _ := strings.Cut(p, "\n")
		if seen[title] {
			t.Errorf("%q is there twice", title)
		}
		seen[title] = true
		for _, key := range []string{"sees", "decides", "shows", "you", "proof"} {
			if !regexp.MustCompile(`(?m)^- \*\*` + key + `\*\*: \S`).MatchString(body) {
				t.Errorf("%q does not say %q", title, key)
			}
		}
		_, proofs, _ := strings.Cut(body, "- **proof**:")
		proofs, _, _ = strings.Cut(proofs, "\n")
		all := regexp.MustCompile("`([^`:]+):([^`]+)`").FindAllStringSubmatch(proofs, -1)
		if len(all) == 0 {
			t.Errorf("%q names no proof", title)
		}
		for _, m := range all {
			if err := exists(m[1], m[2]); err != nil {
				t.Errorf("%q: %v", title, err)
			}
		}
	}
}

// exists looks for a scenario, or for a test in a directory.
func exists(where, name string) error {
	if where == "scenario" {
		_, err := os.Stat("../../engine/policy/testdata/" + name + ".txt")
		return err
	}
	if where == "lab" {
		where = "internal/lab/e2e"
	}
	files, err := filepath.Glob("../../" + where + "/*_test.go")
	if err != nil {
		return err
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		if strings.Contains(string(text), "\nfunc "+name+"(") {
			return nil
		}
	}
	return fmt.Errorf("no %s in %s", name, where)
}
