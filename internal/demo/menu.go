package demo

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
	"github.com/ferry-ha/ferry/internal/sim/r53sim"
)

// The groups of the menu.
const (
	groupNodes   = "nodes"
	groupService = "service"
	groupData    = "data"
	groupNetwork = "network"
	groupAWS     = "aws"
	groupEngine  = "engine"
)

// menu is everything that can be broken, what a newcomer tries first on top.
func (d *Demo) menu() []*Breakage {
	var out []*Breakage
	nodes := d.servers()
	for _, n := range nodes {
		out = append(out, d.power(n))
	}
	for _, n := range nodes {
		out = append(out, d.hang(n))
	}
	out = append(out, d.regionLost())
	if d.data.sid == "" {
		out = append(out, d.killService(), d.programFails())
	} else {
		out = append(out, d.database()...)
	}
	out = append(out, d.network(nodes)...)
	out = append(out, d.tunnels()...)
	return append(out, d.record(), d.route(), d.throttled(), d.silent(), d.killEngine())
}

// servers are the nodes that the service can run on.
func (d *Demo) servers() []string {
	var out []string
	x := hierarchy.NewIndex(d.sim.Definition)
	for _, r := range d.sim.Definition.Res {
		if len(x.Parents(r.Tag)) > 0 || len(out) > 0 {
			continue
		}
		for _, p := range x.PlacementsByPriority(r.Tag) {
			out = append(out, p.Server)
		}
	}
	return out
}

// words are a kind's where there is data beside the service: then more is to be expected.
func (d *Demo) words(kind string) string {
	if d.data.mirror != "" && slices.Contains([]string{"power", "region", "regions", "pair"}, kind) {
		return kind + "-data"
	}
	return kind
}

func (d *Demo) power(node string) *Breakage {
	n := d.sim.Nodes.Node(node)
	return &Breakage{ID: "power/" + node, Kind: "power", Words: d.words("power"), Group: groupNodes, Node: node,
		broken: func() bool { return !n.Powered() },
		breaks: func() error { return d.sim.PowerOff(node) },
		mends:  func() error { return d.sim.PowerOn(node) }}
}

func (d *Demo) hang(node string) *Breakage {
	n, t := d.sim.Nodes.Node(node), &toggle{}
	return &Breakage{ID: "hang/" + node, Kind: "hang", Group: groupNodes, Node: node,
		broken: t.is, breaks: t.turn(true, n.Hang), mends: t.turn(false, n.Resume)}
}

// regionLost takes the power of everything in the first region at once.
func (d *Demo) regionLost() *Breakage {
	region := d.sim.Definition.Regions[0].Name
	each := func(do func(string) error) func() error {
		return func() error {
			var errs []error
			for _, s := range d.sim.Definition.Servers {
				if s.Region == region {
					errs = append(errs, do(s.Name))
				}
			}
			return errors.Join(errs...)
		}
	}
	return &Breakage{ID: "power/region", Kind: "region", Words: d.words("region"), Group: groupNodes, Node: region,
		broken: func() bool {
			for _, s := range d.sim.Definition.Servers {
				if s.Region == region && d.sim.Nodes.Node(s.Name).Powered() {
					return false
				}
			}
			return true
		},
		breaks: each(d.sim.PowerOff), mends: each(d.sim.PowerOn)}
}

func (d *Demo) network(nodes []string) []*Breakage {
	var out []*Breakage
	cut := func(id, kind, a, b string, breaks, mends func()) {
		t := &toggle{}
		out = append(out, &Breakage{ID: id, Kind: kind, Words: d.words(kind), Group: groupNetwork, Node: a, Other: b,
			broken: t.is, breaks: t.turn(true, breaks), mends: t.turn(false, mends)})
	}
	if r := d.sim.Definition.Regions; len(r) > 1 {
		cut("cut/regions", "regions", r[0].Name, r[1].Name,
			func() { d.sim.CutRegions(r[0].Name, r[1].Name) }, func() { d.sim.HealRegions(r[0].Name, r[1].Name) })
	}
	if len(nodes) > 1 {
		a, b := nodes[0], nodes[1]
		cut("cut/pair", "pair", a, b, func() { d.sim.Nodes.Cut(a, b) }, func() { d.sim.Nodes.Heal(a, b) })
	}
	cut("cut/engine", "blind", "", "", func() { d.sim.Nodes.CutNode(nodesim.Engine) }, func() { d.sim.Nodes.HealNode(nodesim.Engine) })
	return out
}

