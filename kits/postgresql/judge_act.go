package postgresql

import (
	"fmt"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// judgeStart judges a start or a recovery.
func judgeStart(in kits.Instance, what string, res kits.Result, err error) kits.Report {
	a, bad := read(in, "the "+what, res, err)
	if bad != nil {
		return *bad
	}
	if words, refused := a.marks["refuse"]; refused {
		return judgeRefusal(in, a, words)
	}
	if a.marks["postmaster"] == "-" && a.marks["did"] == "died" {
		return kits.Report{
			Outcome: kits.Failed, Presence: kits.Absent, Output: a.out,
			Reason: about(why(in, "postgresql.died", "the server of %s did not stay up on %s%s", in.Tag, in.Node.Name, saying(a)), telling(a.out)),
		}
	}
	r := judge(in, a)
	switch {
	case a.marks["did"] == "unstoppable":
		r.Outcome, r.Impaired = kits.Failed, false
		r.Reason = stillRunning(in, a)
	case r.Reason.Code == "postgresql.starting":
		r.Outcome = kits.Failed
		r.Reason = about(why(in, "postgresql.not-ready", "%s on %s was not ready within %s s. It still replays its log and goes on with that: the next start waits for it. Where this is usual, raise %s",
			in.Tag, in.Node.Name, seconds(limit(in, StartTimeout)), StartTimeout), seconds(limit(in, StartTimeout)))
	}
	if pid := a.marks["stale"]; number(pid) {
		if r.Details == nil {
			r.Details = map[string]string{}
		}
		r.Details["stale"] = pid
	}
	return r
}

// refusal is a reason for which a start does nothing: what it means, and whether trying again can help.
type refusal struct {
	format    string
	permanent bool
	present   bool
}

// refusals by the script's word. %[1]s is the resource, %[2]s the node, %[3]s the data directory, %[4]s what the script adds.
func refusals() map[string]refusal {
	return map[string]refusal{
		"not-mounted": {format: "the data directory %[3]s of %[1]s lies on the file system %[4]s on %[2]s, not on the one beneath the resource: that is not mounted, and nothing is started in its place"},
		"elsewhere":   {permanent: true, format: "%[4]s of %[1]s on %[2]s does not lie on the file system that moves with the resource: what is written there would be lost; move it there"},
		"no-data":     {format: "%[3]s on %[2]s holds no data of PostgreSQL (PG_VERSION is missing); nothing is started, and nothing is ever created there"},
		"signal":      {permanent: true, format: "%[3]s on %[2]s holds %[4]s: started, it would be a standby or go on with a restore; finish that by hand, or remove the file"},
		"binaries":    {permanent: true, format: "the binaries %[4]s on %[2]s do not run; install the packages again"},
		"version":     {permanent: true, format: "the data directory %[3]s and the binaries on %[2]s are of different major versions (%[4]s); correct bin_dir, or install the right version"},
		"user":        {permanent: true, format: "%[2]s has no user %[4]s; create it with the same number as on the other nodes"},
		"owner":       {permanent: true, format: "the data directory %[3]s belongs to another user number than the OS user has on %[2]s (%[4]s); give the user the same number on every node"},
		"no-config":   {permanent: true, format: "the configuration file %[4]s of %[1]s is missing on %[2]s; copy it from the other node, or correct config_file"},
		"config":      {permanent: true, format: "the configuration of %[1]s on %[2]s cannot be used (asked for %[4]s)"},
		"other-data":  {permanent: true, format: "the configuration of %[1]s on %[2]s belongs to the data directory %[4]s; correct data_directory there, or config_file"},
		"orphans":     {present: true, format: "processes of an earlier server of %[1]s on %[2]s do not end (%[4]s); as long as they live no server may start: look at them, then end them"},
		"in-use":      {present: true, format: "the data directory %[3]s on %[2]s is in use by other processes (%[4]s)"},
		"socket-dir":  {format: "the socket directory %[4]s cannot be created on %[2]s"},
	}
}

func judgeRefusal(in kits.Instance, a answer, words string) kits.Report {
	word, more, _ := strings.Cut(words, " ")
	f, ok := refusals()[word]
	if !ok {
		return unreadable(in, a.out, "it refuses for a reason that is not known")
	}
	r := kits.Report{Outcome: kits.Failed, Permanent: f.permanent, Presence: kits.Absent, Output: a.out}
	if f.present {
		r.Presence = kits.Present
	}
	r.Reason = about(why(in, codes()[word], f.format+"%[5]s", in.Tag, in.Node.Name, in.Attrs[FieldData], more, saying(a)), kits.OneLine(more, 300))
	return r
}

// codes of the refusals; in full, because texts are looked for by them.
func codes() map[string]string {
	return map[string]string{
		"not-mounted": "postgresql.not-mounted", "elsewhere": "postgresql.elsewhere", "no-data": "postgresql.no-data",
		"signal": "postgresql.signal", "binaries": "postgresql.binaries", "version": "postgresql.version",
		"user": "postgresql.user", "owner": "postgresql.owner", "no-config": "postgresql.no-config", "config": "postgresql.config",
		"other-data": "postgresql.other-data", "orphans": "postgresql.orphans-stay", "in-use": "postgresql.in-use",
		"socket-dir": "postgresql.socket-dir",
	}
}

// judgeStop: only the proof that no process of the cluster is left is a stop.
func judgeStop(in kits.Instance, res kits.Result, err error) kits.Report {
	a, bad := read(in, "the stop", res, err)
	if bad != nil {
		return *bad
	}
	pm, left, did := a.marks["postmaster"], a.marks["orphans"], a.marks["did"]
	r := kits.Report{Output: a.out, Details: map[string]string{"stop": did}}
	switch {
	case did == "" || pm != "-" && !number(pm):
		return unreadable(in, a.out, "it does not say whether a server runs")
	case pm == "-" && left == "":
		r.Outcome, r.Presence = kits.OK, kits.Absent
	default:
		r.Outcome, r.Presence = kits.Failed, kits.Present
		r.Reason = stillRunning(in, a)
	}
	return r
}

func stillRunning(in kits.Instance, a answer) kits.Reason {
	left := kits.OneLine(strings.Trim(a.marks["postmaster"]+" "+a.marks["orphans"], "- "), 80)
	return about(why(in, "postgresql.still-running", "the server of %s on %s could not be stopped (processes %s). Look at them there, then repeat", in.Tag, in.Node.Name, left), left)
}

// saying appends what the server or a tool said, when there is any.
func saying(a answer) string {
	if s := telling(a.out); s != "" {
		return fmt.Sprintf(": %s", s)
	}
	return ""
}
