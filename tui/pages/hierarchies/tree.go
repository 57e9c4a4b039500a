package hierarchies

import (
	"slices"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/pages/hierarchies/cell"
	"github.com/ferry-ha/ferry/tui/ui"
)

// grade is how bad something is.
type grade uint8

const (
	fine grade = iota
	off        // out of service as a person wanted it
	unknown
	impaired
	held
	failed
	stale
	dual
	grades
)

// row is a resource's line with what was found out about it.
type row struct {
	*model.Row
	group  int
	parent int // index of the row it hangs from; -1 = none
	grade  grade
	below  grade // the worst of what hangs from it
	under  int   // how many lines hang from it
}

// group is a cluster.
type group struct {
	name  string
	nodes []string // by region, then by zone
	from  int      // its rows: [from, to)
	to    int
}

// tree is what one snapshot gives.
type tree struct {
	est    *model.Estate
	rows   []row
	groups []group
	label  int // cells that the widest label takes, without marks behind it
	nodeW  int // cells that the longest server name takes
	most   int // the most servers of a cluster
	sums   [grades]int
	wrong  []trouble // the worst first, not all of many
	// unfenced counts the claims whose holder before was not proven dead.
	unfenced int
	moving   map[hierarchy.Tag]*api.Operation
	asking   map[hierarchy.Tag]bool // a question about it waits for a person
	steps    map[hierarchy.Ref]bool // what a step is doing something to right now
}

type treeKey struct{}

// treeOf is an estate's tree, made once.
func treeOf(e *model.Estate) *tree { return model.Keep(e, treeKey{}, newTree) }

// Prepare makes beforehand what the page needs of a new snapshot, so that the screen does
// not wait for it. It may be called from any goroutine.
func Prepare(e *model.Estate) { treeOf(e) }

func newTree(e *model.Estate) *tree {
	t := &tree{est: e, moving: map[hierarchy.Tag]*api.Operation{}, asking: map[hierarchy.Tag]bool{}, steps: map[hierarchy.Ref]bool{}}
	t.addGroups()
	t.addRows()
	for i := range t.rows {
		if r := &t.rows[i]; !r.Again {
			t.sums[r.grade]++
			if r.Res.Claim != nil && r.Res.Claim.Unfenced {
				t.unfenced++
			}
			if r.grade >= unknown {
				t.note(r.Res, r.grade)
			}
		}
	}
	slices.SortStableFunc(t.wrong, func(a, b trouble) int { return int(b.grade) - int(a.grade) })
	for i := range e.Running {
		t.addOp(&e.Running[i])
	}
	for _, q := range e.Pending() {
		for _, tag := range e.Index.Hierarchy(q.Tag) {
			t.asking[tag] = true
		}
	}
	return t
}

// trouble is a cell that is not as it should be.
type trouble struct {
	grade grade
	res   *api.ResourceStatus
	on    *api.InstanceStatus
}

// wrongMost bounds how many troubles of one grade are kept: more no screen shows.
const wrongMost = 30

func (t *tree) note(r *api.ResourceStatus, g grade) {
	node, same := worst(r), 0
	for i := range t.wrong {
		if t.wrong[i].grade == g {
			same++
		}
	}
	if g == unknown && !cell.There(t.est.Node(node)) { // its server is the trouble
		return
	}
	if i := t.est.Cell(r.Tag, node); i != nil && same < wrongMost {
		t.wrong = append(t.wrong, trouble{g, r, i})
	}
}

// addGroups lists the clusters of the definition, those without resources, too.
func (t *tree) addGroups() {
	if !t.est.Known() {
		return
	}
	for _, c := range t.est.Snapshot.Estate.Cluster {
		t.group(c.Name)
	}
}

func (t *tree) group(name string) int {
	for i := range t.groups {
		if t.groups[i].name == name {
			return i
		}
	}
	g := group{name: name, nodes: arranged(t.est, t.est.Servers(name))}
	for _, n := range g.nodes {
		t.nodeW = max(t.nodeW, ui.Width(ui.Clean(n)))
	}
	t.most = max(t.most, len(g.nodes))
	t.groups = append(t.groups, g)
	return len(t.groups) - 1
}

