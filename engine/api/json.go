package api

import (
	"encoding"
	"encoding/json"
	"reflect"
)

// Marshal writes a document as the API and the commands do: as encoding/json would,
// but with [] for a list without elements, so that a script can go through any list
// without asking whether it is there.
func Marshal(v any) ([]byte, error) { return json.Marshal(filled(v)) }

// MarshalIndent is Marshal with two blanks per level, for people.
func MarshalIndent(v any) ([]byte, error) { return json.MarshalIndent(filled(v), "", "  ") }

func filled(v any) any {
	if v == nil {
		return nil
	}
	return fill(reflect.ValueOf(v)).Interface()
}

// fill copies a value with empty lists in place of nil ones.
func fill(v reflect.Value) reflect.Value {
	if speaks(v) {
		return v
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			out := reflect.New(v.Type().Elem())
			out.Elem().Set(fill(v.Elem()))
			return out
		}
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(fill(v.Field(i)))
			}
		}
		return out
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return v // bytes are a string in JSON
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(fill(v.Index(i)))
		}
		return out
	case reflect.Map:
		return fillMap(v)
	}
	return v
}

func fillMap(v reflect.Value) reflect.Value {
	if v.IsNil() {
		return v
	}
	out := reflect.MakeMapWithSize(v.Type(), v.Len())
	for it := v.MapRange(); it.Next(); {
		out.SetMapIndex(it.Key(), fill(it.Value()))
	}
	return out
}

// speaks tells that a value writes itself, like a time.
func speaks(v reflect.Value) bool {
	if !v.CanInterface() {
		return true
	}
	switch v.Interface().(type) {
	case json.Marshaler, encoding.TextMarshaler:
		return true
	}
	return false
}
