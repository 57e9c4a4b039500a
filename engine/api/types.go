package api

import (
	"context"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// Version of the API and of every JSON document that the commands print.
const Version = "ferry/v1"

// Service is what an engine offers. The engine implements it in process, Client
// over a socket; callers cannot tell the difference.
type Service interface {
	// Snapshot is the whole estate as the engine sees it now.
	Snapshot(ctx context.Context) (*Snapshot, error)
	// Watch sends a fresh snapshot's revision whenever something changed, and events as they happen.
	// The channel is closed when ctx ends or the engine goes away.
	Watch(ctx context.Context, after int64) (<-chan Update, error)
	// Events are past events after the sequence number, oldest first, at most limit.
	Events(ctx context.Context, after int64, limit int) ([]Event, error)
	// Operations are running and past operations, newest first, at most limit.
	Operations(ctx context.Context, limit int) ([]Operation, error)
	// Preview makes the plan for a command and asks every veto, changing nothing.
	Preview(ctx context.Context, c Command) (*Preview, error)
	// Submit accepts a command durably and starts it; it does not wait for its end.
	Submit(ctx context.Context, c Command) (*Submitted, error)
	// Answer answers a question.
	Answer(ctx context.Context, a Answer) error
	// Apply compares a definition with the one in force and, unless DryRun, puts it in force.
	Apply(ctx context.Context, a Apply) (*Applied, error)
	// Export gives the definition in force.
	Export(ctx context.Context) (*hierarchy.Estate, error)
	// SetTuning changes one name on one node (or all: ""); empty value = back to default.
	SetTuning(ctx context.Context, node, name, value string) error
	// Choices loads a field's live choices for a form.
	Choices(ctx context.Context, kit, field, node string, attrs map[string]string) ([]string, error)
	// Children asks servers what a resource could not do without there, and whether they may take it.
	Children(ctx context.Context, p Prospect) ([]Found, error)
	// SetHold keeps automation from starting anything for a scope until a time; a zero Until ends that.
	SetHold(ctx context.Context, h Hold) error
	// GracefulStop tells that a node is being shut down in good order.
	GracefulStop(ctx context.Context, node string) error
	Close() error
}

// Snapshot is the estate at one moment.
type Snapshot struct {
	Version   string            `json:"version"`
	At        time.Time         `json:"at"`
	Revision  int64             `json:"revision"`
	Engine    EngineInfo        `json:"engine"`
	Estate    *hierarchy.Estate `json:"estate"`
	Nodes     []NodeStatus      `json:"nodes"`
	Resources []ResourceStatus  `json:"resources"`
	Questions []policy.Question `json:"questions"`
	Running   []Operation       `json:"running"`
	Holds     []HoldStatus      `json:"holds,omitempty"`
}

// Hold asks for quiet: checks go on, people's commands work, automation starts nothing.
type Hold struct {
	// Scope is a tag (meaning its whole hierarchy), a cluster, a server, or empty for the whole estate.
	Scope string `json:"scope"`
	// Until is when it ends by itself; zero ends a hold now.
	Until time.Time `json:"until,omitzero"`
	Why   string    `json:"why,omitempty"`
	By    string    `json:"by,omitempty"` // filled by the server from the peer's credential
}

// HoldStatus is a hold in force.
type HoldStatus struct {
	Scope string    `json:"scope"` // empty = the whole estate
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	By    string    `json:"by"`
	Why   string    `json:"why,omitempty"`
}

// EngineInfo tells who acts.
type EngineInfo struct {
	ID         string    `json:"id"`
	Who        string    `json:"who"` // user@host (pid)
	Epoch      uint64    `json:"epoch"`
	Since      time.Time `json:"since"`
	Automation bool      `json:"automation"`
	Version    string    `json:"version"`
	Notice     string    `json:"notice,omitempty"` // store alarm, clock jump, …
}

// NodeStatus is a server as seen.
type NodeStatus struct {
	Name     string            `json:"name"`
	Cluster  string            `json:"cluster"`
	Region   string            `json:"region"`
	Zone     string            `json:"zone"`
	Verdict  policy.Verdict    `json:"verdict"`
	Since    time.Time         `json:"since"`
	Seen     time.Time         `json:"seen"`
	Evidence []kits.Reason     `json:"evidence,omitempty"`
	Peers    map[string]string `json:"peers,omitempty"` // peer → ok|failed|unknown
	// Copy is when the copy of the estate was made that the node is known to hold; what
	// changed later would be lost with the engine as far as this node goes.
	Copy time.Time `json:"copy,omitzero"`
}

// ResourceStatus is a resource on all its servers.
type ResourceStatus struct {
	Tag      hierarchy.Tag    `json:"tag"`
	Kit      string           `json:"kit"`
	Cluster  string           `json:"cluster"`
	Children []hierarchy.Tag  `json:"children,omitempty"`
	Claim    *hierarchy.Claim `json:"claim,omitempty"`
	Active   string           `json:"active,omitempty"`
	// Holder is the node that holds it by a claim in force, whatever its state there: what
	// failed or is unknown has one, too. Empty = nobody, or not told.
	Holder string           `json:"holder,omitempty"`
	On     []InstanceStatus `json:"on"` // by priority
	// Data is what is known of the resource's replicated data; nil where it has none.
	Data *DataStatus `json:"data,omitempty"`
}

// DataStatus is what a resource that keeps a record (kits.Keeper) says of its data.
type DataStatus struct {
	// Heard is when the nodes were last asked, with every heartbeat; Nodes is what the kit
	// made of their answers, by node: short keys, display values.
	Heard time.Time                    `json:"heard,omitzero"`
	Nodes map[string]map[string]string `json:"nodes,omitempty"`
	// Recorded is when the record last changed. Doubtful: it was read from a copy, and a
	// newer one may be missing; nothing rests on it until that is settled.
	Recorded time.Time `json:"recorded,omitzero"`
	Doubtful bool      `json:"doubtful,omitempty"`
	// Impaired is what is wrong with the data as a whole.
	Impaired kits.Reason `json:"impaired,omitzero"`
	// Tasks run, or failed and are tried again.
	Tasks []TaskStatus `json:"tasks,omitempty"`
}

// TaskStatus is something that is done for a resource's data beside operations.
type TaskStatus struct {
	Name    string      `json:"name"` // the kit's word
	Node    string      `json:"node"` // whom it concerns
	Running bool        `json:"running,omitempty"`
	Began   time.Time   `json:"began"`
	Tries   int         `json:"tries"`
	Why     kits.Reason `json:"why,omitzero"`
	Failed  kits.Reason `json:"failed,omitzero"` // why the last try did not succeed
}

// InstanceStatus is a resource on one server.
type InstanceStatus struct {
	Server   string            `json:"server"`
	Priority int               `json:"priority"`
	State    hierarchy.State   `json:"state"`
	Reason   kits.Reason       `json:"reason,omitzero"`
	Since    time.Time         `json:"since"`
	Checked  time.Time         `json:"checked"`
	Details  map[string]string `json:"details,omitempty"`
	// Held is why automation leaves it alone, in English; HeldWhy is the same as data.
	Held    string      `json:"held,omitempty"`
	HeldWhy kits.Reason `json:"heldWhy,omitzero"`
	Address string      `json:"address,omitempty"`
}

// Event is a logged event with its sequence number.
type Event struct {
	Seq int64 `json:"seq"`
	policy.Event
}

// Update is one message of Watch.
type Update struct {
	Revision  int64      `json:"revision"`
	Event     *Event     `json:"event,omitempty"`
	Operation *Operation `json:"operation,omitempty"`
}

// Operation is a plan with its progress.
type Operation struct {
	policy.Op
	Steps []StepStatus `json:"steps"`
}

// StepStatus is the progress of one step.
type StepStatus struct {
	ID     string      `json:"id"`
	Status string      `json:"status"` // waiting, running, done, failed, unknown, skipped, undone
	Began  time.Time   `json:"began,omitzero"`
	Ended  time.Time   `json:"ended,omitzero"`
	Report kits.Report `json:"report,omitzero"`
}

// Command asks for something to be done.
type Command struct {
	// ID makes it safe to send twice; the client fills it.
	ID            string    `json:"id"`
	By            string    `json:"by,omitempty"` // filled by the server from the peer's credential
	Goal          plan.Goal `json:"goal"`
	ConfirmRegion string    `json:"confirmRegion,omitempty"`
}

// Preview is what a command would do.
type Preview struct {
	Plan     plan.Plan       `json:"plan"`
	Refused  *policy.Refused `json:"refused,omitempty"`
	Verdicts []StepStatus    `json:"verdicts,omitempty"` // eligibility answers
	Crosses  string          `json:"crosses,omitempty"`  // target region when the move crosses
}

// Submitted tells which operation was started; empty when nothing had to be done.
type Submitted struct {
	Op string `json:"op,omitempty"`
}

// Answer answers a question: Kind "yes", "off", "fence" or "no".
type Answer struct {
	Question string `json:"question"`
	Kind     string `json:"kind"`
	Typed    string `json:"typed,omitempty"`
	By       string `json:"by,omitempty"`
	// Accept are those of the question's Copies that are not complete, as they were shown to
	// whoever answers, and accepts that what they lack is lost. When the price of a yes is another
	// by now, it is refused (KindUnsafe, answer-price-changed), and has to be shown again.
	Accept []policy.Copy `json:"accept,omitempty"`
}

// The codes of the errors that answer a yes which would lose data that it does not accept to
// lose: it accepts nothing, or something that costs less.
const (
	AnswerPrice        = "answer-price"
	AnswerPriceChanged = "answer-price-changed"
)

// Apply carries a definition.
type Apply struct {
	Estate *hierarchy.Estate `json:"estate"`
	DryRun bool              `json:"dryRun"`
	By     string            `json:"by,omitempty"`
	// Base is hierarchy.Digest of the definition that this one was made from. When
	// another one is in force by now, nothing changes and the error is KindBusy with the
	// code DefinitionChanged. Empty: whatever is in force is replaced.
	Base string `json:"base,omitempty"`
	// Abandon lets resources be deleted that are in service. They keep running, and
	// nothing watches them any more.
	Abandon bool `json:"abandon,omitempty"`
}

// DefinitionChanged is the code of the error that answers an Apply whose Base is no
// longer in force.
const DefinitionChanged = "definition-changed"

// Applied tells what apply changed or would change.
type Applied struct {
	Changes []Change `json:"changes"`
}

// Change is one difference between two definitions.
type Change struct {
	Op   string `json:"op"`   // add, change, remove
	What string `json:"what"` // "resource service/ip-www", "server LK_P_A", "tuning LKCHECKINTERVAL"
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	Note string `json:"note,omitempty"`
}

// ErrorKind is the closed list of kinds of error; exit codes come from it.
type ErrorKind string

// The kinds, with the exit code of DESIGN 8.
const (
	KindFailed      ErrorKind = "failed"        // 1
	KindUsage       ErrorKind = "usage"         // 64
	KindUnavailable ErrorKind = "unavailable"   // 69
	KindBusy        ErrorKind = "busy"          // 75
	KindDenied      ErrorKind = "not-permitted" // 77
	KindConfig      ErrorKind = "bad-config"    // 78
	KindNoSuch      ErrorKind = "no-such"       // 105
	KindNoQuorum    ErrorKind = "no-quorum"     // 106
	KindUnsafe      ErrorKind = "unsafe"        // 107
	KindTimeout     ErrorKind = "timeout"       // 124
	KindDegraded    ErrorKind = "degraded"      // 190
)

// Error travels over the socket and ends as an exit code and a message.
type Error struct {
	Kind    ErrorKind `json:"kind"`
	Message string    `json:"message"`
	Hint    string    `json:"hint,omitempty"`
	Code    string    `json:"code,omitempty"` // reason code

	// cause is what Client met on the way to the engine. It does not travel.
	cause error
}

// Unwrap gives what Client met on the way to the engine, so that a caller can tell
// "nobody listens there" (fs.ErrNotExist, syscall.ECONNREFUSED) from a refusal by an
// engine. It is nil for errors that the engine sent.
func (e *Error) Unwrap() error { return e.cause }

// Error is the message alone; the hint is printed on a line of its own.
func (e *Error) Error() string { return e.Message }
