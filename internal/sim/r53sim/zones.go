package r53sim

import (
	"encoding/xml"
	"slices"
	"strconv"
	"strings"
)

// owned is the zone with that id, if it is the caller's. s.mu is held.
func (c *call) owned(id string) (*zone, *apiError) {
	for _, z := range c.s.zones {
		if z.meta.ID != id {
			continue
		}
		if z.meta.Owner != c.account {
			return nil, errForeign(c.arn)
		}
		return z, nil
	}
	return nil, errNoZone(id)
}

// writable is the zone with that id, if the caller may change it now. s.mu is held.
func (c *call) writable(id string) (*zone, *apiError) {
	z, refused := c.owned(id)
	switch {
	case refused != nil:
		return nil, refused
	case z.meta.Service != "":
		return nil, refuse("AccessDenied", "The resource hostedzone/%s can only be managed through %s", id, z.meta.Service)
	case c.at.Before(z.busy):
		return nil, errPrior()
	}
	return z, nil
}

// mine are the caller's zones. s.mu is held.
func (c *call) mine() []*zone {
	var out []*zone
	for _, z := range c.s.zones {
		if z.meta.Owner == c.account {
			out = append(out, z)
		}
	}
	return out
}

func (z *zone) elements() []element {
	m := z.meta
	out := []element{
		leaf("Id", "/hostedzone/"+m.ID), leaf("Name", m.Name), leaf("CallerReference", m.CallerReference),
		branch("Config", leaf("Comment", m.Comment), leaf("PrivateZone", m.Private())),
		leaf("ResourceRecordSetCount", len(z.present())),
	}
	if m.Service != "" {
		out = append(out, branch("LinkedService", leaf("ServicePrincipal", m.Service), leaf("Description", "managed by "+m.Service)))
	}
	return out
}

func (v VPC) elements() []element {
	return []element{leaf("VPCRegion", v.Region), leaf("VPCId", v.ID)}
}

func (z *zone) delegation() element {
	return branch("DelegationSet", texts("NameServers", "NameServer", z.meta.NameServers))
}

func (c *call) getHostedZone() (answer, *apiError) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	z, refused := c.owned(c.zone)
	if refused != nil {
		return answer{}, refused
	}
	out := branch("GetHostedZoneResponse", branch("HostedZone", z.elements()...))
	if z.meta.Private() {
		out.kids = append(out.kids, list("VPCs", "VPC", z.meta.VPCs, VPC.elements))
	} else {
		out.kids = append(out.kids, z.delegation())
	}
	return answer{root: out}, nil
}

// pageSize reads maxitems.
func (c *call) pageSize(most int) (int, *apiError) {
	if p := c.s.opts.PageSize; p > 0 {
		most = min(most, p)
	}
	text := c.query.Get("maxitems")
	if text == "" {
		return most, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, errInput("Invalid value for maxItems: %s", text)
	}
	return min(n, most), nil
}

func (c *call) listHostedZones() (answer, *apiError) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	size, refused := c.pageSize(100)
	if refused != nil {
		return answer{}, refused
	}
	all, marker := c.mine(), c.query.Get("marker")
	if marker != "" {
		at := slices.IndexFunc(all, func(z *zone) bool { return z.meta.ID == marker })
		if at < 0 {
			return answer{}, errInput("Invalid marker: %s", marker)
		}
		all = all[at:]
	}
	page := all[:min(size, len(all))]
	out := branch("ListHostedZonesResponse", list("HostedZones", "HostedZone", page, (*zone).elements),
		leaf("Marker", marker), leaf("IsTruncated", len(page) < len(all)))
	if len(page) < len(all) {
		out.kids = append(out.kids, leaf("NextMarker", all[len(page)].meta.ID))
	}
	out.kids = append(out.kids, leaf("MaxItems", size))
	return answer{root: out}, nil
}

func (c *call) listHostedZonesByName() (answer, *apiError) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	size, refused := c.pageSize(100)
	if refused != nil {
		return answer{}, refused
	}
	name, id := c.query.Get("dnsname"), strings.TrimPrefix(c.query.Get("hostedzoneid"), "/hostedzone/")
	if id != "" && name == "" {
		return answer{}, errInput("A hosted zone id needs a DNS name beside it.")
	}
	start, err := Canonical(name)
	if err != nil {
		return answer{}, refuse("InvalidDomainName", "%v", err)
	}
	all := c.mine()
	slices.SortStableFunc(all, byNameAndID)
	if name != "" {
		from := &zone{meta: Zone{Name: start, ID: id}}
		all = slices.DeleteFunc(all, func(z *zone) bool { return byNameAndID(z, from) < 0 })
	}
	page := all[:min(size, len(all))]
	out := branch("ListHostedZonesByNameResponse", list("HostedZones", "HostedZone", page, (*zone).elements),
		leaf("DNSName", name), leaf("HostedZoneId", id), leaf("IsTruncated", len(page) < len(all)))
	if len(page) < len(all) {
		next := all[len(page)].meta
		out.kids = append(out.kids, leaf("NextDNSName", next.Name), leaf("NextHostedZoneId", next.ID))
	}
	out.kids = append(out.kids, leaf("MaxItems", size))
	return answer{root: out}, nil
}

func byNameAndID(a, b *zone) int {
	if c := strings.Compare(sortKey(a.meta.Name), sortKey(b.meta.Name)); c != 0 {
		return c
	}
	return strings.Compare(a.meta.ID, b.meta.ID)
}

// listTags knows the tags of hosted zones only.
func (c *call) listTags() (answer, *apiError) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	kind := c.asked["type"]
	switch kind {
	case "hostedzone":
	case "healthcheck":
		return answer{}, refuse("NoSuchHealthCheck", "No health check exists with the specified ID: %s", c.id)
	default:
		return answer{}, errInput("%s is no type of a resource with tags", kind)
	}
	z, refused := c.owned(c.id)
	if refused != nil {
		return answer{}, refused
	}
	var names []string
	for name := range z.meta.Tags {
		names = append(names, name)
	}
	slices.Sort(names)
	tags := list("Tags", "Tag", names, func(n string) []element { return []element{leaf("Key", n), leaf("Value", z.meta.Tags[n])} })
	return answer{root: branch("ListTagsForResourceResponse", branch("ResourceTagSet", leaf("ResourceType", kind), leaf("ResourceId", c.id), tags))}, nil
}

// xmlZone is a CreateHostedZoneRequest.
type xmlZone struct {
	XMLName               xml.Name
	Name, CallerReference string
	VPC                   *struct{ VPCRegion, VPCId string }
	HostedZoneConfig      struct{ Comment string }
	DelegationSetId       string
}
