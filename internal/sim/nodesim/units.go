package nodesim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/sshexec/wire"
)

// guarded is a unit of package wire: a job that changes something. It runs at most
// once under its name and outlives the connection.
type guarded struct {
	frame   wire.Frame
	done    chan struct{} // closed when frame holds the result
	started bool
	end     context.CancelCauseFunc
}

const recordPath = "/var/lib/ferry/record"

// guardedJob runs the unit, or awaits the one of that name.
func (n *Node) guardedJob(j wire.Job) wire.Frame {
	u, fresh := n.claimUnit(j.Guard.Unit)
	life := n.life()
	if fresh && !n.world.spawn(func() { n.runGuarded(life, u, j) }) {
		return refusal(wire.Error, 71, "the node is being switched off")
	}
	select {
	case <-u.done:
		return u.frame
	case <-life.Done():
		return refusal(wire.Lost, 70, "unit %s ended without a result", j.Guard.Unit)
	}
}

// claimUnit finds the unit or makes it; one that was turned away may be tried again.
func (n *Node) claimUnit(name string) (u *guarded, fresh bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if u := n.guarded[name]; u != nil && !u.turned() {
		return u, false
	}
	u = &guarded{done: make(chan struct{})}
	n.guarded[name] = u
	return u, true
}

// turned tells whether the unit was refused or locked: nothing was run.
func (u *guarded) turned() bool {
	select {
	case <-u.done:
		return u.frame.Status == wire.Refused || u.frame.Status == wire.Locked || u.frame.Status == wire.Error
	default:
		return false
	}
}

func (n *Node) runGuarded(life context.Context, u *guarded, j wire.Job) {
	defer close(u.done)
	g := j.Guard
	if holder := n.lock(g.Lock, g.Unit); holder != "" {
		u.frame = refusal(wire.Locked, 75, "%s holds the lock %s on this node; await it or end it", holder, g.Lock)
		return
	}
	defer n.unlock(g.Lock)
	if f, ok := n.admit(g); !ok {
		u.frame = f
		return
	}
	ctx, end := context.WithCancelCause(life)
	defer end(nil)
	n.mu.Lock()
	u.started, u.end = true, end
	n.mu.Unlock()
	u.frame = n.runScript(ctx, j)
}

// lock takes a lock; it returns the holder when another unit has it.
func (n *Node) lock(name, unit string) (holder string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h, held := n.locks[name]; held {
		return h
	}
	n.locks[name] = unit
	return ""
}

func (n *Node) unlock(name string) {
	n.mu.Lock()
	delete(n.locks, name)
	n.mu.Unlock()
}

// record is who leads this node, with the lines that others keep in the same file.
type record struct {
	estate, engine string
	epoch          uint64
	leader, since  string
	rest           string
}

// admit compares the node's record with the caller and writes the caller down
// when it leads. The rules are those of package wire.
func (n *Node) admit(g *wire.Guard) (wire.Frame, bool) {
	n.recordTurn <- struct{}{}
	defer func() { <-n.recordTurn }()
	old, exists, err := n.readRecord()
	lead := fmt.Sprintf("engine %s of estate %s leads it at epoch %d", old.engine, old.estate, old.epoch)
	if old.leader != "" {
		lead += fmt.Sprintf(" (%s since %s)", old.leader, old.since)
	}
	switch {
	case err != nil:
		return refusal(wire.Error, 65, "the record %s cannot be read: %v", recordPath, err), false
	case !exists:
	case old.estate != g.Estate:
		return refusal(wire.Refused, 77, "this node belongs to another estate: %s; the caller was engine %s of estate %s", lead, g.Engine, g.Estate), false
	case old.epoch > g.Epoch:
		return refusal(wire.Refused, 77, "this node has a newer leader: %s; the caller was engine %s at epoch %d", lead, g.Engine, g.Epoch), false
	case old.epoch == g.Epoch && old.engine != g.Engine:
		return refusal(wire.Refused, 77, "this node has another leader: %s; the caller was engine %s at the same epoch", lead, g.Engine), false
	case old.engine != g.Engine && old.epoch > g.After:
		return refusal(wire.Refused, 77, "this node has another leader: %s; the caller was engine %s at epoch %d, which has not adopted the estate from it", lead, g.Engine, g.Epoch), false
	case old.epoch == g.Epoch:
		return wire.Frame{}, true
	}
	if err := n.fs.put(recordPath, []byte(old.rest+g.Record()), 0o600); err != nil {
		return refusal(wire.Error, 74, "cannot write %s: %v", recordPath, err), false
	}
	return wire.Frame{}, true
}

func (n *Node) readRecord() (r record, exists bool, err error) {
	if _, err := n.fs.stat(recordPath); err != nil {
		return r, false, nil
	}
	data, err := n.fs.read(recordPath)
	if err != nil {
		return r, true, err
	}
	var epochErr error = strconv.ErrSyntax
	for _, line := range lines(string(data)) {
		key, value, _ := strings.Cut(line, "=")
		switch key {
		case "estate":
			r.estate = value
		case "engine":
			r.engine = value
		case "epoch":
			r.epoch, epochErr = strconv.ParseUint(value, 10, 64)
		case "leader":
			r.leader = value
		case "since":
			r.since = value
		default:
			r.rest += line + "\n"
		}
	}
	if r.estate == "" || r.engine == "" || epochErr != nil {
		return r, true, fmt.Errorf("estate, engine or epoch is missing")
	}
	return r, true, nil
}

