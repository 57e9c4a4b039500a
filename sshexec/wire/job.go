package wire

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"
)

// Bounds of a request. They keep a slip of ours from becoming a node's problem.
const (
	// MaxText bounds a script and its input, each, in bytes.
	MaxText = 1 << 20
	// MaxJobs bounds the jobs of one request.
	MaxJobs = 256
	// MaxMaxOutput is the highest MaxOutput, in bytes per stream.
	MaxMaxOutput = 8 << 20
	// DefaultMaxOutput is used where MaxOutput is 0: enough for every tool a kit parses.
	DefaultMaxOutput = 64 << 10
	// DefaultDeadline is used where Deadline is 0.
	DefaultDeadline = 30 * time.Second
	// MaxDeadline is the longest deadline: nothing a kit does takes longer without being stuck.
	MaxDeadline = 24 * time.Hour
)

// Verb names something a node does itself instead of running a script. Body is then empty.
type Verb string

// The verbs, with their arguments and what they print.
const (
	VerbScript Verb = ""       // runs Body
	VerbList   Verb = "list"   // no arguments; a line "NAME STATE STATUS EXIT" per unit, see ParseUnits
	VerbAwait  Verb = "await"  // UNIT; answers with the unit's own frame, or status error exit 66 when there is none
	VerbEnd    Verb = "end"    // UNIT; TERM, after 3 s KILL; returns when it has ended, exit 66 when there is none
	VerbForget Verb = "forget" // UNIT; removes the kept result; exit 75 while it runs
	VerbPut    Verb = "put"    // PATH ID OFFSET LAST(0|1) MODE SHA256, part on stdin; exit 65 when the checksum differs
	VerbDrop   Verb = "drop"   // PATH ID; removes an unfinished put
	VerbGet    Verb = "get"    // PATH OFFSET LENGTH; prints that part; exit 66 when it is no file
	VerbSum    Verb = "sum"    // PATH; "SHA256 SIZE MODE(octal)"; exit 66 when it is no file
)

// verbArgs holds how many arguments a verb takes; VerbScript takes any number.
func verbArgs(v Verb) (int, bool) {
	n, ok := map[Verb]int{VerbList: 0, VerbAwait: 1, VerbEnd: 1, VerbForget: 1, VerbPut: 6, VerbDrop: 2, VerbGet: 3, VerbSum: 1}[v]
	return n, ok
}

// Job is one script of a request.
type Job struct {
	ID        string        // unique in its request: letters, digits and ._:@/+=- up to 128
	Name      string        // for people; goes into the request, not into the shell
	Verb      Verb          // VerbScript, or something the node does itself
	Body      string        // POSIX sh, without NUL, at most MaxText
	Args      []string      // $1, $2, …; visible in process listings
	Stdin     []byte        // the script's input; secrets belong here and nowhere else
	Deadline  time.Duration // from its start on the node; 0 is DefaultDeadline
	MaxOutput int           // bytes kept of each stream; 0 is DefaultMaxOutput
	Guard     *Guard        // nil: reads only
	// Beat runs the script inside the channel's own shell, without deadline, stdin or bound on the node: one fork
	// instead of a dozen, for heartbeats.
	// What it says on stderr comes with its stdout, without NULs and final newlines. It must be alone in its
	// request; the caller keeps the deadline.
	Beat bool
}

