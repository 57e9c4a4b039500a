package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

func TestPURL(t *testing.T) {
	for _, c := range []struct{ module, version, want string }{
		{"github.com/ferry-ha/ferry", "v1.2.3", "pkg:golang/github.com/ferry-ha/ferry@v1.2.3"},
		{"github.com/x/y", "v2.0.0+incompatible", "pkg:golang/github.com/x/y@v2.0.0%2Bincompatible"},
		{"gopkg.in/yaml.v3", "v3.0.1", "pkg:golang/gopkg.in/yaml.v3@v3.0.1"},
		{"example.com/a b", "(devel)", "pkg:golang/example.com/a%20b"},
	} {
		if got := purl(c.module, c.version); got != c.want {
			t.Errorf("purl(%q, %q) = %q, want %q", c.module, c.version, got, c.want)
		}
	}
}

func TestDescribe(t *testing.T) {
	info := &debug.BuildInfo{
		GoVersion: "go1.26.8 X:nothing", Path: "github.com/ferry-ha/ferry/cmd/ferry",
		Main: debug.Module{Path: "github.com/ferry-ha/ferry", Version: "v1.0.0"},
		Deps: []*debug.Module{
			{Path: "example.com/a", Version: "v1.1.0", Sum: "h1:aaa="},
			{Path: "example.com/b", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/fork", Version: "v1.0.1", Sum: "h1:fff="}},
		},
		Settings: []debug.BuildSetting{{Key: "GOOS", Value: "windows"}, {Key: "-trimpath", Value: "true"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}},
	}
	sum := strings.Repeat("ab", 32)
	d, err := describe(info, sum)
	if err != nil {
		t.Fatal(err)
	}
	root := d.Metadata.Component
	if root.Name != "ferry" || root.Version != "v1.0.0" || root.Hashes[0].Content != sum || d.Metadata.Timestamp != "2026-01-02T03:04:05Z" {
		t.Errorf("the program: %+v, %s", root, d.Metadata.Timestamp)
	}
	if want := []property{{"go:GOOS", "windows"}, {"go:trimpath", "true"}}; !slices.Equal(root.Properties, want) {
		t.Errorf("the program's properties: %v, want %v", root.Properties, want)
	}
	want := []string{"pkg:golang/std@1.26.8", "pkg:golang/example.com/a@v1.1.0", "pkg:golang/example.com/fork@v1.0.1"}
	if !slices.Equal(d.Dependencies[0].DependsOn, want) || len(d.Components) != len(want) {
		t.Errorf("components: %v, want %v", d.Dependencies[0].DependsOn, want)
	}
	if got := d.Components[2].Properties; !slices.Equal(got, []property{{"go:replaces", "example.com/b@v1.0.0"}, {"go:sum", "h1:fff="}}) {
		t.Errorf("the replaced module's properties: %v", got)
	}
	if !regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(d.Serial) {
		t.Errorf("serial number %q is no UUID", d.Serial)
	}
}

func TestDescribeRefuses(t *testing.T) {
	if _, err := describe(&debug.BuildInfo{}, strings.Repeat("0", 64)); err == nil {
		t.Error("a program without a main module was described")
	}
	if _, err := describe(&debug.BuildInfo{Main: debug.Module{Path: "a"}}, "short"); err == nil {
		t.Error("a hash that is none was taken")
	}
}

// TestRealProgram describes the test binary itself, twice.
func TestRealProgram(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "bom.json")
	var stdout bytes.Buffer
	if err := run(file, []string{self}, nil); err != nil {
		t.Fatal(err)
	}
	if err := run("", []string{self}, &stdout); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, stdout.Bytes()) {
		t.Error("two documents of one program differ")
	}
	var d document
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(program)
	if got, want := d.Metadata.Component.Hashes[0].Content, hex.EncodeToString(sum[:]); got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
	if got, want := d.Components[0].Version, strings.TrimPrefix(runtime.Version(), "go"); !strings.HasPrefix(want, got) || got == "" {
		t.Errorf("standard library %q, this is %q", got, want)
	}
}

func TestNotAProgram(t *testing.T) {
	file := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(file, []byte("no program"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{file}, {file + ".missing"}, {}, {file, file}} {
		if err := run("", args, &bytes.Buffer{}); err == nil {
			t.Errorf("sbom %q succeeded", args)
		}
	}
}
