package openswan

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// answer is what a script printed: marks with their lines, in order.
type answer struct{ marks []mark }

type mark struct {
	word, rest string
	lines      []string
}

// parseAnswer reads "@word rest" and, behind it, quoted lines. One that does not reach "@end" was cut off.
func parseAnswer(res kits.Result) (answer, error) {
	var a answer
	ended := false
	for line := range strings.SplitSeq(res.Stdout, "\n") {
		line = strings.TrimSuffix(line, "\r")
		switch {
		case ended && line != "":
			return a, errors.New("something follows the end of the answer")
		case strings.HasPrefix(line, "@"):
			word, rest, _ := strings.Cut(line[1:], " ")
			ended = word == "end"
			a.marks = append(a.marks, mark{word: word, rest: rest})
		case strings.HasPrefix(line, "|") && len(a.marks) > 0:
			m := &a.marks[len(a.marks)-1]
			m.lines = append(m.lines, strings.TrimSuffix(line[1:], "\r"))
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

// code is the number behind a mark; -1 when there is none.
func (a answer) code(word string) int {
	m, _ := a.get(word)
	n, err := strconv.Atoi(m.rest)
	if err != nil {
		return -1
	}
	return n
}

// daemonState is what is known of the daemon.
type daemonState int

const (
	daemonUnknown daemonState = iota
	daemonRuns
	daemonDead
	daemonHung
	daemonSilent // no answer, and the node had no time for anything else either
)

// daemon judges whether the daemon runs, from what it said and what the kernel shows.
func (a answer) daemon() daemonState {
	m, _ := a.get("status")
	if answersLike(m.lines) {
		if a.code("statusend") == 0 {
			return daemonRuns
		}
		return daemonUnknown // cut off in its midst
	}
	process, ok := a.get("pluto")
	if !ok {
		return daemonUnknown
	}
	silent := a.code("statusend") == 124 || a.code("statusend") == 137
	switch {
	case process.rest == "none" || process.rest == "Z" || process.rest == "X":
		return daemonDead
	case process.rest == "T" || process.rest == "t":
		return daemonHung
	case silent && a.code("control") == 0:
		return daemonHung
	case silent:
		return daemonSilent
	case notRunning(m.lines):
		return daemonDead // the process is still starting or already ending: nobody answers its socket
	}
	return daemonUnknown
}

// notRunning knows the words in which the tool says that there is no daemon, and takes
// saying nothing at all for the same.
func notRunning(lines []string) bool {
	text := strings.Join(lines, "\n")
	return strings.TrimSpace(text) == "" || strings.Contains(text, "Pluto is not running") || strings.Contains(text, "luto is not running") ||
		strings.Contains(text, "is Pluto running?") && strings.Contains(text, "failed")
}

// ping is one answered or unanswered question.
type ping struct {
	asked    bool
	from, to string
	answered bool
	// silent: pings went out and none was answered, or none could go out at all; said is the tool's own word for it.
	silent bool
	said   string
	took   time.Duration // 0 = not known
}

// ping reads how a ping went. Neither answered nor silent means that the output cannot be read.
func (a answer) ping(name string) ping {
	var p ping
	for i, m := range a.marks {
		args := strings.Fields(m.rest)
		if m.word != "ping" || len(args) < 2 || args[0] != name {
			continue
		}
		p.asked, p.to = true, args[len(args)-1]
		if len(args) == 4 && args[1] == "-I" {
			p.from = args[2]
		}
		if i+1 < len(a.marks) && a.marks[i+1].word == "pingend" {
			p.read(m.lines)
		}
		return p
	}
	return p
}

// noWay are words of ping for a packet that could not be sent: as good as no answer.
var noWay = []string{
	"annot assign requested address", "can't bind", "etwork is unreachable", "o route to host", "peration not permitted",
	"can't set multicast source interface", // busybox, of a source address that is not there
}

func (p *ping) read(lines []string) {
	for _, l := range lines {
		if took, ok := reply(l, p.to); ok {
			p.answered, p.took = true, took
			return
		}
		if strings.Contains(l, "packet loss") && strings.Contains(l, "transmitted, 0 ") {
			p.silent = true
		}
		for _, w := range noWay {
			if strings.Contains(l, w) && !strings.Contains(l, "socket:") { // no right to ping at all says nothing
				p.silent, p.said = true, kits.OneLine(l, 120)
			}
		}
	}
}

// reply reads "64 bytes from 172.16.0.5: icmp_seq=1 ttl=64 time=80.2 ms", from that address only.
func reply(line, from string) (time.Duration, bool) {
	_, rest, ok := strings.Cut(line, " bytes from ")
	addr, rest, colon := strings.Cut(rest, ":")
	a, err := netip.ParseAddr(addr)
	want, werr := netip.ParseAddr(from)
	if !ok || !colon || err != nil || werr != nil || a != want || !strings.Contains(rest, "seq=") {
		return 0, false
	}
	_, text, _ := strings.Cut(rest, "time=")
	text, _, _ = strings.Cut(text, " ms")
	ms, err := strconv.ParseFloat(text, 64)
	if err != nil || ms < 0 || ms > 1e6 {
		return 0, true
	}
	return time.Duration(ms * float64(time.Millisecond)), true
}

// addresses reads the node's own addresses out of "ip -o -4 addr show".
func addresses(lines []string) []netip.Addr {
	var out []netip.Addr
	for _, l := range lines {
		f := strings.Fields(l)
		if len(f) < 4 || f[2] != "inet" {
			continue
		}
		text, _, _ := strings.Cut(f[3], "/")
		if a, err := netip.ParseAddr(text); err == nil && !a.IsLoopback() {
			out = append(out, a)
		}
	}
	return out
}
