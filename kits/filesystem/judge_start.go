package filesystem

import (
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// judgeStart judges a start or a recovery: first what stopped it, then what is there.
func judgeStart(in kits.Instance, res kits.Result, err error) kits.Report {
	f, done := read(in, res, err)
	if done != nil {
		return *done
	}
	if f.l.ours(f.l.top(point(in))) && !f.l.has("system") {
		f.r.Presence = kits.Present
		return f.health(true)
	}
	if r := f.refusal(); r != nil {
		return *r
	}
	if r := f.place(); r != nil {
		return *r
	}
	return f.unreadable("it contradicts itself")
}

// refusal: why the device was not mounted; nil when that is seen from where it is.
func (f *finding) refusal() *kits.Report {
	p, dev, node, l := point(f.in), Device(f.in), f.in.Node.Name, f.l
	var r kits.Report
	switch {
	case l.has("system"):
		return nil
	case l.has("busy"):
		r = f.underWay()
	case l.has("late"):
		r = with(f.end(kits.Unknown, "filesystem.slow", "the disk under %s of %s did not answer within %s s: it is overloaded, or frozen", p, node, l.marks["late"]), "seconds", l.marks["late"])
	case l.has("point"):
		r = with(f.end(kits.Failed, "filesystem.mount-point", "the mount point %s on %s cannot be used: %s", p, node, l.marks["point"]), "words", l.marks["point"])
	case l.has("symlink"):
		r = f.symlink()
	case l.has("type"):
		found := l.marks["type"]
		if found == "" {
			found = "none"
		}
		r = with(f.end(kits.Failed, "filesystem.type", "on %s of %s there is no file system that can be protected (found: %s; ext4, xfs and ext3 can)", dev, node, found), "type", found)
	case l.has("fsck") && !mended(l.marks["fsck"]):
		r = f.fsck()
	case l.has("refused"):
		r = f.refused("mount")
	case l.marks["ro"] == "1" && writable(f.in) || l.has("array") && !takesWrites(l.marks["array"]):
		if l.top(p) != nil || len(l.elsewhere(p)) > 0 {
			return nil
		}
		r = f.end(kits.Failed, "filesystem.device-read-only", "%s on %s cannot be written to (read-only, or a mirror that has not been started); it was not mounted", dev, node)
	default:
		return nil
	}
	if f.r.Presence == kits.PresenceUnknown && r.Outcome == kits.Failed {
		r.Presence = kits.Absent
	}
	return &r
}

// underWay: a process that waits for the disk is left alone, and no second one is started.
func (f *finding) underWay() kits.Report {
	what := f.l.marks["busy"]
	f.r.Presence = kits.Present
	return with(f.end(kits.Unknown, "filesystem.under-way", "%s of %s on %s did not come to an end in time; it goes on, and the next attempt waits for it. A frozen mirror looks like this, and a long journal or a large cache too", what, point(f.in), f.in.Node.Name),
		"what", what)
}

func (f *finding) symlink() kits.Report {
	f.r.Permanent = true
	real := f.l.marks["symlink"]
	return with(f.end(kits.Failed, "filesystem.symlink", "the mount point %s on %s leads over a symbolic link to %s; write that into the field mount_point", point(f.in), f.in.Node.Name, real), "real", real)
}

// takesWrites are the states of an array that can be written to; read-auto becomes active with the first write.
func takesWrites(state string) bool {
	switch state {
	case "readonly", "inactive", "clear", "broken", "suspended":
		return false
	}
	return true
}

// mended: e2fsck ended with "nothing to do" or "all put right".
func mended(s string) bool {
	code, _, _ := strings.Cut(s, " ")
	return code == "0" || code == "1"
}

func (f *finding) fsck() kits.Report {
	p, dev, node := point(f.in), Device(f.in), f.in.Node.Name
	code, words, _ := strings.Cut(f.l.marks["fsck"], " ")
	if _, err := strconv.Atoi(code); err != nil {
		return f.end(kits.Unknown, "filesystem.fsck-slow", "e2fsck of %s on %s did not come to an end in time; it goes on", dev, node)
	}
	f.r.Permanent = true
	return with(f.end(kits.Failed, "filesystem.fsck", "the file system of %s on %s is damaged, and what it needs is a person's decision: unmounted, run e2fsck -f %s on %s (e2fsck -p said: %s)", p, node, dev, node, kits.OneLine(words, 160)),
		"words", kits.OneLine(words, 160))
}

// refused: mount or umount said no.
func (f *finding) refused(what string) kits.Report {
	_, words, _ := strings.Cut(f.l.marks["refused"], " ")
	words = kits.OneLine(words, 300)
	if strings.Contains(words, "Structure needs cleaning") || strings.Contains(words, "can't read superblock") || strings.Contains(words, "bad superblock") {
		return with(f.end(kits.Failed, "filesystem.damaged", "%s on %s cannot be mounted: its file system is damaged, or is of another type (%s); look at dmesg there. A repair (e2fsck, xfs_repair) is a person's decision", Device(f.in), f.in.Node.Name, words),
			"words", words)
	}
	return with(f.end(kits.Failed, "filesystem.refused", "%s of %s on %s was refused: %s", what, point(f.in), f.in.Node.Name, words), "what", what, "words", words)
}
