package datakeeper

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// answer is what a script printed: marks in order, and the lines behind the bars of each.
type answer struct{ marks []mark }

type mark struct {
	word, rest string
	lines      []string
}

// parse reads an answer. One that does not begin and end as it should was cut off, or is none.
func parse(res kits.Result) (answer, error) {
	var a answer
	ended := false
	for line := range strings.SplitSeq(res.Stdout, "\n") {
		switch {
		case ended && line != "":
			return a, errors.New("something follows the end of the answer")
		case strings.HasPrefix(line, "@"):
			word, rest, _ := strings.Cut(line[1:], " ")
			ended = word == "end"
			a.marks = append(a.marks, mark{word: word, rest: rest})
		case strings.HasPrefix(line, "|") && len(a.marks) > 0:
			m := &a.marks[len(a.marks)-1]
			m.lines = append(m.lines, line[1:])
		case line != "":
			return a, fmt.Errorf("%q is not a line of an answer", kits.OneLine(line, 60))
		}
	}
	if res.Truncated || !ended || a.marks[0].word != "begin" {
		return a, errors.New("the answer is not complete")
	}
	return a, nil
}

// get gives the first mark of that word.
func (a answer) get(word string) (mark, bool) {
	for _, m := range a.marks {
		if m.word == word {
			return m, true
		}
	}
	return mark{}, false
}

// fields reads "name k=v k=v": the name, and the values.
func (m mark) fields() (string, map[string]string) {
	out := map[string]string{}
	name := ""
	for i, w := range strings.Fields(m.rest) {
		k, v, ok := strings.Cut(w, "=")
		switch {
		case ok:
			out[k] = v
		case i == 0:
			name = w
		}
	}
	return name, out
}
