package kits

import (
	"context"
	"net/netip"
	"time"
)

// Kit protects one kind of thing: a virtual IP, a route, an application.
//
// Every method may be called again after a crash half-way, with the same
// arguments, and must then finish the work rather than do it twice. Methods that
// take a context honour it. A kit never decides: it reports what it found.
type Kit interface {
	// Name is the word used in definitions ("ip"). Lower case, constant.
	Name() string
	// Traits tell the planner how the kit's steps may be ordered.
	Traits() Traits
	// Fields are the create and extend questions, in the order a wizard asks them.
	Fields() []Field
	// Tunables are the tuning names this kit reads, with their defaults.
	Tunables() []Tunable
	// Validate judges a definition without touching anything. It is pure.
	Validate(in Instance) []Problem
	// Effects tells what an action will change, for previews. It is pure.
	Effects(a Action, in Instance) []Effect
	// Timeout is the longest the action may take on the node; the runner's deadline.
	Timeout(a Action, in Instance) time.Duration

	// Eligible asks whether this node may take the resource. It changes nothing.
	Eligible(ctx context.Context, h Host, in Instance) Eligibility
	// Check looks whether the resource works on this node. It changes nothing, and
	// on a node where the resource is out of service it tells in Report.Presence
	// whether something of it is there all the same.
	Check(ctx context.Context, h Host, in Instance) Report
	// Start brings the resource into service on this node. OK+Impaired is a start
	// that parents may rely on although something is wrong.
	Start(ctx context.Context, h Host, in Instance) Report
	// Stop takes it out of service. OK only when it is verified to be gone.
	Stop(ctx context.Context, h Host, in Instance) Report
	// Recover repairs on the spot, after a failed check.
	Recover(ctx context.Context, h Host, in Instance) Report
}

// Batcher is a kit whose check is one script on the node, so that all checks of
// a node share one round trip. CheckScript is pure; JudgeCheck turns the result
// (or the error that took its place: then Unknown) into the report.
type Batcher interface {
	CheckScript(in Instance) Script
	JudgeCheck(in Instance, res Result, err error) Report
}

// Previewer is a kit that can look up what a start would change right now, where
// its Effects can only say it in general (which route tables, and which routes
// would be created). It changes nothing.
type Previewer interface {
	Preview(ctx context.Context, in Instance) ([]Effect, error)
}

// StandbyChecker is a kit whose resource must work on nodes where it is not in
// service, too (a tunnel): there a failed check is a failure, which is recovered on
// that node, and all nodes are judged together: it moves only to a node where it works,
// and where it works nowhere it stays and is recovered again and again. Presence says
// nothing for such a kit. Other kits' checks on standby nodes only tell, by their
// Presence, whether something runs there that should not.
type StandbyChecker interface{ ChecksStandby() bool }

// Carrier is a kit whose resource carries traffic into other networks (a tunnel). Comm
// paths from its region into those are known only as well as it works.
type Carrier interface {
	// Carries names the networks that are reached through the resource. It is pure.
	Carries(in Instance) []netip.Prefix
}

// ChildMaker is a kit whose resource cannot do without a child that is created and
// extended together with it (a tunnel's routes).
type ChildMaker interface {
	// Children reads from this node what the children are to be here. Asked once for
	// each node that the resource is created on or extended to; answers with the same
	// tag are one resource with fields per node. It changes nothing.
	Children(ctx context.Context, h Host, in Instance) ([]Child, error)
}

// Child is a resource that a ChildMaker needs, on the node that was asked.
type Child struct {
	Kit string
	// Tag is the one suggested, without the cluster: "ec2-vpn1".
	Tag string
	// Attrs are the child's fields on this node.
	Attrs map[string]string
}

