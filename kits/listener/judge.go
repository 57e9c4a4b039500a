package listener

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/oracle/orainst"
)

// look is what one look at a listener found.
type look struct {
	missing                  string
	running, foreign, unsure bool
	foreignHome              string

	asked   bool
	said    string
	code    int
	control int // how the question that needs no listener went; -1 = not asked
	alias   string
	since   string
	uptime  string
	version string
	ports   []int
	status  map[string]string // instance → READY, BLOCKED, …
	pings   []tried
}

// tried is one address that was asked for an answer.
type tried struct {
	where, said string
	ok          bool
	timedOut    bool
}

// readLook reads the marks of the scripts' function look. An error means that it makes no sense.
func readLook(a orainst.Answer) (look, error) {
	l := look{control: -1, status: map[string]string{}}
	if m, ok := a.Get("missing"); ok {
		l.missing = m.Rest
		return l, nil
	}
	process, ok := a.Get("process")
	if !ok {
		return l, errors.New("it does not tell whether the listener runs")
	}
	foreign, isForeign := a.Get("foreign")
	_, l.unsure = a.Get("unsure")
	l.running, l.foreign = process.Rest != "", isForeign
	if f := strings.Fields(foreign.Rest); len(f) > 0 {
		l.foreignHome = strings.TrimSuffix(f[len(f)-1], "/bin/tnslsnr")
	}
	if m, ok := a.Get("status"); ok {
		l.asked, l.said, l.code, l.control = true, m.Text(), a.Code("statusend"), a.Code("control")
		l.words(m.Lines)
	}
	for i, m := range a.Marks {
		if m.Word != "ping" || i+1 >= len(a.Marks) || a.Marks[i+1].Word != "pingend" {
			continue
		}
		code, err := strconv.Atoi(a.Marks[i+1].Rest)
		t := tried{where: m.Rest, said: m.Text(), timedOut: orainst.TimedOut(code)}
		for _, line := range m.Lines {
			t.ok = t.ok || err == nil && code == 0 && strings.HasPrefix(line, "OK (")
		}
		l.pings = append(l.pings, t)
	}
	return l, nil
}

// words reads what "lsnrctl status" says.
func (l *look) words(lines []string) {
	for _, line := range lines {
		line = strings.TrimSpace(line)
		for prefix, to := range map[string]*string{"Alias": &l.alias, "Start Date": &l.since, "Uptime": &l.uptime, "Version": &l.version} {
			if rest, ok := strings.CutPrefix(line, prefix+" "); ok && *to == "" {
				*to = kits.OneLine(rest, 100)
			}
		}
		if strings.HasPrefix(line, "(DESCRIPTION=") {
			l.endpoint(line)
		}
		if rest, ok := strings.CutPrefix(line, `Instance "`); ok {
			name, rest, _ := strings.Cut(rest, `", status `)
			state, _, _ := strings.Cut(rest, ",")
			// One that is ready for any service is ready.
			if name = kits.OneLine(name, 60); l.status[name] != "READY" && len(l.status) < 200 {
				l.status[name] = kits.OneLine(state, 20)
			}
		}
	}
}

func (l *look) endpoint(line string) {
	nodes, err := parseOra("status", "X="+line)
	if err != nil || len(nodes) != 1 {
		return
	}
	var all []Address
	if addresses("status", nodes[0], &all) != nil {
		return
	}
	for _, a := range all {
		if a.listening() && len(l.ports) < 100 {
			l.ports = append(l.ports, a.Port)
		}
	}
}

// JudgeCheck turns what a check found into a report; see the package comment.
func (Kit) JudgeCheck(in kits.Instance, res kits.Result, err error) kits.Report {
	_, l, bad := read(in, "check", res, err)
	if bad != nil {
		return *bad
	}
	return level(in, judge(in, l))
}

