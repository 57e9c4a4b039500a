package cell

import (
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// dataFacts hint that nobody could take a resource's data over: its page has the rest.
// Where the copies are as they should be nothing is said.
func dataFacts(c *ui.Context, r *api.ResourceStatus) []Fact {
	if r.Data == nil {
		return nil
	}
	label := c.T("hierarchies.fact-data")
	source, takers := model.DataSource(model.Legs(r))
	switch {
	case r.Data.Doubtful:
		return []Fact{{label, c.T("hierarchies.data-doubtful"), Warn}}
	case source != "" && len(takers) == 0:
		return []Fact{{label, c.T("hierarchies.data-alone", "node", ui.Clean(source)), Warn}}
	}
	return nil
}
