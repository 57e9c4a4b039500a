package e2e

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// walk is a person in a wizard: what they do is done by the words that stand beside the
// cursor, and every key waits for what the one before it brought about.
type walk struct {
	*pane
	d *desked
}

// step is one thing that they do on a page.
type step func(w *walk)

// cursor is the question that the wizard's cursor is on, with what stands behind it. The
// window begins at its frame; what shines through on its left is not its own.
var cursor = regexp.MustCompile(`(?m)^[^│]*│ ▸ ([^│]*)`)

func (w *walk) here() string {
	m := cursor.FindStringSubmatch(w.screen())
	if m == nil {
		return ""
	}
	return strings.TrimSpace(m[1])
}

// asked is the label of the question under the cursor. The rest of its line may change
// while the cursor stays: an answer that was just typed, choices that came. Taken for a
// step, a second Tab would follow, and of two questions that leads back to the first.
func (w *walk) asked() string {
	label, _, _ := strings.Cut(w.here(), "  ")
	return label
}

// cell is where the cursor is on the hierarchies' page: its line, and the cluster that this
// line is of. The line is -1 where there is none.
func (w *walk) cell() (line int, cluster string) {
	for i, l := range strings.Split(w.screen(), "\n") {
		if m := header.FindStringSubmatch(l); m != nil {
			cluster = m[1]
		}
		if bracket.MatchString(l) {
			return i, cluster
		}
	}
	return -1, ""
}

var (
	header  = regexp.MustCompile(`^(\S+) ──`)
	bracket = regexp.MustCompile(`\[[●○✖◐?]? ?[A-Z]`)
)

// into takes the cursor of the hierarchies' page into a cluster.
func (w *walk) into(cluster string) {
	w.t.Helper()
	for range 60 {
		line, at := w.cell()
		if at == cluster {
			return
		}
		w.press("Down")
		w.until("the cursor moves", func(string) bool { now, _ := w.cell(); return now != line && now >= 0 })
	}
	w.t.Fatalf("the cursor does not come into %s:\n%s", cluster, w.screen())
}

// until waits for what the screen must come to.
func (w *walk) until(what string, is func(screen string) bool) {
	w.t.Helper()
	for end := time.Now().Add(realPatience); ; time.Sleep(20 * time.Millisecond) {
		s := w.screen()
		if is(s) {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("waited %s until %s:\n%s", realPatience, what, s)
		}
	}
}

func (w *walk) gone(words string) {
	w.t.Helper()
	w.until(words+" is gone", func(s string) bool { return !strings.Contains(s, words) })
}

// at goes to a question of the page. In a small window it may be out of sight, with a mark
// that there is more.
func (w *walk) at(label string) {
	w.t.Helper()
	w.until("the page with "+label+" is there", func(s string) bool {
		return cursor.MatchString(s) && (strings.Contains(s, label) || strings.ContainsAny(s, "↑↓"))
	})
	for range 60 {
		if strings.HasPrefix(w.here(), label) {
			return
		}
		was := w.asked()
		w.press("Tab")
		w.until("the cursor has moved on from "+was, func(string) bool { q := w.asked(); return q != was && q != "" })
	}
	w.t.Fatalf("the cursor does not come to %q:\n%s", label, w.screen())
}

// reads waits until the question under the cursor has an answer.
func (w *walk) reads(label, value string) {
	w.t.Helper()
	w.until(label+" is "+value, func(string) bool {
		h := w.here()
		return strings.HasPrefix(h, label) && strings.Contains(h, value)
	})
}

// typed writes an answer.
func typed(label, value string) step {
	return func(w *walk) {
		w.t.Helper()
		w.at(label)
		w.write(value)
		w.reads(label, value)
	}
}

// refused writes an answer that cannot be, sees why while it stands there, and takes it
// away again.
func refused(label, value, why string) step {
	return func(w *walk) {
		w.t.Helper()
		w.at(label)
		w.press("C-u")
		typed(label, value)(w)
		w.see(why)
		w.press("C-u")
		w.gone(why)
	}
}

// turned goes through the choices of a question to one of them.
func turned(label, value string) step {
	return func(w *walk) {
		w.t.Helper()
		w.at(label)
		for range 40 {
			was := w.here()
			if strings.Contains(strings.TrimPrefix(was, label), value) {
				return
			}
			w.press("Right")
			w.until(label+" has turned", func(string) bool { h := w.here(); return h != was && strings.HasPrefix(h, label) })
		}
		w.t.Fatalf("%s never becomes %s:\n%s", label, value, w.screen())
	}
}

