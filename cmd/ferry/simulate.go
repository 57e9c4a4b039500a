package main

import (
	"strings"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/spf13/cobra"
)

func (a *cli) simulateCmd() *cobra.Command {
	var file string
	var active, fails []string
	var works bool
	cmd := &cobra.Command{
		Use:   "simulate -f FILE [--active CLUSTER=NODE] [--fail node=NODE] [--fail resource=TAG@NODE]",
		Short: "Say what ferry would do if something failed, from a definition alone",
		Long: `Decides and plans on a definition file what would follow if a node were lost or a
resource failed: the very same decisions as in earnest, without store or node.

  --active CLUSTER=NODE      the cluster's resources are in service on NODE
                             (default: where their priority is highest)
  --active TAG=NODE          this resource and what it needs are
  --fail node=NODE           NODE has lost its power, and EC2 has not noticed yet
  --fail resource=TAG@NODE   the resource's check fails there, and the repair on the
                             spot too, unless --repair-works`,
		Example: `  ferry simulate -f examples/cross-region.toml --active service=LK_P_A --fail node=LK_P_A
  ferry simulate -f estate.toml --fail node=LK_P_B --fail resource=service/app-www@LK_P_A -o json`,
		Args: args(0, 0, ""),
		RunE: func(*cobra.Command, []string) error { return a.simulate(file, active, fails, works) },
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "the definition (- is the standard input)")
	cmd.Flags().StringArrayVar(&active, "active", nil, "CLUSTER=NODE or TAG=NODE; may be repeated")
	cmd.Flags().StringArrayVar(&fails, "fail", nil, "node=NODE or resource=TAG@NODE; may be repeated")
	cmd.Flags().BoolVar(&works, "repair-works", false, "failed resources can be repaired on the spot")
	return cmd
}

func (a *cli) simulate(file string, active, fails []string, works bool) error {
	if file == "" {
		return usage("ferry simulate -f estate.toml --fail node=NODE", "which definition? -f FILE is missing")
	}
	e, err := a.loadEstate(file)
	if err != nil {
		return err
	}
	im, err := suppose(e, active, fails)
	if err != nil {
		return err
	}
	im.Unrepairable = !works
	out, err := policy.Simulate(e, a.deps.registry(), a.now(), im)
	if err != nil {
		return usage("--active says where resources are in service", "%s", err)
	}
	return a.print(SimulationDocument{api.Version, "Simulation", out}, func() string {
		return view.Simulation(out, a.outStyle, a.now())
	})
}

// suppose reads the flags and checks every name in them.
func suppose(e *hierarchy.Estate, active, fails []string) (policy.Imagined, error) {
	im := policy.Imagined{Active: map[hierarchy.Tag]string{}}
	s := &api.Snapshot{Estate: e}
	clusters := map[string]string{}
	for _, x := range active {
		what, node, ok := strings.Cut(x, "=")
		if !ok {
			return im, usage("", "--active %q: write CLUSTER=NODE", x)
		}
		if err := server(s, node); err != nil {
			return im, err
		}
		if isCluster(e, what) {
			clusters[what] = node
			continue
		}
		r, err := resource(s, what)
		if err != nil {
			return im, err
		}
		im.Active[r.Tag] = node
	}
	supposeActive(e, clusters, im.Active)
	for _, x := range fails {
		if err := supposeFail(s, x, &im); err != nil {
			return im, err
		}
	}
	return im, nil
}

// supposeActive puts every hierarchy that --active did not name itself on its
// cluster's node or, when it is not extended there, where its priority is highest.
func supposeActive(e *hierarchy.Estate, clusters map[string]string, active map[hierarchy.Tag]string) {
	x := hierarchy.NewIndex(e)
	given := map[hierarchy.Tag]bool{}
	for t := range active {
		given[t] = true
		for _, d := range x.Descendants(t) {
			given[d] = true
		}
	}
	for i := range e.Res {
		t := e.Res[i].Tag
		if given[t] || len(x.Parents(t)) > 0 {
			continue
		}
		on := x.PlacementsByPriority(t)
		if node := clusters[e.Res[i].Cluster]; x.Placement(t, node) != nil {
			active[t] = node
		} else if len(on) > 0 {
			active[t] = on[0].Server
		}
	}
}

func supposeFail(s *api.Snapshot, x string, im *policy.Imagined) error {
	kind, what, _ := strings.Cut(x, "=")
	switch tag, node, at := cutLast(what, "@"); {
	case kind == "node" && what != "":
		im.FailNodes = append(im.FailNodes, what)
		return server(s, what)
	case kind == "resource" && at:
		if err := server(s, node); err != nil {
			return err
		}
		r, err := resource(s, tag)
		if err != nil {
			return err
		}
		if r.Placement(node) == nil {
			return fail(api.KindNoSuch, "", "%s is not extended to %s", r.Tag, node)
		}
		im.FailResources = append(im.FailResources, hierarchy.Ref{Tag: r.Tag, Node: node})
		return nil
	}
	return usage("", "--fail %q: write node=NODE or resource=TAG@NODE", x)
}

func isCluster(e *hierarchy.Estate, name string) bool {
	for _, c := range e.Cluster {
		if c.Name == name {
			return true
		}
	}
	return false
}

// cutLast cuts at the last separator: a tag may hold an @, a node's name may not.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
