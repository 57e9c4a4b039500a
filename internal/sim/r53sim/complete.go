package r53sim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// load takes a zone of a spec in: completed, checked and INSYNC from the beginning. s.mu is held, or nobody else has s.
func (s *Server) load(spec Zone) error {
	z, err := s.complete(spec.clone())
	if err != nil {
		return err
	}
	if slices.ContainsFunc(s.zones, func(have *zone) bool { return have.meta.ID == z.ID }) {
		return fmt.Errorf("there are two zones with the id %s", z.ID)
	}
	records := withOwn(z)
	for _, r := range z.Records {
		r.Name = canonical(r.Name)
		if problems := append(s.problems(z.Name, r), conflicts(z.Name, append(slices.Clone(records), r))...); len(problems) > 0 {
			return fmt.Errorf("record %s %s: %s", r.Name, r.Type, strings.Join(problems, ", "))
		}
		if at := indexOf(records, r); at >= 2 {
			return fmt.Errorf("record %s %s is there twice", r.Name, r.Type)
		} else if at >= 0 {
			records[at] = r // the spec's own NS or SOA
			continue
		}
		records = append(records, r)
	}
	slices.SortFunc(records, compareRecords)
	meta := z
	meta.Records = nil
	s.zones = append(s.zones, &zone{meta: meta, versions: []version{{at: time.Time{}, insync: time.Time{}, records: records}}})
	return nil
}

// complete fills in what a spec may leave out.
func (s *Server) complete(z Zone) (Zone, error) {
	name, err := Canonical(z.Name)
	if err != nil {
		return z, err
	}
	if name == "." {
		return z, fmt.Errorf("a zone needs a name")
	}
	z.Name = name
	z.ID = strings.TrimPrefix(z.ID, "/hostedzone/")
	if z.ID == "" {
		z.ID = s.newID("Z")
	}
	if !strings.HasPrefix(z.ID, "Z") {
		return z, fmt.Errorf("the id %s does not start with Z", z.ID)
	}
	if z.CallerReference == "" {
		z.CallerReference = "made-with-" + z.ID
	}
	if z.Owner == "" {
		z.Owner = DefaultAccount
	}
	if len(z.NameServers) == 0 {
		z.NameServers = nameServers(z.Private(), len(s.zones))
	}
	return z, nil
}

// nameServers are four names as AWS gives them to the n-th zone; private zones all have the same.
func nameServers(private bool, n int) []string {
	if private {
		n = 0
	} else {
		n = n%511 + 1
	}
	var out []string
	for i, tld := range []string{"com", "net", "org", "co.uk"} {
		number := i*512 + n
		out = append(out, fmt.Sprintf("ns-%d.awsdns-%02d.%s.", number, n/8, tld))
	}
	return out
}

// withOwn are the SOA and NS sets that every zone has.
func withOwn(z Zone) []Record {
	return []Record{
		{Name: z.Name, Type: "NS", TTL: 172800, Values: slices.Clone(z.NameServers)},
		{Name: z.Name, Type: "SOA", TTL: 900, Values: []string{z.NameServers[0] + " awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"}},
	}
}
