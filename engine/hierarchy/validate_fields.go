package hierarchy

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ferry-ha/ferry/kits"
)

// CheckField judges a value by its field's kind alone; the kit's own Validate knows
// more. The error says what to write.
func CheckField(f kits.Field, v string) error {
	if !utf8.ValidString(v) || len(v) > 4096 {
		return fmt.Errorf("write valid UTF-8, at most 4096 bytes")
	}
	if strings.ContainsFunc(v, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		return fmt.Errorf("write it without control characters")
	}
	switch f.Kind {
	case kits.KindAddress:
		if a, err := netip.ParseAddr(v); err != nil || a.Zone() != "" {
			return fmt.Errorf(`write an IP address like "10.1.0.10"`)
		}
	case kits.KindNetmask:
		return checkNetmask(v)
	case kits.KindCIDRs:
		for _, part := range splitList(v) {
			if p, err := netip.ParsePrefix(part); err != nil || p != p.Masked() {
				return fmt.Errorf(`write networks like ["10.2.0.0/16"]; %q is none`, part)
			}
		}
	case kits.KindChoice:
		if len(f.Choices) > 0 && !slices.Contains(f.Choices, v) {
			return fmt.Errorf("write one of %s", strings.Join(f.Choices, ", "))
		}
	case kits.KindDuration:
		_, err := ParseSeconds(v)
		return err
	case kits.KindBool:
		if v != "true" && v != "false" {
			return fmt.Errorf("write true or false")
		}
	}
	return nil
}

// checkNetmask takes dotted masks ("255.255.255.255") and prefix lengths ("32").
func checkNetmask(v string) error {
	wrong := fmt.Errorf(`write a netmask like "255.255.255.255"`)
	if a, err := netip.ParseAddr(v); err == nil && a.Is4() {
		b := a.As4()
		mask := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		if ^mask&(^mask+1) != 0 {
			return wrong
		}
		return nil
	}
	if _, err := netip.ParsePrefix("::/" + strings.TrimPrefix(v, "/")); err != nil {
		return wrong
	}
	return nil
}

// fields judges a resource's fields by their kinds.
func (c *checker) fields(r *Resource) {
	fields := c.kits[r.Kit].Fields()
	c.values(r, "", r.Attrs, fields)
	for _, p := range r.On {
		c.values(r, p.Server, p.Attrs, fields)
	}
	for _, f := range fields {
		c.required(r, f)
	}
}

// fieldAt is a field's place: at the server that has its own value, or at the resource.
func (c *checker) fieldAt(r *Resource, server, field string) []string {
	if server != "" {
		if p := r.Placement(server); p != nil {
			if _, own := p.Attrs[field]; own {
				return c.here(r, "on", server, field)
			}
		}
	}
	return c.here(r, field)
}

func (c *checker) addField(r *Resource, server, field, fix, text string, args ...any) {
	c.add(c.fieldAt(r, server, field), fix, text, args...)
	last := &c.problems[len(c.problems)-1]
	last.Field, last.Node = field, server
	c.spoil(r, field)
}

func (c *checker) values(r *Resource, server string, attrs map[string]string, fields []kits.Field) {
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		i := slices.IndexFunc(fields, func(f kits.Field) bool { return f.Name == name })
		if i < 0 {
			c.addField(r, server, name, didYouMean(name, fieldNames(fields), fmt.Sprintf("the fields of kit %q: %s", r.Kit, strings.Join(fieldNames(fields), ", "))),
				"resource %s: kit %q has no field %q", r.Tag, r.Kit, name)
			continue
		}
		f := fields[i]
		if server != "" && !f.PerNode {
			c.addField(r, server, name, "write it once, at the resource", "resource %s: %s is the same on every server, but %q has its own", r.Tag, name, server)
			continue
		}
		if err := CheckField(f, attrs[name]); err != nil {
			c.addField(r, server, name, err.Error(), "resource %s%s: %s cannot be %.80q", r.Tag, onServer(server), name, attrs[name])
			continue
		}
		if f.Kind == kits.KindResource && c.x.Resource(Resolve(r.Cluster, attrs[name])) == nil {
			c.addField(r, server, name, didYouMean(attrs[name], shorts(c.x.InCluster(r.Cluster)), "write the tag of a resource of this cluster"),
				"resource %s: %s names the resource %q, which does not exist", r.Tag, name, attrs[name])
		}
	}
}

func onServer(server string) string {
	if server == "" {
		return ""
	}
	return " on " + server
}

