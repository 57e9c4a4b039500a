package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// reader collects what is wrong while the file is taken apart.
type reader struct {
	places   *places
	errs     *Errors
	at       map[string]bool // paths at which something is wrong already
	confused bool            // a whole table was not understood: later complaints would mislead
}

// add files a problem at a key.
func (r *reader) add(path []string, fix, message string, args ...any) {
	line, col := r.places.lineCol(r.places.find(path))
	r.errs.Problems = append(r.errs.Problems, Problem{Line: line, Col: col, Message: fmt.Sprintf(message, args...), Fix: fix})
	r.at[join(path)] = true
}

// table is one table of the file while it is read.
type table struct {
	*reader
	path []string
	m    map[string]any
}

func (t *table) sub(key string) []string { return append(slices.Clone(t.path), key) }

// title is the table as it is written in the file.
func title(path []string) string {
	if len(path) == 0 {
		return "the file"
	}
	if len(path) == 4 && path[2] == "path" {
		return "[[" + dotted(path[:3]) + "]]"
	}
	return "[" + dotted(path) + "]"
}

func dotted(path []string) string {
	parts := make([]string, len(path))
	for i, p := range path {
		parts[i] = quoteKey(p)
	}
	return strings.Join(parts, ".")
}

func (t *table) wrongType(key, want string, got any) {
	t.add(t.sub(key), want, "%s in %s must not be %s", quoteKey(key), title(t.path), describe(got))
}

// describe names a TOML value's kind.
func describe(v any) string {
	switch v.(type) {
	case string:
		return "text in quotes"
	case int64, float64:
		return "a number"
	case bool:
		return "true or false"
	case []any, []map[string]any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a date"
}

func (t *table) text(key string) string {
	v, there := t.m[key]
	if !there {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		t.wrongType(key, fmt.Sprintf(`write it in quotes: %s = "…"`, quoteKey(key)), v)
	}
	return s
}

func (t *table) number(key string) (n int, there bool) {
	v, there := t.m[key]
	if !there {
		return 0, false
	}
	i, ok := v.(int64)
	if !ok || i != int64(int32(i)) {
		t.wrongType(key, fmt.Sprintf("write a whole number without quotes: %s = 1", quoteKey(key)), v)
		return 0, false
	}
	return int(i), true
}

func (t *table) yesNo(key string) bool {
	v, there := t.m[key]
	if !there {
		return false
	}
	b, ok := v.(bool)
	if !ok {
		t.wrongType(key, "write true or false, without quotes", v)
	}
	return b
}

func (t *table) list(key string) []string {
	v, there := t.m[key]
	if !there {
		return nil
	}
	all, ok := texts(v)
	if !ok {
		t.wrongType(key, fmt.Sprintf(`write a list of texts: %s = ["…", "…"]`, quoteKey(key)), v)
		t.confused = t.confused || key == "servers" // all resources would seem misplaced
	}
	return all
}

// oneOrMore is a text, or a list of them.
func (t *table) oneOrMore(key string) []string {
	if s, one := t.m[key].(string); one {
		return []string{s}
	}
	return t.list(key)
}

// texts takes a TOML list apart; false when there is anything but text in it.
func texts(v any) ([]string, bool) {
	list, ok := v.([]any)
	if !ok {
		return nil, false
	}
	all := make([]string, len(list))
	for i, e := range list {
		if all[i], ok = e.(string); !ok {
			return nil, false
		}
	}
	return all, true
}

// child is a table inside this one; empty when it is missing.
func (t *table) child(key string) *table {
	v, there := t.m[key]
	m, ok := v.(map[string]any)
	if there && !ok {
		t.wrongType(key, fmt.Sprintf("write it as a table: [%s]", dotted(t.sub(key))), v)
		t.confused = true
	}
	return &table{t.reader, t.sub(key), m}
}

// children are the tables inside a table of names, in the order of the file.
func (t *table) children(key string) []*table {
	of := t.child(key)
	var all []*table
	for _, name := range of.inOrder() {
		all = append(all, of.child(name))
	}
	return all
}

// elements are the tables of an array of tables.
func (t *table) elements(key string) []*table {
	v, there := t.m[key]
	if !there {
		return nil
	}
	var list []map[string]any
	switch l := v.(type) {
	case []map[string]any:
		list = l
	case []any:
		for _, e := range l {
			m, ok := e.(map[string]any)
			if !ok {
				t.wrongType(key, fmt.Sprintf("write each as a table: [[%s]]", dotted(t.sub(key))), v)
				return nil
			}
			list = append(list, m)
		}
	default:
		t.wrongType(key, fmt.Sprintf("write it with two brackets: [[%s]]", dotted(t.sub(key))), v)
		return nil
	}
	all := make([]*table, len(list))
	for i, m := range list {
		all[i] = &table{t.reader, append(t.sub(key), strconv.Itoa(i)), m}
	}
	return all
}

// inOrder are the keys of a table as they stand in the file.
func (t *table) inOrder() []string {
	keys := make([]string, 0, len(t.m))
	for k := range t.m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if d := t.places.find(t.sub(a)) - t.places.find(t.sub(b)); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return keys
}

// name is the last key of the table's path.
func (t *table) name() string { return t.path[len(t.path)-1] }

// onlyKnown complains about every key that is not one of these.
func (t *table) onlyKnown(known []string) {
	for _, k := range t.inOrder() {
		if slices.Contains(known, k) {
			continue
		}
		fix := "known here: " + strings.Join(known, ", ")
		if near := hierarchy.Closest(k, known); near != "" {
			fix = fmt.Sprintf("did you mean %q?", near)
		} else if _, deep := t.m[k].(map[string]any); deep && len(t.path) > 1 {
			fix = fmt.Sprintf("if the dot belongs to the name, put the name in quotes: [%s]",
				dotted(append(slices.Clone(t.path[:len(t.path)-1]), t.name()+"."+k)))
		}
		if isTable(t.m[k]) {
			t.confused = true
		}
		t.add(t.sub(k), fix, "unknown key %q in %s", k, title(t.path))
	}
}

func isTable(v any) bool {
	switch v.(type) {
	case map[string]any, []map[string]any:
		return true
	}
	return false
}
