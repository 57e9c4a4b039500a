package oracle

import (
	"strings"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/oracle/orainst"
)

// judgeStart judges a start or a recovery: by what the instance is in the end, and explained by what Oracle said on the way.
func judgeStart(in kits.Instance, what string, res kits.Result, err error) kits.Report {
	a, l, bad := read(in, what, res, err)
	if bad != nil {
		return *bad
	}
	r := judge(in, l)
	bring, _ := a.Get("bring")
	if len(bring.Lines) > 0 {
		r.Output = kits.Clean(bring.Text(), kits.OutputLimit)
	}
	switch _, instead := a.Get("instead"); {
	case instead && r.Outcome == kits.Failed, r.Reason.Code == "oracle.other-home":
		r.Permanent = true // another instance of that name: nothing was started
		return r
	case r.Reason.Code == "oracle.standby-role", r.Reason.Code == "oracle.read-only":
		// Parents that want to write must not come up on it.
		r.Outcome, r.Impaired, r.Permanent = kits.Failed, false, true
		return r
	case r.Outcome != kits.Failed:
		return r
	}
	e := explain(in, bring.Text())
	e.Presence, e.Details, e.Output = r.Presence, r.Details, r.Output
	return e
}

// causes are Oracle's words for why a database does not come up, the telling ones before those that follow from them.
var causes = []struct {
	code, why string
	permanent bool
	codes     []string
}{
	{"oracle.no-spfile", "no parameter file was found; name it in the field spfile, or put it into ORACLE_HOME/dbs on every node", true, []string{"ORA-01078", "LRM-00109", "ORA-01565"}},
	{"oracle.mounted-elsewhere", "the database is mounted by another instance on this node", false, []string{"ORA-01102"}},
	{"oracle.media-recovery", "files need media recovery, which is left to an administrator (recover database)", true, []string{"ORA-01113", "ORA-01194", "ORA-01195", "ORA-01547", "ORA-01122", "ORA-01589"}},
	{"oracle.files-missing", "files are missing or cannot be read; is the file system mounted, and does the node have the same paths?", false, []string{"ORA-00205", "ORA-01157", "ORA-00313", "ORA-00210", "ORA-00202", "ORA-19755", "ORA-09925", "ORA-16038", "ORA-19809", "ORA-27037", "ORA-27040"}},
	{"oracle.memory", "the node does not give it the memory that it asks for", false, []string{"ORA-27102", "ORA-00845", "ORA-27123", "ORA-27125"}},
	{"oracle.no-login", "the owner is not let in as SYSDBA; it must be in the installation's OSDBA group", true, []string{"ORA-01031", "ORA-01017"}},
}

// explain finds the reason in the record of the steps.
func explain(in kits.Instance, said string) kits.Report {
	sid, node := in.Attrs[FieldSID], in.Node.Name
	if n, behind, ok := backup(said); ok && !strings.Contains(said, "== end backup") {
		text := "%s data files of %s on %s are in backup mode, and ORACLE_END_BACKUP does not let a start end it; when none of them was restored from a backup: alter database end backup, then alter database open"
		if behind != "0" {
			text = "%s data files of %s on %s are in backup mode and older than the control file; they may have been restored from a backup, and need media recovery (recover database)"
		}
		r := failed(in, "oracle.backup-mode", text, n, sid, node)
		r.Permanent = true
		return detailed(r, n)
	}
	for _, c := range causes {
		if found := orainst.Has(said, c.codes...); found != "" {
			r := failed(in, c.code, "%s could not be brought up on %s (%s): %s", sid, node, found, c.why)
			r.Permanent = c.permanent
			return detailed(r, found)
		}
	}
	if strings.Contains(said, "== no answer") {
		return failed(in, "oracle.start-hung", "%s did not answer while it was brought up on %s; look at its alert log", sid, node)
	}
	last := ""
	for _, c := range orainst.Codes(said) {
		if c.Code != "ORA-01034" && c.Code != "ORA-27101" && c.Code != "ORA-01507" && c.Code != "ORA-32004" { // what an idle instance says to any question, and a warning
			last = c.Code + " " + c.Text
		}
	}
	if last == "" {
		last = kits.OneLine(said, 160)
	}
	return detailed(failed(in, "oracle.not-up", "%s could not be brought up on %s within %d s: %s", sid, node, tuned(in).start, last), last)
}

// backup reads "== backup FILES OLDER" from the record.
func backup(said string) (files, older string, ok bool) {
	for l := range strings.SplitSeq(said, "\n") {
		if rest, found := strings.CutPrefix(l, "== backup "); found {
			files, older, ok = strings.Cut(kits.OneLine(rest, 40), " ")
		}
	}
	return files, older, ok
}

// judgeStop: it is stopped when nothing of it is left, whatever shutdown said.
func judgeStop(in kits.Instance, res kits.Result, err error) kits.Report {
	a, l, bad := read(in, "stop", res, err)
	if bad != nil {
		return *bad
	}
	var out []string
	how := ""
	for _, m := range a.All("did") {
		how = m.Rest
		out = append(append(out, "== "+m.Rest), m.Lines...)
	}
	r := kits.Report{Output: kits.Clean(strings.Join(out, "\n"), kits.OutputLimit)}
	if how != "" {
		r.Details = map[string]string{"stopped-by": strings.SplitN(how, " ", 3)[0]}
		if strings.HasPrefix(how, "shutdown") {
			r.Details["stopped-by"] = how
		}
	}
	sid, node := in.Attrs[FieldSID], in.Node.Name
	switch {
	case l.left:
		r.Outcome, r.Presence = kits.Failed, kits.Present
		r.Reason = why(in, "oracle.still-running", "processes of the instance %s are still on %s after SHUTDOWN ABORT; they wait for a disk, as a rule: %s", sid, node, kits.OneLine(r.Output, 160))
	case l.unsure:
		r.Reason = why(in, "oracle.unsure", "a process of an instance %s on %s does not show which ORACLE_HOME it runs from", sid, node)
	default:
		r.Outcome, r.Presence = kits.OK, kits.Absent
	}
	return r
}
