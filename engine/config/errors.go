package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong in a definition file.
type Problem struct {
	Line, Col int    // from 1; columns in bytes
	Message   string // what is wrong
	Fix       string // what to write instead; may be empty
}

// Errors is everything wrong in a definition file, by line.
type Errors struct {
	File     string
	Problems []Problem
}

// shown bounds what Error prints; whoever has more than that will not read on.
const shown = 50

// Error gives a line "file:line:col: what is wrong" per problem, and below it what
// to write instead.
func (e *Errors) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i == shown {
			fmt.Fprintf(&b, "\n… and %d more", len(e.Problems)-shown)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s:%d:%d: %s", e.File, p.Line, p.Col, p.Message)
		if p.Fix != "" {
			fmt.Fprintf(&b, "\n    fix: %s", p.Fix)
		}
	}
	return b.String()
}

// sorted puts problems in the order of the file and drops repetitions.
func (e *Errors) sorted() *Errors {
	slices.SortStableFunc(e.Problems, func(a, b Problem) int {
		return cmp.Or(a.Line-b.Line, a.Col-b.Col)
	})
	e.Problems = slices.Compact(e.Problems)
	return e
}
