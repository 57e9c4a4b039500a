package chaos

import (
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/internal/sim/r53sim"
)

// zone is the hosted zone of every name; a resource's name is its host.
const zone = "example.com"

func host(resource string) string { return resource + "." + zone }

// outside tells that what the kit protects lies with AWS and on no node: it stays when
// its resource is taken out of service, and no node tells of it.
func outside(kit string) bool { return kit == "ec2" || kit == "route53" }

// holds tells whether what AWS has for the resource is as the node needs it.
func (w *stack) holds(r *Resource, node string) bool {
	if r.Kit == "ec2" {
		return w.routed(r, node) == node
	}
	record, ok := w.sim.Route53.Record(zone, host(r.Name), "A")
	return ok && slices.Equal(record.Values, []string{w.address(w.ipOf(r), node)})
}

// rename changes a record as somebody at the AWS console might.
func (w *stack) rename(r *Resource) {
	_ = w.sim.Route53.SetRecord(zone, r53sim.Record{Name: host(r.Name), Type: "A", TTL: 10, Values: []string{"192.0.2.99"}})
}

// r53 makes calls go wrong until r53-well.
func (w *stack) r53(a []string) {
	f := r53sim.Fault{Action: arg(a, 1)}
	if f.Action == "*" {
		f.Action = ""
	}
	switch arg(a, 0) {
	case "throttle":
		f.Code = "Throttling"
	case "down":
		f.Code = "ServiceUnavailable"
	case "hang":
		f.Hang = true
	case "hang-after":
		f.HangAfter = true
	case "drop":
		f.DropAfter = true
	case "stuck":
		f.Stuck, f.Action = true, "ChangeResourceRecordSets"
	case "lost":
		f.Lost, f.Action = true, "ChangeResourceRecordSets"
	case "stale":
		f.Stale, f.Action = 30*time.Second, "ListResourceRecordSets"
	case "unreachable":
		f.Unreachable = true
	}
	if f.Stale > 0 {
		w.mark(func(e *eyes) { e.namesLie = true })
	}
	w.nameFaults = append(w.nameFaults, w.sim.Route53.Inject(f))
}

func (w *stack) r53Well() {
	for _, remove := range w.nameFaults {
		remove()
	}
	w.nameFaults = nil
	w.mark(func(e *eyes) { e.namesLie = false })
}

// renamed takes a change of a record that was made with a key: an engine made it.
func (e *eyes) renamed(ev r53sim.Event) {
	if ev.Kind != r53sim.RecordChanged || ev.KeyID == "" {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ruleName(strings.TrimSuffix(strings.TrimSuffix(ev.Name, "."), "."+zone), ev.From, ev.To)
}

// ruleName: a record follows what an operation on record does, and nothing else.
func (e *eyes) ruleName(res string, from, to []string) {
	e.say("    the name %s: %v → %v", res, from, to)
	leads := func(node string) bool {
		r := e.shape.find(res)
		return r != nil && node != "" && len(to) == 1 && e.shape.regionOf(node) != "" && to[0] == e.shape.virtual(e.shape.ipBelow(r), node)
	}
	if e.anyOp(func(op *policy.Op) bool {
		return op.Outcome == policy.OpRunning && moves(op, res) && (leads(op.Plan.Goal.Node) || leads(op.Plan.Goal.From))
	}) == nil {
		e.violated(Names, "the name %s was changed from %v to %v, and no operation leads there", res, from, to)
	}
}
