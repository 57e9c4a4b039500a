package wizard

import (
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/form"
	"github.com/ferry-ha/ferry/tui/ui"
)

// A mirror with a file system on it is two resources, and one wizard, as in LifeKeeper: when
// a mount point is answered, the file system's resource is made above the mirror, in the
// same change. The names are those of the two kits and of their fields.
const (
	mirrorKit = "datakeeper"
	mountKit  = "filesystem"
	pointKey  = "mount_point"
	typeKey   = "fs_type"
	shapeKey  = "hierarchy_type"
	shapeBare = "data-only" // no file system, as far as we know
	shapeNew  = "new"
)

// IDs of the questions.
const (
	askPoint    = "mount/point"
	askMountTag = "mount/tag"
)

// mounts is the file system's kit when its resource may come along; nil otherwise.
func (a *creation) mounts() kits.Kit {
	k := a.kit()
	if k == nil || k.Name() != mirrorKit || a.answered(shapeKey) == shapeBare {
		return nil
	}
	return a.w.c.Kits[mountKit]
}

// answered is a field's answer, or its default.
func (a *creation) answered(name string) string {
	for _, f := range a.kit().Fields() {
		if f.Name == name {
			return a.w.choose(a.id(f, ""), f.Default)
		}
	}
	return ""
}

// point is the mount point that was answered; empty = no file system's resource is made.
func (a *creation) point() string {
	if a.mounts() == nil {
		return ""
	}
	return a.w.answer(askPoint)
}

// named after its mount point, as the mirror under it is.
func (a *creation) mountName() string {
	n, ok := a.mounts().(namer)
	if !ok {
		return ""
	}
	name := n.SuggestTag(map[string]string{pointKey: a.point()})
	if !tagRule.MatchString(name) {
		return ""
	}
	return name
}

func (a *creation) mountTag() hierarchy.Tag {
	return hierarchy.MakeTag(a.cluster(), a.w.choose(askMountTag, a.unused(orElse(a.mountName(), mountKit), false)))
}

func orElse(v, def string) string {
	if v == "" {
		return def
	}
	return v
}

// mirrored is what a mirror is called after.
func (a *creation) mirrored() string {
	if a.point() == "" {
		return ""
	}
	return a.mountName()
}

// askMount is the question for the mount point; it is asked before the tags that follow from it.
func (a *creation) askMount() []question {
	k := a.mounts()
	if k == nil {
		return nil
	}
	for _, f := range k.Fields() {
		if f.Name != pointKey {
			continue
		}
		c := a.w.c
		q := a.w.ofField(k, f, askPoint, a.cluster())
		q.Help, q.Hint, q.Required = c.T("wizard.mount-help"), c.T("wizard.mount-hint"), false
		q.tag, q.nodes = a.mountTag(), nodesOf(a.parts(forAll))
		if node := a.look(part{nodes: nodesOf(a.parts(forAll))}); loads(k, f) && node != "" {
			q.live = &source{kit: mountKit, field: pointKey, node: node, attrs: map[string]string{}}
		}
		return []question{q}
	}
	return nil
}

// askMountName is the question for the file system's tag.
func (a *creation) askMountName() []question {
	if a.point() == "" {
		return nil
	}
	def := a.unused(orElse(a.mountName(), mountKit), false)
	check := a.w.checkTag(a.cluster())
	return []question{{
		check: func(v string) string {
			if v == a.short() {
				return a.w.c.T("wizard.taken-tag", "tag", v)
			}
			return check(v)
		},
		tag: a.mountTag(),
		Field: form.Field{
			ID: askMountTag, Label: a.w.c.T("wizard.mount-tag"), Help: a.w.c.T("wizard.mount-tag-help"), Default: def, Required: true, Items: []string{def},
		},
	}}
}

// along is the file system's resource above the mirror.
func (a *creation) along(sound bool) []edit.Edit {
	point := a.point()
	if point == "" || sound && a.w.checkOf(kits.Field{Kind: kits.KindPath}, a.cluster())(point) != "" {
		return nil
	}
	cr, ok := a.edit(sound).(edit.Create)
	if !ok {
		return nil
	}
	up := edit.Create{
		Cluster: cr.Cluster, Tag: a.mountTag().Short(), Kit: mountKit, Switchback: cr.Switchback,
		Fields: map[string]string{pointKey: point}, Needs: []string{cr.Tag},
	}
	if a.answered(shapeKey) == shapeNew {
		up.Fields[typeKey] = a.answered(typeKey)
	}
	return []edit.Edit{up}
}

// alongCommand is the same for a shell, after the mirror's line.
func (a *creation) alongCommand() string {
	out := ""
	for _, e := range a.along(false) {
		cr, ok := e.(edit.Create)
		if !ok {
			continue
		}
		words := []string{"ferry", "resource", "create", cr.Kit, a.written(cr.Cluster, cr.Tag), "--needs", cr.Needs[0]}
		if cr.Switchback != hierarchy.Intelligent && cr.Switchback != "" {
			words = append(words, "--switchback", string(cr.Switchback))
		}
		for _, f := range a.w.c.Kits[cr.Kit].Fields() {
			if v := cr.Fields[f.Name]; v != "" {
				words = append(words, flagOf(f.Name), v)
			}
		}
		out += " && " + ui.ShellWords(words...)
	}
	return out
}
