package doctor_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/kittest"
)

func TestProbeIsPlainShell(t *testing.T) { kittest.Lint(t, "probe", doctor.Script(nil).Body) }

// TestProbeOnThisMachine runs the script in every shell there is: all of them must say the same, and every question
// must be answered.
func TestProbeOnThisMachine(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a file")
	if err := os.WriteFile(file, []byte("one\n\ttwo 'three'\nno end"), 0o640); err != nil {
		t.Fatal(err)
	}
	questions := []doctor.Question{
		{Verb: "kernel"}, {Verb: "tool", About: "sh"}, {Verb: "tool", About: "no-such-tool"}, {Verb: "file", About: file},
		{Verb: "file", About: dir + "/none"}, {Verb: "text", About: file}, {Verb: "text", About: "/none"}, {Verb: "first", About: "/proc/sys/net/ipv4/ip_forward"},
		{Verb: "first", About: "/proc/none"}, {Verb: "unit", About: "no-such-unit"}, {Verb: "user", About: "root"}, {Verb: "user", About: "no-such-user"},
		{Verb: "version", About: "no-such-tool"}, {Verb: "disk", About: "/dev/none"}, {Verb: "space", About: dir + "/deep/below"}, {Verb: "libc"}, {Verb: "ntp"},
		{Verb: "firewall"}, {Verb: "secrets"}, {Verb: "selinux"}, {Verb: "module", About: "no-such-module"}, {Verb: "nonsense", About: "$(touch " + dir + "/hacked)"},
	}
	var first string
	for _, shell := range [][]string{{"dash"}, {"busybox", "sh"}, {"bash", "--posix"}, {"sh"}} {
		if _, err := exec.LookPath(shell[0]); err != nil {
			t.Logf("%s is not here", shell[0])
			continue
		}
		s := doctor.Script(questions)
		began := time.Now()
		cmd := exec.Command(shell[0], append(append(shell[1:], "-c", s.Body, "probe"), s.Args...)...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", shell, err)
		}
		text := string(out)
		for i, q := range questions[:len(questions)-1] {
			if !strings.Contains(text, "@"+strconv.Itoa(i)+" ") {
				t.Errorf("%v: no answer to %v in\n%s", shell, q, text)
			}
		}
		if !strings.HasSuffix(text, "@end\n") || time.Since(began) > 20*time.Second {
			t.Errorf("%v ended after %s with\n%s", shell, time.Since(began), text)
		}
		if first == "" {
			first = text
			t.Log(text)
		} else if shell[0] != "busybox" && !same(text, first) { // busybox has tools of its own
			t.Errorf("%v says\n%s\ninstead of\n%s", shell, text, first)
		}
	}
	if _, err := os.Stat(dir + "/hacked"); err == nil {
		t.Error("a question was run as a command")
	}
	for _, want := range []string{"@1 /", "@2 missing", " 640 23 ", "@4 missing", "@5 =\ttwo 'three'", "@5 =no end", "@6 missing", "@8 missing", "@10 0 0", "@11 missing", "@12 missing", "@13 missing"} {
		if !strings.Contains(first, want) {
			t.Errorf("no %q in\n%s", want, first)
		}
	}
}

// same leaves out what changes while one looks: space and time.
func same(a, b string) bool {
	strip := func(s string) string {
		var keep []string
		for l := range strings.Lines(s) {
			if !strings.HasPrefix(l, "@14 ") {
				keep = append(keep, l)
			}
		}
		return strings.Join(keep, "")
	}
	return strip(a) == strip(b)
}

