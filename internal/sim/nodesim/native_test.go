package nodesim

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/fleet"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/monitor"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/app"
	"github.com/ferry-ha/ferry/kits/ip"
	"github.com/ferry-ha/ferry/sshexec/wire"
)

// spoken is a script as its author sends it, and what should answer it.
type spoken struct {
	job wire.Job
	by  native
}

// scripts asks their authors for the scripts that are answered in Go.
func nativeScripts(t *testing.T) map[string]spoken {
	t.Helper()
	all := map[string]spoken{}
	fns := map[string]native{
		"peers": peersNative, "copy": copyNative, "app": appNative, "ip": ipNative,
		"pulse": func(s *steps) (int, bool) { return s.beat(false) },
		"disk":  func(s *steps) (int, bool) { return s.beat(true) },
	}
	keep := func(name string, j wire.Job) { all[name] = spoken{job: j, by: fns[name]} }
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		var heard wire.Job
		b.overheard = func(p process, script string, _ bool) { heard = wire.Job{Body: script, Args: p.args, Stdin: p.stdin} }
		f := fleet.New(b.DialContext, func(string) {}, slog.New(slog.DiscardHandler))
		defer f.Close()
		f.Define(&hierarchy.Estate{
			SSH:     hierarchy.SSH{User: "root", Config: "none", Identity: b.dir + "/key", KnownHosts: b.dir + "/known_hosts"},
			Servers: []hierarchy.Server{{Name: "LK_P_A", Address: addresses["LK_P_A"]}},
		}, fleet.Identity{Estate: "e", Engine: "0123456789abcdef", Epoch: 7})
		for _, name := range []string{"disk", "pulse"} {
			if _, function := f.Pulse(t.Context(), "LK_P_A"); !function {
				t.Fatalf("%s: no heartbeat", name)
			}
			keep(name, heard)
		}
		if _, err := f.Peers(t.Context(), "LK_P_A", []monitor.Path{
			{Peer: "LK_P_B", Name: "a", To: addresses["LK_P_B"]}, {Peer: "LK_S_A", Name: "b", To: addresses["LK_S_A"], From: addresses["LK_P_A"]},
			{Peer: "LK_S_B", Name: "c", To: addresses["LK_S_B"]},
		}); err != nil {
			t.Fatal(err)
		}
		keep("peers", heard)
		if err := f.PutCopy(t.Context(), "LK_P_A", "ferry-copy-1", 7, 12, []byte("ferry-copy 1 7 12\nwhatever\nit is\n")); err != nil {
			t.Fatal(err)
		}
		keep("copy", heard)
	})
	s := app.Kit{}.CheckScript(kits.Instance{Tag: "c/www", Kit: "app", Attrs: map[string]string{
		app.FieldStart: "/opt/start", app.FieldStop: "/opt/stop", app.FieldCheck: "/opt/check a", "check_timeout": "10",
	}})
	keep("app", wire.Job{Body: s.Body, Args: s.Args})
	s = ip.Kit{}.CheckScript(kits.Instance{Tag: "c/vip", Kit: "ip", Node: kits.Node{Name: "LK_P_A", Address: "10.0.0.10", Interface: "ens5"}, Attrs: map[string]string{ip.FieldAddress: "10.1.0.10"}, Tuning: map[string]string{"NOBCASTPING": "1"}})
	keep("ip", wire.Job{Body: s.Body, Args: s.Args})
	return all
}

// TestNativeAnswersAreForTheScriptsThatAreSent: a script that was changed is interpreted
// until its answer was changed as well.
func TestNativeAnswersAreForTheScriptsThatAreSent(t *testing.T) {
	for name, s := range nativeScripts(t) {
		if natives()[outline(s.job.Body)] == nil {
			t.Errorf("%s is no longer answered in Go. When TestNativeAnswersEqualTheInterpreters still passes, its new checksum is %q; else its answer in Go has to follow.", name, outline(s.job.Body))
		}
	}
}

