package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// killAfter is how long a program that was told to end may take for it.
const killAfter = 2 * time.Second

// maxOutput bounds what is kept of a program's output, in bytes.
const maxOutput = 2 << 10

// run starts the program with the message on its standard input. Success is exit code
// 0. At the deadline the program and everything it started are told to end, then killed.
// It gets the engine's PATH, HOME and LANG, and FERRY_EVENT, FERRY_SEVERITY, FERRY_ESTATE.
func run(ctx context.Context, argv []string, m Message) error {
	in, err := body(m)
	if err != nil {
		return err
	}
	out := &limited{left: maxOutput}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Dir = bytes.NewReader(in), out, out, "/"
	cmd.Env = []string{"FERRY_EVENT=" + m.Event, "FERRY_SEVERITY=" + m.Severity, "FERRY_ESTATE=" + m.Estate}
	for _, name := range []string{"PATH", "HOME", "LANG"} {
		if v := os.Getenv(name); v != "" {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	killRest := together(cmd)
	cmd.WaitDelay = killAfter
	err = cmd.Run()
	if ctx.Err() != nil && cmd.Process != nil {
		killRest()
	}
	if errors.Is(err, syscall.EPIPE) || err == nil { // it need not read its input
		return nil
	}
	if said := clean(strings.TrimSpace(out.String()), 300); said != "" {
		return fmt.Errorf("%s: %w: %s", argv[0], err, said)
	}
	return fmt.Errorf("%s: %w", argv[0], err)
}

// limited keeps the first bytes and lets the rest go.
type limited struct {
	bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	l.Buffer.Write(p[:n])
	return len(p), nil
}
