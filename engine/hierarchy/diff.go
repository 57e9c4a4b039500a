package hierarchy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Change is one difference between two definitions. It has the fields of the API's
// Change, in the same order, so one converts into the other.
type Change struct {
	Op   string // "add", "change" or "remove"
	What string // "resource service/ip-www", "server LK_P_A: address"
	From string
	To   string
	Note string
}

// Diff lists what turns the old definition into the new one, in the new one's
// order, with what goes away at the end. The old one may be nil. Only what a
// definition says counts: the order of servers, resources and flags does not.
func Diff(old, new *Estate) []Change {
	if old == nil {
		old = &Estate{}
	}
	before, after := flatten(Normalize(old)), flatten(Normalize(new))
	byWhat := map[string]item{}
	for _, it := range before {
		byWhat[it.what] = it
	}
	var changes []Change
	for _, it := range after {
		was, known := byWhat[it.what]
		delete(byWhat, it.what)
		if !known {
			changes = append(changes, Change{Op: "add", What: it.what, To: it.summary})
			continue
		}
		changes = append(changes, itemDiff(was, it)...)
	}
	for _, it := range slices.Backward(before) {
		if _, gone := byWhat[it.what]; gone {
			changes = append(changes, Change{Op: "remove", What: it.what, From: it.summary})
		}
	}
	return changes
}

// item is one thing of a definition with its values as text, by key.
type item struct {
	what, summary string
	values        map[string]string
}

func itemDiff(was, is item) []Change {
	keys := maps.Clone(was.values)
	maps.Copy(keys, is.values)
	var changes []Change
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		from, to := was.values[k], is.values[k]
		if from == to {
			continue
		}
		what := is.what
		if k != "" {
			what += ": " + k
		}
		changes = append(changes, Change{Op: "change", What: what, From: from, To: to})
	}
	return changes
}

func flatten(e *Estate) []item {
	items := []item{
		{what: "estate", summary: e.Name, values: map[string]string{"name": e.Name}},
		{what: "ssh", values: sshValues("", e.SSH)},
	}
	if e.Name == "" {
		items = nil
	}
	items = append(items, tuningItems("", e.Tuning)...)
	for _, r := range e.Regions {
		items = append(items, item{what: "region " + r.Name, summary: r.VPC, values: map[string]string{
			"vpc": r.VPC, "cidrs": list(r.CIDRs), "profile": r.Profile, "ec2_endpoint": r.EndpointEC2,
			"route53_endpoint": r.EndpointDNS, "route_tables": list(r.RouteTables),
		}})
	}
	for _, s := range e.Servers {
		items = append(items, serverItem(s))
		items = append(items, tuningItems(" of server "+s.Name, s.Tuning)...)
	}
	for _, c := range e.Cluster {
		items = append(items, item{what: "cluster " + c.Name, summary: list(c.Servers), values: map[string]string{
			"servers": list(c.Servers), "quorum_mode": c.QuorumMode, "quorum_hosts": list(c.QuorumHosts),
			"allow_automatic_crossing": strconv.FormatBool(c.AllowAutomaticCrossing), "fencing": c.Fencing,
		}})
	}
	for _, p := range e.Paths {
		items = append(items, pathItem(p))
	}
	for _, r := range e.Res {
		items = append(items, resourceItem(r))
	}
	for _, f := range e.Flags {
		items = append(items, item{what: fmt.Sprintf("flag on %s for %s", f.Viewer, f.Peer), summary: f.Word(), values: map[string]string{"": f.Word()}})
	}
	for _, n := range e.Notify {
		items = append(items, notifyItem(n))
	}
	return items
}

func serverItem(s Server) item {
	v := sshValues("ssh.", s.SSH)
	maps.Copy(v, map[string]string{
		"region": s.Region, "zone": s.Zone, "address": s.Address, "connect": s.Connect, "interface": s.Interface,
		"instance": s.Instance, "eni": s.ENI, "on_shutdown": ShutdownWord(s.SwitchOnShutdown),
	})
	return item{what: "server " + s.Name, summary: strings.Trim(s.Address+" in "+s.Zone, " "), values: v}
}

func sshValues(prefix string, s SSH) map[string]string {
	port := ""
	if s.Port != 0 {
		port = strconv.Itoa(s.Port)
	}
	return map[string]string{
		prefix + "user": s.User, prefix + "port": port, prefix + "identity": s.Identity,
		prefix + "known_hosts": s.KnownHosts, prefix + "jump": s.Jump, prefix + "config": s.Config,
	}
}

func tuningItems(of string, values map[string]string) []item {
	var items []item
	for _, name := range slices.Sorted(maps.Keys(values)) {
		items = append(items, item{what: "tuning " + name + of, summary: values[name], values: map[string]string{"": values[name]}})
	}
	return items
}

func pathItem(p CommPath) item {
	what := fmt.Sprintf("comm path %s to %s at %s in %s", p.From, p.To, p.ToAddr, p.Cluster)
	return item{what: what, summary: p.ToAddr, values: map[string]string{
		"from_address": p.FromAddr, "priority": strconv.Itoa(p.Priority), "via": string(p.Via),
	}}
}

func resourceItem(r Resource) item {
	v := map[string]string{"kit": r.Kit, "cluster": r.Cluster, "switchback": string(r.Switchback), "needs": list(shorts(r.Children))}
	maps.Copy(v, r.Attrs)
	var servers []string
	for _, p := range r.On {
		servers = append(servers, p.Server)
		v["on."+p.Server] = "priority " + strconv.Itoa(p.Priority)
		for k, own := range p.Attrs {
			v["on."+p.Server+"."+k] = own
		}
	}
	return item{what: "resource " + string(r.Tag), summary: "kit " + r.Kit + " on " + list(servers), values: v}
}

func list(s []string) string { return strings.Join(s, ", ") }

// Word is a flag row as one word, as it stands in the definition file.
func (f Flag) Word() string {
	switch {
	case f.Confirm && f.Block:
		return "confirm+block"
	case f.Confirm:
		return "confirm"
	case f.Block:
		return "block"
	}
	return "none"
}

// ShutdownWord is a server's shutdown strategy in words, as in the definition file.
func ShutdownWord(switchOver bool) string {
	if switchOver {
		return "switch over"
	}
	return "do not switch over"
}
