package listener

import (
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/oracle/orainst"
)

func joined(all []string) string {
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// causes are the words for why a listener does not come up.
var causes = []struct {
	code, why string
	permanent bool
	codes     []string
}{
	{"listener.address-taken", "its address is in use; another listener, or another program, has the port", false, []string{"TNS-12542", "TNS-00512"}},
	{"listener.address-absent", "it cannot listen on an address in listener.ora; is the virtual IP up on this node?", false, []string{"TNS-12545", "TNS-00515", "TNS-12533", "TNS-00505"}},
	{"listener.conf", "listener.ora does not define it as lsnrctl needs it", true, []string{"TNS-01151", "TNS-01150", "TNS-01158", "TNS-03505", "NL-00853"}},
	{"listener.denied", "the owner may not start it", true, []string{"TNS-12546", "TNS-00516", "TNS-01190", "TNS-12555"}},
	{"listener.started-elsewhere", "another listener of that name answers already", false, []string{"TNS-01106"}},
}

// judgeStart judges a start by what the listener is in the end.
func judgeStart(in kits.Instance, res kits.Result, err error) kits.Report {
	a, l, bad := read(in, "start", res, err)
	if bad != nil {
		return *bad
	}
	r := judge(in, l)
	bring, _ := a.Get("bring")
	if len(bring.Lines) > 0 {
		r.Output = kits.Clean(bring.Text(), kits.OutputLimit)
	}
	name, node := nameOf(in), in.Node.Name
	if _, instead := a.Get("instead"); instead && r.Outcome == kits.Failed {
		r.Permanent = true // another listener of that name: nothing was started
		return r
	}
	if m, ok := a.Get("unresolved"); ok && !l.running {
		host, to, _ := strings.Cut(m.Rest, " ")
		if to = strings.TrimSpace(to); to == "" {
			to = "nothing"
		}
		u := failed(in, "listener.not-resolved", "%s, which the listener %s is to listen on, resolves to %s on %s within %d s, and that address is not there; check the name's record and the virtual IP",
			host, name, to, node, tuned(in).resolve)
		u.Presence = r.Presence
		return detailed(u, host)
	}
	if r.Outcome != kits.Failed || l.running {
		return r
	}
	return explain(in, r, bring.Text())
}

// explain finds the reason in what "lsnrctl start" said.
func explain(in kits.Instance, r kits.Report, said string) kits.Report {
	name, node := nameOf(in), in.Node.Name
	for _, c := range causes {
		if found := orainst.Has(said, c.codes...); found != "" {
			e := failed(in, c.code, "the listener %s could not be started on %s (%s): %s", name, node, found, c.why)
			e.Permanent, e.Presence, e.Output = c.permanent, r.Presence, r.Output
			return detailed(e, found)
		}
	}
	last := kits.OneLine(said, 160)
	if codes := orainst.Codes(said); len(codes) > 0 {
		last = codes[0].Code + " " + codes[0].Text
	}
	e := failed(in, "listener.not-up", "the listener %s could not be started on %s: %s", name, node, last)
	e.Presence, e.Output = r.Presence, r.Output
	return detailed(e, last)
}

// judgeStop: it is stopped when its process is gone, whatever lsnrctl said.
func judgeStop(in kits.Instance, res kits.Result, err error) kits.Report {
	a, l, bad := read(in, "stop", res, err)
	if bad != nil {
		return *bad
	}
	var out []string
	for _, m := range a.All("did") {
		out = append(append(out, "== "+m.Rest), m.Lines...)
	}
	r := kits.Report{Output: kits.Clean(strings.Join(out, "\n"), kits.OutputLimit)}
	switch {
	case l.running:
		r.Outcome, r.Presence = kits.Failed, kits.Present
		r.Reason = why(in, "listener.still-running", "the listener %s is still on %s, after KILL as well: %s", nameOf(in), in.Node.Name, kits.OneLine(r.Output, 160))
	case l.unsure:
		r.Reason = why(in, "listener.unsure", "a listener %s on %s does not show which ORACLE_HOME it runs from", nameOf(in), in.Node.Name)
	default:
		r.Outcome, r.Presence = kits.OK, kits.Absent
	}
	return r
}