// level makes of a report what the protection level leaves of it. Below full the listener may run on any node, so
// its presence repeats the claim.
func level(in kits.Instance, r kits.Report) kits.Report {
	if stops(in) {
		return r
	}
	if in.Active != in.Node.Name {
		r = kits.Report{Outcome: kits.Failed, Presence: kits.Absent, Reason: why(in, "listener.not-claimed", "the listener %s is not in service on %s; whether it runs is not looked at", nameOf(in), in.Node.Name), Details: r.Details}
		return r
	}
	r.Presence = kits.Present
	if !monitors(in) && r.Outcome != kits.Unknown {
		r = kits.Report{Outcome: kits.OK, Presence: kits.Present, Details: r.Details}
	}
	return r
}

// read parses a result; the report is set when there is nothing to judge.
func read(in kits.Instance, what string, res kits.Result, err error) (orainst.Answer, look, *kits.Report) {
	if err != nil {
		r := unknown(in, "listener.no-answer", "%s of %s on %s did not come to an end: %v", what, in.Tag, in.Node.Name, err)
		return orainst.Answer{}, look{}, &r
	}
	a, perr := orainst.ParseAnswer(res)
	var l look
	if perr == nil {
		l, perr = readLook(a)
	}
	if perr != nil {
		r := unknown(in, "listener.unreadable", "what %s said about %s cannot be read: %v", in.Node.Name, in.Tag, perr)
		r.Output = kits.Clean(res.Stderr+res.Stdout, kits.OutputLimit)
		return a, l, &r
	}
	if l.missing != "" {
		r := unknown(in, "listener.no-tool", "%s has no %s, without which nothing can be said about %s; install it", in.Node.Name, l.missing, in.Tag)
		return a, l, &r
	}
	return a, l, nil
}

// judge goes from the process to its answers.
func judge(in kits.Instance, l look) kits.Report {
	name, node := nameOf(in), in.Node.Name
	r := kits.Report{}
	switch {
	case l.running:
		r = judgeStatus(in, l)
		r.Presence, r.Details = kits.Present, details(l)
		r.Output = kits.Clean(strings.TrimSpace(l.said), kits.OutputLimit)
	case l.unsure:
		r = unknown(in, "listener.unsure", "a listener %s on %s does not show which ORACLE_HOME it runs from", name, node)
	case l.foreign:
		r = failed(in, "listener.other-home", "a listener %s runs on %s from another ORACLE_HOME, %s; it is not this resource's", name, node, kits.OneLine(l.foreignHome, 120))
		r.Presence = kits.Absent
	default:
		r = failed(in, "listener.not-running", "the listener %s does not run on %s", name, node)
		r.Presence = kits.Absent
	}
	return r
}

// judgeStatus reads "lsnrctl status"; the process lives.
func judgeStatus(in kits.Instance, l look) kits.Report {
	name, node := nameOf(in), in.Node.Name
	codes := orainst.Codes(l.said)
	switch {
	case !l.asked:
		return unknown(in, "listener.unreadable", "what %s said about %s cannot be read: the question to the listener is missing", node, in.Tag)
	case orainst.TimedOut(l.code) && l.control == 0:
		return failed(in, "listener.hung", "the listener %s on %s is there but does not answer within %d s", name, node, tuned(in).answer)
	case orainst.TimedOut(l.code):
		return unknown(in, "listener.slow", "the listener %s on %s gave no answer in time, but that node is too slow for anything at the moment", name, node)
	case l.code == 126 || l.code == 127:
		return unknown(in, "listener.no-lsnrctl", "lsnrctl cannot be run on %s as %s: %s", node, in.Attr(FieldUser, defaultUser), kits.OneLine(l.said, 160))
	case orainst.Has(l.said, "TNS-12541", "TNS-12560", "TNS-00511", "TNS-12537", "TNS-12547", "TNS-12545", "TNS-12535") != "":
		return failed(in, "listener.no-answer-there", "the process of the listener %s is on %s, but nothing listens where listener.ora says (%s)", name, node, codes[0].Code)
	case len(codes) > 0:
		return unknown(in, "listener.refused", "the listener %s on %s does not tell its status: %s %s", name, node, codes[0].Code, codes[0].Text)
	case l.code != 0 || !strings.Contains(l.said, "The command completed successfully") || !strings.EqualFold(l.alias, name):
		return unknown(in, "listener.unreadable", "what the listener %s on %s said cannot be read: %s", name, node, kits.OneLine(l.said, 160))
	}
	return judgeAddresses(in, l)
}

