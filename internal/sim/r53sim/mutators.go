package r53sim

import (
	"fmt"
	"slices"
	"strings"
)

// Zone is a zone with its present records, as lists show it; zone is an id or a name.
func (s *Server) Zone(zone string) (Zone, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	z := s.find(zone)
	if z == nil {
		return Zone{}, false
	}
	return z.full(z.present()), true
}

// Record is a record set as lists show it now, INSYNC or not; zone is an id or a name. Of several sets under a routing
// policy it is the first.
func (s *Server) Record(zone, name, kind string) (Record, bool) {
	z, ok := s.Zone(zone)
	if !ok {
		return Record{}, false
	}
	r := z.Find(name, kind)
	if r == nil {
		return Record{}, false
	}
	return *r, true
}

// AddZone adds a hosted zone as New would have taken it in: complete, and on all name servers at once. Hooks are told.
func (s *Server) AddZone(spec Zone) error {
	s.settle()
	defer s.tell()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(spec); err != nil {
		return fmt.Errorf("adding the zone %q: %w", spec.Name, err)
	}
	s.events = append(s.events, Event{Kind: ZoneCreated, At: s.clock(), Zone: s.zones[len(s.zones)-1].meta.ID})
	return nil
}

// Zones are all hosted zones of all accounts, in the order they came.
func (s *Server) Zones() []Zone {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Zone
	for _, z := range s.zones {
		out = append(out, z.full(z.present()))
	}
	return out
}

// SetRecord writes a record set as if it had stood there for long: without a change id, INSYNC at once, whatever faults
// and lags there are. Hooks are told. It is how a test plays the person with the console.
func (s *Server) SetRecord(zone string, r Record) error {
	return s.edit(zone, change{action: "UPSERT", record: r})
}

// RemoveRecord removes a record set of a name and type the same way (its first one, under a routing policy).
func (s *Server) RemoveRecord(zone, name, kind string) error {
	r, ok := s.Record(zone, name, kind)
	if !ok {
		return fmt.Errorf("there is no record %s %s in the zone %s", name, kind, zone)
	}
	return s.edit(zone, change{action: "DELETE", record: r})
}

func (s *Server) edit(zone string, ch change) error {
	s.settle()
	defer s.tell()
	s.mu.Lock()
	defer s.mu.Unlock()
	z := s.find(zone)
	if z == nil {
		return fmt.Errorf("there is no hosted zone %s", zone)
	}
	records, problems := s.apply(z, []change{ch})
	if len(problems) > 0 {
		return fmt.Errorf("the zone %s does not take %s %s: %s", z.meta.Name, ch.record.Name, ch.record.Type, strings.Join(problems, ", "))
	}
	now := s.clock()
	told := changed(z.present(), records)
	for i := range told {
		told[i].Zone, told[i].At = z.meta.ID, now
	}
	s.events = append(s.events, told...)
	z.add(version{at: now, insync: now, records: records})
	return nil
}

// Changes are all changes so far, oldest first.
func (s *Server) Changes() []Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Change
	for _, c := range s.changes {
		out = append(out, *c)
	}
	return out
}

// Release lets a change that is stuck become INSYNC now.
func (s *Server) Release(changeID string) error {
	id := strings.TrimPrefix(changeID, "/change/")
	now := s.clock()
	s.mu.Lock()
	at := slices.IndexFunc(s.changes, func(c *Change) bool { return c.ID == id })
	if at < 0 {
		s.mu.Unlock()
		return fmt.Errorf("there is no change %s", id)
	}
	c := s.changes[at]
	for _, z := range s.zones {
		for i := range z.versions {
			if z.meta.ID == c.Zone && z.versions[i].at.Equal(c.Submitted) && z.versions[i].insync.Equal(c.InSync) {
				z.versions[i].insync = now
			}
		}
	}
	if c.InSync.After(now) {
		s.due = slices.DeleteFunc(s.due, func(t transition) bool { return t.change == c })
		c.InSync = now
		s.due = slices.Insert(s.due, 0, transition{now, c})
	}
	s.mu.Unlock()
	s.settle()
	return nil
}
