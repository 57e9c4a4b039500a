package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/goccy/go-yaml"
)

// print writes one document to stdout: as a table (made only then) or as data.
func (a *cli) print(doc any, table func() string) error {
	return a.write(doc, table, "  ", "")
}

// stream writes one document of many: a line of JSON, a YAML document, table lines.
func (a *cli) stream(doc any, table func() string) error {
	return a.write(doc, table, "", "---\n")
}

func (a *cli) write(doc any, table func() string, indent, separator string) error {
	var text string
	switch a.flags.output {
	case "json":
		data, err := encode(doc, indent)
		if err != nil {
			return err
		}
		text = string(data) + "\n"
	case "yaml":
		data, err := encode(doc, "")
		if err != nil {
			return err
		}
		if data, err = yaml.JSONToYAML(data); err != nil {
			return fmt.Errorf("writing YAML: %w", err)
		}
		text = separator + string(data)
	default:
		text = table()
	}
	if _, err := io.WriteString(a.out, text); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// encode gives a document as JSON, without HTML escapes, empty lists as [] and
// foreign text without control characters.
func encode(doc any, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(listed(doc)); err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	data := harmless(bytes.TrimSpace(b.Bytes()))
	if indent == "" {
		return data, nil
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, data, "", indent); err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	return pretty.Bytes(), nil
}

// listed returns a copy of the document whose nil slices without omitempty are
// empty ones, through structs and pointers: null is not a list.
func listed(doc any) any {
	v := reflect.New(reflect.TypeOf(doc)).Elem()
	v.Set(reflect.ValueOf(doc))
	fillLists(v)
	return v.Interface()
}

func fillLists(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && v.Elem().Kind() == reflect.Struct && v.CanSet() {
			c := reflect.New(v.Elem().Type())
			c.Elem().Set(v.Elem())
			fillLists(c.Elem())
			v.Set(c)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				fillLists(f)
			}
		}
	case reflect.Slice:
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(c, v)
		for i := range c.Len() {
			fillLists(c.Index(i))
		}
		v.Set(c)
	}
}

// harmless takes control and direction characters out of the strings of JSON
// text; line breaks and tabs stay, as their escapes.
func harmless(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); {
		if data[i] == '\\' && i+1 < len(data) {
			n, keep := 2, data[i+1] != 'b' && data[i+1] != 'f' && data[i+1] != 'r'
			if data[i+1] == 'u' && i+6 <= len(data) {
				n, keep = 6, printableEscape(string(data[i+2:i+6]))
			}
			if keep {
				out = append(out, data[i:i+n]...)
			}
			i += n
			continue
		}
		r, n := utf8.DecodeRune(data[i:])
		if r < 0x80 || term.Printable(r) {
			out = append(out, data[i:i+n]...)
		}
		i += n
	}
	return out
}

func printableEscape(hex string) bool {
	r, err := strconv.ParseUint(hex, 16, 32)
	return err == nil && (r >= 0xd800 && r < 0xe000 || term.Printable(rune(r)))
}
