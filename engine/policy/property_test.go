package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// TestInvariantsUnderRandomFaults lets random faults, commands and answers happen to
// the toy estates and asserts the invariants of DESIGN 3 after every second. A
// failing run prints its seed and its story.
func TestInvariantsUnderRandomFaults(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"cross-region", "one-region", "two-nodes", "shared-child", "several", "mirror", "fenced", "witnessed", "tunnel", "vpn"}).Draw(t, "estate")
		text, _ := namedEstate(name)
		e, err := parseEstate(text)
		if err != nil {
			t.Fatal(err)
		}
		e.Tuning["LKCHECKINTERVAL"] = "30"
		s := &scenario{y: newToy(e)}
		if err := s.command("active", []string{s.y.names[0]}, nil, ""); err != nil {
			t.Fatal(err)
		}
		if name == "tunnel" {
			s.y.runs[s.ref("V", "vpn/tun")] = true
		}
		s.y.tick(20 * time.Second)
		var story strings.Builder
		for i := range rapid.IntRange(5, 40).Draw(t, "events") {
			s.randomEvent(t, i, &story)
			s.y.tick(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second)
			s.y.assertStored()
			if len(s.y.broke) > 0 {
				t.Fatalf("%s\n%s\nbroken: %s", name, story.String(), strings.Join(s.y.broke, "\n"))
			}
		}
		s.settles(t, name, &story)
	})
}

// randomEvent does one thing to the estate.
func (s *scenario) randomEvent(t *rapid.T, i int, story *strings.Builder) {
	y := s.y
	node := rapid.SampledFrom(y.names).Draw(t, "node")
	other := rapid.SampledFrom(y.names).Draw(t, "other")
	res := rapid.SampledFrom(y.w.Estate.Res).Draw(t, "tag").Tag
	tag := string(res)
	var cmd string
	var args []string
	opts := map[string]string{"by": "anna"}
	switch rapid.IntRange(0, 26).Draw(t, "kind") {
	case 0, 1:
		cmd, args = "off", []string{node}
	case 2, 3:
		cmd, args = "on", []string{node}
		if boot := y.nodes[node].offSince.Add(10 * time.Second); !y.nodes[node].up && y.now.Before(boot) {
			y.tick(boot.Sub(y.now)) // no machine boots faster than that
		}
		if y.nodes[node].up {
			cmd = "unhang"
		}
	case 4:
		if !y.nodes[node].up {
			return
		}
		cmd, args = "hang", []string{node}
	case 5:
		cmd, args = "unhang", []string{node}
	case 6, 7:
		if node == other {
			return
		}
		cmd, args = "cut", []string{node, other}
	case 8:
		if node == other {
			return
		}
		cmd, args = "join", []string{node, other}
	case 9:
		cmd, args = "cut-engine", []string{node}
	case 10:
		cmd = "join-engine"
	case 11:
		cmd, args = "fail", []string{node, tag}
	case 12:
		cmd, args = "break-start", []string{node, tag}
	case 13:
		cmd, args = "mend", []string{node, tag}
	case 14:
		cmd, args = "check", []string{node, tag, rapid.SampledFrom([]string{"ok", "unknown", "impaired"}).Draw(t, "check")}
	case 15:
		cmd, args = "eligible", []string{node, tag, rapid.SampledFrom([]string{"yes", "no", "unknown"}).Draw(t, "veto")}
	case 16:
		cmd, args = "stop", []string{node, tag, rapid.SampledFrom([]string{"ok", "failed", "unknown"}).Draw(t, "stop")}
	case 17:
		goal := rapid.SampledFrom([]string{"in-service", "out-of-service", "recover"}).Draw(t, "goal")
		cmd, args = "command", []string{goal, tag}
		if goal == "in-service" {
			args = append(args, node)
			opts["region"] = y.w.x.RegionOf(node)
		}
		opts["id"] = fmt.Sprintf("c%d", i)
	case 18, 19:
		cmd, args = "answer", []string{rapid.SampledFrom([]string{"yes", "no", "off"}).Draw(t, "answer")}
		if q := s.newest(); q == nil || args[0] == "off" && !s.reallyOff(q.From) {
			return // a person who says that it is off does not lie
		}
	case 20:
		cmd, args = "restart", nil
		if rapid.Bool().Draw(t, "at a step") {
			cmd = "kill-at"
			args = []string{rapid.SampledFrom([]string{"stop", "start", "claim", "eligible", "recover"}).Draw(t, "step"),
				rapid.SampledFrom([]string{"before", "middle", "after"}).Draw(t, "when")}
		}
	case 21:
		cmd, args = "jump", []string{"2h"}
	case 22:
		cmd, args = "quorum", []string{node, rapid.SampledFrom([]string{"ok", "failed", "unknown", "silent", "truth"}).Draw(t, "quorum")}
	case 23: // an answer that nobody asked for, or that comes twice
		y.input(QuorumSaid{Node: node, Outcome: rapid.SampledFrom([]kits.Outcome{kits.OK, kits.Failed, kits.Unknown}).Draw(t, "said")})
		return
	case 24:
		scope := rapid.SampledFrom([]string{"estate", "service", node, tag, "nonsense"}).Draw(t, "scope")
		cmd, args = "hold", []string{scope, rapid.SampledFrom([]string{"5m", "1m", "20m", "release", "-1m"}).Draw(t, "hold")}
	case 25:
		cmd, args = "fence", []string{node, rapid.SampledFrom([]string{"ok", "failed", "unknown"}).Draw(t, "fence")}
	case 26:
		cmd, args = "claims", []string{node, rapid.SampledFrom([]string{"refused", "written"}).Draw(t, "claims")}
	}
	fmt.Fprintf(story, "%s %s %v\n", y.clock(), cmd, args)
	if err := s.command(cmd, args, opts, ""); err != nil {
		t.Fatal(err)
	}
}

