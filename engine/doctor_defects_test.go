package engine_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
	"github.com/ferry-ha/ferry/internal/sim/r53sim"
)

// defect is one thing that is wrong with an estate which is right otherwise.
type defect struct {
	name string
	do   func(b *bench)
	// undo puts it right as a person would; nil = the doctor's own fix does.
	undo func(b *bench)
	// want are the findings, all of them; fix is in the first one's fix: its text or its command.
	want []string
	fix  string
}

// machine is a simulated node.
func (b *bench) machine(name string) *nodesim.Node { return b.sim.Nodes.Node(name) }

// write is a file on a node.
func write(node, path, text string) func(*bench) {
	return func(b *bench) {
		if err := b.machine(node).WriteFile(path, text, false); err != nil {
			b.t.Fatal(err)
		}
	}
}

// command is a root's hand on a node.
func command(node, line string) func(*bench) {
	return func(b *bench) {
		if code, out := b.machine(node).Exec(b.t.Context(), line); code != 0 {
			b.t.Fatalf("%s on %s: %d %s", line, node, code, out)
		}
	}
}

func must(f func(b *bench) error) func(*bench) {
	return func(b *bench) {
		if err := f(b); err != nil {
			b.t.Fatal(err)
		}
	}
}

// account changes the simulated account, and back again.
func accountWith(name, fix string, want []string, change func(w *ec2sim.World)) defect {
	var before []ec2sim.Region
	var keys []ec2sim.Key
	return defect{name, func(b *bench) {
		b.sim.EC2.Edit(func(w *ec2sim.World) {
			before, keys = slices.Clone(w.Regions), slices.Clone(w.Keys)
			change(w)
		})
	}, func(b *bench) {
		b.sim.EC2.Edit(func(w *ec2sim.World) { w.Regions, w.Keys = before, keys })
	}, want, fix}
}

func group(w *ec2sim.World, region int, in ...ec2sim.SecurityRule) {
	w.Regions[region].Groups = []ec2sim.SecurityGroup{{ID: w.Regions[region].Groups[0].ID, Name: "ferry", VPC: w.Regions[region].Groups[0].VPC, In: in}}
}

var (
	anywhere = []string{"0.0.0.0/0"}
	home     = []string{"10.0.0.0/16", "172.16.0.0/16"}
	ping     = ec2sim.SecurityRule{Protocol: "icmp", From: 8, To: -1, CIDRs: home}
	ike      = ec2sim.SecurityRule{Protocol: "udp", From: 500, To: 500, CIDRs: anywhere}
	natt     = ec2sim.SecurityRule{Protocol: "udp", From: 4500, To: 4500, CIDRs: anywhere}
)

// everything is the entry of a default network ACL.
var everything = ec2sim.ACLEntry{Number: 100, Allow: true, Protocol: "-1", CIDR: "0.0.0.0/0"}