// state is something that a node may be in, or that happens to it while a script runs.
type state struct {
	name string
	// before makes it so; meanwhile happens while the script runs.
	before    func(w *World, n *Node)
	meanwhile func(w *World, n *Node)
	change    func(j *wire.Job)
}

func file(p, text string) func(*World, *Node) {
	return func(_ *World, n *Node) { _ = n.WriteFile(p, text, true) }
}

func all(fs ...func(*World, *Node)) func(*World, *Node) {
	return func(w *World, n *Node) {
		for _, f := range fs {
			f(w, n)
		}
	}
}

func after(d time.Duration, f func(*World, *Node)) func(*World, *Node) {
	return func(w *World, n *Node) { time.Sleep(d); f(w, n) }
}

func shell(text string) func(*World, *Node) {
	return func(_ *World, n *Node) { n.Exec(context.Background(), text) }
}

func args(at int, value string) func(*wire.Job) {
	return func(j *wire.Job) {
		if at < len(j.Args) {
			j.Args = append([]string(nil), j.Args...)
			j.Args[at] = value
		}
	}
}

func full(_ *World, n *Node)     { n.SetDiskFull(true) }
func hang(_ *World, n *Node)     { n.Hang() }
func resume(_ *World, n *Node)   { n.Resume() }
func powerOff(_ *World, n *Node) { n.PowerOff() }

// stopping leaves the mark of a shutdown.
func stopping(thisBoot bool, end string) func(*World, *Node) {
	return func(_ *World, n *Node) {
		boot := "00000000-0000"
		if thisBoot {
			boot, _ = n.ReadFile("/proc/sys/kernel/random/boot_id")
		}
		_ = n.WriteFile("/var/lib/ferry/stopping", " "+strings.TrimSpace(boot)+end, false)
	}
}

