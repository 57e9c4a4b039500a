package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// FailureKind is what fails in a line of the matrix.
type FailureKind string

// The kinds of failure, in the order of the matrix.
const (
	NodeFails       FailureKind = "node"        // one server loses its power
	ZoneFails       FailureKind = "zone"        // all servers of an availability zone do
	RegionFails     FailureKind = "region"      // all servers of a region do
	LinkFails       FailureKind = "link"        // two servers of a cluster do not reach each other
	RegionLinkFails FailureKind = "region-link" // nothing gets from one region to the other
	HopFails        FailureKind = "hop"         // the host through which the engine reaches servers
	EngineFails     FailureKind = "engine"      // the engine's host, or its way to everything
	CloudFails      FailureKind = "cloud"       // the AWS API gives no answer
)

// Outcome is what a failure leads to for one hierarchy.
type Outcome string

// The outcomes.
const (
	GoesOn    Outcome = "goes-on"    // it stays in service where it is
	FailsOver Outcome = "fails-over" // it moves by itself
	Asks      Outcome = "asks"       // a person is asked before it moves
	Stops     Outcome = "stops"      // it is not in service any more, and nothing moves by itself
)

// Consequence is what becomes of one hierarchy, and why.
type Consequence struct {
	// Tag is the hierarchy's top: what nothing else needs.
	Tag hierarchy.Tag `json:"tag"`
	// At is where it was in service; To is where it would go, or where the question would put it.
	At      string  `json:"at"`
	Outcome Outcome `json:"outcome"`
	To      string  `json:"to,omitempty"`
	// Why are the policy's own reasons: for each server that it did not choose, why not.
	Why []policy.NodeReason `json:"why,omitempty"`
}

// MatrixLine is one failure and all that follows from it.
type MatrixLine struct {
	Kind FailureKind `json:"kind"`
	// What fails: a server, a zone, "A - B", a region.
	What string `json:"what"`
	// Apart: the regions do not reach each other either when it fails. Consequences are then
	// only those that differ from what that alone leads to.
	Apart bool `json:"apart,omitempty"`
	// Engine is the region in which the engine is taken to be where that matters; empty
	// where it reaches all regions by ways of its own.
	Engine string `json:"engine,omitempty"`
	// Failure is it in words.
	Failure      string        `json:"failure"`
	Consequences []Consequence `json:"consequences"`

	imagined policy.Imagined
}

// Matrix says what every single failure would lead to: the very decisions that the
// engine would make, one simulation for each line. active is where resources are in
// service. Every line is asked again with the regions apart, where the estate has more
// than one.
//
// Servers that would take over are taken to reach their witnesses; under quorum mode
// majority what they reach is counted.
func Matrix(x *hierarchy.Index, reg kits.Registry, at time.Time, active map[hierarchy.Tag]string) ([]MatrixLine, error) {
	var out []MatrixLine
	var apart []Consequence // what the regions' being apart leads to, by itself
	for _, l := range failures(x, reg, active) {
		l.imagined.Active, l.imagined.Unrepairable = active, true
		l.imagined.FailQuorum = minorities(x, l.imagined)
		sim, err := policy.SimulateOn(x, reg, at, l.imagined)
		if err != nil {
			return nil, fmt.Errorf("what if %s: %w", l.Failure, err)
		}
		l.Consequences = consequences(x, l.imagined, sim)
		switch {
		case l.Kind == RegionLinkFails && l.Engine == "":
			apart = l.Consequences
		case l.Apart:
			l.Consequences = slices.DeleteFunc(slices.Clone(l.Consequences), func(c Consequence) bool {
				return slices.ContainsFunc(apart, func(o Consequence) bool { return o.Tag == c.Tag && o.Outcome == c.Outcome && o.To == c.To })
			})
		}
		out = append(out, l)
	}
	return out, nil
}

// consequences reads what the simulation decided, hierarchy by hierarchy.
func consequences(x *hierarchy.Index, im policy.Imagined, sim *policy.Simulated) []Consequence {
	var out []Consequence
	for i := range x.Estate().Res {
		tag := x.Estate().Res[i].Tag
		if im.Active[tag] == "" || slices.ContainsFunc(x.Parents(tag), func(p hierarchy.Tag) bool { return im.Active[p] != "" }) {
			continue
		}
		out = append(out, consequence(x, tag, im, sim))
	}
	return out
}

