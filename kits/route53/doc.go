// Package route53 is the kit that keeps one name pointing to wherever the service is: the A record of a host name in a
// hosted zone of Amazon Route 53 holds the virtual IP of the IP resource below, as it is on the active node.
//
// In service on a node means: the record set of exactly this name and type A has exactly that one value. Inside a region
// the virtual IP does not change, so a move there finds the record right, changes nothing and waits for nothing. Across
// regions the record is changed by comparing: one atomic batch deletes the old value that was read at the beginning of
// this very start and creates the new one. If somebody changed the record meanwhile the batch is refused, and so an older
// plan can never overwrite a newer record. Nothing here ever writes without naming what it replaces.
//
// # What fails a start, and what does not
//
// Refused is failed: no permission, no such zone, a record that is not ours to change or that changed meanwhile, a change
// that is reported as done and is not there. Everything else leaves the resource in service, impaired (ISU), so that what
// stands on it goes on: a change that was accepted and is still PENDING when the tuned tries are over, and a Route 53
// that cannot be reached; then the step for a person is shown as a command. ROUTE53_STRICT=1 turns both into failures.
// The next check heals the state by itself: it finds the record right, or writes it.
//
// A check that cannot read the record is never failed: where the resource is in service it is shown as impaired, with the
// same command, and on other nodes it is Unknown. A check on a standby node reads, never writes, and is never failed. Stop leaves the record: it goes on pointing to the last place until another node takes it.
//
// # Who else is asked
//
// The control plane and the name servers of Route 53 are different machines: the one may be down while the other
// answers. A Resolver asks the zone's own name servers over DNS what they say. Their word is used where the API leaves
// something open: whether a change that is PENDING can be seen already, and whether a record is right that cannot be
// read. A private zone has no servers that can be asked; then this is left out. Silence says nothing.
package route53