// Guard makes a job one that changes something; see the package comment.
type Guard struct {
	Unit   string `json:"unit"`   // name of the unit without ".service": "ferry-" and letters, digits, ._:-
	Lock   string `json:"lock"`   // what may not be changed by two at once: letters, digits, ._:-
	Estate string `json:"estate"` // the estate's id
	Engine string `json:"engine"` // the caller's id
	Epoch  uint64 `json:"epoch"`  // the caller's epoch, from 1
	// After is the highest epoch of another engine that the caller may follow: what it saw when it adopted the estate. A
	// higher epoch alone is not enough, since an engine that was adopted away gets one at each of its restarts.
	After uint64 `json:"after,omitempty"`
	// Leader and Since tell people who leads, and since when: they stand in the record and in refusals.
	Leader string    `json:"leader,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	// Light: the script leaves nothing running and nobody leaves its process group. Then its unit is a session of its
	// own without a control group, which costs a fifth: systemd is not asked.
	Light bool `json:"light,omitempty"`
}

// Request is a set of jobs that are carried out side by side on one node.
type Request struct {
	Nonce string
	Jobs  []Job
}

// NewNonce returns 128 random bits in hexadecimal.
func NewNonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

// Timeout returns the deadline that applies.
func (j Job) Timeout() time.Duration {
	if j.Deadline <= 0 {
		return DefaultDeadline
	}
	return j.Deadline
}

// Limit returns the bound on each output stream that applies, in bytes.
func (j Job) Limit() int {
	if j.MaxOutput <= 0 {
		return DefaultMaxOutput
	}
	return j.MaxOutput
}

type patterns struct{ nonce, id, unit, name, leader *regexp.Regexp }

func compile() patterns {
	return patterns{
		nonce: regexp.MustCompile(`^[0-9a-f]{32}$`),
		id:    regexp.MustCompile(`^[A-Za-z0-9._:@/+=-]{1,128}$`),
		unit:  regexp.MustCompile(`^ferry-[A-Za-z0-9_.:-]{1,200}$`),
		name:  regexp.MustCompile(`^[A-Za-z0-9_:-][A-Za-z0-9_.:-]{0,127}$`),
		// One line of the record, fit for any terminal.
		leader: regexp.MustCompile(`^[\x20-\x7e]{0,200}$`),
	}
}

var valid = compile() // read only

// Validate says what is wrong with the request, or nil. Shell may only be called on a valid one.
func (r Request) Validate() error {
	if !valid.nonce.MatchString(r.Nonce) {
		return fmt.Errorf("nonce %q is not 32 hexadecimal digits", r.Nonce)
	}
	if len(r.Jobs) == 0 || len(r.Jobs) > MaxJobs {
		return fmt.Errorf("a request has 1 to %d jobs, not %d", MaxJobs, len(r.Jobs))
	}
	seen := map[string]bool{}
	for _, j := range r.Jobs {
		if err := j.Validate(); err != nil {
			return fmt.Errorf("job %q: %w", j.ID, err)
		}
		if seen[j.ID] {
			return fmt.Errorf("job %q: the id is used twice", j.ID)
		}
		if j.Beat && len(r.Jobs) > 1 {
			return fmt.Errorf("job %q: a heartbeat is alone in its request", j.ID)
		}
		seen[j.ID] = true
	}
	return nil
}

// Validate says what is wrong with the job, or nil.
func (j Job) Validate() error {
	n, known := verbArgs(j.Verb)
	switch {
	case !valid.id.MatchString(j.ID):
		return fmt.Errorf("the id is not 1 to 128 letters, digits or ._:@/+=-")
	case j.Deadline < 0 || j.Deadline > MaxDeadline:
		return fmt.Errorf("deadline %s is not between 0 and %s", j.Deadline, MaxDeadline)
	case j.MaxOutput < 0 || j.MaxOutput > MaxMaxOutput:
		return fmt.Errorf("output bound %d is not between 0 and %d", j.MaxOutput, MaxMaxOutput)
	case len(j.Body) > MaxText || len(j.Stdin) > MaxText:
		return fmt.Errorf("script or input is longer than %d bytes", MaxText)
	case strings.ContainsRune(j.Body, 0) || strings.ContainsRune(strings.Join(j.Args, ""), 0):
		return fmt.Errorf("script or arguments contain a NUL")
	case j.Verb != VerbScript && (!known || len(j.Args) != n || j.Body != "" || j.Guard != nil):
		return fmt.Errorf("verb %q is unknown, or has other than its %d arguments, a script or a guard", j.Verb, n)
	case j.Beat && (j.Guard != nil || j.Stdin != nil || j.Verb != VerbScript):
		return fmt.Errorf("a heartbeat has a script, arguments and nothing else")
	case unitVerb(j.Verb) && !valid.unit.MatchString(j.Args[0]):
		return fmt.Errorf("%q is no name of a ferry unit", j.Args[0])
	}
	return j.Guard.validate()
}

func unitVerb(v Verb) bool { return v == VerbAwait || v == VerbEnd || v == VerbForget }

func (g *Guard) validate() error {
	switch {
	case g == nil:
		return nil
	case !valid.unit.MatchString(g.Unit):
		return fmt.Errorf("unit %q is not \"ferry-\" and letters, digits or _.:-", g.Unit)
	case !valid.name.MatchString(g.Lock):
		return fmt.Errorf("lock %q is not letters, digits or _.:-", g.Lock)
	case !valid.id.MatchString(g.Estate) || !valid.id.MatchString(g.Engine):
		return fmt.Errorf("estate %q or engine %q is not letters, digits or ._:@/+=-", g.Estate, g.Engine)
	case g.Epoch == 0 || g.Epoch > math.MaxInt64/10 || g.After > math.MaxInt64/10:
		return fmt.Errorf("epoch %d or %d is out of range", g.Epoch, g.After)
	case !valid.leader.MatchString(g.Leader):
		return fmt.Errorf("leader %q is not one line of at most 200 printable ASCII characters", g.Leader)
	}
	return nil
}
