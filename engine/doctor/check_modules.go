package doctor

import (
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// What the kits' scripts and the IPsec daemon have the kernel load.
var (
	mirrorModules = []string{"loop", "md-mod", "raid1", "nbd", "dm-mod", "dm-multipath", "dm-round-robin"}
	tunnelModules = []string{"xfrm_user", "esp4"}
)

const (
	modulesFile = "/etc/modules-load.d/ferry.conf"
	// noMore is 1 where the kernel takes no module any more until it boots.
	noMore = "/proc/sys/kernel/modules_disabled"
)

// modulesOf are those that a node needs.
func modulesOf(x *hierarchy.Index, node string) []string {
	var out []string
	if uses(x, node, mirrorOnly...) {
		out = append(out, mirrorModules...)
	}
	if uses(x, node, ipsecOnly...) {
		out = append(out, tunnelModules...)
	}
	return out
}

func askModules(x *hierarchy.Index, node string) []Question {
	var out []Question
	for _, m := range modulesOf(x, node) {
		out = append(out, Question{"module", m})
	}
	if len(out) > 0 {
		out = append(out, Question{"first", noMore})
	}
	return out
}

func judgeModules(b *bench) {
	b.nodes(func(s string) bool { return len(modulesOf(b.x, s)) > 0 }, func(node string, facts *Facts) {
		f := b.at(node, node)
		by := map[string][]string{}
		for _, m := range modulesOf(b.x, node) {
			said, _ := facts.said("module", m)
			if said == "missing" && slices.Contains(mirrorModules, m) {
				continue // the kit says so
			}
			by[said] = append(by[said], m)
		}
		sealed, _ := facts.said("first", noMore)
		named := func(words ...string) (string, bool) {
			var all []string
			for _, w := range words {
				all = append(all, by[w]...)
			}
			return strings.Join(all, ", "), len(all) > 0
		}
		if all, some := named("missing"); some {
			f.fail(textf("the kernel of %s has no module %s", node, all), "node", node, "modules", all).
				mend("install the package with the kernel's extra modules (kernel-modules-extra, linux-modules-extra); after an update of the kernel, boot the server")
		} else if all, some := named("withheld"); some {
			f.fail(textf("modprobe.d keeps %s from loading %s", node, all), "node", node, "modules", all).
				mend("remove the install lines for them from /etc/modprobe.d there")
		} else if all, some := named("file"); some && sealed == "1" {
			f.fail(textf("%s has not loaded %s, and its kernel takes no more modules (kernel.modules_disabled is 1)", node, all), "node", node, "modules", all).
				mend(textf("write their names into %s there, one a line, and boot it", modulesFile))
		} else if some {
			f.warn(textf("%s has not loaded %s; that would be tried in the middle of a failover", node, all), "node", node, "modules", all).
				mend("load them, now and at every boot").run(node, loading(by["file"]), true)
		} else if all, some := named("", "untold"); some {
			f.unknown(textf("%s did not say whether its kernel has %s", node, all)).mend("look with modprobe -n -v there")
		}
	})
}

// loading is the command that loads modules now and for every boot to come. A second run changes nothing.
func loading(names []string) string {
	all := strings.Join(names, " ")
	return textf("modprobe -a %s && mkdir -p /etc/modules-load.d && for m in %s; do grep -qx \"$m\" %s 2>/dev/null || echo \"$m\" >>%[3]s; done", all, all, modulesFile)
}