// Keeper is a kit whose resource has a record that must outlive nodes and engines: which
// copies of the data are in sync, and which node they come from. The engine keeps the
// record in its store and on every node, hands it to every call (Instance.Record), and
// writes it where it is durable before anything is done that rests on it.
//
// With every heartbeat, also while operations run, the engine runs Pulse on each node of
// the resource that it reaches, and has Keep judge the answers.
type Keeper interface {
	// Pulse is what to look at on a node: light, reading only. It is pure.
	Pulse(in Instance) Script
	// Keep says what the record becomes, and what is to be done then. It is pure. in.Node
	// is in.Active, or, where nobody is active, the first node of the resource.
	Keep(in Instance, heard map[string]Pulse, now time.Time) Kept
	// Promote says which record must be durable before the resource is started on in.Node,
	// or why it may not be started there. It is pure. forced is a person's typed word; it is
	// used only where it was refused without, and that refusal is logged as its price. A start
	// may be repeated: on the node that the record names already, the record stays as it is.
	Promote(in Instance, forced bool, now time.Time) (record []byte, refusal *Reason)
	// Work carries one task out, within Timeout(ActRecover). It may be cut short anywhere, and
	// given again: when the record changes, too. It runs beside checks, and where it had begun
	// before, beside the steps of an operation: under a lock of its own, not the resource's.
	Work(ctx context.Context, on func(node string) Host, in Instance, t Task) Report
}

// Settler is a Keeper whose record may refuse a node only because its copy lags behind, and
// which can prove that it does not any more once the resource has been stopped in good
// order. The engine asks it where Eligible has said no. Promote's refusal of such a copy has
// the argument "settles": while its source answers, a move costs nothing, or does not happen.
type Settler interface {
	// Prospect tells whether in.Node, which Eligible refused with no, can be made complete all
	// the same: OK = it can, once the resource has been stopped where it runs; no itself where
	// the refusal is about anything else, or where it cannot. ready: it is stopped in good
	// order already. It changes nothing.
	Prospect(ctx context.Context, on func(node string) Host, in Instance, no Eligibility) (el Eligibility, ready bool)
	// Settle makes in.Node's copy complete and proves it, within Timeout(ActEligible): the
	// record in which it is, after which Promote does not refuse it any more, and why says so.
	// Without a record why says what is wrong: then nothing has changed that an undoing start
	// would not put right. It may be cut short
	// anywhere, and repeated. Only on(in.Node.Name) takes a script that mutates.
	Settle(ctx context.Context, on func(node string) Host, in Instance) (record []byte, why Reason)
}

// Orderer is a Keeper with tasks that a person may order. They move nothing and end by themselves.
type Orderer interface {
	// Orders are those that make sense now, by the record; by is who asks. It is pure.
	Orders(in Instance, by string) []Task
}

// Pulse is what a node said to a pulse.
type Pulse struct {
	Result Result
	// Err: the node was not reached, or nothing is known. Result is empty then.
	Err error
}

// Kept is a Keeper's judgement of one round of pulses.
type Kept struct {
	// Record is what it has to be from now on; equal to Instance.Record when nothing changed.
	Record []byte
	// Proven: the record agrees with what was heard from the node in service just now. It
	// ends the doubt of a record that was read from copies.
	Proven bool
	// Tasks are begun when Record is durable in the store and on the nodes that are
	// reached. A task that runs already is not begun again.
	Tasks []Task
	// Live is what a panel shows, for each node that the resource is on.
	Live map[string]map[string]string
	// Impaired is what is wrong with the resource as a whole (a copy that lags behind); the zero
	// Reason when nothing is. It is stored: progress belongs into Live.
	Impaired Reason
	// Notes are what the change of the record means, by node, for the log ("no longer in
	// sync", "in sync again"). They are read only when Record has changed.
	Notes map[string]Reason
}

// Task is something that a Keeper wants done.
type Task struct {
	// Name is the kit's own word: "exclude".
	Name string
	// Node is whom it concerns; one task for each resource and node at a time.
	Node string
	// Urgent tasks run while an operation works on the resource, too: it may be waiting for them.
	Urgent bool
	// Why is what made it necessary, for the event.
	Why Reason
}

// Traits tell the planner about a kit.
type Traits struct {
	// MovesClients: the start moves clients (route, address, name). Such steps wait
	// for every step that can veto.
	MovesClients bool
	// Veto: the start can refuse (mirror, fence) and so comes before clients move.
	Veto bool
	// LeavesOnStop: stop leaves the outside world as it is (routes, DNS records), so
	// a dead node need not be asked.
	LeavesOnStop bool
	// ViaCloud: actions go through a cloud API, not through the node.
	ViaCloud bool
	// Replicated: data lives here; automatic switchback is refused.
	Replicated bool
}

