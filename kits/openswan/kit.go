package openswan

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// FieldConnection is the kit's only field of its own: the connection's name in
// ipsec.conf. Region, endpoint and credentials are those of the region's definition.
const FieldConnection = "connection"

// The tuning names, with the seed product's defaults in Tunables.
const (
	RemoveTimeout = "OPENSWAN_REMOVE_TIMEOUT"
	PingTimeout   = "OPENSWAN_PING_TIMEOUT"
	CheckTries    = "OPENSWAN_CHECK_TRY_COUNT"
	CheckInterval = "OPENSWAN_CHECK_INTERVAL"
)

// Kit protects one IPsec connection. Its zero value is ready to use.
type Kit struct{}

var (
	_ kits.Kit            = Kit{}
	_ kits.Batcher        = Kit{}
	_ kits.StandbyChecker = Kit{}
	_ kits.Chooser        = Kit{}
)

// Name is "openswan".
func (Kit) Name() string { return "openswan" }

// Traits: stop leaves daemon, tunnel and routes as they are, so a dead node need not be asked.
func (Kit) Traits() kits.Traits { return kits.Traits{LeavesOnStop: true} }

// ChecksStandby is true: the tunnel of a standby node must be ready to take over.
func (Kit) ChecksStandby() bool { return true }

// Fields are the wizard's questions.
func (Kit) Fields() []kits.Field {
	return []kits.Field{{
		Name: FieldConnection, Label: "IPSec connection name", Kind: kits.KindChoice, Required: true, PerNode: true,
		Help: "The conn section of ipsec.conf that leads to the peer region. Each node has its own tunnel.",
	}}
}

// Tunables are the names this kit reads.
func (Kit) Tunables() []kits.Tunable {
	return []kits.Tunable{
		{Name: RemoveTimeout, Default: "15", Unit: "s", Help: "time limit of the stop"},
		{Name: PingTimeout, Default: "5", Unit: "s", Help: "how long the peer may take to answer a ping"},
		{Name: CheckTries, Default: "3", Unit: "count", Help: "checks of the tunnel after a start or a recovery"},
		{Name: CheckInterval, Default: "15", Unit: "s", Help: "pause between those checks"},
	}
}

// tuning is what is in force on the node.
type tuning struct {
	remove, ping, pause int // seconds
	tries               int
}

func tuned(in kits.Instance) tuning {
	return tuning{
		remove: number(in, RemoveTimeout, 15, 1, 3600),
		ping:   number(in, PingTimeout, 5, 1, 600),
		tries:  number(in, CheckTries, 3, 1, 1000),
		pause:  number(in, CheckInterval, 15, 0, 3600),
	}
}

// number reads a tuning value; one that the definition's validation would not let through counts as the default.
func number(in kits.Instance, name string, def, least, most int) int {
	n, err := strconv.Atoi(in.Tune(name, strconv.Itoa(def)))
	if err != nil || n < least || n > most {
		return def
	}
	return n
}

// connName: what both daemons take for a name. A slash would read as a part of another connection.
var connName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$`)

// Validate judges the fields of one node, and that the EC2 child is there.
func (Kit) Validate(in kits.Instance) []kits.Problem {
	name := in.Attrs[FieldConnection]
	p := kits.Problem{Field: FieldConnection, Node: in.Node.Name, Fix: `write the name behind "conn" in ipsec.conf, like "vpn1"`}
	switch {
	case name == "":
		p.Text = "the connection's name is missing"
	case !connName.MatchString(name):
		p.Text = fmt.Sprintf("%.80q cannot be the name of a connection", name)
	default:
		if child := childProblem(in); child != nil {
			return []kits.Problem{*child}
		}
		return nil
	}
	return []kits.Problem{p}
}

// Effects: a start moves the claim only, since the tunnel runs already; a recovery touches the daemon.
func (Kit) Effects(a kits.Action, in kits.Instance) []kits.Effect {
	tunnel := "tunnel " + in.Attrs[FieldConnection]
	switch a {
	case kits.ActStart:
		e := kits.Effect{Kind: "claim", What: tunnel, To: in.Node.Name}
		if in.Active != in.Node.Name {
			e.From = in.Active
		}
		return []kits.Effect{e}
	case kits.ActStop:
		return []kits.Effect{{Kind: "claim", What: tunnel + " (daemon and tunnel stay up)", From: in.Node.Name}}
	case kits.ActRecover:
		return []kits.Effect{{Kind: "process", What: "ipsec daemon or " + tunnel, From: in.Node.Name, To: in.Node.Name}}
	}
	return nil
}

// The bounds of the scripts, added up from those that stand in them.
const (
	// statusBound: two questions of 6 s to the daemon, a control of 2 s, a second each to end them.
	statusBound = 17 * time.Second
	confBound   = 20 * time.Second
	// repairBound is for a daemon that hangs and is started again on a node under load; it takes 5 to 15 s otherwise.
	repairBound = 3 * time.Minute
)

// checkBound: status, two pings with 3 s beside their own limit, trafficstatus, and room.
func checkBound(in kits.Instance) time.Duration {
	return statusBound + 2*time.Duration(tuned(in).ping+3)*time.Second + 10*time.Second
}

// Timeout is the longest an action may take.
func (Kit) Timeout(a kits.Action, in kits.Instance) time.Duration {
	t, check := tuned(in), checkBound(in)
	switch a {
	case kits.ActStart, kits.ActRecover:
		return check + repairBound + time.Duration(t.tries)*(check+time.Duration(t.pause)*time.Second)
	case kits.ActStop:
		return time.Duration(t.remove) * time.Second
	case kits.ActEligible:
		return confBound + check
	}
	return check
}
