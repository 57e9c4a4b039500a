package policy

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// Keep is the record of a resource whose kit is a kits.Keeper: which copies of its data are
// in sync and where they come from. The kit alone understands it; the world sees to it that
// nothing computed from an older record replaces a newer one, and that it is stored.
type Keep struct {
	// Record is the kit's, in JSON; empty at first.
	Record json.RawMessage `json:"record,omitempty"`
	// Serial rises with every change of Record or Doubtful.
	Serial uint64 `json:"serial"`
	// Doubtful: it was read from copies, and a newer one may be missing (package adopt).
	Doubtful bool `json:"doubtful,omitempty"`
	// At is when it last changed.
	At time.Time `json:"at"`
	// Impaired is what the kit says is wrong with the resource as a whole.
	Impaired kits.Reason `json:"impaired,omitzero"`
}

// Kept is a Keeper's judgement of what the nodes said. It has no effect when it was made
// from another record than the one in force.
type Kept struct {
	Tag    hierarchy.Tag
	Serial uint64 // of the record that it was made from
	Record []byte
	// Proven: what the node in service said agrees with the record.
	Proven   bool
	Impaired kits.Reason
	// Notes are what has changed, by node, as people should read it.
	Notes map[string]kits.Reason
}

// Promoted is the record that a start on Node rests on. Like Kept it has no effect over a
// newer record.
type Promoted struct {
	Tag    hierarchy.Tag
	Node   string
	Op     string // the operation that starts it; its By is who wanted that
	Serial uint64
	Record []byte
	// Price is the refusal over which a person's force stood; nil where none was needed.
	Price *kits.Reason
}

// TaskPhase is how far a Keeper's task is.
type TaskPhase string

// The phases of a task.
const (
	TaskBegan  TaskPhase = "began"
	TaskDone   TaskPhase = "done"
	TaskFailed TaskPhase = "failed" // it is tried again
)

// KeepTask tells how a Keeper's task goes; nothing but an event follows from it.
type KeepTask struct {
	Tag   hierarchy.Tag
	Task  string // the kit's word
	Node  string // whom it concerns
	Phase TaskPhase
	Took  time.Duration
	// Why it was begun, or why it failed.
	Why kits.Reason
}

func (Kept) input()     {}
func (Promoted) input() {}
func (KeepTask) input() {}

func keepKey(t hierarchy.Tag) string { return "keep/" + string(t) }

// Record is what is kept of a resource, and whether that is in doubt; empty where nothing is.
func (w *World) Record(t hierarchy.Tag) (record []byte, doubtful bool) {
	if k := w.Keeps[t]; k != nil {
		return k.Record, k.Doubtful
	}
	return nil, false
}

// KeepSerial numbers the record in force; 0 before the first.
func (w *World) KeepSerial(t hierarchy.Tag) uint64 {
	if k := w.Keeps[t]; k != nil {
		return k.Serial
	}
	return 0
}

// Reached tells that the node answered the engine's last heartbeat.
func (w *World) Reached(node string) bool {
	n := w.Nodes[node]
	return n != nil && n.heard && n.Missed == 0
}

// Canonical is a record as it is stored; false when it is not JSON. An empty one is none.
func Canonical(record []byte) ([]byte, bool) {
	if len(record) == 0 {
		return nil, true
	}
	b, err := json.Marshal(json.RawMessage(record))
	return b, err == nil
}

// forgetKeeps drops the records of resources that are not there any more: one of the same
// name that is created later begins anew.
func (w *World) forgetKeeps() {
	for t := range w.Keeps {
		if w.x.Resource(t) == nil {
			delete(w.Keeps, t)
			w.dirt(keepKey(t))
		}
	}
}

// record puts a record in force, when it was made from the one in force until now.
func (s *step) record(t hierarchy.Tag, serial uint64, record []byte, doubtful bool) (k *Keep, changed bool) {
	now, ok := Canonical(record)
	if s.x.Resource(t) == nil || s.KeepSerial(t) != serial || !ok {
		return nil, false
	}
	k = s.Keeps[t]
	if k == nil {
		k = &Keep{At: s.now}
	}
	if bytes.Equal(k.Record, now) && k.Doubtful == doubtful {
		return k, false
	}
	k.Record, k.Doubtful, k.At = now, doubtful, s.now
	k.Serial++
	s.Keeps[t] = k
	s.dirt(keepKey(t))
	return k, true
}

