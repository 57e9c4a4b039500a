package model

import (
	"sync"
	"testing"
)

func TestKeepMakesOnce(t *testing.T) {
	type a struct{}
	type b struct{}
	e := Empty()
	made := 0
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := Keep(e, a{}, func(of *Estate) *Estate { made++; return of }); got != e {
				t.Error("something else is kept")
			}
		})
	}
	all.Wait()
	if n := Keep(e, b{}, func(*Estate) int { return 7 }); made != 1 || n != 7 {
		t.Errorf("made %d times; the other: %d", made, n)
	}
}
