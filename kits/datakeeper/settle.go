package datakeeper

import (
	"context"
	_ "embed" // the script, kept as a file so that shellcheck and editors know it
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

//go:embed sh/settle.sh
var settleSh string

var _ kits.Settler = Kit{}

// settleLimit bounds the settle script: three flushes of what a leg's cache may hold, which is little.
const settleLimit = 2 * time.Minute

// super is what a leg's superblock says.
type super struct {
	uuid         string
	events, time int64
	clean        bool
	features     int64
	dev          int   // the leg's number in the array
	roles        []int // by number, as this leg knows them; see md's superblock
}

// Of md's features of a superblock: those with which a leg is, or may be, no whole copy: it is being recovered or reshaped,
// blocks of it are bad, it is a replacement.
const unwhole = 0x2 | 0x4 | 0x8 | 0x10 | 0x20 | 0x40 | 0x80

// lastRole is below what md calls spare, faulty and journal.
const lastRole = 0xff00

// final is how an array ended in good order on this node: in which generation, and what its own superblock said then.
type final struct {
	gen int
	super
}

// newSuper reads the mark of a superblock.
func newSuper(m mark) (name string, s super, err error) {
	name, v := m.fields()
	num := func(key string) (n int64) {
		if err == nil {
			if n, err = strconv.ParseInt(v[key], 10, 64); n < 0 {
				err = fmt.Errorf("%s is negative", key)
			}
		}
		return n
	}
	s = super{uuid: v["uuid"], clean: v["clean"] == "yes", events: num("events"), time: num("time"), features: num("features"), dev: int(num("dev"))}
	for r := range strings.SplitSeq(v["roles"], ",") {
		role, rerr := strconv.ParseUint(r, 10, 16)
		err = errors.Join(err, rerr)
		s.roles = append(s.roles, int(role))
	}
	if err == nil && !uuidForm.MatchString(s.uuid) {
		err = fmt.Errorf("%q is no uuid", kits.OneLine(s.uuid, 40))
	}
	return name, s, err
}

func newFinal(m mark) (*final, error) {
	gen, s, err := newSuper(m)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(gen)
	return &final{n, s}, err
}

// whole: nothing was under way, and nothing is known to be missing.
func (s super) whole() bool { return s.clean && s.features&unwhole == 0 }

// place is the role that a superblock gives to a number; -1 = none.
func (s super) place(dev int) int {
	if dev < 0 || dev >= len(s.roles) || s.roles[dev] >= lastRole {
		return -1
	}
	return s.roles[dev]
}

// lagging: the record refuses a node for no other reason than that its copy may lag behind.
func lagging(in kits.Instance, rec *Record, now time.Time) bool {
	r := refusal(in, rec, now)
	return r != nil && (r.Code == codeAsynchronous || r.Code == codeContinue)
}

const (
	codeAsynchronous = "datakeeper.asynchronous"
	codeContinue     = "datakeeper.continue"
)

// Prospect: the leg counts as in sync, and its source runs with it, or ended in good order with it. What the source says is of
// this moment; whether the leg has everything is seen after the stop.
func (k Kit) Prospect(ctx context.Context, on func(string) kits.Host, in kits.Instance, no kits.Eligibility) (el kits.Eligibility, ready bool) {
	rec := knownRecord(in)
	if no.Outcome != kits.Failed || no.Reason.Code != codeAsynchronous && no.Reason.Code != codeContinue || rec == nil || rec.Bad || !lagging(in, rec, time.Now()) {
		return no, false
	}
	node, source := in.Node.Name, rec.Source
	l, err := k.ask(ctx, on(source), at(in, source))
	switch {
	case err != nil || l.gen != rec.Gen || l.uuid != rec.UUID:
		return no, false
	case l.array == nil:
		if l.final == nil || lacking(rec, node, l.final) != "" {
			return no, false
		}
		ready = true
	default:
		f, ok := l.far[node]
		if !ok || f.number != rec.Legs[node].Number || !f.current(l.array) {
			return no, false
		}
	}
	text := fmt.Sprintf("the copy on %s follows %s; once %s has been stopped there it is made complete, and looked at again", node, source, in.Tag)
	return kits.Eligibility{Outcome: kits.OK, Reason: kits.Why("datakeeper.settles", text, "tag", in.Tag, "node", node, "source", source)}, ready
}

// ask hears what the source says at this moment.
func (k Kit) ask(ctx context.Context, h kits.Host, in kits.Instance) (*look, error) {
	res, err := h.Run(ctx, k.Pulse(in))
	return hear(kits.Pulse{Result: res, Err: err})
}

// Settle proves that the leg of in.Node has everything, and says so in the record.
//
// md ends an array only when every write has been answered by every member, write-behind too; a member that did not answer
// one is marked faulty, and the superblock of the source says so. So the leg has everything if, in the source's last
// superblock, it still has its place. That the leg's own superblock is the same one (events and time) shows that it is this
// leg, and that nothing of the end is missing on it. Events alone would not: md takes one back when an array becomes clean again.
func (k Kit) Settle(ctx context.Context, on func(string) kits.Host, in kits.Instance) ([]byte, kits.Reason) {
	rec := knownRecord(in)
	refuse := func(text string) ([]byte, kits.Reason) {
		source := ""
		if rec != nil {
			source = rec.Source
		}
		return nil, kits.Why("datakeeper.unsettled", fmt.Sprintf("the copy of %s on %s could not be proven to be complete: %s; it is not started there", in.Tag, in.Node.Name, text),
			"tag", in.Tag, "node", in.Node.Name, "source", source, "why", text)
	}
	if rec == nil || rec.Bad || !lagging(in, rec, time.Now()) {
		return refuse("the record does not call it in sync")
	}
	l, err := k.ask(ctx, on(rec.Source), at(in, rec.Source))
	switch {
	case err != nil:
		return refuse(fmt.Sprintf("%s does not say how it ended there: %v", rec.Source, err))
	case l.array != nil:
		return refuse("it still runs on " + rec.Source)
	case l.gen != rec.Gen || l.uuid != rec.UUID || l.final == nil:
		return refuse("it did not end in good order on " + rec.Source)
	}
	if what := lacking(rec, in.Node.Name, l.final); what != "" {
		return refuse(what)
	}
	s := script("settle", settleSh, in, rec)
	s.Deadline, s.Mutates = settleLimit, true
	res, err := on(in.Node.Name).Run(ctx, s)
	a, bad := read(in, "settle", res, err)
	if bad != nil {
		return nil, bad.Reason
	}
	m, _ := a.get("leg")
	_, own, err := newSuper(m)
	if err != nil {
		return refuse(fmt.Sprintf("what it says of itself cannot be read: %v", err))
	}
	if what := differs(rec, l.final, own); what != "" {
		return refuse(what)
	}
	rec = rec.copied()
	leg := rec.Legs[in.Node.Name]
	leg.Complete, leg.Last = true, time.Now()
	rec.Legs[in.Node.Name] = leg
	return rec.encode(), kits.Why("datakeeper.settled", fmt.Sprintf("the copy on %s is complete: it has everything that %s had when the mirror was stopped there", in.Node.Name, rec.Source),
		"tag", in.Tag, "node", in.Node.Name, "source", rec.Source)
}

// lacking says what is wrong with how the array ended on its source, as far as a node's leg needs it; empty = nothing.
func lacking(rec *Record, node string, f *final) string {
	switch {
	case f.gen != rec.Gen || f.uuid != rec.UUID:
		return fmt.Sprintf("it did not end in good order on %s in this generation", rec.Source)
	case !f.whole() || f.place(f.dev) < 0:
		return "the disk of " + rec.Source + " was not whole when it was stopped there"
	case !slices.ContainsFunc(f.roles, func(r int) bool { return r < lastRole && r != f.place(f.dev) }):
		return "the array on " + rec.Source + " was alone when it was stopped: the copy on " + node + " had been given up"
	}
	return ""
}

// differs says why a leg is not the one that the source ended with; empty = it is.
func differs(rec *Record, f *final, own super) string {
	role := own.place(own.dev)
	switch {
	case own.uuid != rec.UUID:
		return "its metadata belong to another array"
	case !own.whole():
		return "it was not whole when the mirror was stopped"
	case role < 0 || own.dev == f.dev || role == f.place(f.dev):
		return "it was no member when the mirror was stopped"
	case f.place(own.dev) != role:
		return rec.Source + " had given it up before the mirror was stopped"
	case own.events != f.events || own.time != f.time:
		return fmt.Sprintf("it is not at the end: %d events, and %d on %s", own.events, f.events, rec.Source)
	case !slices.Equal(own.roles, f.roles):
		return "it does not know the members that " + rec.Source + " ended with"
	}
	return ""
}

// unsettle takes back that legs are complete while an array runs: one that runs may write.
func (k *keeping) unsettle() {
	for _, l := range k.looks {
		if l.array == nil || l.gen < k.rec.Gen {
			continue
		}
		for n, leg := range k.rec.Legs {
			leg.Complete = false
			k.rec.Legs[n] = leg
		}
	}
}
