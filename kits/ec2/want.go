package ec2

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// entry is one route that must point to the node, and what AWS shows of it.
type entry struct {
	table, tableName string
	dest             netip.Prefix
	have             cloud.Route
	// missing: the table has no route to dest.
	missing bool
}

func (e entry) right(eni string) bool {
	return !e.missing && e.have.Interface == eni && !e.have.Blackhole
}

// where shows the place to people: "10.1.0.10/32 in rtb-1 (Primary)".
func (e entry) where() string {
	if e.tableName == "" {
		return fmt.Sprintf("%s in %s", e.dest, e.table)
	}
	return fmt.Sprintf("%s in %s (%s)", e.dest, e.table, e.tableName)
}

// wanted lists the routes that must point to the node, given what AWS showed. Pure.
//
// Every table that holds the destination counts. When the definition names tables for the region, those must hold it
// too, and nothing else is looked at. When no table holds it at all, it is wanted in the tables that serve subnets: the
// main one and those with associations.
func wanted(tables []cloud.RouteTable, configured []string, dests []netip.Prefix) []entry {
	var out []entry
	for _, dest := range dests {
		var holders, missing []entry
		for _, t := range tables {
			e := entry{table: t.ID, tableName: t.Name, dest: dest}
			if len(configured) > 0 && !slices.Contains(configured, t.ID) {
				continue
			}
			var held bool
			if e.have, held = t.To(dest); held {
				holders = append(holders, e)
				continue
			}
			e.missing = true
			if len(configured) > 0 || t.Main || len(t.Subnets) > 0 {
				missing = append(missing, e)
			}
		}
		out = append(out, holders...)
		if len(configured) > 0 || len(holders) == 0 {
			out = append(out, missing...)
		}
	}
	return out
}

// unseen are the configured tables that AWS did not show.
func unseen(tables []cloud.RouteTable, configured []string) []string {
	var out []string
	for _, id := range configured {
		if !slices.ContainsFunc(tables, func(t cloud.RouteTable) bool { return t.ID == id }) {
			out = append(out, id)
		}
	}
	return out
}

// wrong are the entries that do not point to the interface.
func wrong(entries []entry, eni string) []entry {
	return slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return e.right(eni) })
}

// complaint says what is wrong with an entry.
func complaint(in kits.Instance, e entry) string {
	eni := eniOf(in)
	switch {
	case e.missing:
		return "there is no route to " + e.where()
	case e.have.Blackhole:
		return fmt.Sprintf("the route to %s is a blackhole: its target %s is detached or its instance is stopped", e.where(), name(in, e.have.Target()))
	}
	return fmt.Sprintf("the route to %s points to %s instead of %s", e.where(), name(in, e.have.Target()), name(in, eni))
}

// codeOf is the reason's code for an entry that is not right.
func codeOf(e entry) string {
	switch {
	case e.missing:
		return "ec2.no-route"
	case e.have.Blackhole:
		return "ec2.blackhole"
	}
	return "ec2.other-target"
}

// joined puts at most three complaints into one line.
func joined(list []string) string {
	const most = 3
	if len(list) > most {
		return strings.Join(list[:most], "; ") + fmt.Sprintf("; and %d more", len(list)-most)
	}
	return strings.Join(list, "; ")
}

// effectsOf are the changes that would make the entries right.
func effectsOf(in kits.Instance, entries []entry) []kits.Effect {
	var out []kits.Effect
	for _, e := range wrong(entries, eniOf(in)) {
		x := kits.Effect{Kind: "route", What: e.where(), To: name(in, eniOf(in))}
		if e.missing {
			x.What += ", created"
		} else {
			x.From = name(in, e.have.Target())
		}
		out = append(out, x)
	}
	return out
}
