// Package events is the page of what happened: the log of the engine, with what comes
// in as it happens.
//
// The engine keeps its last 10,000 events and gives those after a number. The page loads
// the newest ones first (a screen must not wait for a thin line), twice as many each time
// the cursor reaches the top, and all of them when a filter is set. Numbers have no gaps:
// where one shows, what lies in it is fetched.
//
// While it follows (F), the newest event stays under the cursor; going up ends that. Only
// the lines on the screen are put into words; a filter looks at words that were lowered
// once.
package events

import (
	"cmp"
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
)

const (
	// firstLoad is how many events are asked for when the page opens.
	firstLoad = 500
	// engineKeeps is how many events an engine has, and the most it gives at once.
	engineKeeps = 10_000
	// keep is how many events the page holds; the oldest go when there are spare more.
	keep, spare = 20_000, 1_000
)

// Page is the page.
type Page struct {
	c      *ui.Context
	filter string
	follow bool

	all     []entry // by number
	shown   []int   // what the filter leaves of all; nil = everything
	list    ui.List
	seq     int64 // the event under the cursor
	loading int   // calls under way
	whole   bool  // the engine has nothing older
	lost    bool  // the engine was away: what happened meanwhile is missing
	err     error

	lang      text.Lang // of the words in entries
	sentences map[string]string
	top       int // line of the first row in the last view
	tall      int
	subjects  int // width of the widest subject
}

// entry is an event with what a filter looks at, made when it is first needed.
type entry struct {
	api.Event
	words string
}

// New makes it.
func New(c *ui.Context, _ string) *Page { return &Page{c: c, follow: true, lang: c.Lang} }

// Init loads the newest events.
func (p *Page) Init() tea.Cmd { return p.load(0, firstLoad, "first") }

// loadedMsg are events that were asked for: "first", "newer" or "older".
type loadedMsg struct {
	p      *Page
	what   string
	after  int64
	limit  int
	events []api.Event
	err    error
}

func (p *Page) load(after int64, limit int, what string) tea.Cmd {
	p.loading++
	return p.c.Call(func(ctx context.Context, s api.Service) tea.Msg {
		es, err := s.Events(ctx, after, limit)
		return loadedMsg{p, what, after, limit, es, err}
	})
}

// Title implements ui.Page.
func (p *Page) Title() string { return p.c.T("root.page-events") }

// Filtered implements ui.Filterer.
func (p *Page) Filtered() string { return p.filter }

// Actions implements ui.Page.
func (p *Page) Actions() []ui.Action {
	off := ""
	if p.n() == 0 {
		off = p.c.T("common.nothing")
	}
	follow := p.c.T("events.do-follow")
	if p.follow {
		follow = p.c.T("events.do-stay")
	}
	return []ui.Action{
		{ID: "open", Key: "enter", Help: p.c.T("events.do-open"), Off: off},
		{ID: "follow", Key: "F", Help: follow},
		{ID: "copy", Key: "y", Help: p.c.T("events.do-copy"), Off: off},
		{ID: "end", Key: "G", Help: p.c.T("events.do-end"), Off: off, Quiet: true},
		{ID: "last", Key: "end", Help: p.c.T("events.do-end"), Off: off, Quiet: true},
	}
}

// Do implements ui.Page.
func (p *Page) Do(id string) tea.Cmd {
	switch id {
	case "follow":
		p.setFollow(!p.follow)
	case "end", "last":
		p.setFollow(true)
	case "open":
		if e := p.current(); e != nil {
			return ui.Show(newDetail(p.c, e.Event))
		}
	case "copy":
		if e := p.current(); e != nil {
			return ui.Copy(asLine(p.c, e.Event), p.c.T("events.number", "seq", e.Seq))
		}
	}
	return nil
}

func (p *Page) setFollow(on bool) {
	p.follow = on
	p.place()
}

// Update implements ui.Page.
func (p *Page) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case loadedMsg:
		if msg.p == p {
			return p.loaded(msg)
		}
	case ui.Happened:
		return p.happened(msg.Event)
	case ui.Tick:
		p.lost = p.lost || !p.c.Lost.IsZero()
		p.prepare()
		return p.forFilter()
	case ui.Fresh:
		if (p.lost || p.err != nil) && p.loading == 0 {
			p.lost = false
			return p.load(p.last(), engineKeeps, "newer")
		}
	case ui.Click:
		if msg.Y < p.top || msg.Y >= p.top+p.tall {
			return nil
		}
		was := p.list.At
		if at, ok := p.list.Hit(msg.Y - p.top); ok {
			p.moved()
			if at == was {
				return p.Do("open")
			}
		}
	default:
		if p.list.Update(msg) {
			return p.moved()
		}
	}
	return nil
}

