package datakeeper

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// The kit's field names.
const (
	FieldHierarchy = "hierarchy_type"
	FieldDisk      = "disk"
	FieldFSType    = "fs_type"
	FieldMetadata  = "metadata"
	FieldMode      = "mode"
	FieldPartition = "on_partition"
	FieldAddress   = "address"
	FieldPort      = "port"
	FieldDevice    = "device"
	FieldPaused    = "paused"
)

// Values of the fields.
const (
	HierarchyExisting = "existing"
	HierarchyNew      = "new"
	HierarchyDataOnly = "data-only"

	ModeSynchronous  = "synchronous"
	ModeAsynchronous = "asynchronous"

	PartitionFreeze   = "freeze"
	PartitionContinue = "continue"
)

// Tunables.
const (
	TuneFreezeLimit = "MIRROR_FREEZE_LIMIT"
	TuneSpeedMin    = "MIRROR_SPEED_MIN"
	TuneSpeedMax    = "MIRROR_SPEED_MAX"
	TunePatience    = "MIRROR_LINK_TIMEOUT"
	TuneStop        = "MIRROR_STOP_TIMEOUT"
)

const (
	defaultFreezeLimit = "4"
	defaultSpeedMin    = "10000"
	defaultSpeedMax    = "0"
	defaultPatience    = "10"
	defaultStop        = "60"
	// firstPort is nbd's registered one.
	firstPort = 10809
)

var (
	uuidForm   = regexp.MustCompile(`^[0-9a-f]{8}(:[0-9a-f]{8}){3}$`)
	devicePath = regexp.MustCompile(`^/dev/[A-Za-z0-9][A-Za-z0-9_.:/+-]*$`)
	filePath   = regexp.MustCompile(`^/[A-Za-z0-9_.:/+@-]+$`)
	notSlug    = regexp.MustCompile(`[^A-Za-z0-9_-]`)
)

// Kit mirrors a data disk. Its zero value is ready to use.
type Kit struct{}

var (
	_ kits.Kit     = Kit{}
	_ kits.Batcher = Kit{}
	_ kits.Keeper  = Kit{}
	_ kits.Chooser = Kit{}
)

// Name is "datakeeper".
func (Kit) Name() string { return "datakeeper" }

// Traits: data lives here, and a node that has no copy of it refuses the start.
func (Kit) Traits() kits.Traits { return kits.Traits{Veto: true, Replicated: true} }

// Fields are the wizard's questions.
func (Kit) Fields() []kits.Field {
	return []kits.Field{
		{
			Name: FieldHierarchy, Label: "Hierarchy type", Kind: kits.KindChoice, Default: HierarchyExisting,
			Choices: []string{HierarchyExisting, HierarchyNew, HierarchyDataOnly},
			Help:    "existing: replicate the file system that is on the source disk, which stays byte for byte; new: make one on an empty disk; data-only: the disk as it is.",
		},
		{
			Name: FieldDisk, Label: "Source disk / target disk", Kind: kits.KindPath, Required: true, PerNode: true,
			Help: "The disk or partition on this node, best by a name that lasts (/dev/disk/by-id/…). On a target everything on it is overwritten; it must be at least as large as the source's.",
		},
		{
			Name: FieldFSType, Label: "File system type", Kind: kits.KindChoice, Choices: []string{"ext4", "xfs"}, Default: "ext4",
			Help: "What to make with the hierarchy type new.",
		},
		{
			Name: FieldMetadata, Label: "Bitmap", Kind: kits.KindPath, PerNode: true,
			Help: "File for the mirror's bitmap and superblock, 8 MiB, on a local disk that is not mirrored. Left out: one below /var/lib/ferry/mirror.",
		},
		{
			Name: FieldMode, Label: "Synchronous or asynchronous", Kind: kits.KindChoice, PerNode: true, Choices: []string{ModeSynchronous, ModeAsynchronous},
			Help: "How this node's disk follows the source. Left out: synchronous for a source in the same region, else asynchronous. Asynchronous copies lag behind, may be inconsistent, and are promoted by force, or after a stop in good order.",
		},
		{
			Name: FieldPartition, Label: "On partition", Kind: kits.KindChoice, Default: PartitionFreeze, Choices: []string{PartitionFreeze, PartitionContinue},
			Help: "When a synchronous target is lost: freeze = writes wait until its exclusion is recorded; continue = writes go on at once, and no target is promoted without force.",
		},
		{
			Name: FieldAddress, Label: "Replication path", Kind: kits.KindAddress, PerNode: true,
			Help: "This node's address on the network for replication. Left out: the node's own. Nothing is served on any other address.",
		},
		{
			Name: FieldPort, Label: "Port", Kind: kits.KindText,
			Help: "TCP port on which a target serves its disk to the source. Left out: the first free one from 10809.",
		},
		{
			Name: FieldDevice, Label: "Device", Kind: kits.KindPath,
			Help: "The mirror's device on the node in service. Left out: /dev/md/ and the resource's tag.",
		},
		{
			Name: FieldPaused, Label: "Paused", Kind: kits.KindBool, PerNode: true, Default: "false",
			Help: "true: this node's disk does not follow the source. When it is resumed, what was written meanwhile is copied.",
		},
	}
}

