package resource

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/pages/hierarchies/cell"
	"github.com/ferry-ha/ferry/tui/ui"
)

// chooser is the list of all resources.
type chooser struct {
	c     *ui.Context
	list  ui.List
	est   *model.Estate
	words string
	dirty bool
	rows  []*api.ResourceStatus
	tag   hierarchy.Tag // under the cursor
	wide  int
}

func (q *chooser) filter(words string) { q.words, q.dirty = words, true }

// derive lists what matches, and finds the cursor's resource again.
func (q *chooser) derive() {
	if q.est == q.c.Est && !q.dirty {
		return
	}
	q.est, q.dirty, q.rows, q.wide = q.c.Est, false, q.rows[:0], 0
	at := -1
	for i := range q.est.Resources {
		r := &q.est.Resources[i]
		if !ui.Matches(q.words, string(r.Tag), r.Kit, model.Holder(r)) {
			continue
		}
		if r.Tag == q.tag {
			at = len(q.rows)
		}
		q.wide = max(q.wide, ui.Width(ui.Clean(string(r.Tag))))
		q.rows = append(q.rows, r)
	}
	q.list.SetN(len(q.rows))
	if at >= 0 {
		q.list.At = at
	}
	q.moved()
}

func (q *chooser) moved() {
	q.tag = ""
	if q.list.At < len(q.rows) {
		q.tag = q.rows[q.list.At].Tag
	}
}

func (q *chooser) at() cell.At {
	q.derive()
	if q.tag == "" {
		return cell.At{}
	}
	r := q.rows[q.list.At]
	node := model.Holder(r)
	if node == "" {
		node = first(r.On)
	}
	return cell.At{Tag: r.Tag, Node: node, Cluster: r.Cluster}
}

func (q *chooser) update(msg tea.Msg) tea.Cmd {
	q.derive()
	if click, ok := msg.(ui.Click); ok {
		was := q.list.At
		if row, hit := q.list.Hit(click.Y - chooserHead); hit {
			q.moved()
			if row == was {
				return ui.Go(ui.Resource, string(q.tag))
			}
		}
		return nil
	}
	if q.list.Update(msg) {
		q.moved()
	}
	return nil
}

// chooserHead is how many lines stand above the list.
const chooserHead = 2

func (q *chooser) view(in *cell.Inks, w, h int) string {
	q.derive()
	c := q.c
	head := in.Paint(cell.Accent, " "+c.T("resource.choose")) + "  " + in.Paint(cell.Dim, q.list.More())
	if len(q.rows) == 0 {
		text := c.T("common.nothing")
		if q.words != "" {
			text = c.T("hierarchies.no-hits", "words", ui.Clean(q.words))
		}
		return ui.Block(head+"\n\n "+in.Paint(cell.Dim, text), w, h)
	}
	return ui.Fit(head, w) + "\n" + ui.Fit("", w) + "\n" + q.list.View(w, h-chooserHead, func(i int, at bool) string { return q.row(in, q.rows[i], w, at) })
}

func (q *chooser) row(in *cell.Inks, r *api.ResourceStatus, w int, at bool) string {
	c := q.c
	spans := []span{{cell.Dim, " " + c.Marks.Unknown + " " + ui.Fit("", 9)}}
	node := model.Holder(r)
	if node == "" {
		node = first(r.On)
	}
	if i := c.Est.Cell(r.Tag, node); i != nil {
		f := cell.FaceOf(c, r, i)
		spans = []span{{f.Tone, " " + f.Mark + " " + ui.Fit(strings.TrimSpace(f.Word+" "+f.Alert), 9)}}
	}
	tag := ui.Fit(ui.Clean(string(r.Tag)), min(q.wide, max(8, w-40)))
	it := item{spans: append(spans, span{cell.Strong, tag}, span{cell.Dim, "  " + ui.Fit(ui.Clean(r.Kit), 12) + " " + ui.Clean(model.Holder(r))})}
	return it.draw(in, w, at)
}