func fieldNames(fields []kits.Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

func (c *checker) required(r *Resource, f kits.Field) {
	if !f.Required || f.Default != "" || r.Attrs[f.Name] != "" {
		return
	}
	var without []string
	for _, p := range r.On {
		if p.Attrs[f.Name] == "" {
			without = append(without, p.Server)
		}
	}
	switch {
	case len(without) == 0 && len(r.On) > 0:
	case len(without) < len(r.On):
		c.addField(r, "", f.Name, fmt.Sprintf("write %s = … at the resource or at each of these servers", f.Name),
			"resource %s has no %s on %s", r.Tag, f.Name, strings.Join(without, ", "))
	default:
		c.addField(r, "", f.Name, fmt.Sprintf("write %s = …", f.Name), "resource %s has no %s, which kit %q needs", r.Tag, f.Name, r.Kit)
	}
}

// opinions asks the kits, what is needed first: when something below is wrong, a kit
// above that gets its values from there would only repeat it in other words.
func (c *checker) opinions() {
	for _, i := range c.x.graph.order {
		r := &c.e.Res[i]
		if c.kits[r.Kit] == nil || c.x.Cluster(r.Cluster) == nil {
			continue
		}
		below := c.judged(r, "needs") || slices.ContainsFunc(c.x.Descendants(r.Tag), func(t Tag) bool { return c.judged(c.x.Resource(t), "") })
		c.opinion(r, below)
	}
}

// opinion asks the kit about every server. What it says of several servers in the
// same words is said once; fields already found wrong are not judged again, nor,
// when something below is wrong, fields that nobody wrote.
func (c *checker) opinion(r *Resource, below bool) {
	said, known := map[[2]string]bool{}, map[string]bool{}
	for _, f := range c.kits[r.Kit].Fields() {
		known[f.Name] = c.judged(r, f.Name)
	}
	for _, p := range r.On {
		if c.x.Server(p.Server) == nil {
			continue
		}
		in := InstanceOf(c.x, r.Tag, p.Server, "")
		for _, q := range c.kits[r.Kit].Validate(in) {
			_, forAll := r.Attrs[q.Field]
			_, own := p.Attrs[q.Field]
			if said[[2]string{q.Field, q.Text}] || known[q.Field] || below && !forAll && !own {
				continue
			}
			said[[2]string{q.Field, q.Text}] = true
			c.kitProblem(r, p.Server, q)
		}
	}
}

func (c *checker) kitProblem(r *Resource, server string, q kits.Problem) {
	if q.Node != "" {
		server = q.Node
	}
	text := fmt.Sprintf("resource %s%s: %s", r.Tag, onServer(q.Node), q.Text)
	where := c.here(r)
	if q.Field != "" {
		where = c.fieldAt(r, server, q.Field)
	}
	c.problems = append(c.problems, Problem{At: where, Problem: kits.Problem{Field: q.Field, Node: q.Node, Text: text, Fix: q.Fix}})
	c.spoil(r, q.Field)
}

// addresses looks for one address claimed twice. What a resource owns is its field
// named "address"; the same address on several servers of one resource is its point.
func (c *checker) addresses() {
	owner := map[string]Tag{}
	server := map[string]string{}
	for _, s := range c.e.Servers {
		server[canonical(s.Address)] = s.Name
	}
	for i := range c.e.Res {
		r := &c.e.Res[i]
		if !c.ownsAddress(r) || c.judged(r, "address") {
			continue
		}
		for _, p := range r.On {
			v := p.Attrs["address"]
			if v == "" {
				v = r.Attrs["address"]
			}
			a := canonical(v)
			if a == "" {
				continue
			}
			if other, taken := owner[a]; taken && other != r.Tag {
				c.addField(r, p.Server, "address", "give each resource its own address", "resource %s has the address %s, and so has resource %s", r.Tag, v, other)
				break
			}
			owner[a] = r.Tag
			if s, taken := server[a]; taken {
				c.addField(r, p.Server, "address", "choose an address outside every VPC", "resource %s has the address %s, which is server %q itself", r.Tag, v, s)
				break
			}
		}
	}
}

// fieldOf is a resource's field; an empty name stands for the whole resource.
type fieldOf struct {
	tag  Tag
	name string
}

// spoil remembers that something is wrong with a field.
func (c *checker) spoil(r *Resource, field string) {
	c.wrong[fieldOf{r.Tag, field}], c.wrong[fieldOf{r.Tag, ""}] = true, true
}

// judged tells that something is wrong with a resource's field already; with no
// field, that anything of the resource is.
func (c *checker) judged(r *Resource, field string) bool {
	return c.wrong[fieldOf{r.Tag, field}]
}

func (c *checker) ownsAddress(r *Resource) bool {
	kit := c.kits[r.Kit]
	return kit != nil && slices.ContainsFunc(kit.Fields(), func(f kits.Field) bool {
		return f.Name == "address" && f.Kind == kits.KindAddress
	})
}

// canonical is an address in one spelling; empty when it is none.
func canonical(s string) string {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Unmap().String()
	}
	return ""
}
