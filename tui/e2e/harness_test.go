package e2e

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/vt"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/allkits"
	"github.com/ferry-ha/ferry/internal/demo"
	"github.com/ferry-ha/ferry/internal/sim/account"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/ec2"
	"github.com/ferry-ha/ferry/kits/route53"
	"github.com/ferry-ha/ferry/tui"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
)

// patience is how long (in virtual time) something may take to be seen.
const patience = 3 * time.Minute

// world is the simulated estate of a test.
type world struct {
	t *testing.T
	*demo.Demo
}

func registry(a account.Account) kits.Registry {
	return allkits.Of(ec2.New(a), route53.New(a).Asking(nil))
}

// bring brings the estate up, the small one: most journeys are about no data. It must be closed before the bubble ends.
func bring(t *testing.T, change func(*hierarchy.Estate)) world {
	t.Helper()
	return raise(t, demo.Options{Small: true, Change: change})
}

// raise brings up whatever estate the options say.
func raise(t *testing.T, o demo.Options) world {
	t.Helper()
	o.Kits, o.Person, o.Who, o.Version = registry, "anna", "test@host (1)", "test"
	d, err := demo.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return world{t, d}
}

// bubble runs a journey in virtual time, from the service in service on LK_P_A; nothing
// of the estate may be left at its end.
func bubble(t *testing.T, change func(*hierarchy.Estate), journey func(t *testing.T, w world)) {
	t.Helper()
	bubbleOf(t, demo.Options{Small: true, Change: change}, journey)
}

// bubbleOf is a bubble with whatever estate the options say.
func bubbleOf(t *testing.T, o demo.Options, journey func(t *testing.T, w world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := raise(t, o)
		defer func() {
			w.Close()
			time.Sleep(time.Minute) // what the emulator and idle connections leave
			synctest.Wait()
		}()
		w.settled("LK_P_A")
		journey(t, w)
	})
}

// serves waits until a client finds the service on a node.
func (w world) serves(node string) {
	w.t.Helper()
	for end := time.Now().Add(patience); w.Probe().Node != node; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("a client finds %+v, not %s", w.Probe(), node)
		}
	}
}

// settled waits until it runs there and nothing moves any more.
func (w world) settled(node string) {
	w.t.Helper()
	w.serves(node)
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		s, err := w.Connect(context.Background())
		if err != nil {
			w.t.Fatal(err)
		}
		sn, err := s.Snapshot(context.Background())
		if err != nil {
			w.t.Fatal(err)
		}
		if len(sn.Running) == 0 {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("still running: %+v", sn.Running)
		}
	}
}

// toggle breaks or mends.
func (w world) toggle(id string) {
	w.t.Helper()
	b := w.Find(id)
	if b == nil {
		w.t.Fatalf("there is nothing called %s to break", id)
	}
	if _, err := b.Toggle(); err != nil {
		w.t.Fatal(err)
	}
}

// desk is the estate for a person.
func (w world) desk(who string, role api.Role) tui.Desk {
	return tui.Desk{Name: "demo", Connect: func(ctx context.Context) (api.Service, error) {
		s, err := w.Connect(ctx)
		if err != nil {
			return nil, err
		}
		return api.As(s, api.Caller{Who: who, Role: role}), nil
	}, More: []tui.Extra{{Kind: demo.Kind, Label: func(p *text.Printer) string { return p.T("demo.title") }, Make: w.Page}}}
}

// console is the program on a terminal.
type console struct {
	t       *testing.T
	in      *io.PipeWriter
	resized chan tui.Size
	cancel  context.CancelFunc
	done    chan error
	ended   bool

	mu   sync.Mutex
	emu  *vt.Emulator
	wire bytes.Buffer
	cr   bool // the last byte was a CR
}

// options are a console of 80 × 24 on a desk.
func options(d ...tui.Desk) tui.Options {
	return tui.Options{Desks: d, Kits: registry(account.Account{}), Lang: text.English, Theme: theme.Dark, Width: 80, Height: 24,
		Env: []string{"TERM=xterm-256color", "LANG=en_US.UTF-8"}, Colors: colorprofile.ANSI256, Served: true}
}

// open runs a console. It must be left before the bubble ends.
func open(t *testing.T, o tui.Options) *console {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	c := &console{t: t, in: w, cancel: cancel, done: make(chan error, 1), emu: vt.NewEmulator(o.Width, o.Height), resized: make(chan tui.Size)}
	o.In, o.Out, o.Resized = r, c, c.resized
	go c.answers()
	go func() {
		err := tui.Run(ctx, o)
		_ = r.Close()
		c.done <- err
	}()
	return c
}

