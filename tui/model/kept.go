package model

import "sync"

// kept are things that packages derived from an estate.
type kept struct {
	mu  sync.Mutex
	all map[any]any
}

// Keep gives what is derived from an estate, which is made once, by whoever asks first:
// the goroutine that fetches snapshots asks for what takes longer than a frame before the
// screen does. key is a value of a type private to the package that asks. What is
// kept must follow from the estate alone, and nobody may change it.
func Keep[T any](e *Estate, key any, from func(*Estate) T) T {
	e.kept.mu.Lock()
	defer e.kept.mu.Unlock()
	if v, there := e.kept.all[key]; there {
		return v.(T)
	}
	if e.kept.all == nil {
		e.kept.all = map[any]any{}
	}
	v := from(e)
	e.kept.all[key] = v
	return v
}
