package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// maxPiece bounds a piece of a definition, in bytes.
const maxPiece = 1 << 20

func (a *cli) readPiece(file string) ([]byte, error) {
	in := a.in
	if file != "-" {
		f, err := os.Open(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fail(api.KindNoSuch, "", "no file %s", file)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the piece: %w", err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxPiece+1))
	if err == nil && len(text) > maxPiece {
		err = fail(api.KindUsage, "is it the right file?", "%s is larger than 1 MiB", file)
	}
	return text, err
}

// fromPiece reads resources as they would stand in the definition: the piece is read
// at the end of the definition in force, so that everything it names is known, and
// its problems are told with their lines in the piece.
func (a *cli) fromPiece(e *hierarchy.Estate, file string, piece []byte) ([]edit.Edit, error) {
	reg := a.deps.registry()
	whole := append(config.Export(e, reg), '\n')
	before := bytes.Count(whole, []byte("\n"))
	next, err := config.Load(bytes.NewReader(append(whole, piece...)), file, reg)
	var bad *config.Errors
	if errors.As(err, &bad) {
		return nil, a.badPiece(file, bad, before)
	}
	if err != nil {
		return nil, err
	}
	var out []edit.Edit
	for _, c := range hierarchy.Diff(e, next) {
		tag, isResource := strings.CutPrefix(c.What, "resource ")
		if c.Op != "add" || !isResource {
			return nil, fail(api.KindConfig, "ferry apply puts a whole definition in force", "%s does more than create resources: %s %s", file, c.Op, c.What)
		}
		out = append(out, creationOf(hierarchy.NewIndex(next).Resource(hierarchy.Tag(tag))))
	}
	if len(out) == 0 {
		return nil, fail(api.KindConfig, "write [cluster.NAME.resource.TAG] with kit, fields and on", "%s creates no resource", file)
	}
	return childrenFirst(out), nil
}

// creationOf is the edit that makes a resource as it stands in a definition.
func creationOf(r *hierarchy.Resource) edit.Create {
	c := edit.Create{Cluster: r.Cluster, Tag: string(r.Tag), Kit: r.Kit, Switchback: r.Switchback, Fields: r.Attrs, Needs: []string{}}
	for _, t := range r.Children {
		c.Needs = append(c.Needs, string(t))
	}
	for _, p := range r.On {
		c.On = append(c.On, edit.Place{Server: p.Server, Priority: p.Priority, Fields: p.Attrs})
	}
	return c
}

// childrenFirst orders creations so that what one needs is there before it. The
// definition was judged already: there is no ring.
func childrenFirst(all []edit.Edit) []edit.Edit {
	var out []edit.Edit
	byTag := map[string]edit.Create{}
	for _, ed := range all {
		c := ed.(edit.Create)
		byTag[c.Tag] = c
	}
	done := map[string]bool{}
	var add func(c edit.Create)
	add = func(c edit.Create) {
		if done[c.Tag] {
			return
		}
		done[c.Tag] = true
		needed := append([]string{}, c.Needs...)
		for _, v := range c.Fields { // a field may name one, too
			needed = append(needed, string(hierarchy.Resolve(c.Cluster, v)))
		}
		for _, n := range needed {
			if child, ours := byTag[n]; ours {
				add(child)
			}
		}
		out = append(out, c)
	}
	for _, ed := range all {
		add(ed.(edit.Create))
	}
	return out
}

// badPiece tells the problems with their lines in the piece.
func (a *cli) badPiece(file string, bad *config.Errors, before int) error {
	var problems []Problem
	for _, p := range bad.Problems {
		at := Problem{max(p.Line-before, 0), p.Col, p.Message, p.Fix}
		if i := strings.Index(at.Text, "; the first is in line "); i >= 0 {
			at.Text = at.Text[:i]
		}
		problems = append(problems, at)
	}
	fmt.Fprint(a.err, problemLines(file, problems))
	return fail(api.KindConfig, "nothing was changed", "%s in %s", count(len(problems), "problem"), file)
}