// verb does what the node does itself.
func (n *Node) verb(j wire.Job) wire.Frame {
	switch j.Verb {
	case wire.VerbList:
		return wire.Frame{Status: wire.Done, Stdout: []byte(wire.FormatUnits(n.unitList()))}
	case wire.VerbAwait, wire.VerbEnd, wire.VerbForget:
		return n.unitVerb(j.Verb, j.Args[0])
	}
	return n.fileVerb(j)
}

func (n *Node) unitList() []wire.Unit {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []wire.Unit
	for name, u := range n.guarded {
		out = append(out, u.line(name))
	}
	slices.SortFunc(out, func(a, b wire.Unit) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// line is how a list shows the unit; the node's mu is held.
func (u *guarded) line(name string) wire.Unit {
	l := wire.Unit{Name: name, State: wire.UnitStarting}
	select {
	case <-u.done:
		l.Status, l.Exit, l.State = u.frame.Status, u.frame.Exit, wire.UnitFinished
		if u.turned() {
			l.State = wire.UnitTurned
		} else if l.Status == wire.Lost {
			l.State, l.Status = wire.UnitLost, ""
		}
	default:
		if u.started {
			l.State = wire.UnitRunning
		}
	}
	return l
}

func (n *Node) unitVerb(v wire.Verb, name string) wire.Frame {
	n.mu.Lock()
	u := n.guarded[name]
	var end context.CancelCauseFunc
	if u != nil {
		end = u.end
	}
	life := n.ctx
	n.mu.Unlock()
	if u == nil {
		if v == wire.VerbForget {
			return wire.Frame{Status: wire.Done}
		}
		f := refusal(wire.Done, 66, "unit %s is not known on this node", name)
		if v == wire.VerbAwait {
			f.Status = wire.Error
		}
		return f
	}
	if v == wire.VerbForget {
		return n.forgetUnit(name, u)
	}
	if v == wire.VerbEnd && end != nil {
		end(errEnded)
	}
	select {
	case <-u.done:
	case <-life.Done():
		return refusal(wire.Lost, 70, "unit %s ended without a result", name)
	}
	if v == wire.VerbAwait {
		return u.frame
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return wire.Frame{Status: wire.Done, Stdout: []byte(wire.FormatUnits([]wire.Unit{u.line(name)}))}
}

func (n *Node) forgetUnit(name string, u *guarded) wire.Frame {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-u.done:
		delete(n.guarded, name)
		return wire.Frame{Status: wire.Done}
	default:
		return refusal(wire.Done, 75, "unit %s is running", name)
	}
}

// fileVerb copies files: put, drop, get, sum.
func (n *Node) fileVerb(j wire.Job) wire.Frame {
	p := path.Clean("/" + j.Args[0])
	switch j.Verb {
	case wire.VerbDrop:
		_ = n.fs.remove(p+".ferry-"+j.Args[1], false)
		return wire.Frame{Status: wire.Done}
	case wire.VerbPut:
		return n.put(p, j)
	}
	data, err := n.fs.read(p)
	if err != nil {
		return refusal(wire.Done, 66, "%v", err)
	}
	if j.Verb == wire.VerbSum {
		i, err := n.fs.stat(p)
		if err != nil {
			return refusal(wire.Done, 66, "%v", err)
		}
		return wire.Frame{Status: wire.Done, Stdout: fmt.Appendf(nil, "%x %d %o\n", sha256.Sum256(data), len(data), i.Mode().Perm())}
	}
	off, err1 := strconv.Atoi(j.Args[1])
	length, err2 := strconv.Atoi(j.Args[2])
	if err1 != nil || err2 != nil || off < 0 || length < 0 {
		return refusal(wire.Done, 64, "offset or length is no number")
	}
	off = min(off, len(data))
	return wire.Frame{Status: wire.Done, Stdout: data[off:min(off+length, len(data))]}
}

// put adds a part beside the file; the last part is verified and moved into place.
func (n *Node) put(p string, j wire.Job) wire.Frame {
	tmp := p + ".ferry-" + j.Args[1]
	offset, err1 := strconv.Atoi(j.Args[2])
	mode, err2 := strconv.ParseUint(j.Args[4], 8, 12)
	if err1 != nil || err2 != nil {
		return refusal(wire.Done, 64, "offset or mode is no number")
	}
	if offset == 0 {
		if err := n.fs.create(tmp, 0o600, true); err != nil {
			return refusal(wire.Done, 74, "%v", err)
		}
	}
	had, err := n.fs.read(tmp)
	if err != nil || len(had) != offset {
		return refusal(wire.Done, 65, "%s is not as long as expected", tmp)
	}
	if err := n.fs.add(tmp, j.Stdin); err != nil {
		return refusal(wire.Done, 74, "%v", err)
	}
	if j.Args[3] != "1" {
		return wire.Frame{Status: wire.Done}
	}
	sum := sha256.Sum256(append(had, j.Stdin...))
	if hex.EncodeToString(sum[:]) != j.Args[5] {
		_ = n.fs.remove(tmp, false)
		return refusal(wire.Done, 65, "the checksum of %s differs", p)
	}
	err = n.fs.chmod(tmp, uint32(mode))
	if err == nil {
		err = n.fs.rename(tmp, p)
	}
	if err != nil {
		return refusal(wire.Done, 74, "%v", err)
	}
	return wire.Frame{Status: wire.Done}
}

// Units lists the guarded units that the node knows, as wire.VerbList does.
func (n *Node) Units() []wire.Unit { return n.unitList() }
