package plan

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// view is a fixed state of the world: everything active on one node works there.
type view struct {
	at   map[hierarchy.Tag]string
	high uint64
}

func (v view) Active(t hierarchy.Tag) string        { return v.at[t] }
func (v view) Works(t hierarchy.Tag, n string) bool { return v.at[t] == n }
func (v view) WasUp(t hierarchy.Tag, n string) bool { return v.at[t] == n }
func (v view) Seen(hierarchy.Tag, string) bool      { return false }
func (v view) HighestClaim(hierarchy.Tag) uint64    { return v.high }

// two applications over one address, on A and B.
func index() *hierarchy.Index {
	on := []hierarchy.Placement{{Server: "A", Priority: 1}, {Server: "B", Priority: 2}}
	e := &hierarchy.Estate{
		Regions: []hierarchy.Region{{Name: "east"}, {Name: "west"}},
		Servers: []hierarchy.Server{{Name: "A", Region: "east"}, {Name: "B", Region: "west"}, {Name: "C", Region: "west"}},
		Cluster: []hierarchy.Cluster{{Name: "s", Servers: []string{"A", "B", "C"}}},
		Res: []hierarchy.Resource{
			{Tag: "s/ip", Kit: "ip", Cluster: "s", On: on},
			{Tag: "s/web", Kit: "app", Cluster: "s", Children: []hierarchy.Tag{"s/ip"}, On: on},
			{Tag: "s/mail", Kit: "app", Cluster: "s", Children: []hierarchy.Tag{"s/ip"}, On: on},
		},
	}
	return hierarchy.NewIndex(e)
}

func onA(tags ...hierarchy.Tag) view {
	v := view{at: map[hierarchy.Tag]string{}, high: 7}
	for _, t := range tags {
		v.at[t] = "A"
	}
	return v
}

func steps(p Plan) string {
	var all []string
	for _, s := range p.Steps {
		all = append(all, string(s.Kind)+" "+s.Tag.Short()+"@"+s.Node)
	}
	return strings.Join(all, ", ")
}

func TestMake(t *testing.T) {
	for _, c := range []struct {
		name string
		v    view
		g    Goal
		want string
		code string
	}{
		{"first in service", onA(), Goal{Kind: GoalInService, Tag: "s/web", Node: "B"},
			"eligible ip@B, eligible web@B, claim @B, start ip@B, start web@B, check ip@B, check web@B", ""},
		{"a parent of what moves comes along", onA("s/ip", "s/web"), Goal{Kind: GoalInService, Tag: "s/ip", From: "A", Node: "B"},
			"eligible ip@B, eligible web@B, stop web@A, stop ip@A, claim @B, start ip@B, start web@B, check ip@B, check web@B", ""},
		{"gone is not asked", onA("s/ip", "s/web"), Goal{Kind: GoalFailover, Tag: "s/web", From: "A", Node: "B", FromGone: true},
			"eligible ip@B, eligible web@B, claim @B, start ip@B, start web@B, check ip@B, check web@B", ""},
		{"joins its child", onA("s/ip"), Goal{Kind: GoalInService, Tag: "s/mail", Node: "A"},
			"eligible mail@A, claim @A, start mail@A, check mail@A", ""},
		{"what stands on it is stopped, not taken", onA("s/ip", "s/web"), Goal{Kind: GoalInService, Tag: "s/ip", Tags: []hierarchy.Tag{"s/ip"}, From: "A", Node: "B"},
			"eligible ip@B, stop web@A, stop ip@A, claim @B, start ip@B, check ip@B", ""},
		{"fence comes before everything", onA("s/ip"), Goal{Kind: GoalFailover, Tag: "s/ip", From: "A", Node: "B", FromGone: true, Fence: true},
			"eligible ip@B, fence @A, claim @B, start ip@B, check ip@B", ""},
		{"out of service from below", onA("s/ip", "s/web", "s/mail"), Goal{Kind: GoalOutOfService, Tag: "s/ip", Node: "A"},
			"stop mail@A, stop web@A, stop ip@A", ""},
		{"out of service from above", onA("s/ip", "s/web"), Goal{Kind: GoalOutOfService, Tag: "s/web", Node: "A"}, "stop web@A", ""},
		{"recover", onA("s/ip"), Goal{Kind: GoalRecover, Tag: "s/ip", Node: "A"}, "recover ip@A, check ip@A", ""},
		{"stale", onA(), Goal{Kind: GoalStopStale, Tag: "s/web", Tags: []hierarchy.Tag{"s/ip", "s/web"}, Node: "A"}, "stop web@A, stop ip@A", ""},
		{"adopt", onA(), Goal{Kind: GoalAdopt, Tag: "s/ip", Tags: []hierarchy.Tag{"s/ip"}, Node: "A"}, "claim @A", ""},
		{"unknown resource", onA(), Goal{Kind: GoalInService, Tag: "s/no", Node: "A"}, "", "plan.no-such-resource"},
		{"not extended", onA(), Goal{Kind: GoalInService, Tag: "s/ip", Node: "C"}, "", "plan.not-extended"},
		{"already there", onA("s/ip"), Goal{Kind: GoalInService, Tag: "s/ip", Node: "A"}, "", "plan.nothing"},
		{"nowhere to be stopped", onA(), Goal{Kind: GoalOutOfService, Tag: "s/ip"}, "", "plan.nothing"},
		{"unknown goal", onA(), Goal{Kind: "dance", Tag: "s/ip"}, "", "plan.unknown-goal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Make(index(), nil, c.v, c.g)
			var pe *Error
			if errors.As(err, &pe) != (c.code != "") || pe != nil && pe.Code != c.code {
				t.Fatalf("error %v, want code %q", err, c.code)
			}
			if got := steps(p); got != c.want {
				t.Errorf("steps\n%s\nwant\n%s", got, c.want)
			}
			again, _ := Make(index(), nil, c.v, c.g)
			if !reflect.DeepEqual(p, again) {
				t.Error("the same question gave another plan")
			}
			for _, s := range p.Steps {
				if s.Kind == StepClaim && s.Claim != 8 {
					t.Errorf("claim %d after 7", s.Claim)
				}
			}
		})
	}
}

