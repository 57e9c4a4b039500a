package ec2sim

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// complete fills in what a spec may leave out and says everything that is wrong with it.
func complete(w *World, now time.Time) error {
	for i := range w.Keys {
		completeKey(&w.Keys[i])
	}
	c := checker{seen: map[string]bool{}}
	for i := range w.Regions {
		completeRegion(&w.Regions[i], now)
		c.region(&w.Regions[i])
	}
	return errors.Join(c.errs...)
}

func completeKey(k *Key) {
	if k.Account == "" {
		k.Account = DefaultAccount
	}
	if k.ARN == "" {
		k.ARN = "arn:aws:iam::" + k.Account + ":user/ferry"
	}
}

func completeRegion(r *Region, now time.Time) {
	for i := range r.VPCs {
		if r.VPCs[i].Owner == "" {
			r.VPCs[i].Owner = DefaultAccount
		}
	}
	for i := range r.Addresses {
		if r.Addresses[i].Owner == "" {
			r.Addresses[i].Owner = DefaultAccount
		}
	}
	for i := range r.Instances {
		completeInstance(&r.Instances[i], now)
	}
	for i := range r.RouteTables {
		addLocalRoutes(r, &r.RouteTables[i])
	}
	addDefaultACLs(r)
}

func completeInstance(i *Instance, now time.Time) {
	if i.State == "" {
		i.State = Running
	}
	if i.Actual == "" {
		i.Actual = i.State
	}
	if i.Type == "" {
		i.Type = "t3.small"
	}
	if i.Launched.IsZero() {
		i.Launched = now.Add(-24 * time.Hour) // long enough ago that the status checks are through
	}
}

// addLocalRoutes gives a table the routes that every table has and that cannot be removed.
func addLocalRoutes(r *Region, t *RouteTable) {
	vpc := find(r.VPCs, func(v *VPC) bool { return v.ID == t.VPC })
	if vpc == nil {
		return
	}
	var local []Route
	for _, cidr := range vpc.CIDRs {
		if t.Route(cidr) == nil {
			local = append(local, Route{Destination: cidr, Gateway: "local", Origin: "CreateRouteTable"})
		}
	}
	t.Routes = append(local, t.Routes...)
	for i := range t.Routes {
		if t.Routes[i].Origin == "" {
			t.Routes[i].Origin = "CreateRoute"
		}
	}
}

// checker collects what is wrong with a spec.
type checker struct {
	seen map[string]bool
	errs []error
	r    *Region
}

func (c *checker) bad(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(c.r.Name+": "+format, args...))
}

func (c *checker) id(id string) {
	if id == "" || c.seen[id] {
		c.bad("id %q is empty or used twice", id)
	}
	c.seen[id] = true
}

func (c *checker) cidr(text string) {
	if p, err := netip.ParsePrefix(text); err != nil || p != p.Masked() {
		c.bad("%q is not a CIDR block", text)
	}
}

func (c *checker) vpc(what, id string) {
	if !slices.ContainsFunc(c.r.VPCs, func(v VPC) bool { return v.ID == id }) {
		c.bad("%s names the unknown VPC %q", what, id)
	}
}

// region finds ids used twice, references to nothing and addresses that are none.
func (c *checker) region(r *Region) {
	c.r = r
	c.id(r.Name)
	for _, v := range r.VPCs {
		c.id(v.ID)
		if len(v.CIDRs) == 0 {
			c.bad("%s has no CIDR block", v.ID)
		}
		for _, block := range v.CIDRs {
			c.cidr(block)
		}
	}
	for _, s := range r.Subnets {
		c.id(s.ID)
		c.cidr(s.CIDR)
		c.vpc("subnet "+s.ID, s.VPC)
	}
	for _, i := range r.Instances {
		c.id(i.ID)
		if i.State.Code() < 0 || i.Actual.Code() < 0 {
			c.bad("%s: %q/%q is no instance state", i.ID, i.State, i.Actual)
		}
	}
	for _, a := range r.Addresses {
		c.id(a.AllocationID)
	}
	c.interfaces()
	c.tables()
	c.acls()
}

func (c *checker) interfaces() {
	for _, i := range c.r.Interfaces {
		c.id(i.ID)
		if _, err := netip.ParseAddr(i.PrivateIP); err != nil {
			c.bad("%s has no private address: %v", i.ID, err)
		}
		if !slices.ContainsFunc(c.r.Subnets, func(s Subnet) bool { return s.ID == i.Subnet }) {
			c.bad("interface %s names the unknown subnet %q", i.ID, i.Subnet)
		}
		if i.Instance != "" && !slices.ContainsFunc(c.r.Instances, func(n Instance) bool { return n.ID == i.Instance }) {
			c.bad("interface %s names the unknown instance %q", i.ID, i.Instance)
		}
	}
}

func (c *checker) tables() {
	for _, t := range c.r.RouteTables {
		c.id(t.ID)
		c.vpc("table "+t.ID, t.VPC)
		for _, rt := range t.Routes {
			c.cidr(rt.Destination)
			if (rt.Interface == "") == (rt.Gateway == "") {
				c.bad("route %s of %s needs exactly one target", rt.Destination, t.ID)
			}
		}
	}
}
