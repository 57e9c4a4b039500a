package e2e

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/demo"
	"github.com/ferry-ha/ferry/tui/text"
)

// What the README promises: a newcomer breaks a server, sees the failover, breaks the
// next one, is asked, answers, and finds the service in the other region, with its data.
func TestANewcomersMinute(t *testing.T) {
	bubbleOf(t, demo.Options{}, func(t *testing.T, w world) {
		o := options(w.desk("anna", api.Administrator))
		o.Desks[0].Welcome = w.Welcome
		c := open(t, o)
		defer c.leave()
		c.see("Welcome to ferry", "Press enter")
		c.press("enter")
		c.see("Next:", "The service runs on LK_P_A. Put the cursor", "Power off LK_P_A", "LK_P_A answers", "none ever lost")
		c.press("enter")
		c.see("NO ANSWER")
		c.see("LK_P_B answers", "Now power off LK_P_B", "presumed dead", "none ever lost")
		w.serves("LK_P_B")
		c.press("down", "enter")
		c.see("Question", "LK_P_B", "ap-southeast-1", "NOT PROVEN DEAD", "DATA LOSS")
		c.choose("o", "Type the node's name")
		c.press("LK_P_B", "enter")
		c.see("Typing this accepts that loss")
		c.press("ap-southeast-1", "enter")
		c.see("Answered: it is off", "anna")
		w.serves("LK_S_A")
		c.press("esc")
		c.see("The service runs in the other region, on LK_S_A")
		p := w.Probe()
		if p.Address != "10.2.0.10" {
			t.Errorf("the name leads to %s", p.Address)
		}
		if p.Lost > 0 {
			t.Errorf("%d rows are lost, though nothing was under way that the copy lacked", p.Lost)
		}
		c.press("M")
		c.see("Everything is mended")
		if b := w.Breakages(); b[0].Broken() || b[1].Broken() {
			t.Error("the servers have no power still")
		}
	})
}

// Without data the question has no price: a yes accepts nothing.
func TestAnAnswerWithoutData(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w world) {
		c := open(t, options(w.desk("anna", api.Administrator)))
		defer c.leave()
		c.see("ISP")
		asked(t, w, c)
		c.gone("DATA LOSS")
		c.choose("o", "Type the node's name")
		c.press("LK_P_B", "enter")
		c.see("Type the name of the region")
		c.press("ap-southeast-1", "enter")
		c.see("Answered: it is off", "anna")
		w.serves("LK_S_A")
	})
}

// The whole hierarchy goes with its data, and what comes back is a target again.
func TestDataFailsOver(t *testing.T) {
	bubbleOf(t, demo.Options{}, func(t *testing.T, w world) {
		o := options(w.desk("gus", api.Guest))
		o.Width, o.Height = 120, 40
		c := open(t, o)
		defer c.leave()
		c.see("All 11 resources are as they should be")
		c.press("down", "down", "down", "enter")
		c.match(`LK_P_B  Target  in sync  synchronous`)
		w.toggle("power/LK_P_A")
		c.match(`Source +LK_P_B, generation 2`)
		w.serves("LK_P_B")
		c.press("1")
		for _, r := range []string{"LSNR.LISTENER", "ORCL", "oradata", "datakeeper-oradata", "route53-www", "ec2-route53", "ip-route53"} {
			c.match(regexp.QuoteMeta(r) + ` .*ILL 1.*I.[PU] 2`)
		}
		w.toggle("power/LK_P_A")
		c.press("enter")
		c.match(`LK_P_A  Target  in sync  synchronous`)
		c.press("1")
		c.match(`LSNR.LISTENER .*OSU 1.*ISP 2`)
		if p := w.Probe(); p.Node != "LK_P_B" || p.Lost > 0 {
			t.Errorf("a client finds %+v", p)
		}
	})
}

func TestFirstLook(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w world) {
		c := open(t, options(w.desk("anna", api.Administrator)))
		defer c.leave()
		c.see("cross-region", "administrator", "LK_P_A", "LK_S_B", "www", "ip-route53", "ISP", "OSU")
		for _, page := range [][2]string{{"2", "ap-southeast-1"}, {"5", "Put service/www in service"}, {"7", "service/www"}, {"9", "Next:"}} {
			c.press(page[0])
			c.see(page[1])
		}
		c.press("1", "?")
		c.see("Keys: Hierarchies", "in service here")
		c.press("esc", ":")
		c.press("LK_S_A")
		c.press("enter")
		c.see("LK_S_A", "172.16.0.10")
	})
}

