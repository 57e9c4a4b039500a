package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/kittest"
)

// machine is a node made of this machine's shell and tools. Only systemd is
// played, by the small scripts in testdata/bin: the lab has the real one.
type machine struct {
	t     *testing.T
	name  string
	dir   string // its own disk: the application's files and the units
	shell []string
}

// newMachine makes one whose systemd keeps the files that the scripts look at.
func newMachine(t *testing.T, name string) *machine {
	m := newOldMachine(t, name)
	for _, d := range []string{"run/systemd/units", "run/ferry"} {
		if err := os.MkdirAll(filepath.Join(m.dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(m.dir, "units"), filepath.Join(m.dir, "run/systemd/transient")); err != nil {
		t.Fatal(err)
	}
	return m
}

// newOldMachine makes one with a systemd that must be asked.
func newOldMachine(t *testing.T, name string) *machine {
	m := &machine{t: t, name: name, dir: t.TempDir(), shell: []string{"sh"}}
	if err := os.Mkdir(filepath.Join(m.dir, "units"), 0o700); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *machine) Node() string { return m.name }

func (m *machine) Run(ctx context.Context, s kits.Script) (kits.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Deadline)
	defer cancel()
	bin, err := filepath.Abs("testdata/bin")
	if err != nil {
		return kits.Result{}, err
	}
	body := strings.ReplaceAll(s.Body, "/run/systemd/system", m.dir)
	body = strings.ReplaceAll(body, "run=/run\n", "run="+m.dir+"/run\n")
	args := append(m.shell[1:len(m.shell):len(m.shell)], "-c", body, "ferry")
	cmd := exec.CommandContext(ctx, m.shell[0], append(args, s.Args...)...)
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "UNITS="+m.dir+"/units", "HERE="+m.dir)
	cmd.WaitDelay = 3 * time.Second // a loaded machine is no unknown answer
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	if ctx.Err() != nil {
		return kits.Result{}, ctx.Err()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return kits.Result{}, err
	}
	return kits.Result{Exit: cmd.ProcessState.ExitCode(), Stdout: out.String(), Stderr: errs.String()}, nil
}

func (m *machine) instance() kits.Instance {
	return kits.Instance{
		Tag: "service/www-1", Kit: "app", Node: kits.Node{Name: m.name},
		Attrs: map[string]string{
			FieldStart: `echo run >>"$HERE/starts"; : >"$HERE/up"`,
			FieldStop:  `rm -f "$HERE/up"`,
			FieldCheck: `test -e "$HERE/up"`,
		},
	}
}

func (m *machine) read(name string) string {
	b, _ := os.ReadFile(filepath.Join(m.dir, name))
	return string(b)
}

func (m *machine) write(name, text string) {
	m.t.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, name), []byte(text), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

type world struct{ a, b *machine }

func (w world) Nodes() []string { return []string{w.a.name, w.b.name} }

func (w world) pick(node string) *machine {
	if node == w.a.name {
		return w.a
	}
	return w.b
}
func (w world) Host(node string) kits.Host         { return w.pick(node) }
func (w world) Instance(node string) kits.Instance { return w.pick(node).instance() }

func TestConformance(t *testing.T) {
	for _, shell := range [][]string{{"dash"}, {"busybox", "sh"}, {"bash", "--posix"}} {
		t.Run(shell[0], func(t *testing.T) {
			if _, err := exec.LookPath(shell[0]); err != nil {
				t.Skipf("left out: %s is not installed", shell[0])
			}
			w := world{newMachine(t, "A"), newOldMachine(t, "B")}
			w.a.shell, w.b.shell = shell, shell
			kittest.Conformance(t, Kit{}, w)
		})
	}
}

func TestScriptsAreClean(t *testing.T) {
	for name, body := range map[string]string{"check": checkSh, "start": startSh, "stop": stopSh, "recover": recoverSh} {
		kittest.Lint(t, name, libSh+"\n"+body)
	}
	kittest.Lint(t, "eligible", eligibleSh)
}

func want(t *testing.T, what string, r kits.Report, o kits.Outcome, code, text string) {
	t.Helper()
	if r.Outcome != o || r.Reason.Code != code || !strings.Contains(r.Reason.Text, text) {
		t.Errorf("%s: got %v %s %q (output %q), want %v %s %q", what, r.Outcome, r.Reason.Code, r.Reason.Text, r.Output, o, code, text)
	}
}

