package doctor

import (
	_ "embed"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

//go:embed sh/probe.sh
var probeSh string

// probeDeadline bounds the script on the node. It reads small files; checksums of an
// Oracle binary (400 MB) from a cold disk take some seconds.
const probeDeadline = 45 * time.Second

// ProbeName is the script's name.
const ProbeName = "doctor/probe"

// Question is one thing to ask of a node: a verb of the script, and what it is about.
type Question struct{ Verb, About string }

// The two looks at the clock frame all other questions, so that the time they take
// can be told from the clock's own error.
var clockBefore, clockAfter = Question{"now", "before"}, Question{"now", "after"}

// Script asks them. It changes nothing.
func Script(questions []Question) kits.Script {
	s := kits.Script{Name: ProbeName, Body: probeSh, Deadline: probeDeadline}
	for _, q := range questions {
		s.Args = append(s.Args, q.Verb, q.About)
	}
	return s
}

// Facts are what one node said.
type Facts struct {
	// Err: the node was not asked, or nothing of its answer is known.
	Err error
	// Denied: it answers, but does not let ferry in or act as root; Err says why.
	Denied bool
	// Sent and Received frame the round trip, by the engine's clock.
	Sent, Received time.Time
	answers        map[Question][]string
}

// maxLines bounds what is kept of one answer.
const maxLines = 600

// Read makes facts of what the script printed. An answer that was cut off is no answer.
func Read(questions []Question, res kits.Result, sent, received time.Time) Facts {
	f := Facts{Sent: sent, Received: received, answers: map[Question][]string{}}
	for line := range strings.Lines(res.Stdout) {
		number, rest, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(line, "@"), "\n"), " ")
		i, err := strconv.Atoi(number)
		if !strings.HasPrefix(line, "@") || err != nil || i < 0 || i >= len(questions) {
			continue
		}
		if q := questions[i]; len(f.answers[q]) < maxLines {
			f.answers[q] = append(f.answers[q], rest)
		}
	}
	if res.Truncated || res.Exit != 0 || !strings.Contains(res.Stdout, "@end\n") {
		f.Err = unread{res.Exit, kits.OneLine(res.Stdout+res.Stderr, 160)}
	}
	return f
}

// unread is the error of an answer that cannot be read.
type unread struct {
	exit int
	said string
}

func (u unread) Error() string {
	if u.said == "" {
		return "its shell ended with " + strconv.Itoa(u.exit) + " and answered nothing"
	}
	return "its answer is not whole and says nothing for sure: " + u.said
}

// said is the first line of an answer; false where there is none.
func (f *Facts) said(verb, about string) (string, bool) {
	all := f.answers[Question{verb, about}]
	if len(all) == 0 || strings.TrimSpace(all[0]) == "" {
		return "", false
	}
	return kits.OneLine(all[0], 300), true
}

// told are the further lines of an answer.
func (f *Facts) told(verb, about string) []string {
	var out []string
	for _, l := range f.answers[Question{verb, about}] {
		if rest, ok := strings.CutPrefix(l, "="); ok {
			out = append(out, rest)
		}
	}
	return out
}

// offset says between which bounds the node's clock is ahead of the engine's; false where that is not known. The
// first look cannot have been before the question was sent, nor the second after the answer came.
func (f *Facts) offset() (low, high time.Duration, ok bool) {
	a, okA := f.clock(clockBefore)
	b, okB := f.clock(clockAfter)
	if !okA || !okB {
		return 0, 0, false
	}
	grain := time.Duration(0)
	if !a.exact || !b.exact {
		grain = time.Second
	}
	return b.at.Sub(f.Received), a.at.Sub(f.Sent) + grain, true
}

type reading struct {
	at    time.Time
	exact bool
}

func (f *Facts) clock(q Question) (reading, bool) {
	text, ok := f.said(q.Verb, q.About)
	whole, frac, _ := strings.Cut(text, ".")
	sec, err := strconv.ParseInt(whole, 10, 64)
	if !ok || err != nil {
		return reading{}, false
	}
	nano, err := strconv.ParseInt(frac, 10, 64)
	if err != nil || len(frac) != 9 {
		return reading{time.Unix(sec, 0), false}, true
	}
	return reading{time.Unix(sec, nano), true}, true
}
