package r53sim

import (
	"encoding/xml"
	"slices"
	"strings"
)

func (c *call) createHostedZone() (answer, *apiError) {
	var in xmlZone
	if err := xml.Unmarshal(c.body, &in); err != nil || in.XMLName.Space != namespace {
		return answer{}, errInput("Invalid XML ; a CreateHostedZoneRequest of %s is expected", namespace)
	}
	spec, refused := in.spec(c.account)
	if refused != nil {
		return answer{}, refused
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused := s.collides(spec); refused != nil {
		return answer{}, refused
	}
	meta, err := s.complete(spec)
	if err != nil {
		return answer{}, refuse("InvalidDomainName", "%v", err)
	}
	z := &zone{meta: meta}
	made := s.open(z, c.at, s.opts.SyncLag, c.account, spec.Comment)
	z.versions = []version{{at: c.at, insync: made.InSync, records: withOwn(meta)}}
	s.zones = append(s.zones, z)
	s.events = append(s.events, Event{Kind: ZoneCreated, At: c.at, Zone: meta.ID, Change: made.ID, KeyID: c.keyID})
	c.header.Set("Location", "https://route53.amazonaws.com/2013-04-01/hostedzone/"+meta.ID)
	out := branch("CreateHostedZoneResponse", branch("HostedZone", z.elements()...), made.element(c.at))
	out.kids = append(out.kids, z.delegation())
	if meta.Private() {
		out.kids = append(out.kids, branch("VPC", meta.VPCs[0].elements()...))
	}
	return answer{root: out, status: 201}, nil
}

// spec is the zone that is asked for.
func (in xmlZone) spec(owner string) (Zone, *apiError) {
	name, err := Canonical(strings.TrimSpace(in.Name))
	switch {
	case err != nil:
		return Zone{}, refuse("InvalidDomainName", "%v", err)
	case name == ".":
		return Zone{}, refuse("InvalidDomainName", "FATAL problem: DomainLabelEmpty (Domain label is empty) encountered with ''")
	case in.CallerReference == "":
		return Zone{}, errInput("Invalid XML ; a CallerReference is expected")
	case in.DelegationSetId != "":
		return Zone{}, refuse("NoSuchDelegationSet", "A reusable delegation set with the specified ID does not exist.")
	}
	z := Zone{Name: name, CallerReference: in.CallerReference, Comment: in.HostedZoneConfig.Comment, Owner: owner}
	if in.VPC != nil {
		if !strings.HasPrefix(in.VPC.VPCId, "vpc-") {
			return Zone{}, refuse("InvalidVPCId", "The VPC: %s that you provided is not a valid VPC.", in.VPC.VPCId)
		}
		z.VPCs = []VPC{{Region: in.VPC.VPCRegion, ID: in.VPC.VPCId}}
	}
	return z, nil
}

// collides refuses what there is already. s.mu is held.
func (s *Server) collides(spec Zone) *apiError {
	for _, have := range s.zones {
		if have.meta.Owner == spec.Owner && have.meta.CallerReference == spec.CallerReference {
			return refuse("HostedZoneAlreadyExists", "A hosted zone has already been created with the specified caller reference.")
		}
		for _, v := range spec.VPCs {
			if have.meta.Name == spec.Name && slices.Contains(have.meta.VPCs, v) {
				return refuse("ConflictingDomainExists", "The VPC %s in region %s has already been associated with the hosted zone %s with the same domain name.", v.ID, v.Region, have.meta.ID)
			}
		}
	}
	return nil
}

func (c *call) deleteHostedZone() (answer, *apiError) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	z, refused := c.writable(c.zone)
	if refused != nil {
		return answer{}, refused
	}
	for _, r := range z.present() {
		if r.Name != z.meta.Name || r.Type != "SOA" && r.Type != "NS" {
			return answer{}, refuse("HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets and so cannot be deleted.")
		}
	}
	made := s.open(z, c.at, s.opts.SyncLag, c.account, "")
	s.zones = slices.DeleteFunc(s.zones, func(have *zone) bool { return have == z })
	s.events = append(s.events, Event{Kind: ZoneDeleted, At: c.at, Zone: z.meta.ID, Change: made.ID, KeyID: c.keyID})
	return answer{root: branch("DeleteHostedZoneResponse", made.element(c.at))}, nil
}
