package nodesim

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// openswanNative is the Openswan kit's check: what the daemon says, a ping through the
// tunnel and one to the peer's public address. The daemon's words are hundreds of lines,
// and going through them by the interpreter takes most of a simulation's time.
func openswanNative(s *steps) (int, bool) {
	conn, patience := s.arg(1), s.arg(2)
	wait, err := strconv.Atoi(patience)
	if len(s.st.p.args) != 2 || err != nil || conn == "" || strings.ContainsAny(conn, "\\*?[\"'") {
		return 0, false
	}
	c := openswanCheck{steps: s, conn: conn}
	if s.ended() {
		return terminated, true
	}
	s.say("@begin\n")
	if c.needs("ipsec", "ping", "timeout") && c.status() {
		c.pings(patience, strconv.Itoa(wait+1))
		c.traffic()
	}
	if s.ended() {
		return terminated, true
	}
	s.say("@end\n")
	return 0, true
}

type openswanCheck struct {
	*steps
	conn             string
	host, mine, peer string // the peer's public side, and the tunnel's ends
}

// needs is "command -v" of each; it says which are missing.
func (c *openswanCheck) needs(tools ...string) bool {
	all := true
	for _, t := range tools {
		if c.run(nil, io.Discard, io.Discard, "/.sim/command-v", t) != 0 && !c.ended() {
			c.say("@missing " + t + "\n")
			all = false
		}
	}
	return all && !c.ended()
}

// tool runs a command under its time limit; both its outputs are what it said.
func (c *openswanCheck) tool(limit string, args ...string) (said string, code int) {
	var out bytes.Buffer
	code = c.run(nil, &out, &out, "timeout", append([]string{"-k", "1", limit}, args...)...)
	return strings.TrimRight(out.String(), "\n"), code
}

// status asks the daemon, a second time when it keeps silent; it tells what there is to
// know of one that does not answer.
func (c *openswanCheck) status() bool {
	said, code := c.tool("6", "ipsec", "status")
	if code == 124 && !c.ended() && c.pluto() != "T" { // one that is stopped need not be asked again
		said, code = c.tool("6", "ipsec", "status")
	}
	if c.ended() {
		return false
	}
	c.say("@status\n" + c.relevant(said) + fmt.Sprintf("@statusend %d\n", code))
	if strings.Contains(said, "000 using kernel ") {
		c.facts(said)
		return true
	}
	c.say("@pluto " + c.pluto() + "\n")
	if code == 124 {
		if _, code := c.tool("2", "ipsec", "--version"); !c.ended() {
			c.say(fmt.Sprintf("@control %d\n", code))
		}
	}
	return false
}

// relevant are the lines about the connection, and those that are no part of a list, each behind a bar.
func (c *openswanCheck) relevant(said string) string {
	var b strings.Builder
	for _, l := range strings.Split(said, "\n") {
		ours := strings.Contains(l, `"`+c.conn+`"`) || strings.Contains(l, `"`+c.conn+`/`) || strings.HasPrefix(l, "000 using kernel ")
		if ours || !strings.HasPrefix(l, "000 ") && !strings.HasPrefix(l, "006 ") {
			b.WriteString("|" + l + "\n")
		}
	}
	return b.String()
}

// pluto is the letter that the kernel shows of the daemon's process.
func (c *openswanCheck) pluto() string {
	state, fs := "none", c.st.node.fs
	c.st.node.showPluto()
	all, _ := fs.list("/proc")
	for _, p := range all {
		name, _ := c.line(path.Join("/proc", p.Name(), "comm"))
		text, err := fs.read(path.Join("/proc", p.Name(), "status"))
		if name != "pluto" || err != nil || !digits(p.Name()[:1]) {
			continue
		}
		for _, l := range lines(string(text)) {
			if w := strings.Fields(l); len(w) > 1 && w[0] == "State:" {
				state = w[1]
			}
		}
	}
	return state
}

// facts reads, from what status said, where to ping.
func (c *openswanCheck) facts(said string) {
	host, mine, peer := "", "", ""
	for _, l := range strings.Split(said, "\n") {
		if !strings.HasPrefix(l, `000 "`+c.conn+`": `) && !strings.HasPrefix(l, `000 "`+c.conn+`/`) {
			continue
		}
		_, body, _ := strings.Cut(l, `": `)
		if _, far, ok := strings.Cut(body, "..."); ok && strings.Contains(body, "===") && strings.Contains(far, "===") {
			far, _, _ = strings.Cut(far, ";")
			far, _, _ = strings.Cut(far, "===")
			if i := strings.LastIndex(far, "---"); i >= 0 {
				far = far[i+3:]
			}
			host = far
			if i := strings.IndexAny(far, "[<"); i >= 0 {
				host = far[:i]
			}
		} else if _, m, ok := strings.Cut(body, "my_ip="); ok {
			if _, p, ok := strings.Cut(m, "their_ip="); ok {
				mine, _, _ = strings.Cut(m, ";")
				peer, _, _ = strings.Cut(p, ";")
			}
		}
		if host != "" && peer != "" {
			break
		}
	}
	c.host, c.mine, c.peer = host, mine, peer
}

// plain tells that a text is digits and dots: an address.
func plain(s string) bool { return s != "" && strings.Trim(s, "0123456789.") == "" }

func (c *openswanCheck) pings(patience, limit string) {
	if plain(c.mine) && plain(c.peer) {
		c.ping("private", patience, limit, "-I", c.mine, c.peer)
	}
	if plain(c.host) {
		c.ping("public", patience, limit, c.host)
	}
}

func (c *openswanCheck) ping(name, patience, limit string, args ...string) {
	if c.ended() {
		return
	}
	c.say("@ping " + name + " " + strings.Join(args, " ") + "\n")
	var out bytes.Buffer
	code := c.run(nil, &out, &out, "timeout", append([]string{"-s", "INT", "-k", "1", limit, "ping", "-n", "-c", "1", "-w", patience, "-W", patience}, args...)...)
	if c.ended() {
		return
	}
	for _, l := range strings.Split(strings.TrimRight(out.String(), "\n"), "\n") {
		c.say("|" + l + "\n")
	}
	c.say(fmt.Sprintf("@pingend %d\n", code))
}

// traffic is the list of what the tunnels carried.
func (c *openswanCheck) traffic() {
	if c.ended() {
		return
	}
	said, code := c.tool("6", "ipsec", "trafficstatus")
	if c.ended() {
		return
	}
	now, _ := c.substitute(io.Discard, "date", "+%s")
	if c.ended() {
		return
	}
	c.say("@traffic " + now + "\n" + c.relevant(said) + fmt.Sprintf("@trafficend %d\n", code))
}