// placed takes a server in, with the next priority.
func placed(server string) step {
	return func(w *walk) {
		w.t.Helper()
		w.at(server)
		w.press("Space")
		w.until(server+" is taken", func(string) bool { return strings.HasPrefix(w.here(), server) && !strings.Contains(w.here(), "[ ]") })
	}
}

// holding keeps the choices of a field on their way, until they are looked at.
func holding(field string) step { return func(w *walk) { w.d.held.hold(field) } }

// live is a question whose choices come from a node or from AWS: as long as they are on
// their way it says so, and the sign of it turns; then they are there, and one is chosen.
func live(label, field, value string, offered ...string) step {
	return func(w *walk) {
		w.t.Helper()
		holding(field)(w)
		w.at(label)
		sign := regexp.MustCompile(`(\S) loading`)
		first := sign.FindString(w.see("loading"))
		w.until("the sign of loading turns", func(s string) bool { now := sign.FindString(s); return now != "" && now != first })
		w.d.held.release(w.t)
		w.see(append(offered, value)...)
		w.gone("loading")
		turned(label, value)(w)
	}
}

// parted asks the question under the cursor for each server, or for each region.
func parted(label, help string) step {
	return func(w *walk) {
		w.t.Helper()
		w.at(label)
		for range 3 {
			was := w.here()
			w.press("C-o")
			w.until("it is asked in another way", func(string) bool { h := w.here(); return h != was && h != "" })
			if strings.HasPrefix(w.here(), help) {
				return
			}
		}
		w.t.Fatalf("it is never asked as %q:\n%s", help, w.screen())
	}
}

// answers are the questions of the page as they stand, without the cursor's mark.
func (w *walk) answers() string {
	var out []string
	for l := range strings.SplitSeq(w.screen(), "\n") {
		m := questions.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		q := strings.NewReplacer("▸", " ", "←", " ", "→", " ").Replace(m[1])
		out = append(out, positions.ReplaceAllString(strings.Join(strings.Fields(q), " "), ""))
	}
	return strings.Join(out, "\n")
}

var (
	// questions is a line of the window with a question, beside the panel or the bar of it.
	questions = regexp.MustCompile(`^[^│]*│ [▸ ] (\S[^│]*)│`)
	// positions tell which of its choices a question is at, while the cursor is on it.
	positions = regexp.MustCompile(` \d+/\d+$`)
)

// there waits for the page with a question.
func (w *walk) there(label string) {
	w.t.Helper()
	w.until("the page with "+label, func(string) bool { return strings.HasPrefix(w.here(), label) })
}

// page answers a page and goes on to the next.
func (w *walk) page(first string, steps []step) {
	w.t.Helper()
	w.there(first)
	for _, s := range steps {
		s(w)
	}
}

// backAndForward goes back to the first page and on again to this one: nothing is lost.
func (w *walk) backAndForward(firsts ...string) {
	w.t.Helper()
	last := firsts[len(firsts)-1]
	w.at(last)
	was := w.answers()
	for _, f := range slices.Backward(firsts[:len(firsts)-1]) {
		w.press("PageUp")
		w.there(f)
	}
	for _, f := range firsts[1:] {
		w.press("Enter")
		w.there(f)
	}
	if now := w.answers(); now != was {
		w.t.Fatalf("going back and forward changed the page from\n%s\nto\n%s", was, now)
	}
}

// carriedOut sees the last page, the plan, and carries it out.
func (w *walk) carriedOut(command string, words ...string) {
	w.t.Helper()
	w.press("Enter")
	w.see("Your answers", "What applying changes", "The same as a command")
	w.until("all is checked, and the servers have answered", func(s string) bool {
		return !strings.Contains(s, "checking") && !strings.Contains(s, "whether it works there")
	})
	w.has(command, words...)
	w.press("Enter")
	w.see("Enter carries this out")
	w.has(command)
	w.press("Enter")
}

// has finds words, and a command, however its lines are broken.
func (w *walk) has(command string, words ...string) {
	w.t.Helper()
	w.see(words...)
	w.until("the command is "+command, func(s string) bool {
		var columns [4]string // what stands between the frames and bars of a line
		for l := range strings.SplitSeq(s, "\n") {
			for i, part := range strings.Split(l, "│") {
				columns[min(i, len(columns)-1)] += " " + part
			}
		}
		return slices.ContainsFunc(columns[:], func(c string) bool {
			return strings.Contains(strings.Join(strings.Fields(c), " "), command)
		})
	})
}
