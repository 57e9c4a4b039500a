package r53sim

import (
	"fmt"
	"slices"
	"time"
)

// Limits of one batch (AWS: 1,000 records and 32,000 characters of values; an UPSERT counts twice).
const (
	maxBatchRecords = 1000
	maxBatchText    = 32000
)

// changeRecords carries a batch out: all of it or nothing.
func (c *call) changeRecords() (answer, *apiError) {
	batch, comment, refused := parseBatch(c.body)
	if refused != nil {
		return answer{}, refused
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	z, refused := c.writable(c.zone)
	if refused != nil {
		return answer{}, refused
	}
	for _, ch := range batch {
		if id := ch.record.HealthCheck; id != "" && !slices.Contains(s.checks, id) {
			return answer{}, refuse("NoSuchHealthCheck", "No health check exists with the specified ID: %s", id)
		}
	}
	records, problems := s.apply(z, batch)
	if len(problems) > 0 {
		return answer{}, errBatch(problems)
	}
	made := c.accept(z, records, comment)
	return answer{root: branch("ChangeResourceRecordSetsResponse", made.element(c.at))}, nil
}

// accept makes a zone's new content the present one. s.mu is held.
func (c *call) accept(z *zone, records []Record, comment string) *Change {
	s, lag := c.s, c.s.opts.SyncLag
	if c.fault != nil && c.fault.Lag > 0 {
		lag = c.fault.Lag
	}
	if c.fault != nil && c.fault.Stuck {
		lag = never
	}
	z.busy = c.at.Add(s.opts.Processing)
	if c.fault != nil && c.fault.Lost {
		return s.open(z, c.at, lag, c.account, comment)
	}
	told := changed(z.present(), records)
	made := s.open(z, c.at, lag, c.account, comment)
	for i := range told {
		told[i].Zone, told[i].At, told[i].Change, told[i].KeyID = z.meta.ID, c.at, made.ID, c.keyID
	}
	s.events = append(s.events, told...)
	z.add(version{at: c.at, insync: made.InSync, records: records})
	return made
}

// apply carries a batch out on a copy of a zone's present content. s.mu is held.
func (s *Server) apply(z *zone, batch []change) ([]Record, []string) {
	records := slices.Clone(z.present())
	var problems []string
	if over := tooLarge(batch); over != "" {
		return nil, []string{over}
	}
	seen := map[string][]string{}
	for _, ch := range batch {
		ch.record.Name = canonical(ch.record.Name)
		seen[ch.record.key()] = append(seen[ch.record.key()], ch.action)
		if done := seen[ch.record.key()]; len(done) > 1 && !slices.Equal(done, []string{"DELETE", "CREATE"}) {
			problems = append(problems, fmt.Sprintf("The request contains an invalid set of changes for a resource record set '%s %s'", ch.record.Type, ch.record.Name))
			continue
		}
		next, wrong := s.one(z.meta.Name, records, ch)
		problems = append(problems, wrong...)
		if len(wrong) == 0 {
			records = next
		}
	}
	if len(problems) == 0 {
		problems = ownMissing(z.meta.Name, records)
	}
	slices.SortFunc(records, compareRecords)
	return records, problems
}

// one carries a single change out.
func (s *Server) one(zone string, records []Record, ch change) ([]Record, []string) {
	r := ch.record
	if wrong := s.problems(zone, r); len(wrong) > 0 {
		return nil, wrong
	}
	at := indexOf(records, r)
	if ch.action == "DELETE" {
		switch {
		case at < 0:
			return nil, []string{"Tried to delete resource record set " + r.named() + " but it was not found"}
		case records[at].print() != r.print():
			return nil, []string{"Tried to delete resource record set " + r.named() + " but the values provided do not match the current values"}
		}
		return slices.Delete(slices.Clone(records), at, at+1), nil
	}
	if at >= 0 && ch.action == "CREATE" {
		return nil, []string{"Tried to create resource record set " + r.named() + " but it already exists"}
	}
	next := slices.Clone(records)
	if at >= 0 {
		next = slices.Delete(next, at, at+1)
	}
	next = append(next, r)
	return next, conflicts(zone, next)
}

// ownMissing says when the zone's own SOA or NS set is gone.
func ownMissing(zone string, records []Record) []string {
	var out []string
	z := Zone{Records: records}
	if z.Find(zone, "SOA") == nil {
		out = append(out, "A HostedZone must contain exactly one SOA record.")
	}
	if z.Find(zone, "NS") == nil {
		out = append(out, "A HostedZone must contain at least one NS record for the zone itself.")
	}
	return out
}

func tooLarge(batch []change) string {
	count, text := 0, 0
	for _, ch := range batch {
		times := 1
		if ch.action == "UPSERT" {
			times = 2
		}
		count += times * max(1, len(ch.record.Values))
		for _, v := range ch.record.Values {
			text += times * len(v)
		}
	}
	switch {
	case count > maxBatchRecords:
		return fmt.Sprintf("Number of records limit of %d exceeded.", maxBatchRecords)
	case text > maxBatchText:
		return fmt.Sprintf("Maximum size of values exceeded: %d characters.", maxBatchText)
	}
	return ""
}

// getChange tells how far a change is.
func (c *call) getChange() (answer, *apiError) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, ch := range c.s.changes {
		if ch.ID == c.id && ch.Owner == c.account {
			return answer{root: branch("GetChangeResponse", ch.element(c.at))}, nil
		}
	}
	return answer{}, errNoChange(c.id)
}

// element is the ChangeInfo as of now.
func (ch *Change) element(now time.Time) element {
	status := "PENDING"
	if !ch.InSync.After(now) {
		status = "INSYNC"
	}
	return branch("ChangeInfo", leaf("Id", "/change/"+ch.ID), leaf("Status", status),
		leaf("SubmittedAt", ch.Submitted.UTC().Format("2006-01-02T15:04:05.000Z")), leaf("Comment", ch.Comment))
}
