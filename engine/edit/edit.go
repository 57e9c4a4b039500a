package edit

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// Edit is one wish. The types of this package are the only ones.
type Edit interface {
	// String says the wish in a few words, for messages.
	String() string
	change(d *draft) error
}

// Result is what came of the edits.
type Result struct {
	// Estate is the new definition, in the form of hierarchy.Normalize.
	Estate *hierarchy.Estate
	// Changes are what is different, as hierarchy.Diff lists it. Empty: nothing had to
	// be done.
	Changes []hierarchy.Change
	// Notes are whole sentences about what a person might not expect.
	Notes []string
}

// Make carries edits out, one after the other, on a copy of a definition. The
// registry is needed for kits' fields and tuning names. The error is an *Error or,
// when the definition would be wrong as a whole, a *InvalidError.
func Make(e *hierarchy.Estate, reg kits.Registry, edits ...Edit) (*Result, error) {
	d := newDraft(e, reg)
	if err := All(edits).change(d); err != nil {
		return nil, err
	}
	for _, say := range d.last {
		say()
	}
	next := hierarchy.Normalize(d.e)
	if ps := hierarchy.Validate(next, reg); len(ps) > 0 {
		return nil, &InvalidError{ps}
	}
	return &Result{Estate: next, Changes: hierarchy.Diff(e, next), Notes: d.notes}, nil
}

// Kind tells what an Error is about.
type Kind string

// The kinds.
const (
	NoSuch  Kind = "no-such" // a name means nothing
	Wrong   Kind = "wrong"   // a value cannot be
	Refused Kind = "refused" // the definition would be wrong
)

// Error says why an edit cannot be made.
type Error struct {
	Kind Kind
	Text string
	Fix  string // what to do instead; may be empty
}

// Error is the text alone.
func (e *Error) Error() string { return e.Text }

// InvalidError lists what would be wrong with the definition.
type InvalidError struct{ Problems []hierarchy.Problem }

// Error gives a line for each problem, with its fix.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func wrong(fix, format string, args ...any) error {
	return &Error{Wrong, fmt.Sprintf(format, args...), fix}
}

func refused(fix, format string, args ...any) error {
	return &Error{Refused, fmt.Sprintf(format, args...), fix}
}

// noSuch says that there is no such thing, and which one was most likely meant.
func noSuch(what, name string, known []string) error {
	fix := "there are none yet"
	if near := hierarchy.Closest(name, known); near != "" {
		fix = fmt.Sprintf("did you mean %q?", near)
	} else if len(known) > 0 {
		fix = "there are " + strings.Join(known[:min(len(known), 8)], ", ")
		if len(known) > 8 {
			fix += fmt.Sprintf(" and %d more", len(known)-8)
		}
	}
	return &Error{NoSuch, fmt.Sprintf("no %s %q", what, name), fix}
}

// draft is the definition under edit.
type draft struct {
	e     *hierarchy.Estate
	reg   kits.Registry
	notes []string
	// was is the definition before the edits.
	was *hierarchy.Index
	// last is said once all edits are made: one may mend what another left open.
	last []func()
}

func newDraft(e *hierarchy.Estate, reg kits.Registry) *draft {
	return &draft{e: clone(e), reg: reg, was: hierarchy.NewIndex(e)}
}

func (d *draft) note(format string, args ...any) {
	d.notes = append(d.notes, fmt.Sprintf(format, args...))
}

// index is made anew each time: the draft changes under it.
func (d *draft) index() *hierarchy.Index { return hierarchy.NewIndexFor(d.e, d.reg) }

// resource finds a resource by what a person wrote.
func (d *draft) resource(name string) (*hierarchy.Resource, error) {
	return find(d.index(), name)
}

func find(x *hierarchy.Index, name string) (*hierarchy.Resource, error) {
	r, err := x.Find(name)
	if err == nil {
		return r, nil
	}
	kind := NoSuch
	var none *hierarchy.NoSuchError
	if errors.As(err, &none) && len(none.Several) > 0 {
		kind = Wrong
	}
	return nil, &Error{Kind: kind, Text: err.Error()}
}

func (d *draft) server(name string) (*hierarchy.Server, error) {
	if s := d.e.Server(name); s != nil {
		return s, nil
	}
	known := make([]string, len(d.e.Servers))
	for i, s := range d.e.Servers {
		known[i] = s.Name
	}
	return nil, noSuch("server", name, known)
}

func (d *draft) cluster(name string) (*hierarchy.Cluster, error) {
	known := make([]string, len(d.e.Cluster))
	for i := range d.e.Cluster {
		if known[i] = d.e.Cluster[i].Name; known[i] == name {
			return &d.e.Cluster[i], nil
		}
	}
	return nil, noSuch("cluster", name, known)
}

// member wants a server of a cluster.
func (d *draft) member(cl *hierarchy.Cluster, server string) error {
	if slices.Contains(cl.Servers, server) {
		return nil
	}
	if d.e.Server(server) == nil {
		_, err := d.server(server)
		return err
	}
	return refused("its servers are "+strings.Join(cl.Servers, ", "), "%s is not a server of cluster %s", server, cl.Name)
}

// clone copies a definition deeply, whatever fields it has or will have.
func clone(e *hierarchy.Estate) *hierarchy.Estate {
	b, err := json.Marshal(e)
	c := &hierarchy.Estate{}
	if err == nil {
		err = json.Unmarshal(b, c)
	}
	if err != nil {
		panic("edit: the definition's type does not survive JSON: " + err.Error())
	}
	return c
}

// tags joins full names for a sentence.
func tags(all []hierarchy.Tag) string {
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = string(t)
	}
	switch n := len(names); n {
	case 0, 1:
		return strings.Join(names, "")
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}
