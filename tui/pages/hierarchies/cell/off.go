package cell

import (
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

func something(c *ui.Context, a At) string {
	if a.Tag == "" && a.Node == "" {
		return c.T("hierarchies.off-nothing")
	}
	return ""
}

// busy says which operation has the resource.
func busy(c *ui.Context, t hierarchy.Tag) string {
	if o := c.Est.RunningOn(t); o != nil {
		return c.T("hierarchies.off-busy", "op", ui.Clean(o.ID))
	}
	return ""
}

// first is the first reason there is.
func first(reasons ...func() string) string {
	for _, f := range reasons {
		if s := f(); s != "" {
			return s
		}
	}
	return ""
}

func offIn(c *ui.Context, a At) string {
	return first(
		func() string { return c.MayAct(api.Operator) },
		func() string { return lives(c, a.Tag) },
		func() string { return busy(c, a.Tag) },
		func() string { return extended(c, a) },
		func() string { return works(c, a) },
		func() string { return notThere(c, a.Node) })
}

func lives(c *ui.Context, t hierarchy.Tag) string {
	if c.Est.Res(t) == nil {
		return c.T("hierarchies.gone", "tag", ui.Clean(string(t)))
	}
	return ""
}

func extended(c *ui.Context, a At) string {
	if c.Est.Cell(a.Tag, a.Node) == nil {
		return c.T("hierarchies.off-not-extended", "tag", ui.Clean(a.Tag.Short()), "node", ui.Clean(a.Node))
	}
	return ""
}

// works says that there is nothing to do: it and all that it needs are in service here.
// Over two claims that cannot be ordered a person says by this which one is right.
func works(c *ui.Context, a At) string {
	for _, t := range append([]hierarchy.Tag{a.Tag}, c.Est.Index.Descendants(a.Tag)...) {
		r, i := c.Est.Res(t), c.Est.Cell(t, a.Node)
		if r == nil || i == nil || model.Holder(r) != a.Node || !i.State.InService() || Dual(i) {
			return ""
		}
	}
	return c.T("hierarchies.off-in", "tag", ui.Clean(a.Tag.Short()), "node", ui.Clean(a.Node))
}

func notThere(c *ui.Context, node string) string {
	n := c.Est.Node(node)
	if There(n) {
		return ""
	}
	_, word, _ := NodeFace(c, n)
	return c.T("hierarchies.off-node", "node", ui.Clean(node), "verdict", word)
}

func offOut(c *ui.Context, a At) string {
	return first(
		func() string { return c.MayAct(api.Operator) },
		func() string { return lives(c, a.Tag) },
		func() string { return busy(c, a.Tag) },
		func() string { return homeless(c, a.Tag) },
		func() string { return notThere(c, active(c, a.Tag)) })
}

func homeless(c *ui.Context, t hierarchy.Tag) string {
	if active(c, t) == "" {
		return c.T("hierarchies.off-out", "tag", ui.Clean(t.Short()))
	}
	return ""
}

func offRecover(c *ui.Context, a At) string { return offOut(c, a) }

func offHold(c *ui.Context) string { return c.MayAct(api.Operator) }

// offDefine is for what changes the definition.
func offDefine(c *ui.Context, a At) string {
	return first(func() string { return c.MayAct(api.Administrator) }, func() string { return lives(c, a.Tag) })
}

func offExtend(c *ui.Context, a At) string {
	return first(func() string { return offDefine(c, a) }, func() string {
		for _, s := range c.Est.Servers(c.Est.Res(a.Tag).Cluster) {
			if c.Est.Cell(a.Tag, s) == nil {
				return ""
			}
		}
		return c.T("hierarchies.off-everywhere", "tag", ui.Clean(a.Tag.Short()))
	})
}

func offUnextend(c *ui.Context, a At) string {
	return first(
		func() string { return offDefine(c, a) },
		func() string { return extended(c, a) },
		func() string { return busy(c, a.Tag) },
		func() string {
			for _, t := range c.Est.Index.Hierarchy(a.Tag) {
				if active(c, t) == a.Node && There(c.Est.Node(a.Node)) || runs(c, t, a.Node) {
					return c.T("hierarchies.off-unextend", "tag", ui.Clean(t.Short()), "node", ui.Clean(a.Node))
				}
			}
			if r := c.Est.Res(a.Tag); len(r.On) == 1 {
				return c.T("hierarchies.off-only", "tag", ui.Clean(a.Tag.Short()), "node", ui.Clean(a.Node))
			}
			return ""
		})
}

func runs(c *ui.Context, t hierarchy.Tag, node string) bool {
	i := c.Est.Cell(t, node)
	return i != nil && i.State.InService()
}

func offDelete(c *ui.Context, a At) string {
	return first(
		func() string { return offDefine(c, a) },
		func() string { return busy(c, a.Tag) },
		func() string {
			if ps := c.Est.Index.Parents(a.Tag); len(ps) > 0 {
				return c.T("hierarchies.off-needed", "tag", ui.Clean(a.Tag.Short()), "parents", names(c, ps))
			}
			return ""
		},
		func() string {
			if at := active(c, a.Tag); at != "" && There(c.Est.Node(at)) {
				return c.T("hierarchies.off-delete", "tag", ui.Clean(a.Tag.Short()), "node", ui.Clean(at))
			}
			return ""
		})
}

func offNew(c *ui.Context) string {
	return first(func() string { return c.MayAct(api.Administrator) }, func() string {
		if !c.Est.Known() || len(c.Est.Snapshot.Estate.Cluster) == 0 {
			return c.T("hierarchies.off-no-cluster")
		}
		return ""
	})
}

func offServer(c *ui.Context, a At) string {
	if a.Node == "" {
		return c.T("hierarchies.off-nothing")
	}
	return ""
}
