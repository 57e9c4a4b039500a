package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// childrenTimeout bounds asking one server about a resource that is to be put there: whether it
// may take it, what its children are to be, and whether it may take those. The API's own
// limit is a little longer.
const childrenTimeout = 80 * time.Second

// Children asks servers what a resource could not do without there, and whether they may
// take it with that. All are asked at the same time; nothing changes.
func (e *Engine) Children(ctx context.Context, p api.Prospect) ([]api.Found, error) {
	if _, ok := e.opts.Kits[p.Kit]; !ok {
		return nil, &api.Error{Kind: api.KindNoSuch, Message: fmt.Sprintf("no kit %q", p.Kit)}
	}
	x := e.index.Load()
	servers := slices.Sorted(maps.Keys(p.On))
	for _, s := range servers {
		if x.Server(s) == nil {
			return nil, &api.Error{Kind: api.KindNoSuch, Message: fmt.Sprintf("no server %q in this estate", s)}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, childrenTimeout)
	defer cancel()
	out := make([]api.Found, len(servers)) // each question writes its own place
	var wg sync.WaitGroup
	for i, s := range servers {
		wg.Go(func() { out[i] = e.askServer(ctx, x, p, s) })
	}
	wg.Wait()
	return out, nil
}

// askServer asks one server whether it may take the resource and, beside that, what its
// children are to be; then whether it may take those.
func (e *Engine) askServer(ctx context.Context, x *hierarchy.Index, p api.Prospect, server string) api.Found {
	found := api.Found{Server: server}
	in := hierarchy.Prospect(x, p.Kit, server, p.On[server])
	in.Tag = string(p.Tag)
	maker, makes := e.opts.Kits[p.Kit].(kits.ChildMaker)
	var children []kits.Child
	var err error
	var wg sync.WaitGroup
	wg.Go(func() { found.Eligible = e.askEligible(ctx, in) })
	if makes {
		wg.Go(func() { children, err = maker.Children(ctx, e.fleet.Host(server), in) })
	}
	wg.Wait()
	switch {
	case found.Eligible.Outcome != kits.OK:
		return found
	case err != nil:
		found.Eligible = kits.Eligibility{Reason: kits.Why("children-unread", fmt.Sprintf(
			"what %s needs on %s could not be read: %s", p.Tag, server, kits.OneLine(err.Error(), 300)), "tag", string(p.Tag), "node", server)}
		return found
	}
	for _, c := range children {
		found.Children = append(found.Children, api.Child(c))
		if el := e.askChild(ctx, x, p.Tag, server, c); el.Outcome != kits.OK {
			found.Eligible = el
			return found
		}
	}
	return found
}

// askChild asks whether the server may take a child, which does not exist yet either.
func (e *Engine) askChild(ctx context.Context, x *hierarchy.Index, parent hierarchy.Tag, server string, c kits.Child) kits.Eligibility {
	k, ok := e.opts.Kits[c.Kit]
	if !ok {
		return kits.Eligibility{Outcome: kits.Failed, Reason: kits.Why("no-kit", fmt.Sprintf("this program has no kit %q", c.Kit), "kit", c.Kit)}
	}
	attrs := map[string]string{}
	for _, f := range k.Fields() {
		if f.Default != "" {
			attrs[f.Name] = f.Default
		}
	}
	maps.Copy(attrs, c.Attrs)
	in := hierarchy.Prospect(x, c.Kit, server, attrs)
	in.Tag = string(hierarchy.MakeTag(parent.Cluster(), c.Tag))
	return e.askEligible(ctx, in)
}

// askEligible asks a kit within its own time.
func (e *Engine) askEligible(ctx context.Context, in kits.Instance) kits.Eligibility {
	k := e.opts.Kits[in.Kit]
	ctx, cancel := context.WithTimeout(ctx, max(k.Timeout(kits.ActEligible, in), time.Second))
	defer cancel()
	return k.Eligible(ctx, e.fleet.Host(in.Node.Name), in)
}

// mayTake refuses a definition that puts a resource which must work on all its servers (a
// kits.ChildMaker's: a tunnel) on one that may not take it, or does not say. It is asked of the
// servers that the definition in force knows; a first definition describes an estate that
// no engine has seen yet, and its first checks will tell.
func (e *Engine) mayTake(ctx context.Context, next *hierarchy.Estate) error {
	x, nx := e.index.Load(), hierarchy.NewIndexFor(next, e.opts.Kits)
	ctx, cancel := context.WithTimeout(ctx, childrenTimeout)
	defer cancel()
	for i := range next.Res {
		r := &next.Res[i]
		if _, makes := e.opts.Kits[r.Kit].(kits.ChildMaker); !makes {
			continue
		}
		p := api.Prospect{Kit: r.Kit, Tag: r.Tag, On: map[string]map[string]string{}}
		for _, on := range r.On {
			if x.Server(on.Server) != nil && changesOn(x, nx, r.Tag, on.Server) {
				p.On[on.Server] = nil
			}
		}
		if no := p.Refusal(e.askPlaced(ctx, nx, p)); no != nil {
			return no
		}
	}
	return nil
}

// changesOn tells that a resource is new on a server, or has other fields there.
func changesOn(x, nx *hierarchy.Index, t hierarchy.Tag, server string) bool {
	return x.Placement(t, server) == nil ||
		!sameMap(hierarchy.InstanceOf(x, t, server, "").Attrs, hierarchy.InstanceOf(nx, t, server, "").Attrs)
}

// askPlaced asks servers of a definition about a resource and the children that it has in it.
func (e *Engine) askPlaced(ctx context.Context, nx *hierarchy.Index, p api.Prospect) []api.Found {
	servers := slices.Sorted(maps.Keys(p.On))
	out := make([]api.Found, len(servers))
	var wg sync.WaitGroup
	for i, s := range servers {
		wg.Go(func() {
			out[i] = api.Found{Server: s, Eligible: kits.Eligibility{Outcome: kits.OK}}
			for _, t := range append([]hierarchy.Tag{p.Tag}, nx.Children(p.Tag)...) {
				if el := e.askEligible(ctx, e.withRecord(hierarchy.InstanceOf(nx, t, s, ""))); el.Outcome != kits.OK {
					out[i].Eligible = el
					return
				}
			}
		})
	}
	wg.Wait()
	return out
}
