package fleet

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shells are those that nodes have; at least one must be here.
func shells(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for name, argv := range map[string][]string{"dash": {"dash"}, "bash": {"bash", "--posix"}, "busybox": {"busybox", "sh"}} {
		if _, err := exec.LookPath(argv[0]); err == nil {
			found[name] = argv
		}
	}
	if len(found) == 0 {
		t.Fatal("no POSIX shell is installed")
	}
	return found
}

// each runs f with every shell; sh runs a script in a root of its own.
func each(t *testing.T, f func(t *testing.T, root string, sh func(script, stdin string, args ...string) (string, int))) {
	for name, argv := range shells(t) {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			f(t, root, func(script, stdin string, args ...string) (string, int) {
				cmd := exec.CommandContext(t.Context(), argv[0], append(append(argv[1:len(argv):len(argv)], "-c", script, "sh"), args...)...)
				cmd.Env = append(os.Environ(), "FERRY_ROOT="+root)
				cmd.Stdin = strings.NewReader(stdin)
				var out bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &out
				_ = cmd.Run()
				return out.String(), cmd.ProcessState.ExitCode()
			})
		})
	}
}

func TestNewerCopyStays(t *testing.T) {
	each(t, func(t *testing.T, root string, sh func(string, string, ...string) (string, int)) {
		file := filepath.Join(root, "var/lib/ferry/copy")
		text := func(epoch, serial string) string {
			return "ferry-copy 1 " + epoch + " " + serial + " abc\nbody " + epoch + "\n"
		}
		for _, step := range []struct {
			epoch, serial string
			exit          int
			keeps         string
		}{
			{"3", "10", 0, text("3", "10")},
			{"3", "10", 0, text("3", "10")}, // written again
			{"3", "9", 3, text("3", "10")},
			{"2", "99", 3, text("3", "10")},
			{"3", "11", 0, text("3", "11")},
			{"4", "1", 0, text("4", "1")},
		} {
			out, exit := sh(putCopyScript, text(step.epoch, step.serial), step.epoch, step.serial)
			got, err := os.ReadFile(file)
			if exit != step.exit || err != nil || string(got) != step.keeps {
				t.Errorf("%+v: exit %d %q, keeps %q, %v", step, exit, out, got, err)
			}
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		for _, bad := range []string{"", "garbage\n", "ferry-copy 1 x y z\n", "ferry-copy 1\n", "ferry-copy 2 9 9 z\n"} {
			if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, exit := sh(putCopyScript, text("1", "1"), "1", "1"); exit != 0 {
				t.Errorf("over %q: exit %d %q", bad, exit, out)
			}
		}
	})
}

func TestRemains(t *testing.T) {
	each(t, func(t *testing.T, root string, sh func(string, string, ...string) (string, int)) {
		ask := func() Remains {
			t.Helper()
			out, exit := sh(remainsScript, "")
			r, err := parseRemains(out)
			if exit != 0 || err != nil {
				t.Fatalf("exit %d, %v: %q", exit, err, out)
			}
			return r
		}
		if r := ask(); r.Leader.Estate != "" || r.Beat >= 0 || r.Copy != nil || len(r.Claims) != 0 {
			t.Errorf("an empty node: %+v", r)
		}
		dir := filepath.Join(root, "var/lib/ferry")
		copy := "ferry-copy 1 3 9 abc\n" + strings.Repeat("A", 1024) + "\nQQ==\n"
		for name, text := range map[string]string{
			"record": "other=x\nestate=e1\nengine=a1\nepoch=7\nleader=anna@bastion (3)\nsince=2026-03-01T08:00:00Z\n",
			"claims": "claim service/www 12\nclaim service/ip 3\n", "copy": copy, "beat": "beat a1\n",
		} {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		old := time.Now().Add(-90 * time.Second)
		if err := os.Chtimes(filepath.Join(dir, "beat"), old, old); err != nil {
			t.Fatal(err)
		}
		r := ask()
		want := Leader{Estate: "e1", Engine: "a1", Epoch: 7, Who: "anna@bastion (3)", Since: "2026-03-01T08:00:00Z"}
		if r.Leader != want || string(r.Copy) != copy || r.Claims["service/www"] != 12 || len(r.Claims) != 2 || r.By != "a1" || r.Beat < 89*time.Second || r.Beat > 100*time.Second {
			t.Errorf("got %+v", r)
		}
	})
}

func TestRemainsThatCannotBeRead(t *testing.T) {
	for name, text := range map[string]string{
		"cut off":          "file claims\n= claim service/www 12\n",
		"a claim of words": "file claims\n= claim service/www many\nend\n",
		"half a claim":     "file claims\n= claim service/www\nend\n",
		"a banner":         "Welcome\nend\n",
		"an age of words":  "beat soon beat a1\nend\n",
	} {
		if _, err := parseRemains(text); err == nil {
			t.Errorf("%s: believed", name)
		}
	}
}

func TestStanding(t *testing.T) {
	self := Identity{Estate: "e1", Engine: "b", Epoch: 6, After: 5}
	for _, c := range []struct {
		l    Leader
		want Standing
	}{
		{Leader{}, Free},
		{Leader{Estate: "e1", Engine: "b", Epoch: 6}, Ours},
		{Leader{Estate: "e1", Engine: "b", Epoch: 5}, Ours},
		{Leader{Estate: "e1", Engine: "b", Epoch: 7}, Another}, // a copy of this engine's store leads
		{Leader{Estate: "e1", Engine: "a", Epoch: 5}, Ours},    // from which the estate was adopted
		{Leader{Estate: "e1", Engine: "a", Epoch: 6}, Another},
		{Leader{Estate: "e1", Engine: "a", Epoch: 9}, Another},
		{Leader{Estate: "e2", Engine: "b", Epoch: 1}, Foreign},
	} {
		if got := c.l.Standing(self); got != c.want {
			t.Errorf("%+v: %d, want %d", c.l, got, c.want)
		}
	}
	stranger := Identity{Estate: "e1", Engine: "a", Epoch: 9, After: 3} // adopted away, started again
	if got := (Leader{Estate: "e1", Engine: "b", Epoch: 6}).Standing(stranger); got != Another {
		t.Errorf("an engine that was adopted away: %d", got)
	}
}
