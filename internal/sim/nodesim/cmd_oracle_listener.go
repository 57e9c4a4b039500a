package nodesim

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// listenerNote is where a listener is noted; its name's case does not count.
func listenerNote(name string) string { return "tnslsnr." + strings.ToLower(name) }

// listenerUnit is the service that has its ports, for whoever connects to them.
func listenerUnit(name string) string { return unitKey("tnslsnr-" + strings.ToLower(name)) }

// listener is a listener's note; nil when its process is gone.
func (n *Node) listener(name string) oraState {
	s := n.note(listenerNote(name))
	if s == nil {
		return nil
	}
	if pid, _ := strconv.Atoi(s["pid"]); n.Alive(pid) {
		return s
	}
	n.endListener(name, s)
	return nil
}

func (n *Node) endListener(name string, s oraState) {
	n.fs.mu.Lock()
	if pid, err := strconv.Atoi(s["pid"]); err == nil {
		n.disks.end(pid)
	}
	n.fs.mu.Unlock()
	_ = n.fs.remove(oracleRun+listenerNote(name), false)
	n.mu.Lock()
	defer n.mu.Unlock()
	if v := n.services[listenerUnit(name)]; v != nil {
		n.set(listenerUnit(name), v, false)
		delete(n.services, listenerUnit(name))
	}
}

var (
	oraAddress = regexp.MustCompile(`(?is)\(\s*PROTOCOL\s*=\s*TCP\s*\)\s*\(\s*HOST\s*=\s*([^)\s]+)\s*\)\s*\(\s*PORT\s*=\s*(\d+)\s*\)`)
	oraTop     = regexp.MustCompile(`(?m)^([A-Za-z][\w.]*)\s*=`)
)

// definition finds a listener's TCP addresses in a listener.ora as netca writes it: "host port" each.
func definition(text, name string) [][2]string {
	tops := oraTop.FindAllStringSubmatchIndex(text, -1)
	for i, t := range tops {
		end := len(text)
		if i+1 < len(tops) {
			end = tops[i+1][0]
		}
		if strings.EqualFold(text[t[2]:t[3]], name) {
			var out [][2]string
			for _, a := range oraAddress.FindAllStringSubmatch(text[t[1]:end], -1) {
				out = append(out, [2]string{a[1], a[2]})
			}
			return out
		}
	}
	return nil
}

// lsnrctl is lsnrctl start|status|stop|help [NAME].
func (c *command) lsnrctl() int {
	home, name := c.env.Get("ORACLE_HOME").String(), c.arg(1)
	if name == "" {
		name = "LISTENER"
	}
	c.say("", "LSNRCTL for Linux: Version 19.0.0.0.0 - Production on "+strings.ToUpper(time.Now().UTC().Format("02-Jan-2006 15:04:05")), "",
		"Copyright (c) 1991, 2019, Oracle.  All rights reserved.", "")
	switch c.arg(0) {
	case "help":
		return c.say("The following operations are available")
	case "start":
		return c.lsnrStart(home, name)
	case "status", "stop":
	default:
		return c.say("NL-00853: undefined command \""+c.arg(0)+"\".  Try \"help\"") + 1
	}
	for {
		s := c.node.listener(name)
		switch {
		case s == nil:
			return c.say("TNS-12541: TNS:no listener", " TNS-12560: TNS:protocol adapter error", "  TNS-00511: No listener", "   Linux Error: 111: Connection refused") + 1
		case s["hung"] == "" && c.arg(0) == "stop":
			c.node.endListener(name, s)
			return c.say("The command completed successfully")
		case s["hung"] == "":
			return c.lsnrStatus(s)
		}
		if sleep(c.ctx, 250*time.Millisecond) != nil {
			return terminated
		}
	}
}

func (c *command) lsnrStart(home, name string) int {
	if c.node.listener(name) != nil {
		return c.say("TNS-01106: Listener using listener name "+name+" has already been started") + 1
	}
	admin := c.env.Get("TNS_ADMIN").String()
	if admin == "" {
		admin = path.Join(home, "network/admin")
	}
	text, err := c.node.ReadFile(path.Join(admin, "listener.ora"))
	where := definition(text, name)
	if err != nil || len(where) == 0 {
		return c.say("TNS-01151: Missing listener name, "+name+", in LISTENER.ORA") + 1
	}
	c.say("Starting "+home+"/bin/tnslsnr: please wait...", "")
	if sleep(c.ctx, time.Second) != nil {
		return terminated
	}
	var ports []string
	for _, a := range where {
		if !slices.ContainsFunc(c.node.resolve(a[0]), c.node.Carries) {
			return c.say("TNS-12545: Connect failed because target host or object does not exist", " TNS-12560: TNS:protocol adapter error", "  TNS-00515: Connect failed because target host or object does not exist") + 1
		}
		ports = append(ports, a[0]+":"+a[1])
	}
	port, _ := strconv.Atoi(where[0][1])
	if c.node.listens(port) {
		return c.say("TNS-12542: TNS:address already in use", " TNS-12560: TNS:protocol adapter error", "  TNS-00512: Address already in use", "   Linux Error: 98: Address already in use") + 1
	}
	c.node.runListener(home, name, path.Join(admin, "listener.ora"), ports, port)
	return c.lsnrStatus(c.node.listener(name))
}

