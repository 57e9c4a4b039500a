package filesystem

import (
	"regexp"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// The kit's field names.
const (
	FieldMountPoint = "mount_point"
	FieldDevice     = "device"
	FieldType       = "fs_type"
	FieldOptions    = "options"
)

// The tuning names this kit reads.
const (
	// FullPercent is the share of blocks or inodes in use, in percent, from which on the resource is impaired.
	FullPercent = "FS_FULL_PERCENT"
	// Kill says whether processes that keep the mount point busy may be ended (1) or not (0).
	Kill = "FS_KILL"
	// StartTimeout, StopTimeout and CheckTimeout are seconds.
	StartTimeout = "FS_START_TIMEOUT"
	StopTimeout  = "FS_STOP_TIMEOUT"
	CheckTimeout = "FS_CHECK_TIMEOUT"
)

const (
	defaultOptions = "defaults"
	defaultFull    = 90
	defaultStart   = 120 * time.Second
	defaultStop    = 60 * time.Second
	defaultCheck   = 5 * time.Second
)

// mirrorKit is the kit whose resource, as a child, makes the device.
const mirrorKit = "datakeeper"

// slack is added to a script's own limits: for what it looks up before and after.
const slack = 25 * time.Second

// Kit protects a mounted file system. Its zero value is ready to use.
type Kit struct{}

var (
	_ kits.Kit     = Kit{}
	_ kits.Batcher = Kit{}
	_ kits.Chooser = Kit{}
)

// Name is "filesystem".
func (Kit) Name() string { return "filesystem" }

// Traits: none. Whether the data may be used here is the mirror's to say: it holds the
// veto and is replicated, and comes first, being the child.
func (Kit) Traits() kits.Traits { return kits.Traits{} }

// Fields are the wizard's questions.
func (Kit) Fields() []kits.Field {
	return []kits.Field{
		{
			Name: FieldMountPoint, Label: "Mount point", Kind: kits.KindPath, Required: true, PerNode: true,
			Help: "The directory that the file system is mounted on. Made on the node when it is missing.",
		},
		{
			Name: FieldDevice, Label: "Device", Kind: kits.KindPath, PerNode: true,
			Help: "The block device. Left out: the mirror of the DataKeeper resource below this one.",
		},
		{
			Name: FieldType, Label: "File system type", Kind: kits.KindChoice, Choices: append([]string(nil), types[:]...),
			Help: "Left out: found on the device when it is mounted.",
		},
		{
			Name: FieldOptions, Label: "Mount options", Kind: kits.KindText, Default: defaultOptions,
			Help: "As for mount -o. noatime is recommended: without it every read costs writes, on the mirror's other side too. ext3 and ext4 get errors=remount-ro unless another errors= is given.",
		},
	}
}

// types are the file systems that can be protected; see the package comment.
var types = [...]string{"ext4", "xfs", "ext3"}

// Tunables are the names this kit reads.
func (Kit) Tunables() []kits.Tunable {
	return []kits.Tunable{
		{Name: FullPercent, Default: "90", Unit: "n", Help: "from this percentage of blocks or inodes in use a file system is shown impaired"},
		{Name: Kill, Default: "1", Unit: "0/1", Help: "1 = processes that keep a mount point busy are ended when it must be unmounted, first asked (TERM), then forced (KILL); 0 = the stop fails and names them"},
		{Name: StopTimeout, Default: "60", Unit: "s", Help: "how long unmounting may take, with ending its holders; writing out the cache of a busy file system is most of it"},
		{Name: StartTimeout, Default: "120", Unit: "s", Help: "how long mounting may take; after a crash the journal is replayed first"},
		{Name: CheckTimeout, Default: "5", Unit: "s", Help: "how long a check waits for the disk; when that is over the state is unknown, never failed"},
	}
}

// Timeout is the longest an action may take. The scripts bound themselves; this is the outermost limit.
func (Kit) Timeout(a kits.Action, in kits.Instance) time.Duration {
	check := tuned(in, CheckTimeout, defaultCheck)
	switch a {
	case kits.ActStart, kits.ActRecover:
		return 2*tuned(in, StartTimeout, defaultStart) + check + 2*slack // e2fsck and mount
	case kits.ActStop:
		return tuned(in, StopTimeout, defaultStop) + slack
	case kits.ActEligible:
		return 15 * time.Second
	}
	return check + 5*time.Second
}

// Effects tells which mount comes or goes.
func (Kit) Effects(a kits.Action, in kits.Instance) []kits.Effect {
	e := kits.Effect{Kind: "mount", What: Device(in) + " on " + point(in)}
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

// notSlug is what the mirror's name does not take over from its tag.
var notSlug = regexp.MustCompile(`[^A-Za-z0-9_-]`)

// Device is the resource's block device on its node: the field, or else the mirror that
// the datakeeper child makes there. Empty when there is neither.
func Device(in kits.Instance) string {
	if d := in.Attrs[FieldDevice]; d != "" {
		return d
	}
	for _, c := range in.Children {
		if c.Kit != mirrorKit {
			continue
		}
		if d := c.On[in.Node.Name][FieldDevice]; d != "" {
			return d
		}
		return "/dev/md/" + notSlug.ReplaceAllString(c.Tag[strings.LastIndexByte(c.Tag, '/')+1:], "-")
	}
	return ""
}

// mirrored tells that a child makes the device, so that a node need not have it yet.
func mirrored(in kits.Instance) bool {
	for _, c := range in.Children {
		if c.Kit == mirrorKit {
			return true
		}
	}
	return false
}

func point(in kits.Instance) string { return in.Attrs[FieldMountPoint] }

// writable: the options do not say that nobody writes to it.
func writable(in kits.Instance) bool {
	for o := range strings.SplitSeq(in.Attr(FieldOptions, defaultOptions), ",") {
		if o == "ro" {
			return false
		}
	}
	return true
}

// tuned reads a tuning value in seconds; one that cannot be read counts as not set.
func tuned(in kits.Instance, name string, def time.Duration) time.Duration {
	if d, err := kits.ParseSeconds(in.Tune(name, "")); err == nil {
		return d
	}
	return def
}
