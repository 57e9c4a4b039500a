package datakeeper

import (
	"context"
	_ "embed" // the scripts, kept as files so that shellcheck and editors know them
	"strconv"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

//go:embed sh/lib.sh
var libSh string

//go:embed sh/array.sh
var arraySh string

//go:embed sh/pulse.sh
var pulseSh string

//go:embed sh/create.sh
var createSh string

//go:embed sh/start.sh
var startSh string

//go:embed sh/stop.sh
var stopSh string

//go:embed sh/serve.sh
var serveSh string

//go:embed sh/dirty.sh
var dirtySh string

//go:embed sh/connect.sh
var connectSh string

//go:embed sh/add.sh
var addSh string

//go:embed sh/exclude.sh
var excludeSh string

//go:embed sh/thaw.sh
var thawSh string

//go:embed sh/verify.sh
var verifySh string

//go:embed sh/uncache.sh
var uncacheSh string

//go:embed sh/sums.sh
var sumsSh string

//go:embed sh/located.sh
var locatedSh string

//go:embed sh/eligible.sh
var eligibleSh string

//go:embed sh/disks.sh
var disksSh string

// tools that a node needs.
var tools = []string{"mdadm", "nbd-client", "nbd-server", "dmsetup", "flock", "losetup", "blockdev", "blkid", "modprobe", "systemd-run", "sha256sum", "od", "awk"}

// Pulse looks at the mirror on a node.
func (k Kit) Pulse(in kits.Instance) kits.Script {
	s := script("pulse", pulseSh, in, knownRecord(in))
	s.Deadline, s.Light = k.Timeout(kits.ActCheck, in), true
	return s
}

// CheckScript is the pulse: what it tells is enough to judge.
func (k Kit) CheckScript(in kits.Instance) kits.Script {
	s := k.Pulse(in)
	s.Name = "datakeeper/check"
	return s
}

// Check runs the check's script by itself.
func (k Kit) Check(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, k.CheckScript(in))
	return k.JudgeCheck(in, res, err)
}

// Start puts the array together on this node's own disk. The other legs come by joining.
func (k Kit) Start(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	return k.bringUp(ctx, h, in, kits.ActStart)
}

// Recover is a start: it puts right an array that is gone or read-only.
func (k Kit) Recover(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	return k.bringUp(ctx, h, in, kits.ActRecover)
}

func (k Kit) bringUp(ctx context.Context, h kits.Host, in kits.Instance, a kits.Action) kits.Report {
	rec, err := decode(in.Record)
	if r := notSource(in, rec, err); r != nil {
		return *r
	}
	once := ""
	if promises(rec) || in.Doubtful {
		once = "once"
	}
	speeds := []string{once, in.Tune(TuneSpeedMin, defaultSpeedMin), in.Tune(TuneSpeedMax, defaultSpeedMax)}
	from := strconv.Itoa(rec.From)
	s := script(string(a), arraySh+"\n"+startSh, in, rec, append(speeds, from)...)
	if !rec.Created || rec.Forced {
		rebuild := ""
		switch {
		case rec.Rebuild:
			rebuild = "rebuild"
		case rec.Forced:
			rebuild = "missing"
		}
		s = script("create", arraySh+"\n"+createSh, in, rec, append(speeds,
			in.Attr(FieldHierarchy, HierarchyExisting), in.Attr(FieldFSType, "ext4"), strconv.Itoa(max(len(in.On), 2)), arrayName(in), rebuild, from)...)
	}
	s.Deadline, s.Mutates = k.Timeout(a, in), true
	res, err := h.Run(ctx, s)
	return judgeStart(in, res, err)
}

// promises: the record calls a leg in sync. An array of this generation that was gone and came back would go on without that leg
// and nobody would know; it takes a new generation.
func promises(rec *Record) bool {
	for _, l := range rec.Legs {
		if l.State == InSync {
			return true
		}
	}
	return false
}

// Stop takes the array down and everything under it that this node does not need as a target.
func (k Kit) Stop(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	s := script("stop", stopSh, in, knownRecord(in), in.Tune(TuneStop, defaultStop))
	s.Deadline, s.Mutates = k.Timeout(kits.ActStop, in), true
	res, err := h.Run(ctx, s)
	return judgeStop(in, res, err)
}

// eligibleLimit bounds the question itself.
const eligibleLimit = 40 * time.Second

// Eligible asks whether this node's disk could become the source: first what the machine lacks, then what the record says.
func (k Kit) Eligible(ctx context.Context, h kits.Host, in kits.Instance) kits.Eligibility {
	s := script("eligible", eligibleSh, in, knownRecord(in), tools...)
	s.Deadline, s.Light = eligibleLimit, true
	res, err := h.Run(ctx, s)
	return judgeEligible(in, res, err, time.Now())
}

// knownRecord is the record, or none where it cannot be read: stopping and looking need no more than names.
func knownRecord(in kits.Instance) *Record {
	rec, err := decode(in.Record)
	if err != nil {
		return nil
	}
	return rec
}

// script puts the prelude before a body, and the common arguments before its own.
func script(name, body string, in kits.Instance, rec *Record, args ...string) kits.Script {
	uuid, gen := "-", 0
	if rec != nil {
		uuid, gen = rec.UUID, rec.Gen
	}
	return kits.Script{
		Name: "datakeeper/" + name, Body: libSh + "\n" + body,
		Args: append([]string{Slug(in), in.Tag, uuid, in.Attrs[FieldDisk], metadata(in), device(in), strconv.Itoa(gen)}, args...),
	}
}
