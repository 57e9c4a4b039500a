package filesystem

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// finding is an answer that is being judged.
type finding struct {
	in kits.Instance
	l  look
	r  kits.Report
}

// read parses a result. done is set when there is nothing to judge: no answer, or an unreadable one.
func read(in kits.Instance, res kits.Result, err error) (f *finding, done *kits.Report) {
	if err != nil {
		r := kits.Report{Reason: why(in, "filesystem.no-answer", "%s did not answer about %s: %v", in.Node.Name, point(in), err)}
		r.Reason.Args["error"] = kits.OneLine(err.Error(), 200)
		return nil, &r
	}
	l, perr := parseLook(res)
	f = &finding{in: in, l: l, r: kits.Report{Output: output(res)}}
	if perr != nil {
		r := f.unreadable(perr.Error())
		return nil, &r
	}
	return f, nil
}

// end finishes the report.
func (f *finding) end(o kits.Outcome, code, format string, args ...any) kits.Report {
	f.r.Outcome, f.r.Reason = o, why(f.in, code, format, args...)
	return f.r
}

// unreadable: what a node says makes no sense, so nothing is known.
func (f *finding) unreadable(because string) kits.Report {
	return with(f.end(kits.Unknown, "filesystem.unreadable", "what %s said about %s cannot be read: %s", f.in.Node.Name, point(f.in), because), "error", because)
}

func why(in kits.Instance, code, format string, args ...any) kits.Reason {
	return kits.Why(code, fmt.Sprintf(format, args...), "tag", in.Tag, "node", in.Node.Name, "point", point(in), "device", Device(in))
}

// with adds an argument to the reason, for its text in other languages.
func with(r kits.Report, pairs ...string) kits.Report {
	for i := 0; i+1 < len(pairs); i += 2 {
		r.Reason.Args[pairs[i]] = pairs[i+1]
	}
	return r
}

// JudgeCheck turns what a check found into a report.
func (Kit) JudgeCheck(in kits.Instance, res kits.Result, err error) kits.Report {
	f, done := read(in, res, err)
	if done != nil {
		return *done
	}
	if r := f.place(); r != nil {
		return *r
	}
	return f.health(probed(in))
}

// place judges where the device is mounted. nil = in its place, and nothing else there.
func (f *finding) place() *kits.Report {
	p, dev, node := point(f.in), Device(f.in), f.in.Node.Name
	m := f.l.top(p)
	var r kits.Report
	switch {
	case f.l.has("system"):
		f.r.Permanent = true
		r = f.end(kits.Failed, "filesystem.system", "%s or the device %s belongs to the running system of %s; nothing was touched: correct the fields mount_point and device", p, dev, node)
	case f.l.ours(m):
		f.r.Presence = kits.Present
		return nil
	case m != nil:
		r = f.occupied(m)
	case f.l.has("leaving"):
		f.r.Presence = kits.Present
		r = with(f.end(kits.Unknown, "filesystem.leaving", "%s is being unmounted on %s for %s s; what is in its cache is still being written", p, node, f.l.marks["leaving"]),
			"seconds", f.l.marks["leaving"])
	case len(f.l.elsewhere(p)) > 0:
		f.r.Presence = kits.Present
		at := kits.OneLine(strings.Join(f.l.elsewhere(p), ", "), 200)
		r = with(f.end(kits.Failed, "filesystem.elsewhere", "%s is mounted on %s of %s instead of %s; unmount it there by hand, then repeat", dev, at, node, p), "at", at)
	case f.l.has("alive"):
		f.r.Presence = kits.Present
		who := f.spaces()
		r = with(f.end(kits.Failed, "filesystem.in-use", "%s is not mounted on %s of %s, but its file system is still in use there: in another mount namespace (a container)%s, or not yet written out", dev, p, node, who),
			"who", who)
	default:
		f.r.Presence = kits.Absent
		r = f.absent()
	}
	return &r
}

