package examples

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/internal/allkits"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/ec2"
	"github.com/ferry-ha/ferry/kits/route53"
)

// database is an example with a database as its service.
type database struct {
	file string
	// root is what clients connect to, data what it or its database stands on, from the top down.
	root string
	data []string
	// needs is the root's.
	needs []string
}

// names is what clients find the service by, from the top down.
var names = []string{"route53-www", "ec2-route53", "ip-route53"}

var databases = []database{
	{"cross-region-oracle.toml", "LSNR.LISTENER", []string{"ORCL", "oradata", "datakeeper-oradata"}, []string{"ORCL", "route53-www"}},
	{"cross-region-postgresql.toml", "pg-15", []string{"pgdata", "datakeeper-pgdata"}, []string{"pgdata", "route53-www"}},
}

func kitsOf() kits.Registry { return allkits.Of(ec2.New(nil), route53.New(nil)) }

// load reads an example.
func (d database) load(t *testing.T) (*hierarchy.Estate, *hierarchy.Index) {
	t.Helper()
	text, err := os.ReadFile(d.file)
	if err != nil {
		t.Fatal(err)
	}
	e, err := config.Load(strings.NewReader(string(text)), d.file, kitsOf())
	if err != nil {
		t.Fatal(err)
	}
	return e, hierarchy.NewIndexFor(e, kitsOf())
}

// all are the tags of the service's hierarchy, sorted.
func (d database) all() []string {
	return slices.Sorted(slices.Values(slices.Concat([]string{d.root}, d.data, names)))
}

func tag(short string) hierarchy.Tag { return hierarchy.MakeTag("service", short) }

func shorts(tags []hierarchy.Tag) []string {
	var out []string
	for _, t := range tags {
		out = append(out, t.Short())
	}
	return slices.Sorted(slices.Values(out))
}

// TestHierarchiesAreTheSeeds: what clients connect to has two children, what it serves and what it is found by; each of
// those is a chain.
func TestHierarchiesAreTheSeeds(t *testing.T) {
	for _, d := range databases {
		_, x := d.load(t)
		if got := shorts(x.Children(tag(d.root))); !slices.Equal(got, d.needs) {
			t.Errorf("%s: %s needs %v, not %v", d.file, d.root, got, d.needs)
		}
		for _, chain := range [][]string{d.data, names} {
			for i, r := range chain {
				if got, want := shorts(x.Children(tag(r))), chain[i+1:]; len(got) > 1 || len(got) != min(len(want), 1) || len(got) == 1 && got[0] != want[0] {
					t.Errorf("%s: %s needs %v, not one of %v", d.file, r, got, want)
				}
			}
		}
		if got := shorts(x.Hierarchy(tag("ip-route53"))); !slices.Equal(got, d.all()) {
			t.Errorf("%s: the address is of the hierarchy %v", d.file, got)
		}
	}
}

// move is the plan that takes the service from LK_P_A to LK_P_B when this fails.
func move(t *testing.T, e *hierarchy.Estate, x *hierarchy.Index, root string, fail ...string) plan.Plan {
	t.Helper()
	im, err := policy.Imagine(x, []string{root + "=LK_P_A"}, fail)
	if err != nil {
		t.Fatal(err)
	}
	s, err := policy.Simulate(e, kitsOf(), time.Unix(0, 0), im)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range s.Plans {
		if p.Goal.Node == "LK_P_B" {
			return p
		}
	}
	t.Fatalf("%v of %s leads to no move to LK_P_B: %+v", fail, root, s.Decisions)
	return plan.Plan{}
}

// TestWhateverFailsAllOfItMoves: a failure that cannot be repaired, of any one of them, or of the node, moves the whole
// hierarchy; and nothing of it stays behind in service.
func TestWhateverFailsAllOfItMoves(t *testing.T) {
	for _, d := range databases {
		e, x := d.load(t)
		fails := []string{"node=LK_P_A"}
		for _, r := range d.all() {
			fails = append(fails, "resource="+r+"@LK_P_A")
		}
		for _, fail := range fails {
			p := move(t, e, x, d.root, fail)
			if got := shorts(p.Moves); !slices.Equal(got, d.all()) {
				t.Errorf("%s, %s: only %v move", d.file, fail, got)
			}
			for kind, want := range map[plan.StepKind]bool{plan.StepStop: !strings.HasPrefix(fail, "node"), plan.StepStart: true} {
				for _, r := range d.all() {
					if _, ok := stepOf(p, kind, r); ok != want {
						t.Errorf("%s, %s: %s of %s is in the plan: %v", d.file, fail, kind, r, ok)
					}
				}
			}
		}
	}
}

// TestNobodyConnectsBeforeAllIsThere: in a plan the database and everything that clients find it by are up before what
// they connect to starts, and no address moves before the copy of the data was taken.
func TestNobodyConnectsBeforeAllIsThere(t *testing.T) {
	for _, d := range databases {
		e, x := d.load(t)
		p := move(t, e, x, d.root, "node=LK_P_A")
		mirror := d.data[len(d.data)-1]
		for _, r := range slices.Concat(d.data, names) {
			if !waits(t, p, d.root, r) {
				t.Errorf("%s: the start of %s does not wait for that of %s", d.file, d.root, r)
			}
		}
		for _, r := range names {
			if !waits(t, p, r, mirror) {
				t.Errorf("%s: the start of %s does not wait for that of %s", d.file, r, mirror)
			}
		}
		p = move(t, e, x, d.root, "resource=ip-route53@LK_P_A")
		for _, r := range slices.Concat(d.data, names) {
			if up, down := must(t, p, plan.StepStop, r), must(t, p, plan.StepStop, d.root); !reaches(p, up.ID, down.ID) {
				t.Errorf("%s: the stop of %s does not wait for that of %s", d.file, r, d.root)
			}
		}
	}
}

func stepOf(p plan.Plan, kind plan.StepKind, short string) (plan.Step, bool) {
	i := slices.IndexFunc(p.Steps, func(s plan.Step) bool { return s.Kind == kind && s.Tag == tag(short) })
	if i < 0 {
		return plan.Step{}, false
	}
	return p.Steps[i], true
}

func must(t *testing.T, p plan.Plan, kind plan.StepKind, short string) plan.Step {
	t.Helper()
	s, ok := stepOf(p, kind, short)
	if !ok {
		t.Fatalf("no %s of %s in %+v", kind, short, p.Steps)
	}
	return s
}

// waits tells whether the start of one waits for that of the other.
func waits(t *testing.T, p plan.Plan, late, early string) bool {
	t.Helper()
	return reaches(p, must(t, p, plan.StepStart, late).ID, must(t, p, plan.StepStart, early).ID)
}

// reaches tells whether a step comes after another one, directly or not.
func reaches(p plan.Plan, late, early string) bool {
	i := slices.IndexFunc(p.Steps, func(s plan.Step) bool { return s.ID == late })
	return i >= 0 && slices.ContainsFunc(p.Steps[i].After, func(id string) bool { return id == early || reaches(p, id, early) })
}
