package ip

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/kits"
)

// Captured: iproute2 6.1 on Debian 12, busybox 1.35, iproute2 4.11 on a RHEL 7 kernel (no "group"
// differences matter), a bond, a ppp peer address, a UML vector device.
const (
	addrOut = `1: lo    inet 127.0.0.1/8 scope host lo\       valid_lft forever preferred_lft forever
2: ens5    inet 10.0.0.10/24 metric 100 brd 10.0.0.255 scope global dynamic ens5\       valid_lft 3012sec preferred_lft 3012sec
2: ens5    inet 10.1.0.10/32 scope global ens5\       valid_lft forever preferred_lft forever
2: ens5    inet 10.0.0.77/24 brd 10.0.0.255 scope global secondary ens5:1\       valid_lft forever preferred_lft forever
7: ppp0    inet 10.9.0.1 peer 10.9.0.2/32 scope global ppp0\       valid_lft forever preferred_lft forever`
	linkUpOut      = `2: ens5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9001 qdisc mq state UP mode DEFAULT group default qlen 1000\    link/ether 06:a1:b2:c3:d4:e5 brd ff:ff:ff:ff:ff:ff\    altname enp0s5\    altname device-number-0`
	linkVecOut     = `2: ens5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc pfifo_fast state UNKNOWN mode DEFAULT group default qlen 1000\    link/ether 02:00:00:00:01:0a brd ff:ff:ff:ff:ff:ff`
	linkNoCarrier  = `2: ens5: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc pfifo_fast state DOWN mode DEFAULT group default qlen 1000\    link/ether 4a:d9:09:b6:00:48 brd ff:ff:ff:ff:ff:ff`
	linkAdminDown  = `2: ens5: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN mode DEFAULT group default qlen 1000\    link/ether 52:ce:fc:38:9f:33 brd ff:ff:ff:ff:ff:ff`
	linkVeth       = `2: ens5@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000\    link/ether 26:92:5c:9d:a5:17 brd ff:ff:ff:ff:ff:ff link-netnsid 0`
	linkBusybox    = `2: ens5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc pfifo_fast qlen 1000\    link/ether 4a:d9:09:b6:00:48 brd ff:ff:ff:ff:ff:ff`
	noDevice       = `Device "ens5" does not exist.`
	noDeviceBB     = `ip: can't find device 'ens5'`
	pingReplies    = "PING 10.0.0.255 (10.0.0.255) from 10.0.0.10 ens5: 56(84) bytes of data.\n64 bytes from 10.0.0.10: icmp_seq=1 ttl=64 time=0.031 ms\n64 bytes from 10.0.0.20: icmp_seq=1 ttl=64 time=0.310 ms (DUP!)\n\n--- 10.0.0.255 ping statistics ---"
	pingOwnOnly    = "PING 10.0.0.255 (10.0.0.255) from 10.0.0.10 ens5: 56(84) bytes of data.\n64 bytes from 10.0.0.10: icmp_seq=1 ttl=64 time=0.031 ms\n"
	arpingAnswered = "ARPING 10.1.0.10 from 0.0.0.0 ens5\nUnicast reply from 10.1.0.10 [06:11:22:33:44:55]  0.712ms\nSent 1 probes (1 broadcast(s))\nReceived 1 response(s)"
)

func out(parts ...string) kits.Result {
	return kits.Result{Stdout: strings.Join(parts, "\n") + "\n"}
}

func node() kits.Instance {
	return kits.Instance{
		Node:  kits.Node{Name: "LK_P_A", Address: "10.0.0.10"},
		Attrs: map[string]string{FieldAddress: vip},
	}
}

