package datakeeper

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// look is what a pulse tells of a node.
type look struct {
	gen   int
	uuid  string
	disk  bool
	leg   bool
	array *arrayLook // nil: no array runs
	far   map[string]farLook
	final *final // how the array ended here; nil = not in good order, or not at all
	// located is what the last comparison's differences turned out to be, by node; nil = nothing was looked for since.
	located map[string]located
	server  string // port; empty = the leg is not served
}

// arrayLook is the array on the node in service.
type arrayLook struct {
	name, state, action string
	readOnly            bool
	steady              bool  // it ran from the first to the last look
	done, all           int64 // sectors of a resync; 0 = none or not known
	speed               int64 // KiB/s
	mismatches          int64
	sectors             int64
	own                 string // state of the own member
	ownBad              bool
}

// farLook is a connection to another node's leg.
type farLook struct {
	number    int  // -1: none
	pending   bool // its join has not ended
	mode      string
	member    []string // states of the member; empty: the array does not have it
	bad       bool
	path      string
	connected bool
	flights   int
	stalled   time.Duration
}

func (a *arrayLook) healthy() bool {
	return running(a.state) && (!a.readOnly || a.state == "read-auto")
}

// running: a state in which an array has its members and takes writes.
func running(state string) bool {
	switch state {
	case "clean", "active", "active-idle", "write-pending", "read-auto":
		return true
	}
	return false
}

// ownGood: the own disk has everything.
func (a *arrayLook) ownGood() bool {
	s := strings.Split(a.own, ",")
	return slices.Contains(s, "in_sync") && !slices.Contains(s, "faulty") && !a.ownBad
}

func (f farLook) has(word string) bool { return slices.Contains(f.member, word) }

// current: the array has the member, all of it is in sync, and the way there works at this moment.
func (f farLook) current(a *arrayLook) bool {
	return f.has("in_sync") && !f.has("faulty") && !f.has("want_replacement") && !f.bad && f.path == "A" && f.connected && a.action != "resync"
}

// frozen: something waits for this connection, or would.
func (f farLook) frozen() bool { return f.stalled > 0 || f.path != "A" || !f.connected }

// hear reads a pulse.
func hear(p kits.Pulse) (*look, error) {
	if p.Err != nil {
		return nil, p.Err
	}
	a, err := parse(p.Result)
	if err != nil {
		return nil, err
	}
	return newLook(a)
}

func newLook(a answer) (*look, error) {
	l := &look{far: map[string]farLook{}}
	var err error
	still := ""
	for _, m := range a.marks {
		switch m.word {
		case "gen":
			n, v := m.fields()
			l.uuid = v["uuid"]
			l.gen, err = strconv.Atoi(n)
		case "disk":
			l.disk = m.rest == "yes"
		case "leg":
			l.leg = m.rest != "none"
		case "array":
			l.array = newArray(m)
		case "own":
			if l.array == nil {
				return nil, errors.New("a member without an array")
			}
			_, v := m.fields()
			l.array.own, l.array.ownBad = v["state"], v["bad"] != "no"
		case "still":
			still = m.rest
		case "far":
			err = l.addFar(m)
		case "final":
			if f, ferr := newFinal(m); ferr == nil {
				l.final = f // an unreadable one proves nothing
			}
		case "located":
			l.located = newLocated(m.rest)
		case "server":
			l.server = kits.OneLine(m.rest, 8)
		}
		if err != nil {
			return nil, fmt.Errorf("reading %q: %w", kits.OneLine(m.word+" "+m.rest, 80), err)
		}
	}
	if l.array != nil {
		l.array.steady = l.array.healthy() && running(still)
	}
	for _, w := range []string{"up", "gen", "disk", "leg"} {
		if _, ok := a.get(w); !ok {
			return nil, fmt.Errorf("the answer lacks %q", w)
		}
	}
	return l, nil
}

func newArray(m mark) *arrayLook {
	name, v := m.fields()
	a := &arrayLook{
		name: kits.OneLine(name, 20), state: v["array_state"], action: v["sync_action"], readOnly: v["ro"] != "0",
		speed: number(v["sync_speed"]), mismatches: number(v["mismatch_cnt"]),
		sectors: number(v["size"]),
	}
	done, all, ok := strings.Cut(v["sync_completed"], "/")
	if ok {
		a.done, a.all = number(done), number(all)
	}
	return a
}

func (l *look) addFar(m mark) error {
	name, v := m.fields()
	if name == "" {
		return errors.New("a connection without a node")
	}
	f := farLook{
		mode: v["mode"], bad: v["bad"] != "no", path: v["path"], connected: v["connected"] == "yes",
		number: -1, pending: v["number"] == "pending", flights: int(number(v["flights"])),
	}
	if n, err := strconv.Atoi(v["number"]); err == nil {
		f.number = n
	}
	stalled, err := strconv.ParseInt(v["stalled"], 10, 64)
	if err != nil || stalled < 0 || stalled > 1<<40 {
		return fmt.Errorf("stalled %q is no time", kits.OneLine(v["stalled"], 20))
	}
	f.stalled = time.Duration(stalled) * 10 * time.Millisecond
	if s := v["state"]; s != "none" && s != "" {
		f.member = strings.Split(s, ",")
	}
	l.far[name] = f
	return nil
}

// number is a count in an answer; 0 where it is none.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
