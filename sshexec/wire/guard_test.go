package wire

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRecord(t *testing.T) {
	each(t, func(t *testing.T, c *channel, _ func() *channel) {
		record := filepath.Join(c.root, "var/lib/ferry/record")
		n := 0
		ask := func(estate, engine string, epoch uint64, after ...uint64) Frame {
			n++
			g := &Guard{Unit: "ferry-op-" + string(rune('a'+n)), Lock: "ip", Estate: estate, Engine: engine, Epoch: epoch}
			if len(after) > 0 {
				g.After, g.Leader, g.Since = after[0], "anna@laptop (7)", time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
			}
			return c.run(Job{Body: "echo ran", Guard: g})
		}
		for _, step := range []struct {
			estate, engine string
			epoch          uint64
			status         Status
			message        string
			record         string
		}{
			{"tokyo", "bastion", 8, Done, "", "estate=tokyo\nengine=bastion\nepoch=8\n"},
			{"tokyo", "bastion", 8, Done, "", "estate=tokyo\nengine=bastion\nepoch=8\n"},
			{"osaka", "bastion", 9, Refused, "this node belongs to another estate: engine bastion of estate tokyo leads it at epoch 8; the caller was engine bastion of estate osaka", ""},
			{"tokyo", "laptop", 8, Refused, "this node has another leader: engine bastion of estate tokyo leads it at epoch 8; the caller was engine laptop at the same epoch", ""},
			{"tokyo", "bastion", 7, Refused, "this node has a newer leader: engine bastion of estate tokyo leads it at epoch 8; the caller was engine bastion at epoch 7", ""},
			{"tokyo", "bastion", 9, Done, "", "estate=tokyo\nengine=bastion\nepoch=9\n"},
			{"tokyo", "laptop", 10, Refused, "this node has another leader: engine bastion of estate tokyo leads it at epoch 9; the caller was engine laptop at epoch 10, which has not adopted the estate from it", ""},
		} {
			f := ask(step.estate, step.engine, step.epoch)
			if f.Status != step.status || strings.TrimSpace(string(f.Stderr)) != step.message || (f.Status == Done) != (string(f.Stdout) == "ran\n") {
				t.Errorf("%+v: got %s %d %q %q", step, f.Status, f.Exit, f.Stdout, f.Stderr)
			}
			if f.Status == Refused && f.Exit != 77 {
				t.Errorf("exit %d", f.Exit)
			}
			if b, _ := os.ReadFile(record); step.record != "" && string(b) != step.record {
				t.Errorf("record %q, want %q", b, step.record)
			}
		}
		// An engine that adopted the estate is followed when it knew of the one that led until then, and tells who it is.
		os.WriteFile(record, []byte("other=1\nestate=tokyo\nengine=bastion\nepoch=9\nleader=bert@bastion\nsince=x\n"), 0o600)
		if f := ask("tokyo", "laptop", 10, 8); f.Status != Refused || !strings.Contains(string(f.Stderr), "leads it at epoch 9 (bert@bastion since x)") {
			t.Errorf("adopted from an older epoch: %+v %s", f, f.Stderr)
		}
		if f := ask("tokyo", "laptop", 10, 9); f.Status != Done {
			t.Errorf("adopted: %+v %s", f, f.Stderr)
		}
		if b, _ := os.ReadFile(record); string(b) != "other=1\nestate=tokyo\nengine=laptop\nepoch=10\nleader=anna@laptop (7)\nsince=2026-03-01T09:30:00Z\n" {
			t.Errorf("record %q", b)
		}
		// The one that was adopted away gets higher epochs by being started again: they help it nothing.
		for _, epoch := range []uint64{9, 10, 11, 12} {
			if f := ask("tokyo", "bastion", epoch, 3); f.Status != Refused || f.Exit != 77 || !strings.Contains(string(f.Stderr), "engine laptop of estate tokyo leads it at epoch 10 (anna@laptop (7) since 2026-03-01T09:30:00Z)") {
				t.Errorf("an engine that was adopted away at epoch %d: %+v %s", epoch, f, f.Stderr)
			}
		}
		// Other parts of ferry write there too: their lines stay.
		os.WriteFile(record, []byte("claim.ip-www=12\nestate=tokyo\nengine=bastion\nepoch=11\n"), 0o600)
		ask("tokyo", "bastion", 12)
		if b, _ := os.ReadFile(record); string(b) != "claim.ip-www=12\nestate=tokyo\nengine=bastion\nepoch=12\n" {
			t.Errorf("record %q", b)
		}
		// What cannot be read is not taken for nothing.
		for _, bad := range []string{"", "garbage\n", "estate=tokyo\nengine=x\nepoch=12x\n", "estate=tokyo\nepoch=3\n", "estate=tokyo\nengine=x\nepoch=9999999999999999999999\n"} {
			os.WriteFile(record, []byte(bad), 0o600)
			if f := ask("tokyo", "bastion", 99); f.Status != Error || !strings.Contains(string(f.Stderr), "cannot be read: nothing was done") {
				t.Errorf("record %q: got %+v %s", bad, f, f.Stderr)
			}
			if b, _ := os.ReadFile(record); string(b) != bad {
				t.Errorf("record %q was overwritten", bad)
			}
		}
	})
}

