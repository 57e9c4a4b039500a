package hierarchy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ferry-ha/ferry/kits"
)

// Problem is one thing wrong with a definition. Its Text is a whole sentence that
// names what it is about.
type Problem struct {
	kits.Problem
	// At is where in the definition, as the keys of the TOML file from the outside
	// in: "cluster", "service", "resource", "www", "needs". The last ones may be
	// missing from the file (a field that ought to be there); what comes before them
	// is then the place to look.
	At []string
}

// String is the sentence and, after a dash, what to do.
func (p Problem) String() string {
	if p.Fix == "" {
		return p.Text
	}
	return p.Text + " — " + p.Fix
}

// Validate lists everything wrong with a definition, in the order of the definition:
// first places, then resources, then flags and tuning. Kits judge their own
// resources; with a nil registry, or for an unknown kit, that part is left out. It
// touches nothing. Empty means that the definition may be put in force.
func Validate(e *Estate, reg kits.Registry) []Problem {
	c := &checker{e: e, x: NewIndexFor(e, reg), kits: reg, wrong: map[fieldOf]bool{}}
	c.name(at("estate", "name"), "the estate", e.Name)
	c.regions()
	c.servers()
	c.clusters()
	c.paths()
	c.resources()
	c.opinions()
	c.graph()
	c.addresses()
	c.flags()
	c.tuning()
	c.notifies()
	c.crossingGuard()
	return c.problems
}

// Warnings lists what may be put in force and yet is worth a word: a person should
// know it. They have the form of problems, in the order of the definition.
func Warnings(e *Estate, reg kits.Registry) []Problem {
	c := &checker{e: e, x: NewIndexFor(e, reg), kits: reg}
	for i := range e.Cluster {
		cl := &e.Cluster[i]
		if slices.ContainsFunc(cl.Servers, func(s string) bool { return c.x.ClusterOf(s) == cl && c.x.Quorum(s).Unjudged }) {
			c.add(at("cluster", cl.Name, "quorum_hosts"), `write quorum_hosts = ["host:port", …] with at least three, in separate failure domains, or quorum_mode = "none" if that is what you want`,
				"cluster %q has quorum mode tcp_remote and no quorum hosts: before an automatic move nobody is asked whether the node that takes over is itself cut off", cl.Name)
		}
	}
	return c.problems
}

// checker collects problems.
type checker struct {
	e        *Estate
	x        *Index
	kits     kits.Registry
	problems []Problem
	wrong    map[fieldOf]bool
}

func at(keys ...string) []string { return keys }

// add files a problem; text is a format, fix may be empty.
func (c *checker) add(at []string, fix, text string, args ...any) {
	c.problems = append(c.problems, Problem{At: slices.Clone(at), Problem: kits.Problem{Text: fmt.Sprintf(text, args...), Fix: fix}})
}

// nameRule is what names of regions, servers, clusters and the estate look like.
// They end in file names, unit names and arguments on the nodes.
var nameRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// tagRule also allows the slash and colon of file systems' and listeners' tags.
var tagRule = regexp.MustCompile(`^[A-Za-z0-9/][A-Za-z0-9._:/-]{0,62}$`)

func (c *checker) name(at []string, what, name string) bool {
	if name == "" {
		c.add(at, `write name = "…"`, "%s has no name", what)
		return false
	}
	if !nameRule.MatchString(name) {
		c.add(at, "use letters, digits, dot, dash and underscore, beginning with a letter or digit, at most 63",
			"%s has a name that cannot be used: %q", what, name)
		return false
	}
	return true
}

// didYouMean is the fix for a name that does not exist.
func didYouMean(name string, known []string, otherwise string) string {
	if near := Closest(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return otherwise
}

// oneOf lists names for a fix: at most eight, then how many more.
func oneOf(names []string) string {
	if len(names) == 0 {
		return "there are none yet"
	}
	if len(names) > 8 {
		return fmt.Sprintf("there are %s and %d more", strings.Join(names[:8], ", "), len(names)-8)
	}
	return "there are " + strings.Join(names, ", ")
}

// plain tells whether a value can be shown and passed on: valid UTF-8, no control
// characters, at most 4 KiB.
func plain(s string) bool {
	return len(s) <= 4096 && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// plainAll checks values that are passed on as they are. A leading dash would be
// taken for an option by the programs that get them.
func (c *checker) plainAll(at []string, what string, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		key, v := pairs[i], pairs[i+1]
		if !plain(v) || strings.HasPrefix(v, "-") {
			c.add(append(slices.Clone(at), key), "write it without control characters or a leading dash, at most 4096 bytes",
				"%s: %s cannot be used: %.60q", what, key, v)
		}
	}
}
