package doctor

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// baseTools are what ferry itself runs on nodes, whatever the kits.
var baseTools = []string{"ip", "ping", "systemctl", "systemd-run", "timeout", "flock", "setsid", "mkfifo", "base64", "sync", "sha256sum", "stat", "head", "grep", "mktemp"}

// nodeRules hold on every node.
func nodeRules() []rule {
	var tools []Question
	for _, t := range baseTools {
		tools = append(tools, Question{"tool", t})
	}
	return []rule{
		{Check: Check{ID: "node.reached", Subject: OfNode, About: "the engine logs in over SSH and acts as root, by sudo -n where the user is another",
			Why: "a server that cannot be reached can neither be checked nor take over", Mend: "host key in known_hosts, login by key, and ferry doctor sudoers for the sudo rule"}, judge: judgeReached},
		{Check: Check{ID: "node.tools", Subject: OfNode, About: "systemd, iproute2 and the usual tools are there",
			Why: "ferry's scripts run them", Mend: "install iproute2 (iproute), iputils, util-linux and coreutils"}, ask: ask(tools...), judge: judgeTools},
		{Check: Check{ID: "node.space", Subject: OfNode, About: "/var/lib/ferry has 64 MiB free",
			Why: "a server that cannot write its record takes nothing into service", Mend: "free space on the file system that /var/lib/ferry is on"}, ask: ask(Question{"space", "/var/lib/ferry"}), judge: judgeSpace},
		{Check: Check{ID: "node.clock-held", Subject: OfNode, About: "the clock is held right by NTP",
			Why: "records, logs and AWS signatures carry times; AWS refuses calls that are five minutes off", Mend: "install and start chrony; in AWS it finds 169.254.169.123"}, ask: ask(Question{"ntp", ""}), judge: judgeNTP},
		{Check: Check{ID: "node.hosts", Subject: OfNode, About: "/etc/hosts says nothing else about the estate's servers and service names than the definition",
			Why: "a name fixed there leads clients and comm paths astray after a move", Mend: "correct or remove the line"}, ask: ask(Question{"text", "/etc/hosts"}), judge: judgeHosts},
		{Check: Check{ID: "node.selinux", Subject: OfNode, About: "SELinux does not enforce",
			Why:  "databases in unusual places, nbd and scripts of the generic kit are refused in ways that show only at a failover",
			Mend: "set SELINUX=permissive in /etc/selinux/config, or make sure with a drill that nothing is refused and leave this check out (--except node.selinux)"},
			ask: ask(Question{"selinux", ""}), judge: judgeSELinux},
		{Check: Check{ID: "node.firewall", Subject: OfNode, About: "a firewall of the server's own lets through what the estate uses",
			Why: "security groups are not the only thing in the way", Mend: "open the ports that the finding names"}, ask: ask(Question{"firewall", ""}), judge: judgeFirewall},
		{Check: Check{ID: "node.modules", Subject: OfNode, About: "the kernel modules that mirrors (loop, md-mod, raid1, nbd, dm-mod, dm-multipath, dm-round-robin) and tunnels (xfrm_user, esp4) need are loaded or built in",
			Why:  "what is not loaded has to be found in the middle of a failover: after an update of the kernel its file is gone until the next boot, and a hardened kernel takes no more modules",
			Mend: "modprobe, and their names in /etc/modules-load.d/ferry.conf for every boot to come; where there is no file, the package with the kernel's extra modules, or a boot after an update", Fixable: true},
			ask: askModules, judge: judgeModules},
	}
}

func judgeReached(b *bench) {
	for _, s := range b.x.Estate().Servers {
		facts := b.Nodes[s.Name]
		if facts == nil {
			continue
		}
		f := b.at(s.Name, s.Name)
		var u unread
		switch {
		case facts.Err == nil:
		case facts.Denied:
			f.found(Fail, "denied", "error", facts.Err.Error())
		case errors.As(facts.Err, &u) && u.said == "": // what runs ferry's scripts there does not work
			f.found(Unknown, "mute", "exit", strconv.Itoa(u.exit))
		case errors.As(facts.Err, &u):
			f.found(Unknown, "garbled", "said", u.said)
		default:
			f.found(Unknown, "silent", "error", facts.Err.Error())
		}
	}
}

func judgeTools(b *bench) {
	b.nodes(every, func(node string, facts *Facts) {
		f := b.at(node, node)
		var none []string
		for _, t := range baseTools {
			switch said, ok := facts.said("tool", t); {
			case !ok:
				f.found(Unknown, "untold", "tool", t)
				return
			case said == "missing":
				none = append(none, t)
			}
		}
		if len(none) > 0 {
			f.found(Fail, "lacks", "tools", strings.Join(none, ", "))
		}
	})
}

// leastSpace is what a node's record, copies of the estate and a kit's files take, tenfold; KiB.
const leastSpace = 64 << 10

func judgeSpace(b *bench) {
	b.nodes(every, func(node string, facts *Facts) {
		f := b.at(node, node)
		said, _ := facts.said("space", "/var/lib/ferry")
		w := strings.Fields(said)
		if len(w) != 3 {
			f.found(Unknown, "untold")
			return
		}
		if free, err := strconv.ParseInt(w[2], 10, 64); err != nil || free < leastSpace {
			f.found(Fail, "little", "free", w[2])
		}
	})
}

