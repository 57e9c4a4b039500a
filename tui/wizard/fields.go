package wizard

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/form"
	"github.com/ferry-ha/ferry/tui/ui"
)

// label and help are a field's words in the reader's language: the catalog's, or the
// kit's own, which are English.
func (w *Window) label(kit string, f kits.Field) string {
	if id := "fields." + kit + "-" + f.Name + "-label"; w.c.Has(id) {
		return w.c.T(id)
	}
	return f.Label
}

func (w *Window) help(kit string, f kits.Field) string {
	if id := "fields." + kit + "-" + f.Name + "-help"; w.c.Has(id) {
		return w.c.T(id)
	}
	return f.Help
}

// ofField makes the question of a kit's field. cluster is where resources are looked for.
func (w *Window) ofField(k kits.Kit, f kits.Field, id, cluster string) question {
	q := question{field: f.Name, check: w.checkOf(f, cluster), Field: form.Field{
		ID: id, Label: w.label(k.Name(), f), Help: w.help(k.Name(), f), Default: f.Default, Required: f.Required,
	}}
	switch {
	case f.Kind == kits.KindSecret:
		q.Kind, q.Default, q.Required = form.Note, w.c.T("wizard.secret"), false
	case f.Kind == kits.KindBool:
		q.Kind, q.Items = form.Check, []string{"true", "false"}
	case f.Kind == kits.KindResource:
		q.Items = w.tags(cluster, f)
	case len(f.Choices) > 0 && f.Kind == kits.KindChoice:
		q.Kind, q.Items = form.Choice, f.Choices
		if f.Default == "" {
			q.Items = append([]string{""}, f.Choices...)
			q.Names = append([]string{w.c.T("wizard.not-chosen")}, f.Choices...)
		}
	default:
		q.Items = f.Choices
	}
	return q
}

// loads tells that a field's choices may come from the kit.
func loads(k kits.Kit, f kits.Field) bool {
	_, ok := k.(kits.Chooser)
	switch f.Kind {
	case kits.KindBool, kits.KindSecret, kits.KindResource, kits.KindDuration:
		return false
	}
	return ok && len(f.Choices) == 0
}

// meansKit tells that a field is named after a kit: it wants a resource of that one.
func meansKit(f kits.Field, kit string) bool {
	return f.Name == kit || strings.HasPrefix(f.Name, kit+"_")
}

// tags are the resources of a cluster, those first that the field seems to mean.
func (w *Window) tags(cluster string, f kits.Field) []string {
	var first, rest []string
	for _, t := range w.c.Est.Index.InCluster(cluster) {
		if r := w.c.Est.Index.Resource(t); r != nil && meansKit(f, r.Kit) {
			first = append(first, t.Short())
		} else {
			rest = append(rest, t.Short())
		}
	}
	return append(first, rest...)
}

// checkOf judges an answer by the field's kind, as edit does, in the reader's language.
func (w *Window) checkOf(f kits.Field, cluster string) func(string) string {
	return func(v string) string {
		if f.Kind == kits.KindResource && w.c.Est.Index.Resource(hierarchy.Resolve(cluster, v)) == nil {
			return w.c.T("wizard.bad-resource", "cluster", cluster)
		}
		err := hierarchy.CheckField(f, v)
		if err == nil {
			return ""
		}
		if id := "wizard.bad-" + string(f.Kind); w.c.Has(id) {
			return w.c.T(id)
		}
		return ui.Clean(err.Error())
	}
}

// tagRule is what hierarchy.Validate allows.
var tagRule = regexp.MustCompile(`^[A-Za-z0-9/][A-Za-z0-9._:/-]{0,62}$`)

func (w *Window) checkTag(cluster string) func(string) string {
	return func(v string) string {
		switch {
		case !tagRule.MatchString(v) || strings.HasPrefix(v, cluster+"/"):
			return w.c.T("wizard.bad-tag")
		case w.c.Est.Index.Resource(hierarchy.MakeTag(cluster, v)) != nil:
			return w.c.T("wizard.taken-tag", "tag", v)
		}
		return ""
	}
}

// maxPriority is the customary range of a priority.
const maxPriority = 999

// checkPriority wants a number that no other server has.
func (w *Window) checkPriority(taken func(n int) (server string)) func(string) string {
	return func(v string) string {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > maxPriority {
			return w.c.T("wizard.bad-priority", "max", maxPriority)
		}
		if s := taken(n); s != "" {
			return w.c.T("wizard.taken-priority", "server", s)
		}
		return ""
	}
}

func (w *Window) number(id string) int {
	n, _ := strconv.Atoi(w.answer(id))
	return n
}

// switchback is the question of that name.
func (w *Window) switchback(id string, def hierarchy.Switchback) question {
	c := w.c
	return question{Field: form.Field{
		ID: id, Kind: form.Choice, Label: c.T("wizard.switchback"), Help: c.T("wizard.switchback-help"), Default: string(def),
		Items: []string{string(hierarchy.Intelligent), string(hierarchy.Automatic)},
		Names: []string{c.T("wizard.intelligent"), c.T("wizard.automatic")},
	}}
}

// list reads words separated by commas.
func list(s string) []string {
	var out []string
	for w := range strings.SplitSeq(s, ",") {
		if w = strings.TrimSpace(w); w != "" && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}
