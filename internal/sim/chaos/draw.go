package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// Size bounds what Draw makes.
type Size struct {
	Nodes, Hierarchies, Events int
	Time                       time.Duration // over which the events fall
	Quiet                      time.Duration
}

// Long is an hour with up to a hundred events, for runs overnight; Short is what fits
// into a test run a few thousand times.
func Long() Size {
	return Size{Nodes: 6, Hierarchies: 4, Events: 100, Time: time.Hour, Quiet: 20 * time.Minute}
}

// Short keeps Long's kinds of trouble with less of each.
func Short() Size {
	return Size{Nodes: 4, Hierarchies: 2, Events: 24, Time: 8 * time.Minute, Quiet: 6 * time.Minute}
}

// Draw makes the scenario of a seed: always the same.
func Draw(seed uint64, size Size) Scenario {
	d := drawing{rand.New(rand.NewPCG(seed, 0x666572727921))}
	sc := Scenario{Seed: seed, Shape: d.shape(size), Quiet: size.Quiet}
	sc.Events = d.events(sc.Shape, size)
	drawVPN(&sc, size)
	return sc
}

type drawing struct{ *rand.Rand }

func (d drawing) one(of ...string) string { return of[d.IntN(len(of))] }

func (d drawing) chance(percent int) bool { return d.IntN(100) < percent }

func (d drawing) between(a, b time.Duration) time.Duration {
	return a + time.Duration(d.Int64N(int64(b-a)+1)).Round(100*time.Millisecond)
}

func (d drawing) shape(size Size) Shape {
	s := Shape{
		Regions: []string{"r1", "r2", "r3"}[:1+d.IntN(3)],
		Jump:    d.chance(15),
		Quorum:  d.one(hierarchy.NoQuorum, hierarchy.NoQuorum, hierarchy.Majority, hierarchy.TCPRemote),
		Tuning: map[string]string{
			"LCMHBEATTIME": d.one("5", "10"), "LKCHECKINTERVAL": d.one("30", "60"), "NOBCASTPING": "1", "CONFIRMSODEF": "1", "CONFIRMSOTO": d.one("60", "300"),
		},
	}
	for i := range max(2, len(s.Regions), 2+d.IntN(size.Nodes-1)) {
		s.Nodes = append(s.Nodes, Node{fmt.Sprintf("n%d", i+1), s.Regions[i%len(s.Regions)], d.chance(40)})
	}
	slices.SortStableFunc(s.Nodes, func(a, b Node) int { return s.region(a.Region) - s.region(b.Region) })
	if d.chance(15) {
		d.flag(&s)
	}
	for range 1 + d.IntN(size.Hierarchies) {
		d.hierarchy(&s)
	}
	return s
}

// flag sets one flag between two nodes of a region.
func (d drawing) flag(s *Shape) {
	a, b := d.node(*s), d.node(*s)
	if a != b && s.regionOf(a) == s.regionOf(b) {
		f := hierarchy.Flag{Viewer: a, Peer: b, Confirm: d.chance(60)}
		f.Block = !f.Confirm
		s.Flags = append(s.Flags, f)
	}
}

// hierarchy adds one: perhaps an address, perhaps its routes, and applications on top
// of some of what is there.
func (d drawing) hierarchy(s *Shape) {
	on := d.nodes(*s)
	var mine []string
	add := func(kit string, needs ...string) {
		name := fmt.Sprintf("%s%d", strings.ReplaceAll(kit, "route53", "name"), len(s.Resources)+1)
		s.Resources = append(s.Resources, Resource{Name: name, Kit: kit, Needs: needs, On: on})
		mine = append(mine, name)
	}
	if d.chance(60) {
		add("ip")
		if d.chance(45) {
			add("ec2", mine[0])
		}
		if d.chance(40) {
			add("route53", mine[len(mine)-1])
		}
	}
	apps := 1 + d.IntN(2)
	if len(mine) > 0 {
		apps = d.IntN(3)
	}
	for range apps {
		var needs []string
		if len(mine) > 0 {
			needs = append(needs, mine[len(mine)-1])
			if other := mine[d.IntN(len(mine))]; d.chance(40) {
				needs[0] = other
			}
			if other := mine[d.IntN(len(mine))]; d.chance(25) && other != needs[0] {
				needs = append(needs, other)
			}
		}
		add("app", needs...)
	}
	if d.chance(20) {
		for i := range s.Resources {
			if slices.Contains(mine, s.Resources[i].Name) {
				s.Resources[i].Automatic = true
			}
		}
	}
}