func TestUndoAndNext(t *testing.T) {
	p, err := Make(index(), nil, onA("s/ip", "s/web"), Goal{Kind: GoalInService, Tag: "s/web", From: "A", Node: "B"})
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]Status{}
	var began []string
	for { // until the first stop failed
		ready, way := Next(p, at, nil, 3)
		if way != Going {
			break
		}
		for _, s := range ready {
			began = append(began, s.ID)
			at[s.ID] = Done
			if s.Kind == StepStop && s.Tag == "s/ip" {
				at[s.ID] = Failed
			}
		}
	}
	if _, way := Next(p, at, nil, 3); way != Back {
		t.Fatalf("a failed stop gives %q, want back", way)
	}
	back, ok := Undo(p, began)
	if got, want := steps(back), "start ip@A, start web@A"; !ok || got != want {
		t.Fatalf("undo %q %v, want %q", got, ok, want)
	}
	if got := back.Steps[1].After; len(got) != 1 || got[0] != back.Steps[0].ID {
		t.Errorf("web is started after %v", got)
	}
	claim := p.Steps[4]
	if claim.Kind != StepClaim || !claim.NoReturn {
		t.Fatalf("%+v is not the claim", claim)
	}
	if _, ok := Undo(p, append(began, claim.ID, p.Steps[5].ID)); ok {
		t.Error("undone beyond the point of no return")
	}
	if back, ok := Undo(p, append(began, claim.ID)); !ok || steps(back) != "start ip@A, start web@A" {
		t.Errorf("a claim that was not written: undo %q %v", steps(back), ok)
	}
	if _, ok := Undo(p, began[:2]); ok {
		t.Error("there is something to undo although nothing was stopped")
	}
}

// halfUp is a node after its reboot: the route still points to it, the address is gone.
type halfUp struct{ view }

func (v halfUp) Works(t hierarchy.Tag, n string) bool { return v.at[t] == n && t != "s/ip" }
func (v halfUp) WasUp(t hierarchy.Tag, n string) bool { return v.at[t] == n && t != "s/ip" }

func TestUndoStartsNothingOverWhatWasNotThere(t *testing.T) {
	p, err := Make(index(), nil, halfUp{onA("s/ip", "s/web")}, Goal{Kind: GoalInService, Tag: "s/web", From: "A", Node: "B"})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range p.Steps {
		if s.Kind == StepEligible || s.Kind == StepStop {
			all = append(all, s.ID)
		}
	}
	if back, any := Undo(p, all); any {
		t.Errorf("undo %q, although the address was not there before", steps(back))
	}
}

func TestNextBeyondTheClaim(t *testing.T) {
	p, err := Make(index(), nil, onA(), Goal{Kind: GoalInService, Tag: "s/ip", Node: "A"})
	if err != nil {
		t.Fatal(err)
	}
	eligible, claim, start, check := p.Steps[0].ID, p.Steps[1].ID, p.Steps[2].ID, p.Steps[3].ID
	for _, c := range []struct {
		name  string
		at    map[string]Status
		tries int
		way   Way
		ready string
	}{
		{"begins with the question", map[string]Status{}, 0, Going, eligible},
		{"unclear before the claim turns back", map[string]Status{eligible: Unclear}, 1, Back, ""},
		{"unclear beyond it is tried again", map[string]Status{eligible: Done, claim: Unclear}, 1, Going, claim},
		{"but not for ever", map[string]Status{eligible: Done, claim: Unclear}, 3, Stuck, ""},
		{"a claim that certainly was not written turns back", map[string]Status{eligible: Done, claim: Failed}, 1, Back, ""},
		{"but not when an attempt before it may have been", map[string]Status{eligible: Done, claim: Failed}, 2, Stuck, ""},
		{"failed beyond it is stuck", map[string]Status{eligible: Done, claim: Done, start: Failed}, 1, Stuck, ""},
		{"what runs is waited for", map[string]Status{eligible: Done, claim: Running}, 1, Going, ""},
		{"complete", map[string]Status{eligible: Done, claim: Done, start: Done, check: Done}, 1, Complete, ""},
	} {
		tries := map[string]int{eligible: c.tries, claim: c.tries, start: c.tries}
		ready, way := Next(p, c.at, tries, 3)
		got := ""
		if len(ready) > 0 {
			got = ready[0].ID
		}
		if way != c.way || got != c.ready {
			t.Errorf("%s: %s %q, want %s %q", c.name, way, got, c.way, c.ready)
		}
	}
}