func TestExitCodesOfACheck(t *testing.T) {
	m := newMachine(t, "A")
	for code, c := range map[string]struct {
		o    kits.Outcome
		code string
	}{
		"0": {kits.OK, ""}, "190": {kits.OK, "app.impaired"}, "2": {kits.Failed, "app.failed"},
		"1": {kits.Failed, "app.failed"}, "3": {kits.Failed, "app.failed"}, "7": {kits.Failed, "app.failed"},
		"75": {kits.Unknown, "app.check-unknown"}, "124": {kits.Unknown, "app.check-unknown"}, "125": {kits.Unknown, "app.check-unknown"},
		"126": {kits.Unknown, "app.check-unknown"}, "127": {kits.Unknown, "app.check-unknown"}, "137": {kits.Unknown, "app.check-unknown"},
	} {
		in := m.instance()
		in.Attrs[FieldCheck] = "echo all about it; exit " + code
		r := Kit{}.Check(t.Context(), m, in)
		want(t, "exit "+code, r, c.o, c.code, "")
		if r.Output != "all about it" || r.Impaired != (code == "190") {
			t.Errorf("exit %s: %+v", code, r)
		}
	}
}

// dash ends with 2 when a redirection fails: that must not count as impaired.
func TestCheckThatReadsAMissingFileFails(t *testing.T) {
	m := newMachine(t, "A")
	in := m.instance()
	in.Attrs[FieldCheck] = `read -r p <"$HERE/nothing" && kill -0 "$p"`
	want(t, "check", Kit{}.Check(t.Context(), m, in), kits.Failed, "app.failed", "")
}

func TestSlowCheckIsUnknown(t *testing.T) {
	m := newMachine(t, "A")
	in := m.instance()
	in.Attrs[FieldCheck], in.Attrs["check_timeout"] = "sleep 30", "1"
	want(t, "check", Kit{}.Check(t.Context(), m, in), kits.Unknown, "app.check-unknown", "within 1 s")
}

func TestStartThatFails(t *testing.T) {
	m := newMachine(t, "A")
	in := m.instance()
	in.Attrs[FieldStart] = `echo "cannot bind to port"; exit 4`
	r := Kit{}.Start(t.Context(), m, in)
	want(t, "start", r, kits.Failed, "app.start-failed", "cannot bind to port")
	if !strings.Contains(r.Reason.Text, "4 exit-code") {
		t.Errorf("the exit code is not told: %s", r.Reason.Text)
	}
	// Nothing is left that would hinder the next attempt.
	want(t, "start again", Kit{}.Start(t.Context(), m, m.instance()), kits.OK, "", "")
}

func TestStartThatDoesNotComeUpInTime(t *testing.T) {
	m := newMachine(t, "A")
	in := m.instance()
	in.Attrs[FieldStart], in.Attrs["start_timeout"] = "true", "1"
	want(t, "start", Kit{}.Start(t.Context(), m, in), kits.Failed, "app.not-up", "did not say yes")
}

