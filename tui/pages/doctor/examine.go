package doctor

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/doctor"
)

// limit is a little longer than the engine gives itself for an examination, or for a fix.
const limit = 95 * time.Second

// examined is what came of an examination.
type examined struct {
	p   *Page
	try int
	d   *api.Diagnosis
	err error
}

// examine asks the engine to look. What it found before stays until it answers.
func (p *Page) examine() tea.Cmd {
	p.try++
	p.running = p.c.Now
	try, q := p.try, api.Examination{}
	if p.node != "" {
		q.Nodes = []string{p.node}
	}
	return p.c.CallWithin(limit, func(ctx context.Context, s api.Service) tea.Msg {
		d, err := api.AsDoctor(s)
		if err != nil {
			return examined{p, try, nil, err}
		}
		found, err := d.Examine(ctx, q)
		return examined{p, try, found, err}
	})
}

// take puts an examination's findings on the page.
func (p *Page) take(msg examined) {
	if msg.p != p || msg.try != p.try {
		return
	}
	p.running, p.bad = time.Time{}, msg.err
	if msg.err == nil {
		p.findings, p.at, p.took = slices.Clone(msg.d.Findings), msg.d.At, msg.d.Took
		p.choose()
	}
}

// mended puts what the engine saw after a fix in the place of what it saw before.
func (p *Page) mended(msg mended) {
	if msg.err != nil || p.at.IsZero() {
		return
	}
	check, _, _ := strings.Cut(msg.finding, "@")
	p.findings = slices.DeleteFunc(p.findings, func(f doctor.Finding) bool {
		return f.Check == check || strings.HasPrefix(f.Check, check+".")
	})
	for _, f := range msg.m.After {
		if p.node == "" || slices.Contains(f.Nodes, p.node) {
			p.findings = append(p.findings, f)
		}
	}
	p.choose()
}
