package policy

import (
	"fmt"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// Imagine reads a situation from words as a command line has them. active: "TAG=NODE",
// or "CLUSTER=NODE" for all resources of a cluster that are extended to the node.
// fail: "node=NAME", "resource=TAG@NODE", or
// "quorum=NODE" for a node that has no quorum (all others are assumed to have it). Tags may be short where only one
// cluster uses them. What fails is taken to be beyond repair, so that the
// simulation shows where that leads.
func Imagine(x *hierarchy.Index, active, fail []string) (Imagined, error) {
	im := Imagined{Active: map[hierarchy.Tag]string{}, Unrepairable: true}
	for _, a := range active {
		what, node, ok := strings.Cut(a, "=")
		if !ok || what == "" || node == "" {
			return im, fmt.Errorf("%q: write CLUSTER=NODE or TAG=NODE", a)
		}
		if err := im.activate(x, what, node); err != nil {
			return im, err
		}
	}
	for _, f := range fail {
		kind, what, _ := strings.Cut(f, "=")
		tag, node, at := strings.Cut(what, "@")
		switch {
		case kind == "node" && what != "":
			if x.Server(what) == nil {
				return im, noSuchNode(x, what)
			}
			im.FailNodes = append(im.FailNodes, what)
		case kind == "resource" && at && node != "":
			r, err := x.Find(tag)
			if err != nil {
				return im, err
			}
			im.FailResources = append(im.FailResources, hierarchy.Ref{Tag: r.Tag, Node: node})
		case kind == "quorum" && what != "":
			if x.Server(what) == nil {
				return im, noSuchNode(x, what)
			}
			im.FailQuorum = append(im.FailQuorum, what)
		default:
			return im, fmt.Errorf("%q: write node=NAME, resource=TAG@NODE or quorum=NAME", f)
		}
	}
	return im, nil
}

func (im *Imagined) activate(x *hierarchy.Index, what, node string) error {
	if x.Server(node) == nil {
		return noSuchNode(x, node)
	}
	if x.Cluster(what) == nil {
		r, err := x.Find(what)
		if err != nil {
			return err
		}
		im.Active[r.Tag] = node
		return nil
	}
	found := false
	for _, t := range x.InCluster(what) {
		if x.Placement(t, node) != nil {
			im.Active[t] = node
			found = true
		}
	}
	if !found {
		return fmt.Errorf("no resource of cluster %s is extended to %s", what, node)
	}
	return nil
}

func noSuchNode(x *hierarchy.Index, name string) error {
	names := make([]string, 0, len(x.Estate().Servers))
	for i := range x.Estate().Servers {
		names = append(names, x.Estate().Servers[i].Name)
	}
	return &hierarchy.NoSuchError{What: "node", Name: name, Near: hierarchy.Closest(name, names)}
}