// A switchover by keys, with its plan before it and its progress after.
func TestSwitchover(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w world) {
		c := open(t, options(w.desk("anna", api.Administrator)))
		defer c.leave()
		c.see("ISP", "OSU")
		c.press("right", "i")
		c.see("LK_P_B", "carry it out", "10.1.0.10/32")
		c.press("enter")
		w.serves("LK_P_B")
		c.press("esc", "1")
		c.match(`www.*OSU 1.*ISP 2`)
		c.press("7")
		c.see("anna")
		if out := w.Probe().Outage; out <= 0 || out > 30*time.Second {
			t.Errorf("a client was without the service for %s", out)
		}
	})
}

// A person's own move across regions is typed, not a reflex.
func TestSwitchoverAcrossRegionsIsTyped(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w world) {
		c := open(t, options(w.desk("anna", api.Administrator)))
		defer c.leave()
		c.see("ISP", "OSU")
		c.press("right", "right", "i")
		c.see("CROSSES REGIONS")
		c.press("enter")
		c.see("Type its name to confirm:")
		c.press("enter")
		c.see("Nothing was typed")
		c.press("ap-northeast-1", "enter")
		c.see("is not it; nothing was done")
		if n := w.Probe().Node; n != "LK_P_A" {
			t.Fatalf("it moved to %s", n)
		}
		for range "ap-northeast-1" {
			c.press("backspace")
		}
		c.press("ap-southeast-1", "enter")
		w.serves("LK_S_A")
	})
}

func TestAutomaticFailoverIsSeen(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w world) {
		c := open(t, options(w.desk("gus", api.Guest)))
		defer c.leave()
		c.see("ISP", "OSU")
		w.toggle("power/LK_P_A")
		c.see("dead", "ILLSTATE")
		c.match(`www.*ILL 1.*ISP 2`)
		w.serves("LK_P_B")
		c.press("2")
		c.see("LK_P_B")
		w.toggle("power/LK_P_A")
		c.press("1")
		c.match(`www.*OSU 1.*ISP 2`) // back, and quiet
	})
}

// asked is a console in front of the question that two lost servers raise.
func asked(t *testing.T, w world, consoles ...*console) {
	t.Helper()
	w.toggle("power/LK_P_A")
	w.settled("LK_P_B")
	w.toggle("power/LK_P_B")
	for _, c := range consoles {
		c.see("Question", "NOT PROVEN DEAD")
	}
}

func TestPromptIsWithdrawn(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w world) {
		c := open(t, options(w.desk("anna", api.Administrator)))
		defer c.leave()
		c.see("ISP")
		asked(t, w, c)
		c.choose("o", "Type the node's name")
		c.press("LK_P_B", "enter")
		c.see("Type the name of the region")
		c.press("ap-southeast")
		w.toggle("power/LK_P_B") // it comes back while the answer is being typed
		c.see("Withdrawn")
		c.press("-1", "enter") // what was on its way goes nowhere
		c.press("esc")
		w.serves("LK_P_B")
		c.gone("Question")
	})
}

func TestPromptIsRefused(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w world) {
		c := open(t, options(w.desk("anna", api.Administrator)))
		defer c.leave()
		c.see("ISP")
		asked(t, w, c)
		c.choose("n", "Type no")
		c.press("no", "enter")
		c.see("Answered: no", "anna")
		time.Sleep(2 * time.Minute)
		if n := w.Probe().Node; n != "" {
			t.Errorf("it moved to %s after a no", n)
		}
		c.press("esc", "9")
		c.see("Nothing moves")
	})
}

func TestPromptExpires(t *testing.T) {
	bubble(t, confirms("30", "1"), func(t *testing.T, w world) {
		c := open(t, options(w.desk("anna", api.Administrator)))
		defer c.leave()
		c.see("ISP")
		asked(t, w, c)
		c.match(`2\ds left`)
		c.see("Nobody answered: nothing moves")
		if n := w.Probe().Node; n != "" {
			t.Errorf("it moved to %s though nobody answered", n)
		}
	})
}

// Two people see the same question; the first answer wins, the other one is told whose.
func TestTwoConsoles(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w world) {
		anna := open(t, options(w.desk("anna", api.Administrator)))
		defer anna.leave()
		ben := open(t, options(w.desk("ben", api.Operator)))
		defer ben.leave()
		anna.see("ISP")
		ben.see("ISP")
		asked(t, w, anna, ben)
		ben.choose("o", "Type the node's name")
		ben.press("LK_P_B", "enter", "ap-south")
		anna.choose("o", "Type the node's name")
		anna.press("LK_P_B", "enter", "ap-southeast-1", "enter")
		anna.see("Answered: it is off", "anna")
		ben.see("Answered: it is off", "by anna")
		ben.press("east-1", "enter", "esc")
		w.serves("LK_S_A")
		ben.press("1")
		ben.match(`www.*ISP 3`)
	})
}

