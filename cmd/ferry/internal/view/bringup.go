package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/bringup"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/model"
)

// Works is what is to be brought into service, in its order, with what is lost by it; then what
// cannot be.
func Works(ws []bringup.Work, st term.Style) string {
	p := newPage(st, time.Time{})
	n := 0
	for _, w := range ws {
		if w.State == bringup.Done || w.State == bringup.Blocked {
			continue
		}
		if n == 0 {
			p.line("%s", p.st.Paint(term.Bold, "To be brought into service, in this order:"))
		}
		n++
		p.line("  %d  %s on %s", n, p.st.Paint(term.Bold, Tags(w.Roots)), name(w.Node))
		p.wrapped("     ", term.Plain, Reason(w.Reason))
		if more := without(w.Resources, w.Roots); len(more) > 0 {
			p.wrapped("     with ", term.Plain, shortList(more))
		}
		p.overwritten(w)
		for _, c := range w.Commands {
			p.line("     same as: %s", p.st.Paint(term.Name, CommandLine(c)))
		}
	}
	p.blocked(ws)
	return p.String()
}

// overwritten names the disks that are lost, and the one that counts.
func (p *page) overwritten(w bringup.Work) {
	lost, of := map[hierarchy.Tag][]string{}, []hierarchy.Tag{}
	by := map[hierarchy.Tag]bringup.Overwrite{}
	for _, o := range w.Overwrites {
		if lost[o.Tag] == nil {
			of = append(of, o.Tag)
		}
		lost[o.Tag] = append(lost[o.Tag], name(o.What)+" on "+name(o.Node))
		by[o.Tag] = o
	}
	for _, t := range of {
		p.wrapped("     "+p.st.Paint(term.Alarm, " OVERWRITTEN ")+" ", term.Bold, strings.Join(lost[t], ", "))
		p.wrapped("     ", term.Plain, fmt.Sprintf("%s copies %s of %s, the first source, over them; what is on them is lost for good",
			short(t), name(by[t].By), name(by[t].Source)))
	}
}

func (p *page) blocked(ws []bringup.Work) {
	for _, w := range ws {
		if w.State != bringup.Blocked {
			continue
		}
		p.line("%s %s cannot be brought up:", p.st.Paint(term.Bad, p.st.Mark(term.Fail)), Tags(w.Roots))
		p.wrapped("     ", term.Plain, Reason(w.Reason))
		if len(w.Next) > 0 {
			p.line("     next: %s", p.st.Paint(term.Name, CommandLine(w.Next)))
		}
	}
}

// Tags are full tags with commas between them.
func Tags(tags []hierarchy.Tag) string {
	all := make([]string, len(tags))
	for i, t := range tags {
		all[i] = name(string(t))
	}
	return strings.Join(all, ", ")
}

// CommandLine is a command's words as a shell takes them.
func CommandLine(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " ")
}

func without(all, some []hierarchy.Tag) []hierarchy.Tag {
	var out []hierarchy.Tag
	for _, t := range all {
		taken := false
		for _, s := range some {
			taken = taken || s == t
		}
		if !taken {
			out = append(out, t)
		}
	}
	return out
}

// Copies is a line for each copy of a resource's data that is not complete; empty when all are.
func Copies(r *api.ResourceStatus) []string {
	var out []string
	for _, l := range model.Legs(r) {
		if l.Source || l.InSync() {
			continue
		}
		line := fmt.Sprintf("%s: the copy on %s is %s", short(r.Tag), name(l.Node), orDash(name(l.State)))
		more := []string{l.Why}
		if l.Percent >= 0 {
			line += fmt.Sprintf(", %d %% done", l.Percent)
			more = []string{l.Speed, after(l.ETA, " to go")}
		}
		for _, m := range more {
			if m != "" {
				line += ", " + name(m)
			}
		}
		out = append(out, line)
	}
	return out
}

// Findings is where reality differs.
func Findings(fs []bringup.Finding, st term.Style) string {
	p := newPage(st, time.Time{})
	for _, f := range fs {
		mark, tone := p.st.Mark(term.Fail), term.Bad
		switch f.Kind {
		case bringup.NotKnown:
			mark, tone = "?", term.Warn
		case bringup.Note:
			mark, tone = "-", term.Dim
		}
		p.wrapped("  "+p.st.Paint(tone, mark)+" ", term.Plain, term.Clean(f.What)+": "+Reason(f.Reason))
		if len(f.Next) > 0 {
			p.line("      next: %s", p.st.Paint(term.Name, CommandLine(f.Next)))
		}
	}
	return p.String()
}