// withACL gives a default network ACL these entries in one direction, and back what it had.
func withACL(name, fix string, want []string, acl string, egress bool, entries ...ec2sim.ACLEntry) defect {
	swap := func(b *bench, out, in []ec2sim.ACLEntry) {
		for _, e := range out {
			if err := b.sim.EC2.RemoveACLEntry(acl, egress, e.Number); err != nil {
				b.t.Fatal(err)
			}
		}
		for _, e := range in {
			if err := b.sim.EC2.SetACLEntry(acl, egress, e); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	usual := []ec2sim.ACLEntry{everything}
	return defect{name, func(b *bench) { swap(b, usual, entries) }, func(b *bench) { swap(b, entries, usual) }, want, fix}
}

// at are a check's findings at several servers.
func at(check string, servers ...string) []string {
	var out []string
	for _, s := range servers {
		out = append(out, check+"@"+s)
	}
	return out
}

// acting lets the engine's key be somebody's.
func acting(arn string) func(w *ec2sim.World) {
	return func(w *ec2sim.World) {
		w.Keys = slices.Clone(w.Keys)
		w.Keys[0].ARN = arn
	}
}

// denied takes an action from the engine's key, on both endpoints.
func denied(action string, want []string, fix string) defect {
	d := accountWith(action+" denied", fix, want, func(w *ec2sim.World) {
		w.Keys = slices.Clone(w.Keys)
		w.Keys[0].Deny = append(slices.Clone(w.Keys[0].Deny), action)
	})
	return d
}

// serviceName is the example's.
const serviceName = "www.example.com."

func dnsFault(name string, f r53sim.Fault, want []string, fix string) defect {
	var remove func()
	return defect{name, func(b *bench) { remove = b.sim.Route53.Inject(f) }, func(*bench) { remove() }, want, fix}
}

// injected lets calls to EC2 go wrong.
func injected(name string, f ec2sim.Fault, want []string, fix string) defect {
	var remove func()
	return defect{name, func(b *bench) { remove = b.sim.EC2.Inject(f) }, func(*bench) { remove() }, want, fix}
}

func vpnDefects() []defect {
	var was r53sim.Record
	oldHosts := "127.0.0.1 localhost\n"
	return []defect{
		{"a tool is missing", func(b *bench) { b.machine("LK_S_B").Remove("setsid") }, func(b *bench) { b.machine("LK_S_B").Install("setsid") }, []string{"node.tools@LK_S_B"}, "util-linux"},
		{"the clock is not held", must(func(b *bench) error { return b.machine("LK_P_B").SetClockHeld(false) }), must(func(b *bench) error { return b.machine("LK_P_B").SetClockHeld(true) }), []string{"node.clock-held@LK_P_B"}, "chrony"},
		{"the clock is ahead", must(func(b *bench) error { return b.machine("LK_P_B").SetClock(10 * time.Second) }), must(func(b *bench) error { return b.machine("LK_P_B").SetClock(0) }), []string{"same.clock@service"}, "chrony"},
		{"the clock is behind", must(func(b *bench) error { return b.machine("VPN_S_A").SetClock(-time.Minute) }), must(func(b *bench) error { return b.machine("VPN_S_A").SetClock(0) }), []string{"same.clock@vpn-standby"}, "chrony"},
		{"hosts names a server otherwise", write("LK_P_A", "/etc/hosts", oldHosts+"10.9.9.9 lk_p_b # old\n"), write("LK_P_A", "/etc/hosts", oldHosts), []string{"node.hosts@LK_P_A"}, "correct the line"},
		{"SELinux enforces", func(b *bench) {
			command("LK_P_A", "mkdir -p /sys/fs/selinux")(b)
			write("LK_P_A", "/sys/fs/selinux/enforce", "1")(b)
		}, command("LK_P_A", "rm /sys/fs/selinux/enforce"), []string{"node.selinux@LK_P_A"}, "permissive"},
		{"a firewall keeps IPsec out", must(func(b *bench) error { return b.machine("VPN_P_B").SetFirewall("22/tcp", "500/udp") }), func(b *bench) { b.machine("VPN_P_B").RemoveFirewall() }, []string{"node.firewall@VPN_P_B"}, "--add-port=4500/udp"},
		{"no forwarding", write("VPN_P_A", "/proc/sys/net/ipv4/ip_forward", "0\n"), nil, []string{"vpn.forwarding@VPN_P_A"}, "ip_forward"},
		{"strict rp_filter everywhere", func(b *bench) {
			for _, d := range []string{"all", "default", "eth0"} {
				write("VPN_S_B", "/proc/sys/net/ipv4/conf/"+d+"/rp_filter", "1\n")(b)
			}
		}, nil, []string{"vpn.rp-filter@VPN_S_B"}, "rp_filter"},
		{"redirects are sent", write("VPN_S_A", "/proc/sys/net/ipv4/conf/all/send_redirects", "1\n"), nil, []string{"vpn.redirects@VPN_S_A"}, "send_redirects"},
		{"the tunnel does not come back after a boot", command("VPN_P_B", "systemctl disable ipsec"), nil, []string{"vpn.starts-at-boot@VPN_P_B"}, "systemctl enable ipsec"},
		{"everybody reads the keys", command("VPN_P_B", "chmod 644 /etc/ipsec.d/*.secrets"), nil, []string{"vpn.secrets@VPN_P_B"}, "chmod 600 /etc/ipsec.d/"},
		{"what a tunnel needs is not loaded", func(b *bench) { b.machine("VPN_S_A").UnloadModules("xfrm_user", "esp4") }, nil, []string{"node.modules@VPN_S_A"}, "modprobe -a xfrm_user esp4 && mkdir -p /etc/modules-load.d"},
		{"the kernel has no ESP", func(b *bench) {
			b.machine("VPN_P_B").UnloadModules("esp4")
			must(func(b *bench) error { return b.machine("VPN_P_B").RemoveModules("esp4") })(b)
		}, func(b *bench) {
			must(func(b *bench) error { return b.machine("VPN_P_B").InstallModules("esp4") })(b)
			command("VPN_P_B", "modprobe esp4")(b)
		}, []string{"node.modules@VPN_P_B"}, "extra modules"},
		{"the kernel takes no more modules", func(b *bench) {
			b.machine("VPN_P_B").UnloadModules("esp4")
			write("VPN_P_B", "/proc/sys/kernel/modules_disabled", "1\n")(b)
		}, func(b *bench) {
			command("VPN_P_B", "rm /proc/sys/kernel/modules_disabled; modprobe esp4")(b)
		}, []string{"node.modules@VPN_P_B"}, "and boot it"},
		{"another kernel series", must(func(b *bench) error { return b.machine("LK_S_A").SetKernel("5.10.0-el9") }), must(func(b *bench) error { return b.machine("LK_S_A").SetKernel("") }), []string{"same.kernel@service"}, "update"},
		{"another distribution", write("LK_S_A", "/etc/os-release", "ID=other\nVERSION_ID=\"9\"\n"), write("LK_S_A", "/etc/os-release", "ID=ferry-sim\n"), []string{"same.system@service"}, "update"},
		{"a clone", func(b *bench) {
			text, _ := b.machine("LK_P_A").ReadFile("/etc/machine-id")
			write("LK_P_B", "/etc/machine-id", text)(b)
		}, write("LK_P_B", "/etc/machine-id", "feedfeedfeedfeedfeedfeedfeedfeed\n"), []string{"same.identity@LK_P_B"}, "machine-id"},
		{"an address that a boot brings up", write("LK_S_B", "/etc/network/interfaces.d/vip", "iface eth0:1 inet static\n address 10.2.0.10/32\n"), command("LK_S_B", "rm /etc/network/interfaces.d/vip"), []string{"kit.ip@service/ip-route53 on LK_S_B"}, "as the finding says"},
		{"an application that a boot starts", command("LK_S_B", "systemctl enable www"), nil, []string{"app.starts-at-boot@service/www on LK_S_B"}, "systemctl disable"},
		{"a cut path", func(b *bench) {
			b.sim.Nodes.Cut("LK_S_A", "LK_S_B")
			b.until("the path is missed", func(s *api.Snapshot) bool {
				return peerOf(s, "LK_S_A", "LK_S_B") == "failed" && peerOf(s, "LK_S_B", "LK_S_A") == "failed"
			})
		}, func(b *bench) {
			b.sim.Nodes.Heal("LK_S_A", "LK_S_B")
			b.until("the path is back", func(s *api.Snapshot) bool {
				return peerOf(s, "LK_S_A", "LK_S_B") == "ok" && peerOf(s, "LK_S_B", "LK_S_A") == "ok"
			})
		}, []string{"estate.paths@service"}, "ICMP"},
		{"tuning", must(func(b *bench) error { return b.eng.SetTuning(b.t.Context(), "LK_P_A", "NOBCASTPING", "0") }), must(func(b *bench) error { return b.eng.SetTuning(b.t.Context(), "LK_P_A", "NOBCASTPING", "1") }), []string{"estate.tuning@LK_P_A"}, "ferry tuning set NOBCASTPING 1 --on LK_P_A"},
		{"source/dest check of a service node", must(func(b *bench) error { return b.sim.EC2.SetSourceDestCheck("eni-lkpb", true) }), nil, []string{"aws.source-dest-check@LK_P_B"}, "--no-source-dest-check"},
		{"source/dest check of a VPN node", must(func(b *bench) error { return b.sim.EC2.SetSourceDestCheck("eni-vpnsb", true) }), nil, []string{"aws.source-dest-check@VPN_S_B"}, "eni-vpnsb"},
		{"a detached interface", must(func(b *bench) error { return b.sim.EC2.AttachInterface("eni-lksb", "", 0) }), must(func(b *bench) error { return b.sim.EC2.AttachInterface("eni-lksb", "i-lksb", 0) }), []string{"aws.instance@LK_S_B"}, "attach"},
		accountWith("another address", "correct address", []string{"aws.instance@LK_S_A"}, func(w *ec2sim.World) { interfaceIn(w, "eni-lksa").PrivateIP = "172.16.0.77" }),
		{"status checks impaired", must(func(b *bench) error { return b.sim.EC2.SetStatusChecks("i-lksa", "impaired", "ok") }), must(func(b *bench) error { return b.sim.EC2.SetStatusChecks("i-lksa", "ok", "ok") }), []string{"aws.instance@LK_S_A"}, "console"},
		{"a route is gone", must(func(b *bench) error { return b.sim.EC2.RemoveRoute("rtb-primary", "10.1.0.10/32") }), must(func(b *bench) error {
			return b.sim.EC2.SetRoute("rtb-primary", ec2sim.Route{Destination: "10.1.0.10/32", Interface: "eni-lkpa"})
		}), []string{"aws.route-tables@ap-northeast-1"}, "create-route --region ap-northeast-1 --route-table-id rtb-primary --destination-cidr-block 10.1.0.10/32 --network-interface-id eni-lkpa"},
		{"a route to a stranger", must(func(b *bench) error {
			return b.sim.EC2.SetRoute("rtb-standby", ec2sim.Route{Destination: "10.2.0.10/32", Gateway: "igw-standby"})
		}), must(func(b *bench) error {
			return b.sim.EC2.SetRoute("rtb-standby", ec2sim.Route{Destination: "10.2.0.10/32", Interface: "eni-lksa"})
		}), []string{"aws.routes@service/ec2-route53 in ap-southeast-1"}, "ferry in-service"},
		{"no way to the other region", must(func(b *bench) error { return b.sim.EC2.RemoveRoute("rtb-primary", "172.16.0.0/16") }), must(func(b *bench) error {
			return b.sim.EC2.SetRoute("rtb-primary", ec2sim.Route{Destination: "172.16.0.0/16", Interface: "eni-vpnpa"})
		}), []string{"aws.peer-routes@ap-northeast-1", "aws.route-tables@ap-northeast-1"}, "ipsec.conf"},
		{"no way to the internet", must(func(b *bench) error { return b.sim.EC2.RemoveRoute("rtb-standby", "0.0.0.0/0") }), func(b *bench) {
			if err := b.sim.EC2.SetRoute("rtb-standby", ec2sim.Route{Destination: "0.0.0.0/0", Gateway: "igw-standby"}); err != nil {
				b.t.Fatal(err)
			}
			b.until("no path is missed that the tunnel carries", pathsRight)
		}, []string{"aws.internet@VPN_S_A", "aws.internet@VPN_S_B"}, "internet gateway"},
		accountWith("no Elastic IP", "Elastic IP", []string{"aws.internet@VPN_P_A"}, func(w *ec2sim.World) {
			w.Regions[0].Addresses = slices.DeleteFunc(slices.Clone(w.Regions[0].Addresses), func(a ec2sim.Address) bool { return a.Interface == "eni-vpnpa" })
		}),
		accountWith("a block that the definition does not know", "cidrs", []string{"aws.vpc@ap-northeast-1"}, func(w *ec2sim.World) {
			w.Regions[0].VPCs = []ec2sim.VPC{withBlocks(w.Regions[0].VPCs[0], "10.0.0.0/16", "10.77.0.0/16")}
		}),
		accountWith("a block that swallows the virtual IP", "outside of 10.1.0.0/16", []string{"estate.virtual-ip@service/ip-route53", "aws.vpc@ap-northeast-1"}, func(w *ec2sim.World) {
			w.Regions[0].VPCs = []ec2sim.VPC{withBlocks(w.Regions[0].VPCs[0], "10.0.0.0/16", "10.1.0.0/16")}
		}),
		accountWith("another block", "cidrs", []string{"aws.vpc@ap-southeast-1"}, func(w *ec2sim.World) {
			w.Regions[1].VPCs = []ec2sim.VPC{withBlocks(w.Regions[1].VPCs[0], "172.20.0.0/16")}
		}),
		accountWith("no ping", "ICMP", []string{"aws.groups-cluster@LK_P_A", "aws.groups-cluster@LK_P_B", "aws.groups-cluster@VPN_P_A", "aws.groups-cluster@VPN_P_B"}, func(w *ec2sim.World) { group(w, 0, ike, natt) }),
		accountWith("no IPsec behind NAT", "UDP 500 and 4500", []string{"aws.groups-vpn@VPN_S_A", "aws.groups-vpn@VPN_S_B"}, func(w *ec2sim.World) { group(w, 1, ping, ike) }),
		accountWith("nothing gets out", "ICMP", []string{"aws.groups-cluster@LK_S_A", "aws.groups-cluster@LK_S_B", "aws.groups-cluster@VPN_S_A", "aws.groups-cluster@VPN_S_B"}, func(w *ec2sim.World) {
			group(w, 1, ping, ike, natt)
			w.Regions[1].Groups[0].Out = []ec2sim.SecurityRule{{Protocol: "tcp", From: 443, To: 443, CIDRs: anywhere}}
		}),
		accountWith("the engine has a user's key", "act as a role", at("aws.identity", "ap-northeast-1", "ap-southeast-1"), acting("arn:aws:iam::123456789012:user/ferry")),
		accountWith("the engine is the root user", "delete the root user's key", at("aws.identity", "ap-northeast-1", "ap-southeast-1"), acting("arn:aws:iam::123456789012:root")),
		injected("STS is not reached", ec2sim.Fault{Action: "GetCallerIdentity", Region: "ap-southeast-1", Unreachable: true}, at("aws.identity", "ap-southeast-1"), "can be reached from the engine"),
		withACL("a network ACL denies echo before it allows all", "numbers below", at("aws.acls-cluster", "LK_P_A", "LK_P_B", "VPN_P_A", "VPN_P_B"), "acl-primary", false,
			ec2sim.ACLEntry{Number: 90, Protocol: "1", From: 8, To: -1, CIDR: "0.0.0.0/0"}, everything),
		withACL("a network ACL lets no replies out", "answers need entries, too", at("aws.acls-cluster", "LK_S_A", "LK_S_B", "VPN_S_A", "VPN_S_B"), "acl-standby", true,
			ec2sim.ACLEntry{Number: 90, Allow: true, Protocol: "1", From: 8, To: -1, CIDR: "0.0.0.0/0"}, ec2sim.ACLEntry{Number: 100, Allow: true, Protocol: "17", From: 1, To: 65535, CIDR: "0.0.0.0/0"}),
		withACL("a network ACL keeps IPsec in", "add entries", at("aws.acls-vpn", "VPN_P_A", "VPN_P_B"), "acl-primary", true,
			ec2sim.ACLEntry{Number: 80, Protocol: "17", From: 4500, To: 4500, CIDR: "0.0.0.0/0"}, everything),
		withACL("a network ACL keeps a server from the VPN node that passes its packets on", "add entries", at("aws.acls-cluster", "LK_P_A", "VPN_P_A"), "acl-primary", false,
			ec2sim.ACLEntry{Number: 90, Protocol: "1", From: -1, To: -1, CIDR: "10.0.10.10/32"}, everything),
		denied("DescribeNetworkAcls", []string{"aws.permissions@ap-northeast-1", "aws.permissions@ap-southeast-1"}, "iam-policy"),
		injected("network ACLs are not told", ec2sim.Fault{Region: "ap-southeast-1", Action: "DescribeNetworkAcls", Unreachable: true}, []string{"aws.permissions@ap-southeast-1"}, ""),
		denied("ReplaceRoute", []string{"aws.permissions@ap-northeast-1", "aws.permissions@ap-southeast-1"}, "iam-policy"),
		denied("CreateRoute", []string{"aws.permissions@ap-northeast-1", "aws.permissions@ap-southeast-1"}, "iam-policy"),
		denied("DescribeSecurityGroups", []string{"aws.permissions@ap-northeast-1", "aws.permissions@ap-southeast-1"}, "iam-policy"),
		injected("credentials are refused", ec2sim.Fault{Region: "ap-southeast-1", Code: "AuthFailure", Message: "no"}, []string{"aws.credentials@ap-southeast-1"}, "access key"),
		injected("AWS is not reached", ec2sim.Fault{Region: "ap-southeast-1", Unreachable: true}, []string{"aws.credentials@ap-southeast-1"}, "can be reached from the engine"),
		{"a CNAME in the record's place", must(func(b *bench) error {
			zone := b.sim.Route53.Zones()[0].ID
			was, _ = b.sim.Route53.Record(zone, serviceName, "A")
			if err := b.sim.Route53.RemoveRecord(zone, serviceName, "A"); err != nil {
				return err
			}
			return b.sim.Route53.SetRecord(zone, r53sim.Record{Name: serviceName, Type: "CNAME", TTL: 10, Values: []string{"lb.example.org."}})
		}), must(func(b *bench) error {
			zone := b.sim.Route53.Zones()[0].ID
			if err := b.sim.Route53.RemoveRecord(zone, serviceName, "CNAME"); err != nil {
				return err
			}
			return b.sim.Route53.SetRecord(zone, was)
		}), []string{"aws.record@service/route53-www"}, "delete it"},
		dnsFault("records may not be changed", r53sim.Fault{Action: "ChangeResourceRecordSets", Code: "AccessDenied"}, []string{"aws.zone-permissions@service/route53-www"}, "iam-policy"),
		dnsFault("zones may not be listed", r53sim.Fault{Action: "ListHostedZones*", Code: "AccessDenied"}, []string{"aws.zone-permissions@service/route53-www"}, "iam-policy"),
		{"hosts fixes the service's name", write("LK_S_A", "/etc/hosts", oldHosts+"10.1.0.10 www.example.com www\n"), write("LK_S_A", "/etc/hosts", oldHosts), []string{"node.hosts@LK_S_A"}, "remove www.example.com"},
	}
}

// pathsRight: a heartbeat that came while the tunnel was cut may still be what is known of its paths.
func pathsRight(s *api.Snapshot) bool {
	return !slices.ContainsFunc(s.Nodes, func(n api.NodeStatus) bool {
		return slices.Contains(slices.Collect(maps.Values(n.Peers)), "failed")
	})
}

func peerOf(s *api.Snapshot, node, peer string) string {
	for _, n := range s.Nodes {
		if n.Name == node {
			return n.Peers[peer]
		}
	}
	return ""
}

func withBlocks(v ec2sim.VPC, blocks ...string) ec2sim.VPC {
	v.CIDRs = blocks
	return v
}

func interfaceIn(w *ec2sim.World, id string) *ec2sim.Interface {
	for i := range w.Regions {
		w.Regions[i].Interfaces = slices.Clone(w.Regions[i].Interfaces)
		for k := range w.Regions[i].Interfaces {
			if w.Regions[i].Interfaces[k].ID == id {
				return &w.Regions[i].Interfaces[k]
			}
		}
	}
	return nil
}

func ids(all []doctor.Finding) []string {
	var out []string
	for _, f := range all {
		out = append(out, f.ID())
	}
	slices.Sort(out)
	return out
}

// TestDefectsAreFound: one thing is made wrong in a right estate. The doctor finds just that and names the fix; what is
// safe it mends, the rest is put right by hand; then it is silent again.
func TestDefectsAreFound(t *testing.T) {
	prepared(t, func(b *bench) { b.findEach(vpnDefects(), api.Examination{}) })
}

func (b *bench) findEach(all []defect, q api.Examination) {
	b.t.Helper()
	for _, d := range all {
		d.do(b)
		found := b.examine(q)
		want := slices.Sorted(slices.Values(d.want))
		if !slices.Equal(ids(found), want) {
			b.t.Errorf("%s: found %q, want %q", d.name, ids(found), want)
			for _, f := range found {
				b.t.Log(f.ID(), f.Reason.Text)
			}
		}
		for _, f := range found {
			if f.Reason.Text == "" || strings.ContainsAny(f.Reason.Text+f.Fix.Text, "{}") {
				b.t.Errorf("%s: %s says %q, %q", d.name, f.ID(), f.Reason.Text, f.Fix.Text)
			}
		}
		if len(found) > 0 && !slices.ContainsFunc(found, func(f doctor.Finding) bool { return strings.Contains(f.Fix.Text+"\n"+f.Fix.Command, d.fix) }) {
			b.t.Errorf("%s: the fix is %q %q, want %q in it", d.name, found[0].Fix.Text, found[0].Fix.Command, d.fix)
		}
		if d.undo != nil {
			d.undo(b)
		} else {
			b.mendAll(d.name, found)
		}
		if left := b.examine(q); len(left) > 0 {
			b.t.Fatalf("%s is put right, and %q are still found: %s", d.name, ids(left), left[0].Reason.Text)
		}
	}
}

// mendAll has the engine carry out what it found; a command that is not the one shown is refused.
func (b *bench) mendAll(name string, found []doctor.Finding) {
	b.t.Helper()
	for _, f := range found {
		if !f.Fix.Safe {
			b.t.Errorf("%s: %s has no safe fix", name, f.ID())
			continue
		}
		if _, err := b.eng.Mend(b.t.Context(), api.Mending{Finding: f.ID(), Command: f.Fix.Command + " "}); api.AsError(err) == nil || api.AsError(err).Kind != api.KindUnsafe {
			b.t.Errorf("%s: another command than the one shown gives %v", name, err)
		}
		if m, err := b.eng.Mend(b.t.Context(), api.Mending{Finding: f.ID(), Command: f.Fix.Command}); err != nil || !m.Gone {
			b.t.Errorf("%s: mending gives %+v, %v", name, m, err)
		}
	}
}

// TestTwoZonesOfOneName: which of them is meant cannot be told.
func TestTwoZonesOfOneName(t *testing.T) {
	prepared(t, func(b *bench) {
		if err := b.sim.Route53.AddZone(r53sim.Zone{ID: "Z0SECONDZONE", Name: "example.com."}); err != nil {
			b.t.Fatal(err)
		}
		found := b.examine(api.Examination{})
		if got := ids(found); !slices.Equal(got, []string{"aws.zone@service/route53-www"}) || !strings.Contains(found[0].Fix.Text, "by its id") {
			b.t.Errorf("found %q %q", got, found[0].Fix.Text)
		}
	})
}

// TestSilentNode: a node that cannot be asked is one finding, and unknown; nothing else is said about it.
func TestSilentNode(t *testing.T) {
	prepared(t, func(b *bench) {
		b.machine("LK_S_B").Hang()
		found := b.examine(api.Examination{})
		if got := ids(found); !slices.Equal(got, []string{"node.reached@LK_S_B"}) || found[0].Verdict != doctor.Unknown {
			b.t.Errorf("found %q %s", got, found[0].Verdict)
		}
		b.machine("LK_S_B").Resume()
	})
}

// TestNothingIsMendedOnASilentNode: a fix for a server that gives no answer is not carried out, and not called done either.
func TestNothingIsMendedOnASilentNode(t *testing.T) {
	prepared(t, func(b *bench) {
		write("VPN_P_A", "/proc/sys/net/ipv4/ip_forward", "0\n")(b)
		found := b.examine(api.Examination{})
		if got := ids(found); !slices.Equal(got, []string{"vpn.forwarding@VPN_P_A"}) {
			b.t.Fatalf("found %q", got)
		}
		b.machine("VPN_P_A").Hang()
		m, err := b.eng.Mend(b.t.Context(), api.Mending{Finding: found[0].ID(), Command: found[0].Fix.Command})
		if e := api.AsError(err); e == nil || e.Kind != api.KindUnavailable {
			b.t.Errorf("mending gives %+v, %v", m, err)
		}
		b.machine("VPN_P_A").Resume()
	})
}

// TestInstanceRoleIsGone: a role that the definition names and that was taken from the engine's machine is missed while the credentials
// that it had given are still good.
func TestInstanceRoleIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, wellDefined, func(e *hierarchy.Estate) {
			for i := range e.Res {
				if e.Res[i].Kit == "ec2" && e.Res[i].Cluster == "service" {
					e.Res[i].Attrs["credentials"] = "role"
				}
			}
		})
		defer b.close()
		b.until("all nodes alive", alive)
		b.put("service/www", "LK_P_A")
		q := api.Examination{Checks: []string{"aws"}}
		want := at("aws.identity", "ap-northeast-1 as the instance role", "ap-southeast-1 as the instance role")
		for range 2 {
			if found := b.examine(q); len(found) > 0 {
				b.t.Fatalf("with the role: %q %s", ids(found), found[0].Reason.Text)
			}
			b.aws.SetInstanceRole(false)
			found := b.examine(q)
			if got := ids(found); !slices.Equal(got, want) || found[0].Verdict != doctor.Fail || !strings.Contains(found[0].Fix.Text, "attach an instance role") {
				b.t.Fatalf("without the role: %q, want %q: %+v", got, want, found)
			}
			b.aws.SetInstanceRole(true)
		}
	})
}