func states() []state {
	check := func(text string) func(*World, *Node) { return file("/opt/check", "#!/bin/sh\n"+text+"\n") }
	copied := func(text string) func(*World, *Node) { return file("/var/lib/ferry/copy", text) }
	lack := func(name string) func(*World, *Node) { return func(_ *World, n *Node) { n.Remove(name) } }
	out := []state{
		{name: "fresh"},
		{name: "used before", before: file("/var/lib/ferry/beat", "beat somebody else, and longer than before\n")},
		{name: "disk full", before: full},
		{name: "disk full, used before", before: all(file("/var/lib/ferry/beat", "x\n"), full)},
		{name: "disk full meanwhile", before: file("/var/lib/ferry/beat", "x\n"), meanwhile: after(7*time.Millisecond, full)},
		{name: "a file where the directory belongs", before: file("/var/lib/ferry", "x")},
		{name: "directories where files belong", before: shell("mkdir -p /var/lib/ferry/beat /var/lib/ferry/copy /var/lib/ferry/copy.new /var/lib/ferry/stopping")},
		{name: "stopping", before: stopping(true, "\n")},
		{name: "stopping, more lines", before: stopping(true, "\nx\n")},
		{name: "stopping in an earlier boot", before: stopping(false, "\n")},
		{name: "stopping mark cut off", before: stopping(true, "")},
		{name: "older copy", before: copied("ferry-copy 1 7 11\nold\n")},
		{name: "the same copy", before: copied("ferry-copy 1 7 12\nold\n")},
		{name: "newer copy", before: copied("ferry-copy 1 7 13\nnew\n")},
		{name: "copy of a newer epoch", before: copied("ferry-copy 1 8 1\nnew\n")},
		{name: "copy of an older epoch", before: copied("ferry-copy 1 6 99\nnew\n")},
		{name: "copy with more words", before: copied("ferry-copy 1 7 13 and more\nnew\n")},
		{name: "copy of another version", before: copied("ferry-copy 2 7 13\nnew\n")},
		{name: "copy with letters", before: copied("ferry-copy 1 x 13\nnew\n")},
		{name: "copy without a number", before: copied("ferry-copy 1 7\nnew\n")},
		{name: "copy cut off", before: copied("ferry-copy 1 7 13")},
		{name: "copy with blanks", before: copied("  ferry-copy  1 7 13\n")},
		{name: "copy garbage", before: copied("\x00\xff\n\n")},
		{name: "empty copy", before: copied("")},
		{name: "huge number in the copy", before: copied("ferry-copy 1 99999999999999999999 1\n")},
		{name: "a peer is off", before: func(w *World, _ *Node) { w.Node("LK_P_B").PowerOff() }},
		{name: "a peer hangs", before: func(w *World, _ *Node) { w.Node("LK_P_B").Hang() }},
		{name: "a peer comes back", before: func(w *World, _ *Node) { w.Node("LK_S_B").PowerOff() }, meanwhile: after(100*time.Millisecond, func(w *World, _ *Node) { w.Node("LK_S_B").PowerOn() })},
		{name: "a link is cut", before: func(w *World, _ *Node) { w.Cut("LK_P_A", "LK_S_A") }},
		{name: "a link is cut meanwhile", meanwhile: after(2*time.Millisecond, func(w *World, _ *Node) { w.Cut("LK_P_A", "LK_S_A") })},
		{name: "cut off", before: func(w *World, _ *Node) { w.CutNode("LK_P_A") }},
		{name: "no cable", before: func(_ *World, n *Node) { _ = n.SetCable("ens5", false) }},
		{name: "interface down", before: shell("ip link set ens5 down")},
		{name: "no ping", before: lack("ping")},
		{name: "no ip", before: lack("ip")},
		{name: "no systemctl", before: lack("systemctl")},
		{name: "no timeout, tail, cat, sync", before: all(lack("timeout"), lack("tail"), lack("cat"), lack("sync"))},
		{name: "no mkdir, mv, sh", before: all(lack("mkdir"), lack("mv"), lack("sh"))},
		{name: "address up", before: shell("ip addr add 10.1.0.10/32 dev ens5")},
		{name: "address on lo", before: shell("ip addr add 10.1.0.10/32 dev lo; ip addr add 10.1.0.101/32 dev ens5")},
		{name: "no addresses", before: shell("ip addr del 10.0.0.10/24 dev ens5; ip addr del 127.0.0.1/8 dev lo")},
		{name: "/sys is there", before: all(shell("mkdir -p /sys/class/net/ens5"), file("/sys/class/net/ens5/carrier", "1\n"))},
		{name: "no such interface", change: args(2, "eth9")},
		{name: "interface found by the address", change: args(2, "")},
		{name: "broadcast ping", change: args(4, "0")},
		{name: "systemd's own files", before: shell("mkdir -p /run/systemd/units /run/systemd/transient")},
		{name: "the application runs", before: all(shell("systemctl start www"), check("systemctl is-active --quiet www"))},
		{name: "the application does not run", before: check("systemctl is-active --quiet www")},
		{name: "its unit runs", before: all(shell("systemd-run --unit=ferry-app-c-www.service --service-type=oneshot --remain-after-exit sh -c :"), check("exit 0"))},
		{name: "a unit of its own", before: all(shell("systemctl start www"), check("exit 0")), change: args(2, "www")},
		{name: "another user", before: check("exit 0"), change: args(1, "nobody")},
		{name: "check says 190", before: check("echo impaired; exit 190")},
		{name: "check says a lot", before: check(`i=0; while [ $i -lt 400 ]; do echo "line $i of many"; i=$((i+1)); done; exit 3`)},
		{name: "check says what the kit says", before: check(`echo "@check 0"; echo "@rc0 "; exit 4`)},
		{name: "check speaks without an end", before: check(`printf 'no newline'; printf 'error' >&2`)},
		{name: "check says newlines and blanks", before: check(`printf '\n\n  a * b  \n\n\n'; exit 1`)},
		{name: "check reads its input", before: check(`read -r x; echo "$? [$x]"; cat; exit 5`)},
		{name: "check shows its arguments and surroundings", before: check(`echo "$# $1 $0"; pwd; echo "$PATH $LC_ALL $HOME"; [ -e /var/lib ] && echo there`)},
		{name: "check hangs", before: check("echo before; sleep 600; echo after")},
		{name: "check leaves something behind", before: check("(sleep 1; echo late) & echo now")},
		{name: "check is not there"},
		{name: "check is a directory", before: shell("mkdir -p /opt/check")},
		{name: "check may not be run", before: func(_ *World, n *Node) { _ = n.WriteFile("/opt/check", "exit 0", false) }},
		{name: "check is no shell", before: check("if")},
		{name: "check with a pipe", before: check("printf 'b\\na\\n' | sort | head -n 1")},
		{name: "check in the argument", change: args(4, "echo 'it s'; (exit 7)")},
		{name: "no limit", before: check("exit 0"), change: args(5, "x")},
		{name: "odd words", change: func(j *wire.Job) {
			j.Body = strings.NewReplacer(`'10.0.10.10'`, `'-x; $y'`, "set -- '0'", "set -- 'a:b'").Replace(j.Body)
		}},
		{name: "quoted words", change: func(j *wire.Job) { j.Body = strings.Replace(j.Body, `'10.0.10.10'`, `'10.0'\''.10.10'`, 1) }},
		{name: "a path too few", change: func(j *wire.Job) {
			first, rest, _ := strings.Cut(j.Body, "\n")
			if i := strings.LastIndex(first, " '"); i > 0 && strings.HasPrefix(first, "set") {
				j.Body = first[:i] + "\n" + rest
			}
		}},
		{name: "strange engine", change: func(j *wire.Job) { j.Body = strings.Replace(j.Body, "0123456789abcdef", "$HOME `id`", 1) }},
		{name: "no arguments", change: func(j *wire.Job) { j.Args = nil }},
		{name: "no input", change: func(j *wire.Job) { j.Stdin = nil }},
		{name: "little output allowed", before: check("echo 0123456789"), change: func(j *wire.Job) { j.MaxOutput = 10 }},
		{name: "hung for good", before: hang, change: func(j *wire.Job) { j.Deadline = time.Second }},
		{name: "hung for a while", before: all(hang, check("exit 0")), meanwhile: after(3*time.Second, resume)},
		{name: "off", before: powerOff},
	}
	for k := range 16 { // between any two commands
		at := time.Duration(5*k+2) * time.Millisecond
		busy := check("sleep 0.02; echo said; sleep 0.02")
		out = append(out,
			state{name: fmt.Sprint("deadline after ", at), before: busy, change: func(j *wire.Job) { j.Deadline = at }},
			state{name: fmt.Sprint("power lost after ", at), before: busy, meanwhile: after(at, powerOff)},
			state{name: fmt.Sprint("hangs for a second after ", at), before: busy, meanwhile: after(at, all(hang, after(time.Second, resume)))},
			state{name: fmt.Sprint("hangs after ", at), before: busy, meanwhile: after(at, hang), change: func(j *wire.Job) { j.Deadline = time.Second }},
		)
	}
	return out
}

