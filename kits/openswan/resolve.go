package openswan

import (
	"fmt"
	"strings"
)

// defaults is the section that every connection inherits from.
const defaults = "%default"

// alsoDepth is how long a chain of also= may be.
const alsoDepth = 20

// find gives the one section of that name; nil when there is none.
func (c *conf) find(name string) (*section, error) {
	var found *section
	for _, s := range c.conns {
		if s.name != name {
			continue
		}
		if found != nil {
			return nil, s.at.errorf("conn %s is already at %s; keep one of them", name, found.at)
		}
		found = s
	}
	return found, nil
}

// names are the connections that can be chosen: those with both ends. Sections
// that others draw on by also= have one end or none.
func (c *conf) names() []string {
	var out []string
	for _, s := range c.conns {
		if strings.HasPrefix(s.name, "%") {
			continue
		}
		p, err := c.params(s.name)
		if err == nil && p["left"].text != "" && p["right"].text != "" {
			out = append(out, s.name)
		}
	}
	return out
}

// params are a connection's parameters after also= and %default.
func (c *conf) params(name string) (map[string]value, error) {
	s, err := c.find(name)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, fmt.Errorf("ipsec.conf has no conn %s", name)
	}
	out, err := c.own(s, nil)
	if err != nil {
		return nil, err
	}
	base := map[string]value{}
	for _, d := range c.conns {
		if d.name != defaults {
			continue
		}
		more, err := c.own(d, nil)
		if err != nil {
			return nil, err
		}
		if err := join(base, more, defaults); err != nil {
			return nil, err
		}
	}
	fill(out, base)
	return out, nil
}

// own is what a section says itself and by also=. What it says itself comes first; two
// sections that it draws on must not contradict each other, because the daemons differ
// in which of them they believe.
func (c *conf) own(s *section, chain []string) (map[string]value, error) {
	for _, seen := range chain {
		if seen == s.name {
			return nil, s.at.errorf("also= goes round in a circle: %s", strings.Join(append(chain, s.name), " → "))
		}
	}
	if len(chain) >= alsoDepth {
		return nil, s.at.errorf("a chain of more than %d also=", alsoDepth)
	}
	if v, ok := s.params["alsoflip"]; ok {
		return nil, v.at.errorf("alsoflip= is not supported; write the connection out")
	}
	chain = append(chain[:len(chain):len(chain)], s.name)
	out, drawn := map[string]value{}, map[string]value{}
	fill(out, s.params)
	for _, a := range s.also {
		from, err := c.find(a.text)
		if err != nil {
			return nil, err
		}
		if from == nil {
			return nil, a.at.errorf("also=%s: there is no conn %s", a.text, a.text)
		}
		more, err := c.own(from, chain)
		if err != nil {
			return nil, err
		}
		for k := range out {
			delete(more, k)
		}
		if err := join(drawn, more, s.name); err != nil {
			return nil, err
		}
	}
	fill(out, drawn)
	return out, nil
}

// fill adds what is not there yet.
func fill(to, from map[string]value) {
	for k, v := range from {
		if _, ok := to[k]; !ok {
			to[k] = v
		}
	}
}

// join adds, and refuses two values for one parameter that the kit reads.
func join(to, from map[string]value, name string) error {
	for _, k := range read {
		was, twice := to[k]
		if v, ok := from[k]; ok && twice && v.text != was.text {
			return v.at.errorf("conn %s is given two values for %s: the other is at %s", name, k, was.at)
		}
	}
	fill(to, from)
	return nil
}

// read are the parameters that the kit takes its facts from.
var read = []string{
	"left", "leftid", "leftsubnet", "leftsubnets", "leftsourceip",
	"right", "rightid", "rightsubnet", "rightsubnets", "rightsourceip",
}