// occupied: something else is on the point.
func (f *finding) occupied(m *mount) kits.Report {
	p, dev, node := point(f.in), Device(f.in), f.in.Node.Name
	source := kits.OneLine(m.source, 120)
	for i := range f.l.mounts {
		if f.l.mounts[i].point == p && f.l.ours(&f.l.mounts[i]) {
			f.r.Presence = kits.Present
		}
	}
	if m.number() == f.l.marks["number"] {
		f.r.Presence = kits.Present
		return f.end(kits.Failed, "filesystem.bind", "only a part of %s is mounted on %s of %s (a bind mount); nothing was touched: unmount it by hand", dev, p, node)
	}
	return with(f.end(kits.Failed, "filesystem.other-device", "%s (%s) is mounted on %s of %s, not %s; nothing was touched: find out what it is before it is unmounted", source, kits.OneLine(m.fsType, 20), p, node, dev),
		"source", source)
}

func (f *finding) absent() kits.Report {
	p, dev, node := point(f.in), Device(f.in), f.in.Node.Name
	switch {
	case f.l.has("nodevice"):
		return f.end(kits.Failed, "filesystem.no-device", "nothing is mounted on %s of %s, and there is no device %s", p, node, dev)
	case f.l.has("notblock"):
		return f.end(kits.Failed, "filesystem.not-block", "nothing is mounted on %s of %s, and %s is no block device", p, node, dev)
	}
	return f.end(kits.Failed, "filesystem.absent", "%s is not mounted on %s of %s", dev, p, node)
}

// spaces names who has the file system in a mount namespace of its own.
func (f *finding) spaces() string {
	all := f.l.all("namespace")
	if len(all) == 0 {
		return ""
	}
	return " of process " + kits.OneLine(strings.Join(all, ", "), 160)
}

// health judges a file system that is in its place: writable, its disk answers, room.
func (f *finding) health(asked bool) kits.Report {
	p, node := point(f.in), f.in.Node.Name
	m := f.l.top(p)
	f.details(m)
	if writable(f.in) && m.readOnly() {
		return f.end(kits.Failed, "filesystem.read-only",
			"%s on %s has become read-only: the kernel found errors in the file system or on the disk (see dmesg there); it is not made writable again without a check of its structure", p, node)
	}
	if !asked {
		f.r.Outcome = kits.OK
		return f.r
	}
	if r := f.probe(); r != nil {
		return *r
	}
	f.r.Outcome = kits.OK
	f.impairments()
	return f.r
}

// probe judges what the disk answered; nil = it works.
func (f *finding) probe() *kits.Report {
	p, node, l := point(f.in), f.in.Node.Name, f.l
	var r kits.Report
	switch {
	case l.has("stuck"):
		r = with(f.end(kits.Unknown, "filesystem.frozen",
			"the disk under %s of %s has not answered for %s s; a mirror that waits for a leg looks like this, and a dead disk too. Nothing moves because of it", p, node, l.marks["stuck"]),
			"seconds", l.marks["stuck"])
	case l.has("late"):
		r = with(f.end(kits.Unknown, "filesystem.slow", "the disk under %s of %s did not answer within %s s: it is overloaded, or frozen", p, node, l.marks["late"]),
			"seconds", l.marks["late"])
	case l.has("write"):
		return f.trouble(l.marks["write"])
	case l.has("read"):
		return f.trouble(l.marks["read"])
	case l.marks["probe"] != "0" || !l.room.known || writable(f.in) && !l.has("written") && !l.has("foreign"):
		for words := range strings.Lines(f.r.Output) {
			if strings.Contains(words, "Input/output error") {
				return f.trouble(words)
			}
		}
		r = f.end(kits.Unknown, "filesystem.probe", "whether the disk under %s of %s works cannot be told: the probe did not come to its end", p, node)
	default:
		return nil
	}
	return &r
}

