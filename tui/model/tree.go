package model

import (
	"slices"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// tree lays all resources out by cluster. A child of two parents is shown with what it
// needs once, and alone below every other parent.
func (e *Estate) tree() []Row {
	var clusters []string
	child := map[hierarchy.Tag]bool{}
	for i := range e.Resources {
		r := &e.Resources[i]
		if !slices.Contains(clusters, r.Cluster) {
			clusters = append(clusters, r.Cluster)
		}
		for _, c := range r.Children {
			child[c] = true
		}
	}
	w := walk{e: e, drawn: make(map[hierarchy.Tag]bool, len(e.res))}
	for _, c := range clusters {
		w.rows = append(w.rows, Row{Cluster: c})
		for i := range e.Resources {
			if r := &e.Resources[i]; r.Cluster == c && !child[r.Tag] {
				w.add(r.Tag, nil)
			}
		}
		for i := range e.Resources { // what only a cycle reaches must not vanish
			if r := &e.Resources[i]; r.Cluster == c && !w.drawn[r.Tag] {
				w.add(r.Tag, nil)
			}
		}
	}
	return w.rows
}

type walk struct {
	e     *Estate
	drawn map[hierarchy.Tag]bool
	rows  []Row
}

func (w *walk) add(t hierarchy.Tag, branch []bool) {
	r := w.e.res[t]
	if r == nil {
		return
	}
	again := w.drawn[t]
	w.drawn[t] = true
	w.rows = append(w.rows, Row{Res: r, Branch: branch, Again: again, Kids: len(r.Children) > 0 && !again})
	if again {
		return
	}
	for i, c := range r.Children {
		w.add(c, append(slices.Clip(slices.Clone(branch)), i < len(r.Children)-1))
	}
}
