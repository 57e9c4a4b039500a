package hierarchy

import "slices"

// graph holds the dependencies by resource number (its place in Estate.Res).
type graph struct {
	children, parents [][]int32
	order             []int32 // start order: children before parents
	rank              []int32 // place of a resource in order
	comp              []int32 // number of the hierarchy a resource belongs to
	local             []int32 // place of a resource in its hierarchy
	comps             [][]int32
	cycle             []int32 // nil, or a way that ends where it began
}

func newGraph(res []Resource, ids map[Tag]int32) graph {
	g := graph{
		children: make([][]int32, len(res)),
		parents:  make([][]int32, len(res)),
		rank:     make([]int32, len(res)),
		comp:     make([]int32, len(res)),
		local:    make([]int32, len(res)),
		order:    make([]int32, 0, len(res)),
	}
	for i := range res {
		if ids[res[i].Tag] != int32(i) {
			continue // second resource of this tag: Validate tells
		}
		for _, c := range res[i].Children {
			j, ok := ids[c]
			if !ok || slices.Contains(g.children[i], j) {
				continue
			}
			g.children[i] = append(g.children[i], j)
			g.parents[j] = append(g.parents[j], int32(i))
		}
	}
	g.sort(res, ids)
	g.split()
	return g
}

// The colours of a depth-first walk.
const (
	unseen = iota
	open
	done
)

// sort fixes the start order: depth first, in the order of the definition, so the
// same definition always gives the same order.
func (g *graph) sort(res []Resource, ids map[Tag]int32) {
	colour := make([]uint8, len(res))
	var way []int32
	var visit func(i int32)
	visit = func(i int32) {
		colour[i] = open
		way = append(way, i)
		for _, c := range g.children[i] {
			switch {
			case colour[c] == unseen:
				visit(c)
			case colour[c] == open && g.cycle == nil:
				g.cycle = append(slices.Clone(way[slices.Index(way, c):]), c)
			}
		}
		way = way[:len(way)-1]
		colour[i] = done
		g.rank[i] = int32(len(g.order))
		g.order = append(g.order, i)
	}
	for i := range res {
		if colour[i] == unseen && ids[res[i].Tag] == int32(i) {
			visit(int32(i))
		}
	}
}

// split finds the hierarchies: resources connected by dependencies either way.
func (g *graph) split() {
	for i := range g.comp {
		g.comp[i] = -1
	}
	for _, first := range g.order {
		if g.comp[first] >= 0 {
			continue
		}
		n := int32(len(g.comps))
		g.comp[first] = n
		members := []int32{first}
		for k := 0; k < len(members); k++ {
			for _, next := range [][]int32{g.children[members[k]], g.parents[members[k]]} {
				for _, j := range next {
					if g.comp[j] < 0 {
						g.comp[j] = n
						members = append(members, j)
					}
				}
			}
		}
		slices.SortFunc(members, func(a, b int32) int { return int(g.rank[a] - g.rank[b]) })
		for k, j := range members {
			g.local[j] = int32(k)
		}
		g.comps = append(g.comps, members)
	}
}

// reach lists what can be reached from i over edges, nearest first, without i.
func (g *graph) reach(i int32, edges [][]int32) []int32 {
	if len(edges[i]) == 0 {
		return nil
	}
	seen := make([]bool, len(g.comps[g.comp[i]]))
	seen[g.local[i]] = true
	found := []int32{i}
	for k := 0; k < len(found); k++ {
		for _, j := range edges[found[k]] {
			if !seen[g.local[j]] {
				seen[g.local[j]] = true
				found = append(found, j)
			}
		}
	}
	return found[1:]
}

func (g *graph) byRank(a, b int32) int { return int(g.rank[a] - g.rank[b]) }

func (x *Index) tags(of []int32) []Tag {
	if len(of) == 0 {
		return nil
	}
	tags := make([]Tag, len(of))
	for k, i := range of {
		tags[k] = x.estate.Res[i].Tag
	}
	return tags
}

// Children are what a resource needs directly, as written.
func (x *Index) Children(t Tag) []Tag {
	i, ok := x.ids[t]
	if !ok {
		return nil
	}
	return x.tags(x.graph.children[i])
}

// Parents are the resources that need this one directly.
func (x *Index) Parents(t Tag) []Tag {
	i, ok := x.ids[t]
	if !ok {
		return nil
	}
	return x.tags(x.graph.parents[i])
}

// Descendants are all resources that this one needs, directly or not, in start
// order; the resource itself is not among them.
func (x *Index) Descendants(t Tag) []Tag {
	i, ok := x.ids[t]
	if !ok {
		return nil
	}
	found := x.graph.reach(i, x.graph.children)
	slices.SortFunc(found, x.graph.byRank)
	return x.tags(found)
}

// Ancestors are all resources that stand on this one, directly or not, in start
// order; the resource itself is not among them.
func (x *Index) Ancestors(t Tag) []Tag {
	i, ok := x.ids[t]
	if !ok {
		return nil
	}
	found := x.graph.reach(i, x.graph.parents)
	slices.SortFunc(found, x.graph.byRank)
	return x.tags(found)
}

// Hierarchy is everything that moves together with a resource, itself included,
// in start order.
func (x *Index) Hierarchy(t Tag) []Tag {
	i, ok := x.ids[t]
	if !ok {
		return nil
	}
	return x.tags(x.graph.comps[x.graph.comp[i]])
}

// HierarchyID numbers the hierarchies of the estate from 0; -1 for an unknown tag.
// The numbers mean something only together with this Index.
func (x *Index) HierarchyID(t Tag) int {
	i, ok := x.ids[t]
	if !ok {
		return -1
	}
	return int(x.graph.comp[i])
}

// Hierarchies are all of them, each in start order.
func (x *Index) Hierarchies() [][]Tag {
	all := make([][]Tag, len(x.graph.comps))
	for k, members := range x.graph.comps {
		all[k] = x.tags(members)
	}
	return all
}

// Roots are the resources of this one's hierarchy that nothing stands on.
func (x *Index) Roots(t Tag) []Tag {
	i, ok := x.ids[t]
	if !ok {
		return nil
	}
	var roots []int32
	for _, j := range x.graph.comps[x.graph.comp[i]] {
		if len(x.graph.parents[j]) == 0 {
			roots = append(roots, j)
		}
	}
	return x.tags(roots)
}

// StartOrder sorts the tags so that what is needed comes first. Unknown tags and
// repetitions are left out.
func (x *Index) StartOrder(tags ...Tag) []Tag {
	nums := make([]int32, 0, len(tags))
	for _, t := range tags {
		if i, ok := x.ids[t]; ok {
			nums = append(nums, i)
		}
	}
	slices.SortFunc(nums, x.graph.byRank)
	return x.tags(slices.Compact(nums))
}

// StopOrder is StartOrder reversed: what needs others comes first.
func (x *Index) StopOrder(tags ...Tag) []Tag {
	order := x.StartOrder(tags...)
	slices.Reverse(order)
	return order
}

// Cycle is nil, or a chain of resources each of which needs the next, where the
// last is the first again.
func (x *Index) Cycle() []Tag { return x.tags(x.graph.cycle) }
