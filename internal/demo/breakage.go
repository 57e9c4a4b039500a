package demo

import (
	"slices"
	"sync"
)

// Breakage is something that can be broken and mended.
type Breakage struct {
	// ID names it for good: "power/LK_P_A".
	ID string
	// Kind chooses its words (demo.what-KIND, does-KIND, expect-KIND), Group where it stands.
	Kind, Group string
	// Words are those of what is to be expected (demo.expect-WORDS); empty = Kind.
	Words string
	// Node and Other are the nodes that it is about; empty = none.
	Node, Other string
	// Passing: it happens once, and is not there any more when somebody mended it.
	Passing bool

	broken func() bool
	breaks func() error
	mends  func() error
}

// Broken tells whether it is broken at this moment.
func (b *Breakage) Broken() bool { return b.broken() }

// Toggle breaks what is whole and mends what is broken; it tells what it did.
func (b *Breakage) Toggle() (broke bool, err error) {
	if b.broken() {
		return false, b.mends()
	}
	return true, b.breaks()
}

// Breakages is the menu, in the order in which it is shown.
func (d *Demo) Breakages() []*Breakage { return slices.Clone(d.items) }

// Find is the breakage of that ID; nil when there is none.
func (d *Demo) Find(id string) *Breakage {
	for _, b := range d.items {
		if b.ID == id {
			return b
		}
	}
	return nil
}

// MendAll mends everything that is broken.
func (d *Demo) MendAll() error {
	var first error
	for _, b := range d.items {
		if !b.Broken() {
			continue
		}
		if err := b.mends(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// toggle remembers by itself whether something is broken, where the world cannot be asked.
type toggle struct {
	mu sync.Mutex
	on bool
}

func (t *toggle) is() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.on
}

// turn makes an effect and remembers it.
func (t *toggle) turn(on bool, f func()) func() error {
	return func() error {
		t.mu.Lock()
		defer t.mu.Unlock()
		f()
		t.on = on
		return nil
	}
}
