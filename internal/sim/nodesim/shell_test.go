package nodesim

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/sshexec/wire"
)

// The same scripts in the real shell with the real tools, and here: what the
// simulation gets wrong about them shows as a difference.
func TestScriptsMeanTheSameAsInARealShell(t *testing.T) {
	if _, err := exec.LookPath("dash"); err != nil {
		t.Skip("left out: dash is not installed")
	}
	w := NewWorld(Options{CommandTime: -1})
	t.Cleanup(w.Close)
	n, err := w.AddNode(NodeConfig{Name: "n", Address: "10.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range []string{
		`printf 'b\na\nc\n' | sort | head -n 2 | tail -n 1`,
		`printf '1\n2\n3\n' | { read -r a; read -r b; echo "$b$a"; }`,
		`x=$(printf 'a b\nc d\n' | while read -r l r; do echo "$r$l"; done); echo "[$x]"`,
		`false | true; echo $?; true | false; echo $?; ! true | false; echo $?`,
		`(exit 3) | (exit 5); echo $?`,
		`printf '' | wc -l; printf 'x' | wc -c`,
		`printf 'k=v\nq\n' | cut -d= -f2; printf 'a:b:c\n' | cut -d: -f1,3-`,
		`printf 'eth0 brd 10.0.0.255 x\nno\n' | sed -n 's/.* brd \([0-9.]*\) .*/\1/p' | head -n 1`,
		`printf 'a\nb\nc\n' | sed '2d'; printf 'a\nb\n' | sed -e 's/a/[&]/' -e '$!d'`,
		`echo a/b/c | sed 's,/,-,g'; echo 'A=x' | sed 's/^.*=//'; echo 'aXb' | sed -E 's/(a)X(b)/\2\1/'`,
		`printf 'one\ntwo\n' | grep -v one; echo none | grep -q x; echo $?; printf 'a.b\naxb\n' | grep -F -c a.b`,
		`printf '10.1.0.10/32\n10.1.0.101\n' | grep -E '(^|[^0-9.])10\.1\.0\.10([^0-9.]|$)'`,
		`echo '<UP,LOWER_UP>' | grep -q '[<,]LOWER_UP[,>]' && echo up`,
		`printf 'a+b\n' | grep 'a+b'; printf 'aab\n' | grep 'a\{2\}b'`,
		`echo hello | tr a-y b-z; echo "a  b" | tr -s ' '; echo "x1y" | tr -d '0-9'`,
		`printf '10\n9\n1\n' | sort -n; printf 'b\na\nb\n' | sort -u; printf '1\n2\n' | sort -r`,
		`f() { return 4; }; f; echo $?; g() { echo "$#:$2"; }; g a 'b c'`,
		`set -- a 'b c' d; shift; echo "$# $1"; for x; do echo "<$x>"; done; echo "${2:-none}${9:+x}"`,
		`x=abc.def; echo "${x%.*} ${x#*.} ${#x} ${x%%[!a-c]*}"`,
		`case a-b in a*) echo 1;; *) echo 2;; esac; case 12x in '' | *[!0-9]*) echo no;; esac`,
		`i=0; while [ $i -lt 3 ]; do i=$((i + 1)); [ $i = 2 ] && continue; echo $i; done`,
		`echo x >f; echo y >>f; cat f; wc -l <f; rm f; [ -e f ] || echo gone`,
		`mkdir -p d/e; echo 1 >d/e/x; for f in */*/*; do echo "$f"; done; ls d; mv d/e/x d/y; cat d/y; rm -rf d; ls d 2>/dev/null; echo $?`,
		`echo a >f; cp f g; chmod +x g; [ -x g ] && [ ! -x f ] && echo yes; rm -f f g h; echo $?`,
		`printf '5\nrest\n' >f; read -r n <f && echo "n=$n"; rm f`,
		`cd /nowhere 2>/dev/null || echo no; nosuchcommand 2>/dev/null; echo $?; command -v nosuch; echo $?`,
		`(echo one; exit 7); echo $?; { echo two; } 2>/dev/null; echo err >&2 2>/dev/null`,
		`sh -c 'echo "$0 $1"' name arg; sh -c 'exit 9'; echo $?; echo 'echo in $1' | sh -s x`,
		`(sleep 0.02; echo late) & p=$!; echo early; wait "$p"; echo $?`,
		`while [ $# -ge 1 ]; do ( echo "$1" ) & shift; wait; done; wait`,
		`timeout 0.05 sleep 5; echo $?; timeout 5 sh -c 'exit 3'; echo $?`,
		`printf 'abc' | base64; echo YWJj | base64 -d; echo; printf abc | sha256sum`,
		`x=1; (x=2); echo $x; y=$(x=3; echo $x); echo $x$y; echo a | { read -r z; x=$z; }; echo "$x"`,
		`set -e; false || true; echo on; false; echo never`,
		`cat <<EOF | grep b
a
b $((1 + 1))
EOF`,
		`env A=1 sh -c 'echo $A'; B=2 sh -c 'echo $B'; echo "[$B]"`,
		`out=$({ echo text; printf '\n@rc %s' "$?"; } | tail -c 3000); echo "${out##*@rc }"; echo "${out%@rc *}"`,
		`eval "set -- 'a b' c"; echo $#; echo "$(echo "$(echo deep)")"; echo $?`,
		`touch f; stat -c %s f; [ -s f ] || echo empty; echo abc >f; stat -c '%s %n' f; rm f`,
		`test -d /run && [ -d /run ] && echo dir; basename /a/b.c .c; dirname /a/b; seq 2 4; hash sh; umask 022; echo $?`,
		`trap 'echo bye' EXIT; echo hi`,
		`unset x; set -u; echo "${x:-d}"; set -- ; echo "$#"`,
		`tail -n +2 <<EOF
1
2
3
EOF`,
	} {
		cmd := exec.Command("dash", "-c", script, "sh", "p1", "p2")
		cmd.Dir = t.TempDir()
		cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/root"}
		want, err := cmd.Output()
		code := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		}
		out, errs := &capture{limit: 1 << 20}, &capture{limit: 1 << 20}
		if err := n.fs.mkdir("/tmp/w", true); err != nil {
			t.Fatal(err)
		}
		got := n.shell(t.Context(), process{stdout: out, stderr: errs, args: []string{"p1", "p2"}}, "cd /tmp/w\n"+script)
		_ = n.fs.remove("/tmp/w", true)
		if out.String() != string(want) || got != code {
			t.Errorf("%s\n here: exit %d %q (%s)\n real: exit %d %q", script, got, out.String(), errs.String(), code, want)
		}
	}
}