// nodes is a random order of at least two of the nodes; mostly those of a region stand together.
func (d drawing) nodes(s Shape) []string {
	var all []string
	for _, n := range s.Nodes {
		all = append(all, n.Name)
	}
	if d.chance(50) {
		d.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
	return all[:2+d.IntN(len(all)-1)]
}

func (d drawing) node(s Shape) string       { return s.Nodes[d.IntN(len(s.Nodes))].Name }
func (d drawing) resource(s Shape) Resource { return s.Resources[d.IntN(len(s.Resources))] }
func (d drawing) seconds(a, b int) string   { return strconv.Itoa(a+d.IntN(b-a+1)) + "s" }

// script draws which of an application's scripts goes wrong and how; nothing for other kits.
func (d drawing) script(r Resource, n string) []string {
	if r.Kit != "app" {
		return nil
	}
	what := d.one("start", "stop", "check", "start", "check")
	how := d.one("fails", "hangs", "slow", "unknown")
	return []string{n, r.Name, what, how}
}

// events draws a schedule. Most faults end again by themselves after a while, some
// only when everything is healed.
func (d drawing) events(s Shape, size Size) []Event {
	var out []Event
	for range size.Events/3 + d.IntN(size.Events*2/3) {
		at := d.between(0, size.Time)
		begin, end := d.event(s)
		if begin == nil {
			continue
		}
		out = append(out, Event{At: at, Do: begin[0], Args: begin[1:]})
		if end != nil && d.chance(85) {
			after := d.between(time.Second, 20*time.Second)
			if d.chance(60) {
				after = d.between(20*time.Second, 4*time.Minute)
			}
			if at+after < size.Time {
				out = append(out, Event{At: at + after, Do: end[0], Args: end[1:]})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Event) int { return int(a.At - b.At) })
	return out
}

// event draws one event and what ends it.
func (d drawing) event(s Shape) (begin, end []string) {
	n, m, r := d.node(s), d.node(s), d.resource(s)
	on := d.one(r.On...)
	switch d.IntN(40) {
	case 0, 1, 2:
		return []string{"power-off", n}, []string{"power-on", n}
	case 3:
		return []string{"reboot", n}, nil
	case 4:
		return []string{"hang", n}, []string{"resume", n}
	case 5, 6:
		if n == m {
			return nil, nil
		}
		return []string{"cut", n, m}, []string{"join", n, m}
	case 7:
		return []string{"isolate", n}, []string{"rejoin", n}
	case 8, 9:
		return []string{"cut", "engine", n}, []string{"join", "engine", n}
	case 10:
		if len(s.Regions) < 2 {
			return []string{"isolate", "engine"}, []string{"rejoin", "engine"}
		}
		return []string{"cut-regions", s.Regions[0], s.Regions[1+d.IntN(len(s.Regions)-1)]}, []string{"join-regions"}
	case 11, 12, 13:
		return []string{"kill", on, r.Name}, nil
	case 14:
		return []string{"break", on, r.Name}, []string{"mend", on, r.Name}
	case 15, 16, 17:
		if f := d.script(r, on); f != nil {
			return append([]string{"script"}, f...), []string{"mend", on, r.Name}
		}
		return []string{"kill", on, r.Name}, nil
	case 18:
		return []string{"disk-full", n}, []string{"disk-free", n}
	case 19, 20:
		return []string{"ec2", d.one("throttle", "error", "hang", "empty", "stale", "drop", "unreachable"), d.one("*", "Describe*", "ReplaceRoute", "DescribeInstances")}, []string{"ec2-well"}
	case 21:
		return []string{"ec2-lag", d.one("0s", "30s", "5m")}, nil
	case 22, 23:
		return []string{"kill-engine", d.seconds(1, 60)}, nil
	case 24, 25:
		return []string{"kill-engine-at", strconv.Itoa(1 + d.IntN(25)), d.one("before", "after"), d.seconds(1, 40)}, nil
	case 26:
		return []string{"stall", d.seconds(1, 90)}, nil
	case 27:
		return []string{"depose", d.seconds(1, 60)}, nil
	case 28:
		return []string{"store-full"}, []string{"store-free"}
	case 29:
		return []string{"by-hand", on, r.Name}, nil
	case 30, 31:
		return []string{"shutdown", n}, []string{"power-on", n}
	case 32, 33, 34:
		what := d.one("throttle", "down", "hang", "hang-after", "drop", "stuck", "lost", "stale", "unreachable")
		return []string{"r53", what, d.one("*", "List*", "ChangeResourceRecordSets", "GetChange")}, []string{"r53-well"}
	case 35:
		return []string{"r53-lag", d.one("0s", "50s", "3m")}, nil
	case 36, 37:
		return []string{"submit", d.one("in-service", "in-service", "in-service", "out-of-service", "recover", "nonsense"), r.Name, d.one(on, n, "-"), d.one("confirm", "confirm", "plain")}, nil
	default:
		return []string{"answer", d.one("yes", "no", "off", "off", "maybe"), d.one("anna", "bert"), d.one("newest", "newest", "oldest")}, nil
	}
}