func TestStartThatHangsEndsInItsTime(t *testing.T) {
	m := newMachine(t, "A")
	in := m.instance()
	in.Attrs[FieldStart], in.Attrs["start_timeout"] = "sleep 60", "1"
	begin := time.Now()
	want(t, "start", Kit{}.Start(t.Context(), m, in), kits.Failed, "app.start-failed", "timeout")
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

// A start whose caller was cut off goes on in its unit; the next one waits for it.
func TestStartIsNotRunTwice(t *testing.T) {
	m := newMachine(t, "A")
	in := m.instance()
	in.Attrs[FieldStart] = `echo run >>"$HERE/starts"; sleep 1; : >"$HERE/up"`
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if r := (Kit{}).Start(ctx, m, in); r.Outcome != kits.Unknown {
		t.Fatalf("a start that was cut off: %+v", r)
	}
	want(t, "start", Kit{}.Start(t.Context(), m, in), kits.OK, "", "")
	if got := m.read("starts"); got != "run\n" {
		t.Errorf("the start command ran %d times", strings.Count(got, "run"))
	}
}

// What a start that was cut off left under way may make the unit between the next one's look and its own start.
func TestStartThatMeetsAnother(t *testing.T) {
	for name, m := range map[string]*machine{"new": newMachine(t, "A"), "old": newOldMachine(t, "B")} {
		in := m.instance()
		in.Attrs[FieldStart] = `echo run >>"$HERE/starts"; sleep 0.3; : >"$HERE/up"`
		m.write("race", "")
		want(t, name, Kit{}.Start(t.Context(), m, in), kits.OK, "", "")
		if got := m.read("starts"); got != "run\n" {
			t.Errorf("%s: the start command ran %d times", name, strings.Count(got, "run"))
		}
	}
}

func TestCommandsArriveAsWritten(t *testing.T) {
	m := newMachine(t, "A")
	in := m.instance()
	in.Tag = "service/a'b $(c)"
	in.Attrs[FieldStart] = `x='a "quoted" ${HERE}'; printf '%s|%s\n' "$x" "${HERE##*/}" >"$HERE/said"; : >"$HERE/up"`
	want(t, "start", Kit{}.Start(t.Context(), m, in), kits.OK, "", "")
	if got, exp := m.read("said"), `a "quoted" ${HERE}|`+filepath.Base(m.dir)+"\n"; got != exp {
		t.Errorf("got %q, want %q", got, exp)
	}
}

func TestStopThatDoesNotStop(t *testing.T) {
	m := newMachine(t, "A")
	in := m.instance()
	want(t, "start", Kit{}.Start(t.Context(), m, in), kits.OK, "", "")
	in.Attrs[FieldStop] = "exit 0"
	want(t, "stop", Kit{}.Stop(t.Context(), m, in), kits.Failed, "app.still-running", "by hand")
	in.Attrs[FieldStop] = "/nowhere/stop"
	want(t, "stop", Kit{}.Stop(t.Context(), m, in), kits.Failed, "app.still-running", "exit 127")
	in.Attrs[FieldCheck] = "/nowhere/check"
	want(t, "stop", Kit{}.Stop(t.Context(), m, in), kits.Unknown, "app.check-unknown", "cannot be run")
}

func TestStopCommandFailsButIsGone(t *testing.T) {
	m := newMachine(t, "A")
	in := m.instance()
	in.Attrs[FieldStop] = `rm -f "$HERE/up"; exit 1`
	want(t, "start", Kit{}.Start(t.Context(), m, in), kits.OK, "", "")
	want(t, "stop", Kit{}.Stop(t.Context(), m, in), kits.OK, "", "")
}

func TestRecoverCommand(t *testing.T) {
	m := newMachine(t, "A")
	in := m.instance()
	want(t, "start", Kit{}.Start(t.Context(), m, in), kits.OK, "", "")
	in.Attrs[FieldRecover] = `echo recovered >"$HERE/how"; : >"$HERE/up"`
	if err := os.Remove(filepath.Join(m.dir, "up")); err != nil {
		t.Fatal(err)
	}
	want(t, "recover", Kit{}.Recover(t.Context(), m, in), kits.OK, "", "")
	if m.read("how") != "recovered\n" {
		t.Error("the recover command did not run")
	}
	want(t, "stop", Kit{}.Stop(t.Context(), m, in), kits.OK, "", "")
	left, _ := filepath.Glob(m.dir + "/units/*.service")
	if len(left) > 0 {
		t.Errorf("units are left: %v", left)
	}
	in.Attrs[FieldRecover] = "exit 9"
	want(t, "recover", Kit{}.Recover(t.Context(), m, in), kits.Failed, "app.recover-failed", "9")
}

func TestUser(t *testing.T) {
	m := newMachine(t, "A")
	in := m.instance()
	in.Attrs[FieldUser], in.Attrs[FieldCheck] = "nobody", `echo "I am $AS_USER"`
	if r := (Kit{}).Check(t.Context(), m, in); r.Output != "I am nobody" {
		t.Errorf("%+v", r)
	}
}

func TestEligible(t *testing.T) {
	m := newMachine(t, "A")
	m.write("there", "#!/bin/sh\n")
	m.write("units/on.service.enabled", "enabled\n")
	for what, c := range map[string]struct {
		change map[string]string
		o      kits.Outcome
		code   string
		text   string
	}{
		"in order":        {nil, kits.OK, "", ""},
		"a path":          {map[string]string{FieldStart: m.dir + "/there --now"}, kits.OK, "", ""},
		"missing script":  {map[string]string{FieldStop: m.dir + "/nope now"}, kits.Failed, "app.no-script", m.dir + "/nope"},
		"a directory":     {map[string]string{FieldCheck: m.dir}, kits.Failed, "app.no-script", m.dir},
		"no such user":    {map[string]string{FieldUser: "nosuchuser7"}, kits.Failed, "app.no-user", "nosuchuser7"},
		"starts at boot":  {map[string]string{FieldUnit: "on.service"}, kits.Failed, "app.starts-at-boot", "systemctl disable on.service"},
		"switched off":    {map[string]string{FieldUnit: "off.service"}, kits.OK, "", ""},
		"inline commands": {map[string]string{FieldStart: "cd /tmp && ./x"}, kits.OK, "", ""},
	} {
		in := m.instance()
		for k, v := range c.change {
			in.Attrs[k] = v
		}
		e := Kit{}.Eligible(t.Context(), m, in)
		if e.Outcome != c.o || e.Reason.Code != c.code || !strings.Contains(e.Reason.Text, c.text) {
			t.Errorf("%s: %+v", what, e)
		}
	}
}

func TestValidate(t *testing.T) {
	good := newMachine(t, "A").instance()
	if p := (Kit{}).Validate(good); len(p) > 0 {
		t.Fatal(p)
	}
	for field, value := range map[string]string{
		FieldStart: " ", FieldStop: "", FieldCheck: "a\x00b", FieldUser: "root; rm", FieldUnit: "-x.service",
		"start_timeout": "soon", "check_timeout": "0", FieldRecover: strings.Repeat("x", 5000),
	} {
		in := newMachine(t, "A").instance()
		in.Attrs[field] = value
		p := Kit{}.Validate(in)
		if len(p) != 1 || p[0].Field != field || p[0].Fix == "" {
			t.Errorf("%s=%.20q: %+v", field, value, p)
		}
	}
}

func TestUnitNamesDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, tag := range []string{"a/b", "a-b", "a_b", "a/b-r1", "a_2fb", "ä", "a b", "$(x)"} {
		u := UnitName(tag)
		if other, twice := seen[u]; twice {
			t.Errorf("%q and %q share %s", tag, other, u)
		}
		if strings.Trim(strings.TrimPrefix(u, "ferry-app-"), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
			t.Errorf("%q gives the unit %q", tag, u)
		}
		seen[u] = tag
	}
}

