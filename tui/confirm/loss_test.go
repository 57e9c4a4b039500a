package confirm

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// copyOf is what the node asked about has of the data; old = 0: nobody knows how old it is.
func copyOf(code string, old time.Duration) policy.Copy {
	c := policy.Copy{Tag: uitest.Mirror, Node: "LK_S_A"}
	if code != "" {
		c.Price = kits.Why("datakeeper."+code, "The copy on LK_S_A is "+code+".", "node", "LK_S_A")
	}
	if old > 0 {
		c.Last = uitest.Ago(old)
	}
	return c
}

// costs makes the question one whose yes loses data.
func costs(all ...policy.Copy) func(*api.Snapshot) {
	return func(s *api.Snapshot) { s.Questions[0].Copies = all }
}

var async = copyOf("asynchronous", 42*time.Second)

// A yes that costs something says what it accepts: exactly what was shown.
func TestAnswersAcceptWhatWasShown(t *testing.T) {
	half, complete := copyOf("half", 0), copyOf("", 0)
	other := half
	other.Tag = "service/datakeeper-redo"
	want := func(kind string, all ...policy.Copy) []api.Answer {
		return []api.Answer{{Question: "q-7", Kind: kind, Typed: region, Accept: all}}
	}
	for _, x := range []struct {
		name string
		on   []func(*api.Snapshot)
		keys []string
		want []api.Answer
	}{
		{"yes", []func(*api.Snapshot){proven, costs(async)}, []string{"y", region, "enter"}, want("yes", async)},
		{"off", []func(*api.Snapshot){costs(async)}, []string{"o", "LK_P_B", "enter", region, "enter"}, want("off", async)},
		{"fence", []func(*api.Snapshot){fencing, costs(half)}, []string{"f", region, "enter"}, want("fence", half)},
		{"two of three", []func(*api.Snapshot){proven, costs(async, complete, other)}, []string{"y", region, "enter"}, want("yes", async, other)},
		{"complete", []func(*api.Snapshot){proven, costs(complete)}, []string{"y", region, "enter"}, want("yes")},
		{"no accepts nothing", []func(*api.Snapshot){proven, costs(async)}, []string{"n", "no", "enter"}, []api.Answer{{Question: "q-7", Kind: "no"}}},
		{"yes typed", []func(*api.Snapshot){proven, costs(async)}, []string{"y", "yes", "enter"}, nil},
		{"data loss typed", []func(*api.Snapshot){proven, costs(async)}, []string{"y", "DATA LOSS", "enter"}, nil},
		{"accept typed", []func(*api.Snapshot){proven, costs(async)}, []string{"y", "accept", "enter"}, nil},
		{"the node's name", []func(*api.Snapshot){proven, costs(async)}, []string{"y", "LK_S_A", "enter"}, nil},
		{"another region", []func(*api.Snapshot){proven, costs(async)}, []string{"y", "ap-southeast-2", "enter"}, nil},
		{"nothing", []func(*api.Snapshot){proven, costs(async)}, []string{"y", "enter", "enter", "enter"}, nil},
		{"hostile", []func(*api.Snapshot){proven, costs(async)}, []string{"y", "\x1b[2J" + region + "\u202e", "enter"}, nil},
		{"taken back", []func(*api.Snapshot){proven, costs(async)}, []string{"y", region, "esc", "enter", "enter"}, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			d := open(t, x.on...)
			d.press(x.keys...)
			d.answered(x.want...)
		})
	}
}

// The loss is said where one types, not only somewhere above.
func TestLossIsSaidWhereItIsAccepted(t *testing.T) {
	d := open(t, proven, costs(async))
	d.shows("DATA LOSS: what LK_S_A has of service/datakeeper-oradata may be up to 42s old")
	d.press("y")
	d.shows("may be up to 42s old. What was written since then is lost for good", "may be inconsistent", "Typing this accepts that loss", "Type ap-southeast-1")
	d.press("esc", "n")
	if s := d.screen(); strings.Contains(s, "accepts that loss") {
		t.Errorf("a no accepts something:\n%s", s)
	}
	d = open(t, costs(async))
	d.press("o")
	if s := d.screen(); strings.Contains(s, "accepts that loss") {
		t.Errorf("the node's name accepts something:\n%s", s)
	}
	d.press("LK_P_B", "enter")
	d.shows("Typing this accepts that loss")
}

// Its age grows while one looks at it.
func TestLossGrowsOlder(t *testing.T) {
	d := open(t, proven, costs(async))
	d.press("y")
	d.c.Now = d.c.Now.Add(10 * time.Minute)
	d.shows("up to 10m42s old")
	d.press(region, "enter")
	d.answered(api.Answer{Question: "q-7", Kind: "yes", Typed: region, Accept: []policy.Copy{async}})
}

