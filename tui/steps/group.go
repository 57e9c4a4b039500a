package steps

import "github.com/ferry-ha/ferry/engine/plan"

// groups gives each step the number of the group that it belongs to: neighbours of
// which none waits for another may run at the same time.
func groups(steps []plan.Step) []int {
	at := make(map[string]int, len(steps))
	for i, s := range steps {
		at[s.ID] = i
	}
	out := make([]int, len(steps))
	begin, g := 0, 0
	for i, s := range steps {
		// Waiting for something further up by way of a neighbour means waiting for that
		// neighbour, so looking at the direct ones is enough.
		for _, id := range s.After {
			if j, ok := at[id]; ok && j >= begin && j < i {
				begin, g = i, g+1
				break
			}
		}
		if s.NoReturn && i > begin { // the line of no return stands between
			begin, g = i, g+1
		}
		out[i] = g
	}
	return out
}

// parts of a bracket around a group.
const (
	alone = iota
	first
	inner
	last
)

// part tells where in its group a step stands.
func part(groups []int, i int) int {
	before := i > 0 && groups[i-1] == groups[i]
	behind := i+1 < len(groups) && groups[i+1] == groups[i]
	switch {
	case before && behind:
		return inner
	case before:
		return last
	case behind:
		return first
	}
	return alone
}
