package wizard

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/ui"
)

// command is the same as a line for a shell. Secrets are in no edit, and so in no line.
func (a *creation) command() string {
	cr, ok := a.edit(false).(edit.Create)
	if !ok {
		return ""
	}
	words := []string{"ferry", "resource", "create", cr.Kit, a.written(cr.Cluster, cr.Tag)}
	if len(cr.On) > 0 {
		words = append(words, "--on", placesWord(cr.On))
	}
	if cr.Switchback != hierarchy.Intelligent && cr.Switchback != "" {
		words = append(words, "--switchback", string(cr.Switchback))
	}
	if len(cr.Needs) > 0 {
		words = append(words, "--needs", strings.Join(cr.Needs, ","))
	}
	for _, f := range a.kit().Fields() {
		flag := flagOf(f.Name)
		if v := cr.Fields[f.Name]; v != "" {
			words = append(words, flag, v)
		}
		for _, p := range cr.On {
			if v := p.Fields[f.Name]; v != "" {
				words = append(words, flag, p.Server+"="+v)
			}
		}
	}
	return ui.ShellWords(words...) + a.alongCommand()
}

// written is a tag as a command needs it: with its cluster where there are several.
func (a *creation) written(cluster, tag string) string {
	if len(a.clusters()) > 1 {
		return cluster + "/" + tag
	}
	return tag
}

func flagOf(field string) string { return "--" + strings.ReplaceAll(field, "_", "-") }

// placesWord is A,B when the priorities are 1, 2, …, else A=1,B=10.
func placesWord(on []edit.Place) string {
	var plain, full []string
	counted := true
	for i, p := range on {
		plain = append(plain, p.Server)
		full = append(full, p.Server+"="+strconv.Itoa(p.Priority))
		counted = counted && p.Priority == i+1
	}
	if counted {
		return strings.Join(plain, ",")
	}
	return strings.Join(full, ",")
}

func (a *extension) command() string {
	x, ok := a.edit(false).(edit.Extend)
	if !ok {
		return ""
	}
	words := []string{"ferry", "resource", "extend", x.Tag, "--to", x.Server}
	if x.AllRoots {
		words = append(words, "--all-roots")
	}
	if x.Switchback != "" {
		words = append(words, "--switchback", string(x.Switchback))
	}
	if x.TemplatePriority > 0 {
		words = append(words, "--template", x.Template, "--template-priority", strconv.Itoa(x.TemplatePriority))
	}
	if x.Priority > 0 {
		words = append(words, "--priority", strconv.Itoa(x.Priority))
	}
	for _, tag := range slices.Sorted(maps.Keys(x.Fields)) {
		for _, f := range slices.Sorted(maps.Keys(x.Fields[tag])) {
			words = append(words, "--set", tag+"."+f+"="+x.Fields[tag][f])
		}
	}
	return ui.ShellWords(words...)
}
