package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/vt"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/internal/demo"
	"github.com/ferry-ha/ferry/tui"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
)

// The size of the pictures, in cells.
const (
	columns, lines = 120, 34
)

// patience bounds one wait.
const patience = 60 * time.Second

// session is the console in a terminal emulator.
type session struct {
	demo   *demo.Demo
	screen *vt.SafeEmulator
	keys   *io.PipeWriter
	done   chan error
	stop   context.CancelFunc
}

// terminal lets output begin every line at its left edge, as a terminal's driver does.
type terminal struct{ *vt.SafeEmulator }

func (t terminal) Write(p []byte) (int, error) {
	if _, err := t.SafeEmulator.Write(bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, err
	}
	return len(p), nil
}

func open(ctx context.Context, d *demo.Demo, lang text.Lang) (*session, error) {
	ctx, stop := context.WithCancel(ctx)
	in, keys := io.Pipe()
	s := &session{demo: d, screen: vt.NewSafeEmulator(columns, lines), keys: keys, done: make(chan error, 1), stop: stop}
	go func() { _, _ = io.Copy(keys, s.screen) }() // what the terminal answers when it is asked
	go func() {
		s.done <- tui.Run(ctx, tui.Options{
			Desks: []tui.Desk{{Name: "cross-region", Connect: d.Connect}},
			Kits:  d.Kits(), Lang: lang, Theme: theme.Dark, In: in, Out: terminal{s.screen}, Served: true,
			Env: []string{"TERM=xterm-256color", "COLORTERM=truecolor"}, Width: columns, Height: lines, Colors: colorprofile.TrueColor,
		})
	}()
	return s, nil
}

// close ends the console.
func (s *session) close() error {
	s.stop()
	_ = s.keys.Close()
	_ = s.screen.Close()
	select {
	case err := <-s.done:
		return err
	case <-time.After(patience):
		return fmt.Errorf("the console did not end")
	}
}

var bytesOf = map[string]string{"esc": "\x1b", "enter": "\r", "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D"}

// press presses keys, with pauses: an escape must not melt into what follows it.
func (s *session) press(keys ...string) error {
	for _, k := range keys {
		if b, ok := bytesOf[k]; ok {
			k = b
		}
		if _, err := io.WriteString(s.keys, k); err != nil {
			return err
		}
		time.Sleep(150 * time.Millisecond)
	}
	return nil
}

// wait waits until a text is on the screen.
func (s *session) wait(ctx context.Context, want string) error {
	err := s.until(ctx, want, func() bool { return strings.Contains(s.text(), want) })
	time.Sleep(300 * time.Millisecond) // until the frame is whole
	return err
}

func (s *session) until(ctx context.Context, what string, ok func() bool) error {
	end := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(end) || ctx.Err() != nil {
			return fmt.Errorf("%s: it never came; the screen:\n%s", what, s.text())
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil
}

// text is the screen without its styles.
func (s *session) text() string {
	var b strings.Builder
	for y := range s.screen.Height() {
		for x := 0; x < s.screen.Width(); {
			c := s.screen.CellAt(x, y)
			if c == nil || c.Content == "" {
				b.WriteByte(' ')
				x++
				continue
			}
			b.WriteString(c.Content)
			x += max(1, c.Width)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// snapshot is what the engine knows; nil when it does not answer.
func (s *session) snapshot(ctx context.Context) *api.Snapshot {
	e, err := s.demo.Connect(ctx)
	if err != nil {
		return nil
	}
	sn, err := e.Snapshot(ctx)
	if err != nil {
		return nil
	}
	return sn
}

// whole tells whether every node that has power has all of the data, and nothing is under way.
func (s *session) whole(ctx context.Context) bool {
	sn := s.snapshot(ctx)
	return sn != nil && len(sn.Running) == 0 && demo.Whole(sn.Resources, func(n string) bool { return s.demo.Find("power/" + n).Broken() })
}

// asked tells whether the engine waits for a person.
func (s *session) asked(ctx context.Context) bool {
	sn := s.snapshot(ctx)
	if sn == nil {
		return false
	}
	for _, q := range sn.Questions {
		if q.State == policy.Pending {
			return true
		}
	}
	return false
}
