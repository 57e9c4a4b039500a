package policy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// TestSimulateLeavesNothingOut: what Simulate leaves out because it concerns no failure
// changes nothing. Random estates and situations give, byte for byte, what the whole
// estate gives when every check of it goes through the machine.
func TestSimulateLeavesNothingOut(t *testing.T) {
	moved, asked := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		e := randomEstate(t)
		im := randomSituation(t, e)
		at := time.Unix(1_700_000_000, 0)
		fast, errFast := Simulate(e, toyKits(), at, im)
		slow, errSlow := simulateSlowly(e, toyKits(), at, im)
		if fmt.Sprint(errFast) != fmt.Sprint(errSlow) {
			t.Fatalf("errors %v and %v", errFast, errSlow)
		}
		a, b := asJSON(t, fast), asJSON(t, slow)
		if a != b {
			t.Fatalf("%+v\ngives\n%s\nand slowly\n%s", im, a, b)
		}
		if slow != nil {
			for _, d := range slow.Decisions {
				switch d.Action {
				case DoFailover:
					moved++
				case DoConfirm:
					asked++
				}
			}
		}
	})
	if moved == 0 || asked == 0 {
		t.Errorf("%d moves and %d questions: the situations are too tame", moved, asked)
	}
}

func asJSON(t *rapid.T, v any) string {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// randomEstate has two clusters over two regions, with some of what estates can have:
// fencing, quorum, flags, jump hosts, paths that a resource carries, tuning by server.
func randomEstate(t *rapid.T) *hierarchy.Estate {
	var b strings.Builder
	yes := func(what string, of int) bool { return rapid.IntRange(1, of).Draw(t, what) == 1 }
	b.WriteString("region east\nregion west\n")
	nodes := rapid.IntRange(2, 6).Draw(t, "nodes")
	names := []string{}
	for i := range nodes {
		n := fmt.Sprintf("N%d", i)
		names = append(names, n)
		line := "server " + n + " " + rapid.SampledFrom([]string{"east", "east", "west"}).Draw(t, "region")
		if i > 0 && yes("jump", 6) {
			line += " jump=N0"
		}
		if yes("beats", 4) {
			line += fmt.Sprintf(" LCMNUMHBEATS=%d LCMHBEATTIME=%d", rapid.IntRange(1, 5).Draw(t, "n"), rapid.IntRange(1, 9).Draw(t, "s"))
		}
		b.WriteString(line + "\n")
	}
	line := "cluster service " + strings.Join(names, " ")
	for _, o := range []struct {
		word string
		of   int
	}{{"fencing=ec2-stop", 4}, {"quorum=tcp_remote witnesses=w1:22,w2:22", 2}, {"quorum=tcp_remote", 8}, {"allow-automatic-crossing", 3}} {
		if yes(o.word, o.of) && !(strings.HasPrefix(o.word, "quorum") && strings.Contains(line, "quorum")) {
			line += " " + o.word
		}
	}
	b.WriteString(line + "\nserver V east")
	if yes("quick", 2) { // so that what it carries is soon thought steady
		b.WriteString(" LCMNUMHBEATS=1 LCMHBEATTIME=1")
	}
	b.WriteString("\nserver W east\ncluster vpn V W\n")
	fmt.Fprintf(&b, "tuning CONFIRMSODEF=%d CONFIRMSOTO=%d\n", rapid.IntRange(0, 1).Draw(t, "def"), rapid.SampledFrom([]int{0, 1, 600}).Draw(t, "to"))
	for range rapid.IntRange(0, 3).Draw(t, "flags") {
		fmt.Fprintf(&b, "flag %s %s %s\n", rapid.SampledFrom(names).Draw(t, "viewer"), rapid.SampledFrom(names).Draw(t, "peer"),
			rapid.SampledFrom([]string{"confirm", "block", "confirm block", "none"}).Draw(t, "flag"))
	}
	carried := yes("via", 3)
	if carried {
		b.WriteString("resource vpn/tun app on V W\n")
		for _, n := range names {
			for _, o := range names {
				if n != o && !yes("own way", 4) {
					fmt.Fprintf(&b, "path %s %s 10.0.0.1 via=vpn/tun\n", n, o)
					fmt.Fprintf(&b, "path %s %s default via=vpn/tun\n", n, o)
				}
			}
		}
	}
	var tags []string
	for i := range rapid.IntRange(1, 10).Draw(t, "resources") {
		tag := fmt.Sprintf("r%d", i)
		line := "resource " + tag + " " + rapid.SampledFrom([]string{"app", "app", "ip", "ec2", "mirror", "tunnel"}).Draw(t, "kit")
		if yes("switchback", 3) {
			line += " switchback"
		}
		var needs []string
		for _, c := range tags {
			if yes("needs", 5) {
				needs = append(needs, c)
			}
		}
		if len(needs) > 0 {
			line += " needs " + strings.Join(needs, ",")
		}
		line += " on"
		some := false
		for k, n := range names {
			if !yes("not here", 6) || k == len(names)-1 && !some {
				line += fmt.Sprintf(" %s=%d", n, rapid.IntRange(1, 20).Draw(t, "priority"))
				some = true
			}
		}
		b.WriteString(line + "\n")
		tags = append(tags, tag)
	}
	e, err := parseEstate(b.String())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// randomSituation is mostly a possible one: what needs something is where that is.
func randomSituation(t *rapid.T, e *hierarchy.Estate) Imagined {
	im := Imagined{Active: map[hierarchy.Tag]string{}, Unrepairable: rapid.Bool().Draw(t, "unrepairable")}
	x := hierarchy.NewIndex(e)
	wild := rapid.IntRange(1, 12).Draw(t, "impossible") == 1
	for _, tags := range x.Hierarchies() {
		home := ""
		for _, p := range x.PlacementsByPriority(tags[len(tags)-1]) {
			if rapid.Bool().Draw(t, "home") {
				home = p.Server
			}
		}
		for _, tag := range tags {
			whole := x.Placement(tag, home) != nil
			for _, c := range x.Descendants(tag) {
				whole = whole && x.Placement(c, home) != nil
			}
			if home != "" && whole && rapid.IntRange(1, 8).Draw(t, "out of service") > 1 {
				im.Active[tag] = home
			}
		}
		if wild && rapid.Bool().Draw(t, "elsewhere") {
			im.Active[tags[0]] = rapid.SampledFrom(e.Servers).Draw(t, "anywhere").Name
		}
	}
	for i := range e.Servers {
		switch n := e.Servers[i].Name; rapid.IntRange(0, 7).Draw(t, "server") {
		case 0, 1:
			im.FailNodes = append(im.FailNodes, n)
		case 2:
			im.FailQuorum = append(im.FailQuorum, n)
		}
	}
	for _, tag := range sorted(im.Active) {
		for _, p := range x.PlacementsByPriority(tag) {
			if toy := toyKits()[x.Resource(tag).Kit]; p.Server != im.Active[tag] && isTunnel(toy) && rapid.IntRange(1, 4).Draw(t, "fails on standby") == 1 {
				im.FailResources = append(im.FailResources, hierarchy.Ref{Tag: tag, Node: p.Server})
			}
		}
		if rapid.IntRange(1, 6).Draw(t, "fails") == 1 {
			im.FailResources = append(im.FailResources, hierarchy.Ref{Tag: tag, Node: im.Active[tag]})
		}
	}
	if wild && rapid.Bool().Draw(t, "nonsense") {
		im.FailNodes = append(im.FailNodes, "N9")
	}
	return im
}

func isTunnel(k kits.Kit) bool {
	_, is := k.(kits.StandbyChecker)
	return is
}
