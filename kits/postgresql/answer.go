package postgresql

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// answer is what the scripts print before "@out", and what comes after it.
type answer struct {
	marks map[string]string
	list  []mark // all of them, in order: some words come more than once
	out   string
}

type mark struct{ word, value string }

// parse reads an answer. One that does not reach "@out" was cut off.
func parse(res kits.Result) (answer, error) {
	a := answer{marks: map[string]string{}}
	rest := res.Stdout
	for rest != "" {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		if line == "@out" {
			a.out = kits.Clean(strings.TrimSpace(rest), kits.OutputLimit)
			return a, nil
		}
		word, value, _ := strings.Cut(line, " ")
		if strings.HasPrefix(word, "@") {
			value = kits.OneLine(value, 1100)
			a.marks[word[1:]] = value
			a.list = append(a.list, mark{word[1:], value})
		}
	}
	return a, errors.New("the answer is not complete")
}

// row is the query's answer.
type row struct {
	recovery, readOnly bool
	version            string
	up                 time.Duration
	sessions, most     int
	checkpoint         time.Duration
	stalled            int
}

// readRow finds the query's answer in what psql said; warnings may stand before it.
func readRow(out string) (row, bool) {
	for line := range strings.SplitSeq(out, "\n") {
		f := strings.Split(line, "|")
		if len(f) != 9 || f[0] != "ferry" || !isBool(f[1], "t", "f") || !isBool(f[2], "on", "off") || f[3] == "" {
			continue
		}
		r := row{recovery: f[1] == "t", readOnly: f[2] == "on", version: f[3]}
		var n [5]int
		ok := true
		for i := range n {
			var err error
			n[i], err = strconv.Atoi(f[4+i])
			ok = ok && err == nil && n[i] < 1<<31 && n[i] > -1<<31
		}
		if !ok {
			continue
		}
		r.up, r.sessions, r.most = time.Duration(n[0])*time.Second, n[1], n[2]
		r.checkpoint, r.stalled = time.Duration(n[3])*time.Second, n[4]
		return r, true
	}
	return row{}, false
}

func isBool(s, yes, no string) bool { return s == yes || s == no }

// details are a panel's: short, and only what was known anyway.
func (r row) details() map[string]string {
	return map[string]string{
		"version": r.version, "up": r.up.String(), "checkpoint": r.checkpoint.String(),
		"connections": strconv.Itoa(r.sessions) + " / " + strconv.Itoa(r.most),
	}
}

// sqlState finds the code of the error that ended the query. The words around it are in
// the server's language, the code is not.
var sqlState = regexp.MustCompile(`(?m)^[^:\n]{1,40}: +([0-9A-Z]{5}): `)

func state(out string) string {
	if m := sqlState.FindStringSubmatch(out); m != nil {
		return m[1]
	}
	return ""
}

// telling is the line of a log that says most: the last that the server itself calls fatal,
// else the last at all.
func telling(log string) string {
	last := ""
	for line := range strings.SplitSeq(log, "\n") {
		if strings.Contains(line, "FATAL: ") || strings.Contains(line, "PANIC: ") {
			last = line
		}
	}
	if last == "" {
		last = log
	}
	return kits.OneLine(last, 300)
}

// number tells whether a word is a process id.
func number(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n > 0
}
