package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/spf13/cobra"
)

// beforeTimeout bounds the look before a change: every server is asked once, side by side,
// so that what takes longer is a server that does not answer, and no reason to wait.
const beforeTimeout = 15 * time.Second

// beforeMost is how many findings are shown whole before a change.
const beforeMost = 6

// bindNoDoctor gives a command the flag that leaves the look before the change out.
func bindNoDoctor(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "no-doctor", false, "do not look at the servers concerned before the change")
}

// change is what doctor looks at before it is made.
type change struct {
	// servers are those that it takes something to, and kits what that is of.
	servers, kits []string
	// first is the definition, where none is in force yet: the whole of it is looked at.
	first *hierarchy.Estate
}

// where names the servers for a sentence.
func (ch change) where() string {
	if ch.first != nil {
		return "this estate"
	}
	return strings.Join(ch.servers, ", ")
}

// sayObstacles shows, beside the document, what doctor finds on the servers of a change that
// speaks against it. It decides nothing and stops nothing: where it cannot be found out that
// is said, and where the engine is no doctor, or knows none of the servers, nothing is.
func (a *cli) sayObstacles(ctx context.Context, c *conn, ch change) {
	d, ok := c.Service.(api.Doctor)
	if !ok || len(ch.servers) == 0 && ch.first == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, beforeTimeout)
	defer cancel()
	diag, err := d.Examine(ctx, api.Examination{Nodes: ch.servers, Estate: ch.first})
	switch {
	case api.NoDoctor(err):
		return
	case err != nil && (errors.Is(ctx.Err(), context.DeadlineExceeded) || kindOf(err) == api.KindTimeout):
		a.say("notice: the servers could not be looked at within %s; ferry doctor does so", beforeTimeout)
		return
	case err != nil:
		if k := kindOf(err); k != api.KindNoSuch && k != api.KindDenied { // no estate yet; not for this person to see
			a.say("notice: the servers could not be looked at: %s", term.Clean(err.Error()))
		}
		return
	}
	all := doctor.Obstacles(diag.Findings, ch.kits)
	fails := slices.DeleteFunc(slices.Clone(all), func(f doctor.Finding) bool { return f.Verdict != doctor.Fail })
	for _, f := range fails[:min(len(fails), beforeMost)] {
		fmt.Fprint(a.err, a.findingOn(a.errStyle, f))
	}
	var more []string
	if n := len(fails) - beforeMost; n > 0 {
		more = append(more, fmt.Sprintf("%d more failed", n))
	}
	if n := len(all) - len(fails); n > 0 {
		more = append(more, count(n, "check")+" could not be made")
	}
	if len(more) > 0 {
		a.say("notice: %s on %s; ferry doctor shows them", strings.Join(more, ", and "), ch.where())
	}
}

// concerned is what a definition changes, with some of its resources that it does not.
func concerned(now, next *hierarchy.Estate, tags []hierarchy.Tag) change {
	var ch change
	if now == nil || now.Name == "" {
		for i := range next.Res {
			ch.kits = append(ch.kits, next.Res[i].Kit)
		}
		ch.first = next
		return ch
	}
	ch.servers, ch.kits = doctor.Touched(now, next)
	x := hierarchy.NewIndex(next)
	for _, t := range tags {
		r := x.Resource(t)
		if r == nil {
			continue
		}
		ch.kits = append(ch.kits, r.Kit)
		for _, p := range r.On {
			if now.Server(p.Server) != nil {
				ch.servers = append(ch.servers, p.Server)
			}
		}
	}
	slices.Sort(ch.servers)
	slices.Sort(ch.kits)
	ch.servers, ch.kits = slices.Compact(ch.servers), slices.Compact(ch.kits)
	return ch
}
