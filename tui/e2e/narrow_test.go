package e2e

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What a person does in a window of 80 × 24, where not everything is in sight at once.

// position tells which lines of how many are shown.
var position = regexp.MustCompile(`(\d+)-(\d+)/(\d+)`)

// heads is how many lines a wizard has above what scrolls: the pages' names, and none.
const heads = 2

// whole is everything that a wizard's last page shows, scrolled from its first line to its
// last, with single spaces and without the breaks of lines.
func (w *walk) whole() string {
	w.t.Helper()
	var all []string
	for {
		s := w.screen()
		m := position.FindStringSubmatch(s)
		if m == nil { // it fits
			return strings.Join(strings.Fields(strings.Join(inside(s), " ")), " ")
		}
		from, _ := strconv.Atoi(m[1])
		to, _ := strconv.Atoi(m[2])
		lines := inside(s)
		lines = lines[min(heads, len(lines)):]
		for n := from; n <= to && n-from < len(lines); n++ {
			for len(all) < n {
				all = append(all, "")
			}
			all[n-1] = lines[n-from]
		}
		if m[2] == m[3] {
			return strings.Join(strings.Fields(strings.Join(all, " ")), " ")
		}
		w.press("PageDown")
		w.until("more is shown", func(now string) bool { return position.FindString(now) != m[0] })
	}
}

// inside are the lines of the topmost window, without its frame: those below the last
// upper edge.
func inside(screen string) []string {
	var out []string
	for l := range strings.SplitSeq(screen, "\n") {
		switch _, rest, framed := strings.Cut(l, "│"); {
		case strings.Contains(l, "╭"):
			out = nil
		case strings.Contains(l, "╰"):
			return out
		case framed:
			rest, _, _ = strings.Cut(rest, "│")
			out = append(out, rest)
		}
	}
	return out
}

// summed sees the last page of a wizard, with these words and the command on it, and carries
// it out; done is what is said then.
func (w *walk) summed(command, done string, words ...string) {
	w.t.Helper()
	w.press("Enter")
	w.see("Your answers")
	w.until("all is checked", func(s string) bool { return !strings.Contains(s, "checking") })
	all := strings.Join(strings.Fields(strings.Join(inside(w.screen()), " ")), " ")
	if !strings.Contains(all, "Not right yet") {
		all = w.whole()
	}
	for _, want := range append(words, command) {
		if !strings.Contains(all, want) {
			w.t.Fatalf("the summary lacks %q:\n%s", want, all)
		}
	}
	w.press("Enter")
	w.see("Enter carries this out")
	w.press("Enter")
	w.see("What next?", done)
	w.gone("the engine has not told of it yet")
}

// starts puts what was just made in service, and is asked again what comes next.
func (w *walk) starts(node string) {
	w.t.Helper()
	w.gone("not looked at on")
	w.press("i")
	w.choose("r", "Enter carries this out") // looks again until all servers have been looked at
	w.press("Enter")
	w.see("is done")
	w.press("Enter")
	w.gone("is done")
	w.see("What next?", "it is in service on "+node)
}

// agreed is the page that names what is lost: a reflex is no answer, nor is another word.
func (w *walk) agreed(word string, lost ...string) {
	w.t.Helper()
	w.see(append(lost, "Everything on this is lost for good")...)
	w.there("Agreed? Type " + word)
	w.insists("Agreed? Type "+word, word, "Overwritten for good")
}

// insists is a question that takes one word only, and says so.
func (w *walk) insists(label, word, says string) {
	w.t.Helper()
	w.press("Enter")
	w.see(says)
	typed(label, "yes")(w)
	w.press("Enter")
	w.see(says)
	w.press("C-u")
	typed(label, word)(w)
	w.gone(says)
}

// later leaves the question what comes next.
func (w *walk) later() {
	w.t.Helper()
	w.press("Escape")
	w.gone("What next?")
}

// begins opens the create wizard at a kit, and goes to its servers.
func (w *walk) begins(kit string) {
	w.t.Helper()
	w.press("n")
	w.see("Create a resource")
	w.page("Recovery kit", []step{turned("Recovery kit", kit)})
	w.press("Enter")
	w.there("Needs")
}

// defaulted sees what holds where nothing is answered.
func defaulted(label, value string) step {
	return func(w *walk) {
		w.t.Helper()
		w.at(label)
		w.reads(label, value)
	}
}

func TestInside(t *testing.T) {
	got := inside("x│ behind\n ╭─ One ─╮\n │ a   │ y\n s│\n ╭─ Two ─╮\n │ b   │\n │ c   │\n ╰────╯\n │ d  │")
	if strings.Join(strings.Fields(strings.Join(got, " ")), " ") != "b c" {
		t.Errorf("got %q", got)
	}
}

// count is how often words are on a screen.
func count(screen, words string) int { return strings.Count(screen, words) }

// mirrored waits until the disks of all nodes are equal.
func mirrored(t *testing.T, d *desked, disks map[string]string) {
	t.Helper()
	first := service[0]
	for _, n := range service[1:] {
		for end := time.Now().Add(realPatience); ; time.Sleep(100 * time.Millisecond) {
			differs, err := d.Sim().Nodes.MirrorDiffers(first, disks[first], n, disks[n])
			if err == nil && len(differs) == 0 {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("the disks of %s and %s differ: %v %v", first, n, differs, err)
			}
		}
	}
}

// typedAt answers a question that is asked for each server, at one of them.
func typedAt(server, value string) step {
	return func(w *walk) {
		w.t.Helper()
		for range 60 {
			if strings.Contains(w.asked(), "("+server+")") {
				w.write(value)
				w.until(server+" has "+value, func(string) bool { return strings.HasSuffix(w.here(), value) })
				return
			}
			was := w.asked()
			w.press("Tab")
			w.until("the cursor has moved on from "+was, func(string) bool { q := w.asked(); return q != was && q != "" })
		}
		w.t.Fatalf("nothing is asked for %s:\n%s", server, w.screen())
	}
}
