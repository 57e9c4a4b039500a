package oracle

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/oracle/orainst"
)

// JudgeCheck turns what a check found into a report; see the package comment.
func (Kit) JudgeCheck(in kits.Instance, res kits.Result, err error) kits.Report {
	_, l, bad := read(in, "check", res, err)
	if bad != nil {
		return *bad
	}
	return judge(in, l)
}

// read parses a result; the report is set when there is nothing to judge.
func read(in kits.Instance, what string, res kits.Result, err error) (orainst.Answer, look, *kits.Report) {
	if err != nil {
		r := unknown(in, "oracle.no-answer", "%s of %s on %s did not come to an end: %v", what, in.Tag, in.Node.Name, err)
		return orainst.Answer{}, look{}, &r
	}
	a, perr := orainst.ParseAnswer(res)
	var l look
	if perr == nil {
		l, perr = readLook(a)
	}
	if perr != nil {
		r := unknown(in, "oracle.unreadable", "what %s said about %s cannot be read: %v", in.Node.Name, in.Tag, perr)
		r.Output = kits.Clean(res.Stderr+res.Stdout, kits.OutputLimit)
		return a, l, &r
	}
	if l.missing != "" {
		r := unknown(in, "oracle.no-tool", "%s has no %s, without which nothing can be said about %s; install it", in.Node.Name, l.missing, in.Tag)
		return a, l, &r
	}
	return a, l, nil
}

// judge goes from the process to what the instance says of itself.
func judge(in kits.Instance, l look) kits.Report {
	sid, node := in.Attrs[FieldSID], in.Node.Name
	r := kits.Report{}
	switch {
	case l.running:
		r = judgeSession(in, l)
		r.Details = details(l)
		r.Presence = kits.Present
		r.Output = kits.Clean(errorsIn(l.said), kits.OutputLimit)
	case l.unsure:
		r = unknown(in, "oracle.unsure", "a process of an instance %s on %s does not show which ORACLE_HOME it runs from", sid, node)
	case l.left:
		r = failed(in, "oracle.remains", "the instance %s on %s has lost its PMON process, but others of it are still there", sid, node)
		r.Presence = kits.Present
	case l.foreign:
		r = failed(in, "oracle.other-home", "an instance %s runs on %s from another ORACLE_HOME, %s; it is not this resource's", sid, node, kits.OneLine(l.foreignHome, 120))
		r.Presence = kits.Absent
	default:
		r = failed(in, "oracle.not-running", "the instance %s does not run on %s", sid, node)
		r.Presence = kits.Absent
	}
	return r
}

// Codes of an instance that comes up or goes down at this moment: PMON is there already, or still.
var changing = []string{"ORA-01034", "ORA-27101", "ORA-01089", "ORA-01090", "ORA-01033", "ORA-01092", "ORA-03113", "ORA-03114", "ORA-03135", "ORA-10997"}

// judgeSession reads the session; PMON lives.
func judgeSession(in kits.Instance, l look) kits.Report {
	sid, node := in.Attrs[FieldSID], in.Node.Name
	code := orainst.Has(l.said, changing...)
	switch {
	case !l.asked:
		return unknown(in, "oracle.unreadable", "what %s said about %s cannot be read: the question to the instance is missing", node, in.Tag)
	case orainst.TimedOut(l.code):
		return unknown(in, "oracle.hung", "the instance %s on %s is there but does not answer within %d s; look at its alert log", sid, node, tuned(in).answer)
	case l.inst.status == "" && refused(l.said) != "":
		return judgeRefused(in, refused(l.said))
	case code != "":
		return unknown(in, "oracle.changing", "the instance %s on %s is coming up or going down (%s)", sid, node, code)
	case l.inst.status == "" && (l.code == 126 || l.code == 127):
		return unknown(in, "oracle.no-sqlplus", "sqlplus cannot be run on %s as %s: %s", node, in.Attr(FieldUser, defaultUser), kits.OneLine(l.said, 160))
	case l.inst.status == "" || !l.ended:
		return unknown(in, "oracle.unreadable", "what the instance %s on %s said cannot be read: %s", sid, node, kits.OneLine(l.said, 160))
	case strings.HasPrefix(l.inst.status, "OPEN") && l.db.mode == "":
		return unknown(in, "oracle.unreadable", "the instance %s on %s says that it is open, but not how: %s", sid, node, kits.OneLine(errorsIn(l.said), 160))
	case standby(l):
		return impaired(in, "oracle.standby-role", "the database %s on %s is a %s (%s), which serves nobody's changes; its role is changed with Data Guard, not by ferry",
			sid, node, strings.ToLower(l.db.role), strings.ToLower(l.db.mode))
	case !strings.HasPrefix(l.inst.status, "OPEN"):
		return failed(in, "oracle.not-open", "the instance %s on %s is %s, but its database is not open", sid, node, strings.ToLower(l.inst.status))
	}
	return judgeOpen(in, l)
}

