package r53sim

import "slices"

// listRecords is ListResourceRecordSets: in order, from a name, type and identifier on.
func (c *call) listRecords() (answer, *apiError) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	z, refused := c.owned(c.zone)
	if refused != nil {
		return answer{}, refused
	}
	size, refused := c.pageSize(300)
	if refused != nil {
		return answer{}, refused
	}
	records := z.present()
	if c.fault != nil && c.fault.Stale > 0 {
		records = z.asOf(c.at.Add(-c.fault.Stale))
	}
	rest, refused := c.from(records)
	if refused != nil {
		return answer{}, refused
	}
	page := rest[:min(size, len(rest))]
	out := branch("ListResourceRecordSetsResponse", list("ResourceRecordSets", "ResourceRecordSet", page, Record.elements),
		leaf("IsTruncated", len(page) < len(rest)))
	if len(page) < len(rest) {
		next := rest[len(page)]
		out.kids = append(out.kids, leaf("NextRecordName", next.Name), leaf("NextRecordType", next.Type), leaf("NextRecordIdentifier", next.SetID))
	}
	out.kids = append(out.kids, leaf("MaxItems", size))
	return answer{root: out}, nil
}

// from leaves out what comes before the name, type and identifier asked for.
func (c *call) from(records []Record) ([]Record, *apiError) {
	name, kind, id := c.query.Get("name"), c.query.Get("type"), c.query.Get("identifier")
	switch {
	case name == "" && (kind != "" || id != ""):
		return nil, errInput("The record type or identifier needs a record name beside it.")
	case kind == "" && id != "":
		return nil, errInput("The record identifier needs a record type beside it.")
	case kind != "" && !isType(kind):
		return nil, errInput("%s is not a record type.", kind)
	case name == "":
		return records, nil
	}
	start, err := Canonical(name)
	if err != nil {
		return nil, errInput("%v", err)
	}
	from := Record{Name: start, Type: kind, SetID: id}
	at := slices.IndexFunc(records, func(r Record) bool { return compareRecords(r, from) >= 0 })
	if at < 0 {
		return nil, nil
	}
	return records[at:], nil
}