// TestModulesStayLoaded: what the doctor loaded is loaded after a boot, too, and stands once in the file however often it is mended.
func TestModulesStayLoaded(t *testing.T) {
	prepared(t, func(b *bench) {
		node := b.machine("VPN_S_B")
		for range 2 {
			node.UnloadModules("esp4")
			found := b.examine(api.Examination{Checks: []string{"node.modules"}})
			if got := ids(found); !slices.Equal(got, []string{"node.modules@VPN_S_B"}) {
				b.t.Fatalf("found %q", got)
			}
			b.mendAll("a module is not loaded", found)
		}
		if text, _ := node.ReadFile("/etc/modules-load.d/ferry.conf"); text != "esp4\n" {
			b.t.Errorf("the file says %q", text)
		}
		command("VPN_S_B", "systemctl disable ipsec")(b) // the daemon would load it, too
		node.PowerOff()
		node.PowerOn()
		if code, out := node.Exec(b.t.Context(), "[ -d /sys/module/esp4 ] && ! [ -d /sys/module/xfrm_user ]"); code != 0 {
			b.t.Errorf("after a boot: %d %s", code, out)
		}
	})
}

// TestDefectsUnderADatabase are those of a mirrored disk, a file system and a database on it.
func TestDefectsUnderADatabase(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		// This estate has no tunnel of its own, no witnesses, and checks often; an asynchronous copy far away is no defect.
		q := api.Examination{Except: []string{"aws.peer-routes", "estate.quorum", "estate.tuning"}}
		if found := b.examine(q); len(found) > 0 {
			b.t.Fatalf("the right estate: %q %s", ids(found), found[0].Reason.Text)
		}
		b.findEach(dataDefects(), q)
	})
}

