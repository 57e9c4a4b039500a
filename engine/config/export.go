package config

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// Export writes a definition as a file that Load reads back as the same estate, in
// the form of hierarchy.Normalize. The same estate always gives the same bytes. With
// the kits at hand, fields are written in their kits' order and as what they are
// (true, 30, a list); without, as text by name.
func Export(e *hierarchy.Estate, reg kits.Registry) []byte {
	w := &writer{reg: reg}
	n := hierarchy.Normalize(e)
	w.table("estate")
	w.text("name", n.Name)
	w.ssh([]string{"ssh"}, n.SSH)
	w.tuning([]string{"tuning"}, n.Tuning)
	for _, r := range n.Regions {
		w.region(r)
	}
	for _, s := range n.Servers {
		w.server(s)
	}
	for _, c := range n.Cluster {
		w.cluster(n, c)
	}
	w.flags(n.Flags)
	for _, o := range n.Notify {
		w.notify(o)
	}
	return w.Bytes()
}

// writer writes TOML.
type writer struct {
	bytes.Buffer
	reg kits.Registry
}

func (w *writer) header(brackets string, path ...string) {
	if w.Len() > 0 {
		w.WriteByte('\n')
	}
	fmt.Fprintf(w, "%s%s%s\n", brackets, dotted(path), strings.ReplaceAll(brackets, "[", "]"))
}

func (w *writer) table(path ...string) { w.header("[", path...) }

// line writes a key with a value that is TOML already.
func (w *writer) line(key, value string) { fmt.Fprintf(w, "%s = %s\n", quoteKey(key), value) }

// text writes a text unless it is empty.
func (w *writer) text(key, value string) {
	if value != "" {
		w.line(key, quote(value))
	}
}

func (w *writer) list(key string, values []string) {
	if len(values) > 0 {
		w.line(key, quoteList(values))
	}
}

func (w *writer) ssh(path []string, s hierarchy.SSH) {
	if s == (hierarchy.SSH{}) {
		return
	}
	w.table(path...)
	w.text("user", s.User)
	if s.Port != 0 {
		w.line("port", strconv.Itoa(s.Port))
	}
	w.text("identity", s.Identity)
	w.text("known_hosts", s.KnownHosts)
	w.text("jump", s.Jump)
	w.text("config", s.Config)
}

func (w *writer) tuning(path []string, values map[string]string) {
	if len(values) == 0 {
		return
	}
	w.table(path...)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		w.line(name, numberOr(values[name], quote(values[name])))
	}
}

// numberOr writes a text as a number when that reads back as the same text.
func numberOr(s, otherwise string) string {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && strconv.FormatInt(n, 10) == s {
		return s
	}
	return otherwise
}

func (w *writer) region(r hierarchy.Region) {
	w.table("region", r.Name)
	w.text("vpc", r.VPC)
	w.list("cidrs", r.CIDRs)
	w.text("profile", r.Profile)
	w.text("ec2_endpoint", r.EndpointEC2)
	w.text("route53_endpoint", r.EndpointDNS)
	w.list("route_tables", r.RouteTables)
}

func (w *writer) server(s hierarchy.Server) {
	w.table("server", s.Name)
	w.text("region", s.Region)
	w.text("zone", s.Zone)
	w.text("address", s.Address)
	w.text("connect", s.Connect)
	w.text("interface", s.Interface)
	w.text("instance", s.Instance)
	w.text("eni", s.ENI)
	if s.SwitchOnShutdown {
		w.text("on_shutdown", hierarchy.ShutdownWord(true))
	}
	w.ssh([]string{"server", s.Name, "ssh"}, s.SSH)
	w.tuning([]string{"server", s.Name, "tuning"}, s.Tuning)
}

