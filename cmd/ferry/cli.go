package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/spf13/cobra"
)

// cli is one run of the command: its streams, its flags, its way to an engine.
type cli struct {
	deps   deps
	in     io.Reader
	out    io.Writer
	err    io.Writer
	getenv func(string) string
	now    func() time.Time

	outStyle, errStyle term.Style
	flags              globals
	// quiet: the command says itself what it means that no engine runs.
	quiet bool
}

// globals are the flags of every command.
type globals struct {
	output   string
	socket   string
	stateDir string
	noColor  bool
	ascii    bool
	verbose  bool
	timeout  time.Duration
}

// newApp is a run on the process's own streams.
func newApp(d deps) *cli {
	return &cli{deps: d, in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv, now: time.Now}
}

// run carries one command line out and returns the exit code.
func (a *cli) run(ctx context.Context, args []string) int {
	a.outStyle, a.errStyle = term.Detect(a.out, a.getenv), term.Detect(a.err, a.getenv)
	root := a.root()
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(a.err)
	err := root.ExecuteContext(ctx)
	if err != nil {
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			err = fail(api.KindFailed, "", "interrupted")
		}
		printError(a.err, err, a.errStyle)
	}
	return exitCode(err)
}

// settle applies the global flags before a command runs.
func (a *cli) settle(cmd *cobra.Command) error {
	switch a.flags.output {
	case "table", "json", "yaml":
	default:
		return usage("write -o table, -o json or -o yaml", "unknown output format %q", a.flags.output)
	}
	if a.flags.timeout < 0 {
		return usage("", "--timeout %s is negative", a.flags.timeout)
	}
	for _, st := range []*term.Style{&a.outStyle, &a.errStyle} {
		st.Color = st.Color && !a.flags.noColor
		st.ASCII = st.ASCII || a.flags.ascii
	}
	if a.flags.timeout > 0 {
		ctx, cancel := context.WithTimeoutCause(cmd.Context(), a.flags.timeout,
			fail(api.KindTimeout, "", "--timeout of %s ran out", a.flags.timeout))
		cmd.SetContext(ctx)
		cobra.OnFinalize(cancel)
	}
	return nil
}

// say writes a message for people.
func (a *cli) say(format string, args ...any) { fmt.Fprintf(a.err, format+"\n", args...) }

// interactive tells whether somebody is there to be asked.
func (a *cli) interactive() bool { return term.IsTerminal(a.in) }

// ask puts a question to the person at the terminal and reads a line. The
// terminal itself is used, so that a redirected stderr does not swallow the question.
func (a *cli) ask(ctx context.Context, question string) (string, error) {
	if !a.interactive() {
		return "", errors.New("nobody is there to be asked")
	}
	var in, out = a.in, a.err
	if tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0); err == nil {
		defer tty.Close()
		in, out = tty, tty
	}
	fmt.Fprint(out, question+" ")
	type read struct {
		line string
		err  error
	}
	got := make(chan read, 1)
	go func() {
		line, err := bufio.NewReader(in).ReadString('\n')
		got <- read{line, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(out)
		return "", ctx.Err()
	case r := <-got:
		if r.err != nil && r.line == "" {
			return "", fmt.Errorf("reading the answer: %w", r.err)
		}
		return strings.TrimSpace(r.line), nil
	}
}

// confirmed asks a yes-or-no question; only a plain yes is one.
func (a *cli) confirmed(ctx context.Context, question string) error {
	answer, err := a.ask(ctx, question+" [y/N]")
	if err != nil {
		return err
	}
	switch strings.ToLower(answer) {
	case "y", "yes":
		return nil
	}
	return fail(api.KindFailed, "", "nothing was done: you did not say yes")
}