// arranged puts servers of one region side by side, and in it those of one zone; else
// the definition's order stays.
func arranged(e *model.Estate, servers []string) []string {
	var regions, zones []string
	for _, s := range servers {
		r, z, _ := e.Place(s)
		regions, zones = append(regions, r), append(zones, r+" "+z)
	}
	at := make(map[string][2]int, len(servers))
	for i, s := range servers {
		at[s] = [2]int{slices.Index(regions, regions[i]), slices.Index(zones, zones[i])}
	}
	out := slices.Clone(servers)
	slices.SortStableFunc(out, func(a, b string) int {
		x, y := at[a], at[b]
		if x[0] != y[0] {
			return x[0] - y[0]
		}
		return x[1] - y[1]
	})
	return out
}

func (t *tree) addRows() {
	all := t.est.Rows()
	t.rows = make([]row, 0, len(all))
	g, open := -1, []int(nil) // open: the row of each level above
	for i := range all {
		r := &all[i]
		if r.Res == nil {
			if g >= 0 {
				t.groups[g].to = len(t.rows)
			}
			g, open = t.group(r.Cluster), open[:0]
			t.groups[g].from, t.groups[g].to = len(t.rows), len(t.rows)
			continue
		}
		depth := len(r.Branch)
		open = open[:min(depth, len(open))]
		parent := -1
		if len(open) > 0 {
			parent = open[len(open)-1]
		}
		open = append(open, len(t.rows))
		t.label = max(t.label, 2*depth+2+ui.Width(ui.Clean(r.Res.Tag.Short())))
		t.rows = append(t.rows, row{Row: r, group: g, parent: parent, grade: gradeOf(r.Res)})
	}
	if g >= 0 {
		t.groups[g].to = len(t.rows)
	}
	for i := len(t.rows) - 1; i >= 0; i-- { // children stand behind their parents
		r := &t.rows[i]
		if r.parent >= 0 {
			p := &t.rows[r.parent]
			p.below, p.under = max(p.below, r.below, r.grade), p.under+r.under+1
		}
	}
}

func (t *tree) addOp(o *api.Operation) {
	for _, tag := range o.Plan.Moves {
		t.moving[tag] = o
	}
	for i, s := range o.Steps {
		if i >= len(o.Plan.Steps) || s.Status != string(plan.Running) {
			continue
		}
		st := &o.Plan.Steps[i]
		for _, tag := range append([]hierarchy.Tag{st.Tag}, st.Tags...) {
			t.steps[hierarchy.Ref{Tag: tag, Node: st.Node}] = true
		}
	}
}

// busyOn tells that an operation is about to change a cell: the step that runs is about
// it, or it is where the resource is being taken.
func (t *tree) busyOn(tag hierarchy.Tag, node string) bool {
	o := t.moving[tag]
	return o != nil && (o.Plan.Goal.Node == node || t.steps[hierarchy.Ref{Tag: tag, Node: node}])
}

// gradeOf is the worst that is true of a resource.
func gradeOf(r *api.ResourceStatus) grade {
	g, runs := fine, false
	for i := range r.On {
		runs = runs || r.On[i].State.InService()
	}
	holder := model.Holder(r)
	if !runs && holder == "" {
		g = off
	}
	for i := range r.On {
		g = max(g, gradeOn(r, &r.On[i], holder, runs))
	}
	return g
}

func gradeOn(r *api.ResourceStatus, i *api.InstanceStatus, holder string, runs bool) grade {
	switch {
	case i.Held != "" && cell.Dual(i):
		return dual
	case model.Stale(r, i):
		return stale
	}
	g := fine
	switch i.State {
	case hierarchy.ISP:
		if holder == "" {
			g = impaired
		}
	case hierarchy.OSU:
	case hierarchy.ISU:
		g = impaired
	case hierarchy.OSF:
		g = impaired
		if holder == i.Server || !runs {
			g = failed
		}
	default:
		g = unknown
	}
	if i.Held != "" {
		g = max(g, held)
	}
	return g
}

// worst is the server on which the trouble of a row is; empty when it has none.
func worst(r *api.ResourceStatus) string {
	runs := false
	for i := range r.On {
		runs = runs || r.On[i].State.InService()
	}
	g, node, holder := off, "", model.Holder(r)
	for i := range r.On {
		if x := gradeOn(r, &r.On[i], holder, runs); x > g {
			g, node = x, r.On[i].Server
		}
	}
	return node
}

// notAlive counts the servers that are not plainly alive, by verdict.
func notAlive(e *model.Estate) (byVerdict map[policy.Verdict]int, n int) {
	byVerdict = map[policy.Verdict]int{}
	for i := range e.Nodes {
		if v := e.Nodes[i].Verdict; v != policy.Alive {
			if v == "" {
				v = policy.Unknown
			}
			byVerdict[v]++
			n++
		}
	}
	return byVerdict, n
}
