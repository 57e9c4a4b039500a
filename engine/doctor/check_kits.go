package doctor

import (
	"regexp"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// kitAbouts say what a kit asks of its nodes, for the documentation. The kits themselves judge.
var kitAbouts = []struct{ kit, about, mend string }{
	{"ip", "the interface is there with its link up, and nothing brings the virtual IP up at boot", "correct the interface, or take the address out of the system's network configuration"},
	{"app", "the scripts, the user and systemd are there, and the unit does not start at boot", "install the scripts, create the user, systemctl disable the unit"},
	{"openswan", "ipsec.conf names both sides completely, the daemon runs, its tunnel is up and is what the file says", "complete the connection in ipsec.conf, ipsec auto --replace it, and look at the peer"},
	{"datakeeper", "mdadm, nbd, device mapper and their modules are there, the disk is free, and udev does not assemble arrays (AUTO -all)", "install mdadm, nbd-client, nbd-server and dmsetup; take the disk out of fstab"},
	{"filesystem", "the mount point is free, the kernel knows the type, and neither fstab nor a unit mounts it at boot", "write noauto into the line of /etc/fstab, systemctl disable the mount unit"},
	{"postgresql", "the right release, the user and the configuration are there, the port is free, and nothing starts the cluster at boot", "install the release, create the user with the same number, systemctl disable the unit"},
	{"oracle", "the installation, the user and the spfile are there, and neither oratab nor a unit starts the instance at boot", "install Oracle, set the third field of oratab to N"},
	{"listener", "listener.ora can be read and names the listener, and nothing starts it at boot", "copy listener.ora, switch off what starts it"},
}

// kitRules hand on what the kits say when they are asked whether a node may take a resource.
func kitRules() []rule {
	var out []rule
	for _, k := range kitAbouts {
		out = append(out, rule{
			Check: Check{ID: "kit." + k.kit, Subject: OfKit, About: k.about, Mend: k.mend,
				Why: "the kit refuses to take its resources into service on such a node", Fixable: fixableKits[k.kit]},
			judge: func(b *bench) { judgeKit(b, k.kit) },
		})
	}
	return out
}

var fixableKits = map[string]bool{"app": true, "datakeeper": true, "filesystem": true, "postgresql": true}

func judgeKit(b *bench, kit string) {
	for _, r := range b.Ready {
		res := b.x.Resource(r.Tag)
		if res == nil || res.Kit != kit || b.silent(r.Node) {
			continue
		}
		f := b.at(string(r.Tag)+" on "+r.Node, r.Node)
		switch {
		case r.Said.Outcome == kits.OK, ofTheMoment(r.Said.Reason.Code):
		case r.Said.Outcome == kits.Unknown:
			f.Verdict, f.Reason = Unknown, r.Said.Reason
		default:
			f.Verdict, f.Reason = Fail, r.Said.Reason
			f.Fix = kitFix(r.Node, r.Said.Reason)
		}
	}
}

// ofTheMoment are refusals that come of where the data is just now (a copy that lags behind), which is no matter of how the
// node was prepared: ferry status shows them.
func ofTheMoment(code string) bool {
	rest, is := strings.CutPrefix(code, "datakeeper.")
	return is && !slices.Contains([]string{"no-tool", "no-module", "auto-assembly", "record", "unreadable"}, rest) && !strings.HasPrefix(rest, "failed-")
}

// kitFix finds the safe command for what a kit said. What comes from the node is taken only in the forms that are known.
func kitFix(node string, r kits.Reason) Fix {
	f := Fix{Text: "as the finding says"}
	command := ""
	switch r.Code {
	case "datakeeper.auto-assembly":
		f.Text = "write AUTO -all into mdadm.conf"
		command = "f=/etc/mdadm.conf; [ ! -d /etc/mdadm ] || f=/etc/mdadm/mdadm.conf; printf 'AUTO -all\\n' >>\"$f\""
	case "postgresql.starts-at-boot":
		f.Text, command = "switch its start at boot off", r.Args["what"]
	case "app.starts-at-boot", "filesystem.unit":
		f.Text, command = "switch its start at boot off", "systemctl disable "+r.Args["unit"]
	}
	if command != "" && (r.Code == "datakeeper.auto-assembly" || harmless.MatchString(command)) {
		f.Node, f.Command, f.Safe = node, command, true
	}
	return f
}

// harmless are the commands that a kit's reason may lead to.
var harmless = regexp.MustCompile(`^(systemctl disable [A-Za-z0-9][A-Za-z0-9@:._-]*|echo manual >/etc/postgresql/[0-9]+/[A-Za-z0-9_-]+/start\.conf)$`)
