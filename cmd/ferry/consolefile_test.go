package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/api"
)

func TestConsoleFile(t *testing.T) {
	good := `# mine
lang = "ja"
theme = "light"
ascii = true
read_only = true

[keys]
"hierarchies.in-service" = "f5"
"break.toggle" = "space"
`
	f, err := readConsoleFile("c.toml", good)
	if err != nil || f.Lang != "ja" || f.Theme != "light" || !f.ASCII || !f.ReadOnly || f.Keys["hierarchies.in-service"] != "f5" {
		t.Errorf("%+v %v", f, err)
	}
	for _, c := range []struct{ raw, says, hint string }{
		{"lang = \"en\"\nthem = \"dark\"\n", `c.toml:2: unknown key "them"`, "did you mean theme?"},
		{"\n\nlang = \"de\"\n", `c.toml:3: unknown language "de"`, `"ja"`},
		{"theme = \"pink\"\n", `c.toml:1: unknown theme "pink"`, `"mono"`},
		{"[keys]\n\"hierarchy.in-service\" = \"f5\"\n", `c.toml:2: there is no page "hierarchy"`, "did you mean hierarchies?"},
		{"[keys]\n\"in-service\" = \"f5\"\n", `c.toml:2: "in-service" names no action`, "PAGE.ACTION"},
		{"[keys]\nq = \"x\"\n\"events.follow\" = \"q\"\n", `c.toml:3: the key "q" is taken`, "every page"},
		{"[keys]\n\"events.follow\" = \"f 5\"\n", `c.toml:2: "f 5" is no key`, `"ctrl+o"`},
		{"lang = \n", "c.toml:1: ", ""},
		{"[extra]\nx = 1\n", `unknown key "extra`, "known are"},
		{"ascii = \"yes\"\n", "line 1 (last key \"ascii\")", ""},
	} {
		_, err := readConsoleFile("c.toml", c.raw)
		var e *api.Error
		if !errors.As(err, &e) || e.Kind != api.KindConfig || !strings.Contains(e.Message, c.says) || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%q gave %v (%+v), want %q, %q", c.raw, err, e, c.says, c.hint)
		}
	}
}

func TestConsoleOptions(t *testing.T) {
	home := t.TempDir()
	env := map[string]string{"XDG_CONFIG_HOME": home, "LANG": "ja_JP.UTF-8"}
	a := &cli{getenv: func(k string) string { return env[k] }}
	a.outStyle.Color = true
	o, done, err := a.consoleOptions(face{})
	if err != nil || o.Lang != "ja" || o.Theme != "" || o.ASCII || o.ReadOnly {
		t.Fatalf("%+v %v", o, err)
	}
	done()
	file := filepath.Join(home, "ferry", "console.toml")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("lang = \"en\"\ntheme = \"light\"\nread_only = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(home, "log")
	if o, done, err = a.consoleOptions(face{theme: "mono", log: log}); err != nil || o.Lang != "en" || o.Theme != "mono" || !o.ReadOnly {
		t.Fatalf("%+v %v", o, err)
	}
	o.Log.Info("something")
	before := a.err
	fmt.Fprintln(os.Stderr, "a library's word") // must not get onto the screen
	done()
	if b, err := os.ReadFile(log); err != nil || !strings.Contains(string(b), "something") || !strings.Contains(string(b), "a library's word") {
		t.Errorf("the log: %q %v", b, err)
	}
	if a.err != before || os.Stderr.Name() != "/dev/stderr" {
		t.Errorf("the standard error was not given back: %s", os.Stderr.Name())
	}
	for _, bad := range []face{{lang: "de"}, {theme: "pink"}, {log: filepath.Join(home, "no", "such")}} {
		if _, _, err := a.consoleOptions(bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}
