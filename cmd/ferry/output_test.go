package main

import (
	"encoding/json"
	"testing"
)

func TestEncodeTakesControlCharactersOut(t *testing.T) {
	in := map[string]string{"a": "x\x1b[2J\x07\x00y\u009b\u202ez", "b": "tab\tline\n日本 \\u001b <&>", "c": "\b\f\r"}
	data, err := encode(in, "")
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]string
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	want := map[string]string{"a": "x[2Jyz", "b": in["b"], "c": ""}
	for k := range in {
		if out[k] != want[k] {
			t.Errorf("%s = %q, want %q", k, out[k], want[k])
		}
	}
}

func FuzzEncode(f *testing.F) {
	f.Add(`\`, "\x1b\\\"\u2028")
	f.Fuzz(func(t *testing.T, k, v string) {
		data, err := encode(map[string]string{k: v}, "")
		if err != nil || !json.Valid(data) {
			t.Errorf("%q: %q is not JSON (%v)", v, data, err)
		}
	})
}

func TestEncodeWritesListsNotNull(t *testing.T) {
	data, err := encode(OperationListDocument{Version: "v", Kind: "k"}, "")
	if want := `{"version":"v","kind":"k","operations":[]}`; err != nil || string(data) != want {
		t.Errorf("got %s (%v), want %s", data, err, want)
	}
}
