package e2e

import (
	"regexp"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
)

// wizard is the journey through the create wizard of one kit and what it offers
// afterwards: extend, and in service. One more kit is one more of these.
type wizard struct {
	name string
	kit  string
	tag  string // in full
	// before prepares the estate; nil = it is as it is.
	before func(t *testing.T, d *desked)
	// servers, fields and far are what is answered on the pages, in this order; last is
	// the label of the fields' last question, and target the server of the extension.
	servers, fields []step
	first           string
	create          string // the command on the last page
	target          string
	far             []step
	farFirst        string
	extend          string
	// active is where it comes into service; there tells that the world agrees.
	active string
	there  func(t *testing.T, d *desked)
}

// ready are resources that the new ones are to stand on.
func ready(e *hierarchy.Estate) {
	for tag, last := range map[string]string{"ip-routes": "30", "ip-names": "40"} {
		e.Res = append(e.Res, hierarchy.Resource{
			Tag: hierarchy.MakeTag("service", tag), Kit: "ip", Cluster: "service", Switchback: hierarchy.Intelligent,
			Attrs: map[string]string{"address": "10.1.0." + last, "netmask": "255.255.255.255"},
			On:    []hierarchy.Placement{{Server: "LK_P_A", Priority: 1}, {Server: "LK_P_B", Priority: 2}},
		})
	}
}

