package openswan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// look is everything that one check found.
type look struct {
	missing         string // a tool
	daemon          daemonState
	tunnel          tunnel
	private, public ping
	traffic         traffic
	// trafficKnown: the daemon has such a list and it could be read.
	trafficKnown bool
	now          time.Time
}

// readLook parses an answer of the check's script. An error means that it cannot be understood.
func readLook(in kits.Instance, res kits.Result) (look, error) {
	var l look
	a, err := parseAnswer(res)
	if err != nil {
		return l, err
	}
	if m, ok := a.get("missing"); ok {
		l.missing = kits.OneLine(m.rest, 40)
		return l, nil
	}
	if l.daemon = a.daemon(); l.daemon != daemonRuns {
		return l, nil
	}
	m, _ := a.get("status")
	if l.tunnel, err = parseStatus(m.lines, in.Attrs[FieldConnection]); err != nil {
		return l, err
	}
	l.private, l.public = a.ping("private"), a.ping("public")
	if err := l.samePlaces(); err != nil {
		return l, err
	}
	return l, l.readTraffic(in, a)
}

// samePlaces: the script pinged what the judge reads from the same status.
func (l look) samePlaces() error {
	t := l.tunnel
	if l.private.asked && (l.private.from != t.source.String() || l.private.to != t.peer.String()) ||
		l.public.asked && l.public.to != t.host.String() {
		return fmt.Errorf("it pinged %s and %s, but the daemon names %s and %s as the peer", l.private.to, l.public.to, t.peer, t.host)
	}
	return nil
}

func (l *look) readTraffic(in kits.Instance, a answer) error {
	m, ok := a.get("traffic")
	text := strings.Join(m.lines, "\n")
	switch code := a.code("trafficend"); {
	case !ok || code < 0:
		return fmt.Errorf("the list of the tunnels' traffic is missing")
	case strings.Contains(text, "nknown") && strings.Contains(text, "ommand"):
		return nil // Openswan
	case code != 0:
		return nil // said once more by the next check; the status stands alone
	}
	sec, err := strconv.ParseInt(m.rest, 10, 64)
	if err != nil || sec <= 0 {
		return fmt.Errorf("the node's clock cannot be read from %q", kits.OneLine(m.rest, 40))
	}
	l.now = time.Unix(sec, 0)
	l.traffic, err = parseTraffic(m.lines, in.Attrs[FieldConnection])
	l.trafficKnown = err == nil
	return err
}

// contradicts tells whether the two lists of the daemon, one asked after the other, show a change in between. A part that
// is down may well have an SA in the list of the traffic: one left over from before, which waits for its end and which
// the status knows too.
func (l look) contradicts() bool {
	if !l.trafficKnown {
		return false
	}
	for _, p := range l.tunnel.parts {
		sas := l.traffic.names[p.name]
		if p.up && len(sas) == 0 || !p.up && slices.ContainsFunc(sas, func(n int) bool { return !l.tunnel.sas[n] }) {
			return true
		}
	}
	return false
}

// JudgeCheck turns what a check found into a report; see the package comment for the stages.
func (Kit) JudgeCheck(in kits.Instance, res kits.Result, err error) kits.Report {
	l, bad := readCheck(in, res, err)
	if bad != nil {
		return *bad
	}
	return judge(in, l)
}

// readCheck parses a result; the report is set when there is nothing to judge.
func readCheck(in kits.Instance, res kits.Result, err error) (look, *kits.Report) {
	node := in.Node.Name
	if err != nil {
		r := unknown(in, "openswan.no-answer", "%s did not answer: %v", node, err)
		return look{}, &r
	}
	l, perr := readLook(in, res)
	if perr != nil {
		r := unknown(in, "openswan.unreadable", "what %s said about the tunnel cannot be read: %s", node, kits.OneLine(perr.Error(), 200))
		r.Output = output(res)
		return l, &r
	}
	return l, nil
}

// judge goes through the stages.
func judge(in kits.Instance, l look) kits.Report {
	r := judgeDaemon(in, l)
	if l.daemon == daemonRuns {
		r = judgeTunnel(in, l)
		r.Details = details(in, l)
	}
	r.Presence = presence(in, r.Outcome)
	return r
}

// judgeDaemon is stage 1.
func judgeDaemon(in kits.Instance, l look) kits.Report {
	node := in.Node.Name
	switch {
	case l.missing != "":
		return unknown(in, "openswan.no-tool", "%s has no %s, without which nothing can be said about the tunnel; install it", node, l.missing)
	case l.daemon == daemonDead:
		return failed(in, "openswan.daemon-dead", "the IPsec daemon does not run on %s", node)
	case l.daemon == daemonHung:
		return failed(in, "openswan.daemon-hung", "the IPsec daemon on %s is there but does not answer", node)
	case l.daemon == daemonSilent:
		return unknown(in, "openswan.slow", "the IPsec daemon on %s gave no answer in time, but that node is too slow for anything at the moment", node)
	}
	return unknown(in, "openswan.unreadable", "what %s said about its IPsec daemon cannot be read", node)
}

