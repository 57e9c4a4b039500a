package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
)

// breakWithin bounds the commands that break and mend.
const breakWithin = time.Minute

// breakIt has the service broken: by the command, or by the person who is asked to.
func (r *rehearsal) breakIt(ctx context.Context) error {
	if r.d.breaks == "" {
		r.app.say("now break %s on %s, in a way that you can undo: kill its process, stop its unit, or switch the server off\nthe drill waits %s for the engine to act; an interrupt ends it", r.res.Tag, r.from, r.d.wait)
		return nil
	}
	r.app.say("breaking %s on %s: %s", r.res.Tag, r.from, r.d.breaks)
	r.broke = true // whatever becomes of it: half of it may have been done
	return runHere(ctx, "--break-command", r.d.breaks)
}

// mendIt undoes what breakIt's command did.
func (r *rehearsal) mendIt(ctx context.Context) error {
	if !r.broke || r.d.mends == "" {
		return nil
	}
	r.broke = false
	r.app.say("mending: %s", r.d.mends)
	return runHere(ctx, "--mend-command", r.d.mends)
}

// runHere runs a person's command on this machine. What it leaves running when it ends is its own.
func runHere(ctx context.Context, flag, command string) error {
	ctx, cancel := context.WithTimeout(ctx, breakWithin)
	defer cancel()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	endTogether(cmd)
	cmd.WaitDelay = time.Second
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		return nil
	case ctx.Err() != nil:
		err = fmt.Errorf("not done within %s", breakWithin)
	}
	text := strings.TrimSpace(term.Clean(said.String()))
	return fmt.Errorf("%s (%s): %w: %s", flag, command, err, text[:min(len(text), 300)])
}