func (w *writer) cluster(e *hierarchy.Estate, c hierarchy.Cluster) {
	w.table("cluster", c.Name)
	w.list("servers", c.Servers)
	w.text("quorum_mode", c.QuorumMode)
	w.list("quorum_hosts", c.QuorumHosts)
	if c.AllowAutomaticCrossing {
		w.line("allow_automatic_crossing", "true")
	}
	w.text("fencing", c.Fencing)
	for _, p := range e.Paths {
		if p.Cluster == c.Name {
			w.path(p)
		}
	}
	for _, r := range e.Res {
		if r.Cluster == c.Name {
			w.resource(r)
		}
	}
}

func (w *writer) path(p hierarchy.CommPath) {
	w.header("[[", "cluster", p.Cluster, "path")
	w.text("from", p.From)
	w.text("to", p.To)
	w.text("from_address", p.FromAddr)
	w.text("to_address", p.ToAddr)
	if p.Priority != 0 {
		w.line("priority", strconv.Itoa(p.Priority))
	}
	if via := p.Via.Tags(); len(via) > 1 {
		names := make([]string, len(via))
		for i, t := range via {
			names[i] = string(t)
		}
		w.list("via", names)
	} else {
		w.text("via", string(p.Via))
	}
}

func (w *writer) resource(r hierarchy.Resource) {
	w.table("cluster", r.Cluster, "resource", r.Tag.Short())
	w.text("kit", r.Kit)
	w.text("switchback", string(r.Switchback))
	needs := make([]string, len(r.Children))
	for i, c := range r.Children {
		needs[i] = hierarchy.Short(c, r.Cluster)
	}
	w.list("needs", needs)
	fields, _ := fieldsOf(w.reg, r.Kit)
	for _, name := range inFieldOrder(r.Attrs, fields) {
		w.line(name, fieldTOML(fields, name, r.Attrs[name]))
	}
	if plainList(r.On) {
		w.list("on", servers(r.On))
		return
	}
	for _, p := range r.On {
		parts := []string{"priority = " + strconv.Itoa(p.Priority)}
		for _, name := range inFieldOrder(p.Attrs, fields) {
			parts = append(parts, quoteKey(name)+" = "+fieldTOML(fields, name, p.Attrs[name]))
		}
		fmt.Fprintf(w, "on.%s = { %s }\n", quoteKey(p.Server), strings.Join(parts, ", "))
	}
}

// plainList tells whether a list of names says everything about the placements.
func plainList(on []hierarchy.Placement) bool {
	for i, p := range on {
		if p.Priority != i+1 || len(p.Attrs) > 0 {
			return false
		}
	}
	return true
}

func servers(on []hierarchy.Placement) []string {
	names := make([]string, len(on))
	for i, p := range on {
		names[i] = p.Server
	}
	return names
}

// inFieldOrder lists the names as the kit asks for them, others after, by name.
func inFieldOrder(attrs map[string]string, fields []kits.Field) []string {
	var names []string
	for _, f := range fields {
		if _, there := attrs[f.Name]; there {
			names = append(names, f.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// fieldTOML writes a value as its kind, whenever that reads back as the same text.
func fieldTOML(fields []kits.Field, name, v string) string {
	i := slices.IndexFunc(fields, func(f kits.Field) bool { return f.Name == name })
	if i >= 0 {
		switch fields[i].Kind {
		case kits.KindBool:
			if v == "true" || v == "false" {
				return v
			}
		case kits.KindDuration:
			return numberOr(v, quote(v))
		case kits.KindCIDRs:
			return quoteList(strings.Split(v, ","))
		}
	}
	return quote(v)
}

func (w *writer) flags(rows []hierarchy.Flag) {
	viewer := ""
	for _, f := range rows {
		if f.Viewer != viewer {
			viewer = f.Viewer
			w.table("flag", viewer)
		}
		w.text(f.Peer, f.Word())
	}
}

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// quoteKey writes a key, in quotes where it needs them.
func quoteKey(k string) string {
	if bareKey.MatchString(k) {
		return k
	}
	return quote(k)
}

// quote writes a TOML basic string. Bytes that are not UTF-8, which TOML cannot hold
// and Validate refuses, become U+FFFD.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func quoteList(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(v)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