// judgeAddresses: it listens on every port that was chosen, and each address answers.
func judgeAddresses(in kits.Instance, l look) kits.Report {
	name, node := nameOf(in), in.Node.Name
	list, _ := chosen(in)
	for _, a := range list {
		if a.listening() && !contains(l.ports, a.Port) {
			return detailed(failed(in, "listener.not-listening", "the listener %s on %s does not listen on %s", name, node, a), a.String())
		}
	}
	for _, p := range l.pings {
		where := host(p.where)
		switch {
		case p.ok:
		case p.timedOut:
			return detailed(failed(in, "listener.address-silent", "the listener %s on %s does not answer on %s within %d s", name, node, where, tuned(in).answer), where)
		case len(orainst.Codes(p.said)) > 0:
			c := orainst.Codes(p.said)[0]
			return detailed(failed(in, "listener.address-silent", "the listener %s on %s does not answer on %s: %s %s", name, node, where, c.Code, c.Text), where)
		default:
			return unknown(in, "listener.unreadable", "what tnsping on %s said about %s cannot be read: %s", node, where, kits.OneLine(p.said, 160))
		}
	}
	return judgeServices(in, l)
}

// judgeServices: the databases beneath are registered. That is theirs to do, and heals within a minute.
func judgeServices(in kits.Instance, l look) kits.Report {
	name, node := nameOf(in), in.Node.Name
	for _, d := range databases(in) {
		sid, _, _ := strings.Cut(d, " ")
		switch state := l.status[sid]; state {
		case "READY", "UNKNOWN": // UNKNOWN stands in listener.ora, and nobody has said how it is
		case "":
			return detailed(impaired(in, "listener.no-service", "the listener %s on %s does not know the database %s; does its parameter LOCAL_LISTENER name it?", name, node, sid), sid)
		default:
			return detailed(impaired(in, "listener.service-blocked", "the listener %s on %s sends nobody to %s, which is %s", name, node, sid, strings.ToLower(state)), sid)
		}
	}
	return kits.Report{Outcome: kits.OK}
}

func contains(all []int, n int) bool {
	for _, x := range all {
		if x == n {
			return true
		}
	}
	return false
}

// host shows a description as host:port.
func host(description string) string {
	nodes, err := parseOra("", "X="+description)
	var all []Address
	if err == nil && len(nodes) == 1 && addresses("", nodes[0], &all) == nil && len(all) == 1 {
		return fmt.Sprintf("%s:%d", all[0].Host, all[0].Port)
	}
	return kits.OneLine(description, 120)
}

// details are for the panel.
func details(l look) map[string]string {
	d := map[string]string{}
	var services []string
	for name, state := range l.status {
		services = append(services, name+" "+strings.ToLower(state))
	}
	var answers []string
	for _, p := range l.pings {
		if p.ok {
			answers = append(answers, host(p.where))
		}
	}
	for k, v := range map[string]string{
		"alias": l.alias, "since": l.since, "uptime": l.uptime, "services": joined(services), "answers": joined(answers),
		"version": strings.TrimSuffix(strings.TrimPrefix(l.version, "TNSLSNR for Linux: Version "), " - Production"),
	} {
		if v != "" {
			d[k] = v
		}
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
	return kits.Why(code, fmt.Sprintf(format, args...), "tag", in.Tag, "node", in.Node.Name, "listener", nameOf(in))
}

// detailed keeps what a reason is about as an argument, for other languages.
func detailed(r kits.Report, what string) kits.Report {
	r.Reason.Args["detail"] = what
	return r
}