// TestNativeAnswersEqualTheInterpreters runs every script both ways on two nodes in the
// same state, in two worlds of their own, and compares what it says, how long it takes,
// and what it leaves on the disk.
func TestNativeAnswersEqualTheInterpreters(t *testing.T) {
	foreseen := map[string]int{}
	scripts := nativeScripts(t)
	for _, st := range states() {
		for name, s := range scripts {
			j := s.job
			if st.change != nil {
				st.change(&j)
			}
			if j.Deadline == 0 {
				j.Deadline = 20 * time.Second
			}
			var interpreted, answered string
			var ok bool
			synctest.Test(t, func(t *testing.T) {
				interpreted, _ = playState(t, st, j, nil)
				answered, ok = playState(t, st, j, s.by)
			})
			if interpreted != answered {
				t.Errorf("%s, %s:\ninterpreted:\n%s\nin Go (%v):\n%s", name, st.name, interpreted, ok, answered)
			}
			if ok {
				foreseen[name]++
			}
		}
	}
	for name := range scripts { // else this compares the interpreter with itself
		if foreseen[name] < len(states())/2 {
			t.Errorf("%s was answered in Go only %d times", name, foreseen[name])
		}
	}
}

// TestCutProbe: an application that says what the kit itself says. The interpreter cuts
// off too much there; the real shell is right.
func TestCutProbe(t *testing.T) {
	for _, text := range []string{"", "x", "\n@rc 4", "a\n\n@rc 0", "@rc 0\n@check 0\n@rc \n\n@rc 4", "@rc", "@rc @rc @rc 1", "a*b@rc [x]"} {
		rc, out := cutProbe(text)
		got, err := exec.Command("sh", "-c", `printf '%s|%s' "${1##*@rc }" "${1%@rc *}"`, "sh", text).Output()
		if err != nil || string(got) != rc+"|"+out {
			t.Errorf("%q: got %q %q; the real shell: %q, %v", text, rc, out, got, err)
		}
	}
}

