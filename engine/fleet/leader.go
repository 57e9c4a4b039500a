package fleet

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/sshexec"
)

// Leader is who leads a node according to its record; empty without a record.
type Leader struct {
	Estate, Engine string
	Epoch          uint64
	Who, Since     string // for people; empty in records of older versions
}

// String says it for people.
func (l Leader) String() string {
	s := fmt.Sprintf("engine %s of estate %s leads it at epoch %d", l.Engine, l.Estate, l.Epoch)
	if l.Who != "" {
		s += fmt.Sprintf(" (%s since %s)", l.Who, l.Since)
	}
	return s
}

// Standing is what a leader's record means for an engine.
type Standing int

// The standings.
const (
	Free    Standing = iota // no record: the first who comes leads
	Ours                    // this engine leads, or may follow the one that does
	Foreign                 // the node belongs to another estate
	Another                 // the same estate, and another engine leads it, or a later start of this one
)

// Standing judges as the node itself will (package wire).
func (l Leader) Standing(self Identity) Standing {
	switch {
	case l.Estate == "":
		return Free
	case l.Estate != self.Estate:
		return Foreign
	case l.Epoch > self.Epoch, l.Engine != self.Engine && (l.Epoch == self.Epoch || l.Epoch > self.After):
		return Another
	}
	return Ours
}

// take reads one line of a record; lines it does not know belong to others.
func (l *Leader) take(line string) {
	k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
	v = sshexec.Clean([]byte(v), 200)
	switch k {
	case "estate":
		l.Estate = v
	case "engine":
		l.Engine = v
	case "epoch":
		l.Epoch, _ = strconv.ParseUint(v, 10, 64) // the node refuses what it cannot read itself
	case "leader":
		l.Who = v
	case "since":
		l.Since = v
	}
}

// Leaders is told who leads a node whenever a record was read; nil = the node has just
// refused something, and its record should be read. It must not block.
type Leaders func(node string, l *Leader, s Standing)

// OnLeader sets who is told; once, before the fleet is used.
func (f *Fleet) OnLeader(tell Leaders) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leaders = tell
}

func (f *Fleet) led(node string, l *Leader) {
	f.mu.Lock()
	tell, self := f.leaders, f.self
	f.mu.Unlock()
	switch {
	case tell == nil:
	case l == nil:
		tell(node, nil, Another)
	default:
		tell(node, l, l.Standing(self))
	}
}