// judgeTunnel is stages 2 to 4. A certain no comes before what is not known.
func judgeTunnel(in kits.Instance, l look) kits.Report {
	node, conn, t := in.Node.Name, in.Attrs[FieldConnection], l.tunnel
	switch {
	case len(t.parts) == 0:
		return failed(in, "openswan.not-loaded", "the daemon on %s has not loaded the connection %s; is it in ipsec.conf there?", node, conn)
	case l.private.silent:
		return failed(in, "openswan.no-ping", "the peer %s does not answer a ping from %s through the tunnel %s of %s%s",
			l.private.to, l.private.from, conn, node, and(l))
	case l.public.silent:
		return failed(in, "openswan.no-public-ping", "the peer's public address %s does not answer a ping from %s (is ICMP let through?)", l.public.to, node)
	case l.contradicts():
		return unknown(in, "openswan.changing", "the tunnel %s of %s changed while it was looked at", conn, node)
	case !t.up():
		return failed(in, "openswan.tunnel-down", "the daemon on %s says that the tunnel is not up: %s%s", node, list(t.down()), trying(t))
	case !l.private.asked:
		return unknown(in, "openswan.no-address", "the connection %s loaded on %s has no leftsourceip or no rightsourceip, so its peer cannot be pinged; add both to ipsec.conf and load it again", conn, node)
	case !l.public.asked:
		return unknown(in, "openswan.no-address", "the daemon on %s does not name the peer's public address of %s", node, conn)
	case !l.private.answered || !l.public.answered:
		return unknown(in, "openswan.unreadable", "what ping said on %s cannot be read", node)
	}
	return kits.Report{Outcome: kits.OK}
}

// and says what else was found when the ping through the tunnel failed: where to look.
func and(l look) string {
	switch {
	case l.private.said != "":
		return " (" + l.private.said + ")"
	case l.public.silent:
		return ", nor does its public address " + l.public.to
	case l.tunnel.up():
		return ", although the daemon says that it is up"
	}
	return "; the daemon says that it is not up" + trying(l.tunnel)
}

func trying(t tunnel) string {
	if t.connecting {
		return " (it is trying)"
	}
	return ""
}

// list names at most three parts.
func list(names []string) string {
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + fmt.Sprintf(" and %d more", len(names)-3)
	}
	return strings.Join(names, ", ")
}

// presence repeats the claim: the tunnel runs everywhere, so nothing on a node tells
// whether it is in service there. On nodes where it is not, a tunnel that works says nothing.
func presence(in kits.Instance, o kits.Outcome) kits.Presence {
	switch {
	case o == kits.Unknown:
		return kits.PresenceUnknown
	case in.Active != "" && in.Active == in.Node.Name:
		return kits.Present
	case in.Active == "" || o == kits.Failed:
		return kits.Absent
	}
	return kits.PresenceUnknown
}

// details are what a panel shows of this node's tunnel; the other node's stand in that one's report.
func details(in kits.Instance, l look) map[string]string {
	t := l.tunnel
	d := map[string]string{"connection": in.Attrs[FieldConnection], "state": stateWord(t), "ike": "no"}
	if t.ike {
		d["ike"] = "established"
	}
	if t.host.IsValid() {
		d["peer"] = t.host.String()
	}
	if t.peer.IsValid() {
		d["peer-private"] = t.peer.String()
	}
	in64, out64 := t.in, t.out
	if l.trafficKnown {
		in64, out64 = l.traffic.in, l.traffic.out
		if age := l.now.Sub(l.traffic.since); !l.traffic.since.IsZero() && age >= 0 {
			d["age"] = age.String()
		}
	}
	d["in"], d["out"] = strconv.FormatInt(in64, 10), strconv.FormatInt(out64, 10)
	for name, p := range map[string]ping{"ping": l.private, "ping-public": l.public} {
		if w := pingWord(p); w != "" {
			d[name] = w
		}
	}
	return d
}

// stateWord is "up", "up, peer does not answer", "connecting", "down", "partly up" or "not loaded".
func stateWord(t tunnel) string {
	switch {
	case len(t.parts) == 0:
		return "not loaded"
	case t.up() && t.retransmit:
		return "up, peer does not answer"
	case t.up():
		return "up"
	case len(t.down()) < len(t.parts):
		return "partly up"
	case t.connecting:
		return "connecting"
	}
	return "down"
}

// pingWord is the time in milliseconds, "no answer", or empty when it is not known.
func pingWord(p ping) string {
	switch {
	case p.answered && p.took > 0:
		return strconv.FormatFloat(float64(p.took)/float64(time.Millisecond), 'f', 1, 64) + " ms"
	case p.answered:
		return "answered"
	case p.silent:
		return "no answer"
	}
	return ""
}

func failed(in kits.Instance, code, format string, args ...any) kits.Report {
	return kits.Report{Outcome: kits.Failed, Reason: why(in, code, format, args...)}
}

func unknown(in kits.Instance, code, format string, args ...any) kits.Report {
	return kits.Report{Reason: why(in, code, format, args...)}
}

func why(in kits.Instance, code, format string, args ...any) kits.Reason {
	return kits.Why(code, fmt.Sprintf(format, args...), "tag", in.Tag, "node", in.Node.Name, "connection", in.Attrs[FieldConnection])
}

func output(res kits.Result) string { return kits.Clean(res.Stderr+res.Stdout, kits.OutputLimit) }
