package filesystem

import (
	"fmt"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// judgeStop: unmounted, written out, and out of the kernel's hands is the only success.
func judgeStop(in kits.Instance, res kits.Result, err error) kits.Report {
	f, done := read(in, res, err)
	if done != nil {
		return *done
	}
	ours := f.l.ours(f.l.top(point(in)))
	if ours {
		f.r.Presence = kits.Present
	}
	switch {
	case f.l.has("busy"):
		return f.underWay()
	case f.l.has("occupied"):
		f.r.Presence = kits.Present
		return f.held()
	case f.l.has("refused") && ours:
		return f.refused("umount")
	case ours && len(f.l.elsewhere(point(in))) > 0:
		at := kits.OneLine(strings.Join(f.l.elsewhere(point(in)), ", "), 200)
		return with(f.end(kits.Failed, "filesystem.also-elsewhere", "%s is mounted on %s of %s as well; nothing was touched: unmount it there by hand, then repeat", Device(in), at, in.Node.Name), "at", at)
	case ours && !f.l.has("system"):
		return f.end(kits.Failed, "filesystem.still-mounted", "%s is still mounted on %s of %s; unmount it by hand, then repeat", Device(in), point(in), in.Node.Name)
	}
	r := *f.place()
	if r.Presence == kits.Absent {
		return kits.Report{Outcome: kits.OK, Presence: kits.Absent, Output: r.Output}
	}
	return r
}

// held: who keeps the mount point busy, and what to do about it.
func (f *finding) held() kits.Report {
	p, node := decode(f.l.marks["occupied"]), f.in.Node.Name
	who := kits.OneLine(f.holders(), 500)
	if who == "" {
		who = "nobody that can be seen: perhaps a mount in another namespace, or the kernel itself"
	}
	if f.in.Tune(Kill, "1") == "0" {
		return with(f.end(kits.Failed, "filesystem.busy-kept", "%s on %s is in use, and FS_KILL=0 says that nobody is ended: %s", p, node, who), "who", who)
	}
	return with(f.end(kits.Failed, "filesystem.busy", "%s on %s is in use by what ferry may not end, or what did not end: %s; end it by hand, then repeat", p, node, who), "who", who)
}

// holders lists them: processes, swap files, loop devices, exports.
func (f *finding) holders() string {
	var out []string
	for _, m := range f.l.list {
		w := strings.Fields(m.value)
		switch {
		case m.word == "holder" && len(w) >= 3:
			note := ""
			if w[2] == "spared" {
				note = ", never ended"
			}
			out = append(out, fmt.Sprintf("%s (process %s, %s%s)", strings.Join(w[3:], " "), w[0], hold(w[1]), note))
		case m.word == "swap":
			out = append(out, "swap on "+m.value+" (swapoff)")
		case m.word == "loop":
			out = append(out, "loop device "+m.value+" (losetup -d)")
		case m.word == "exported":
			out = append(out, "NFS export of "+m.value+" (exportfs -u)")
		}
		if len(out) == 8 {
			break
		}
	}
	return strings.Join(out, "; ")
}

// hold says in words how a process holds a mount.
func hold(how string) string {
	switch how {
	case "cwd":
		return "working directory"
	case "root":
		return "root directory"
	case "exe":
		return "program"
	case "maps":
		return "mapped file"
	}
	if strings.HasPrefix(how, "socket/") {
		return "socket"
	}
	return "open file"
}
