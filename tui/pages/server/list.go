package server

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// List is the page's face without a server: all of them, to choose from.
type List struct {
	c      *ui.Context
	made   *model.Estate
	filter string
	names  []string
	in     map[string]int // resources in service, by server
	list   ui.List
}

func newList(c *ui.Context) *List { return &List{c: c} }

// Title implements ui.Page.
func (l *List) Title() string { return l.c.T("root.page-server") }

// Filter implements ui.Filterer.
func (l *List) Filter(words string) { l.filter, l.made = words, nil }

// Filtered implements ui.Filterer.
func (l *List) Filtered() string { return l.filter }

func (l *List) sync() {
	if l.made == l.c.Est {
		return
	}
	was := l.at()
	l.made, l.names, l.in = l.c.Est, nil, map[string]int{}
	for i := range l.c.Est.Nodes {
		n := &l.c.Est.Nodes[i]
		if ui.Matches(l.filter, n.Name, n.Cluster, n.Region, n.Zone, string(n.Verdict), verdictWord(l.c, n.Verdict)) {
			l.names = append(l.names, n.Name)
		}
	}
	for i := range l.c.Est.Resources {
		for _, in := range l.c.Est.Resources[i].On {
			if in.State.InService() {
				l.in[in.Server]++
			}
		}
	}
	l.list.SetN(len(l.names))
	if i := slices.Index(l.names, was); i >= 0 {
		l.list.At = i
	}
}

func (l *List) at() string {
	if l.list.At < len(l.names) {
		return l.names[l.list.At]
	}
	return ""
}

// Actions implements ui.Page.
func (l *List) Actions() []ui.Action {
	l.sync()
	off := ""
	if l.at() == "" {
		off = l.c.T("server.off-no-server")
	}
	return []ui.Action{
		{ID: "open", Key: "enter", Help: l.c.T("server.do-open"), Off: off},
		{ID: "copy", Key: "y", Help: l.c.T("server.do-copy"), Off: off},
	}
}

// Do implements ui.Page.
func (l *List) Do(id string) tea.Cmd {
	l.sync()
	name := l.at()
	s := l.c.Est.Index.Server(name)
	switch {
	case name == "":
	case id == "open":
		return ui.Go(ui.Server, name)
	case id == "copy" && s != nil:
		line := sshCommand(l.c.Est.Index.Estate(), s)
		return ui.Copy(line, line)
	}
	return nil
}

// Update implements ui.Page.
func (l *List) Update(msg tea.Msg) tea.Cmd {
	l.sync()
	if m, ok := msg.(ui.Click); ok {
		l.list.Hit(m.Y - 1)
		return nil
	}
	l.list.Update(msg)
	return nil
}

// View implements ui.Page.
func (l *List) View(w, h int) string {
	l.sync()
	c := l.c
	if len(l.names) == 0 {
		word := c.T("server.empty")
		if l.filter != "" {
			word = c.T("common.nothing")
		} else if !c.Est.Known() && c.Est.At.IsZero() {
			word = c.T("common.loading")
		}
		return ui.Lines(append([]string{""}, ui.Wrap("  "+word, w)...), w, h)
	}
	cols, cells, wide := l.table()
	row := func(cells []string) string {
		var b strings.Builder
		for j, s := range cells {
			b.WriteString(ui.Fit(s, wide[j]) + "  ")
		}
		return ui.Cut(strings.TrimRight(b.String(), " "), w, c.Ellipsis)
	}
	head := c.Strong.Render(row(cols))
	body := l.list.View(w, h-1, func(i int, at bool) string {
		st := c.Text
		if v := c.Est.Node(l.names[i]).Verdict; v != policy.Alive {
			_, st = verdictLook(c, v)
		}
		return line(c, st, row(cells[i]), w, at)
	})
	return ui.Fit(head, w) + "\n" + body
}

// table is the list's columns, their cells, and how wide each is.
func (l *List) table() (cols []string, cells [][]string, wide []int) {
	c := l.c
	cols = []string{"  " + c.T("server.col-server"), c.T("server.col-verdict"), c.T("server.col-since"), c.T("server.cluster"), c.T("server.zone"), c.T("server.address"), c.T("server.col-in")}
	for _, s := range cols {
		wide = append(wide, ui.Width(s))
	}
	for _, name := range l.names {
		n := c.Est.Node(name)
		mark, _ := verdictLook(c, n.Verdict)
		addr := ""
		if s := c.Est.Index.Server(name); s != nil {
			addr = s.Address
		}
		row := []string{mark + " " + ui.Clean(name), verdictWord(c, n.Verdict), c.Ago(n.Since), ui.Clean(n.Cluster), ui.Clean(n.Zone), ui.Clean(addr), number(l.in[name])}
		for j, s := range row {
			wide[j] = max(wide[j], ui.Width(s))
		}
		cells = append(cells, row)
	}
	return cols, cells, wide
}
