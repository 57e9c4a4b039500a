package r53sim

import "slices"

// testAnswer is TestDNSAnswer: what the zone's name servers say, without asking one.
func (c *call) testAnswer() (answer, *apiError) {
	c.s.mu.Lock()
	z, refused := c.owned(c.zone)
	c.s.mu.Unlock()
	if refused != nil {
		return answer{}, refused
	}
	name, err := Canonical(c.query.Get("recordname"))
	kind := c.query.Get("recordtype")
	if err != nil || !isType(kind) {
		return answer{}, errInput("The record name or type is not valid.")
	}
	values, code := []string{}, "REFUSED"
	served := c.s.Served(View{})
	if at := slices.IndexFunc(served, func(have Zone) bool { return have.ID == z.meta.ID }); at >= 0 && inZone(name, z.meta.Name) {
		values, code = served[at].Resolve(name, kind)
	}
	return answer{root: branch("TestDNSAnswerResponse",
		leaf("Nameserver", z.meta.NameServers[0]), leaf("RecordName", name), leaf("RecordType", kind),
		texts("RecordData", "RecordDataEntry", values), leaf("ResponseCode", code), leaf("Protocol", "UDP"))}, nil
}

// Resolve is what the zone has for a (canonical) name and type: values and NOERROR, or NXDOMAIN when nothing has that
// name or lies below it.
func (z Zone) Resolve(name, kind string) ([]string, string) {
	r, exists := z.Lookup(name, kind)
	switch {
	case !exists:
		return nil, "NXDOMAIN"
	case r == nil:
		return nil, "NOERROR"
	}
	return r.Values, "NOERROR"
}
