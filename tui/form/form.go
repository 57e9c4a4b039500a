package form

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/tui/ui"
)

// Kind is how a question is answered.
type Kind int

// The kinds.
const (
	Text   Kind = iota // a line of text; Items are offered
	Choice             // one of Items
	Check              // "true" or "false"
	Rank               // a place in an order: empty = not in it, or a number from 1
	Note               // nothing is asked; Default is shown
)

// Field is a question.
type Field struct {
	ID    string
	Label string
	Kind  Kind
	// Heading stands on a line above the question, where it differs from the one before.
	Heading string
	Help    string
	// Default holds while the answer is empty. Hint is shown in its place when set.
	Default, Hint string
	// Required marks it; the user of the form judges.
	Required bool
	// Items are what may be chosen; Names say what they are called (same length), nil =
	// they are called what they are.
	Items, Names []string
	// Loading: Items are on their way. Notice says something about them: why there are none.
	Loading bool
	Notice  string
}

// Name is what an item is called.
func (f *Field) Name(item string) string {
	if i := slices.Index(f.Items, item); i >= 0 && i < len(f.Names) {
		return f.Names[i]
	}
	return ui.Clean(item)
}

// Form is questions with their answers.
type Form struct {
	c        *ui.Context
	fields   []Field
	at       int
	values   map[string]string
	typed    map[string]string // what was typed by hand, which narrows the items
	inputs   map[string]*ui.Input
	problems map[string]string
	left     map[string]bool
	top      int
	offers   offers
	seen     geometry
	version  int
}

// New makes a form without questions.
func New(c *ui.Context) *Form {
	return &Form{c: c, values: map[string]string{}, typed: map[string]string{}, inputs: map[string]*ui.Input{}, left: map[string]bool{}}
}

// SetFields says what is asked now. The cursor stays on its question when that is still
// asked, else on the same line.
func (f *Form) SetFields(fields []Field) {
	here := f.here()
	f.fields = fields
	if i := f.index(here); i >= 0 {
		f.at = i
	}
	f.at = min(max(f.at, 0), max(0, len(fields)-1))
	f.settle(1)
}

// Start puts the cursor on the first question that can be answered.
func (f *Form) Start() { f.at, f.top = 0, 0; f.settle(1) }

// settle moves the cursor off a note, onwards or backwards.
func (f *Form) settle(step int) {
	for i := f.at; i >= 0 && i < len(f.fields); i += step {
		if f.fields[i].Kind != Note {
			f.at = i
			return
		}
	}
	if step > 0 && f.at > 0 {
		f.settle(-1)
	}
}

func (f *Form) index(id string) int {
	return slices.IndexFunc(f.fields, func(x Field) bool { return x.ID == id })
}

func (f *Form) here() string {
	if f.at < len(f.fields) {
		return f.fields[f.at].ID
	}
	return ""
}

// At is the question under the cursor; nil when nothing is asked.
func (f *Form) At() *Field {
	if f.at < len(f.fields) {
		return &f.fields[f.at]
	}
	return nil
}

// Focus puts the cursor on a question; it tells whether that is asked.
func (f *Form) Focus(id string) bool {
	i := f.index(id)
	if i < 0 || f.fields[i].Kind == Note {
		return false
	}
	f.leave()
	f.at = i
	return true
}

// leave remembers that the person has been at a question.
func (f *Form) leave() { f.left[f.here()] = true }

// Left tells that the cursor has been on a question and went on.
func (f *Form) Left(id string) bool { return f.left[id] }

// Answer is what was answered; empty = nothing.
func (f *Form) Answer(id string) string { return f.values[id] }

// Value is the answer to a question, or its default.
func (f *Form) Value(x Field) string {
	if v := f.values[x.ID]; v != "" {
		return v
	}
	return x.Default
}

// Set answers a question, whether it is asked now or not. What does not stand for a
// character is left out.
func (f *Form) Set(id, v string) {
	f.put(id, v)
	f.typed[id] = v
}

// Version is another number after every answer.
func (f *Form) Version() int { return f.version }

func (f *Form) put(id, v string) {
	v = ui.Printable(v)
	f.version++
	f.values[id] = v
	if in := f.inputs[id]; in != nil && in.Value() != v {
		in.Set(v)
	}
}

// Answered tells whether anything was answered.
func (f *Form) Answered() bool {
	for _, v := range f.values {
		if v != "" {
			return true
		}
	}
	return false
}

// SetProblems says what is wrong, by question.
func (f *Form) SetProblems(byID map[string]string) { f.problems = byID }

// Typing tells that the cursor is in a line of text.
func (f *Form) Typing() bool { x := f.At(); return x != nil && x.Kind == Text }

func (f *Form) input(id string) *ui.Input {
	in := f.inputs[id]
	if in == nil {
		in = ui.NewInput(f.c)
		in.View(textRoom) // it has to know a width before it scrolls
		in.Set(f.values[id])
		f.inputs[id] = in
	}
	return in
}

// nextRank is the number after the last one given.
func (f *Form) nextRank() string {
	top := 0
	for _, x := range f.fields {
		if n, err := strconv.Atoi(f.values[x.ID]); x.Kind == Rank && err == nil {
			top = max(top, n)
		}
	}
	return strconv.Itoa(top + 1)
}

// offers are the items of a question that match what was typed, kept as long as both
// stay the same.
type offers struct {
	id, query string
	first     *string
	n         int
	items     []string
}

// Offers are the items of a question of text that match what was typed; all of them
// when that is one of them.
func (f *Form) Offers(x *Field) []string {
	if len(x.Items) == 0 {
		return nil
	}
	o, q := &f.offers, strings.TrimSpace(f.typed[x.ID])
	if o.id == x.ID && o.query == q && o.first == &x.Items[0] && o.n == len(x.Items) {
		return o.items
	}
	*o = offers{id: x.ID, query: q, first: &x.Items[0], n: len(x.Items), items: x.Items}
	if q != "" && !slices.Contains(x.Items, q) {
		o.items = nil
		for _, it := range x.Items {
			if ui.Matches(q, it) {
				o.items = append(o.items, it)
			}
		}
	}
	return o.items
}