func (n *Node) runListener(home, name, file string, ports []string, port int) {
	pid := n.oraProcess("tnslsnr", home+"/bin/tnslsnr", home)
	n.fs.mu.Lock()
	n.fs.files[fmt.Sprintf("/proc/%d/cmdline", pid)] = &inode{data: []byte(home + "/bin/tnslsnr\x00" + name + "\x00-inherit\x00"), mode: 0o444}
	n.fs.mu.Unlock()
	n.keep(listenerNote(name), oraState{
		"home": home, "pid": strconv.Itoa(pid), "name": name, "file": file, "ports": strings.Join(ports, " "),
		"since": strings.ToUpper(time.Now().UTC().Format("02-Jan-2006 15:04:05")),
	})
	n.mu.Lock()
	defer n.mu.Unlock()
	v := &service{Service: Service{Name: listenerUnit(name), Port: port}}
	n.services[listenerUnit(name)] = v
	n.set(listenerUnit(name), v, true)
}

// lsnrStatus prints what a listener says of itself; every instance of the node that is mounted or open is registered.
func (c *command) lsnrStatus(s oraState) int {
	if s == nil {
		return c.say("TNS-12541: TNS:no listener") + 1
	}
	c.say("STATUS of the LISTENER", "------------------------", "Alias                     "+s["name"],
		"Version                   TNSLSNR for Linux: Version 19.0.0.0.0 - Production", "Start Date                "+s["since"],
		"Listener Parameter File   "+s["file"], "Listening Endpoints Summary...")
	for _, p := range strings.Fields(s["ports"]) {
		host, port := p[:strings.LastIndex(p, ":")], p[strings.LastIndex(p, ":")+1:]
		c.say("  (DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=" + host + ")(PORT=" + port + ")))")
	}
	names, services := []string{}, false
	if all, err := c.node.fs.list(strings.TrimSuffix(oracleRun, "/")); err == nil {
		for _, f := range all {
			names = append(names, f.Name())
		}
	}
	for _, sid := range names {
		if strings.HasPrefix(sid, "tnslsnr.") || c.node.instance(sid) == nil {
			continue
		}
		state := "BLOCKED"
		if c.node.instance(sid)["status"] == "OPEN" {
			state = "READY"
		}
		if !services {
			c.say("Services Summary...")
		}
		services = true
		c.say(fmt.Sprintf("Service %q has 1 instance(s).", sid), fmt.Sprintf("  Instance %q, status %s, has 1 handler(s) for this service...", sid, state))
	}
	if !services {
		c.say("The listener supports no services")
	}
	return c.say("The command completed successfully")
}

// tnsping is tnsping DESCRIPTION COUNT: whether a listener has that port, here.
func (c *command) tnsping() int {
	c.say("", "TNS Ping Utility for Linux: Version 19.0.0.0.0 - Production", "", "Attempting to contact "+c.arg(0))
	a := oraAddress.FindStringSubmatch(c.arg(0))
	if a == nil {
		return c.say("TNS-03505: Failed to resolve name") + 1
	}
	all, _ := c.node.fs.list(strings.TrimSuffix(oracleRun, "/"))
	for _, f := range all {
		name, is := strings.CutPrefix(f.Name(), "tnslsnr.")
		s := c.node.listener(name)
		if !is || s == nil || !strings.Contains(s["ports"]+" ", ":"+a[2]+" ") || !slices.ContainsFunc(c.node.resolve(a[1]), c.node.Carries) {
			continue
		}
		for s != nil && s["hung"] != "" {
			if sleep(c.ctx, 250*time.Millisecond) != nil {
				return terminated
			}
			s = c.node.listener(name)
		}
		return c.say("OK (0 msec)")
	}
	return c.say("TNS-12541: TNS:no listener") + 1
}

// SetHost gives a name these addresses on the node, in /etc/hosts; without any it is taken out.
func (n *Node) SetHost(name string, addresses ...string) error {
	old, _ := n.ReadFile("/etc/hosts")
	var out []string
	for _, l := range lines(old) {
		if f := strings.Fields(l); len(f) < 2 || f[1] != name {
			out = append(out, l)
		}
	}
	for _, a := range addresses {
		out = append(out, a+" "+name)
	}
	return n.WriteFile("/etc/hosts", strings.Join(append(out, ""), "\n"), false)
}

// resolve is what a name leads to on this node.
func (n *Node) resolve(name string) []string {
	if strings.Trim(name, "0123456789.") == "" || strings.Contains(name, ":") {
		return []string{name}
	}
	if name == "localhost" {
		return []string{"127.0.0.1"}
	}
	if name == n.name {
		return []string{n.address}
	}
	text, _ := n.ReadFile("/etc/hosts")
	var out []string
	for _, l := range lines(text) {
		if f := strings.Fields(l); len(f) > 1 && slices.Contains(f[1:], name) {
			out = append(out, f[0])
		}
	}
	if len(out) == 0 {
		return n.world.askName(name)
	}
	return out
}

// getentCommand is getent ahosts|hosts NAME.
func getentCommand(c *command) int {
	if db := c.arg(0); db != "ahosts" && db != "hosts" {
		return c.fail(1, "Unknown database: %s", db)
	}
	found := c.node.resolve(c.arg(1))
	for _, a := range found {
		if c.arg(0) == "hosts" {
			c.say(fmt.Sprintf("%-15s %s", a, c.arg(1)))
			continue
		}
		c.say(fmt.Sprintf("%-15s STREAM %s", a, c.arg(1)), fmt.Sprintf("%-15s DGRAM", a), fmt.Sprintf("%-15s RAW", a))
	}
	if len(found) == 0 {
		return 2
	}
	return 0
}