// When the price changes under what is being typed, that goes nowhere; the keys that follow neither.
func TestPriceChangesWhileTyping(t *testing.T) {
	for name, now := range map[string][]policy.Copy{
		"worse in kind": {copyOf("half", 42*time.Second)}, "older": {copyOf("asynchronous", time.Hour)}, "of unknown age": {copyOf("asynchronous", 0)},
		"one more": {async, {Tag: "service/redo", Node: "LK_S_A", Price: async.Price}}, "complete": {copyOf("", 0)}, "gone": nil,
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, proven, costs(async))
			d.press("y", "ap-south")
			d.fresh(costs(now...))
			d.shows("has changed while you typed. Nothing was sent.")
			d.press("east-1", "enter", "enter")
			d.answered()
			d.press("esc", "y", region, "enter")
			a := api.Answer{Question: "q-7", Kind: "yes", Typed: region}
			for _, c := range now {
				if !c.Complete() {
					a.Accept = append(a.Accept, c)
				}
			}
			d.answered(a)
		})
	}
	d := open(t, proven, costs(async)) // the same, read a second later
	d.press("y", "ap-south")
	again := async
	again.Last = again.Last.Add(time.Second)
	d.fresh(costs(again))
	d.press("east-1", "enter")
	d.answered(api.Answer{Question: "q-7", Kind: "yes", Typed: region, Accept: []policy.Copy{async}})
}

// What the engine says of a price is said in the reader's language.
func TestPriceRefusedInJapanese(t *testing.T) {
	for _, code := range []string{api.AnswerPrice, api.AnswerPriceChanged} {
		d := open(t, proven, costs(async))
		p, _ := text.New(text.Japanese)
		*d.c.Printer = *p
		d.svc.Err = &api.Error{Kind: api.KindUnsafe, Code: code, Message: "English " + code}
		d.press("y", region, "enter")
		if !strings.Contains(d.w.said, "service/datakeeper-oradata") || strings.Contains(d.w.said, "English") {
			t.Errorf("%s: %q", code, d.w.said)
		}
	}
}

// However many resources lose something, what is to be typed stays in sight.
func TestManyLosses(t *testing.T) {
	for _, n := range []int{2, 3, 4, 5, 40} {
		var all []policy.Copy
		for i := range n {
			c := async
			c.Tag = hierarchy.Tag(fmt.Sprintf("service/datakeeper-with-a-long-name-%d", i))
			all = append(all, c)
		}
		d := open(t, costs(all...))
		d.press("o", "LK_P_B", "enter", "ap-nor", "enter")
		d.shows("DATA LOSS: what LK_S_A has of service/datakeeper-with-a-long-name-0", "Typing this accepts that loss", "> ap-nor")
		if n > 4 {
			d.shows(fmt.Sprintf("%d more resources, listed above", n-3))
		}
		d.press("backspace", "backspace", "backspace", "backspace", "backspace", "backspace", region, "enter")
		d.answered(api.Answer{Question: "q-7", Kind: "off", Typed: region, Accept: all})
	}
}

// A kit of somebody else's may give other reasons, and hostile ones.
func TestUnknownPrice(t *testing.T) {
	d := open(t, proven, costs(policy.Copy{Tag: "service/\x1b[31mx", Node: "LK_S_A", Price: kits.Reason{Code: "\x1b]0;", Text: "\x1b[2J"}}))
	d.press("y")
	if s := d.screen(); strings.ContainsAny(s, "\x1b\x07") && strings.Contains(s, "[2J") {
		t.Errorf("%q", s)
	}
	d.shows("nobody knows how old")
}

func TestCommandAcceptsLoss(t *testing.T) {
	q := policy.Question{ID: "q-7", From: "LK_P_B", To: "LK_S_A", ToRegion: region, Copies: []policy.Copy{async}}
	for kind, want := range map[string]string{
		"yes": "ferry confirm yes q-7 --region " + region + " --accept-data-loss",
		"no":  "ferry confirm no q-7", "": "ferry confirm list",
		"off": "ferry confirm yes q-7 --region " + region + " --node-is-off LK_P_B --accept-data-loss",
	} {
		if got := Command(q, kind); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestGoldenLoss(t *testing.T) {
	answered := func(s *api.Snapshot) {
		q := &s.Questions[0]
		q.State, q.Answer, q.By, q.Ended = policy.Answered, "yes", "anna", uitest.Clock
		q.Why = kits.Why("answered-yes", "anna says yes: service/www goes from LK_P_B to LK_S_A.", "by", "anna", "from", "LK_P_B", "to", "LK_S_A", "tag", "service/www")
	}
	open := func(s *api.Snapshot) { s.Questions[0].Until = time.Time{} }
	for _, x := range []struct {
		name   string
		change []func(*api.Snapshot)
		keys   []string
	}{
		{"loss", []func(*api.Snapshot){proven, costs(async), open}, nil},
		{"loss-typing", []func(*api.Snapshot){proven, costs(async), open}, []string{"y", "ap-north", "enter"}},
		{"loss-off", []func(*api.Snapshot){costs(copyOf("half", 0))}, []string{"o", "LK_P_B", "enter", "ap"}},
		{"loss-none", []func(*api.Snapshot){proven, costs(copyOf("", 0))}, nil},
		{"loss-answered", []func(*api.Snapshot){proven, costs(async), answered}, nil},
	} {
		s := uitest.Scene(t, uitest.Question)
		for _, f := range x.change {
			f(s)
		}
		uitest.Golden(t, x.name, s, func(c *ui.Context) ui.Page {
			w := settled(c)
			uitest.Press(t, w, x.keys...)
			return framed{w, c}
		})
	}
}