func judgeNTP(b *bench) {
	b.nodes(every, func(node string, facts *Facts) {
		f := b.at(node, node)
		switch said, _ := facts.said("ntp", ""); said {
		case "yes":
		case "no":
			f.found(Warn, "loose")
		default:
			f.found(Unknown, "untold")
		}
	})
}

func judgeHosts(b *bench) {
	b.nodes(every, func(node string, facts *Facts) {
		f := b.at(node, node)
		if _, ok := facts.said("text", "/etc/hosts"); !ok {
			f.found(Unknown, "untold")
			return
		}
		names := b.serviceNames()
		for _, line := range facts.told("text", "/etc/hosts") {
			line, _, _ = strings.Cut(line, "#")
			w := strings.Fields(line)
			if len(w) < 2 {
				continue
			}
			for _, name := range w[1:] {
				name = strings.TrimSuffix(strings.ToLower(name), ".")
				if s := b.serverNamed(name); s != nil && s.Name != node && astray(w[0], s.Address) {
					f.found(Fail, "astray", "name", name, "server", s.Name, "written", w[0], "address", s.Address)
				}
				if slices.Contains(names, name) {
					f.found(Fail, "fixed", "name", name, "written", w[0])
				}
			}
		}
	})
}

func astray(written, address string) bool {
	a, err := netip.ParseAddr(written)
	return err == nil && a.Is4() && a.String() != address
}

func (b *bench) serverNamed(name string) *hierarchy.Server {
	for i, s := range b.x.Estate().Servers {
		if strings.EqualFold(s.Name, name) {
			return &b.x.Estate().Servers[i]
		}
	}
	return nil
}

// serviceNames are the full names that the estate keeps in Route 53, in small letters.
func (b *bench) serviceNames() []string {
	var out []string
	for _, r := range resources(b.x, "route53") {
		zone, _, _ := strings.Cut(r.Attrs["zone"], " ")
		out = append(out, strings.ToLower(strings.TrimSuffix(r.Attrs["host"]+"."+zone, ".")))
	}
	return out
}

func judgeSELinux(b *bench) {
	b.nodes(every, func(node string, facts *Facts) {
		f := b.at(node, node)
		switch said, ok := facts.said("selinux", ""); {
		case !ok:
			f.found(Unknown, "untold")
		case said == "1":
			f.found(Warn, "enforces")
		}
	})
}

// opening is a port that the servers of a cluster need of each other.
type opening struct {
	port, proto, service, what string
}

// openings are what a node's own firewall must let in.
func openings(x *hierarchy.Index, node string) []opening {
	var out []opening
	for _, in := range of(x, node, "datakeeper") {
		out = append(out, opening{in.Attr("port", nbdPort), "tcp", "", in.Tag})
	}
	for _, in := range of(x, node, "postgresql") {
		out = append(out, opening{in.Attr("port", "5432"), "tcp", "postgresql", in.Tag})
	}
	if uses(x, node, "openswan") {
		out = append(out, opening{"500", "udp", "ipsec", "IKE"}, opening{"4500", "udp", "ipsec", "IPsec NAT-T"})
	}
	return slices.DeleteFunc(out, func(o opening) bool { return o.port == "" })
}

func judgeFirewall(b *bench) {
	b.nodes(every, func(node string, facts *Facts) {
		f := b.at(node, node)
		said, ok := facts.said("firewall", "")
		told := strings.Join(facts.told("firewall", ""), "\n")
		switch {
		case !ok:
			f.found(Unknown, "untold")
		case said == "none":
		case said == "firewalld" && strings.Contains(told, "ports untold"), said == "ufw" && !strings.Contains(told, "Status:"):
			f.found(Unknown, "mute", "firewall", said)
		default:
			var shut, commands []string
			for _, o := range openings(b.x, node) {
				if !lets(said, told, o) {
					shut = append(shut, textf("%s/%s (%s)", o.port, o.proto, o.what))
					commands = append(commands, opens(said, o))
				}
			}
			if len(shut) > 0 {
				f.found(Fail, "shut", "firewall", said, "ports", strings.Join(shut, ", "), "commands", strings.Join(commands, "; "))
			}
		}
	})
}

// lets reads "ports 22/tcp 10810/tcp" and "services ssh ipsec", or ufw's table.
func lets(kind, told string, o opening) bool {
	words := strings.Fields(told)
	if kind == "ufw" && strings.Contains(told, "Status: inactive") {
		return true
	}
	return slices.Contains(words, o.port+"/"+o.proto) || o.service != "" && slices.Contains(words, o.service) || kind == "ufw" && slices.Contains(words, o.port)
}

func opens(kind string, o opening) string {
	if kind == "ufw" {
		return textf("ufw allow %s/%s", o.port, o.proto)
	}
	return textf("firewall-cmd --permanent --add-port=%s/%s && firewall-cmd --reload", o.port, o.proto)
}
