package nodesim

import (
	"fmt"
	"io"
	"strings"
)

// appNative is the application kit's check: what systemd says of its units, and what
// the application's own script says, cut off in time.
func appNative(s *steps) (int, bool) {
	unit, user, own, check, limit := s.arg(1), s.arg(2), s.arg(3), s.arg(5), s.arg(6)
	if len(s.st.p.args) < 9 || user != "" || unit == "" || strings.ContainsRune(check, 0) || s.is("/run/systemd/units") {
		return 0, false
	}
	if s.ended() {
		return terminated, true
	}
	state, _ := s.substitute(io.Discard, "systemctl", "is-active", unit+".service")
	if s.ended() {
		return terminated, true
	}
	s.say("@unit " + state + "\n")
	if own != "" {
		state, _ := s.substitute(io.Discard, "systemctl", "is-active", own)
		if s.ended() {
			return terminated, true
		}
		s.say("@own " + state + "\n")
	}
	text := s.probe(limit, check)
	if s.ended() {
		return terminated, true
	}
	rc, out := cutProbe(text)
	s.say(fmt.Sprintf("@check %s\n@out\n%s\n", rc, out))
	return 0, true
}

// probe runs the application's check; its output ends with its exit code.
func (s *steps) probe(limit, check string) string {
	pipe, _ := s.substitute(s.st.p.stderr, "/.sim/newpipe")
	if s.ended() {
		return ""
	}
	w := s.st.fillPipe(pipe)
	code := s.run(nil, w, w, "timeout", limit, "sh", "-c", check)
	if s.ended() {
		return ""
	}
	_, _ = fmt.Fprintf(w, "\n@rc %d", code) // a full pipe loses it, as in the interpreter
	data, _ := s.st.drainPipe(pipe)
	var end strings.Builder
	s.run(data, &end, s.st.p.stderr, "tail", "-c", "3000")
	return strings.TrimRight(strings.ReplaceAll(end.String(), "\x00", ""), "\n")
}

// cutProbe is rc=${text##*@rc } and out=${text%@rc *}.
func cutProbe(text string) (rc, out string) {
	if i := strings.LastIndex(text, "@rc "); i >= 0 {
		return text[i+len("@rc "):], text[:i]
	}
	return text, text
}

// ipNative is the IP kit's check without the broadcast ping: which addresses are
// there, and whether the link is up.
func ipNative(s *steps) (int, bool) {
	dev, address := s.arg(3), s.arg(4)
	if len(s.st.p.args) < 5 || s.arg(5) != "1" || dev == "" && address == "" || s.is("/sys") {
		return 0, false
	}
	out, errs := s.st.p.stdout, s.st.p.stderr
	if s.run(nil, io.Discard, io.Discard, "/.sim/command-v", "ip") != 0 {
		if !s.ended() {
			s.say("@noip\n")
		}
		return 0, true
	}
	addrs, said := s.substitute(errs, "ip", "-o", "-4", "addr", "show")
	for l := range strings.Lines(addrs) {
		if w := strings.Fields(l); dev == "" && len(w) > 3 && (w[3] == address || strings.HasPrefix(w[3], address+"/")) {
			dev = w[1]
		}
	}
	link := ""
	if dev != "" && !s.ended() {
		var both strings.Builder
		s.run(nil, &both, &both, "ip", "-o", "link", "show", "dev", dev)
		link = strings.TrimRight(both.String(), "\n")
	}
	if s.ended() {
		return terminated, true
	}
	_, _ = fmt.Fprintf(out, "@iface %s\n@addr\n%s\n", dev, addrs)
	if said != 0 {
		s.say(fmt.Sprintf("@err addr %d\n", said))
	}
	s.say("@link\n" + link + "\n@end\n")
	return 0, true
}
