package examples

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// standIn is a ferry that writes down how it was called and ends as it is told: a file
// named after the command holds the exit codes of its calls, one a line; the last one
// stays. What is tested is the script, not ferry.
const standIn = `#!/bin/sh
echo "$*" >>"$DIR/calls"
f=$DIR/$1
[ "$1" = status ] && [ "$2" = --check ] && f=$DIR/check
[ "$1" = status ] && echo '{"resources":[{"tag":"service/www","active":"LK_P_A"}]}'
code=0
if [ -f "$f" ]; then
	code=$(head -n 1 "$f")
	if [ "$(wc -l <"$f")" -gt 1 ]; then
		tail -n +2 "$f" >"$f.rest"
		mv "$f.rest" "$f"
	fi
fi
exit "$code"
`

// script runs scripted-mode.sh over the stand-in with these exit codes by command.
func script(t *testing.T, codes map[string]string, args ...string) (code int, calls, messages, record string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("ferry", standIn, 0o755)
	for name, c := range codes {
		write(name, c, 0o644)
	}
	record = t.TempDir()
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{"./scripted-mode.sh"}, args...)...)
	cmd.Env = append(os.Environ(), "FERRY="+filepath.Join(dir, "ferry"), "DIR="+dir, "RECORD="+record, "PAUSE=0", "TRIES=3")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if out.Len() > 0 {
		t.Errorf("the script wrote to stdout: %s", out.String())
	}
	seen, _ := os.ReadFile(filepath.Join(dir, "calls"))
	return cmd.ProcessState.ExitCode(), string(seen), errs.String(), record
}

func TestScriptedModeRunsTheSteps(t *testing.T) {
	code, calls, messages, record := script(t, nil, "estate.toml", "www", "LK_P_B")
	want := `config validate estate.toml
apply estate.toml --dry-run -o json
apply estate.toml --yes
status -o json
in-service www --on LK_P_B --yes --wait --timeout 10m -o json
status -o json
status --check
`
	if code != 0 || calls != want {
		t.Errorf("exit %d, calls:\n%s%s", code, calls, messages)
	}
	for _, f := range []string{"before.json", "after.json"} {
		if data, err := os.ReadFile(filepath.Join(record, f)); err != nil || !bytes.Contains(data, []byte("service/www")) {
			t.Errorf("record %s: %q, %v", f, data, err)
		}
	}
}

func TestScriptedModeHeedsExitCodes(t *testing.T) {
	for _, c := range []struct {
		what    string
		codes   map[string]string
		code    int
		message string
		last    string // of ferry's calls
	}{
		{"bad definition", map[string]string{"config": "78\n"}, 78, "each problem is shown above", "config validate"},
		{"no engine", map[string]string{"apply": "69\n"}, 69, "no engine answers", "apply estate.toml --dry-run"},
		{"needs a person", map[string]string{"in-service": "107\n"}, 107, "needs a person's word", "in-service www"},
		{"busy for a while", map[string]string{"in-service": "75\n75\n0\n"}, 0, "busy, trying again", "status --check"},
		{"busy for good", map[string]string{"in-service": "75\n"}, 75, "try again later", "in-service www"},
		{"degraded at the end", map[string]string{"check": "190\n"}, 190, "not everything is as it should be", "status --check"},
	} {
		code, calls, messages, _ := script(t, c.codes, "estate.toml", "www", "LK_P_B")
		lines := strings.Split(strings.TrimSpace(calls), "\n")
		if code != c.code || !strings.Contains(messages, c.message) || !strings.HasPrefix(lines[len(lines)-1], c.last) {
			t.Errorf("%s: exit %d, last call %q, messages:\n%s", c.what, code, lines[len(lines)-1], messages)
		}
		if strings.Contains(calls, "--force") || strings.Contains(calls, "--confirm-region") {
			t.Errorf("%s: the script overrides a refusal:\n%s", c.what, calls)
		}
	}
	if _, calls, _, _ := script(t, map[string]string{"in-service": "75\n"}, "e.toml", "www", "N"); strings.Count(calls, "in-service") != 3 {
		t.Errorf("busy for good: tried other than three times:\n%s", calls)
	}
	if code, calls, _, _ := script(t, nil, "estate.toml"); code != 64 || calls != "" {
		t.Errorf("too few arguments: exit %d, calls %q", code, calls)
	}
}
