package hierarchy

import "strings"

// Closest finds the candidate that a person most likely meant by a name that does
// not exist; empty when nothing is near. Case does not count as a difference; of
// two candidates that are equally near, the one that begins alike is meant.
func Closest(name string, candidates []string) string {
	best, bestAt, alike := "", 1+len(name)/3, -1
	low := strings.ToLower(name)
	for _, c := range candidates {
		d := distance(low, strings.ToLower(c), bestAt)
		if d > bestAt {
			continue
		}
		if p := commonPrefix(low, strings.ToLower(c)); d < bestAt || p > alike {
			best, bestAt, alike = c, d, p
		}
	}
	return best
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// distance counts single-letter edits (insert, delete, replace, swap neighbours)
// from a to b; anything above limit may be given as limit+1.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
