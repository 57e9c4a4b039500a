package doctor

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

const sysNet = "/proc/sys/net/ipv4/"

var ipsecOnly = []string{"openswan"}

// vpnRules hold on nodes at which a tunnel ends: they pass on what is not theirs.
func vpnRules() []rule {
	return []rule{
		{Check: Check{ID: "vpn.forwarding", Subject: OfNode, About: "a VPN node passes packets on (net.ipv4.ip_forward = 1), now and after a boot",
			Why: "what comes out of the tunnel ends there otherwise", Mend: "a file in /etc/sysctl.d; --fix writes it", Fixable: true},
			ask: askIf(ipsecOnly, Question{"first", sysNet + "ip_forward"}), judge: judgeForwarding},
		{Check: Check{ID: "vpn.rp-filter", Subject: OfNode, About: "a VPN node does not drop packets whose way back differs (rp_filter 0 or 2)",
			Why: "with rp_filter = 1 the kernel drops what arrives through a tunnel without a word", Mend: "a file in /etc/sysctl.d; --fix writes it", Fixable: true},
			ask: func(x *hierarchy.Index, node string) []Question {
				if !uses(x, node, ipsecOnly...) {
					return nil
				}
				return []Question{{"first", filterOf("all")}, {"first", filterOf("default")}, {"first", filterOf(device(x, node))}}
			}, judge: judgeFilter},
		{Check: Check{ID: "vpn.redirects", Subject: OfNode, About: "a VPN node neither sends nor accepts ICMP redirects",
			Why: "neighbours would go around the tunnel for a while", Mend: "a file in /etc/sysctl.d; --fix writes it", Fixable: true},
			ask:   askIf(ipsecOnly, Question{"first", sysNet + "conf/all/send_redirects"}, Question{"first", sysNet + "conf/all/accept_redirects"}),
			judge: judgeRedirects},
		{Check: Check{ID: "vpn.starts-at-boot", Subject: OfNode, About: "the IPsec daemon starts at boot, on every VPN node",
			Why: "both tunnels are up all the time; a rebooted node without one cannot take the traffic", Mend: "systemctl enable ipsec", Fixable: true},
			ask: askIf(ipsecOnly, Question{"unit", "ipsec"}), judge: judgeIPsecUnit},
		{Check: Check{ID: "vpn.secrets", Subject: OfNode, About: "nobody but root reads /etc/ipsec.secrets and /etc/ipsec.d/*.secrets",
			Why: "whoever has the key can be the peer", Mend: "chmod 600 on the file", Fixable: true},
			ask: askIf(ipsecOnly, Question{"secrets", ""}), judge: judgeSecrets},
	}
}

func filterOf(device string) string { return sysNet + "conf/" + device + "/rp_filter" }

// device is the interface that the definition names, else the usual one of an EC2 instance.
func device(x *hierarchy.Index, node string) string {
	if s := x.Server(node); s != nil && s.Interface != "" {
		return s.Interface
	}
	return "eth0"
}

func onVPN(b *bench) func(string) bool {
	return func(s string) bool { return uses(b.x, s, ipsecOnly...) }
}

// sysctl is the command that sets values now and for every boot to come, in a file of its own.
func sysctl(file string, pairs ...string) string {
	var now, later []string
	for i := 0; i+1 < len(pairs); i += 2 {
		now = append(now, textf("echo %s >/proc/sys/%s", pairs[i+1], strings.ReplaceAll(pairs[i], ".", "/")))
		later = append(later, textf("%s = %s\\n", pairs[i], pairs[i+1]))
	}
	return textf("mkdir -p /etc/sysctl.d && printf '%s' >/etc/sysctl.d/60-ferry-%s.conf && %s", strings.Join(later, ""), file, strings.Join(now, " && "))
}

func judgeForwarding(b *bench) {
	b.nodes(onVPN(b), func(node string, facts *Facts) {
		f := b.at(node, node)
		switch said, ok := facts.said("first", sysNet+"ip_forward"); {
		case !ok || said == "missing":
			f.found(Unknown, "untold")
		case said != "1":
			f.found(Fail, "off", "value", said).run(node, sysctl("forward", "net.ipv4.ip_forward", "1"), true)
		}
	})
}

func judgeFilter(b *bench) {
	b.nodes(onVPN(b), func(node string, facts *Facts) {
		f := b.at(node, node)
		all, ok := facts.said("first", filterOf("all"))
		dev := device(b.x, node)
		own, _ := facts.said("first", filterOf(dev))
		if own == "missing" { // the interface has another name: those that come after "default" are like it
			dev = "default"
			own, _ = facts.said("first", filterOf(dev))
		}
		high := max(number(all), number(own)) // the kernel takes the greater of the two
		switch {
		case !ok || all == "missing" || own == "":
			f.found(Unknown, "untold")
		case high == 1:
			pairs := []string{"net.ipv4.conf.all.rp_filter", "2", "net.ipv4.conf.default.rp_filter", "2"}
			f.found(Fail, "strict", "device", dev).run(node, sysctl("rp-filter", pairs...), true)
		}
	})
}

func number(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		return 0
	}
	return n
}

func judgeRedirects(b *bench) {
	b.nodes(onVPN(b), func(node string, facts *Facts) {
		f := b.at(node, node)
		send, ok := facts.said("first", sysNet+"conf/all/send_redirects")
		accept, ok2 := facts.said("first", sysNet+"conf/all/accept_redirects")
		switch {
		case !ok || !ok2 || send == "missing" || accept == "missing":
			f.found(Unknown, "untold")
		case send != "0" || accept != "0":
			f.found(Warn, "on", "send", send, "accept", accept).
				run(node, sysctl("redirects", "net.ipv4.conf.all.send_redirects", "0", "net.ipv4.conf.default.send_redirects", "0",
					"net.ipv4.conf.all.accept_redirects", "0", "net.ipv4.conf.default.accept_redirects", "0"), true)
		}
	})
}

func judgeIPsecUnit(b *bench) {
	b.nodes(onVPN(b), func(node string, facts *Facts) {
		f := b.at(node, node)
		said, _ := facts.said("unit", "ipsec")
		switch boot, _, _ := strings.Cut(said, " "); boot {
		case "enabled", "enabled-runtime", "static", "indirect", "generated", "alias":
		case "", "unknown":
			f.found(Unknown, "untold")
		case "masked":
			f.found(Fail, "masked")
		default:
			f.found(Fail, "off").run(node, "systemctl enable ipsec", true)
		}
	})
}

func judgeSecrets(b *bench) {
	b.nodes(onVPN(b), func(node string, facts *Facts) {
		f := b.at(node, node)
		if _, ok := facts.said("secrets", ""); !ok {
			f.found(Unknown, "untold")
			return
		}
		var open, commands []string
		for _, line := range facts.told("secrets", "") {
			word, file, _ := strings.Cut(line, " ")
			if mode, err := strconv.ParseUint(word, 8, 32); (err != nil || mode&0o077 != 0) && plainPath.MatchString(file) {
				open, commands = append(open, file), append(commands, "chmod 600 "+file)
			}
		}
		if len(open) > 0 {
			f.found(Fail, "open", "files", strings.Join(open, ", ")).run(node, strings.Join(commands, " && "), true)
		}
	})
}

// plainPath are names of key files that a command may hold as they are.
var plainPath = regexp.MustCompile(`^/etc/ipsec\.(secrets|d/[A-Za-z0-9][A-Za-z0-9._-]*\.secrets)$`)