// record is a person at the AWS console who writes a wrong address into the A record.
func (d *Demo) record() *Breakage {
	var mu sync.Mutex
	var before r53sim.Record
	zone, name := d.client.zone, d.client.host+"."+d.client.zone
	broken := func() bool {
		r, ok := d.sim.Route53.Record(zone, name, "A")
		return ok && len(r.Values) == 1 && r.Values[0] == wrong
	}
	return &Breakage{ID: "aws/record", Kind: "record", Group: groupAWS, Passing: true, broken: broken,
		breaks: func() error {
			mu.Lock()
			defer mu.Unlock()
			r, ok := d.sim.Route53.Record(zone, name, "A")
			if !ok {
				return fmt.Errorf("the zone %s has no record %s", zone, name)
			}
			before = r
			r.Values = []string{wrong}
			return d.sim.Route53.SetRecord(zone, r)
		},
		mends: func() error {
			mu.Lock()
			defer mu.Unlock()
			if !broken() {
				return nil
			}
			return d.sim.Route53.SetRecord(zone, before)
		}}
}

// route is a person at the AWS console who points the virtual IP's route at a node that
// never has it: a VPN node of the region.
func (d *Demo) route() *Breakage {
	var mu sync.Mutex
	var table string
	var before, after ec2sim.Route
	broken := func() bool {
		w := d.sim.EC2.Snapshot()
		t := w.Table(table)
		if t == nil {
			return false
		}
		r := t.Route(after.Destination)
		return r != nil && r.Interface == after.Interface
	}
	return &Breakage{ID: "aws/route", Kind: "route", Group: groupAWS, Passing: true,
		broken: func() bool { mu.Lock(); defer mu.Unlock(); return broken() },
		breaks: func() error {
			mu.Lock()
			defer mu.Unlock()
			var err error
			table, before, after, err = d.misroute()
			if err != nil {
				return err
			}
			return d.sim.EC2.SetRoute(table, after)
		},
		mends: func() error {
			mu.Lock()
			defer mu.Unlock()
			if !broken() {
				return nil
			}
			return d.sim.EC2.SetRoute(table, before)
		}}
}

// misroute is the route of the virtual IP in service as it is, and as it must not be.
func (d *Demo) misroute() (table string, before, after ec2sim.Route, err error) {
	x := hierarchy.NewIndex(d.sim.Definition)
	node := d.running()
	region := x.Region(x.RegionOf(node))
	if node == "" || region == nil {
		return "", before, after, fmt.Errorf("the service runs nowhere at this moment")
	}
	table = sim.TableOf(*region)
	w := d.sim.EC2.Snapshot()
	t := w.Table(table)
	if t == nil || t.Route(d.addressOn(node)+"/32") == nil {
		return "", before, after, fmt.Errorf("%s has no route to %s", table, d.addressOn(node))
	}
	before = *t.Route(d.addressOn(node) + "/32")
	after = ec2sim.Route{Destination: before.Destination}
	for _, s := range d.sim.Definition.Servers {
		if s.Region == region.Name && x.ClusterOf(s.Name) != x.ClusterOf(node) {
			after.Interface = s.ENI
		}
	}
	if after.Interface == "" || strings.EqualFold(after.Interface, before.Interface) {
		return "", before, after, fmt.Errorf("%s has no other node to point the route at", region.Name)
	}
	return table, before, after, nil
}

// throttled answers every call to AWS with "slow down", silent none at all.
func (d *Demo) throttled() *Breakage {
	return d.faults("throttled", ec2sim.Throttle("", 0), r53sim.Throttle("", 0))
}

func (d *Demo) silent() *Breakage {
	return d.faults("silent", ec2sim.Fault{Hang: true}, r53sim.Fault{Hang: true})
}

func (d *Demo) faults(kind string, ec2 ec2sim.Fault, names r53sim.Fault) *Breakage {
	t := &toggle{}
	var remove []func()
	return &Breakage{ID: "aws/" + kind, Kind: kind, Group: groupAWS, broken: t.is,
		breaks: t.turn(true, func() { remove = []func(){d.sim.EC2.Inject(ec2), d.sim.Route53.Inject(names)} }),
		mends: t.turn(false, func() {
			for _, f := range remove {
				f()
			}
		})}
}

func (d *Demo) killEngine() *Breakage {
	return &Breakage{ID: "engine/kill", Kind: "engine", Group: groupEngine, Passing: true,
		broken: func() bool { return d.current() == nil },
		breaks: d.kill,
		mends:  func() error { return nil }} // the next one starts by itself
}