// answers gives the emulator's replies to the program, as a terminal does.
func (c *console) answers() {
	buf := make([]byte, 1024)
	for {
		n, err := c.emu.Read(buf)
		if n > 0 {
			_, _ = c.in.Write(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

// Write is the terminal's side of the wire: it turns LF into CR LF as a tty does.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wire.Write(p)
	for _, b := range p {
		if b == '\n' && !c.cr {
			_, _ = c.emu.Write([]byte{'\r'})
		}
		c.cr = b == '\r'
		_, _ = c.emu.Write([]byte{b})
	}
	return len(p), nil
}

// screen is what a person sees.
func (c *console) screen() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.emu.String()
}

// bytes is everything that went over the wire.
func (c *console) bytes() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wire.String()
}

var keys = map[string]string{"enter": "\r", "esc": "\x1b", "tab": "\t", "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "backspace": "\x7f", "ctrl+c": "\x03", "home": "\x1b[H", "end": "\x1b[F"}

// press types keys by their names; other words are typed letter by letter.
func (c *console) press(all ...string) {
	c.t.Helper()
	for _, k := range all {
		seq, named := keys[k]
		if named {
			c.type1(seq)
			if k == "esc" { // alone it is only known from what does not follow it
				time.Sleep(200 * time.Millisecond)
				settle()
			}
			continue
		}
		for _, r := range k {
			c.type1(string(r))
		}
	}
}

// choose presses a key of a prompt until it shows what comes next: one that has only
// just opened says that it did not take the key, and to press it again.
func (c *console) choose(key, next string) {
	c.t.Helper()
	c.until(func(s string) string {
		if strings.Contains(s, next) {
			return ""
		}
		c.press(key)
		if strings.Contains(c.screen(), next) {
			return ""
		}
		return key + " does not lead to " + next
	})
}

func (c *console) type1(s string) {
	if _, err := io.WriteString(c.in, s); err != nil {
		c.t.Fatalf("typing %q: %v", s, err)
	}
	settle()
}

// settle lets the program take what came and draw it.
func settle() {
	time.Sleep(50 * time.Millisecond) // longer than a frame
	synctest.Wait()
}

// see waits until all words are on the screen at once.
func (c *console) see(words ...string) string {
	c.t.Helper()
	return c.until(func(s string) string {
		for _, w := range words {
			if !strings.Contains(s, w) {
				return "it does not show " + w
			}
		}
		return ""
	})
}

// gone waits until none of the words is on the screen.
func (c *console) gone(words ...string) {
	c.t.Helper()
	c.until(func(s string) string {
		for _, w := range words {
			if strings.Contains(s, w) {
				return "it still shows " + w
			}
		}
		return ""
	})
}

// match waits until the screen matches.
func (c *console) match(re string) string {
	c.t.Helper()
	r := regexp.MustCompile(re)
	return c.until(func(s string) string {
		if !r.MatchString(s) {
			return "nothing matches " + re
		}
		return ""
	})
}

func (c *console) until(wrong func(screen string) string) string {
	c.t.Helper()
	for end := time.Now().Add(patience); ; {
		settle()
		s := c.screen()
		why := wrong(s)
		if why == "" {
			return s
		}
		select {
		case err := <-c.done:
			c.done <- err
			c.t.Fatalf("the console ended (%v) while waited for: %s\n%s", err, why, s)
		default:
		}
		if time.Now().After(end) {
			c.t.Fatalf("waited %s: %s\n%s", patience, why, s)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// resize is the person pulling at the window's corner.
func (c *console) resize(w, h int) {
	c.mu.Lock()
	c.emu.Resize(w, h)
	c.mu.Unlock()
	c.resized <- tui.Size{W: w, H: h}
	settle()
}

// leave quits by the key and checks that the terminal is as it was.
func (c *console) leave() {
	c.t.Helper()
	if c.ended {
		return
	}
	c.type1("\x03")
	c.over(nil)
}

// over waits for the program's end and looks at what it left behind.
func (c *console) over(want error) {
	c.t.Helper()
	c.ended = true
	select {
	case err := <-c.done:
		if (err == nil) != (want == nil) {
			c.t.Errorf("the console ended with %v", err)
		}
	case <-time.After(patience):
		buf := make([]byte, 1<<20)
		c.t.Fatalf("the console did not end\n%s", buf[:runtime.Stack(buf, true)])
	}
	c.cancel()
	_ = c.in.Close()
	settle()
	c.restored()
	_ = c.emu.Close()
	close(c.resized)
}

// restored: the main screen is back, the cursor to be seen, no mouse, no paste mode.
func (c *console) restored() {
	c.t.Helper()
	c.mu.Lock()
	alt := c.emu.IsAltScreen()
	c.mu.Unlock()
	if alt {
		c.t.Error("the alternate screen was not left")
	}
	wire := c.bytes()
	for mode, name := range map[string]string{"25": "the cursor"} {
		if strings.LastIndex(wire, "\x1b[?"+mode+"l") > strings.LastIndex(wire, "\x1b[?"+mode+"h") {
			c.t.Errorf("%s stays hidden", name)
		}
	}
	for mode, name := range map[string]string{"1002": "the mouse", "1003": "the mouse", "1006": "the mouse", "2004": "paste mode"} {
		if strings.LastIndex(wire, "\x1b[?"+mode+"h") > strings.LastIndex(wire, "\x1b[?"+mode+"l") {
			c.t.Errorf("%s stays on", name)
		}
	}
}
