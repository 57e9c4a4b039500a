package datakeeper

import (
	"encoding/json"
	"fmt"
	"time"
)

// State of a leg, as the record has it.
type State string

// The states. Only a leg that is in sync is a copy.
const (
	// InSync: everything that was reported as written is on it. A present fact with freeze; otherwise as of Leg.Last.
	InSync State = "in-sync"
	// Out: the source goes on without it.
	Out State = "out"
	// Syncing: it is being copied to, and is no copy until that is done.
	Syncing State = "syncing"
)

// Record is what outlives nodes and engines: who the source is, and which other legs are copies of it.
type Record struct {
	// Gen grows with each promotion. A node refuses a smaller one than it has seen.
	Gen int `json:"gen"`
	// From is the generation since which the source has been this node without a break: an array that runs on it since
	// then is the record's own, and a start of it again only gives it the newer generation.
	From int `json:"from,omitempty"`
	// UUID of the array, in mdadm's form.
	UUID string `json:"uuid"`
	// Source is the node whose disk has everything.
	Source string `json:"source"`
	// Created: the array ran once. From then on missing metadata is a failure, not a beginning.
	Created bool `json:"created,omitempty"`
	// Forced: a person promoted the source; where its metadata is missing, it is made anew.
	Forced bool `json:"forced,omitempty"`
	// Rebuild: the source's metadata is made anew over the disk as it is, half a copy or not. Only by force.
	Rebuild bool `json:"rebuild,omitempty"`
	// Bad: the source's own disk failed under the array; its data is not complete.
	Bad bool `json:"bad,omitempty"`
	// Sectors of the array, of 512 bytes; 0 = not known yet.
	Sectors int64 `json:"sectors,omitempty"`
	// Comparing: the source was last seen comparing the copies with its data.
	Comparing bool `json:"comparing,omitempty"`
	// Cut: a leg fell out meanwhile, so that its end will say nothing.
	Cut bool `json:"cut,omitempty"`
	// Legs of the other nodes.
	Legs map[string]Leg `json:"legs"`
}

// Leg is another node's copy.
type Leg struct {
	State State `json:"state"`
	// Since the state is what it is.
	Since time.Time `json:"since"`
	// Last time it was known to have everything; zero = never. For a leg with freeze that is in sync it is always now.
	Last time.Time `json:"last,omitzero"`
	// Why it is out.
	Why string `json:"why,omitempty"`
	// Mode of the connection: freeze, continue or asynchronous.
	Mode string `json:"mode,omitempty"`
	// Number of the membership; see the package comment.
	Number int `json:"number"`
	// Complete: the source was stopped in good order, and the leg was looked at after that: it has everything until an array
	// runs again. Kit.Settle alone sets it.
	Complete bool `json:"complete,omitempty"`
	// Differs counts the blocks of 4 KiB that a comparison found to differ from the source's, though md calls the leg in sync.
	// md's bitmap knows nothing of them, so only a copy in full ends that.
	Differs int64 `json:"differs,omitempty"`
	// Partial: the source's bitmap knows every chunk in which the leg differs, after Merge.
	Partial bool `json:"partial,omitempty"`
	// Merge: it was a source itself, and its own dirty chunks are to be copied over as well.
	Merge bool `json:"merge,omitempty"`
	// Falls counts exclusions since it was last stable; Next is when it may join again.
	Falls int       `json:"falls,omitempty"`
	Next  time.Time `json:"next,omitzero"`
}

// Modes of a connection.
const (
	modeFreeze       = "freeze"
	modeContinue     = "continue"
	modeAsynchronous = "asynchronous"
)

// promotable: the leg is a copy without anybody's force.
func (l Leg) promotable() bool {
	return l.State == InSync && l.Differs == 0 && (l.Mode == modeFreeze || l.Complete)
}

// age of the leg's data at a time; false when it never was a copy.
func (l Leg) age(now time.Time) (time.Duration, bool) {
	if l.promotable() {
		return 0, true
	}
	if l.Last.IsZero() || l.Differs > 0 {
		return 0, false
	}
	return max(now.Sub(l.Last), 0), true
}

// decode reads a record; nil for an empty one. One that makes no sense is an error: nothing may rest on it.
func decode(b []byte) (*Record, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var r Record
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("reading the mirror's record: %w", err)
	}
	if r.Gen < 1 || r.Source == "" || !uuidForm.MatchString(r.UUID) {
		return nil, fmt.Errorf("reading the mirror's record: generation %d, source %q or uuid %q make no sense", r.Gen, r.Source, r.UUID)
	}
	for n, l := range r.Legs {
		switch l.State {
		case InSync, Out, Syncing:
		default:
			return nil, fmt.Errorf("reading the mirror's record: the leg of %s is %q, which is no state", n, l.State)
		}
	}
	if r.Legs == nil {
		r.Legs = map[string]Leg{}
	}
	return &r, nil
}

func (r *Record) encode() []byte {
	b, err := json.Marshal(r)
	if err != nil { // cannot be: numbers, words and times
		return nil
	}
	return b
}

// copied is a record that can be changed without changing r.
func (r *Record) copied() *Record {
	c := *r
	c.Legs = make(map[string]Leg, len(r.Legs))
	for n, l := range r.Legs {
		c.Legs[n] = l
	}
	return &c
}

// out takes a leg out: its number grows, so that no connection of before can bring it back.
func (r *Record) out(node, why string, now time.Time) {
	l := r.Legs[node]
	switch {
	case l.State == InSync && l.Mode == modeFreeze:
		l.Last, l.Partial = now, true
	case l.State == InSync:
		l.Partial = true
	}
	l.Partial = l.Partial && l.Differs == 0
	l.State, l.Since, l.Why, l.Complete = Out, now, why, false
	r.Cut = r.Comparing
	l.Number++
	r.Legs[node] = l
}