// playState runs the job in a new world and describes everything that came of it. by is
// the answer in Go; nil = the interpreter's.
func playState(t *testing.T, st state, j wire.Job, by native) (result string, inGo bool) {
	t.Helper()
	w := NewWorld(Options{CommandTime: 5 * time.Millisecond, RTT: func(a, b string) time.Duration { return time.Duration(len(b)) * time.Millisecond }})
	defer w.Close()
	w.interpretAll = by == nil
	w.natives = map[string]native{outline(j.Body): by}
	w.overheard = func(_ process, _ string, yes bool) { inGo = inGo || yes }
	for name, addr := range addresses {
		if _, err := w.AddNode(NodeConfig{Name: name, Address: addr, Interface: "ens5", Services: []Service{{Name: "www", Port: 8080}}}); err != nil {
			t.Fatal(err)
		}
	}
	n := w.Node("LK_P_A")
	if err := n.WriteFile("/proc/sys/kernel/random/boot_id", "01234567-89ab-cdef-0123-456789abcdef\n", false); err != nil { // else another one in every world
		t.Fatal(err)
	}
	if st.before != nil {
		st.before(w, n)
	}
	synctest.Wait()
	frame := make(chan wire.Frame, 1)
	began := time.Now()
	go func() { frame <- n.runScript(n.life(), j) }()
	if st.meanwhile != nil {
		st.meanwhile(w, n)
	}
	f := <-frame
	var b bytes.Buffer
	// The interpreter says why it ends a substitution; a shell that is killed does not.
	f.Stderr = []byte(strings.NewReplacer("context deadline exceeded\n", "", "context canceled\n", "").Replace(string(f.Stderr)))
	fmt.Fprintf(&b, "%s %d after %s cut %v\n--- out\n%q\n--- err\n%q\n", f.Status, f.Exit, time.Since(began), f.Truncated, f.Stdout, f.Stderr)
	n.Resume()
	time.Sleep(30 * time.Second) // what was left behind ends
	for _, name := range []string{"beat", "copy", "copy.new", "stopping"} {
		i, err := n.fs.stat("/var/lib/ferry/" + name)
		text, _ := n.ReadFile("/var/lib/ferry/" + name)
		if name == "stopping" {
			text = ""
		}
		if err == nil {
			fmt.Fprintf(&b, "--- %s %v %s\n%q\n", name, i.Mode(), i.ModTime().Sub(began).Round(0), text)
		}
	}
	return b.String(), inGo
}
