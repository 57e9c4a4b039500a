package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/internal/demo"
	"mvdan.cc/sh/v3/shell"
)

// TestFirstEstate follows docs/first-estate.md word by word, on the simulated servers that it speaks of. The comments in the
// page say what the hand at the first terminal does (break), what to wait for (until), and with what a command ends that is
// refused on purpose (ends with).
func TestFirstEstate(t *testing.T) {
	if testing.Short() {
		t.Skip("left out: it takes the minutes that the page promises")
	}
	t.Parallel()
	page, err := os.ReadFile("../../docs/first-estate.md")
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{t: t, socket: filepath.Join(t.TempDir(), "s")}
	d, err := openDemo(t.Context(), demo.Options{Person: "anna", Who: "the test", Bare: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Serve(t.Context(), r.socket); err != nil {
		t.Fatal(err)
	}
	r.demo = d
	part, _, _ := strings.Cut(string(page), "## Part two")
	r.follow(part)
	if r.ran < 15 || r.broke != 4 || r.waited < 8 {
		t.Errorf("ran %d commands, broke %d things, waited %d times", r.ran, r.broke, r.waited)
	}
}

// reader does what a page says.
type reader struct {
	t                  *testing.T
	demo               *demo.Demo
	socket             string
	ran, broke, waited int
}

var (
	breaks   = regexp.MustCompile(`^<!-- break: (\S+) -->$`)
	until    = regexp.MustCompile(`^<!-- until: (.*) -->$`)
	endsWith = regexp.MustCompile(`^<!-- ends with (\d+) -->$`)
)

func (r *reader) follow(page string) {
	fenced := false
	lines := strings.Split(page, "\n")
	for i, l := range lines {
		switch m := breaks.FindStringSubmatch(l); {
		case strings.HasPrefix(l, "```"):
			fenced = !fenced
		case m != nil:
			r.toggle(m[1])
		case until.MatchString(l):
			r.wait(until.FindStringSubmatch(l)[1])
		case fenced && strings.HasPrefix(l, "ferry "):
			r.run(l, wanted(lines[i+1:]))
		}
	}
}

// wanted is the exit code that is announced behind a block; 0 else.
func wanted(after []string) int {
	for _, l := range after {
		if m := endsWith.FindStringSubmatch(l); m != nil {
			n, _ := strconv.Atoi(m[1])
			return n
		}
		if l != "" && l != "```" {
			break
		}
	}
	return 0
}

func (r *reader) toggle(id string) {
	r.t.Helper()
	b := r.demo.Find(id)
	if b == nil {
		r.t.Fatalf("page 9 has no %s", id)
	}
	if _, err := b.Toggle(); err != nil {
		r.t.Fatalf("%s: %v", id, err)
	}
	r.broke++
}

// run runs one command, as a person does who says yes where the page says so.
func (r *reader) run(line string, want int) {
	r.t.Helper()
	words, err := shell.Fields(line, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	args := words[1:]
	switch {
	case args[0] == "demo" || slices.Contains(args, "--watch"):
		return // the first terminal; what goes on until it is ended
	case args[0] == "apply" || args[0] == "in-service":
		args = append(args, "--yes")
	}
	for i, a := range args {
		if strings.HasPrefix(a, "examples/") {
			args[i] = "../../" + a
		}
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), 3*time.Minute)
	defer cancel()
	var out bytes.Buffer
	a := &cli{deps: wired(), in: strings.NewReader(""), out: &out, err: &out, now: time.Now, getenv: func(name string) string {
		if name == "FERRY_SOCKET" {
			return r.socket
		}
		return ""
	}}
	got := a.run(ctx, args)
	r.ran++
	first := r.ran == 1 && args[0] == "status" // before the first definition
	if got != want && !first {
		r.t.Fatalf("%s ended with %d, want %d:\n%s", line, got, want, out.String())
	}
	if first && (got == 0 || !strings.Contains(out.String(), "no estate is defined here yet")) {
		r.t.Fatalf("%s ended with %d:\n%s", line, got, out.String())
	}
	r.t.Logf("%s\n%s", line, out.String())
}

// wait waits for what the page waits for: "TAG on NODE, in sync: NODE …", or "a question".
func (r *reader) wait(what string) {
	r.t.Helper()
	r.waited++
	ctx, cancel := context.WithTimeout(r.t.Context(), 4*time.Minute)
	defer cancel()
	for {
		s, why := r.look(ctx, what)
		if why == "" {
			return
		}
		select {
		case <-ctx.Done():
			r.t.Fatalf("waiting for %s: %s: %+v", what, why, s)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (r *reader) look(ctx context.Context, what string) (*api.Snapshot, string) {
	c, err := r.demo.Connect(ctx)
	if err != nil {
		return nil, err.Error()
	}
	s, err := c.Snapshot(ctx)
	if err != nil {
		return nil, err.Error()
	}
	if what == "a question" {
		if len(s.Questions) == 0 {
			return s, "nothing is asked"
		}
		return s, ""
	}
	where, synced, _ := strings.Cut(what, ", in sync: ")
	tag, node, _ := strings.Cut(where, " on ")
	for _, res := range s.Resources {
		if string(res.Tag) == tag && (res.Active != node || len(s.Running) > 0) {
			return s, tag + " is on " + res.Active
		}
		if res.Data == nil {
			continue
		}
		for _, n := range strings.Fields(synced) {
			if state := res.Data.Nodes[n]["state"]; !strings.Contains(state, "in sync") {
				return s, n + " is " + state
			}
		}
	}
	return s, ""
}