func standby(l look) bool { return strings.HasSuffix(l.db.role, "STANDBY") }

// refused finds the code with which a login was turned down.
func refused(said string) string {
	return orainst.Has(said, "ORA-28000", "ORA-28001", "ORA-01017", "ORA-01031", "ORA-00020", "ORA-00257", "ORA-12546", "ORA-12547", "ORA-09925", "ORA-01075")
}

// judgeRefused: SYSDBA was not let in. Accounts are only looked up where the database is open, so some codes
// say that it is. The others say nothing about it.
func judgeRefused(in kits.Instance, code string) kits.Report {
	sid, node, user := in.Attrs[FieldSID], in.Node.Name, in.Attr(FieldUser, defaultUser)
	switch code {
	case "ORA-28000", "ORA-28001":
		return impaired(in, "oracle.account", "the database %s on %s answers, but refuses the check's account (%s: locked or expired); give it a new password or unlock it", sid, node, code)
	case "ORA-00020":
		return impaired(in, "oracle.full", "the instance %s on %s lets nobody in any more (ORA-00020: all its processes are in use); raise PROCESSES or find who holds them", sid, node)
	case "ORA-00257":
		return archiver(in)
	}
	return unknown(in, "oracle.no-login", "the instance %s on %s does not let %s in as SYSDBA (%s); that user must be in the installation's OSDBA group, and sqlnet.ora must not forbid it", sid, node, user, code)
}

func archiver(in kits.Instance) kits.Report {
	return impaired(in, "oracle.archiver-stuck", "the archiver of %s on %s is stuck, and changes wait (ORA-00257); make room in its destination. Another node would find the same full place",
		in.Attrs[FieldSID], in.Node.Name)
}

// nearlyFull is the share of the recovery area, in percent, from which on it is said: archiving stops at 100.
const nearlyFull = 90

// judgeOpen: it is open. What is wrong all the same, the worst first; none of it is mended by another node.
func judgeOpen(in kits.Instance, l look) kits.Report {
	sid, node := in.Attrs[FieldSID], in.Node.Name
	if l.db.mode != "READ WRITE" {
		return impaired(in, "oracle.read-only", "the database %s on %s is open %s only; to have it read/write, shut it down and put it in service again", sid, node, strings.ToLower(strings.TrimSuffix(l.db.mode, " ONLY")))
	}
	if stuck(l) {
		return archiver(in)
	}
	if out := outside(l.places(), mounts(in)); len(out) > 0 {
		return detailed(impaired(in, "oracle.files-outside", "files of %s on %s lie outside the file systems that move with it: %s", sid, node, listed(out)), listed(out))
	}
	for _, c := range []struct {
		is         bool
		code, text string
	}{
		{l.inst.database == "SUSPENDED", "oracle.suspended", "the database %s on %s is suspended, and changes wait; end that with: alter system resume"},
		{l.inst.shutdown == "YES", "oracle.shutting-down", "the instance %s on %s waits for sessions to end, to be shut down; nobody else is let in"},
		{l.inst.status != "OPEN", "oracle.upgrade", "the database %s on %s is open for an upgrade"},
		{l.inst.logins == "RESTRICTED", "oracle.restricted", "the instance %s on %s lets administrators in only; end that with: alter system disable restricted session"},
		{l.inst.database != "ACTIVE", "oracle.recovering", "the database %s on %s is open and still recovering"},
	} {
		if c.is {
			return impaired(in, c.code, c.text, sid, node)
		}
	}
	if l.area.used >= nearlyFull {
		return detailed(impaired(in, "oracle.recovery-area", "the recovery area of %s on %s is %d %% full; at 100 %% archiving stops and changes wait", sid, node, l.area.used), strconv.Itoa(l.area.used))
	}
	return judgeMonitor(in, l)
}

