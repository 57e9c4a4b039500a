package doctor

import (
	"regexp"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// appRules hold for generic applications, beside what the kit itself asks.
func appRules() []rule {
	return []rule{{
		Check: Check{ID: "app.starts-at-boot", Subject: OfNode, About: "the unit that a generic application's start command names does not start at boot",
			Why: "a rebooted server would run the service a second time, beside the active one", Mend: "systemctl disable it; only ferry starts it", Fixable: true},
		ask: func(x *hierarchy.Index, node string) []Question {
			var out []Question
			for _, in := range of(x, node, "app") {
				if u := startedUnit(in); u != "" {
					out = append(out, Question{"unit", u})
				}
			}
			return out
		}, judge: judgeAppUnits,
	}}
}

// starts is a command that does nothing but start a unit.
var starts = regexp.MustCompile(`^(?:/usr/bin/|/bin/)?systemctl start ([A-Za-z0-9][A-Za-z0-9@:._-]*)$`)

// startedUnit is the unit that the start command names; empty when there is none, or the field unit says it: then the kit looks.
func startedUnit(in kits.Instance) string {
	m := starts.FindStringSubmatch(strings.TrimSpace(in.Attrs["start"]))
	if m == nil || in.Attrs["unit"] != "" {
		return ""
	}
	return m[1]
}

func judgeAppUnits(b *bench) {
	b.nodes(every, func(node string, facts *Facts) {
		for _, in := range of(b.x, node, "app") {
			u := startedUnit(in)
			if u == "" {
				continue
			}
			f := b.at(in.Tag+" on "+node, node)
			said, ok := facts.said("unit", u)
			switch boot, _, _ := strings.Cut(said, " "); {
			case !ok:
				f.found(Unknown, "untold", "node", node, "unit", u)
			case strings.HasPrefix(boot, "enabled"):
				f.found(Fail, "on", "unit", u, "tag", in.Tag, "node", node).run(node, "systemctl disable "+u, true)
			}
		}
	})
}
