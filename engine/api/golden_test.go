package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// documents are what travels or is printed, each as an empty value of its type.
func documents() map[string]any {
	return map[string]any{
		"snapshot": Snapshot{}, "update": Update{}, "events": eventsAnswer{}, "operations": operationsAnswer{},
		"definition": hierarchy.Estate{}, "command": Command{}, "preview": Preview{}, "submitted": Submitted{},
		"answer": Answer{}, "apply": Apply{}, "applied": Applied{}, "choices-request": choicesRequest{},
		"choices": choicesAnswer{}, "prospect": Prospect{}, "children": childrenAnswer{}, "tuning-request": tuningRequest{}, "graceful-stop-request": nodeRequest{},
		"examination": Examination{}, "diagnosis": Diagnosis{}, "mending": Mending{}, "mended": Mended{},
		"failure": failure{}, "whoami": Caller{},
	}
}

// TestGolden compares every document, with every field set, and again with none set,
// with the files that scripts in the field rely on. A difference is a change of the
// contract: when it is meant, run with -rewrite and read the diff.
func TestGolden(t *testing.T) {
	for name, zero := range documents() {
		full := reflect.New(reflect.TypeOf(zero)).Elem()
		populate(full, "value", 0)
		for suffix, v := range map[string]any{".json": full.Interface(), ".empty.json": zero} {
			got, err := MarshalIndent(v)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", name+suffix), append(got, '\n'))
		}
	}
	files, _ := filepath.Glob("testdata/*.json")
	if want := 2 * len(documents()); len(files) != want {
		t.Errorf("%d golden files for %d documents", len(files), want)
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: the JSON contract changed; when that is meant, run go test ./engine/api -rewrite and review the diff\ngot:\n%s", path, got)
	}
}

// populate sets every field to something that is not empty and that tells its name.
func populate(v reflect.Value, name string, depth int) {
	if _, ok := v.Interface().(time.Time); ok {
		v.Set(reflect.ValueOf(moment))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(name)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint, reflect.Uint64, reflect.Uint8:
		v.SetUint(1)
	case reflect.Pointer:
		if depth < 12 {
			v.Set(reflect.New(v.Type().Elem()))
			populate(v.Elem(), name, depth+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		populate(v.Index(0), name, depth+1)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		populate(key, "key", depth+1)
		populate(value, name, depth+1)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			switch {
			case !f.IsExported():
			case f.Type == reflect.PointerTo(v.Type()): // one of its kind inside it; once is enough
				if name != f.Name {
					v.Field(i).Set(reflect.New(v.Type()))
					populate(v.Field(i).Elem(), f.Name, depth+1)
				}
			default:
				populate(v.Field(i), f.Name, depth+1)
			}
		}
	default:
		panic("a document holds a " + v.Kind().String() + ": teach populate about it")
	}
}

// What was written is read back the same, with unknown fields refused: the client
// loses nothing that the engine says.
func TestRoundTrips(t *testing.T) {
	for name, zero := range documents() {
		full := reflect.New(reflect.TypeOf(zero))
		populate(full.Elem(), "value", 0)
		written, err := Marshal(full.Interface())
		if err != nil {
			t.Fatal(err)
		}
		back := reflect.New(reflect.TypeOf(zero))
		d := json.NewDecoder(bytes.NewReader(written))
		d.DisallowUnknownFields()
		if err := d.Decode(back.Interface()); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, _ := Marshal(back.Interface())
		if !bytes.Equal(written, again) {
			t.Errorf("%s: written\n%s\nread back\n%s", name, written, again)
		}
	}
}

// Names in JSON begin with a small letter everywhere: one that does not was forgotten.
func TestNames(t *testing.T) {
	for name, zero := range documents() {
		full := reflect.New(reflect.TypeOf(zero))
		populate(full.Elem(), "value", 0)
		b, _ := Marshal(full.Interface())
		var doc any
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatal(err)
		}
		capitals(t, name, doc)
	}
}

func capitals(t *testing.T, path string, doc any) {
	switch doc := doc.(type) {
	case map[string]any:
		for k, v := range doc {
			if k != "" && strings.ToLower(k[:1]) != k[:1] {
				t.Errorf("%s.%s has no name in JSON", path, k)
			}
			capitals(t, path+"."+k, v)
		}
	case []any:
		for _, v := range doc {
			capitals(t, path+"[]", v)
		}
	}
}

func TestListsAreNeverNull(t *testing.T) {
	for name, zero := range documents() {
		b, err := Marshal(zero)
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatal(err)
		}
		typ := reflect.TypeOf(zero)
		for i := range typ.NumField() {
			tag, opts, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if typ.Field(i).Type.Kind() == reflect.Slice && opts == "" && doc[tag] == nil {
				t.Errorf("%s.%s is null", name, tag)
			}
		}
	}
	if got, _ := Marshal(&Snapshot{Resources: []ResourceStatus{{}}}); !strings.Contains(string(got), `"on":[]`) {
		t.Errorf("a nested list: %s", got)
	}
	// Marshal must not write into what it is given.
	s := &Snapshot{Resources: []ResourceStatus{{}}}
	_, _ = Marshal(s)
	if s.Nodes != nil || s.Resources[0].On != nil {
		t.Error("Marshal changed its argument")
	}
}