// Tunables are the names this kit reads.
func (Kit) Tunables() []kits.Tunable {
	return []kits.Tunable{
		{
			Name: TuneFreezeLimit, Default: defaultFreezeLimit, Unit: "seconds",
			Help: "how long the writes of a mirror may wait for a target before it is excluded, counted from the first heartbeat that sees them wait; a resent TCP segment takes up to a second or two",
		},
		{Name: TuneSpeedMin, Default: defaultSpeedMin, Unit: "KiB/s", Help: "slowest resync of a mirror while the disk is in use; the kernel takes a leg that is far away for a busy disk, and its own 1000 would take days for a terabyte; 0 = the system's setting"},
		{Name: TuneSpeedMax, Default: defaultSpeedMax, Unit: "KiB/s", Help: "fastest resync of a mirror; 0 = the system's setting"},
		{
			Name: TunePatience, Default: defaultPatience, Unit: "seconds",
			Help: "after how long without an answer an asynchronous target, or one with on_partition = continue, is given up by the source itself",
		},
		{Name: TuneStop, Default: defaultStop, Unit: "seconds", Help: "how long taking a mirror out of service may wait for writes under way and for a target that does not answer"},
	}
}

// Timeout is the longest an action may take. Assembling takes a second; making a file system on a large slow disk, minutes.
func (Kit) Timeout(a kits.Action, in kits.Instance) time.Duration {
	switch a {
	case kits.ActStart, kits.ActRecover:
		if in.Attrs[FieldHierarchy] == HierarchyNew {
			return 12 * time.Minute
		}
		return 2 * time.Minute
	case kits.ActStop:
		return time.Duration(tuneInt(in, TuneStop, defaultStop))*time.Second + 90*time.Second
	case kits.ActEligible:
		return settleLimit + 30*time.Second // and to settle a leg
	}
	return 20 * time.Second
}

// Effects tells which mirror comes or goes where.
func (Kit) Effects(a kits.Action, in kits.Instance) []kits.Effect {
	e := kits.Effect{Kind: "mirror", What: device(in) + " of " + in.Attrs[FieldDisk]}
	switch a {
	case kits.ActStart, kits.ActRecover:
		e.To = in.Node.Name
		if in.Active != in.Node.Name {
			e.From = in.Active
		}
	case kits.ActStop:
		e.From = in.Node.Name
	default:
		return nil
	}
	return []kits.Effect{e}
}

// Slug is the resource's tag as a part of file and device names: "service-data".
func Slug(in kits.Instance) string { return notSlug.ReplaceAllString(in.Tag, "-") }

// Device is the path under which the mirror is found on the node in service.
func Device(in kits.Instance) string { return device(in) }

func device(in kits.Instance) string {
	_, short, ok := strings.Cut(in.Tag, "/")
	if !ok {
		short = in.Tag
	}
	return in.Attr(FieldDevice, "/dev/md/"+notSlug.ReplaceAllString(short, "-"))
}

func metadata(in kits.Instance) string {
	return in.Attr(FieldMetadata, "/var/lib/ferry/mirror/"+Slug(in)+".meta")
}

// arrayName is what the array is called in its superblock, which has room for 32 bytes.
func arrayName(in kits.Instance) string {
	s := Slug(in)
	if len(s) > 26 {
		s = s[len(s)-26:]
	}
	return s
}

// at is the resource as it is on another of its nodes.
func at(in kits.Instance, node string) kits.Instance {
	in.Node, in.Attrs = in.Nodes[node], in.On[node]
	in.Node.Name = node
	return in
}

func address(in kits.Instance) string { return in.Attr(FieldAddress, in.Node.Address) }

// modeOf is how a node's leg is to be connected to a source.
func modeOf(in kits.Instance, source, node string) string {
	mode := in.On[node][FieldMode]
	if mode == "" {
		mode = ModeSynchronous
		if in.Nodes[source].Region != in.Nodes[node].Region {
			mode = ModeAsynchronous
		}
	}
	switch {
	case mode == ModeAsynchronous:
		return modeAsynchronous
	case in.On[node][FieldPartition] == PartitionContinue:
		return modeContinue
	}
	return modeFreeze
}

func paused(in kits.Instance, node string) bool { return in.On[node][FieldPaused] == "true" }

// tuneInt reads a tuning value; its default where it is no number.
func tuneInt(in kits.Instance, name, def string) int {
	n, err := strconv.Atoi(in.Tune(name, def))
	if err != nil || n < 0 {
		n, _ = strconv.Atoi(def)
	}
	return n
}

// newUUID makes an array's uuid in mdadm's form. It has to differ from any other array's, no more; made from what is known,
// so that the judgement stays a function of its arguments.
func newUUID(in kits.Instance, now time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", in.Tag, in.Node.Name, now.UnixNano()))
	h := hex.EncodeToString(sum[:16])
	return h[:8] + ":" + h[8:16] + ":" + h[16:24] + ":" + h[24:]
}
