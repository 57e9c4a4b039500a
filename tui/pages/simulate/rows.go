package simulate

import (
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/ui"
)

// rowKind says what a line of the list is.
type rowKind int

const (
	rowHead rowKind = iota
	rowRegion
	rowZone
	rowNode
	rowResource
	rowWorks
)

// row is a line of the list.
type row struct {
	kind    rowKind
	key     string
	name    string
	servers []string // that it stands for
	tag     hierarchy.Tag
}

func (r *row) ticks() bool { return r.kind != rowHead }

// derive makes the rows anew when the estate, the filter or the language changed.
func (p *Page) derive() {
	if p.est == p.c.Est && p.made == p.filter && p.lang == p.c.Lang {
		return
	}
	p.est, p.made, p.lang = p.c.Est, p.filter, p.c.Lang
	p.rows = p.filtered(append(p.serverRows(), p.resourceRows()...))
	p.list.SetN(len(p.rows))
	at := slices.IndexFunc(p.rows, func(r row) bool { return r.key == p.key })
	if at < 0 {
		at = slices.IndexFunc(p.rows, func(r row) bool { return r.ticks() })
	}
	p.list.At = max(0, at)
	if at >= 0 {
		p.key = p.rows[at].key
	}
}

func (p *Page) filtered(all []row) []row {
	if strings.TrimSpace(p.filter) == "" {
		return all
	}
	return slices.DeleteFunc(all, func(r row) bool {
		return r.kind == rowHead || !ui.Matches(p.filter, r.name, string(r.tag), p.note(&r))
	})
}

// serverRows are the regions with their zones and servers, in the definition's order.
func (p *Page) serverRows() []row {
	var regions, order []string
	zones, in := map[string][]string{}, map[string][]string{}
	for _, n := range p.c.Est.Nodes {
		if !slices.Contains(regions, n.Region) {
			regions = append(regions, n.Region)
		}
		if !slices.Contains(zones[n.Region], n.Zone) {
			zones[n.Region] = append(zones[n.Region], n.Zone)
		}
		in["zone "+n.Region+" "+n.Zone] = append(in["zone "+n.Region+" "+n.Zone], n.Name)
		in["region "+n.Region] = append(in["region "+n.Region], n.Name)
		order = append(order, n.Name)
	}
	if len(order) == 0 {
		return nil
	}
	out := []row{{kind: rowHead, key: "head servers", name: p.c.T("simulate.servers")}}
	for _, r := range regions {
		out = append(out, row{kind: rowRegion, key: "region " + r, name: r, servers: in["region "+r]})
		for _, z := range zones[r] {
			key := "zone " + r + " " + z
			out = append(out, row{kind: rowZone, key: key, name: z, servers: in[key]})
			for _, s := range in[key] {
				out = append(out, row{kind: rowNode, key: "node " + s, name: s, servers: []string{s}})
			}
		}
	}
	return out
}

// resourceRows are the resources that are in service, as the tree has them.
func (p *Page) resourceRows() []row {
	var out []row
	longest, at := 0, -1
	for _, r := range p.c.Est.Rows() {
		if r.Res == nil || r.Again || r.Res.Active == "" {
			continue
		}
		if out == nil {
			out = append(out, row{kind: rowHead, key: "head resources", name: p.c.T("simulate.resources")},
				row{kind: rowWorks, key: "works", name: p.c.T("simulate.works")})
		}
		out = append(out, row{kind: rowResource, key: "res " + string(r.Res.Tag), name: string(r.Res.Tag), tag: r.Res.Tag})
		if n := len(r.Res.Tag) + len(r.Res.Active); n > longest {
			longest, at = n, len(out)-1
		}
	}
	if p.need = 0; at >= 0 { // only one is measured: there may be 10,000
		p.need = ui.Width(p.text(&out[at]))
	}
	return out
}

// note is what stands behind a row's name.
func (p *Page) note(r *row) string {
	c := p.c
	switch r.kind {
	case rowRegion:
		return c.T("simulate.region", "n", len(r.servers))
	case rowZone:
		return c.T("simulate.zone", "n", len(r.servers))
	case rowNode:
		n := c.Est.Node(r.name)
		if n == nil {
			return ""
		}
		if n.Verdict == policy.Alive {
			return ui.Clean(n.Cluster)
		}
		return c.T("simulate.now", "verdict", c.T("common.verdict-"+string(n.Verdict)))
	case rowResource:
		if s := c.Est.Res(r.tag); s != nil {
			return c.T("simulate.on", "node", ui.Clean(s.Active))
		}
	}
	return ""
}
