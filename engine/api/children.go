package api

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// Prospect is a resource that is to be put on servers, and does not stand there yet.
type Prospect struct {
	Kit string        `json:"kit"`
	Tag hierarchy.Tag `json:"tag"`
	// On are its fields on each of the servers.
	On map[string]map[string]string `json:"on"`
}

// Found is what one server says of a Prospect.
type Found struct {
	Server string `json:"server"`
	// Eligible tells whether the server may take the resource and its children; of several
	// answers the worst. Unknown is no yes.
	Eligible kits.Eligibility `json:"eligible"`
	Children []Child          `json:"children"`
}

// Child is a resource that a Prospect needs on a server, as kits.Child.
type Child struct {
	Kit string `json:"kit"`
	// Tag is without the cluster.
	Tag   string            `json:"tag"`
	Attrs map[string]string `json:"attrs"`
}

// Refusal is why a resource cannot be put on these servers; nil when all of them may take
// it. All of them must: half a resource is none.
func (p Prospect) Refusal(found []Found) *Error {
	var first kits.Reason
	var texts []string
	for _, f := range found {
		if f.Eligible.Outcome == kits.OK {
			continue
		}
		why := f.Eligible.Reason
		if why.Text == "" {
			why.Text = "nobody can tell whether it may be"
		}
		if len(texts) == 0 {
			first = why
		}
		texts = append(texts, fmt.Sprintf("%s cannot be put on %s: %s", p.Tag, f.Server, why.Text))
	}
	for _, server := range slices.Sorted(maps.Keys(p.On)) {
		if !slices.ContainsFunc(found, func(f Found) bool { return f.Server == server }) {
			texts = append(texts, fmt.Sprintf("%s cannot be put on %s: it was not asked", p.Tag, server))
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return &Error{Kind: KindUnsafe, Code: first.Code, Message: strings.Join(texts, "; "), Hint: "nothing was changed; mend that and try again"}
}

// Provide is the edit that gives the resource what its servers said.
func (p Prospect) Provide(found []Found) edit.Provide {
	out := edit.Provide{Tag: string(p.Tag), Found: map[string][]kits.Child{}}
	for _, f := range found {
		for _, c := range f.Children {
			out.Found[f.Server] = append(out.Found[f.Server], kits.Child(c))
		}
	}
	return out
}

// Complete makes edits whole: for every resource that they would put on servers and whose
// kit reads its children from there, the servers are asked, and what they say is added.
// One that may not take its resource is an *Error, and nothing may be changed then. Edits
// that need nothing of the kind come back as they are, and nobody is asked.
func Complete(ctx context.Context, s Service, e *hierarchy.Estate, reg kits.Registry, edits ...edit.Edit) (edit.All, error) {
	pending, err := edit.Pendings(e, reg, edits...)
	if err != nil {
		return nil, err
	}
	out := edit.All(slices.Clone(edits))
	for _, p := range pending {
		prospect := Prospect(p)
		found, err := s.Children(ctx, prospect)
		if err != nil {
			return nil, fmt.Errorf("asking the servers of %s: %w", p.Tag, err)
		}
		if no := prospect.Refusal(found); no != nil {
			return nil, no
		}
		out = append(out, prospect.Provide(found))
	}
	return out, nil
}
