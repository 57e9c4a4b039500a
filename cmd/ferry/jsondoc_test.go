package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const jsonDoc = "../../docs/json.md"

// example is a marked place of docs/json.md: a command, and how it is run.
type example struct{ command, how string }

var exampleMark = regexp.MustCompile("(?m)^<!-- example: ferry (.*?)(?: \\| (.*?))? -->\n(?:\n```json\n(?s:.*?)\n```\n)?")

// TestJSONDocument keeps the examples of docs/json.md what the program prints, and
// the document complete. FERRY_UPDATE=1 writes the examples anew.
func TestJSONDocument(t *testing.T) {
	text, err := os.ReadFile(jsonDoc)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	fresh := exampleMark.ReplaceAllStringFunc(string(text), func(old string) string {
		m := exampleMark.FindStringSubmatch(old)
		mark, _, _ := strings.Cut(old, "\n")
		out := (example{m[1], m[2]}).run(t)
		var doc struct{ Version, Kind string }
		if err := json.NewDecoder(strings.NewReader(out)).Decode(&doc); err != nil || doc.Version != "ferry/v1" {
			t.Fatalf("ferry %s: %v in %.200s", m[1], err, out)
		}
		kinds[doc.Kind] = true
		if slices.Contains(strings.Fields(m[2]), "keys") { // differs from machine to machine
			was := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(old, mark+"\n"), "\n```json\n"), "\n```\n")
			if os.Getenv("FERRY_UPDATE") == "" && slices.Equal(keysOf(t, was), keysOf(t, out)) {
				return old
			}
		}
		return mark + "\n\n```json\n" + shortened(strings.TrimRight(out, "\n"), m[2]) + "\n```\n"
	})
	sameFile(t, jsonDoc, fresh)
	for _, kind := range documentKinds(t) {
		if !kinds[kind] {
			t.Errorf("docs/json.md has no example of %s", kind)
		}
	}
	for kind := range kinds {
		if !strings.Contains(fresh, "\n## "+kind+"\n") {
			t.Errorf("docs/json.md has no section %s", kind)
		}
	}
}

// documentKinds are the kinds of all documents that the program prints, wherever their types stand.
func documentKinds(t *testing.T) []string {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, f := range files {
		source, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^type (\w+)Document struct`).FindAllStringSubmatch(string(source), -1) {
			kinds = append(kinds, m[1])
		}
	}
	if len(kinds) < 25 {
		t.Errorf("only %d kinds of documents were found", len(kinds))
	}
	return kinds
}

func keysOf(t *testing.T, text string) []string {
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return nil
	}
	var keys []string
	for k := range doc {
		switch k {
		case "commit", "date", "modified": // only of a build from a clean tree
		default:
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// shortened cuts a long example as its mark says.
func shortened(out, how string) string {
	for _, w := range strings.Fields(how) {
		if n, is := strings.CutPrefix(w, "head="); is {
			limit, _ := strconv.Atoi(n)
			if lines := strings.Split(out, "\n"); len(lines) > limit {
				rest := "\n…"
				if limit == 1 { // a stream: whole lines
					rest = ""
				}
				return strings.Join(lines[:limit], "\n") + rest
			}
		}
	}
	return out
}

// run carries the example out on the fake engine and gives its stdout.
func (x example) run(t *testing.T) string {
	t.Helper()
	env := map[string]string{"FERRY_FAKE": "calm", "HOME": "/home/ann", "FERRY_SOCKET": "/run/ferry/engine.sock"}
	estate := filepath.Join(t.TempDir(), "estate.toml")
	whole, err := os.ReadFile("testdata/estate.toml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(estate, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	in := strings.NewReader("")
	wiring, words := fakeDeps, ""
	for _, w := range strings.Fields(x.how) {
		if s, is := strings.CutPrefix(w, "scene="); is {
			env["FERRY_FAKE"] = s
		}
		if s, is := strings.CutPrefix(w, "off="); is {
			env["FERRY_FAKE_OFF"] = s
		}
		switch w {
		case "estate":
			env["FERRY_FAKE_ESTATE"] = estate
			if strings.Contains(x.command, "extend www --to LK_S_B") { // it is there already in the example
				x.without(t, estate, string(whole))
			}
		case "doctor":
			wiring = examinedDeps
		case "drill":
			x.command = strings.ReplaceAll(x.command, "DRILLS", keptDrill(t))
		case "adopt":
			dir := t.TempDir()
			env["FERRY_FAKE_ADOPT"], env["FERRY_FAKE_KEYS"] = "gone", dir
			words = adoptWords(dir)
		case "live":
			env["FERRY_FAKE_LIVE"] = "1"
		case "stdin":
			in = strings.NewReader("[estate]\nname = \"bad\"\n\n[server.A]\nadress = \"10.0.0.1\"\n")
		}
	}
	return x.call(t, wiring, env, in, strings.ReplaceAll(x.command, "ESTATE", estate)+words)
}

// without takes the standby's second server away first.
func (x example) without(t *testing.T, estate, whole string) {
	text := strings.ReplaceAll(whole, `, "LK_S_A", "LK_S_B"]`, `, "LK_S_A"]`)
	text = strings.ReplaceAll(text, `servers = ["LK_P_A", "LK_P_B", "LK_S_A"]`, `servers = ["LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B"]`)
	text = regexp.MustCompile(`(?m)^on\.LK_S_B = .*\n`).ReplaceAllString(text, "")
	if err := os.WriteFile(estate, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// keptDrill is a directory with one report in it, of a drill on the simulated estate; most of its steps are left out.
func keptDrill(t *testing.T) string {
	dir := t.TempDir()
	report, err := os.ReadFile("testdata/drill.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "20261123T174652Z.json"), report, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (x example) call(t *testing.T, wiring func(func(string) string) deps, env map[string]string, in *strings.Reader, line string) string {
	t.Helper()
	var out, errs bytes.Buffer
	getenv := func(k string) string { return env[k] }
	a := &cli{deps: wiring(getenv), in: in, out: &out, err: &errs, getenv: getenv, now: func() time.Time { return clock }}
	a.run(t.Context(), strings.Fields(line))
	if out.Len() == 0 {
		t.Fatalf("ferry %s printed nothing: %s", line, errs.String())
	}
	return out.String()
}
