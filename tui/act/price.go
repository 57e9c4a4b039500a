package act

import (
	"strings"
	"time"

	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// prices say what a forced plan costs in data. What a node said itself stands with the
// other objections; a reason that is known otherwise is said here.
func (j *goalJob) prices() []string {
	c := j.c
	var out []string
	for _, p := range model.Prices(j.pv, c.Est.Res, c.Now) {
		id, age := "act.price-unknown", ""
		if p.Known {
			id, age = "act.price-age", c.Span(p.Age.Truncate(time.Second))
		}
		text := c.T(id, "tag", ui.Clean(string(p.Tag)), "node", ui.Clean(p.Node), "age", age)
		if p.Why != "" {
			why := "replication.promote-" + string(p.Why)
			if !c.Has(why) {
				why = "act.price-no-copy"
			}
			text += " " + c.T("act.price-why", "why", c.T(why))
		}
		out = append(out, strings.TrimSpace(text))
	}
	return out
}