var wizards = []wizard{{
	name: "IP", kit: "ip", tag: "service/ip-shop",
	servers: []step{placed("LK_P_A"), placed("LK_P_B")},
	first:   "IP address",
	fields: []step{
		refused("IP address", "10.1.0.2x", "Write an IP address like"),
		refused("IP address", "10.0.0.77", "lies inside the VPC CIDR"),
		typed("IP address", "10.1.0.20"),
		live("Network interface", "interface", "eth0"),
		refused("Tag", "ip shop!", "Use letters, digits"),
		refused("Tag", "www", "There is a resource www already"),
		typed("Tag", "ip-shop"),
	},
	create: "ferry resource create ip service/ip-shop --on LK_P_A,LK_P_B --address 10.1.0.20 --interface eth0",
	target: "LK_S_A",
	far: []step{
		refused("IP address", "172.16.0.77", "lies inside the VPC CIDR"),
		typed("IP address", "10.2.0.20"),
	},
	farFirst: "IP address",
	extend:   "ferry resource extend service/ip-shop --to LK_S_A --set ip-shop.address=10.2.0.20",
	active:   "LK_P_A",
	there: func(t *testing.T, d *desked) {
		if !d.Sim().Nodes.Node("LK_P_A").Carries("10.1.0.20") {
			t.Error("LK_P_A does not carry 10.1.0.20")
		}
	},
}, {
	name: "EC2 route table", kit: "ec2", tag: "service/ec2-routes",
	before: func(t *testing.T, d *desked) {
		if err := d.Sim().EC2.SetRoute("rtb-primary", ec2sim.Route{Destination: "10.1.0.30/32", Interface: "eni-lkpb"}); err != nil {
			t.Fatal(err)
		}
	},
	first: "EC2 Resource type",
	fields: []step{
		refused("IP resource", "ip-nothing", "There is no resource of this tag in cluster service"),
		typed("IP resource", "ip-routes"),
		refused("Destinations", "10.9.0.0/40", "Write networks like"),
		live("ENI", "eni", "eni-lkpa"),
		parted("ENI", "ENI (LK_P_A)"), // what was answered for all holds for each
		live("ENI (LK_P_B)", "eni", "eni-lkpb"),
	},
	create: "ferry resource create ec2 service/ec2-routes --on LK_P_A,LK_P_B --ip ip-routes --eni LK_P_A=eni-lkpa --eni LK_P_B=eni-lkpb",
	target: "LK_S_A",
	far: []step{
		typed("IP address", "10.2.0.30"),
		live("ENI", "eni", "eni-lksa"),
	},
	farFirst: "IP address",
	active:   "LK_P_A",
	there: func(t *testing.T, d *desked) {
		w := d.Sim().EC2.Snapshot()
		if r := w.Table("rtb-primary").Route("10.1.0.30/32"); r == nil || r.Interface != "eni-lkpa" {
			t.Errorf("the route is %+v, not to eni-lkpa", r)
		}
	},
}, {
	name: "EC2 Elastic IP", kit: "ec2", tag: "vpn-primary/ec2-front",
	before: func(_ *testing.T, d *desked) {
		d.Sim().EC2.Edit(func(w *ec2sim.World) {
			r := w.Region("ap-northeast-1")
			for _, a := range [][2]string{{"eipalloc-front", "54.249.9.50"}, {"eipalloc-other", "54.249.9.51"}} {
				r.Addresses = append(r.Addresses, ec2sim.Address{AllocationID: a[0], PublicIP: a[1], Owner: ec2sim.DefaultAccount})
			}
		})
	},
	servers: []step{placed("VPN_P_A")}, // nothing here could tell the servers, so they are asked
	first:   "EC2 Resource type",
	fields: []step{
		turned("EC2 Resource type", "elastic-ip"),
		live("Elastic IP", "elastic_ip", "54.249.9.51 (eipalloc-other)", "54.249.9.50 (eipalloc-front)"),
		refused("Elastic IP", "54.249.9", "is neither an allocation id"),
		turned("Elastic IP", "54.249.9.50 (eipalloc-front)"),
		live("Private address", "private_address", "10.0.0.5"),
		typed("Tag", "ec2-front"),
	},
	create:   "ferry resource create ec2 vpn-primary/ec2-front --on VPN_P_A",
	target:   "VPN_P_B",
	far:      []step{live("Private address", "private_address", "10.0.10.5")},
	farFirst: "Destinations",
	extend:   "ferry resource extend vpn-primary/ec2-front --to VPN_P_B",
	active:   "VPN_P_A",
	there: func(t *testing.T, d *desked) {
		w := d.Sim().EC2.Snapshot()
		for _, a := range w.Region("ap-northeast-1").Addresses {
			if a.AllocationID == "eipalloc-front" && (a.Interface != "eni-vpnpa" || a.PrivateIP != "10.0.0.5") {
				t.Errorf("the Elastic IP is at %+v", a)
			}
		}
	},
}, {
	name: "Route53", kit: "route53", tag: "service/route53-shop",
	first: "Credentials",
	fields: []step{
		live("Domain name", "zone", "example.com (ZSIMULATED1)"),
		typed("IP resource", "ip-names"),
		refused("Host Name", "shop.example.com", "holds the domain name"),
		typed("Host Name", "shop"),
	},
	create:   `ferry resource create route53 service/route53-shop --zone 'example.com (ZSIMULATED1)' --host shop --ip ip-names`,
	target:   "LK_S_A",
	far:      []step{typed("IP address", "10.2.0.40")},
	farFirst: "IP address",
	extend:   "ferry resource extend service/route53-shop --to LK_S_A",
	active:   "LK_P_A",
	there: func(t *testing.T, d *desked) {
		r, ok := d.Sim().Route53.Record("ZSIMULATED1", "shop.example.com.", "A")
		if !ok || strings.Join(r.Values, " ") != "10.1.0.40" {
			t.Errorf("the record is %+v", r)
		}
	},
}, {
	name: "Openswan", kit: "openswan", tag: "vpn-primary/openswan-vpn1",
	before: func(t *testing.T, d *desked) { // the tunnels stay
		d.says(t, "out-of-service", "vpn-primary/ec2-vpn1", "--yes")
		d.says(t, "resource", "delete", "vpn-primary/openswan-vpn1", "--yes")
	},
	servers: []step{placed("VPN_P_A"), holding("connection")}, // the cursor will be on it at once
	first:   "IPSec connection name",
	fields: []step{
		live("IPSec connection name", "connection", "vpn1"),
		refused("Tag", "vpn 1", "Use letters, digits"),
		typed("Tag", "openswan-vpn1"),
	},
	create:   "ferry resource create openswan vpn-primary/openswan-vpn1 --on VPN_P_A --connection vpn1",
	target:   "VPN_P_B",
	farFirst: "Destinations", // of its child, which goes along
	extend:   "ferry resource extend vpn-primary/openswan-vpn1 --to VPN_P_B",
	active:   "VPN_P_A",
	there: func(t *testing.T, d *desked) {
		if n := d.Sim().Gateway("ap-northeast-1"); n != "VPN_P_A" {
			t.Errorf("the other region is reached through %s", n)
		}
	},
}, {
	name: "Application", kit: "app", tag: "service/app-shop",
	before: func(t *testing.T, d *desked) {
		for _, n := range []string{"LK_P_A", "LK_P_B", "LK_S_A"} {
			for name, text := range map[string]string{"start": "echo up >/run/shop", "stop": "rm -f /run/shop", "check": "test -e /run/shop"} {
				if err := d.Sim().Nodes.Node(n).WriteFile("/etc/ferry/shop-"+name, "#!/bin/sh\n"+text+"\n", true); err != nil {
					t.Fatal(err)
				}
			}
		}
	},
	servers: []step{refused("Needs", "nothing", "There is no resource of this tag"), placed("LK_P_B"), placed("LK_P_A")},
	first:   "Start script",
	fields: []step{
		typed("Start script", "/etc/ferry/shop-start"),
		refused("Start timeout", "soon", "Write seconds like 30"),
		typed("Stop script", "/etc/ferry/shop-stop"),
		typed("Check script", "/etc/ferry/shop-check"),
		refused("User", "root; reboot", "user"),
	},
	create: "ferry resource create app service/app-shop --on LK_P_B,LK_P_A --start /etc/ferry/shop-start --stop /etc/ferry/shop-stop --check /etc/ferry/shop-check",
	target: "LK_S_A",
	extend: "ferry resource extend service/app-shop --to LK_S_A",
	active: "LK_P_B",
	there: func(t *testing.T, d *desked) {
		if _, err := d.Sim().Nodes.Node("LK_P_B").ReadFile("/run/shop"); err != nil {
			t.Errorf("it does not run on LK_P_B: %v", err)
		}
	},
}}