// Action is one thing a kit does.
type Action string

// The actions of a kit.
const (
	ActEligible Action = "eligible"
	ActCheck    Action = "check"
	ActStart    Action = "start"
	ActStop     Action = "stop"
	ActRecover  Action = "recover"
)

// Host runs scripts on one node.
type Host interface {
	// Node is the node's name.
	Node() string
	// Run carries one script out. An error means that the outcome is unknown
	// (connection, deadline, refusal by the node's record); a non-zero exit is a result.
	Run(ctx context.Context, s Script) (Result, error)
}

// Script is a POSIX sh program with its arguments.
type Script struct {
	// Name for logs and unit names, like "ip/start".
	Name string
	// Body in the linted subset of POSIX sh; reads its arguments as $1, $2, ….
	Body string
	Args []string
	// Stdin carries what must not be seen in a process list.
	Stdin []byte
	// Deadline ends the script on the node; 0 means the host's default of 30 s.
	Deadline time.Duration
	// Mutates: the script changes the node, so it runs guarded (lock, record, unit).
	Mutates bool
	// Light: our own commands only, needs no input, and ends by itself within moments.
	// One that only reads the host may then run without a process group and a deadline
	// of its own, which costs a tenth; of stderr nothing comes back. One that mutates
	// leaves nothing running for long, and nobody leaves its process group: the host may run it
	// guarded without asking systemd for a control group.
	Light bool
}

// Result is what a script left behind. Output is bounded and not to be trusted.
type Result struct {
	Exit           int
	Stdout, Stderr string
	Truncated      bool
	Duration       time.Duration
}

// Outcome of an action. The zero value is Unknown, which never moves anything.
type Outcome int

// The three outcomes.
const (
	Unknown Outcome = iota
	OK
	Failed
)

// String gives "unknown", "ok" or "failed".
func (o Outcome) String() string {
	switch o {
	case OK:
		return "ok"
	case Failed:
		return "failed"
	}
	return "unknown"
}

// MarshalText writes the outcome's word.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads it; every other word is Unknown.
func (o *Outcome) UnmarshalText(b []byte) error {
	switch string(b) {
	case "ok":
		*o = OK
	case "failed":
		*o = Failed
	default:
		*o = Unknown
	}
	return nil
}

// Presence tells whether something of the resource is on the node or, for
// resources in the cloud, points to it.
type Presence string

// The presences; the empty one is unknown.
const (
	PresenceUnknown Presence = ""
	Present         Presence = "present"
	Absent          Presence = "absent"
)

// Reason says why, as data: the text is rendered at the edge from Code and Args.
type Reason struct {
	// Code is constant and dotted: "ip.other-interface".
	Code string `json:"code"`
	// Args fill the code's text.
	Args map[string]string `json:"args,omitempty"`
	// Text is the English rendering, complete: what happened, where, what to do.
	Text string `json:"text,omitempty"`
	// Because is the reason behind this one. Its text stands in Text already, after the
	// code's own; other languages render it by its own code. Nobody changes it.
	Because *Reason `json:"because,omitempty"`
}

// Why makes a reason from a code, an English text and pairs of argument names and values.
func Why(code, text string, pairs ...string) Reason {
	r := Reason{Code: code, Text: text}
	for i := 0; i+1 < len(pairs); i += 2 {
		if r.Args == nil {
			r.Args = map[string]string{}
		}
		r.Args[pairs[i]] = pairs[i+1]
	}
	return r
}

// Report is the answer to Check, Start, Stop and Recover.
type Report struct {
	Outcome  Outcome  `json:"outcome"`
	Impaired bool     `json:"impaired,omitempty"`
	Presence Presence `json:"presence,omitempty"`
	Reason   Reason   `json:"reason"`
	// Details for a panel: short keys, display values.
	Details map[string]string `json:"details,omitempty"`
	// Output is the tail of what the script printed, bounded, for the operation's page.
	Output string `json:"output,omitempty"`
	// Permanent: trying again cannot help (a refused change, a bad definition).
	Permanent bool `json:"permanent,omitempty"`
}