func consequence(x *hierarchy.Index, tag hierarchy.Tag, im policy.Imagined, sim *policy.Simulated) Consequence {
	c := Consequence{Tag: tag, At: im.Active[tag], Outcome: GoesOn}
	gone := slices.Contains(im.FailNodes, c.At) || slices.ContainsFunc(im.FailResources, func(r hierarchy.Ref) bool {
		return r.Node == c.At && (r.Tag == tag || slices.Contains(x.Descendants(tag), r.Tag))
	})
	if gone {
		c.Outcome = Stops
	}
	if v, is := sim.Verdicts[c.At]; is {
		c.Why = []policy.NodeReason{{Code: v.Evidence.Code, Node: c.At, Args: v.Evidence.Args, Text: v.Evidence.Text}}
	}
	for _, d := range sim.Decisions { // the last word counts: verdicts come one after the other
		if d.Tag != tag && (x.HierarchyID(d.Tag) != x.HierarchyID(tag) || d.From != c.At) {
			continue
		}
		switch d.Action {
		case policy.DoFailover, policy.DoSwitchback:
			c.Outcome, c.To, c.Why = FailsOver, d.To, d.Reasons
		case policy.DoConfirm:
			c.Outcome, c.To, c.Why = Asks, d.To, d.Reasons
		case policy.DoNothing, policy.DoHold:
			c.To, c.Why = "", d.Reasons
			if c.Outcome = GoesOn; gone {
				c.Outcome = Stops
			}
		}
	}
	return c
}

// minorities are the servers that would not have quorum under mode majority: those that
// reach half of their cluster or less, themselves included.
func minorities(x *hierarchy.Index, im policy.Imagined) []string {
	var out []string
	for _, cl := range x.Estate().Cluster {
		for _, s := range cl.Servers {
			if x.Quorum(s).Mode != hierarchy.Majority || slices.Contains(im.FailNodes, s) {
				continue
			}
			reached := 0
			for _, p := range cl.Servers {
				if !slices.Contains(im.FailNodes, p) && !slices.Contains(im.Cut, [2]string{s, p}) && !slices.Contains(im.Cut, [2]string{p, s}) {
					reached++
				}
			}
			if 2*reached <= len(cl.Servers) {
				out = append(out, s)
			}
		}
	}
	return out
}

// failures are all lines, with nothing decided yet.
func failures(x *hierarchy.Index, reg kits.Registry, active map[hierarchy.Tag]string) []MatrixLine {
	one := slices.Concat(nodeFailures(x), zoneFailures(x), regionFailures(x), linkFailures(x))
	out := slices.Clone(one)
	cut := regionsApart(x, reg, active)
	if len(cut.Cut) > 0 {
		out = append(out, linkOfRegions(x, cut)...)
	}
	out = append(out, wayFailures(x)...)
	if len(cut.Cut) == 0 {
		return out
	}
	for _, l := range one {
		if l.Kind == LinkFails {
			continue // of two failures at a time, only those that take servers
		}
		l.Apart, l.Failure = true, l.Failure+" while the regions do not reach each other"
		l.imagined.Cut, l.imagined.FailResources = cut.Cut, cut.FailResources
		out = append(out, l)
	}
	return out
}

func lost(kind FailureKind, what, failure string, servers ...string) MatrixLine {
	return MatrixLine{Kind: kind, What: what, Failure: failure, imagined: policy.Imagined{FailNodes: servers}}
}

func nodeFailures(x *hierarchy.Index) (out []MatrixLine) {
	for _, s := range x.Estate().Servers {
		out = append(out, lost(NodeFails, s.Name, s.Name+" loses its power", s.Name))
	}
	return out
}

// serversBy groups the servers, in the definition's order.
func serversBy(x *hierarchy.Index, key func(*hierarchy.Server) string) (keys []string, servers map[string][]string) {
	servers = map[string][]string{}
	for i := range x.Estate().Servers {
		s := &x.Estate().Servers[i]
		if k := key(s); k != "" {
			if servers[k] == nil {
				keys = append(keys, k)
			}
			servers[k] = append(servers[k], s.Name)
		}
	}
	return keys, servers
}

