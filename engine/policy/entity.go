package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// Entity is one stored piece of a World. Keys: "instance/<tag>@<node>",
// "claim/<tag>", "node/<name>", "question/<id>", "op/<id>", "loss/<tag>", "hold/<scope>"
// ("hold/*" for the estate), "keep/<tag>", "meta".
type Entity struct {
	Key     string
	Value   []byte // JSON
	Deleted bool
}

func instanceKey(r hierarchy.Ref) string { return "instance/" + string(r.Tag) + "@" + r.Node }
func claimKey(t hierarchy.Tag) string    { return "claim/" + string(t) }
func nodeKey(name string) string         { return "node/" + name }
func questionKey(id string) string       { return "question/" + id }
func opKey(id string) string             { return "op/" + id }
func lossKey(t hierarchy.Tag) string     { return "loss/" + string(t) }

const metaKey = "meta"

// claimEntity is a claim as stored: Number 0 = never claimed, but numbers were given out.
type claimEntity struct {
	hierarchy.Claim
	Released bool   `json:"released,omitempty"`
	Given    uint64 `json:"given"`
}

type metaEntity struct {
	Automation bool   `json:"automation"`
	Seq        uint64 `json:"seq"`
}

func (w *World) dirt(key string) {
	w.marks++
	if w.dirty != nil {
		w.dirty[key] = struct{}{}
	}
}

// dirtInstance is dirt for an instance, whose key nobody needs where nothing is stored.
func (w *World) dirtInstance(ref hierarchy.Ref) {
	w.marks++
	if w.dirty != nil {
		w.dirty[instanceKey(ref)] = struct{}{}
	}
}

// TakeChanges gives what changed since it was last called, sorted by key, and
// forgets that it changed. The caller stores it before it carries outputs out;
// when that fails, the world must be loaded again.
func (w *World) TakeChanges() []Entity {
	if len(w.dirty) == 0 {
		return nil
	}
	out := make([]Entity, 0, len(w.dirty))
	for _, key := range sorted(w.dirty) {
		out = append(out, w.entity(key))
	}
	clear(w.dirty)
	return out
}

// entity makes the stored form of what a key names; Deleted when that is gone.
func (w *World) entity(key string) Entity {
	kind, name, _ := strings.Cut(key, "/")
	var v any
	switch kind {
	case "instance":
		v = find(w.Instances, refOf(name))
	case "claim":
		t := hierarchy.Tag(name)
		if c, ok := w.Claims[t]; ok || w.Given[t] > 0 {
			v = claimEntity{Claim: c, Released: w.Released[t], Given: w.Given[t]}
		}
	case "node":
		v = find(w.Nodes, name)
	case "question":
		v = find(w.Questions, name)
	case "op":
		v = find(w.Ops, name)
	case "loss":
		v = find(w.Losses, hierarchy.Tag(name))
	case "hold":
		if h, ok := w.Holds[scopeOf(name)]; ok {
			v = h
		}
	case "keep":
		v = find(w.Keeps, hierarchy.Tag(name))
	case metaKey:
		v = metaEntity{Automation: w.Automation, Seq: w.Seq}
	}
	if v == nil {
		return Entity{Key: key, Deleted: true}
	}
	b, err := json.Marshal(v)
	if err != nil { // our own plain types
		panic(fmt.Sprintf("policy: %s cannot be encoded: %v", key, err))
	}
	return Entity{Key: key, Value: b}
}

// find gives the value as an interface that is nil when it is not there.
func find[K comparable, V any](m map[K]*V, k K) any {
	if v := m[k]; v != nil {
		return v
	}
	return nil
}

// refOf reads "<tag>@<node>"; node names have no "@".
func refOf(s string) hierarchy.Ref {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return hierarchy.Ref{Tag: hierarchy.Tag(s)}
	}
	return hierarchy.Ref{Tag: hierarchy.Tag(s[:i]), Node: s[i+1:]}
}

// Load makes the world again from the definition and what TakeChanges gave over
// time (the last value of each key). Whatever had been observed is void: verdicts
// are unknown and states are old until seen again. Running operations stay
// running; whoever carries them out resumes them.
func Load(e *hierarchy.Estate, reg kits.Registry, stored []Entity) (*World, error) {
	w := New(&hierarchy.Estate{}, reg)
	for _, s := range stored {
		if s.Deleted {
			continue
		}
		if err := w.load(s); err != nil {
			return nil, fmt.Errorf("reading %s: %w", s.Key, err)
		}
	}
	clear(w.dirty)
	for _, n := range w.Nodes {
		n.Verdict, n.Evidence = Unknown, nil
	}
	w.define(e)
	return w, nil
}

func (w *World) load(s Entity) error {
	kind, name, _ := strings.Cut(s.Key, "/")
	switch kind {
	case "instance":
		return loadInto(w.Instances, refOf(name), s.Value)
	case "node":
		return loadInto(w.Nodes, name, s.Value)
	case "question":
		return loadInto(w.Questions, name, s.Value)
	case "op":
		return loadInto(w.Ops, name, s.Value)
	case "loss":
		return loadInto(w.Losses, hierarchy.Tag(name), s.Value)
	case "keep":
		return loadInto(w.Keeps, hierarchy.Tag(name), s.Value)
	case "claim":
		var c claimEntity
		if err := json.Unmarshal(s.Value, &c); err != nil {
			return err
		}
		t := hierarchy.Tag(name)
		w.Given[t] = c.Given
		if c.Number > 0 {
			w.Claims[t] = c.Claim
		}
		if c.Released {
			w.Released[t] = true
		}
		return nil
	case "hold":
		var h Hold
		if err := json.Unmarshal(s.Value, &h); err != nil {
			return err
		}
		w.Holds[scopeOf(name)] = h
		return nil
	case metaKey:
		var m metaEntity
		if err := json.Unmarshal(s.Value, &m); err != nil {
			return err
		}
		w.Automation, w.Seq = m.Automation, m.Seq
		return nil
	}
	return fmt.Errorf("no entity of kind %q is known; the store was written by a newer version", kind)
}

func loadInto[K comparable, V any](m map[K]*V, k K, b []byte) error {
	v := new(V)
	if err := json.Unmarshal(b, v); err != nil {
		return err
	}
	m[k] = v
	return nil
}

// keepPast is how many ended operations, and ended questions, are kept.
const keepPast = 200

// prune forgets the oldest ended operations and questions; the event log keeps their story.
func (w *World) prune() {
	ops := make([]*Op, 0, len(w.Ops))
	for _, op := range w.Ops {
		if op.Outcome != OpRunning {
			ops = append(ops, op)
		}
	}
	slices.SortFunc(ops, func(a, b *Op) int { return strings.Compare(a.ID, b.ID) })
	for _, op := range ops[:max(0, len(ops)-keepPast)] {
		delete(w.Ops, op.ID)
		delete(w.commands, op.Command)
		w.dirt(opKey(op.ID))
	}
	past := make([]*Question, 0, len(w.Questions))
	for _, q := range w.Questions {
		if q.State != Pending {
			past = append(past, q)
		}
	}
	slices.SortFunc(past, func(a, b *Question) int { return strings.Compare(a.ID, b.ID) })
	for _, q := range past[:max(0, len(past)-keepPast)] {
		delete(w.Questions, q.ID)
		w.dirt(questionKey(q.ID))
	}
}