// stuck: the archiver failed, a log switch waits for it, or a destination that must work does not.
func stuck(l look) bool {
	if l.db.logMode != "ARCHIVELOG" {
		return false
	}
	for _, d := range l.dests {
		if d.binding == "MANDATORY" && (d.status == "ERROR" || d.status == "FULL") {
			return true
		}
	}
	return l.inst.archiver == "FAILED" || l.inst.waits == "ARCHIVE LOG"
}

// judgeMonitor is the second login, of a database that is well.
func judgeMonitor(in kits.Instance, l look) kits.Report {
	m, sid, node := l.monitor, in.Attrs[FieldSID], in.Node.Name
	codes := orainst.Codes(m.said)
	switch {
	case !m.asked:
		return kits.Report{Outcome: kits.OK}
	case orainst.Has(m.said, "ORA-00257") != "":
		return archiver(in)
	case orainst.Has(m.said, "ORA-28000", "ORA-28001", "ORA-28002", "ORA-01017") != "":
		return impaired(in, "oracle.account", "the database %s on %s answers, but the check's account %s is locked, expired or unknown (%s); give it a new password or unlock it",
			sid, node, in.Attrs[FieldMonitor], codes[0].Code)
	case strings.Contains(m.said, "ferry|login|"):
		return kits.Report{Outcome: kits.OK}
	case orainst.TimedOut(m.code):
		return impaired(in, "oracle.monitor", "the database %s on %s is open, but the login %s gets no answer in time", sid, node, in.Attrs[FieldMonitor])
	}
	return impaired(in, "oracle.monitor", "the database %s on %s is open, but the login %s does not work: %s", sid, node, in.Attrs[FieldMonitor], kits.OneLine(m.said, 160))
}

// listed joins at most five, and says how many more there are.
func listed(all []string) string {
	if len(all) <= 5 {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:5], ", "), len(all)-5)
}

// errorsIn keeps the lines with errors: the rows between bars are told in words.
func errorsIn(said string) string {
	var out []string
	for l := range strings.SplitSeq(said, "\n") {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "ferry|") {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}

// details are for the panel.
func details(l look) map[string]string {
	d := map[string]string{}
	for k, v := range map[string]string{
		"status": l.inst.status, "version": l.inst.version, "since": l.inst.since, "logins": l.inst.logins,
		"mode": l.db.mode, "role": l.db.role, "log-mode": l.db.logMode, "pdbs": strings.Join(l.pdbs, ", "),
	} {
		if v != "" {
			d[k] = v
		}
	}
	if l.db.logMode == "ARCHIVELOG" {
		d["archiver"] = l.inst.archiver
	}
	if l.area.where != "" {
		d["recovery-area"] = fmt.Sprintf("%s, %d %%", l.area.where, l.area.used)
	}
	return d
}

func unknown(in kits.Instance, code, format string, args ...any) kits.Report {
	return kits.Report{Reason: why(in, code, format, args...)}
}

func failed(in kits.Instance, code, format string, args ...any) kits.Report {
	return kits.Report{Outcome: kits.Failed, Reason: why(in, code, format, args...)}
}

func impaired(in kits.Instance, code, format string, args ...any) kits.Report {
	return kits.Report{Outcome: kits.OK, Impaired: true, Reason: why(in, code, format, args...)}
}

func why(in kits.Instance, code, format string, args ...any) kits.Reason {
	return kits.Why(code, fmt.Sprintf(format, args...), "tag", in.Tag, "node", in.Node.Name, "sid", in.Attrs[FieldSID])
}

// detailed keeps what a reason is about as an argument, for other languages.
func detailed(r kits.Report, what string) kits.Report {
	r.Reason.Args["detail"] = what
	return r
}
