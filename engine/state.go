package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/runner"
	"github.com/ferry-ha/ferry/engine/store"
)

// Keys in the store. The world's own entities are under state/.
const (
	keyEstate   = "estate"
	keyEstateID = "meta/estate-id"
	keyEngineID = "meta/engine-id"
	keySeq      = "meta/event-seq" // number of the last event
)

func stateKey(k string) string    { return "state/" + k }
func journalKey(op string) string { return "journal/" + op }
func eventKey(seq int64) string   { return fmt.Sprintf("event/%020d", seq) }

func refOf(t hierarchy.Tag, node string) hierarchy.Ref { return hierarchy.Ref{Tag: t, Node: node} }

// encode makes JSON of a value of our own; that cannot fail for the types we store.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("engine: a stored type cannot be encoded: %v", err))
	}
	return b
}

// load reads everything back from the store; the former world is dropped.
func (e *Engine) load(ctx context.Context) error {
	if err := e.loadIDs(ctx); err != nil {
		return err
	}
	if err := e.loadLead(ctx); err != nil {
		return err
	}
	estate, err := e.loadEstate(ctx)
	if err != nil {
		return err
	}
	kvs, rev, err := e.opts.Store.List(ctx, stateKey(""))
	if err != nil {
		return fmt.Errorf("reading the states: %w", err)
	}
	e.rev, e.kept = rev, map[string]json.RawMessage{}
	entities := make([]policy.Entity, 0, len(kvs))
	for _, kv := range kvs {
		entities = append(entities, policy.Entity{Key: strings.TrimPrefix(kv.Key, stateKey("")), Value: kv.Value})
		e.keep(entities[len(entities)-1])
	}
	w, err := policy.Load(estate, e.opts.Kits, entities)
	if err != nil {
		return fmt.Errorf("reading the states: %w", err)
	}
	if err := e.loadJournals(ctx); err != nil {
		return err
	}
	if err := e.loadSeq(ctx); err != nil {
		return err
	}
	e.world = w
	e.index.Store(w.Index())
	e.records.load(w, rev)
	return nil
}

// loadIDs reads this engine's and the estate's id, making them at the first start.
func (e *Engine) loadIDs(ctx context.Context) error {
	for key, to := range map[string]*string{keyEngineID: &e.id, keyEstateID: &e.estateID} {
		kv, err := e.opts.Store.Get(ctx, key)
		if errors.Is(err, store.ErrNotFound) {
			kv = store.KV{Key: key, Value: []byte(newID())}
			_, err = e.opts.Store.Commit(ctx, store.Txn{Term: e.term, Puts: []store.KV{kv}})
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", key, err)
		}
		*to = string(kv.Value)
	}
	return nil
}

func (e *Engine) loadEstate(ctx context.Context) (*hierarchy.Estate, error) {
	estate := &hierarchy.Estate{}
	kv, err := e.opts.Store.Get(ctx, keyEstate)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return estate, nil
	case err != nil:
		return nil, fmt.Errorf("reading the definition: %w", err)
	}
	if err := json.Unmarshal(kv.Value, estate); err != nil {
		return nil, fmt.Errorf("reading the definition: %w: %w", store.ErrDamaged, err)
	}
	return estate, nil
}

func (e *Engine) loadJournals(ctx context.Context) error {
	kvs, _, err := e.opts.Store.List(ctx, journalKey(""))
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	e.journals = map[string]*runner.Journal{}
	for _, kv := range kvs {
		j := &runner.Journal{}
		if err := json.Unmarshal(kv.Value, j); err != nil {
			return fmt.Errorf("reading journal %s: %w: %w", kv.Key, store.ErrDamaged, err)
		}
		e.journals[j.Op] = j
	}
	return nil
}

// loadSeq finds the number of the last event. Stores of older versions did not count:
// there the events themselves are looked at.
func (e *Engine) loadSeq(ctx context.Context) error {
	kv, err := e.opts.Store.Get(ctx, keySeq)
	switch {
	case err == nil:
		if e.seq, err = strconv.ParseInt(string(kv.Value), 10, 64); err != nil {
			return fmt.Errorf("reading %s: %w: %w", keySeq, store.ErrDamaged, err)
		}
		return nil
	case !errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("reading %s: %w", keySeq, err)
	}
	events, err := e.readEvents(ctx, 0)
	if err != nil {
		return err
	}
	e.seq = 0
	if n := len(events); n > 0 {
		e.seq = events[n-1].Seq
	}
	return nil
}

// readEvents reads the stored events after the number, oldest first.
func (e *Engine) readEvents(ctx context.Context, after int64) ([]api.Event, error) {
	kvs, _, err := e.opts.Store.List(ctx, "event/")
	if err != nil {
		return nil, fmt.Errorf("reading the events: %w", err)
	}
	var out []api.Event
	for _, kv := range kvs {
		if kv.Key <= eventKey(after) {
			continue
		}
		var ev api.Event
		if err := json.Unmarshal(kv.Value, &ev); err != nil {
			return nil, fmt.Errorf("reading event %s: %w: %w", kv.Key, store.ErrDamaged, err)
		}
		out = append(out, ev)
	}
	return out, nil
}

// number picks the events from the policy's outputs and gives them their numbers.
func (e *Engine) number(outs []policy.Output) []api.Event {
	var events []api.Event
	for _, o := range outs {
		if ev, ok := o.(policy.Event); ok {
			e.seq++
			events = append(events, api.Event{Seq: e.seq, Event: ev})
		}
	}
	return events
}
