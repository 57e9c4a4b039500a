package sshexec

import (
	"bufio"
	"context"
	"io"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/sshexec/wire"
)

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReader(r) }

func TestRunOneConnectionOneShell(t *testing.T) {
	s, n := start(t, Options{})
	for range 3 {
		f := must(t, n, sh("a", `echo "$1"; exit 7`, "it's"))
		if string(f.Stdout) != "it's\n" || f.Exit != 7 || f.Status != wire.Done {
			t.Fatalf("got %+v", f)
		}
	}
	connections, commands := s.seen()
	if connections != 1 || len(commands) != 1 || commands[0] != wire.ShellCommand {
		t.Errorf("%d connections, commands %q; want one of each", connections, commands)
	}
}

func TestHungJobDelaysNobody(t *testing.T) {
	_, n := start(t, Options{})
	must(t, n, sh("warm", "true"))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	hung := make(chan wire.Frame, 1)
	go func() {
		f, _ := n.Run(ctx, wire.Job{ID: "hung", Body: "sleep 30", Deadline: 15 * time.Second})
		hung <- f
	}()
	frames, err := n.RunAll(ctx, []wire.Job{
		{ID: "slow", Body: "sleep 30", Deadline: 300 * time.Millisecond}, sh("quick", "echo yes"),
	})
	if err != nil || string(frames["quick"].Stdout) != "yes\n" || frames["slow"].Status != wire.Deadline {
		t.Fatalf("got %+v, %v", frames, err)
	}
	select {
	case f := <-hung:
		t.Errorf("the request waited behind another's hung job: %+v", f)
	default:
	}
}

func TestInvalidRequestIsNotSent(t *testing.T) {
	s, n := start(t, Options{})
	_, err := n.Run(context.Background(), sh("a", "echo \x00"))
	if KindOf(err) != Invalid {
		t.Errorf("got %v", err)
	}
	if c, _ := s.seen(); c != 0 {
		t.Errorf("%d connections for an invalid request", c)
	}
}

func TestWatch(t *testing.T) {
	s, n := start(t, Options{})
	ctx := context.Background()
	must(t, n, sh("warm", "true"))
	text, err := n.Watch(ctx, `printf '%s,' "$@"`, "a b", "it's")
	if err != nil || text != "a b,it's," {
		t.Errorf("got %q, %v", text, err)
	}
	_, err = n.Watch(ctx, "echo no such peer >&2; exit 3")
	if KindOf(err) != Failed {
		t.Fatalf("got %v", err)
	}
	same(t, err.Error(), "LK_P_A: watch: the script ended with 3: no such peer")
	if c, shells := s.seen(); c != 1 || len(shells) != 2 {
		t.Errorf("%d connections, %d shells; it has a shell of its own on the same connection", c, len(shells))
	}
}

func TestLight(t *testing.T) {
	s, n := start(t, Options{})
	ctx := context.Background()
	must(t, n, sh("warm", "true"))
	f, err := n.Light(ctx, wire.Job{Body: `printf '%s,' "$@"; echo oops >&2; exit 3`, Args: []string{"a b", "it's"}})
	if err != nil || f.Exit != 3 || string(f.Stdout) != "a b,it's,\n" || len(f.Stderr) != 0 {
		t.Errorf("got %+v, %v", f, err)
	}
	// One that hangs costs its own answer and its shell, not the next one's.
	if _, err = n.Light(ctx, wire.Job{Body: "sleep 3", Deadline: 100 * time.Millisecond}); KindOf(err) != Deadline {
		t.Errorf("got %v", err)
	}
	begin := time.Now()
	if f, err = n.Light(ctx, wire.Job{Body: "echo next"}); err != nil || string(f.Stdout) != "next\n" {
		t.Errorf("got %+v, %v", f, err)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("it waited %v for the one that hung", took)
	}
	if _, err = n.Light(ctx, wire.Job{Body: "cat", Stdin: []byte("x")}); KindOf(err) != Invalid {
		t.Errorf("got %v", err)
	}
	if c, shells := s.seen(); c != 1 || len(shells) != 3 {
		t.Errorf("%d connections, %d shells; two of its own on the same connection", c, len(shells))
	}
}
