package oracle

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/oracle/orainst"
)

// judgeEligible: nothing is missing on the node, nothing starts by itself, and no file lies where it cannot move.
func judgeEligible(in kits.Instance, res kits.Result, err error) kits.Eligibility {
	a, l, bad := read(in, "eligible", res, err)
	if bad != nil {
		o := bad.Outcome
		if bad.Reason.Code == "oracle.no-tool" {
			o = kits.Failed
		}
		return kits.Eligibility{Outcome: o, Reason: bad.Reason}
	}
	if r := lacks(in, a); r != nil {
		return kits.Eligibility{Outcome: kits.Failed, Reason: *r}
	}
	if r := boots(in, a); r != nil {
		return kits.Eligibility{Outcome: kits.Failed, Reason: *r}
	}
	if r := judge(in, l); l.foreign && !l.running || r.Outcome == kits.Unknown {
		return kits.Eligibility{Outcome: r.Outcome, Reason: r.Reason}
	}
	return filesEligible(in, l)
}

// filesEligible asks an instance that runs here; one that does not is asked where it does.
func filesEligible(in kits.Instance, l look) kits.Eligibility {
	if !l.running || l.db.mode == "" {
		return kits.Eligibility{Outcome: kits.OK}
	}
	if standby(l) {
		return kits.Eligibility{Outcome: kits.Failed, Reason: judge(in, l).Reason}
	}
	out := outside(l.places(), mounts(in))
	if len(out) == 0 {
		return kits.Eligibility{Outcome: kits.OK}
	}
	text := "files of %s on %s lie outside the file systems that move with it: %s; move them there (alter database move datafile), or make that file system a resource beneath it"
	if len(mounts(in)) == 0 {
		text = "files of %s on %s would not move with it, since no file system resource lies beneath it: %s; make the file system resource first, and this one needing it"
	}
	r := why(in, "oracle.files-outside", text, in.Attrs[FieldSID], in.Node.Name, listed(out))
	r.Args["detail"] = listed(out)
	return kits.Eligibility{Outcome: kits.Failed, Reason: r}
}

// lacks finds what the installation misses.
func lacks(in kits.Instance, a orainst.Answer) *kits.Reason {
	node := in.Node.Name
	for _, m := range a.Marks {
		var r kits.Reason
		switch m.Word {
		case "nouser":
			r = why(in, "oracle.no-user", "%s has no user %s; correct the field os_user", node, m.Rest)
		case "nobinary":
			r = why(in, "oracle.no-home", "%s is missing on %s or cannot be executed; install Oracle there, or correct the field oracle_home", m.Rest, node)
		case "nospfile":
			r = why(in, "oracle.no-spfile", "%s on %s has no parameter file for %s; copy spfile%s.ora or a link there, or name it in the field spfile", m.Rest, node, in.Attrs[FieldSID], in.Attrs[FieldSID])
		case "ohasd":
			r = why(in, "oracle.restart", "Oracle Restart or Clusterware runs on %s and starts databases by itself; ferry does not work beside it (srvctl remove database, or deconfigure it)", node)
		default:
			continue
		}
		r.Args["detail"] = m.Rest
		return &r
	}
	return nil
}

// boots finds what would start the instance at boot.
func boots(in kits.Instance, a orainst.Answer) *kits.Reason {
	sid, node := in.Attrs[FieldSID], in.Node.Name
	for _, d := range a.Databases() {
		if d.SID == sid && d.Boot {
			fix := fmt.Sprintf("sed -i 's|^\\(%s:[^:]*\\):[Yy]|\\1:N|' %s", sid, d.File)
			r := why(in, "oracle.starts-at-boot", "%s of %s lets dbstart start %s when the machine boots (its third field is Y); switch that off with: %s", d.File, node, sid, fix)
			r.Args["detail"], r.Args["fix"] = d.File, fix
			return &r
		}
	}
	for _, b := range a.Boots() {
		if b.HasWord(sid) && starting.MatchString(strings.Join(b.Lines, "\n")) {
			r := why(in, "oracle.starts-at-boot", "%s on %s starts %s when the machine boots; switch that off with: %s", b.Unit, node, sid, b.SwitchOff())
			r.Args["detail"], r.Args["fix"] = b.Unit, b.SwitchOff()
			return &r
		}
	}
	return nil
}

// starting is what a script does that starts an instance without oratab; dbstart goes by oratab.
var starting = regexp.MustCompile(`(?i)\b(startup|sqlplus)\b`)
