package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// estate takes the whole file apart.
func (r *reader) estate(t *table, reg kits.Registry) *hierarchy.Estate {
	t.onlyKnown(names(topKeys()))
	head := t.child("estate")
	head.onlyKnown(names(estateKeys()))
	e := &hierarchy.Estate{
		Name:   head.text("name"),
		SSH:    t.child("ssh").ssh(),
		Tuning: t.child("tuning").tuning(reg),
	}
	for _, c := range t.children("region") {
		e.Regions = append(e.Regions, c.region())
	}
	for _, c := range t.children("server") {
		e.Servers = append(e.Servers, c.server(reg))
	}
	for _, c := range t.children("cluster") {
		c.cluster(e, reg)
	}
	for _, viewer := range t.children("flag") {
		e.Flags = append(e.Flags, viewer.flags()...)
	}
	for _, n := range t.children("notify") {
		e.Notify = append(e.Notify, n.notify())
	}
	foreignChildren(e)
	return e
}

// foreignChildren gives needs that name another cluster's resource in full their
// meaning, so that the message says what is wrong with them.
func foreignChildren(e *hierarchy.Estate) {
	known := make(map[hierarchy.Tag]bool, len(e.Res))
	for _, r := range e.Res {
		known[r.Tag] = true
	}
	for _, r := range e.Res {
		for i, c := range r.Children {
			if full := hierarchy.Tag(c.Short()); !known[c] && known[full] {
				r.Children[i] = full
			}
		}
	}
}

func (t *table) ssh() hierarchy.SSH {
	t.onlyKnown(names(sshKeys()))
	port, _ := t.number("port")
	return hierarchy.SSH{
		User: t.text("user"), Port: port, Identity: t.text("identity"),
		KnownHosts: t.text("known_hosts"), Jump: t.text("jump"), Config: t.text("config"),
	}
}

func (t *table) region() hierarchy.Region {
	t.onlyKnown(names(regionKeys()))
	return hierarchy.Region{
		Name: t.name(), VPC: t.text("vpc"), CIDRs: t.list("cidrs"), Profile: t.text("profile"),
		EndpointEC2: t.text("ec2_endpoint"), EndpointDNS: t.text("route53_endpoint"), RouteTables: t.list("route_tables"),
	}
}

func (t *table) server(reg kits.Registry) hierarchy.Server {
	t.onlyKnown(names(serverKeys()))
	s := hierarchy.Server{
		Name: t.name(), Region: t.text("region"), Zone: t.text("zone"), Address: t.text("address"),
		Connect: t.text("connect"), Interface: t.text("interface"), Instance: t.text("instance"), ENI: t.text("eni"),
		SSH: t.child("ssh").ssh(), Tuning: t.child("tuning").tuning(reg),
	}
	word := t.text("on_shutdown")
	switch word {
	case hierarchy.ShutdownWord(true):
		s.SwitchOnShutdown = true
	case hierarchy.ShutdownWord(false), "":
	default:
		t.add(t.sub("on_shutdown"), fmt.Sprintf("write %q or %q", hierarchy.ShutdownWord(true), hierarchy.ShutdownWord(false)),
			"server %q: %q is not a shutdown strategy", s.Name, word)
	}
	return s
}

// tuning reads values as numbers, texts, switches or (quorum hosts) lists, and
// brings them into the form in which they are compared. What it cannot read it
// leaves to Validate, which knows the ranges.
func (t *table) tuning(reg kits.Registry) map[string]string {
	all := make(map[string]string, len(t.m))
	known := make(map[string]hierarchy.Tuning)
	for _, row := range hierarchy.Tunings(reg) {
		known[row.Name] = row
	}
	for _, name := range t.inOrder() {
		v, ok := scalar(t.m[name])
		if list, isList := texts(t.m[name]); isList {
			v, ok = strings.Join(list, ","), true
		}
		if !ok {
			t.wrongType(name, fmt.Sprintf("write a number or text: %s = 1", name), t.m[name])
			continue
		}
		all[name] = v
		if row, there := known[name]; there {
			if fixed, err := row.Fix(v); err == nil {
				all[name] = fixed
			}
		}
	}
	return all
}

// scalar is a number, text or switch as text.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

func (t *table) cluster(e *hierarchy.Estate, reg kits.Registry) {
	t.onlyKnown(names(clusterKeys()))
	e.Cluster = append(e.Cluster, hierarchy.Cluster{
		Name: t.name(), Servers: t.list("servers"), QuorumMode: t.text("quorum_mode"), QuorumHosts: t.list("quorum_hosts"),
		AllowAutomaticCrossing: t.yesNo("allow_automatic_crossing"), Fencing: t.text("fencing"),
	})
	for _, p := range t.elements("path") {
		e.Paths = append(e.Paths, p.commPath(t.name()))
	}
	for _, r := range t.children("resource") {
		e.Res = append(e.Res, r.resource(t.name(), reg))
	}
}

