package chaos

import (
	"bufio"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// Event is one thing that happens.
type Event struct {
	At   time.Duration // since the service was brought up
	Do   string        // a key of deeds (act.go)
	Args []string
}

// Scenario is one run.
type Scenario struct {
	Seed   uint64 // 0 when it was written by hand
	Shape  Shape
	Events []Event
	Quiet  time.Duration // how long all is well at the end
}

// String is the scenario as a file that Parse reads.
func (sc Scenario) String() string {
	var b strings.Builder
	line := func(f string, a ...any) { fmt.Fprintf(&b, f+"\n", a...) }
	if sc.Seed != 0 {
		line("seed %d", sc.Seed)
	}
	s := sc.Shape
	line("regions %s", strings.Join(s.Regions, " "))
	for _, n := range s.Nodes {
		line("node %s %s%s", n.Name, n.Region, word(n.Switch, " switch"))
	}
	if s.Jump {
		line("jump")
	}
	if s.VPN {
		line("vpn")
	}
	line("quorum %s", s.Quorum)
	for _, k := range slices.Sorted(maps.Keys(s.Tuning)) {
		line("tuning %s %s", k, s.Tuning[k])
	}
	for _, f := range s.Flags {
		line("flag %s %s%s%s", f.Viewer, f.Peer, word(f.Confirm, " confirm"), word(f.Block, " block"))
	}
	for _, r := range s.Resources {
		needs := ""
		if len(r.Needs) > 0 {
			needs = " needs " + strings.Join(r.Needs, ",")
		}
		line("resource %s %s%s on %s%s", r.Name, r.Kit, needs, strings.Join(r.On, ","), word(r.Automatic, " automatic"))
	}
	for _, e := range sc.Events {
		line("%s", e)
	}
	line("quiet %s", sc.Quiet)
	return b.String()
}

// String is the event's line in a file.
func (e Event) String() string {
	return strings.TrimSpace(fmt.Sprintf("at %s %s %s", e.At, e.Do, strings.Join(e.Args, " ")))
}

func word(yes bool, w string) string {
	if yes {
		return w
	}
	return ""
}

// Parse reads a scenario; lines that begin with # are comments.
func Parse(text string) (Scenario, error) {
	sc := Scenario{Shape: Shape{Tuning: map[string]string{}}}
	in := bufio.NewScanner(strings.NewReader(text))
	for n := 1; in.Scan(); n++ {
		f := strings.Fields(in.Text())
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		if err := sc.parse(f); err != nil {
			return sc, fmt.Errorf("line %d, %q: %w", n, in.Text(), err)
		}
	}
	if ps := hierarchy.Validate(sc.Shape.Estate(), registry(nil)); len(ps) > 0 {
		return sc, fmt.Errorf("the estate is not valid: %s", ps[0])
	}
	return sc, in.Err()
}

// fewest is how many words a line has at least, by its first one.
var fewest = map[string]int{"seed": 2, "regions": 2, "node": 3, "jump": 1, "vpn": 1, "quorum": 2, "tuning": 3, "flag": 4, "resource": 5, "at": 3, "quiet": 2}

func (sc *Scenario) parse(f []string) (err error) {
	if least, known := fewest[f[0]]; !known || len(f) < least {
		return fmt.Errorf("not a line of a scenario")
	}
	s := &sc.Shape
	switch f[0] {
	case "seed":
		sc.Seed, err = strconv.ParseUint(f[1], 10, 64)
	case "regions":
		s.Regions = f[1:]
	case "node":
		s.Nodes = append(s.Nodes, Node{f[1], f[2], slices.Contains(f[3:], "switch")})
	case "jump":
		s.Jump = true
	case "vpn":
		s.VPN = true
	case "quorum":
		s.Quorum = f[1]
	case "tuning":
		s.Tuning[f[1]] = f[2]
	case "flag":
		s.Flags = append(s.Flags, hierarchy.Flag{Viewer: f[1], Peer: f[2], Confirm: slices.Contains(f[3:], "confirm"), Block: slices.Contains(f[3:], "block")})
	case "resource":
		s.Resources = append(s.Resources, parseResource(f[1:]))
	case "quiet":
		sc.Quiet, err = time.ParseDuration(f[1])
	case "at":
		e := Event{Do: f[2], Args: f[3:]}
		e.At, err = time.ParseDuration(f[1])
		if _, known := deeds[e.Do]; err == nil && !known {
			err = fmt.Errorf("nobody can %s", e.Do)
		}
		sc.Events = append(sc.Events, e)
	}
	return err
}

// parseResource reads: NAME KIT [needs A,B] on N1,N2 [automatic].
func parseResource(f []string) Resource {
	r := Resource{Name: f[0], Kit: f[1]}
	for i, w := range f {
		switch {
		case w == "needs" && i+1 < len(f):
			r.Needs = strings.Split(f[i+1], ",")
		case w == "on" && i+1 < len(f):
			r.On = strings.Split(f[i+1], ",")
		case w == "automatic":
			r.Automatic = true
		}
	}
	return r
}
