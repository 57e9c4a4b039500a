package hierarchy

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

func (c *checker) regions() {
	seen := map[string]bool{}
	for _, r := range c.e.Regions {
		here := at("region", r.Name)
		what := fmt.Sprintf("region %q", r.Name)
		if !c.name(here, "a region", r.Name) {
			continue
		}
		if seen[r.Name] {
			c.add(here, "keep one of the two", "%s is defined twice", what)
		}
		seen[r.Name] = true
		for _, cidr := range r.CIDRs {
			if p, err := netip.ParsePrefix(cidr); err != nil || p != p.Masked() {
				c.add(append(here, "cidrs"), `write a network like "10.0.0.0/16"`, "%s: %q is not a network", what, cidr)
			}
		}
		c.plainAll(here, what, "vpc", r.VPC, "profile", r.Profile)
		for _, t := range r.RouteTables {
			c.plainAll(here, what, "route_tables", t)
		}
		c.endpoint(append(here, "ec2_endpoint"), what, r.EndpointEC2)
		c.endpoint(append(here, "route53_endpoint"), what, r.EndpointDNS)
	}
}

func (c *checker) endpoint(at []string, what, s string) {
	if s == "" {
		return
	}
	if u, err := url.Parse(s); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil {
		c.add(at, `write it like "https://ec2.ap-northeast-1.amazonaws.com", without user or password`, "%s: the endpoint is not a URL", what)
	}
}

func (c *checker) servers() {
	seen, byAddress := map[string]bool{}, map[string]string{}
	for _, s := range c.e.Servers {
		here := at("server", s.Name)
		what := fmt.Sprintf("server %q", s.Name)
		if !c.name(here, "a server", s.Name) {
			continue
		}
		if seen[s.Name] {
			c.add(here, "keep one of the two, or give one another name", "%s is defined twice", what)
			continue
		}
		seen[s.Name] = true
		c.serverRegion(here, what, s)
		c.serverAddress(here, what, s, byAddress)
		c.plainAll(here, what, "zone", s.Zone, "connect", s.Connect, "interface", s.Interface, "instance", s.Instance, "eni", s.ENI)
		c.ssh(append(here, "ssh"), what, s.SSH)
		if c.x.ClusterOf(s.Name) == nil {
			c.add(here, fmt.Sprintf("add %q to the servers of a cluster, or remove the server", s.Name), "%s belongs to no cluster", what)
		}
	}
	c.ssh(at("ssh"), "the estate", c.e.SSH)
}

func (c *checker) serverRegion(here []string, what string, s Server) {
	if s.Region == "" {
		c.add(append(here, "region"), `write region = "…"`, "%s has no region", what)
	} else if c.x.Region(s.Region) == nil {
		names := c.regionNames()
		c.add(append(here, "region"), didYouMean(s.Region, names, fmt.Sprintf("define it as [region.%s]; %s", s.Region, oneOf(names))),
			"%s is in region %q, which is not defined", what, s.Region)
	}
}

func (c *checker) serverAddress(here []string, what string, s Server, seen map[string]string) {
	if s.Address == "" {
		c.add(append(here, "address"), `write address = "…", the private address of the node`, "%s has no address", what)
		return
	}
	a, err := netip.ParseAddr(s.Address)
	if err != nil || a.Zone() != "" {
		c.add(append(here, "address"), `write an IP address like "10.0.0.10"; a name to connect to goes into connect`, "%s: %q is not an address", what, s.Address)
		return
	}
	if other, twice := seen[a.String()]; twice {
		c.add(append(here, "address"), "give each server its own address", "%s has the address %s, and so has server %q", what, a, other)
		return
	}
	seen[a.String()] = s.Name
}

func (c *checker) ssh(here []string, what string, s SSH) {
	if s.Port < 0 || s.Port > 65535 {
		c.add(append(here, "port"), "write a number from 1 to 65535", "%s: %d is not a port", what, s.Port)
	}
	c.plainAll(here, what, "user", s.User, "identity", s.Identity, "known_hosts", s.KnownHosts, "jump", s.Jump, "config", s.Config)
}

func (c *checker) clusters() {
	seen, member := map[string]bool{}, map[string]string{}
	for i := range c.e.Cluster {
		cl := &c.e.Cluster[i]
		here := at("cluster", cl.Name)
		what := fmt.Sprintf("cluster %q", cl.Name)
		if !c.name(here, "a cluster", cl.Name) {
			continue
		}
		if seen[cl.Name] {
			c.add(here, "keep one of the two, or give one another name", "%s is defined twice", what)
			continue
		}
		seen[cl.Name] = true
		c.members(cl, what, member)
		c.quorum(cl, what)
		c.fencing(cl, what)
	}
}

func (c *checker) members(cl *Cluster, what string, member map[string]string) {
	here := at("cluster", cl.Name, "servers")
	if len(cl.Servers) == 0 {
		c.add(here, `write servers = ["…", "…"]`, "%s has no servers", what)
	}
	for _, s := range cl.Servers {
		other, taken := member[s]
		switch {
		case c.x.Server(s) == nil:
			names := c.serverNames()
			c.add(here, didYouMean(s, names, fmt.Sprintf("define it as [server.%s]; %s", s, oneOf(names))),
				"%s lists the server %q, which is not defined", what, s)
		case taken && other == cl.Name:
			c.add(here, "list each server once", "%s lists the server %q twice", what, s)
		case taken:
			c.add(here, "a server belongs to one cluster", "%s lists the server %q, which belongs to cluster %q", what, s, other)
		}
		member[s] = cl.Name
	}
}

