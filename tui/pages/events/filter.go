package events

import (
	"strings"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Filter implements ui.Filterer. A filter looks at all that the engine has: what is not
// loaded yet is fetched by the next message (Update).
func (p *Page) Filter(words string) {
	was := p.filter
	p.filter = strings.ToLower(words)
	if strings.TrimSpace(p.filter) == "" {
		p.filter = ""
	}
	if was != "" && strings.HasPrefix(p.filter, was) && p.lang == p.c.Lang {
		p.narrow()
	} else {
		p.refilter(0)
	}
	p.place()
}

// refilter looks at the entries from one on.
func (p *Page) refilter(from int) {
	if p.lang != p.c.Lang {
		p.lang, from = p.c.Lang, 0
		p.sentences = nil
		for i := range p.all {
			p.all[i].words = ""
		}
	}
	if from == 0 {
		p.shown = p.shown[:0]
	}
	if p.filter == "" {
		return
	}
	words := strings.Fields(p.filter)
	for i := from; i < len(p.all); i++ {
		if p.matches(i, words) {
			p.shown = append(p.shown, i)
		}
	}
}

// narrow looks only at what was shown: a filter that grew shows nothing else.
func (p *Page) narrow() {
	words, kept := strings.Fields(p.filter), p.shown[:0]
	for _, i := range p.shown {
		if p.matches(i, words) {
			kept = append(kept, i)
		}
	}
	p.shown = kept
}

// prepareAtOnce is how many events are made ready for a filter at a time, a few
// milliseconds' worth.
const prepareAtOnce = 500

// prepare makes events ready before anybody types, so that the first key is as quick as
// the others.
func (p *Page) prepare() {
	if p.lang != p.c.Lang {
		return // View notices
	}
	n := 0
	for i := len(p.all) - 1; i >= 0 && n < prepareAtOnce; i-- {
		if p.all[i].words == "" {
			p.ready(i)
			n++
		}
	}
}

// ready makes what a filter looks at.
func (p *Page) ready(i int) {
	e := &p.all[i]
	if e.words == "" {
		e.words = strings.ToLower(strings.Join([]string{p.sentence(e.Event), e.Kind, e.Severity, string(e.Tag), e.Node, e.Op, e.Question, e.By, e.Reason.Code}, " "))
	}
}

func (p *Page) matches(i int, words []string) bool {
	p.ready(i)
	e := &p.all[i]
	for _, w := range words {
		if !strings.Contains(e.words, w) {
			return false
		}
	}
	return true
}

// sentence is an event's message as a filter sees it. A catalog takes some 15 µs for one,
// which 10,000 events cannot have while somebody types: a code's sentence is asked for
// once and filled here.
func (p *Page) sentence(e api.Event) string {
	r := e.Reason
	if p.c.Lang == text.English || r.Code == "" || len(r.Args) > 16 {
		return message(p.c, e)
	}
	s, ok := p.sentences[r.Code]
	if !ok {
		args := make(map[string]string, len(r.Args))
		for k := range r.Args {
			args[k] = "{" + k + "}"
		}
		s = p.c.Reason(kits.Reason{Code: r.Code, Args: args, Text: noSentence})
		if p.sentences == nil {
			p.sentences = map[string]string{}
		}
		p.sentences[r.Code] = s
	}
	if s == noSentence {
		return message(p.c, e)
	}
	for k, v := range r.Args {
		s = strings.ReplaceAll(s, "{"+k+"}", v)
	}
	return ui.Clean(s)
}

// noSentence stands for a code that the language has no sentence for.
const noSentence = "\x00"
