package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
)

// screen is the console in a terminal of its own, driven as a person does.
type screen struct {
	s      *site
	server string // of tmux, ours alone
}

// console opens `ferry console` on the site's engine.
func (s *site) console(w, h int) *screen {
	s.t.Helper()
	x := &screen{s: s, server: fmt.Sprintf("ferry-e2e-%d", os.Getpid())}
	env := append(s.env(), "TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "TMUX=")
	cmd := exec.CommandContext(ctx(s.t), "tmux", "-L", x.server, "-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(w), "-y", fmt.Sprint(h),
		ferryBinary+" console --lang en; echo the console ended with $?; sleep 60")
	cmd.Env = env
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("tmux: %v\n%s", err, out)
	}
	s.t.Cleanup(func() { _ = exec.Command("tmux", "-L", x.server, "kill-server").Run() })
	return x
}

func (x *screen) tmux(args ...string) string {
	x.s.t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx(x.s.t), "tmux", append([]string{"-L", x.server}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		x.s.t.Fatalf("tmux %v: %v\n%s", args, err, errs.String())
	}
	return out.String()
}

func (x *screen) text() string { return x.tmux("capture-pane", "-p") }

// keys presses keys by tmux's names ("Enter", "Escape", "Right", letters).
func (x *screen) keys(keys ...string) {
	x.s.t.Helper()
	for _, k := range keys {
		x.tmux("send-keys", k)
	}
}

// typed types text as it is.
func (x *screen) typed(text string) {
	x.s.t.Helper()
	x.tmux("send-keys", "-l", text)
}

// sees waits until all of this is on the screen.
func (x *screen) sees(want ...string) string {
	x.s.t.Helper()
	deadline := time.Now().Add(patience)
	var last string
	for time.Now().Before(deadline) {
		last = x.text()
		all := true
		for _, w := range want {
			all = all && strings.Contains(last, w)
		}
		if all {
			return last
		}
		time.Sleep(100 * time.Millisecond)
	}
	x.s.t.Fatalf("the screen never showed %q:\n%s", want, last)
	return ""
}

// TestConsoleInTheLab: a switchover by keys, and a question about a crossing answered in
// the console, on real nodes.
func TestConsoleInTheLab(t *testing.T) {
	s := running(t)
	x := s.console(100, 32)
	x.sees("www", "ISP", "all 4 servers alive")
	for try := 0; !strings.Contains(x.text(), "service/www on LK_P_B"); try++ {
		if try == 20 {
			t.Fatalf("the cursor does not come to LK_P_B:\n%s", x.text())
		}
		x.keys("Right")
		time.Sleep(300 * time.Millisecond)
	}
	x.keys("i")
	x.sees("Put service/www in service on LK_P_B", "address 10.1.0.10/32 on eth0: LK_P_A", "carry it out")
	if got := s.ask(vip); got != "LK_P_A" {
		t.Errorf("a preview moved the service: a client finds %q", got)
	}
	x.keys("Enter")
	x.sees("is done. It took")
	if got := s.ask(vip); got != "LK_P_B" {
		t.Errorf("after the switchover a client finds %q", got)
	}
	x.keys("Escape")

	for _, n := range []string{"LK_P_A", "LK_P_B"} {
		if err := s.l.Guest(n).PowerOff(ctx(t)); err != nil {
			t.Fatal(err)
		}
	}
	x.sees("May service/www cross to region "+farRegion, "IS NOT PROVEN DEAD", "left")
	q := s.question()
	time.Sleep(time.Second) // a window that has just opened takes no answer
	x.keys("o")
	x.sees("Type the node's name")
	x.keys("Enter") // nothing is typed: nothing may happen
	x.sees("Type " + q.From + " first")
	if len(s.until("the question still there", func(*api.Snapshot) bool { return true }).Running) > 0 {
		t.Error("an answer went out that nobody had typed")
	}
	x.typed(q.From)
	x.keys("Enter")
	x.sees("Type the name of the region")
	x.typed(farRegion)
	x.keys("Enter")
	s.until("everything on LK_S_A", activeOn("LK_S_A"))
	x.sees("LK_S_A")
	if s.record() != "10.2.0.10" {
		t.Errorf("the name leads to %s", s.record())
	}
	got := s.until("the answer recorded", func(sn *api.Snapshot) bool { return len(pending(sn)) == 0 })
	for _, past := range got.Questions {
		if past.ID == q.ID && (past.Answer != "off" || past.By == "") {
			t.Errorf("recorded as %q by %q", past.Answer, past.By)
		}
	}
	x.keys("Escape")
	for try := 0; strings.Contains(x.text(), "Question "+q.ID); try++ { // keys in one breath would be one key
		if try == 50 {
			t.Fatalf("the window does not close:\n%s", x.text())
		}
		time.Sleep(100 * time.Millisecond)
	}
	x.keys("q")
	x.sees("the console ended with 0")
}
