package filesystem

import (
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// judgeEligible: yes needs the tools, a free mount point, a device, and a quiet boot.
func judgeEligible(in kits.Instance, res kits.Result, err error) kits.Eligibility {
	f, done := read(in, res, err)
	if done != nil {
		return kits.Eligibility{Outcome: done.Outcome, Reason: done.Reason}
	}
	r := f.ineligible()
	if r == nil {
		return kits.Eligibility{Outcome: kits.OK}
	}
	return kits.Eligibility{Outcome: r.Outcome, Reason: r.Reason}
}

// ineligible is the first thing that stands in the way; nil = nothing does.
func (f *finding) ineligible() *kits.Report {
	p, dev, node, l := point(f.in), Device(f.in), f.in.Node.Name, f.l
	var r kits.Report
	switch {
	case l.has("notool"):
		tools := strings.Join(l.all("notool"), ", ")
		r = with(f.end(kits.Failed, "filesystem.no-tool", "%s lacks %s, which the kit filesystem needs; install util-linux and coreutils", node, tools), "tools", tools)
	case l.marks["point"] == "other":
		words := "it is there, but it is no directory"
		r = with(f.end(kits.Failed, "filesystem.mount-point", "the mount point %s on %s cannot be used: %s", p, node, words), "words", words)
	case l.marks["point"] != "directory" && l.marks["point"] != "missing":
		r = f.unreadable("the mount point is not told")
	case l.has("symlink"):
		r = f.symlink()
	case l.has("unknowntype"):
		t := l.marks["unknowntype"]
		r = with(f.end(kits.Failed, "filesystem.no-kernel-support", "the kernel of %s does not know %s, and there is no module for it", node, t), "type", t)
	default:
		if line := f.atBoot(); line != nil {
			return line
		}
		return f.free(dev)
	}
	return &r
}

// free: the point is free or ours, and the device is there unless a mirror will make it.
func (f *finding) free(dev string) *kits.Report {
	r := f.place()
	switch {
	case r == nil, r.Reason.Code == "filesystem.absent":
		return nil
	case r.Reason.Code == "filesystem.no-device" && mirrored(f.in):
		return nil
	case r.Reason.Code == "filesystem.no-device":
		n := f.end(kits.Failed, "filesystem.device-missing", "%s has no device %s; correct the field device, or make a DataKeeper resource the child of this one", f.in.Node.Name, dev)
		return &n
	}
	return r
}

// atBoot: whatever would mount it when the node boots.
func (f *finding) atBoot() *kits.Report {
	p, node := point(f.in), f.in.Node.Name
	for _, line := range f.l.all("fstab") {
		w := strings.Fields(line)
		if len(w) < 3 {
			continue
		}
		opts := strings.Split(w[2], ",")
		if slices.Contains(opts, "noauto") && !slices.Contains(opts, "x-systemd.automount") {
			continue
		}
		r := with(f.end(kits.Failed, "filesystem.fstab", "%s would be mounted by itself when %s boots: write noauto into its line of /etc/fstab there (%s), or remove the line, then run systemctl daemon-reload", decode(w[1]), node, kits.OneLine(line, 160)),
			"at", decode(w[1]), "line", kits.OneLine(line, 160))
		return &r
	}
	for _, line := range f.l.all("unit") {
		unit, state, _ := strings.Cut(line, " ")
		if !strings.HasPrefix(state, "enabled") {
			continue
		}
		r := with(f.end(kits.Failed, "filesystem.unit", "%s would be mounted by itself when %s boots; switch that off with: systemctl disable %s", p, node, unit), "unit", unit)
		return &r
	}
	return nil
}
