package datakeeper

import (
	"fmt"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

func why(in kits.Instance, code, format string, args ...any) kits.Reason {
	return kits.Why("datakeeper."+code, fmt.Sprintf(format, args...), "tag", in.Tag, "node", in.Node.Name)
}

// read parses a script's answer; the report is set when the work was not done, or nothing is known.
func read(in kits.Instance, what string, res kits.Result, err error) (answer, *kits.Report) {
	if err != nil {
		r := why(in, "no-answer", "%s of the mirror %s on %s did not come to an end: %v", what, in.Tag, in.Node.Name, err)
		return answer{}, &kits.Report{Reason: r}
	}
	a, perr := parse(res)
	if perr != nil {
		return a, &kits.Report{
			Output: kits.Clean(res.Stderr+res.Stdout, kits.OutputLimit),
			Reason: why(in, "unreadable", "what %s said about the mirror %s cannot be read: %v", in.Node.Name, in.Tag, perr),
		}
	}
	if m, ok := a.get("failed"); ok {
		return a, failed(in, what, m)
	}
	return a, nil
}

// failed is a script's own word that it did not do its work.
func failed(in kits.Instance, what string, m mark) *kits.Report {
	code, value, _ := strings.Cut(m.rest, " ")
	code, value = kits.OneLine(code, 40), kits.OneLine(value, 160)
	said := strings.Join(m.lines, "\n")
	text, known := failures[code]
	if !known {
		code, text = "tool", "it failed at "+code
	}
	text = strings.NewReplacer("{value}", value, "{node}", in.Node.Name, "{tag}", in.Tag, "{disk}", in.Attrs[FieldDisk], "{what}", what).Replace(text)
	if s := kits.OneLine(said, 160); s != "" {
		text += " (" + s + ")"
	}
	r := kits.Why("datakeeper."+"failed-"+code, fmt.Sprintf("%s of the mirror %s on %s: %s", what, in.Tag, in.Node.Name, text),
		"tag", in.Tag, "node", in.Node.Name, "what", what, "value", value, "disk", in.Attrs[FieldDisk], "said", kits.OneLine(said, 160))
	return &kits.Report{Outcome: kits.Failed, Reason: r, Permanent: permanent[code], Output: kits.Clean(said, kits.OutputLimit)}
}

// failures are the scripts' words in words for people: what is wrong, and what to do.
var failures = map[string]string{
	"no-disk":          "{value} is not there; look at lsblk, and correct the field disk",
	"in-use":           "{disk} is in use by {value}; unmount it and take it out of /etc/fstab",
	"other-disk":       "{value} is another disk than the one that was mirrored here; name the disk by /dev/disk/by-id, or remove /var/lib/ferry/mirror/*.disk of this mirror after looking",
	"no-metadata":      "the bitmap file {value} is gone; a start by force makes it anew, and the other nodes' disks are then copied in full",
	"metadata-file":    "{value} cannot be made; is its file system full or read-only?",
	"no-superblock":    "the bitmap file {value} holds no superblock; a start by force makes it anew, and the other nodes' disks are then copied in full",
	"other-array":      "the bitmap file belongs to another array ({value}); move it away after looking",
	"other-generation": "the array runs since generation {value}, which is not the record's; stop it first",
	"newer-here":       "{node} has taken part in generation {value}, which the record does not know; a newer record must be somewhere: ferry adopt",
	"promote-again":    "the array of generation {value} has run already and is gone, while other nodes count as in sync with it; bringing it in service again takes a new generation",
	"server-stays":     "a process that served the disk cannot be ended, so what it holds may still be written; look at ps, or restart {node}",
	"leg":              "the device mapper refused the leg",
	"assemble":         "mdadm could not start the array",
	"create":           "mdadm could not create the array",
	"device-taken":     "{value} is something else; choose another device",
	"no-file-system":   "{disk} carries {value} and no file system; for the disk as it is choose the hierarchy type data-only, for a new file system new",
	"not-empty":        "{disk} already carries {value}; to keep it choose the hierarchy type existing, or else wipe it first: wipefs -a {disk}",
	"not-the-same":     "the first or last MiB read through the mirror differs from the disk; nothing was written, but do not use it",
	"too-small":        "{value} is smaller than the mirror; take a larger disk",
	"fs-type":          "{value} is no file system that is made here; ext4 or xfs",
	"mkfs":             "making the {value} file system failed",
	"blkid":            "what {value} carries cannot be told",
	"gen-file":         "the generation cannot be written to /var/lib/ferry/mirror; is the file system full or read-only?",
	"held":             "it is in use by {value}; stop that first",
	"frozen":           "writes wait for {value}, and the array cannot be stopped until that node answers or has been excluded",
	"stop":             "mdadm could not stop the array",
	"connection":       "the connection to {value} cannot be taken apart or made",
	"leg-held":         "something still holds the leg; look at dmsetup ls --tree",
	"runs-here":        "the array runs here ({value}); a source is not served",
	"port-taken":       "port {value} is taken; choose another one",
	"server":           "nbd-server did not start; look at systemctl status and its journal",
	"no-stable-writes": "pages of {value} are not kept still while they are written, and copies could come out different: it takes a kernel of 5.10 or later, and a start by ferry",
	"no-nbd":           "no network block device is free; load the module nbd with a larger nbds_max",
	"nbd-busy":         "another connection was being made there for 20 seconds; it is tried again",
	"connect":          "{value} does not answer; does a packet filter or security group let the port through?",
	"not-running":      "the array does not run here",
	"still-there":      "the array still has the former connection to {value}",
	"again":            "a join that was cut short has been taken back; the next one begins anew",
	"grow":             "mdadm could not make room for another leg",
	"merge":            "the kernel did not take the dirty chunks",
	"dirty":            "{value} is no list of chunks",
	"add":              "the array did not take the leg of {value}",
	"message":          "the connection to {value} does not listen",
	"disconnect":       "the connection to {value} does not end",
	"stays":            "the array does not let go of the leg of {value}",
	"users":            "processes that use it there cannot be ended: {value}",
	"source-here":      "this node is of generation {value}; it is the source itself",
	"no-bitmap":        "the leg has no bitmap",
	"read":             "it cannot be read",
	"not-served":       "its disk takes part in generation {value}, which is not the record's",
	"rebooted":         "{node} was started anew since its disk is served; what was on its way to the disk then may be missing",
	"boot-id":          "the kernel does not say which boot this is",
	"flush":            "what was written to {value} cannot be brought to the disk",
	"verify":           "the array does not begin to compare",
	"locate":           "what differs cannot be noted in {value}",
	"no-leg":           "the device {value} is not there",
	"sums":             "there is no room in {value}",
	"cut-short":        "the comparison was cut short",
	"busy":             "the array is busy ({value}): it compares when that is done",
}

// permanent failures: trying again cannot help.
var permanent = map[string]bool{
	"no-file-system": true, "not-empty": true, "other-array": true, "other-disk": true, "fs-type": true, "too-small": true,
	"no-superblock": true, "no-metadata": true, "not-the-same": true, "device-taken": true, "newer-here": true,
}

// notSource refuses to start without a record that names this node.
func notSource(in kits.Instance, rec *Record, err error) *kits.Report {
	var r kits.Reason
	switch {
	case err != nil:
		r = why(in, "record", "%v; nothing is started without it", err)
	case rec == nil:
		r = why(in, "no-record", "the mirror %s has no record; it is written before a start", in.Tag)
	case rec.Source != in.Node.Name:
		r = kits.Why("datakeeper.not-source", fmt.Sprintf("the source of %s is %s, not %s; nothing is started here", in.Tag, rec.Source, in.Node.Name), "tag", in.Tag, "node", in.Node.Name, "source", rec.Source)
	case in.Doubtful && !rec.Forced:
		r = why(in, "doubtful-start", "the record of %s was rebuilt from copies, and the newest may be missing; it takes a new generation, by force, to start here", in.Tag)
	default:
		return nil
	}
	return &kits.Report{Outcome: kits.Failed, Reason: r, Permanent: true}
}

// JudgeCheck judges a pulse: the array is there, runs, and the own disk has everything.
func (Kit) JudgeCheck(in kits.Instance, res kits.Result, err error) kits.Report {
	a, bad := read(in, "check", res, err)
	if bad != nil {
		return *bad
	}
	l, perr := newLook(a)
	if perr != nil {
		return kits.Report{Reason: why(in, "unreadable", "what %s said about the mirror %s cannot be read: %v", in.Node.Name, in.Tag, perr)}
	}
	if l.array == nil {
		return kits.Report{Outcome: kits.Failed, Presence: kits.Absent, Reason: why(in, "absent", "the mirror %s does not run on %s", in.Tag, in.Node.Name)}
	}
	return judgeArray(in, l)
}

func judgeArray(in kits.Instance, l *look) kits.Report {
	r := kits.Report{Outcome: kits.OK, Presence: kits.Present, Details: map[string]string{"array": l.array.name, "state": l.array.state}}
	rec := knownRecord(in)
	switch {
	case rec != nil && rec.Source != in.Node.Name:
		r.Outcome = kits.Failed
		r.Reason = kits.Why("datakeeper.stray", fmt.Sprintf("the mirror %s runs on %s, but %s is its source; its writes there are refused", in.Tag, in.Node.Name, rec.Source), "tag", in.Tag, "node", in.Node.Name, "source", rec.Source)
	case !l.array.healthy():
		r.Outcome = kits.Failed
		r.Reason = kits.Why("datakeeper.not-healthy", fmt.Sprintf("the mirror %s on %s is %s and takes no writes", in.Tag, in.Node.Name, kits.OneLine(l.array.state, 40)), "tag", in.Tag, "node", in.Node.Name, "state", kits.OneLine(l.array.state, 40))
	case !l.array.ownGood():
		r.Outcome = kits.Failed
		r.Reason = why(in, "disk-failed", "the disk %s of %s fails under the mirror %s", in.Attrs[FieldDisk], in.Node.Name, in.Tag)
	default:
		for _, n := range sortedKeys(l.far) {
			if f := l.far[n]; f.stalled > 0 && f.mode == modeFreeze && !r.Impaired {
				r.Impaired = true
				r.Reason = kits.Why("datakeeper.leg-waits", fmt.Sprintf("the disk of %s does not answer %s; writes wait for it", n, in.Node.Name), "tag", in.Tag, "node", n, "source", in.Node.Name)
			}
		}
	}
	return r
}

func judgeStart(in kits.Instance, res kits.Result, err error) kits.Report {
	a, bad := read(in, "start", res, err)
	if bad != nil {
		return *bad
	}
	did, _ := a.get("did")
	m, ok := a.get("array")
	if !ok {
		return kits.Report{Reason: why(in, "unreadable", "what %s said about the start of %s cannot be read", in.Node.Name, in.Tag)}
	}
	return kits.Report{Outcome: kits.OK, Presence: kits.Present, Details: map[string]string{"array": kits.OneLine(m.rest, 20), "did": kits.OneLine(did.rest, 20)}}
}

func judgeStop(in kits.Instance, res kits.Result, err error) kits.Report {
	a, bad := read(in, "stop", res, err)
	if bad != nil {
		return *bad
	}
	if _, ok := a.get("stopped"); !ok {
		return kits.Report{Reason: why(in, "unreadable", "what %s said about the stop of %s cannot be read", in.Node.Name, in.Tag)}
	}
	return kits.Report{Outcome: kits.OK, Presence: kits.Absent}
}

// judgeEligible: what the machine lacks comes first; what the record says last, because a person's force overrides only that.
func judgeEligible(in kits.Instance, res kits.Result, err error, now time.Time) kits.Eligibility {
	a, bad := read(in, "eligible", res, err)
	if bad != nil {
		return kits.Eligibility{Outcome: bad.Outcome, Reason: bad.Reason}
	}
	rec, derr := decode(in.Record)
	no := func(r kits.Reason) kits.Eligibility {
		return kits.Eligibility{Outcome: kits.Failed, Reason: r, DataAge: dataAge(in, rec, now)}
	}
	for _, m := range a.marks {
		if r := lacks(in, rec, m); r.Code != "" {
			return no(r)
		}
	}
	if _, ok := a.get("size"); !ok {
		return kits.Eligibility{Reason: why(in, "unreadable", "what %s said about its disks cannot be read", in.Node.Name)}
	}
	if derr != nil {
		return no(why(in, "record", "%v; only a person can say where the data is", derr))
	}
	if rec == nil {
		return kits.Eligibility{Outcome: kits.OK}
	}
	if _, ok := a.get("nometa"); ok && rec.Created {
		return no(kits.Why("datakeeper.failed-no-metadata", fmt.Sprintf("the bitmap file %s of the mirror %s is gone from %s", metadata(in), in.Tag, in.Node.Name), "tag", in.Tag, "node", in.Node.Name, "value", metadata(in)))
	}
	if r := refusal(in, rec, now); r != nil {
		return no(*r)
	}
	return kits.Eligibility{Outcome: kits.OK}
}

func dataAge(in kits.Instance, rec *Record, now time.Time) time.Duration {
	if rec == nil || rec.Source == in.Node.Name {
		return 0
	}
	d, _ := rec.Legs[in.Node.Name].age(now)
	return d
}

// lacks reads one line of eligible's answer.
func lacks(in kits.Instance, rec *Record, m mark) kits.Reason {
	node, value := in.Node.Name, kits.OneLine(m.rest, 120)
	with := func(code, text string) kits.Reason {
		return kits.Why("datakeeper."+code, text, "tag", in.Tag, "node", node, "value", value, "disk", in.Attrs[FieldDisk])
	}
	switch m.word {
	case "notool":
		return with("no-tool", fmt.Sprintf("%s has no %s, which a mirror needs; install mdadm, nbd-client, nbd-server, dmsetup and util-linux", node, value))
	case "nomodule":
		return with("no-module", fmt.Sprintf("the kernel of %s has no module %s, which a mirror needs; install the kernel's extra modules", node, value))
	case "nodisk":
		return with("failed-no-disk", fmt.Sprintf("%s has no disk %s; look at lsblk there, and correct the field disk", node, in.Attrs[FieldDisk]))
	case "used":
		return with("failed-in-use", fmt.Sprintf("%s of %s is in use by %s; unmount it there and take it out of /etc/fstab", in.Attrs[FieldDisk], node, value))
	case "otherdisk":
		return with("failed-other-disk", fmt.Sprintf("%s of %s is another disk than the one that was mirrored there; name it by /dev/disk/by-id", in.Attrs[FieldDisk], node))
	case "auto":
		return with("auto-assembly", fmt.Sprintf("udev on %s would put arrays together by itself; add the line AUTO -all to mdadm.conf there", node))
	case "size":
		if rec != nil && number(value) < rec.Sectors {
			return with("failed-too-small", fmt.Sprintf("%s of %s is smaller than the mirror; take a larger disk", in.Attrs[FieldDisk], node))
		}
	}
	return kits.Reason{}
}
