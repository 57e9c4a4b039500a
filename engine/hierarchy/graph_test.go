package hierarchy

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// diamond: two roots r1 and r2 over a and b, both over shared; lone stands apart.
func diamond() *Index {
	res := func(tag Tag, children ...Tag) Resource {
		return Resource{Tag: tag, Cluster: "c", Children: children}
	}
	return NewIndex(&Estate{Res: []Resource{
		res("c/r1", "c/a"), res("c/r2", "c/b"), res("c/a", "c/shared"), res("c/b", "c/shared"), res("c/shared"), res("c/lone"),
	}})
}

func TestGraphOfDiamond(t *testing.T) {
	x := diamond()
	for _, c := range []struct {
		what string
		got  []Tag
		want string
	}{
		{"children of r1", x.Children("c/r1"), "[c/a]"},
		{"parents of shared", x.Parents("c/shared"), "[c/a c/b]"},
		{"descendants of r1", x.Descendants("c/r1"), "[c/shared c/a]"},
		{"ancestors of shared", x.Ancestors("c/shared"), "[c/a c/r1 c/b c/r2]"},
		{"ancestors of a root", x.Ancestors("c/r1"), "[]"},
		{"hierarchy of a", x.Hierarchy("c/a"), "[c/shared c/a c/r1 c/b c/r2]"},
		{"hierarchy of lone", x.Hierarchy("c/lone"), "[c/lone]"},
		{"roots of shared", x.Roots("c/shared"), "[c/r1 c/r2]"},
		{"roots of lone", x.Roots("c/lone"), "[c/lone]"},
		{"start order", x.StartOrder("c/r2", "c/r1", "c/shared", "c/b", "c/a", "c/a", "c/none"), "[c/shared c/a c/r1 c/b c/r2]"},
		{"stop order", x.StopOrder("c/shared", "c/a", "c/r1"), "[c/r1 c/a c/shared]"},
		{"cycle", x.Cycle(), "[]"},
		{"of an unknown tag", x.Hierarchy("c/none"), "[]"},
	} {
		if got := fmt.Sprint(c.got); got != c.want {
			t.Errorf("%s: got %s, want %s", c.what, got, c.want)
		}
	}
	if a, b, none := x.HierarchyID("c/r1"), x.HierarchyID("c/lone"), x.HierarchyID("c/none"); a == b || none != -1 {
		t.Errorf("hierarchy ids: r1 %d, lone %d, none %d", a, b, none)
	}
}

func TestCycleIsNamed(t *testing.T) {
	x := NewIndex(&Estate{Res: []Resource{
		{Tag: "c/top", Children: []Tag{"c/a"}},
		{Tag: "c/a", Children: []Tag{"c/b"}},
		{Tag: "c/b", Children: []Tag{"c/d"}},
		{Tag: "c/d", Children: []Tag{"c/a"}},
	}})
	if got := fmt.Sprint(x.Cycle()); got != "[c/a c/b c/d c/a]" {
		t.Errorf("cycle: got %s", got)
	}
	if got := len(x.StartOrder("c/top", "c/a", "c/b", "c/d")); got != 4 {
		t.Errorf("start order of a cycle lost resources: %d of 4", got)
	}
}

// anyGraph draws an estate of up to 30 resources; edges may form cycles when asked.
func anyGraph(t *rapid.T, cycles bool) *Estate {
	n := rapid.IntRange(1, 30).Draw(t, "n")
	perm := rapid.Permutation(numbers(n)).Draw(t, "order of definition")
	e := &Estate{Res: make([]Resource, n)}
	for k, i := range perm {
		r := Resource{Tag: Tag(fmt.Sprintf("c/%02d", i)), Cluster: "c"}
		for range rapid.IntRange(0, 3).Draw(t, "edges") {
			j := rapid.IntRange(0, n-1).Draw(t, "child")
			if cycles || j < i {
				r.Children = append(r.Children, Tag(fmt.Sprintf("c/%02d", j)))
			}
		}
		e.Res[k] = r
	}
	return e
}

func numbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func TestStartOrderProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyGraph(t, false)
		x := NewIndex(e)
		if c := x.Cycle(); c != nil {
			t.Fatalf("cycle in a graph without one: %v", c)
		}
		var all []Tag
		for _, r := range e.Res {
			all = append(all, r.Tag)
		}
		order := x.StartOrder(all...)
		if len(order) != len(all) {
			t.Fatalf("start order has %d of %d", len(order), len(all))
		}
		for _, r := range e.Res {
			for _, c := range r.Children {
				if slices.Index(order, c) > slices.Index(order, r.Tag) {
					t.Fatalf("%s starts before its child %s: %v", r.Tag, c, order)
				}
				if x.HierarchyID(c) != x.HierarchyID(r.Tag) {
					t.Fatalf("%s and its child %s in two hierarchies", r.Tag, c)
				}
				if !slices.Contains(x.Ancestors(c), r.Tag) || !slices.Contains(x.Descendants(r.Tag), c) {
					t.Fatalf("%s and %s are not ancestor and descendant", r.Tag, c)
				}
			}
		}
		total := 0
		for _, h := range x.Hierarchies() {
			total += len(h)
		}
		if total != len(all) {
			t.Fatalf("hierarchies hold %d of %d", total, len(all))
		}
	})
}

func TestCycleIsFoundExactlyWhenThereIsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyGraph(t, true)
		x := NewIndex(e)
		c := x.Cycle()
		if c == nil {
			for _, r := range e.Res {
				if slices.Contains(x.Descendants(r.Tag), r.Tag) || slices.Contains(r.Children, r.Tag) {
					t.Fatalf("%s reaches itself, but no cycle was named", r.Tag)
				}
			}
			order := x.StartOrder(tagsOf(e)...)
			for _, r := range e.Res {
				for _, child := range r.Children {
					if slices.Index(order, child) > slices.Index(order, r.Tag) {
						t.Fatalf("no cycle named, yet %s comes before its child %s", r.Tag, child)
					}
				}
			}
			return
		}
		if len(c) < 2 || c[0] != c[len(c)-1] {
			t.Fatalf("not a ring: %v", c)
		}
		for i := range len(c) - 1 {
			if !slices.Contains(x.Resource(c[i]).Children, c[i+1]) {
				t.Fatalf("%s does not need %s: %v", c[i], c[i+1], c)
			}
		}
	})
}

func tagsOf(e *Estate) []Tag {
	var all []Tag
	for _, r := range e.Res {
		all = append(all, r.Tag)
	}
	return all
}
