package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path"
	"runtime/debug"
	"strings"
)

// describe makes the document of a program from its build information and the
// SHA-256 of its file, in hexadecimal.
func describe(info *debug.BuildInfo, sum string) (*document, error) {
	if info.Main.Path == "" {
		return nil, errors.New("the program names no main module; build it with modules")
	}
	if len(sum) != 64 {
		return nil, fmt.Errorf("%q is no SHA-256", sum)
	}
	root := application(info, sum)
	d := &document{
		Schema:  "http://cyclonedx.org/schema/bom-1.6.schema.json",
		Format:  "CycloneDX",
		Spec:    "1.6",
		Serial:  serial(sum),
		Version: 1,
		Metadata: metadata{
			Timestamp: setting(info, "vcs.time"),
			Component: root,
		},
		Components: []component{standardLibrary(info.GoVersion)},
	}
	for _, m := range info.Deps {
		d.Components = append(d.Components, library(m))
	}
	all := make([]string, 0, len(d.Components))
	for _, c := range d.Components {
		all = append(all, c.Ref)
	}
	d.Dependencies = []dependency{{Ref: root.Ref, DependsOn: all}}
	d.Compositions = []composition{
		{Aggregate: "complete", Assemblies: []string{root.Ref}}, // the linker knows what it linked
		{Aggregate: "unknown", Dependencies: all},               // but not who asked for it
	}
	return d, nil
}

// application is the program itself.
func application(info *debug.BuildInfo, sum string) component {
	c := component{
		Type: "application", Name: path.Base(info.Path), Version: info.Main.Version,
		Hashes: []hash{{"SHA-256", sum}},
		PURL:   purl(info.Main.Path, info.Main.Version),
		// What decides which code is in it and how it was made; nothing of the machine that made it.
		Properties: properties(info, "GOOS", "GOARCH", "CGO_ENABLED", "-trimpath", "-tags", "vcs.revision", "vcs.modified"),
	}
	c.Ref = c.PURL + "#" + c.Name
	return c
}

func standardLibrary(goVersion string) component {
	v, _, _ := strings.Cut(strings.TrimPrefix(goVersion, "go"), " ") // an experiment's name may follow
	p := purl("std", v)
	return component{Type: "library", Ref: p, Name: "std", Version: v, Scope: "required", PURL: p}
}

// library is a linked module, or what it was replaced by.
func library(m *debug.Module) component {
	var why []property
	if m.Replace != nil {
		why = []property{{"go:replaces", m.Path + "@" + m.Version}}
		m = m.Replace
	}
	p := purl(m.Path, m.Version)
	c := component{Type: "library", Ref: p, Name: m.Path, Version: m.Version, Scope: "required", PURL: p, Properties: why}
	if m.Sum != "" {
		// Of the module's files, as go.sum has it; not of any one archive, so it is no "hash" of CycloneDX.
		c.Properties = append(c.Properties, property{"go:sum", m.Sum})
	}
	return c
}

// purl names a module as https://github.com/package-url/purl-spec has it.
func purl(module, version string) string {
	parts := strings.Split(module, "/")
	for i, p := range parts {
		parts[i] = escape(p)
	}
	s := "pkg:golang/" + strings.Join(parts, "/")
	if version != "" && version != "(devel)" {
		s += "@" + escape(version)
	}
	return s
}

// escape is a path segment's encoding and the plus sign's, which some readers take for a space.
func escape(s string) string {
	return strings.ReplaceAll(url.PathEscape(s), "+", "%2B")
}

// serial is a UUID (RFC 9562, version 8: its making is ours) from a program's hash.
func serial(sum string) string {
	b, _ := hex.DecodeString(sum[:32])
	b[6] = b[6]&0x0f | 0x80
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func setting(info *debug.BuildInfo, key string) string {
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

func properties(info *debug.BuildInfo, keys ...string) []property {
	var out []property
	for _, k := range keys {
		if v := setting(info, k); v != "" {
			out = append(out, property{"go:" + strings.TrimPrefix(k, "-"), v})
		}
	}
	return out
}
