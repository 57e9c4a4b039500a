package adopt

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// Claim is who held a resource, and how that is known.
type Claim struct {
	Tag hierarchy.Tag `json:"tag"`
	hierarchy.Claim
	Released bool   `json:"released,omitempty"` // taken out of service since
	Given    uint64 `json:"given"`              // highest number ever given out
	// Record: only the node's own record knows it; the newest copy is older.
	Record bool `json:"record,omitempty"`
	// Also are other nodes with the same number: who holds it cannot be told.
	Also []string `json:"also,omitempty"`
}

// stored is a claim as the policy stores it.
type stored struct {
	hierarchy.Claim
	Released bool   `json:"released,omitempty"`
	Given    uint64 `json:"given"`
}

// State is what is rebuilt, ready to be written into a store.
type State struct {
	Definition *hierarchy.Estate
	Epoch      uint64 // the highest seen; the new engine's is higher
	Claims     []Claim
	Entities   []policy.Entity
	Events     []policy.Event // what the policy said about it
}

// Rebuild makes one state of what the nodes said of an estate. The time is that of the
// adoption.
func (s Survey) Rebuild(estate string, reg kits.Registry, now time.Time) (*State, error) {
	newest, _ := s.Newest(estate)
	if newest == nil {
		return nil, fmt.Errorf("no node that was asked has a copy of estate %s", estate)
	}
	claims, err := s.claims(estate)
	if err != nil {
		return nil, err
	}
	st := &State{Definition: newest.Definition, Epoch: s.Epoch(estate)}
	entities := map[string]json.RawMessage{}
	for key, value := range newest.Entities {
		if !strings.HasPrefix(key, "claim/") && Kept(key, value) {
			entities[key] = value
		}
	}
	if err := doubt(st, entities, reg, now); err != nil {
		return nil, err
	}
	for _, t := range slices.Sorted(maps.Keys(claims)) {
		c := claims[t]
		st.Claims = append(st.Claims, *c)
		b, err := json.Marshal(stored{c.Claim, c.Released, c.Given})
		if err != nil {
			return nil, fmt.Errorf("encoding the claim of %s: %w", t, err)
		}
		entities["claim/"+string(t)] = b
	}
	return st, s.settle(st, entities, estate, reg, now)
}

// doubt marks every record of a Keeper's as doubtful: a newer one may have been on a node
// that nobody could ask. That holds as well where the copy has none at all: the first one
// may have been written after it, and an empty record must not be taken for a beginning.
func doubt(st *State, entities map[string]json.RawMessage, reg kits.Registry, now time.Time) error {
	for i := range st.Definition.Res {
		r := &st.Definition.Res[i]
		key := keepPrefix + string(r.Tag)
		value, has := entities[key]
		if _, keeps := reg[r.Kit].(kits.Keeper); !has && !keeps {
			continue
		}
		k := policy.Keep{At: now}
		if has {
			if err := json.Unmarshal(value, &k); err != nil {
				return fmt.Errorf("the newest copy: record of %s: %w", r.Tag, err)
			}
		}
		k.Doubtful = true
		k.Serial++
		b, err := json.Marshal(k)
		if err != nil {
			return fmt.Errorf("encoding the record of %s: %w", r.Tag, err)
		}
		entities[key] = b
		st.Events = append(st.Events, policy.DoubtEvent(r.Tag, now))
	}
	return nil
}

// settle lets the policy read the state and every node's record: claims that cannot be
// ordered are held from the start, not only when the node is seen again.
func (s Survey) settle(st *State, entities map[string]json.RawMessage, estate string, reg kits.Registry, now time.Time) error {
	var list []policy.Entity
	for _, key := range slices.Sorted(maps.Keys(entities)) {
		list = append(list, policy.Entity{Key: key, Value: entities[key]})
	}
	w, err := policy.Load(st.Definition, reg, list)
	if err != nil {
		return fmt.Errorf("reading the newest copy: %w", err)
	}
	w.Automation = false // nothing may begin while this is read
	for _, rec := range s.records(st.Claims, estate) {
		for _, o := range w.Step(now, rec) {
			if ev, ok := o.(policy.Event); ok {
				st.Events = append(st.Events, ev)
			}
		}
	}
	for _, e := range w.TakeChanges() {
		if e.Deleted {
			delete(entities, e.Key)
		} else {
			entities[e.Key] = e.Value
		}
	}
	for _, key := range slices.Sorted(maps.Keys(entities)) {
		st.Entities = append(st.Entities, policy.Entity{Key: key, Value: entities[key]})
	}
	return nil
}

// records are the nodes' own claims, and those of nodes that only another copy names.
func (s Survey) records(claims []Claim, estate string) []policy.NodeRecord {
	var out []policy.NodeRecord
	for i := range s {
		if s[i].Belongs() == estate && len(s[i].Claims) > 0 {
			out = append(out, policy.NodeRecord{Node: s[i].Node, Claims: s[i].Claims})
		}
	}
	for _, c := range claims {
		for _, node := range c.Also {
			out = append(out, policy.NodeRecord{Node: node, Claims: map[hierarchy.Tag]uint64{c.Tag: c.Number}})
		}
	}
	return out
}

// claims finds the highest claim on every resource, over all copies and records.
func (s Survey) claims(estate string) (map[hierarchy.Tag]*Claim, error) {
	all := map[hierarchy.Tag]*Claim{}
	for _, c := range s.copies(estate) {
		for key, value := range c.Entities {
			tag, ok := strings.CutPrefix(key, "claim/")
			if !ok {
				continue
			}
			var v stored
			if err := json.Unmarshal(value, &v); err != nil {
				return nil, fmt.Errorf("the copy of epoch %d, number %d: claim on %s: %w", c.Epoch, c.Serial, tag, err)
			}
			put(all, Claim{Tag: hierarchy.Tag(tag), Claim: v.Claim, Released: v.Released, Given: v.Given})
		}
	}
	for i := range s {
		if s[i].Belongs() != estate {
			continue
		}
		for t, n := range s[i].Claims {
			put(all, Claim{Tag: t, Claim: hierarchy.Claim{Number: n, Node: s[i].Node, By: "record of " + s[i].Node}, Given: n, Record: true})
		}
	}
	for _, c := range all {
		slices.Sort(c.Also)
		c.Also = slices.Compact(c.Also)
	}
	return all, nil
}

// copies are the estate's, newest first: of what two say of one claim the newer wins.
func (s Survey) copies(estate string) []*Copy {
	var out []*Copy
	for i := range s {
		if c := s[i].Copy; c != nil && c.Estate == estate {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b *Copy) int {
		switch {
		case a.Newer(b):
			return -1
		case b.Newer(a):
			return 1
		}
		return 0
	})
	return out
}

// put takes a claim in; of the same number the first one stays, and the other's node is noted.
func put(all map[hierarchy.Tag]*Claim, c Claim) {
	old := all[c.Tag]
	given := c.Given
	if old != nil {
		given = max(given, old.Given)
	}
	switch {
	case old == nil, c.Number > old.Number:
		all[c.Tag] = &c
	case c.Number == old.Number && c.Node != old.Node && c.Node != "":
		old.Also = append(old.Also, c.Node)
	}
	all[c.Tag].Given = given
}

// Kept are the entities as the next copy holds them.
func (s *State) Kept() map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for _, e := range s.Entities {
		if Kept(e.Key, e.Value) {
			out[e.Key] = e.Value
		}
	}
	return out
}
