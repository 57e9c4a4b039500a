package runner

import (
	"time"

	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// Entry is what the journal says about one step.
type Entry struct {
	Status  plan.Status `json:"status"`
	Attempt int         `json:"attempt"`
	Began   time.Time   `json:"began"`
	Ended   time.Time   `json:"ended,omitzero"`
	Report  kits.Report `json:"report,omitzero"`
}

// Journal is what is known of one operation's steps. It is stored as one value.
type Journal struct {
	Op    string           `json:"op"`
	Steps map[string]Entry `json:"steps"`
	// Undo is the plan that takes back what was done; set once, before its first step.
	Undo      *plan.Plan       `json:"undo,omitempty"`
	UndoSteps map[string]Entry `json:"undoSteps,omitempty"`
	UndoWhy   kits.Reason      `json:"undoWhy,omitzero"`
}

// Clone copies the journal so that a recorder may keep it.
func (j *Journal) Clone() *Journal {
	c := *j
	c.Steps = cloneEntries(j.Steps)
	c.UndoSteps = cloneEntries(j.UndoSteps)
	return &c
}

func cloneEntries(m map[string]Entry) map[string]Entry {
	if m == nil {
		return nil
	}
	c := make(map[string]Entry, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

// touched lists the steps that may have had an effect.
func touched(p plan.Plan, entries map[string]Entry) []string {
	var ids []string
	for _, s := range p.Steps {
		if entries[s.ID].Status != plan.Waiting {
			ids = append(ids, s.ID)
		}
	}
	return ids
}