func TestNothingOfTheRealMachineIsTouched(t *testing.T) {
	w := NewWorld(Options{CommandTime: -1})
	t.Cleanup(w.Close)
	n, err := w.AddNode(NodeConfig{Name: "n", Address: "10.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	for script, want := range map[string]string{
		"ls /work /proc/self /home/* 2>/dev/null; echo $?": "2",
		"cat /etc/passwd 2>/dev/null; echo $?":             "1",
		"go version 2>/dev/null; echo $?":                  "127",
		"[ -e /etc/passwd ]; echo $?":                      "1",
		"echo /etc/pass*":                                  "/etc/pass*",
		"awk 1 2>/dev/null; echo $?":                       "127",
		"command -v dpkg apt; echo $?":                     "127",
	} {
		if _, got := n.Exec(t.Context(), script); strings.TrimSpace(got) != want {
			t.Errorf("%s: %q, want %q", script, got, want)
		}
	}
}

func TestDiskFull(t *testing.T) {
	w := NewWorld(Options{CommandTime: -1})
	t.Cleanup(w.Close)
	n, err := w.AddNode(NodeConfig{Name: "n", Address: "10.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	n.SetDiskFull(true)
	code, out := n.Exec(t.Context(), "mkdir -p /var/lib/ferry && echo x >/var/lib/ferry/f")
	if code == 0 || !strings.Contains(out, "no space left") {
		t.Errorf("%d %q", code, out)
	}
	n.SetDiskFull(false)
	if code, out = n.Exec(t.Context(), "mkdir -p /var/lib/ferry && echo x >/var/lib/ferry/f && cat /var/lib/ferry/f"); code != 0 || out != "x\n" {
		t.Errorf("%d %q", code, out)
	}
}

func guard(unit, lock, engine string, epoch uint64) *wire.Guard {
	return &wire.Guard{Unit: unit, Lock: lock, Estate: "e1", Engine: engine, Epoch: epoch}
}

func TestGuardedUnits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		node := b.ssh("LK_P_A")
		run := func(unit, lock, engine string, epoch uint64, body string) wire.Frame {
			t.Helper()
			f, err := node.Run(t.Context(), wire.Job{ID: "x", Body: body, Guard: guard(unit, lock, engine, epoch)})
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		status := func(f wire.Frame, want wire.Status, exit int, text string) {
			t.Helper()
			if f.Status != want || f.Exit != exit || !strings.Contains(string(f.Stderr), text) {
				t.Errorf("got %s %d %q %q, want %s %d %q", f.Status, f.Exit, f.Stdout, f.Stderr, want, exit, text)
			}
		}
		status(run("ferry-1", "l", "n1", 3, "echo x >>/var/lib/ferry/n; exit 4"), wire.Done, 4, "")
		status(run("ferry-1", "l", "n1", 3, "echo x >>/var/lib/ferry/n; exit 4"), wire.Done, 4, "") // recorded, not run again
		if got, _ := b.Node("LK_P_A").ReadFile("/var/lib/ferry/n"); got != "x\n" {
			t.Errorf("the unit ran more than once: %q", got)
		}
		status(run("ferry-2", "l", "n1", 2, "true"), wire.Refused, 77, "newer leader: engine n1 of estate e1 leads it at epoch 3")
		status(run("ferry-2", "l", "n2", 3, "true"), wire.Refused, 77, "another leader")
		status(run("ferry-2", "l", "n2", 4, "true"), wire.Refused, 77, "which has not adopted the estate from it")
		f, err := node.Run(t.Context(), wire.Job{ID: "x", Body: "true", Guard: &wire.Guard{Unit: "ferry-2", Lock: "l", Estate: "e1", Engine: "n2", Epoch: 4, After: 3, Leader: "anna@laptop"}})
		if err != nil || f.Status != wire.Done { // a refused name may be tried again
			t.Errorf("adopted: %+v, %v", f, err)
		}
		status(run("ferry-3", "l", "n1", 7, "true"), wire.Refused, 77, "engine n2 of estate e1 leads it at epoch 4 (anna@laptop since )")
		status(run("ferry-3", "l", "n1", 3, "true"), wire.Refused, 77, "n2")
		record, _ := b.Node("LK_P_A").ReadFile("/var/lib/ferry/record")
		if !strings.Contains(record, "estate=e1\nengine=n2\nepoch=4\n") {
			t.Errorf("record: %q", record)
		}
	})
}

func TestUnitOutlivesItsCallerAndHoldsItsLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		node := b.ssh("LK_P_A")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := node.Run(ctx, wire.Job{ID: "x", Body: "sleep 20; echo done", Deadline: time.Minute, Guard: guard("ferry-long", "l", "n", 1)})
		if err == nil {
			t.Fatal("no answer was waited for, yet there is one")
		}
		b.KillConnections("LK_P_A")
		time.Sleep(time.Second)
		f, err := node.Run(t.Context(), wire.Job{ID: "x", Body: "true", Guard: guard("ferry-other", "l", "n", 1)})
		if err != nil || f.Status != wire.Locked || !strings.Contains(string(f.Stderr), "ferry-long") {
			t.Errorf("the lock is free: %+v %v", f, err)
		}
		units, err := node.Units(t.Context())
		if err != nil || len(units) != 2 || units[0].Name != "ferry-long" || units[0].State != wire.UnitRunning || units[1].State != wire.UnitTurned {
			t.Errorf("%+v %v", units, err)
		}
		f, err = node.Await(t.Context(), "ferry-long", time.Minute, 1000)
		if err != nil || f.Status != wire.Done || string(f.Stdout) != "done\n" {
			t.Errorf("awaited: %+v %v", f, err)
		}
		if err := node.ForgetUnit(t.Context(), "ferry-long"); err != nil {
			t.Error(err)
		}
		if f, err = node.Await(t.Context(), "ferry-long", time.Minute, 1000); err == nil && (f.Status != wire.Error || f.Exit != 66) {
			t.Errorf("a forgotten unit is known: %+v", f)
		}
	})
}

func TestEndUnitDeadlineAndOutputBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		node := b.ssh("LK_P_A")
		go func() {
			time.Sleep(2 * time.Second)
			if err := node.EndUnit(t.Context(), "ferry-endless"); err != nil {
				t.Error(err)
			}
		}()
		f, err := node.Run(t.Context(), wire.Job{ID: "x", Body: "while :; do sleep 1; done", Deadline: time.Hour, Guard: guard("ferry-endless", "l", "n", 1)})
		if err != nil || f.Status != wire.Ended {
			t.Errorf("ended on request: %+v %v", f, err)
		}
		f, err = node.Run(t.Context(), wire.Job{ID: "x", Body: "echo begun; sleep 100; echo never", Deadline: 3 * time.Second})
		if err != nil || f.Status != wire.Deadline || string(f.Stdout) != "begun\n" || f.Duration != 3*time.Second {
			t.Errorf("deadline: %+v %v", f, err)
		}
		f, err = node.Run(t.Context(), wire.Job{ID: "x", Body: "seq 1 5000", MaxOutput: 1000})
		if err != nil || !f.Truncated || len(f.Stdout) != 1000 {
			t.Errorf("bound: %d bytes, truncated %v, %v", len(f.Stdout), f.Truncated, err)
		}
	})
}

func TestHungJobDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		start := time.Now()
		quick := make(chan time.Duration, 1)
		go func() {
			time.Sleep(time.Second)
			b.run("LK_P_A", "echo quick")
			quick <- time.Since(start)
		}()
		b.run("LK_P_A", "sleep 20")
		if took := <-quick; took > 2*time.Second {
			t.Errorf("took %v beside a slow job", took)
		}
	})
}

func TestPutAndGet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		node := b.ssh("LK_P_A")
		text := strings.Repeat("0123456789abcdef", 100_000) // several parts
		if err := node.Put(t.Context(), "/etc/ferry.d.copy", strings.NewReader(text), 0o640, 10<<20); err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		mode, err := node.Get(t.Context(), "/etc/ferry.d.copy", &got, 10<<20)
		if err != nil || got.String() != text || mode != 0o640 {
			t.Errorf("%d bytes back, mode %o, %v", got.Len(), mode, err)
		}
	})
}

func TestUnsimulatedIsSaid(t *testing.T) {
	w := NewWorld(Options{CommandTime: -1})
	t.Cleanup(w.Close)
	n, err := w.AddNode(NodeConfig{Name: "n", Address: "10.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range []string{"sed 'y/a/b/'", "ip route add 1.1.1.1", "ip -j addr", "sort -k2", "systemctl list-units", "mv a b c", "kill -9 1", "sh -q"} {
		if code, out := n.Exec(t.Context(), script); code == 0 || out == "" {
			t.Errorf("%s: exit %d, %q", script, code, out)
		}
	}
}
