package oracle

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
	"github.com/ferry-ha/ferry/kits/oracle/orainst"
)

// machine is a node made of this machine's shells and tools; its file system is a directory. Oracle,
// systemd and the processes are played by testdata/bin.
type machine struct {
	t     testing.TB
	name  string
	dir   string
	home  string
	shell []string
}

const sid = "ORCL"

func newMachine(t testing.TB, name string) *machine {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, name: name, dir: dir, shell: []string{"sh"}}
	for _, d := range []string{"units", "state/ORCL", "run/systemd/system", "proc", "etc", "oradata/ORCL", "oradata/fra"} {
		m.mkdir(d)
	}
	if err := os.Symlink("/proc/uptime", filepath.Join(dir, "proc/uptime")); err != nil {
		t.Fatal(err)
	}
	m.home = m.install("u01/app/oracle/product/19.0.0/dbhome_1")
	m.write("etc/oratab", "# a comment\n*:/nowhere:N\nORCL:"+m.home+":N\nORCL2:"+m.home+":Y\n")
	return m
}

func (m *machine) mkdir(d string) {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Join(m.dir, d), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

// install puts an ORACLE_HOME there.
func (m *machine) install(where string) string {
	m.t.Helper()
	home := filepath.Join(m.dir, where)
	m.mkdir(where + "/bin")
	m.mkdir(where + "/dbs")
	m.write(where+"/dbs/spfile"+sid+".ora", "")
	sql, err := filepath.Abs("testdata/bin/sqlplus")
	if err != nil {
		m.t.Fatal(err)
	}
	for name, to := range map[string]string{"sqlplus": sql, "oracle": "/bin/true"} {
		if err := os.Symlink(to, filepath.Join(home, "bin", name)); err != nil {
			m.t.Fatal(err)
		}
	}
	return home
}

func (m *machine) Node() string { return m.name }

// here moves a script into the machine's directory.
func (m *machine) here(s string) string {
	s = strings.Replace(s, "root=''\n", "root='"+m.dir+"'\n", 1)
	return strings.ReplaceAll(s, "kill -KILL", "kill-stand-in -KILL")
}

func (m *machine) Run(ctx context.Context, s kits.Script) (kits.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Deadline)
	defer cancel()
	if s.Deadline == 0 {
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
	}
	bin, err := filepath.Abs("testdata/bin")
	if err != nil {
		return kits.Result{}, err
	}
	args := append(m.shell[1:len(m.shell):len(m.shell)], "-c", m.here(s.Body), "ferry")
	for _, a := range s.Args {
		args = append(args, m.here(a))
	}
	cmd := exec.CommandContext(ctx, m.shell[0], args...)
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HERE="+m.dir)
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
	if errs.Len() > 0 {
		m.t.Errorf("%s complains: %s", s.Name, errs.String())
	}
	return kits.Result{Exit: cmd.ProcessState.ExitCode(), Stdout: out.String(), Stderr: errs.String()}, nil
}

func (m *machine) write(name, text string) {
	m.t.Helper()
	p := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

// knob sets one of the stand-in's, for the instance ORCL.
func (m *machine) knob(name, text string) { m.t.Helper(); m.write("state/"+sid+"/"+name, text+"\n") }

func (m *machine) remove(name string) {
	m.t.Helper()
	if err := os.RemoveAll(filepath.Join(m.dir, name)); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) read(name string) string {
	b, _ := os.ReadFile(filepath.Join(m.dir, name))
	return string(b)
}

// until is a context that ends when a file appears: the caller is cut off in the midst of something.
func (m *machine) until(file string) context.Context {
	ctx, cancel := context.WithCancel(m.t.Context())
	m.t.Cleanup(cancel)
	go func() {
		for m.read(file) == "" && ctx.Err() == nil {
			time.Sleep(5 * time.Millisecond)
		}
		cancel()
	}()
	return ctx
}

// process puts one below /proc; its number is none that a kernel gives.
func (m *machine) process(pid int, cmdline, program string) {
	m.t.Helper()
	d := fmt.Sprintf("proc/%d", 4200000+pid)
	m.write(d+"/cmdline", cmdline+"\x00")
	_ = os.Symlink(program, filepath.Join(m.dir, d, "exe"))
}

// up is an instance that is open, without the kit's doing.
func (m *machine) up() *machine {
	m.knob("status", "OPEN")
	m.process(1, "ora_pmon_"+sid, m.home+"/bin/oracle")
	m.process(2, "ora_dbw0_"+sid, m.home+"/bin/oracle")
	return m
}

func (m *machine) instance() kits.Instance {
	mount := map[string]map[string]string{m.name: {"mount_point": filepath.Join(m.dir, "oradata")}}
	return kits.Instance{
		Tag: "service/ORCL", Kit: "oracle", Cluster: "service", Node: kits.Node{Name: m.name},
		Attrs:    map[string]string{FieldSID: sid, FieldHome: m.home},
		Tuning:   map[string]string{CheckTimeout: "30", StartTimeout: "60", ShutdownTimeout: "30"}, // of a busy machine
		Children: []kits.Relative{{Tag: "service//oradata", Kit: "filesystem", On: mount}},
	}
}

// quick is for what is to hang.
func quick(in kits.Instance) kits.Instance {
	in.Tuning = map[string]string{CheckTimeout: "1", StartTimeout: "10", ShutdownTimeout: "1"}
	return in
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

func shells(t *testing.T, f func(t *testing.T, shell []string)) {
	for _, shell := range [][]string{{"dash"}, {"busybox", "sh"}, {"bash", "--posix"}} {
		t.Run(shell[0], func(t *testing.T) {
			if _, err := exec.LookPath(shell[0]); err != nil {
				t.Skipf("left out: %s is not installed", shell[0])
			}
			f(t, shell)
		})
	}
}

func TestConformance(t *testing.T) {
	shells(t, func(t *testing.T, shell []string) {
		w := world{newMachine(t, "A"), newMachine(t, "B")}
		w.a.shell, w.b.shell = shell, shell
		kittest.Conformance(t, Kit{}, w)
	})
}

func TestScriptsAreClean(t *testing.T) {
	for name, body := range map[string]string{"check": checkSh, "eligible": eligibleSh, "start": startSh, "stop": stopSh, "bring": bringSh} {
		kittest.Lint(t, name, prelude(body))
	}
	kittest.Lint(t, "find", orainst.FindScript)
}

func want(t *testing.T, what string, r kits.Report, o kits.Outcome, code, text string) {
	t.Helper()
	if r.Outcome != o || r.Reason.Code != code || !strings.Contains(r.Reason.Text, text) {
		t.Errorf("%s: got %v %s %q (output %q), want %v %s %q", what, r.Outcome, r.Reason.Code, r.Reason.Text, r.Output, o, code, text)
	}
}

func symlink(to, at string) error { return os.Symlink(to, at) }
