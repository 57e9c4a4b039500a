package policy

import (
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// World is everything that decisions rest on. It is plain data; the engine owns
// the one live copy, feeds it with Step, writes its changes to the store before
// it carries any output out, and loads it again after a crash.
type World struct {
	Estate    *hierarchy.Estate
	Instances map[hierarchy.Ref]*Instance
	Claims    map[hierarchy.Tag]hierarchy.Claim
	Nodes     map[string]*Node
	Questions map[string]*Question
	Ops       map[string]*Op
	// Released marks claims whose resources a person took out of service: the claim's
	// number stays, nobody holds it. See Active.
	Released map[hierarchy.Tag]bool
	// Given is the highest claim number ever put into a plan, by resource.
	Given map[hierarchy.Tag]uint64
	// Losses are the troubles under way, by the first resource of their hierarchy.
	Losses map[hierarchy.Tag]*Loss
	// Quorum is what nodes that might take over said of their quorum (quorum.go). It is
	// never stored: after a restart they are asked anew.
	Quorum map[string]*QuorumWord
	// Holds are the maintenance holds in force, by scope (hold.go).
	Holds map[string]Hold
	// Keeps are the records of resources whose kits keep one (keep.go).
	Keeps map[hierarchy.Tag]*Keep
	// Automation: false = observe and obey people, start nothing by itself.
	Automation bool
	// Seq numbers questions and operations; it only rises.
	Seq uint64

	memory // what follows from the above, and what is not stored
}

// Loss is a trouble of one hierarchy: its node is lost, or a resource fails. It
// lives from the moment something was done about it until the hierarchy is well
// again or a person acts.
type Loss struct {
	ID string `json:"id"` // changes when the same thing is lost anew
	// At is the node on which the trouble is; when a failover could not start
	// the hierarchy on its target, that target.
	At    string    `json:"at"`
	Since time.Time `json:"since"`
	// Tried are nodes on which it could not be started during this loss.
	Tried []string `json:"tried,omitempty"`
	// Retries of a node whose eligibility is unknown, and when the next one is due.
	Retries   int       `json:"retries,omitempty"`
	NotBefore time.Time `json:"notBefore,omitzero"`
	// RepairFailed is when recovery on the spot failed.
	RepairFailed time.Time `json:"repairFailed,omitzero"`
	// Landed: the failover began to start on At and failed there.
	Landed bool `json:"landed,omitempty"`
	// Refused: a person said no, or nobody answered in time; no further question.
	Refused *kits.Reason `json:"refused,omitempty"`
	// Stuck: what still runs could not be stopped; only a person can go on.
	Stuck *kits.Reason `json:"stuck,omitempty"`
}

// Instance is the state of a resource on a node.
type Instance struct {
	State   hierarchy.State `json:"state"`
	Reason  kits.Reason     `json:"reason"`
	Since   time.Time       `json:"since"`
	Checked time.Time       `json:"checked"` // last check that gave OK or Failed
	// Asked is the last check that was tried; when it is later than Checked, what we know is old.
	Asked   time.Time         `json:"asked"`
	Details map[string]string `json:"details,omitempty"`
	// Recoveries in the storm window, oldest first (SPEC 7: three in 30 minutes).
	Recoveries []time.Time `json:"recoveries,omitempty"`
	// Held: automation leaves it where it is until a person acts; the reason says why.
	Held *kits.Reason `json:"held,omitempty"`

	presence kits.Presence // what the last check found, void after a restart
	fresh    bool          // checked since the last operation, restart or clock jump
	known    bool          // the state comes from a check or step since the last restart, clock jump or absence
	unclear  bool          // the last check that was tried gave nothing
	// patched is when a start or recovery of something in the cloud ended well but impaired.
	patched time.Time
	// lookFor is the trouble for which a standby node was asked, until lookUntil; looked: it answered.
	lookFor, lookUntil time.Time
	looked             bool
	// repaired is when a recovery that the storm brake does not count was begun here.
	repaired time.Time
}

// Verdict on a node (SPEC 6).
type Verdict string

// The verdicts. Only Dead and Presumed move anything.
const (
	Alive    Verdict = "alive"
	Degraded Verdict = "degraded" // alive, but a path is missing
	Hung     Verdict = "hung"     // path answers, function does not
	Presumed Verdict = "presumed-dead"
	Dead     Verdict = "dead"
	Unknown  Verdict = "unknown"
)

// Node is what is known of a node.
type Node struct {
	Verdict  Verdict       `json:"verdict"`
	Since    time.Time     `json:"since"`
	Evidence []kits.Reason `json:"evidence,omitempty"`
	Seen     time.Time     `json:"seen"` // last time the engine itself reached its function
	// Graceful: it was shut down in good order and has not been back since.
	Graceful   bool      `json:"graceful,omitempty"`
	GracefulAt time.Time `json:"gracefulAt,omitzero"`
	// Back is when it was last there again after an absence or a shutdown: only that
	// makes an automatic switchback due.
	Back time.Time `json:"back,omitzero"`
	// Lost is when this absence began to count as a loss; zero while it is there.
	Lost time.Time `json:"lost,omitzero"`
	// FenceFailed: fencing it did not succeed during this absence; the next try, when it
	// did not say how it ended, is due at FenceNext, and FenceTries were made.
	FenceFailed *kits.Reason `json:"fenceFailed,omitempty"`
	FenceNext   time.Time    `json:"fenceNext,omitzero"`
	FenceTries  int          `json:"fenceTries,omitempty"`
	// Boot is the boot id last read from its record.
	Boot string `json:"boot,omitempty"`

	// Observations, void after a restart or a clock jump, never stored.
	// Returned is when it was last reached again after an absence.
	Returned time.Time `json:"returned,omitzero"`

	Missed     int              `json:"-"` // beats the engine missed in a row on function
	MissedPath int              `json:"-"` // … on path
	PathOnly   int              `json:"-"` // beats in a row with path and without function
	Sights     map[string]Sight `json:"-"` // what peers say of this node, by peer
	Cloud      CloudSight       `json:"-"`

	limit      int           // LCMNUMHBEATS in force, at least 1
	every      time.Duration // LCMHBEATTIME in force
	heard      bool          // a beat was tried since the last restart or clock jump
	judged     bool          // the verdict rests on such beats
	away       bool          // the engine missed it long enough to judge, and has not had it back
	missedAt   time.Time     // when the first of the missed beats was reported
	steady     time.Time     // since when no beat was missed
	takers     []string      // who might take over what it holds, as of then
	askedCloud time.Time
}

// Sight is what one peer says about reaching a node.
type Sight struct {
	Reach  kits.Outcome // OK reaches, Failed does not, Unknown could not be asked
	Missed int          // in a row
	Part   int          // reports in a row in which some, not all, paths were missing
	At     time.Time
	Paths  map[string]kits.Outcome // by path, when several are declared
}

// CloudSight is what EC2 says about a node's instance.
type CloudSight struct {
	State string // running, stopped, terminated, …; "" = not asked or no answer
	Err   string
	At    time.Time
}

// Question is a pending or past confirmation.
type Question struct {
	ID       string        `json:"id"`
	Tag      hierarchy.Tag `json:"tag"`
	From     string        `json:"from"`
	To       string        `json:"to"`
	ToRegion string        `json:"toRegion"`
	Asked    time.Time     `json:"asked"`
	Until    time.Time     `json:"until"`   // CONFIRMSOTO
	Default  int           `json:"default"` // CONFIRMSODEF: 0 proceeds when nobody answers, 1 does not
	Cause    kits.Reason   `json:"cause"`
	Evidence []kits.Reason `json:"evidence"`
	Plan     plan.Plan     `json:"plan"`
	Proven   bool          `json:"proven"` // From is proven dead or answers and is stopped in order
	// Copies are what To has of the data of the resources that would start there, as known now;
	// after an answer, as it was then. One that is not complete is the price of a yes.
	Copies []Copy        `json:"copies,omitempty"`
	State  QuestionState `json:"state"`
	Answer string        `json:"answer,omitempty"`
	By     string        `json:"by,omitempty"`
	Ended  time.Time     `json:"ended,omitzero"`
	// Loss identifies the loss that was asked about: after a no, only a new loss asks anew.
	Loss string `json:"loss"`
	// Why it ended: who answered what, or why it was withdrawn.
	Why kits.Reason `json:"why,omitzero"`
}

// QuestionState tells whether somebody still has to answer.
type QuestionState string

// The states of a question.
const (
	Pending   QuestionState = "pending"
	Answered  QuestionState = "answered"
	Expired   QuestionState = "expired"
	Withdrawn QuestionState = "withdrawn"
)

// Op is an operation that runs or has run.
type Op struct {
	ID      string      `json:"id"`
	Plan    plan.Plan   `json:"plan"`
	Cause   kits.Reason `json:"cause"`
	By      string      `json:"by"`
	Began   time.Time   `json:"began"`
	Ended   time.Time   `json:"ended,omitzero"`
	Outcome OpOutcome   `json:"outcome"`
	Reason  kits.Reason `json:"reason,omitzero"`
	// Tried are nodes on which this hierarchy could not be started during this loss.
	Tried []string `json:"tried,omitempty"`
	// Command is the id of the command it fulfils, Question the question whose answer
	// started it; both empty when it was started by the policy itself.
	Command  string `json:"command,omitempty"`
	Question string `json:"question,omitempty"`
	// Storm: the hierarchy is held where this operation lands.
	Storm bool `json:"storm,omitempty"`
	// Back: it returns a move that failed to where it came from.
	Back bool `json:"back,omitempty"`
	// Switchback: automation returns it to a better node.
	Switchback bool `json:"switchback,omitempty"`
	// Trouble is the first step that did not end well, with its outcome.
	Trouble *Trouble `json:"trouble,omitempty"`
}

// Trouble is a step that did not end well.
type Trouble struct {
	Kind    plan.StepKind `json:"kind"`
	Tag     hierarchy.Tag `json:"tag,omitempty"`
	Node    string        `json:"node"`
	Outcome kits.Outcome  `json:"outcome"`
	Reason  kits.Reason   `json:"reason"`
}

// OpOutcome is how an operation ended.
type OpOutcome string

// The outcomes of an operation.
const (
	OpRunning    OpOutcome = "running"
	OpDone       OpOutcome = "done"
	OpRolledBack OpOutcome = "rolled-back" // before the point of no return; all is as before
	OpFailed     OpOutcome = "failed"
)

// Input is something that happened. The concrete types are below.
type Input interface{ input() }

// Tick lets time pass: timers (CONFIRMSOTO, storm windows, freshness) are judged.
type Tick struct{}

// Beat is one heartbeat of the engine to a node, with what that node says of its peers.
type Beat struct {
	Node           string
	Path, Function bool
	// Peers: by peer name, what this node's probes of its comm paths gave; nil when it was not reached.
	Peers map[string]map[string]kits.Outcome
}

// CloudSaid is EC2's word about a node's instance.
type CloudSaid struct {
	Node  string
	Sight CloudSight
}

// Checked is the result of one check.
type Checked struct {
	Ref    hierarchy.Ref
	Report kits.Report
}

// NodeRecord is what a node's own record says, read when it is first seen and when it comes back.
type NodeRecord struct {
	Node   string
	Claims map[hierarchy.Tag]uint64
	Boot   string // boot id
	Err    string // could not be read
}

// GracefulStop tells that a node is being shut down in good order.
type GracefulStop struct{ Node string }

// Command is a person's wish.
type Command struct {
	ID   string // chosen by the caller; the same id twice is one command
	By   string
	Goal plan.Goal
	// ConfirmRegion is the region's name typed by the person when the move crosses regions.
	ConfirmRegion string
}

// Answered is a person's answer to a question. Kind: "yes" (with Proven),
// "off" (I have made sure that NODE is off), "fence", "no".
type AnswerGiven struct {
	Question, By, Kind string
	// Typed is what the person typed to confirm: the target region's name.
	Typed string
	// Accept are the copies that are not complete, as they were shown to the person, who accepts
	// that what they lack is lost.
	Accept []Copy
}

// StepBegan and StepEnded tell how an operation proceeds. Undo is set when the
// step belongs to the plan that takes things back (plan.Undo), which is not in
// World.Ops: it then carries the step itself, and its result is applied to the
// states just like a forward step's.
type StepBegan struct {
	Op, Step string
	Undo     *plan.Step
}

// StepEnded carries the step's result; states and claims follow from it.
type StepEnded struct {
	Op, Step string
	Report   kits.Report
	Undo     *plan.Step
}

// OpEnded tells that the runner is through with an operation.
type OpEnded struct {
	Op      string
	Outcome OpOutcome
	Reason  kits.Reason
}

// ClockJump voids all observations.
type ClockJump struct{ Gap time.Duration }

// Define replaces the definition (validated before).
type Define struct {
	Estate *hierarchy.Estate
	By     string
}

// QuorumSaid is a node's answer to AskQuorum: OK = it has quorum, Failed = it has
// not, Unknown = it could not tell, or could not be asked. Reason says what was not
// reached.
type QuorumSaid struct {
	Node    string
	Outcome kits.Outcome
	Reason  kits.Reason
}

// SetHold puts a maintenance hold on a scope, changes the one that is there, or, with
// a zero Until, releases it. It is answered with Accepted or Refused under the scope
// as id. Hold says what a scope is.
type SetHold struct {
	Scope   string
	Until   time.Time
	By, Why string
}

// SetAutomation switches automatic recovery and failover on or off.
type SetAutomation struct{ On bool }

func (Tick) input()          {}
func (Beat) input()          {}
func (CloudSaid) input()     {}
func (Checked) input()       {}
func (NodeRecord) input()    {}
func (GracefulStop) input()  {}
func (Command) input()       {}
func (AnswerGiven) input()   {}
func (StepBegan) input()     {}
func (StepEnded) input()     {}
func (OpEnded) input()       {}
func (ClockJump) input()     {}
func (Define) input()        {}
func (SetAutomation) input() {}
func (QuorumSaid) input()    {}
func (SetHold) input()       {}

// Output is something to carry out, after the world's changes are stored.
type Output interface{ output() }

// StartOp: carry this operation's plan out. It is in World.Ops already.
type StartOp struct{ Op *Op }

// Refused answers a Command or AnswerGiven that cannot be followed.
type Refused struct {
	ID     string      `json:"id"` // command or question id
	Kind   RefusedKind `json:"kind"`
	Reason kits.Reason `json:"reason"`
}

// RefusedKind is where exit codes come from.
type RefusedKind string

// The kinds of refusal (DESIGN 8).
const (
	RefusedNoSuch   RefusedKind = "no-such"   // 105
	RefusedBusy     RefusedKind = "busy"      // 75
	RefusedUnsafe   RefusedKind = "unsafe"    // 107: needs --force or a confirmation
	RefusedNoQuorum RefusedKind = "no-quorum" // 106
	RefusedInvalid  RefusedKind = "invalid"   // 64
)

// Accepted answers a Command that is followed: Op is the operation's id, or
// empty when nothing had to be done.
type Accepted struct{ ID, Op string }

// Event is a line of the log: decisions, state changes, questions, operations.
type Event struct {
	At       time.Time     `json:"at"`
	Kind     string        `json:"kind"`     // "decision", "state", "node", "question", "operation", "definition", "hold"
	Severity string        `json:"severity"` // "info", "warning", "error"
	Tag      hierarchy.Tag `json:"tag,omitempty"`
	Node     string        `json:"node,omitempty"`
	Op       string        `json:"op,omitempty"`
	Question string        `json:"question,omitempty"`
	By       string        `json:"by,omitempty"`
	Reason   kits.Reason   `json:"reason"`
	Decision *Decision     `json:"decision,omitempty"`
}

// CheckNow asks for checks out of turn (after a node came back, after a move).
type CheckNow struct{ Refs []hierarchy.Ref }

// AskCloud asks for EC2's word about a node's instance.
type AskCloud struct{ Node string }

// ReadRecord asks for a node's record.
type ReadRecord struct{ Node string }

// AskQuorum asks a node whether it has quorum, the way hierarchy.Index.Quorum says for
// that node, within that timeout. It is answered with QuorumSaid in any case.
type AskQuorum struct{ Node string }

// GiveUp: a node on which an operation has something to do is lost. What it still has to do there, its undoing included, is
// neither waited for nor tried again.
type GiveUp struct{ Op, Node string }

func (GiveUp) output()     {}
func (StartOp) output()    {}
func (AskQuorum) output()  {}
func (Refused) output()    {}
func (Accepted) output()   {}
func (Event) output()      {}
func (CheckNow) output()   {}
func (AskCloud) output()   {}
func (ReadRecord) output() {}

// ActionKind is what a decision comes to.
type ActionKind string

// The kinds of decision.
const (
	DoNothing  ActionKind = "none"
	DoRecover  ActionKind = "recover"
	DoFailover ActionKind = "failover"
	DoConfirm  ActionKind = "confirm"
	DoHold     ActionKind = "hold"
	// DoSwitchback: back to a node with a better priority that has returned.
	DoSwitchback ActionKind = "switchback"
)

// Decision is what the policy made of something that happened, with its reasons:
// for each node that was not chosen, why not.
type Decision struct {
	Tag     hierarchy.Tag `json:"tag"`
	Action  ActionKind    `json:"action"`
	From    string        `json:"from,omitempty"`
	To      string        `json:"to,omitempty"`
	Reasons []NodeReason  `json:"reasons"`
}

// NodeReason is a reason about one node.
type NodeReason struct {
	Code string            `json:"code"`
	Node string            `json:"node,omitempty"`
	Args map[string]string `json:"args,omitempty"`
	Text string            `json:"text"`
}