func dataDefects() []defect {
	var passwd string
	return []defect{
		{"an nbd-server of the distribution's", func(b *bench) { b.machine("LK_P_B").AddService(nodesim.Service{Name: "nbd-server", Enabled: true}) }, nil, []string{"mirror.nbd-at-boot@LK_P_B"}, "systemctl disable nbd-server"},
		{"what a mirror needs is not loaded", func(b *bench) { b.machine("LK_S_B").UnloadModules("raid1", "nbd") }, nil, []string{"node.modules@LK_S_B"}, "modprobe -a raid1 nbd"},
		{"the kernel has no nbd", func(b *bench) {
			b.machine("LK_S_B").UnloadModules("nbd")
			must(func(b *bench) error { return b.machine("LK_S_B").RemoveModules("nbd") })(b)
		}, func(b *bench) {
			must(func(b *bench) error { return b.machine("LK_S_B").InstallModules("nbd") })(b)
			command("LK_S_B", "modprobe nbd")(b)
		}, []string{"kit.datakeeper@service/data on LK_S_B"}, "as the finding says"},
		{"another release of PostgreSQL", must(func(b *bench) error { return b.machine("LK_S_A").InstallPostgres(nodesim.PostgresBin, "15.3") }), must(func(b *bench) error { return b.machine("LK_S_A").InstallPostgres(nodesim.PostgresBin, "15.18") }), []string{"same.postgresql@service"}, "same release"},
		{"another C library", write("LK_S_B", "/.sim/libc", "glibc 2.28"), command("LK_S_B", "rm /.sim/libc"), []string{"same.libc@service"}, "same release"},
		{"another number of the user", func(b *bench) {
			passwd, _ = b.machine("LK_S_B").ReadFile("/etc/passwd")
			write("LK_S_B", "/etc/passwd", "postgres:x:999:999::/var/lib/postgres:/bin/sh\n")(b)
		}, func(b *bench) { write("LK_S_B", "/etc/passwd", passwd)(b) }, []string{"same.users@service"}, "usermod"},
		{"fstab mounts it", write("LK_S_B", "/etc/fstab", "/dev/md/data /pgdata ext4 defaults 0 0\n"), command("LK_S_B", "rm /etc/fstab"), []string{"kit.filesystem@service/fs on LK_S_B"}, "as the finding says"},
		accountWith("the mirror's port is shut", "TCP 10", []string{"aws.groups-mirror@LK_P_A", "aws.groups-mirror@LK_P_B", "aws.groups-service@LK_P_A", "aws.groups-service@LK_P_B"}, func(w *ec2sim.World) { group(w, 0, ping) }),
		accountWith("the mirror's port is open to the world", "only", []string{"aws.groups-mirror-open@LK_S_A", "aws.groups-mirror-open@LK_S_B"}, func(w *ec2sim.World) {
			group(w, 1, ec2sim.SecurityRule{Protocol: "-1", CIDRs: home}, ec2sim.SecurityRule{Protocol: "tcp", From: 1024, To: 65535, CIDRs: anywhere})
		}),
		accountWith("nobody reaches the database", "where the clients are", []string{"aws.groups-service@LK_P_A", "aws.groups-service@LK_P_B"}, func(w *ec2sim.World) {
			group(w, 0, ping, ec2sim.SecurityRule{Protocol: "tcp", From: 10000, To: 11000, CIDRs: home})
		}),
		withACL("a network ACL lets the mirror's port in, and no answers out", "answers need entries, too", at("aws.acls-mirror", "LK_P_A", "LK_P_B"), "acl-primary", true,
			ec2sim.ACLEntry{Number: 80, Allow: true, Protocol: "1", From: -1, To: -1, CIDR: "0.0.0.0/0"}, ec2sim.ACLEntry{Number: 90, Allow: true, Protocol: "6", From: 10000, To: 11000, CIDR: "0.0.0.0/0"},
			ec2sim.ACLEntry{Number: 100, Allow: true, Protocol: "6", From: 32768, To: 50000, CIDR: "0.0.0.0/0"}),
		withACL("a network ACL lets half of the ports' range back in", "add entries", at("aws.acls-mirror", "LK_S_A", "LK_S_B"), "acl-standby", false,
			ec2sim.ACLEntry{Number: 80, Protocol: "6", From: 49152, To: 65535, CIDR: "10.0.0.0/16"}, everything),
		{"a tool of the kit is missing", func(b *bench) { b.machine("LK_S_B").Remove("blkid") }, func(b *bench) { b.machine("LK_S_B").Install("blkid") }, []string{"kit.datakeeper@service/data on LK_S_B", "kit.filesystem@service/fs on LK_S_B"}, "as the finding says"},
	}
}