func TestJudgeCheck(t *testing.T) {
	head := []string{"@iface ens5", "@addr", addrOut, "@link"}
	full := func(link string, more ...string) kits.Result {
		return out(append(append(append([]string{}, head...), link, "@end"), more...)...)
	}
	without := strings.ReplaceAll(addrOut, "10.1.0.10/", "10.1.0.101/")
	for name, c := range map[string]struct {
		res      kits.Result
		outcome  kits.Outcome
		presence kits.Presence
		code     string
	}{
		"in order":              {full(linkUpOut), kits.OK, kits.Present, ""},
		"vector device unknown": {full(linkVecOut), kits.OK, kits.Present, ""},
		"veth name with @":      {full(linkVeth), kits.OK, kits.Present, ""},
		"busybox":               {full(linkBusybox), kits.OK, kits.Present, ""},
		"no carrier":            {full(linkNoCarrier), kits.Failed, kits.Present, "ip.link-down"},
		"admin down":            {full(linkAdminDown), kits.Failed, kits.Present, "ip.link-down"},
		"10.1.0.101 is another": {out("@iface ens5", "@addr", without, "@link", linkUpOut, "@end"), kits.Failed, kits.Absent, "ip.absent"},
		"device gone":           {out("@iface ens5", "@addr", without, "@link", noDevice, "@err link 1", "@end"), kits.Failed, kits.Absent, "ip.no-interface"},
		"device gone, busybox":  {out("@iface ens5", "@addr", without, "@link", noDeviceBB, "@err link 1", "@end"), kits.Failed, kits.Absent, "ip.no-interface"},
		"on another":            {out("@iface ens6", "@addr", addrOut, "@link", strings.Replace(linkUpOut, "ens5", "ens6", 1), "@end"), kits.Failed, kits.Present, "ip.other-interface"},
		"link line unreadable":  {full("RTNETLINK answers: Operation not permitted"), kits.Unknown, kits.Present, "ip.link-unknown"},
		"link of another":       {full(strings.Replace(linkUpOut, "ens5", "ens7", 1)), kits.Unknown, kits.Present, "ip.link-unknown"},
		"address unreadable":    {out("@iface ens5", "@addr", "2: ens5    inet 10.1.0/32", "@link", linkUpOut, "@end"), kits.Unknown, "", "ip.unreadable"},
		"ip addr failed":        {out("@iface ens5", "@addr", "@err addr 2", "@link", linkUpOut, "@end"), kits.Unknown, "", "ip.unreadable"},
		"cut off":               {out(head...), kits.Unknown, "", "ip.unreadable"},
		"nothing":               {kits.Result{}, kits.Unknown, "", "ip.unreadable"},
		"no tool":               {out("@noip"), kits.Unknown, "", "ip.no-tool"},
		"others answer":         {full(linkUpOut, "@bcast 10.0.0.255", pingReplies, "@bcastend 0"), kits.OK, kits.Present, ""},
		"only itself answers":   {full(linkUpOut, "@bcast 10.0.0.255", pingOwnOnly, "@bcastend 0"), kits.Failed, kits.Present, "ip.nobody-answers"},
		"nobody answers":        {full(linkUpOut, "@bcast 10.0.0.255", "@bcastend 1"), kits.Failed, kits.Present, "ip.nobody-answers"},
		"ping refused":          {full(linkUpOut, "@bcast 10.0.0.255", "ping: invalid option -- 'b'", "@bcastend 2"), kits.Unknown, kits.Present, "ip.no-broadcast-ping"},
		"ping missing":          {full(linkUpOut, "@bcast 10.0.0.255", "@noping"), kits.Unknown, kits.Present, "ip.no-broadcast-ping"},
		"held elsewhere too":    {full(linkUpOut, "@bcast 10.0.0.255", pingReplies, "@bcastend 0", "@arp", arpingAnswered, "@arpend 1"), kits.OK, kits.Present, "ip.answered-elsewhere"},
	} {
		r := Kit{}.JudgeCheck(node(), c.res, nil)
		if r.Outcome != c.outcome || r.Presence != c.presence || r.Reason.Code != c.code {
			t.Errorf("%s: got %v %q %q: %s", name, r.Outcome, r.Presence, r.Reason.Code, r.Reason.Text)
		}
		if (r.Outcome != kits.OK || r.Impaired) && !strings.Contains(r.Reason.Text, "LK_P_A") {
			t.Errorf("%s: the reason does not name the node: %q", name, r.Reason.Text)
		}
	}
	truncated := full(linkUpOut)
	truncated.Truncated = true
	if r := (Kit{}).JudgeCheck(node(), truncated, nil); r.Outcome != kits.Unknown {
		t.Errorf("truncated output: %+v", r)
	}
	if r := (Kit{}).JudgeCheck(node(), full(linkUpOut), errors.New("deadline")); r.Outcome != kits.Unknown {
		t.Errorf("an error beside a result: %+v", r)
	}
}

func TestEligibleNamesTheFileThatSetsTheAddressAtBoot(t *testing.T) {
	res := out("@iface ens5", "@addr", addrOut, "@link", linkUpOut, "@end", "@static", "/etc/netplan/60-vip.yaml", "@staticend")
	e := judgeEligible(node(), res, nil)
	if e.Outcome != kits.Failed || !strings.Contains(e.Reason.Text, "/etc/netplan/60-vip.yaml") {
		t.Error(e)
	}
	e = judgeEligible(node(), out("@iface ens5", "@addr", addrOut, "@link", linkUpOut, "@end", "@static"), nil)
	if e.Outcome != kits.Unknown {
		t.Errorf("cut off before the files were read: %+v", e)
	}
}

func TestStaticPattern(t *testing.T) {
	re := regexp.MustCompile(staticPattern(vip))
	for line, hit := range map[string]bool{
		"  address 10.1.0.10/32":               true,
		"address1=10.1.0.10/32":                true,
		"IPADDR1=10.1.0.10":                    true,
		`IPADDR="10.1.0.10"`:                   true,
		"      - 10.1.0.10/32":                 true,
		"10.1.0.10":                            true,
		"up ip addr add 10.1.0.10/32 dev eth0": true,
		"# address 10.1.0.10/32":               false,
		"; address1=10.1.0.10/32":              false,
		"address 10.1.0.101/32":                false,
		"address 110.1.0.10/32":                false,
		"address 10.1.0.1":                     false,
		"address 10x1y0z10":                    false,
	} {
		if re.MatchString(line) != hit {
			t.Errorf("%q: matched %v", line, !hit)
		}
	}
}

func FuzzParseLook(f *testing.F) {
	f.Add("@iface ens5\n@addr\n" + addrOut + "\n@link\n" + linkUpOut + "\n@end\n@bcast 1\n" + pingReplies + "\n@bcastend 0\n@arp\n" + arpingAnswered)
	f.Add("@noip\n")
	f.Add("@err link\n@end")
	f.Fuzz(func(t *testing.T, s string) {
		res := kits.Result{Stdout: s}
		r := Kit{}.JudgeCheck(node(), res, nil)
		if r.Outcome == kits.OK && !(strings.Contains(s, "inet "+vip) && strings.Contains(s, "LOWER_UP")) {
			t.Errorf("ok from %q", s)
		}
		if strings.ContainsAny(r.Reason.Text+r.Output, "\x1b\x00") {
			t.Errorf("control characters in %q", r.Reason.Text)
		}
		judgeStop(node(), res, nil)
		judgeEligible(node(), res, nil)
	})
}
