package doctor

import (
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

var mirrorOnly = []string{"datakeeper"}

// mirrorRules hold where data is mirrored, beside what the kit itself asks.
func mirrorRules() []rule {
	return []rule{
		{Check: Check{ID: "mirror.nbd-at-boot", Subject: OfNode, About: "no nbd-server of the distribution's own starts at boot",
			Why: "it would take the port, or serve a disk to whoever asks", Mend: "systemctl disable nbd-server", Fixable: true},
			ask: askIf(mirrorOnly, Question{"unit", "nbd-server"}), judge: judgeNBDUnit},
		{Check: Check{ID: "mirror.disks", Subject: OfGroup, About: "the disks of a mirror's targets are at least as large as the first server's",
			Why: "a leg that is too small cannot join, and what does not fit would be lost", Mend: "take a larger volume on the server that the finding names"},
			ask: func(x *hierarchy.Index, node string) []Question {
				var out []Question
				for _, in := range of(x, node, "datakeeper") {
					out = append(out, Question{"disk", in.Attrs["disk"]})
				}
				return out
			}, judge: judgeDisks},
	}
}

func judgeNBDUnit(b *bench) {
	b.nodes(func(s string) bool { return uses(b.x, s, mirrorOnly...) }, func(node string, facts *Facts) {
		f := b.at(node, node)
		said, ok := facts.said("unit", "nbd-server")
		boot, _, _ := strings.Cut(said, " ")
		switch {
		case !ok:
			f.found(Unknown, "untold")
		case strings.HasPrefix(boot, "enabled"):
			f.found(Fail, "on").run(node, "systemctl disable nbd-server", true)
		}
	})
}

func judgeDisks(b *bench) {
	for _, r := range resources(b.x, "datakeeper") {
		f := b.at(string(r.Tag))
		least, first := 0, ""
		for _, p := range b.x.PlacementsByPriority(r.Tag) {
			if b.silent(p.Server) {
				continue
			}
			disk := hierarchy.InstanceOf(b.x, r.Tag, p.Server, "").Attrs["disk"]
			said, _ := b.Nodes[p.Server].said("disk", disk)
			size := number(said)
			switch {
			case said == "missing":
				continue // the kit says so
			case size <= 0:
				f.found(Unknown, "untold", "node", p.Server, "disk", disk)
			case first == "":
				least, first = size, p.Server
			case size < least:
				f.found(Fail, "small", "disk", disk, "node", p.Server, "size", strconv.Itoa(size), "least", strconv.Itoa(least), "first", first)
				f.Nodes = []string{p.Server}
			}
		}
	}
}
