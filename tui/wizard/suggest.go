package wizard

import (
	"path"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// namer is a kit that knows how its resources are called in the field: LSNR.LISTENER, or
// the instance's own name. attrs are the answers so far; empty = it does not know yet.
type namer interface {
	SuggestTag(attrs map[string]string) string
}

// suggestion is a tag that is free: what the kit says, with a number when it is taken, or
// else from what the resource is about.
func (a *creation) suggestion() string {
	if n, ok := a.kit().(namer); ok {
		if base := n.SuggestTag(a.before(a.kit().Fields(), a.look(part{nodes: nodesOf(a.parts(forAll))}))); tagRule.MatchString(base) {
			return a.unused(base, false)
		}
	}
	about := orElse(a.subject(), a.mirrored())
	base := a.kit().Name()
	if about != "" {
		base += "-" + about
	}
	return a.unused(base, about == "")
}

// unused is a tag that no resource has: the base, or the base with a number.
func (a *creation) unused(base string, numbered bool) string {
	x, cl := a.w.c.Est.Index, a.cluster()
	for n := 1; ; n++ {
		tag := base
		if n > 1 || numbered {
			tag += "-" + strconv.Itoa(n)
		}
		if x.Resource(hierarchy.MakeTag(cl, tag)) == nil {
			return tag
		}
	}
}

// subject is what the resource is about: the last text that has to be given and is the same
// everywhere (a host name, a connection, a script), else the resource that it names. Never
// an address: one resource may stand for several.
func (a *creation) subject() string {
	k, about := a.kit(), ""
	for _, f := range k.Fields() {
		v := a.w.answer(a.id(f, ""))
		switch {
		case v != "" && f.Required && f.Kind == kits.KindChoice && len(f.Choices) == 0:
			about = subject(v, f.Name) // a name that is chosen there: a connection
		case v == "" || f.PerNode:
		case f.Required && (f.Kind == kits.KindText || f.Kind == kits.KindPath):
			about = subject(v, f.Name)
		case f.Kind == kits.KindResource && about == "":
			about = a.subjectOf(v)
		}
	}
	return about
}

// subjectLimit leaves room for the kit's name and a number in a tag of 63 characters.
const subjectLimit = 30

// subject is a value as a part of a tag: of a path its last element, without the name of
// the field ("/etc/ferry/www-start" → "www").
func subject(v, field string) string {
	v = strings.Fields(v + " ")[0]
	v = path.Base(v)
	v = strings.TrimSuffix(strings.TrimSuffix(v, path.Ext(v)), "-"+field)
	v = strings.TrimPrefix(v, field+"-")
	v = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '-' || r == '_' {
			return r
		}
		return -1
	}, v)
	v = strings.Trim(v, "-_")
	return v[:min(len(v), subjectLimit)]
}

// subjectOf is what another resource's tag says beside its kit: ip-route53 → route53.
func (a *creation) subjectOf(tag string) string {
	r := a.w.c.Est.Index.Resource(hierarchy.Resolve(a.cluster(), tag))
	if r == nil {
		return ""
	}
	return subject(strings.TrimPrefix(r.Tag.Short(), r.Kit+"-"), "")
}