// A guest sees everything and can do nothing: also the prompt says why.
func TestAGuestCannotAct(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w world) {
		c := open(t, options(w.desk("gus", api.Guest)))
		defer c.leave()
		c.see("ISP", "guest")
		c.press("right", "i")
		c.see("You are guest here")
		asked(t, w, c)
		c.choose("o", "You are guest here")
		time.Sleep(time.Minute)
		if n := w.Probe().Node; n != "" {
			t.Errorf("it moved to %s", n)
		}
	})
}

func TestEngineLostAndFoundAgain(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w world) {
		c := open(t, options(w.desk("anna", api.Administrator)))
		defer c.leave()
		c.see("ISP")
		w.toggle("engine/kill")
		c.see("has not answered")
		c.press("right", "i")
		c.see("The engine does not answer")
		c.gone("has not answered")
		c.press("i")
		c.see("carry it out")
		c.press("enter")
		w.serves("LK_P_B")
	})
}

// The engine dies in the middle of a move: the next one finishes it or takes it back.
func TestEngineKilledInTheMiddleOfAMove(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w world) {
		c := open(t, options(w.desk("anna", api.Administrator)))
		defer c.leave()
		c.see("ISP", "OSU")
		c.press("right", "i")
		c.see("carry it out")
		c.type1("\r")
		w.toggle("engine/kill")
		c.see("does not answer")
		c.until(func(string) string {
			if n := w.Probe().Node; n == "" || time.Since(w.Probe().Since) < 10*time.Second {
				return "the service is not steadily back"
			}
			return ""
		})
		c.press("esc", "1")
		c.match(`www.*(ISP 1.*OSU 2|OSU 1.*ISP 2)`)
	})
}

func TestJapanese(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w world) {
		o := options(w.desk("anna", api.Administrator))
		o.Lang, o.Desks[0].Welcome = text.Japanese, w.Welcome
		c := open(t, o)
		defer c.leave()
		c.see("ferry へようこそ")
		c.press("enter")
		c.see("次は:", "LK_P_A の電源を切る")
		c.press("enter")
		c.see("LK_P_B の電源も切ってください")
		c.press("down", "enter")
		c.see("ap-southeast-1", "LK_P_B")
		c.press("esc", "L") // and English at a key
		c.see("Next:")
	})
}

// The window changes all the time while the service fails over; every screen fills it.
func TestResizeWhileWorking(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w world) {
		c := open(t, options(w.desk("anna", api.Administrator)))
		defer c.leave()
		c.see("ISP")
		w.toggle("power/LK_P_A")
		for i := range 60 {
			width, height := 60+(i*37)%150, 16+(i*13)%50
			c.resize(width, height)
			c.press(string(rune('1' + i%9)))
			lines := strings.Split(c.screen(), "\n")
			if len(lines) > height {
				t.Fatalf("%d lines in a window of %d", len(lines), height)
			}
			if !strings.Contains(lines[0], "ferry") {
				t.Fatalf("at %dx%d the first line is %q", width, height, lines[0])
			}
		}
		c.resize(30, 8)
		c.see("too small")
		c.resize(200, 60)
		c.press("1")
		c.match(`www.*ILL 1.*ISP 2`)
	})
}

// Several estates side by side: each has its own pages, and what happens on one is told
// while another is in front.
func TestSeveralEstates(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w world) {
		other := bring(t, func(e *hierarchy.Estate) { e.Name = "elsewhere" })
		defer other.Close()
		other.settled("LK_P_A")
		c := open(t, options(w.desk("anna", api.Administrator), other.desk("anna", api.Guest)))
		defer c.leave()
		c.see("[● cross-region]", "● elsewhere", "administrator", "ISP")
		c.press("tab")
		c.see("● cross-region", "[● elsewhere]", "guest", "ISP")
		asked(t, other, c)
		c.press("esc", "tab")
		c.see("[● cross-region]", "! elsewhere")
		c.press("right", "i")
		c.see("carry it out")
		c.press("enter")
		w.serves("LK_P_B")
		if n := other.Probe().Node; n != "" {
			t.Errorf("the other estate moved to %s", n)
		}
	})
}
