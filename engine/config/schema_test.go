package config

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/ferry-ha/ferry/internal/allkits"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/ec2"
	"github.com/ferry-ha/ferry/kits/route53"
)

// obey checks a value against the part of JSON Schema that Schema uses, and gives
// the path of the first thing that does not fit; empty when all does.
func obey(s map[string]any, v any, path string) string {
	if ways, ok := s["anyOf"].([]any); ok {
		var first string
		for _, one := range ways {
			bad := obey(one.(map[string]any), v, path)
			if bad == "" {
				return ""
			}
			first = max(first, bad) // the deepest is the most telling
		}
		return first
	}
	if c, ok := s["const"]; ok && c != v {
		return path + " const"
	}
	if words, ok := s["enum"].([]any); ok && !slices.Contains(words, v) {
		return path + " enum"
	}
	if !typeFits(s["type"], v) {
		return path + " type"
	}
	switch v := v.(type) {
	case map[string]any:
		return obeyObject(s, v, path)
	case []any:
		if items, ok := s["items"].(map[string]any); ok {
			for _, e := range v {
				if bad := obey(items, e, path+"[]"); bad != "" {
					return bad
				}
			}
		}
	}
	return ""
}

func obeyObject(s map[string]any, v map[string]any, path string) string {
	props, _ := s["properties"].(map[string]any)
	for name, e := range v {
		p, known := props[name].(map[string]any)
		if !known {
			p, known = s["additionalProperties"].(map[string]any)
		}
		if !known {
			return path + "." + name + " unknown"
		}
		if bad := obey(p, e, path+"."+name); bad != "" {
			return bad
		}
	}
	required, _ := s["required"].([]any)
	for _, r := range required {
		if _, there := v[r.(string)]; !there {
			return path + "." + r.(string) + " missing"
		}
	}
	return ""
}

func typeFits(want any, v any) bool {
	var is string
	switch v.(type) {
	case string:
		is = "string"
	case float64:
		is = "integer"
	case bool:
		is = "boolean"
	case []any:
		is = "array"
	case map[string]any:
		is = "object"
	}
	switch want := want.(type) {
	case string:
		return want == is
	case []any:
		return slices.Contains(want, any(is))
	}
	return true
}

func schemaAndFile(t *testing.T, reg kits.Registry, text string) (schema, file map[string]any) {
	t.Helper()
	s, err := Schema(reg)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(s, &schema); err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if _, err := toml.Decode(text, &tree); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(asJSON, &file); err != nil {
		t.Fatal(err)
	}
	return schema, file
}

func TestSchemaAcceptsAGoodFile(t *testing.T) {
	schema, file := schemaAndFile(t, toyKits(), twoNodes+"\n[tuning]\nLKCHECKINTERVAL = \"2m\"\nNOBCASTPING = 1\n[flag.NODE_A]\nNODE_B = \"confirm\"\n")
	if bad := obey(schema, file, ""); bad != "" {
		t.Error(bad)
	}
}

func TestSchemaAcceptsTheExamples(t *testing.T) {
	reg := allkits.Of(ec2.New(nil), route53.New(nil))
	for _, name := range []string{"cross-region.toml", "cross-region-postgresql.toml", "cross-region-oracle.toml", "single-region.toml"} {
		text, err := os.ReadFile("../../examples/" + name)
		if err != nil {
			t.Fatal(err)
		}
		schema, file := schemaAndFile(t, reg, string(text))
		if bad := obey(schema, file, ""); bad != "" {
			t.Errorf("%s: %s", name, bad)
		}
	}
}

// TestSchemaRefusesWhatLoadRefuses covers the bad files whose fault is one of shape.
func TestSchemaRefusesWhatLoadRefuses(t *testing.T) {
	shape := []string{
		"unknown key: misspelt", "unknown key: nothing like it", "unknown table", "unknown tuning name", "unknown kit", "unknown flag",
		"required field missing", "missing name", "wrong type: text for a list", "wrong type: number for text", "wrong type: text for a number",
		"wrong type: true for a path field", "secret in the file", "bad shutdown strategy", "priority missing",
	}
	n := 0
	for _, c := range badFiles {
		if !slices.Contains(shape, c.what) {
			continue
		}
		n++
		schema, file := schemaAndFile(t, toyKits(), badText(c.old, c.new))
		if bad := obey(schema, file, ""); bad == "" {
			t.Errorf("%s: accepted", c.what)
		}
	}
	if n != len(shape) {
		t.Errorf("%d of %d cases found", n, len(shape))
	}
}
