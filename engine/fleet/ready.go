package fleet

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/sshexec"
)

// readyScript tells whether an operation could begin on the node: the disk takes a
// write (exit 4 when not), and who leads it according to its record.
const readyScript = `d=${FERRY_ROOT:-}/var/lib/ferry
[ -d "$d" ] || mkdir -p "$d" || exit 4
{ echo beat >"$d/beat" && sync "$d/beat"; } || exit 4
[ -e "$d/record" ] || exit 0
while read -r line; do echo "$line"; done <"$d/record"
`

// leaderScript prints the record, without a process of its own.
const leaderScript = `f=${FERRY_ROOT:-}/var/lib/ferry/record
[ -e "$f" ] || exit 0
while read -r line; do echo "$line"; done <"$f"
`

// readyTimeout bounds the question whether an operation could begin on a node.
const readyTimeout = 10 * time.Second

// Ready tells, before anything is stopped elsewhere, whether this engine could act
// on the node: its disk takes a write, and its record names no other leader. It
// changes nothing that counts.
func (f *Fleet) Ready(ctx context.Context, node string) kits.Eligibility {
	_, self, err := f.node(node)
	if err == nil {
		var res kits.Result
		res, err = f.Host(node).Run(ctx, kits.Script{Name: "ready", Body: readyScript, Deadline: readyTimeout})
		switch {
		case err == nil && res.Exit == 4:
			return kits.Eligibility{Outcome: kits.Failed, Reason: kits.Why("node.no-room", fmt.Sprintf(
				"%s cannot write to /var/lib/ferry, so nothing can be put in service there: %s; make space on its disk, or mount it writable",
				node, sshexec.Clean([]byte(res.Stderr), 200)), "node", node)}
		case err == nil && res.Exit == 0:
			return judgeLeader(node, f.leader(node, res.Stdout), self)
		case err == nil:
			err = fmt.Errorf("reading the record on %s: exit %d: %s", node, res.Exit, sshexec.Clean([]byte(res.Stderr), 200))
		}
	}
	return kits.Eligibility{Reason: kits.Why("node.not-asked", fmt.Sprintf("whether %s can be acted on is not known: %v", node, err), "node", node)}
}

// judgeLeader compares a node's record with this engine as the node itself will
// (package wire), so that a refusal comes before anything was stopped.
func judgeLeader(node string, l Leader, self Identity) kits.Eligibility {
	no := func(what, todo string) kits.Eligibility {
		return kits.Eligibility{Outcome: kits.Failed, Reason: kits.Why("node.led", fmt.Sprintf(
			"%s %s: %s, this is engine %s of estate %s at epoch %d; %s",
			node, what, l, self.Engine, self.Estate, self.Epoch, todo), "node", node, "engine", l.Engine, "estate", l.Estate)}
	}
	switch l.Standing(self) {
	case Foreign:
		return no("belongs to another estate", "use that engine, or take the node out of one of the two definitions")
	case Another:
		return no("has another leader", "use that engine")
	}
	return kits.Eligibility{Outcome: kits.OK}
}

// Leads asks the node for its record, right before something is done in the cloud in
// its name: OK = it names this engine, or nobody; Failed = somebody else; Unknown =
// it could not be asked. It changes nothing.
func (f *Fleet) Leads(ctx context.Context, node string) kits.Eligibility {
	_, self, err := f.node(node)
	if err == nil {
		var res kits.Result
		res, err = f.Host(node).Run(ctx, kits.Script{Name: "leader", Body: leaderScript, Light: true, Deadline: readyTimeout})
		if err == nil && res.Exit == 0 {
			return judgeLeader(node, f.leader(node, res.Stdout), self)
		}
		if err == nil {
			err = fmt.Errorf("reading the record on %s: exit %d", node, res.Exit)
		}
	}
	return kits.Eligibility{Reason: kits.Why("node.not-asked", fmt.Sprintf("who leads %s is not known: %v", node, err), "node", node)}
}

// leader reads a record and tells who wants to know.
func (f *Fleet) leader(node, text string) Leader {
	var l Leader
	for line := range strings.Lines(text) {
		l.take(line)
	}
	f.led(node, &l)
	return l
}