// kept takes a Keeper's judgement.
func (s *step) kept(in Kept) {
	_, was := s.Record(in.Tag)
	k, changed := s.record(in.Tag, in.Serial, in.Record, was && !in.Proven)
	if k == nil {
		return
	}
	if c := s.x.HierarchyID(in.Tag); changed && s.asking[c] != "" {
		s.touch(in.Tag) // what is asked about has another price now
	}
	at := s.Active(in.Tag)
	if was && !k.Doubtful {
		s.event(Event{Kind: "state", Tag: in.Tag, Node: at, Reason: why("keep-proven", "tag", string(in.Tag), "node", at)})
	}
	for _, node := range sorted(in.Notes) {
		if changed {
			s.event(Event{Kind: "state", Severity: "warning", Tag: in.Tag, Node: node,
				Reason: because("keep-note", in.Notes[node], "tag", string(in.Tag), "node", node)})
		}
	}
	s.impaired(in.Tag, k, in.Impaired)
}

// impaired notes what is wrong as a whole, and shows it where the resource is in service.
// It is no failure: nothing is repaired or moved because of it.
func (s *step) impaired(t hierarchy.Tag, k *Keep, r kits.Reason) {
	if k.Impaired.Code == r.Code && k.Impaired.Text == r.Text {
		return
	}
	before := k.Impaired
	k.Impaired = r
	s.Keeps[t] = k
	s.dirt(keepKey(t))
	ref := hierarchy.Ref{Tag: t, Node: s.Active(t)}
	it := s.Instances[ref]
	if it == nil || !it.State.InService() || s.Running(t) != nil {
		return // the next check, or the operation's end, shows it
	}
	ours := it.State == hierarchy.ISU && it.Reason.Code == before.Code && it.Reason.Text == before.Text
	switch {
	case it.State == hierarchy.ISP || ours && r.Code != "":
		s.state(ref, it, hierarchy.ISU, r)
	case ours:
		s.state(ref, it, hierarchy.ISP, kits.Reason{})
	}
	s.touch(t)
}

// upAs is the state of a resource that a check or a start found well: impaired where
// its record says so.
func (s *step) upAs(t hierarchy.Tag, r kits.Reason) (hierarchy.State, kits.Reason) {
	if k := s.Keeps[t]; k != nil && k.Impaired.Code != "" {
		return hierarchy.ISU, k.Impaired
	}
	return hierarchy.ISP, r
}

// promoted: the data is used on Node from now on. What a person forced is in doubt no longer.
func (s *step) promoted(in Promoted) {
	_, doubtful := s.Record(in.Tag)
	k, changed := s.record(in.Tag, in.Serial, in.Record, doubtful && in.Price == nil)
	if k == nil || !changed {
		return
	}
	by := automatic
	if op := s.Ops[in.Op]; op != nil {
		by = op.By
	}
	e := Event{Kind: "state", Tag: in.Tag, Node: in.Node, Op: in.Op, By: by, Reason: why("keep-promoted", "tag", string(in.Tag), "node", in.Node)}
	if in.Price != nil {
		e.Kind, e.Severity = "decision", "warning"
		e.Reason = because("keep-forced", *in.Price, "tag", string(in.Tag), "node", in.Node, "by", by)
	}
	s.event(e)
}

// keepTask logs how a task goes.
func (s *step) keepTask(in KeepTask) {
	if s.x.Resource(in.Tag) == nil {
		return
	}
	e := Event{Kind: "state", Tag: in.Tag, Node: in.Node}
	args := []string{"tag", string(in.Tag), "node", in.Node, "task", in.Task, "took", in.Took.Round(time.Millisecond).String()}
	switch in.Phase {
	case TaskBegan:
		e.Reason = because("keep-task-began", in.Why, args...)
	case TaskDone:
		e.Reason = because("keep-task-done", in.Why, args...)
	case TaskFailed:
		e.Severity, e.Reason = "error", because("keep-task-failed", in.Why, args...)
	default:
		return
	}
	s.event(e)
}

// DoubtEvent tells people that a resource's record came from a copy.
func DoubtEvent(t hierarchy.Tag, now time.Time) Event {
	return Event{At: now, Kind: "state", Severity: "warning", Tag: t, Reason: why("keep-doubt", "tag", string(t))}
}