// Every kit's wizard, key by key: create, the extend that it offers, the in-service that
// this offers.
func TestTmuxWizards(t *testing.T) {
	t.Parallel()
	d := deskWorld(t, ready)
	for _, z := range wizards {
		t.Run(z.name, func(t *testing.T) {
			if z.before != nil {
				z.before(t, d)
			}
			w := &walk{d.console(t, 150, 45), d}
			w.see("ISP")
			z.creates(w)
			z.extends(w)
			z.starts(t, w)
		})
	}
}

func (z wizard) creates(w *walk) {
	w.t.Helper()
	cluster, _, _ := strings.Cut(z.tag, "/")
	w.into(cluster)
	w.press("n")
	w.see("Create a resource")
	w.page("Recovery kit", []step{turned("Recovery kit", z.kit)})
	w.press("Enter")
	w.page("Needs", z.servers)
	w.press("Enter")
	w.page(z.first, z.fields)
	w.backAndForward("Recovery kit", "Needs", z.first)
	w.carriedOut(z.create, "+ resource "+z.tag)
	w.see("What next?", z.tag+" is created")
	if out := w.d.says(w.t, "resource", "show", z.tag); !strings.Contains(out, z.kit) || !strings.Contains(out, z.active) {
		w.t.Errorf("ferry resource show says\n%s", out)
	}
}

func (z wizard) extends(w *walk) {
	w.t.Helper()
	w.gone("the engine has not told of it yet")
	w.press("e")
	w.see("Extend " + z.tag)
	w.page("Target server", []step{turned("Target server", z.target)})
	if z.farFirst != "" {
		w.press("Enter")
		w.page(z.farFirst, z.far)
		w.backAndForward("Target server", z.farFirst)
	}
	w.carriedOut(z.extend, "on."+z.target)
	w.see("What next?", z.tag+" is extended to "+z.target)
	if out := w.d.says(w.t, "resource", "show", z.tag); !strings.Contains(out, z.target) {
		w.t.Errorf("ferry resource show says\n%s", out)
	}
}

func (z wizard) starts(t *testing.T, w *walk) {
	w.t.Helper()
	w.gone("the engine has not told of it yet")
	w.gone("not looked at on")
	w.press("i")
	w.see("Put " + z.tag + " in service on " + z.active)
	w.see("Enter carries this out")
	w.press("Enter")
	w.see("is done")
	w.press("Enter")
	w.gone("is done")
	w.see("What next?", "it is in service on "+z.active)
	w.press("Escape")
	w.gone("What next?")
	_, short, _ := strings.Cut(z.tag, "/")
	row := regexp.MustCompile(`(?m)^ *[▾└├│─ ]*` + short + ` .*● ISP 1`)
	w.until(short+" is in service on the screen", row.MatchString)
	z.there(t, w.d)
	if out := w.d.says(t, "resource", "show", z.tag); !strings.Contains(out, "ISP") {
		t.Errorf("ferry resource show says\n%s", out)
	}
	w.press("q")
	w.see("ended with 0")
}