// TestClockBounds: what is certain about a clock, and no more.
func TestClockBounds(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	questions := []doctor.Question{{Verb: "now", About: "before"}, {Verb: "now", About: "after"}}
	for name, test := range map[string]struct {
		out       string
		low, high time.Duration
		ok        bool
	}{
		"a second ahead":     {"@0 1700000001.100000000\n@1 1700000001.200000000\n@end\n", 900 * time.Millisecond, 1100 * time.Millisecond, true},
		"right":              {"@0 1700000000.100000000\n@1 1700000000.200000000\n@end\n", -100 * time.Millisecond, 100 * time.Millisecond, true},
		"no fractions":       {"@0 1700000000.N\n@1 1700000000.N\n@end\n", -300 * time.Millisecond, time.Second, true},
		"no clock":           {"@0 x\n@1 1700000000.200000000\n@end\n", 0, 0, false},
		"only the first one": {"@0 1700000000.100000000\n@end\n", 0, 0, false},
	} {
		f := doctor.Read(questions, kits.Result{Stdout: test.out}, at, at.Add(300*time.Millisecond))
		low, high, ok := doctor.Offset(&f)
		if low != test.low || high != test.high || ok != test.ok {
			t.Errorf("%s: between %s and %s (%v), want between %s and %s (%v)", name, low, high, ok, test.low, test.high, test.ok)
		}
	}
}

// TestHalfAnAnswer is no answer.
func TestHalfAnAnswer(t *testing.T) {
	q := []doctor.Question{{Verb: "kernel"}}
	for name, r := range map[string]kits.Result{
		"cut off": {Stdout: "@0 6.1 x86_64\n"}, "truncated": {Stdout: "@0 6.1 x86_64\n@end\n", Truncated: true}, "failed": {Stdout: "@0 6.1 x86_64\n@end\n", Exit: 2}, "nothing": {},
	} {
		if f := doctor.Read(q, r, time.Time{}, time.Time{}); f.Err == nil {
			t.Errorf("%s: taken for an answer", name)
		}
	}
	if f := doctor.Read(q, kits.Result{Stdout: "@9 x\n@-1 y\n@x z\nnoise\n@0 6.1 x86_64\n@end\n"}, time.Time{}, time.Time{}); f.Err != nil {
		t.Error(f.Err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("@0 6.1 x86_64\n@1 =a\n@end\n")
	f.Add("@99999999999999999999 x\n@")
	f.Fuzz(func(t *testing.T, out string) {
		facts := doctor.Read([]doctor.Question{{Verb: "now", About: "before"}, {Verb: "now", About: "after"}}, kits.Result{Stdout: out}, time.Now(), time.Now())
		_, _, _ = doctor.Offset(&facts)
	})
}

// TestSecretsThatHoldNone: the file that a distribution installs names where the keys are and may be read; one with a key is told.
func TestSecretsThatHoldNone(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/ipsec.d", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"ipsec.secrets":        "# where the keys are\n\ninclude /etc/ipsec.d/*.secrets\n",
		"ipsec.d/vpn1.secrets": "# the peer\n192.0.2.1 192.0.2.2 : PSK \"x\"\n",
		"ipsec.d/none.secrets": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := doctor.Script([]doctor.Question{{Verb: "secrets"}})
	out, err := exec.Command("sh", append([]string{"-c", strings.ReplaceAll(s.Body, "/etc/ipsec", dir+"/ipsec"), "probe"}, s.Args...)...).Output()
	if want := "@0 found\n@0 =644 " + dir + "/ipsec.d/vpn1.secrets\n@end\n"; err != nil || string(out) != want {
		t.Errorf("%v, says\n%s\ninstead of\n%s", err, out, want)
	}
}

// TestModules reads what modprobe would do. What is printed here is what kmod's prints; built in it prints nothing.
func TestModules(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/module/dm_mod", 0o755); err != nil {
		t.Fatal(err)
	}
	const modprobe = `#!/bin/sh
[ "$1 $2" = "-n -v" ] || exit 2
case $3 in
esp4) ;;
nbd) echo "insmod /lib/modules/6.1.0/kernel/drivers/block/nbd.ko " ;;
raid1) echo "insmod /lib/modules/6.1.0/kernel/drivers/md/md-mod.ko " && echo "insmod /lib/modules/6.1.0/kernel/drivers/md/raid1.ko " ;;
xfrm_user) echo "install /bin/false " ;;
dm-multipath) echo "insmod /lib/modules/6.1.0/kernel/drivers/md/dm-mod.ko " && echo "install /bin/true " ;;
*) echo "modprobe: FATAL: Module $3 not found in directory /lib/modules/6.1.0" >&2; exit 1 ;;
esac
`
	if err := os.WriteFile(dir+"/modprobe", []byte(modprobe), 0o755); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"dm-mod": "loaded", "esp4": "loaded", "nbd": "file", "raid1": "file", "xfrm_user": "withheld", "dm-multipath": "withheld", "none": "missing"}
	for _, shell := range [][]string{{"dash"}, {"bash", "--posix"}, {"sh"}} {
		if _, err := exec.LookPath(shell[0]); err != nil {
			t.Logf("%s is not here", shell[0])
			continue
		}
		for module, state := range want {
			s := doctor.Script([]doctor.Question{{Verb: "module", About: module}})
			cmd := exec.Command(shell[0], append(append(shell[1:], "-c", strings.ReplaceAll(s.Body, "/sys/module", dir+"/module"), "probe"), s.Args...)...)
			cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
			if out, err := cmd.Output(); err != nil || string(out) != "@0 "+state+"\n@end\n" {
				t.Errorf("%v, %s: %v %q, want %s", shell, module, err, out, state)
			}
		}
	}
}