func (s *scenario) newest() *Question {
	var q *Question
	for _, id := range sorted(s.y.w.Questions) {
		q = s.y.w.Questions[id]
	}
	return q
}

// reallyOff makes the node off, as the person who says so has done.
func (s *scenario) reallyOff(node string) bool {
	if s.y.w.alive(node) {
		return true // the machine refuses it
	}
	s.y.powerOff(node)
	return true
}

// settles: when everything is repaired and people do nothing, no operation is left
// running and every claimed resource whose claim is not held ends in service on its
// claim's node, and nowhere else.
func (s *scenario) settles(t *rapid.T, name string, story *strings.Builder) {
	y := s.y
	y.killAt = ""
	for _, n := range y.names {
		tn := y.nodes[n]
		if !tn.up {
			y.powerOn(n)
		}
		tn.hung, tn.cutEngine, tn.cut, tn.ec2, tn.quorum = false, false, map[string]bool{}, "", ""
	}
	clear(y.fences)
	clear(y.nopen)
	clear(y.broken)
	clear(y.check)
	clear(y.stops)
	clear(y.veto)
	y.tick(2 * time.Hour)
	fail := func(format string, a ...any) {
		s.showState()
		t.Fatalf("%s\n%s\n%s\n%s", name, story.String(), fmt.Sprintf(format, a...), tail(y.log.String(), 6000))
	}
	if len(y.broke) > 0 {
		fail("broken: %s", strings.Join(y.broke, "\n"))
	}
	if len(y.ops) > 0 {
		fail("%s still runs", y.ops[0].op.ID)
	}
	for _, r := range y.w.Estate.Res {
		at := y.w.Active(r.Tag)
		for _, p := range r.On {
			ref := hierarchy.Ref{Tag: r.Tag, Node: p.Server}
			held := y.w.Instances[ref].Held != nil
			switch {
			case p.Server == at && !y.runs[ref] && !held && !s.stuck(r.Tag):
				fail("%s does not run on %s, which holds it", r.Tag, at)
			case at != "" && p.Server != at && y.runs[ref] && !y.leaves(r.Tag):
				fail("%s runs on %s, but %s holds it", r.Tag, p.Server, at)
			}
		}
	}
}

// stuck tells that the hierarchy waits for a person.
func (s *scenario) stuck(t hierarchy.Tag) bool {
	w := s.y.w
	l := w.Losses[w.comps[w.x.HierarchyID(t)][0]]
	return l != nil && l.Stuck != nil
}

func tail(s string, n int) string {
	if len(s) > n {
		return s[len(s)-n:]
	}
	return s
}