// trouble judges an error of the disk by the C library's words. One that is not known
// for the disk's or the file system's fault is Unknown; no room is only a full disk.
func (f *finding) trouble(words string) *kits.Report {
	p, node := point(f.in), f.in.Node.Name
	words = kits.OneLine(words, 200)
	has := func(s string) bool { return strings.Contains(words, s) }
	switch {
	case has("No space left on device"), has("Disk quota exceeded"):
		f.r.Outcome = kits.OK
		f.full(100)
		return &f.r
	case has("Read-only file system"):
		r := f.end(kits.Failed, "filesystem.read-only",
			"%s on %s has become read-only: the kernel found errors in the file system or on the disk (see dmesg there); it is not made writable again without a check of its structure", p, node)
		return &r
	case has("Input/output error"), has("Structure needs cleaning"), has("Bad message"), has("No such device"), has("Transport endpoint"), has("is not what is read"):
		r := with(f.end(kits.Failed, "filesystem.disk-error", "the file system on %s of %s cannot be used: %s", p, node, words), "words", words)
		return &r
	}
	r := with(f.end(kits.Unknown, "filesystem.probe-words", "whether the disk under %s of %s works cannot be told: %s", p, node, words), "words", words)
	return &r
}

// impairments: it works, but somebody should look.
func (f *finding) impairments() {
	limit := defaultFull
	if n, err := strconv.Atoi(strings.TrimSuffix(f.in.Tune(FullPercent, ""), "%")); err == nil && n > 0 {
		limit = min(n, 100)
	}
	p, node, r := point(f.in), f.in.Node.Name, f.l.room
	switch {
	case r.used() >= limit:
		f.full(r.used())
	case r.usedFiles() >= limit:
		f.r.Impaired = true
		f.r.Reason = with(kits.Report{Reason: why(f.in, "filesystem.no-inodes", "%d %% of the inodes of %s on %s are in use (%d left): no files can be made soon; remove some", r.usedFiles(), p, node, r.left)},
			"percent", strconv.Itoa(r.usedFiles()), "left", strconv.FormatUint(r.left, 10)).Reason
	case f.l.has("errors") && f.l.marks["errors"] != "0":
		f.r.Impaired = true
		f.r.Reason = with(kits.Report{Reason: why(f.in, "filesystem.errors", "the kernel has recorded %s errors in the file system on %s of %s; take it out of service and run e2fsck when you can", f.l.marks["errors"], p, node)},
			"count", f.l.marks["errors"]).Reason
	case f.l.has("remembered"):
		f.r.Impaired = true
		f.r.Reason = why(f.in, "filesystem.path-gone", "%s works on %s, but the device's path %s is gone there, so that it could not be mounted again; look at udev", p, node, Device(f.in))
	case f.l.has("foreign"):
		f.r.Impaired = true
		f.r.Reason = why(f.in, "filesystem.probe-file", "%s/.ferry-check on %s is not the file that ferry made, so writing is not tried; remove it", p, node)
	}
}

// full is the impairment of a file system without room.
func (f *finding) full(used int) {
	p, node := point(f.in), f.in.Node.Name
	free := size(f.l.room.available * f.l.room.block)
	f.r.Impaired = true
	f.r.Reason = with(kits.Report{Reason: why(f.in, "filesystem.full", "%s on %s is %d %% full (%s free); make room", p, node, used, free)},
		"percent", strconv.Itoa(used), "free", free).Reason
}

// details are for a panel.
func (f *finding) details(m *mount) {
	d := map[string]string{
		"device": Device(f.in), "type": kits.OneLine(m.fsType, 20), "options": kits.OneLine(strings.Join(m.options, ","), 120),
	}
	if r := f.l.room; r.known {
		d["size"], d["free"] = size(r.blocks*r.block), size(r.available*r.block)
		d["used"], d["used-percent"] = size((r.blocks-r.free)*r.block), strconv.Itoa(r.used())+" %"
		d["inodes-percent"] = strconv.Itoa(r.usedFiles()) + " %"
	}
	if a := f.l.marks["array"]; a != "" {
		d["array"] = kits.OneLine(a, 20)
	}
	f.r.Details = d
}

// size in binary units, with one digit after the point.
func size(b uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	v, i := float64(b), 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	if i == 0 {
		return strconv.FormatUint(b, 10) + " B"
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + units[i]
}

// output keeps what the tools said, for the operation's page.
func output(res kits.Result) string { return kits.Clean(res.Stderr+res.Stdout, kits.OutputLimit) }