// TestModulesThatDoNotLoad: neither a line in modprobe.d nor a kernel that takes no more is for ferry to overcome.
func TestModulesThatDoNotLoad(t *testing.T) {
	e := estate(t)
	x := hierarchy.NewIndexFor(e, reg)
	questions := doctor.Scope{}.Questions(x, "VPN_P_A", false)
	for name, test := range map[string]struct {
		module, sealed string
		verdict        doctor.Verdict
		fix            string
		safe           bool
	}{
		"loaded":     {"loaded", "0", doctor.Pass, "", false},
		"to be had":  {"file", "0", doctor.Warn, "load them", true},
		"sealed":     {"file", "1", doctor.Fail, "boot it", false},
		"withheld":   {"withheld", "0", doctor.Fail, "modprobe.d", false},
		"not there":  {"missing", "0", doctor.Fail, "extra modules", false},
		"not told":   {"untold", "0", doctor.Unknown, "modprobe -n -v", false},
		"no answer":  {"", "0", doctor.Unknown, "modprobe -n -v", false},
		"old kernel": {"file", "missing", doctor.Warn, "load them", true},
	} {
		var out strings.Builder
		for i, q := range questions {
			switch {
			case q.Verb == "module":
				out.WriteString("@" + strconv.Itoa(i) + " " + test.module + "\n")
			case q.About == "/proc/sys/kernel/modules_disabled":
				out.WriteString("@" + strconv.Itoa(i) + " " + test.sealed + "\n")
			}
		}
		facts := doctor.Read(questions, kits.Result{Stdout: out.String() + "@end\n"}, time.Time{}, time.Time{})
		seen := false
		for _, f := range doctor.Examine(doctor.Case{Index: x, Nodes: map[string]*doctor.Facts{"VPN_P_A": &facts}}) {
			if f.ID() != "node.modules@VPN_P_A" {
				continue
			}
			seen = true
			if f.Verdict != test.verdict || f.Fix.Safe != test.safe || !strings.Contains(f.Fix.Text, test.fix) || test.safe != (f.Fix.Command != "") {
				t.Errorf("%s: %s %s, fix %+v", name, f.Verdict, f.Reason.Text, f.Fix)
			}
		}
		if !seen {
			t.Errorf("%s: nothing is said", name)
		}
	}
}

// TestShellThatAnswersNothing: where what runs scripts on the node is broken, the finding says where to look.
func TestShellThatAnswersNothing(t *testing.T) {
	e := estate(t)
	facts := doctor.Read([]doctor.Question{{Verb: "kernel"}}, kits.Result{Exit: 127}, time.Time{}, time.Time{})
	found := doctor.Examine(doctor.Case{Index: hierarchy.NewIndexFor(e, reg), Nodes: map[string]*doctor.Facts{"LK_P_A": &facts}})
	if f := found[0]; f.ID() != "node.reached@LK_P_A" || f.Verdict != doctor.Unknown || !strings.Contains(f.Reason.Text, "127") || !strings.Contains(f.Fix.Text, "mkfifo") {
		t.Errorf("%s %s: %s; %s", f.Verdict, f.ID(), f.Reason.Text, f.Fix.Text)
	}
}
