package chaos

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// Shape is the estate of a scenario, in few words.
type Shape struct {
	Regions   []string
	Nodes     []Node
	VPN       bool   // two regions, joined by tunnels: see vpn.go
	Jump      bool   // the engine reaches the nodes through a bastion
	Quorum    string // "none", "majority" or "tcp_remote" with three witnesses
	Tuning    map[string]string
	Flags     []hierarchy.Flag
	Resources []Resource
}

// Node is a server of the estate's one cluster. Switch is its shutdown strategy: what
// runs there is taken elsewhere when it is shut down in good order.
type Node struct {
	Name, Region string
	Switch       bool
}

// Resource is one of kit app, ip, ec2 or route53 on nodes by priority.
type Resource struct {
	Name, Kit string
	Needs     []string
	On        []string
	Automatic bool // switchback
}

const (
	cluster = "c"
	bastion = "bastion"
)

func tag(name string) hierarchy.Tag { return hierarchy.MakeTag(cluster, name) }

// Estate is the definition that the shape means.
func (s Shape) Estate() *hierarchy.Estate {
	e := &hierarchy.Estate{Name: "chaos", Tuning: s.Tuning, Flags: s.Flags}
	for i, r := range s.Regions {
		e.Regions = append(e.Regions, hierarchy.Region{Name: r, VPC: "vpc-" + r, CIDRs: []string{fmt.Sprintf("10.%d.0.0/16", i)}})
	}
	c := hierarchy.Cluster{Name: cluster, QuorumMode: s.Quorum}
	for i, n := range s.Nodes {
		srv := s.server(n.Name, n.Region, i+1)
		srv.SwitchOnShutdown = n.Switch
		e.Servers = append(e.Servers, srv)
		c.Servers = append(c.Servers, n.Name)
	}
	if s.Quorum == hierarchy.TCPRemote {
		c.QuorumHosts = []string{"192.0.2.1:22", "192.0.2.2:22", "192.0.2.3:22"}
	}
	e.Cluster = []hierarchy.Cluster{c}
	if s.Jump {
		e.Servers = append(e.Servers, s.server(bastion, s.Regions[0], 200))
		e.Cluster = append(e.Cluster, hierarchy.Cluster{Name: "way", Servers: []string{bastion}, QuorumMode: hierarchy.NoQuorum})
	}
	for i, r := range s.Resources {
		e.Res = append(e.Res, s.resource(r, i))
	}
	if s.VPN && len(s.Regions) == 2 {
		s.addVPN(e)
	}
	return e
}

func (s Shape) server(name, region string, n int) hierarchy.Server {
	return hierarchy.Server{
		Name: name, Region: region, Zone: region + "-" + name, Interface: "eth0",
		Address: fmt.Sprintf("10.%d.%d.10", s.region(region), n), Instance: "i-" + name, ENI: "eni-" + name,
	}
}

func (s Shape) region(name string) int { return slices.Index(s.Regions, name) }

// regionOf is the region of a node.
func (s Shape) regionOf(node string) string {
	for _, n := range s.Nodes {
		if n.Name == node {
			return n.Region
		}
	}
	return ""
}

// switches tells whether a shutdown in good order moves what runs on the node.
func (s Shape) switches(node string) bool {
	return slices.ContainsFunc(s.Nodes, func(n Node) bool { return n.Name == node && n.Switch })
}

// address is the virtual IP of the i-th resource in a node's region.
func (s Shape) address(i int, node string) string {
	return fmt.Sprintf("10.%d.%d.10", 100+s.region(s.regionOf(node)), i+1)
}

// virtual is the same by the resource's name; empty when there is no such resource.
func (s Shape) virtual(r *Resource, node string) string {
	for i := range s.Resources {
		if r != nil && s.Resources[i].Name == r.Name {
			return s.address(i, node)
		}
	}
	return ""
}

// ipBelow is the IP resource that a resource stands on; nil when there is none.
func (s Shape) ipBelow(r *Resource) *Resource {
	for r != nil && r.Kit != "ip" {
		if len(r.Needs) == 0 {
			return nil
		}
		r = s.find(r.Needs[0])
	}
	return r
}

func (s Shape) resource(r Resource, i int) hierarchy.Resource {
	out := hierarchy.Resource{Tag: tag(r.Name), Kit: r.Kit, Cluster: cluster, Switchback: hierarchy.Intelligent, Attrs: map[string]string{}}
	if r.Automatic {
		out.Switchback = hierarchy.Automatic
	}
	for _, n := range r.Needs {
		out.Children = append(out.Children, tag(n))
	}
	if r.Kit == "route53" {
		out.Attrs["zone"], out.Attrs["host"] = zone, r.Name
	}
	if r.Kit == "app" {
		for _, what := range []string{"start", "stop", "check"} {
			out.Attrs[what] = scriptPath(r.Name, what)
		}
		out.Attrs["start_timeout"], out.Attrs["stop_timeout"], out.Attrs["check_timeout"] = "15", "15", "10"
	}
	for k, n := range r.On {
		p := hierarchy.Placement{Server: n, Priority: k + 1}
		if r.Kit == "ip" {
			p.Attrs = map[string]string{"address": s.address(i, n)}
		}
		out.On = append(out.On, p)
	}
	return out
}

func scriptPath(resource, what string) string { return "/etc/ferry/" + resource + "-" + what }

func (s Shape) find(name string) *Resource {
	for i := range s.Resources {
		if s.Resources[i].Name == name {
			return &s.Resources[i]
		}
	}
	return nil
}

// confirm tells whether a person must say yes before taker takes over from holder.
func (s Shape) confirm(taker, holder string) bool {
	if s.regionOf(taker) != s.regionOf(holder) {
		return true
	}
	return slices.ContainsFunc(s.Flags, func(f hierarchy.Flag) bool { return f.Viewer == taker && f.Peer == holder && f.Confirm })
}

// hierarchy lists what is connected with a resource by dependencies, itself included.
func (s Shape) hierarchy(name string) []string {
	all := []string{name}
	for i := 0; i < len(all); i++ {
		for _, r := range s.Resources {
			linked := r.Name == all[i] || slices.Contains(r.Needs, all[i])
			if linked && !slices.Contains(all, r.Name) {
				all = append(all, r.Name)
			}
			if linked && r.Name == all[i] {
				for _, n := range r.Needs {
					if !slices.Contains(all, n) {
						all = append(all, n)
					}
				}
			}
		}
	}
	return all
}

func (s Shape) seconds(name string, def int) int {
	if v, err := strconv.Atoi(s.Tuning[name]); err == nil {
		return v
	}
	return def
}