// moved notes where the cursor is now; going up ends following, and the top asks for
// what is older.
func (p *Page) moved() tea.Cmd {
	if e := p.current(); e != nil {
		p.seq = e.Seq
	}
	if p.list.At < p.list.N-1 {
		p.follow = false
	}
	if p.list.At == 0 {
		return p.older(len(p.all))
	}
	return nil
}

// older asks for so many events before the first one.
func (p *Page) older(n int) tea.Cmd {
	if p.whole || p.loading > 0 || len(p.all) == 0 {
		return nil
	}
	return p.load(max(0, p.all[0].Seq-1-int64(n)), engineKeeps, "older")
}

func (p *Page) last() int64 {
	if len(p.all) == 0 {
		return 0
	}
	return p.all[len(p.all)-1].Seq
}

// happened takes an event as it happens. A gap before it is filled.
func (p *Page) happened(e api.Event) tea.Cmd {
	last := p.last()
	switch {
	case e.Seq <= last:
		return nil
	case last > 0 && e.Seq > last+1 && p.loading == 0:
		p.merge([]api.Event{e})
		return p.load(last, engineKeeps, "newer")
	}
	p.merge([]api.Event{e})
	return nil
}

func (p *Page) loaded(msg loadedMsg) tea.Cmd {
	p.loading--
	if p.err = msg.err; p.err != nil {
		return nil
	}
	first := int64(0)
	if len(p.all) > 0 {
		first = p.all[0].Seq
	}
	p.merge(msg.events)
	switch {
	case msg.what == "older" && (msg.after == 0 || len(p.all) == 0 || p.all[0].Seq == first):
		p.whole = true
	case msg.what == "first" && len(msg.events) < msg.limit:
		p.whole = true
	case msg.what == "first":
		// Which end of the log a limit leaves is the engine's choice: make sure of the newest.
		return tea.Batch(p.load(msg.events[len(msg.events)-1].Seq, engineKeeps, "newer"), p.forFilter())
	}
	return p.forFilter()
}

// forFilter loads everything when there is a filter: it must not hide what was not loaded.
func (p *Page) forFilter() tea.Cmd {
	if p.filter == "" {
		return nil
	}
	return p.older(engineKeeps)
}

// merge puts events in order among the others, each once.
func (p *Page) merge(es []api.Event) {
	if len(es) == 0 {
		return
	}
	from := len(p.all)
	sorted := es[0].Seq > p.last()
	for i, e := range es {
		sorted = sorted && (i == 0 || e.Seq > es[i-1].Seq)
		p.all = append(p.all, entry{Event: e})
		p.subjects = max(p.subjects, ui.Width(subject(e)))
	}
	if !sorted {
		slices.SortStableFunc(p.all, func(a, b entry) int { return cmp.Compare(a.Seq, b.Seq) })
		p.all = slices.CompactFunc(p.all, func(a, b entry) bool { return a.Seq == b.Seq })
		from = 0
	}
	if len(p.all) > keep+spare {
		p.all = slices.Delete(p.all, 0, len(p.all)-keep)
		from = 0
	}
	p.refilter(from)
	p.place()
}

// n is how many events are shown.
func (p *Page) n() int {
	if p.filter == "" {
		return len(p.all)
	}
	return len(p.shown)
}

func (p *Page) at(i int) *entry {
	if p.filter == "" {
		return &p.all[i]
	}
	return &p.all[p.shown[i]]
}

func (p *Page) current() *entry {
	if p.list.At < p.n() {
		return p.at(p.list.At)
	}
	return nil
}

// place puts the cursor where it belongs: on the newest event while following, else on
// the one that it was on, or the next one that is shown.
func (p *Page) place() {
	n := p.n()
	p.list.SetN(n)
	if p.follow {
		p.list.At = max(0, n-1)
		if n > 0 {
			p.seq = p.at(n - 1).Seq
		}
		return
	}
	lo, hi := 0, n
	for lo < hi {
		if mid := (lo + hi) / 2; p.at(mid).Seq < p.seq {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	p.list.At = min(lo, max(0, n-1))
}