func TestLock(t *testing.T) {
	each(t, func(t *testing.T, c *channel, another func() *channel) {
		g := func(unit, lock string) *Guard {
			return &Guard{Unit: unit, Lock: lock, Estate: "e", Engine: "me", Epoch: 1}
		}
		go_ := filepath.Join(c.root, "go")
		up := filepath.Join(c.root, "up")
		c.send(Job{ID: "first", Body: `echo up >"$2"; while [ ! -e "$1" ]; do sleep 0.02; done`, Args: []string{go_, up}, Guard: g("ferry-first", "ip")})
		await(t, up)
		b := another()
		f := b.run(Job{Body: "echo ran", Guard: g("ferry-second", "ip")})
		if f.Status != Locked || f.Exit != 75 || string(f.Stderr) != "ferry-first holds the lock ip on this node; await it or end it\n" {
			t.Errorf("got %+v %s", f, f.Stderr)
		}
		if f = b.run(Job{Body: "echo ran", Guard: g("ferry-third", "other")}); !f.OK() {
			t.Errorf("another lock is another matter: %+v", f)
		}
		os.WriteFile(go_, nil, 0o600)
		if f = c.next(); !f.OK() {
			t.Errorf("got %+v", f)
		}
		if f = b.run(Job{Body: "echo ran", Guard: g("ferry-second", "ip")}); string(f.Stdout) != "ran\n" {
			t.Errorf("a unit that was turned away may try again: %+v", f)
		}
	})
}

func TestSameUnitFromManySides(t *testing.T) {
	each(t, func(t *testing.T, c *channel, another func() *channel) {
		count := filepath.Join(c.root, "count")
		job := Job{ID: "a", Body: `echo once >>"$1"; sleep 0.3; cat "$1"`, Args: []string{count}, Guard: &Guard{Unit: "ferry-x", Lock: "l", Estate: "e", Engine: "me", Epoch: 1}}
		sides := []*channel{c, another(), another(), another()}
		for _, s := range sides {
			s.send(job)
		}
		for i, s := range sides {
			if f := s.next(); !f.OK() || string(f.Stdout) != "once\n" {
				t.Errorf("side %d: %+v", i, f)
			}
		}
	})
}

func TestUnitDeadline(t *testing.T) {
	each(t, func(t *testing.T, c *channel, another func() *channel) {
		job := Job{ID: "a", Body: `trap '' TERM; echo began; (sleep 60) & echo $!; sleep 60`, Deadline: 300 * time.Millisecond, Guard: &Guard{Unit: "ferry-x", Lock: "l", Estate: "e", Engine: "me", Epoch: 1}}
		f := c.run(job)
		w := strings.Fields(string(f.Stdout))
		if f.Status != Deadline || len(w) != 2 || alive(w[1]) {
			t.Errorf("got %+v %q", f, f.Stdout)
		}
		units, err := ParseUnits(another().run(Job{Verb: VerbList}).Stdout)
		if err != nil || len(units) != 1 || units[0].State != UnitFinished || units[0].Status != Deadline {
			t.Errorf("got %+v, %v", units, err)
		}
	})
}

func TestAwaitUnknown(t *testing.T) {
	each(t, func(t *testing.T, c *channel, _ func() *channel) {
		f := c.run(Job{Verb: VerbAwait, Args: []string{"ferry-nosuch"}})
		if f.Status != Error || f.Exit != 66 {
			t.Errorf("got %+v", f)
		}
	})
}

// TestSystemd: where systemd runs the machine, a unit is handed to it with what keeps it bounded, and a failure of that
// is said. The stand-in runs the unit's command as systemd would.
func TestSystemd(t *testing.T) {
	each(t, func(t *testing.T, c *channel, _ func() *channel) {
		bin := strings.Split(strings.TrimPrefix(c.cmd.Env[len(c.cmd.Env)-1], "PATH="), ":")[0]
		os.MkdirAll(c.root+"/run/systemd/system", 0o755)
		stand := "#!/bin/sh\nprintf '%s\\n' \"$@\" >" + c.root + "/argv\nwhile [ \"$1\" != /bin/sh ]; do shift; done\nsetsid \"$@\" &\n"
		program(t, bin+"/systemd-run", stand)
		g := &Guard{Unit: "ferry-x", Lock: "l", Estate: "e", Engine: "me", Epoch: 1}
		if f := c.run(Job{Body: "sleep 60", Guard: g, Deadline: 200 * time.Millisecond}); f.Status != Deadline {
			t.Errorf("got %+v %s", f, f.Stderr)
		}
		argv, _ := os.ReadFile(c.root + "/argv")
		for _, want := range []string{"--collect", "--unit=ferry-x", "--property=KillMode=process", "--property=RuntimeMaxSec=30", "--setenv=FERRY_ROOT=" + c.root} {
			if !strings.Contains(string(argv), "\n"+want+"\n") {
				t.Errorf("no %s in\n%s", want, argv)
			}
		}
		program(t, bin+"/systemd-run", "#!/bin/sh\necho 'Failed to connect to bus' >&2; exit 1\n")
		g.Unit = "ferry-y"
		if f := c.run(Job{Body: "echo ran", Guard: g}); f.Status != Error || string(f.Stderr) != "Failed to connect to bus\n" {
			t.Errorf("got %+v %s", f, f.Stderr)
		}
	})
}
