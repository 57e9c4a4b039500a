package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// In tmux everything is real but the estate: the built binary, a terminal, the clock.
// Waits end as soon as the screen says what is waited for; on a machine that is busy with
// other tests, seconds become minutes.
const realPatience = 3 * time.Minute

// needs is a program without which a journey cannot be; where all of them must be there
// (FERRY_REQUIRE_REAL), a missing one is a failure.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err == nil {
			continue
		}
		if os.Getenv("FERRY_REQUIRE_REAL") != "" {
			t.Fatalf("%s is not installed", p)
		}
		t.Skipf("%s is not installed", p)
	}
}

// binary builds the program once, into a directory that TestMain removes.
var binary = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(scratch, "ferry")
	out, err := exec.Command("go", "build", "-o", bin, "../../cmd/ferry").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return bin, nil
})

// ferry is the built program.
func ferry(t *testing.T) string {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// pane is a terminal with a program in it.
type pane struct {
	t   *testing.T
	dir string // home of the program, and of tmux's socket
	env []string
}

// newPane runs a command line of sh in a terminal of that size. When the program has
// ended the pane says so, with its exit code, and stays.
func newPane(t *testing.T, w, h int, command string, env ...string) *pane {
	t.Helper()
	needs(t, "tmux")
	dir, err := os.MkdirTemp("", "ft") // short: a socket lies in it
	if err != nil {
		t.Fatal(err)
	}
	p := &pane{t: t, dir: dir, env: append([]string{"TMUX_TMPDIR=" + dir, "TMPDIR=" + dir, "HOME=" + dir, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "TERM=xterm-256color", "SHELL=/bin/sh"}, env...)}
	t.Cleanup(func() {
		_ = p.tmux("kill-server").Run()
		_ = os.RemoveAll(dir)
	})
	p.run("new-session", "-d", "-x", fmt.Sprint(w), "-y", fmt.Sprint(h), "/bin/sh", "-c", command+`; echo "ended with $?"; exec sleep 1000`)
	return p
}

func (p *pane) tmux(args ...string) *exec.Cmd {
	c := exec.Command("tmux", append([]string{"-f", "/dev/null", "-u"}, args...)...)
	c.Env = p.env
	return c
}

func (p *pane) run(args ...string) string {
	p.t.Helper()
	out, err := p.tmux(args...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return string(out)
}

func (p *pane) screen() string { return p.run("capture-pane", "-p") }

// press sends keys by tmux's names ("Enter", "Escape", "Down"); write sends text.
func (p *pane) press(keys ...string) {
	p.t.Helper()
	for _, k := range keys {
		p.run("send-keys", k)
		if k == "Escape" { // alone it is only known by what does not follow it for a moment
			time.Sleep(250 * time.Millisecond)
		}
	}
}

// choose presses a key of a prompt until it shows what comes next: one that has only
// just opened says that it did not take the key, and to press it again.
func (p *pane) choose(key, next string) {
	p.t.Helper()
	for end := time.Now().Add(realPatience); ; time.Sleep(300 * time.Millisecond) {
		if s := p.screen(); strings.Contains(s, next) {
			return
		} else if time.Now().After(end) {
			p.t.Fatalf("%s does not lead to %q:\n%s", key, next, s)
		}
		p.press(key)
		for i := 0; i < 10 && !strings.Contains(p.screen(), next); i++ {
			time.Sleep(50 * time.Millisecond)
		}
	}
}

func (p *pane) write(text string) { p.run("send-keys", "-l", text) }

// leave presses escape until words are there: once more where something changed meanwhile, and the window says so.
func (p *pane) leave(words string) {
	p.t.Helper()
	for range 5 {
		p.press("Escape")
		for range 20 {
			if strings.Contains(p.screen(), words) {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	p.see(words)
}

// see waits until all words are on the screen at once.
func (p *pane) see(words ...string) string {
	p.t.Helper()
	for end := time.Now().Add(realPatience); ; time.Sleep(50 * time.Millisecond) {
		s, missing := p.screen(), ""
		for _, w := range words {
			if !strings.Contains(s, w) {
				missing = w
			}
		}
		if missing == "" {
			return s
		}
		if time.Now().After(end) {
			p.t.Fatalf("waited %s for %q:\n%s", realPatience, missing, s)
		}
	}
}

// match waits until the screen matches.
func (p *pane) match(re string) {
	p.t.Helper()
	r := regexp.MustCompile(re)
	for end := time.Now().Add(realPatience); ; time.Sleep(50 * time.Millisecond) {
		if s := p.screen(); r.MatchString(s) {
			return
		} else if time.Now().After(end) {
			p.t.Fatalf("waited %s for %s:\n%s", realPatience, re, s)
		}
	}
}

// The README's first command, as a newcomer follows what the screen says.
func TestTmuxNewcomer(t *testing.T) {
	t.Parallel()
	p := newPane(t, 80, 24, ferry(t)+" demo")
	p.see("Welcome to ferry", "Press enter")
	p.press("Enter")
	p.see("The service runs on LK_P_A. Put the cursor", "LK_P_A answers")
	p.press("Enter")
	p.see("Now power off LK_P_B", "LK_P_B answers", "none ever lost")
	p.press("Down", "Enter")
	p.see("Question", "NOT PROVEN DEAD", "DATA LOSS")
	p.choose("o", "Type the node's name")
	p.write("LK_P_B")
	p.press("Enter")
	p.see("Typing this accepts that loss")
	p.write("ap-southeast-1")
	p.press("Enter")
	p.see("Answered: it is off")
	p.press("Escape")
	p.see("The service runs in the other region, on LK_S_A")
	p.press("q")
	p.see("ended with 0")
	if s := p.screen(); strings.Contains(s, "Power off") {
		t.Errorf("the screen was not restored:\n%s", s)
	}
}

// The node that is the source of the data loses its power: the whole hierarchy comes up on
// the other node, and the old source comes back as a target.
func TestTmuxSourceLosesPower(t *testing.T) {
	t.Parallel()
	p := newPane(t, 120, 40, ferry(t)+" demo")
	p.see("Welcome to ferry")
	p.press("Enter")
	p.see("The service runs on LK_P_A. Put the cursor", "none ever lost")
	p.press("Enter")
	p.see("NO ANSWER")
	p.see("LK_P_B answers", "none ever lost")
	p.press("1")
	for _, r := range []string{"LSNR.LISTENER", "ORCL", "oradata", "datakeeper-oradata", "route53-www", "ec2-route53", "ip-route53"} {
		p.match(regexp.QuoteMeta(r) + ` .*ILL 1.*I.[PU] 2`)
	}
	p.press(":")
	p.write("datakeeper-oradata")
	p.press("Enter")
	p.match(`Source +LK_P_B, generation 2`)
	p.press("9", "Enter") // its power comes back
	p.see("Mended: Power off LK_P_A")
	p.press("3")
	p.match(`LK_P_A  Target  in sync  synchronous`)
	p.see("LK_P_A has all of the data")
	p.press("1")
	p.match(`LSNR.LISTENER .*OSU 1.*ISP 2`)
}

func TestTmuxRefusedAndWithdrawn(t *testing.T) {
	t.Parallel()
	p := newPane(t, 120, 40, ferry(t)+" demo --small")
	p.see("Welcome to ferry")
	p.press("Enter")
	p.see("LK_P_A answers")
	p.press("Enter")
	p.see("LK_P_B answers")
	p.press("Down", "Enter")
	p.see("Question", "NOT PROVEN DEAD")
	p.choose("o", "Type the node's name")
	p.write("LK_P")
	p.leave("Press ! and answer")
	p.press("Enter") // the power comes back: nobody needs to be asked any more
	p.see("LK_P_B answers")
	p.press("Enter")
	p.see("Question", "NOT PROVEN DEAD")
	p.choose("n", "Type no")
	p.write("no")
	p.press("Enter")
	p.see("Answered: no")
	p.press("Escape")
	p.see("Nothing moves")
}

func TestTmuxJapanese(t *testing.T) {
	t.Parallel()
	p := newPane(t, 80, 24, ferry(t)+" demo", "LC_ALL=C.UTF-8", "LANG=ja_JP.UTF-8")
	p.see("Welcome to ferry") // LC_ALL wins
	p.press("Escape")
	p.press("L")
	p.see("階層")
	p.press("9")
	p.see("次は:", "サービスは LK_P_A で動いています。「LK_P_A の電源を切る」", "LK_P_A が応答中", "失われた行なし")
	p.press("Enter")
	p.see("LK_P_B の電源も切ってください")
	p.press("q")
	p.see("ended with 0")
	q := newPane(t, 80, 24, ferry(t)+" demo --lang ja --theme light")
	q.see("ferry へようこそ")
}

func TestTmuxHelpPaletteAndSizes(t *testing.T) {
	t.Parallel()
	p := newPane(t, 80, 24, ferry(t)+" demo")
	p.see("Welcome to ferry")
	p.press("1")
	p.see("ISP")
	p.press("?")
	p.see("Keys: Hierarchies", "in service here")
	p.press("Escape")
	p.press(":")
	p.write("LK_S_B")
	p.press("Enter")
	p.see("LK_S_B", "172.16.10.10")
	p.press("7")
	p.see("service/ORCL")
	p.press("/")
	p.write("nothingofthekind")
	p.press("Enter", "Escape")
	p.see("service/ORCL")
	p.press("1")
	for _, z := range [][2]int{{200, 60}, {61, 17}, {30, 8}, {120, 40}} {
		p.run("resize-window", "-x", fmt.Sprint(z[0]), "-y", fmt.Sprint(z[1]))
		want := "ISP"
		if z[0] < 60 {
			want = "too small"
		}
		p.see(want)
	}
}

func TestTmuxEngineLostAndFoundAgain(t *testing.T) {
	t.Parallel()
	p := newPane(t, 120, 40, ferry(t)+" demo")
	p.see("Welcome to ferry")
	p.press("Enter")
	p.see("LK_P_A answers")
	p.press("G")
	p.see("another one takes over")
	p.press("Enter")
	p.see("has not answered")
	p.see("automation on", "LK_P_A answers")
	for end := time.Now().Add(realPatience); strings.Contains(p.screen(), "has not answered"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it was not found again:\n%s", p.screen())
		}
	}
}

// A program that is told to end gives the terminal back.
func TestTmuxTerminated(t *testing.T) {
	t.Parallel()
	p := newPane(t, 80, 24, `sh -c 'echo $$ >"$HOME/pid"; exec "$0" demo' `+ferry(t))
	p.see("Welcome to ferry")
	pid, err := os.ReadFile(filepath.Join(p.dir, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("kill", "-TERM", strings.TrimSpace(string(pid))).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	if s := p.see("ended with"); strings.Contains(s, "Welcome") {
		t.Errorf("the screen was not restored:\n%s", s)
	}
	if left, _ := filepath.Glob(filepath.Join(p.dir, "ferry-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A window that is closed ends the program in order: nothing of it stays.
func TestTmuxWindowClosed(t *testing.T) {
	t.Parallel()
	p := newPane(t, 80, 24, "exec "+ferry(t)+" demo")
	p.see("Welcome to ferry")
	left := func() []string { all, _ := filepath.Glob(filepath.Join(p.dir, "ferry-*")); return all }
	if len(left()) == 0 {
		t.Fatal("the demo keeps its keys somewhere else: nothing is tested here")
	}
	p.run("kill-server")
	for end := time.Now().Add(realPatience); len(left()) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("left behind: %v", left())
		}
	}
}

func TestTmuxWithoutAnEngine(t *testing.T) {
	t.Parallel()
	p := newPane(t, 100, 24, ferry(t), "FERRY_SOCKET=/nonexistent/e.sock")
	p.see("no engine answers at /nonexistent/e.sock", "ferry demo", "ended with 69")
}