// Eligibility is the answer to Eligible: OK = yes, Failed = no, Unknown.
type Eligibility struct {
	Outcome Outcome       `json:"outcome"`
	Reason  Reason        `json:"reason"`
	DataAge time.Duration `json:"dataAge,omitempty"`
}

// Effect is one expected change, for the preview.
type Effect struct {
	// Kind: "address", "route", "process", "record", "mount", "mirror", "claim", "fence".
	Kind string `json:"kind"`
	// What is changed: "10.1.0.10/32 in rtb-primary".
	What string `json:"what"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// Node is what a kit may know about a node.
type Node struct {
	Name      string
	Region    string
	Zone      string
	Address   string // the node's own private address
	Interface string // network interface for virtual IPs, may be empty
	Instance  string // EC2 instance id, may be empty
	ENI       string // network interface id in EC2, may be empty
	VPC       string // VPC id
	VPCCIDRs  []string
}

// Instance is one resource on one node, with everything an action may need.
type Instance struct {
	// Tag is the full name, "cluster/tag".
	Tag, Kit, Cluster string
	Node              Node
	// Attrs are the resource's fields as they are on this node.
	Attrs map[string]string
	// On are the same fields on every node that the resource is extended to.
	On map[string]map[string]string
	// Nodes are the facts of those nodes.
	Nodes map[string]Node
	// Children and Parents with their fields per node.
	Children, Parents []Relative
	// EstateCIDRs are the CIDRs of every VPC of the estate.
	EstateCIDRs []string
	// Regions maps region name to its facts.
	Regions map[string]Region
	// Tuning in force on this node.
	Tuning map[string]string
	// Active is the node where the resource is (or is about to be) in service; may be empty.
	Active string
	// Record is a Keeper's record, empty at first. Doubtful: it was rebuilt from copies,
	// among which the newest may be missing; an empty one that is doubtful may have been
	// written since, and is no beginning.
	Record   []byte
	Doubtful bool
	// Reached are the nodes that answer the engine at the moment (Keep only).
	Reached map[string]bool
}

// Region is what a kit may know about a region.
type Region struct {
	Name, VPC   string
	CIDRs       []string
	Profile     string
	EndpointEC2 string
	EndpointDNS string
	RouteTables []string // explicit route tables; empty = every table of the VPC
}

// Relative is a parent or child resource.
type Relative struct {
	Tag, Kit string
	// On: fields per node.
	On map[string]map[string]string
}

// Problem is one thing wrong with a definition.
type Problem struct {
	Field string // field name, may be empty
	Node  string // node, may be empty
	Text  string // what is wrong
	Fix   string // what to write instead
}

// FieldKind tells a form how to ask.
type FieldKind string

// The kinds of field.
const (
	KindText     FieldKind = "text"
	KindAddress  FieldKind = "address"
	KindNetmask  FieldKind = "netmask"
	KindCIDRs    FieldKind = "cidrs"
	KindChoice   FieldKind = "choice"
	KindPath     FieldKind = "path"
	KindDuration FieldKind = "duration"
	KindBool     FieldKind = "bool"
	KindResource FieldKind = "resource" // the tag of another resource
	KindSecret   FieldKind = "secret"
)

// Field is one question of create or extend, and one key of the TOML file.
type Field struct {
	// Name is the TOML key and flag name: lower case with underscores.
	Name string
	// Label is LifeKeeper's word for it, English.
	Label string
	Help  string
	Kind  FieldKind
	// Default is used when the field is left out.
	Default  string
	Required bool
	// PerNode: may differ from node to node (asked again by extend).
	PerNode bool
	// Choices that do not depend on anything; for live ones see Chooser.
	Choices []string
}

// Chooser loads a field's choices from the node or the cloud.
type Chooser interface {
	Choices(ctx context.Context, h Host, in Instance, field string) ([]string, error)
}

// Tunable is one tuning name a kit reads.
type Tunable struct {
	Name, Default, Unit, Help string
}