func zoneFailures(x *hierarchy.Index) (out []MatrixLine) {
	zones, in := serversBy(x, func(s *hierarchy.Server) string { return s.Zone })
	for _, z := range zones {
		out = append(out, lost(ZoneFails, z, "zone "+z+" fails", in[z]...))
	}
	return out
}

func regionFailures(x *hierarchy.Index) (out []MatrixLine) {
	regions, in := serversBy(x, func(s *hierarchy.Server) string { return s.Region })
	for _, r := range regions {
		out = append(out, lost(RegionFails, r, "region "+r+" fails", in[r]...))
	}
	return out
}

func linkFailures(x *hierarchy.Index) (out []MatrixLine) {
	for _, cl := range x.Estate().Cluster {
		for i, a := range cl.Servers {
			for _, b := range cl.Servers[i+1:] {
				out = append(out, MatrixLine{Kind: LinkFails, What: a + " - " + b, Failure: a + " and " + b + " do not reach each other",
					imagined: policy.Imagined{Cut: [][2]string{{a, b}}}})
			}
		}
	}
	return out
}

// regionsApart cuts every pair over two regions, and lets fail what carries traffic between them.
func regionsApart(x *hierarchy.Index, reg kits.Registry, active map[hierarchy.Tag]string) policy.Imagined {
	var im policy.Imagined
	for _, cl := range x.Estate().Cluster {
		for i, a := range cl.Servers {
			for _, b := range cl.Servers[i+1:] {
				if !x.SameRegion(a, b) {
					im.Cut = append(im.Cut, [2]string{a, b})
				}
			}
		}
	}
	for i := range x.Estate().Res {
		r := &x.Estate().Res[i]
		if _, carries := reg[r.Kit].(kits.Carrier); !carries || active[r.Tag] == "" {
			continue
		}
		sc, ok := reg[r.Kit].(kits.StandbyChecker)
		for _, p := range r.On {
			if p.Server == active[r.Tag] || ok && sc.ChecksStandby() {
				im.FailResources = append(im.FailResources, hierarchy.Ref{Tag: r.Tag, Node: p.Server})
			}
		}
	}
	return im
}

// linkOfRegions asks where the engine is: in one of them it reaches nothing of the other.
func linkOfRegions(x *hierarchy.Index, cut policy.Imagined) []MatrixLine {
	regions, in := serversBy(x, func(s *hierarchy.Server) string { return s.Region })
	what := strings.Join(regions, " - ")
	out := []MatrixLine{{Kind: RegionLinkFails, What: what, Failure: "the regions do not reach each other, and the engine reaches all of them", imagined: cut}}
	for _, r := range regions {
		l := MatrixLine{Kind: RegionLinkFails, What: what, Engine: r, Failure: "the regions do not reach each other, and the engine is in " + r, imagined: cut}
		for _, other := range regions {
			if other != r {
				l.imagined.Beyond = append(l.imagined.Beyond, in[other]...)
			}
		}
		out = append(out, l)
	}
	return out
}

// wayFailures are those of the engine's own: its jump hosts, itself, AWS.
func wayFailures(x *hierarchy.Index) (out []MatrixLine) {
	hops, behind := serversBy(x, func(s *hierarchy.Server) string {
		if s.SSH.Jump != "" {
			return s.SSH.Jump
		}
		return x.Estate().SSH.Jump
	})
	for _, h := range hops {
		out = append(out, MatrixLine{Kind: HopFails, What: h, Failure: "the engine does not reach " + h + ", through which it reaches servers", imagined: policy.Imagined{Beyond: behind[h]}})
	}
	var all []string
	for _, s := range x.Estate().Servers {
		all = append(all, s.Name)
	}
	return append(out,
		MatrixLine{Kind: EngineFails, What: "engine", Failure: "the engine's host fails, or reaches nothing any more", imagined: policy.Imagined{Beyond: all}},
		MatrixLine{Kind: CloudFails, What: "AWS API", Failure: "the AWS API gives no answer", imagined: policy.Imagined{CloudSilent: true}})
}