func (t *table) commPath(cluster string) hierarchy.CommPath {
	t.onlyKnown(names(pathKeys()))
	priority, _ := t.number("priority")
	via := hierarchy.Vias(strings.Join(t.oneOrMore("via"), ", "))
	return hierarchy.CommPath{
		Cluster: cluster, From: t.text("from"), To: t.text("to"), FromAddr: t.text("from_address"),
		ToAddr: t.text("to_address"), Priority: priority, Via: via,
	}
}

func (t *table) resource(cluster string, reg kits.Registry) hierarchy.Resource {
	r := hierarchy.Resource{
		Tag: hierarchy.MakeTag(cluster, t.name()), Kit: t.text("kit"), Cluster: cluster,
		Switchback: hierarchy.Switchback(t.text("switchback")),
	}
	for _, need := range t.list("needs") {
		r.Children = append(r.Children, hierarchy.Resolve(cluster, need))
	}
	known, judged := fieldsOf(reg, r.Kit)
	r.Attrs = t.fields(names(resourceKeys()), known, judged)
	r.On = t.placements(known, judged)
	return r
}

// fieldsOf are the kit's fields; false when the kit is not known, so that any field
// must be taken as it is.
func fieldsOf(reg kits.Registry, kit string) ([]kits.Field, bool) {
	if k := reg[kit]; k != nil {
		return k.Fields(), true
	}
	return nil, false
}

// fields reads everything in the table that is not one of its own keys.
func (t *table) fields(own []string, known []kits.Field, judged bool) map[string]string {
	all := map[string]string{}
	for _, name := range t.inOrder() {
		if slices.Contains(own, name) {
			continue
		}
		i := slices.IndexFunc(known, func(f kits.Field) bool { return f.Name == name })
		if i < 0 && (judged || isTable(t.m[name])) {
			t.unknownField(name, own, known)
			continue
		}
		f := kits.Field{Name: name}
		if judged {
			f = known[i]
		}
		if f.Kind == kits.KindSecret {
			t.add(t.sub(name), "take it out of the file: secrets are not kept in definitions", "%s in %s is a secret", name, title(t.path))
			continue
		}
		if v, ok := t.fieldValue(f, t.m[name]); ok {
			all[name] = v
		}
	}
	return all
}

func (t *table) unknownField(name string, own []string, known []kits.Field) {
	words := slices.Clone(own)
	for _, f := range known {
		words = append(words, f.Name)
	}
	one := &table{t.reader, t.path, map[string]any{name: t.m[name]}}
	one.onlyKnown(words)
}

// fieldValue turns a TOML value into a field's text; ok is false after a complaint.
func (t *table) fieldValue(f kits.Field, v any) (value string, ok bool) {
	if list, isList := texts(v); isList && (f.Kind == kits.KindCIDRs || f.Kind == "") {
		return strings.Join(list, ","), true
	}
	if b, isBool := v.(bool); isBool && f.Kind != kits.KindBool && f.Kind != "" {
		t.wrongType(f.Name, fmt.Sprintf(`write it in quotes: %s = "…"`, f.Name), b)
		return "", false
	}
	if s, isScalar := scalar(v); isScalar {
		return s, true
	}
	fix := fmt.Sprintf(`write it in quotes: %s = "…"`, f.Name)
	if f.Kind == kits.KindCIDRs {
		fix = fmt.Sprintf(`write a list of networks: %s = ["10.2.0.0/16"]`, f.Name)
	}
	t.wrongType(f.Name, fix, v)
	return "", false
}

// placements reads on = ["A", "B"] or on.A = { priority = 1, … }.
func (t *table) placements(known []kits.Field, judged bool) []hierarchy.Placement {
	if servers, isList := texts(t.m["on"]); isList {
		all := make([]hierarchy.Placement, len(servers))
		for i, s := range servers {
			all[i] = hierarchy.Placement{Server: s, Priority: i + 1}
		}
		return all
	}
	if v, there := t.m["on"]; there {
		if _, isTable := v.(map[string]any); !isTable {
			t.wrongType("on", `write on = ["A", "B"] by priority, or on.A = { priority = 1 } for each`, v)
			return nil
		}
	}
	var all []hierarchy.Placement
	for _, p := range t.children("on") {
		n, there := p.number("priority")
		if !there && p.m["priority"] == nil && p.m != nil {
			p.add(p.sub("priority"), "write priority = 1 for the best server, 2 for the next", "%s has no priority", title(p.path))
		}
		all = append(all, hierarchy.Placement{
			Server: p.name(), Priority: n, Attrs: p.fields(names(placementKeys()), known, judged),
		})
	}
	return all
}

func (t *table) flags() []hierarchy.Flag {
	var all []hierarchy.Flag
	for _, peer := range t.inOrder() {
		f := hierarchy.Flag{Viewer: t.name(), Peer: peer}
		word := t.text(peer)
		f.Confirm = word == "confirm" || word == "confirm+block"
		f.Block = word == "block" || word == "confirm+block"
		if word != f.Word() && !t.at[join(t.sub(peer))] {
			t.add(t.sub(peer), `write "none", "confirm", "block" or "confirm+block"`, "flag on %q for %q: %q is not a flag", t.name(), peer, word)
		}
		all = append(all, f)
	}
	return all
}