func TestTimeoutCoversTheCommands(t *testing.T) {
	in := newMachine(t, "A").instance()
	in.Attrs["start_timeout"], in.Attrs["check_timeout"] = "300", "7"
	if d := (Kit{}).Timeout(kits.ActStart, in); d < 307*time.Second {
		t.Errorf("start: %v", d)
	}
	if d := (Kit{}).Timeout(kits.ActCheck, in); d <= 7*time.Second || d > 15*time.Second {
		t.Errorf("check: %v", d)
	}
}

func FuzzJudge(f *testing.F) {
	f.Add("@unit active\n@check 0\n@out\nfine\n")
	f.Add("@check 0")
	f.Add("@did failed 3 exit-code\n@check -\n@out\n")
	f.Fuzz(func(t *testing.T, s string) {
		in := kits.Instance{Tag: "t", Node: kits.Node{Name: "A"}}
		res := kits.Result{Stdout: s}
		for _, r := range []kits.Report{(Kit{}).JudgeCheck(in, res, nil), judgeStart(in, "start", res, nil), judgeStop(in, res, nil)} {
			if r.Outcome == kits.OK && !(strings.Contains(s, "@check ") && strings.Contains(s, "@out")) {
				t.Errorf("ok from %q", s)
			}
			if strings.ContainsAny(fmt.Sprint(r), "\x1b\x00\x07") {
				t.Errorf("control characters from %q", s)
			}
		}
		judgeEligible(in, res, nil)
	})
}