func (c *checker) quorum(cl *Cluster, what string) {
	modes := []string{TCPRemote, Majority, NoQuorum}
	here := at("cluster", cl.Name, "quorum_mode")
	if cl.QuorumMode != "" && !slices.Contains(modes, cl.QuorumMode) {
		c.add(here, didYouMean(cl.QuorumMode, modes, "write tcp_remote, majority or none"), "%s: %q is not a quorum mode", what, cl.QuorumMode)
	}
	c.quorumHosts(at("cluster", cl.Name, "quorum_hosts"), what, cl.QuorumHosts)
	mode := cl.QuorumMode
	if mode == "" {
		mode = c.x.DefaultQuorumMode(cl)
	}
	n := len(cl.QuorumHosts)
	if mode == TCPRemote && n < 3 && (cl.QuorumMode == TCPRemote && c.e.Tuning[QuorumHosts] == "" || n > 0) {
		c.add(at("cluster", cl.Name, "quorum_hosts"),
			`write quorum_hosts = ["host:port", …] with at least three, in separate failure domains`,
			"%s: quorum mode tcp_remote needs at least three hosts, there are %d: the loss of one would block every failover", what, n)
	}
}

func (c *checker) quorumHosts(here []string, what string, hosts []string) {
	for i, h := range hosts {
		host, port, err := net.SplitHostPort(h)
		n, perr := strconv.Atoi(port)
		if err != nil || host == "" || perr != nil || n < 1 || n > 65535 || !plain(h) || strings.HasPrefix(h, "-") {
			c.add(here, `write it like "10.9.0.1:22"`, "%s: the quorum host %q is not host:port", what, h)
		} else if slices.Contains(hosts[:i], h) {
			c.add(here, "list each host once: one that counts twice proves nothing", "%s lists the quorum host %q twice", what, h)
		}
	}
}

func (c *checker) fencing(cl *Cluster, what string) {
	switch cl.Fencing {
	case "":
	case "ec2-stop":
		for _, s := range cl.Servers {
			if srv := c.x.Server(s); srv != nil && srv.Instance == "" {
				c.add(at("server", s, "instance"), `write instance = "i-…"`, "server %q has no instance id, so fencing of %s could not stop it", s, what)
			}
		}
	default:
		c.add(at("cluster", cl.Name, "fencing"), `write fencing = "ec2-stop", or leave it out`, "%s: %q is not a way of fencing", what, cl.Fencing)
	}
}

func (c *checker) paths() {
	nth := map[string]int{}
	for i, p := range c.e.Paths {
		here := at("cluster", p.Cluster, "path", strconv.Itoa(nth[p.Cluster]))
		nth[p.Cluster]++
		what := fmt.Sprintf("comm path from %q to %q", p.From, p.To)
		cl := c.x.Cluster(p.Cluster)
		if cl == nil {
			c.add(here, oneOf(c.clusterNames()), "%s is in cluster %q, which is not defined", what, p.Cluster)
			continue
		}
		for _, end := range [][2]string{{"from", p.From}, {"to", p.To}} {
			if !slices.Contains(cl.Servers, end[1]) {
				c.add(append(here, end[0]), didYouMean(end[1], cl.Servers, "its servers are "+strings.Join(cl.Servers, ", ")),
					"%s: %q is not a server of cluster %q", what, end[1], p.Cluster)
			}
		}
		if p.From == p.To {
			c.add(here, "a path joins two servers", "%s leads back to where it begins", what)
		}
		if slices.Contains(c.e.Paths[:i], p) {
			c.add(here, "keep one of them", "%s is declared twice", what)
		}
		c.pathDetails(here, what, p)
	}
}

func (c *checker) pathDetails(here []string, what string, p CommPath) {
	for _, a := range [][2]string{{"to_address", p.ToAddr}, {"from_address", p.FromAddr}} {
		if a[1] == "" && a[0] == "from_address" {
			continue
		}
		if _, err := netip.ParseAddr(a[1]); err != nil {
			c.add(append(here, a[0]), "write an IP address", "%s: %s is not an address: %q", what, a[0], a[1])
		}
	}
	if p.Priority < 0 {
		c.add(append(here, "priority"), "write 1 for the best path, 2 for the next", "%s: the priority %d is below zero", what, p.Priority)
	}
	for _, via := range p.Via.Tags() {
		if c.x.Resource(via) == nil {
			c.add(append(slices.Clone(here), "via"), didYouMean(string(via), c.x.names(), `write "cluster/tag" of a resource of this estate`),
				"%s goes via %q, which does not exist", what, via)
		}
	}
}

func (c *checker) regionNames() []string {
	var names []string
	for _, r := range c.e.Regions {
		names = append(names, r.Name)
	}
	return names
}

func (c *checker) serverNames() []string {
	var names []string
	for _, s := range c.e.Servers {
		names = append(names, s.Name)
	}
	return names
}

func (c *checker) clusterNames() []string {
	var names []string
	for _, cl := range c.e.Cluster {
		names = append(names, cl.Name)
	}
	return names
}
