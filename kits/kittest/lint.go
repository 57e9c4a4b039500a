package kittest

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// Lint checks a script's body the way every body is checked: the linter, where it
// is installed, and the parsers of the shells that nodes have.
func Lint(t *testing.T, name, body string) {
	t.Helper()
	checked := false
	for _, tool := range [][]string{
		// 2317: a prelude's functions are not all used by every script behind it.
		{"shellcheck", "-s", "sh", "-e", "SC2317", "-"},
		{"dash", "-n"},
		{"busybox", "sh", "-n"},
		{"sh", "-n"},
	} {
		path, err := exec.LookPath(tool[0])
		if err != nil {
			t.Logf("%s: %s is not installed, left out", name, tool[0])
			continue
		}
		cmd := exec.Command(path, tool[1:]...)
		cmd.Stdin = strings.NewReader(body)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %s: %v\n%s", name, strings.Join(tool, " "), err, out.String())
		}
		checked = true
	}
	if !checked {
		t.Errorf("%s: no shell to check it with", name)
	}
}
