package listener

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

// machine is a node made of this machine's shells and tools; its file system is a directory. Oracle, systemd, the
// processes, names and addresses are played by testdata/bin, here and in the kit oracle.
type machine struct {
	t         testing.TB
	name, dir string
	home      string
	shell     []string
}

const ora = `LISTENER =
  (DESCRIPTION_LIST = (DESCRIPTION =
      (ADDRESS = (PROTOCOL = TCP)(HOST = www.example.com)(PORT = 1521))
      (ADDRESS = (PROTOCOL = IPC)(KEY = EXTPROC1521))))
LSNR2 = (ADDRESS = (PROTOCOL = TCP)(HOST = 10.1.0.10)(PORT = 1522))
`

func newMachine(t testing.TB, name string) *machine {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, name: name, dir: dir, shell: []string{"sh"}}
	for _, d := range []string{"units", "run/systemd/system", "proc", "etc"} {
		m.mkdir(d)
	}
	if err := os.Symlink("/proc/uptime", filepath.Join(dir, "proc/uptime")); err != nil {
		t.Fatal(err)
	}
	m.home = m.install("u01/app/oracle/product/19.0.0/dbhome_1")
	m.write("etc/oratab", "ORCL:"+m.home+":N\n")
	m.write("hosts", "www.example.com 10.1.0.10\n")
	m.write("addresses", "10.0.0.10\n10.1.0.10\n")
	m.write("lsnr/listener/ports", "1521\n")
	m.write("lsnr/listener/services", "ORCL READY\n")
	m.write("lsnr/lsnr2/ports", "1522\n")
	return m
}

func (m *machine) mkdir(d string) {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Join(m.dir, d), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) install(where string) string {
	m.t.Helper()
	home := filepath.Join(m.dir, where)
	m.mkdir(where + "/bin")
	for _, name := range []string{"lsnrctl", "tnsping", "sqlplus"} {
		to, err := filepath.Abs("testdata/bin/" + name)
		if err != nil {
			m.t.Fatal(err)
		}
		if err := os.Symlink(to, filepath.Join(home, "bin", name)); err != nil {
			m.t.Fatal(err)
		}
	}
	if err := os.Symlink("/bin/true", filepath.Join(home, "bin/tnslsnr")); err != nil {
		m.t.Fatal(err)
	}
	m.write(where+"/network/admin/listener.ora", ora)
	return home
}

func (m *machine) Node() string { return m.name }

func (m *machine) here(s string) string {
	s = strings.Replace(s, "root=''\n", "root='"+m.dir+"'\n", 1)
	return strings.ReplaceAll(s, `kill "-$1"`, `kill-stand-in "-$1"`)
}

func (m *machine) Run(ctx context.Context, s kits.Script) (kits.Result, error) {
	if s.Deadline == 0 {
		s.Deadline = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, s.Deadline)
	defer cancel()
	path := os.Getenv("PATH")
	for _, d := range []string{"../oracle/testdata/bin", "testdata/bin"} {
		abs, err := filepath.Abs(d)
		if err != nil {
			return kits.Result{}, err
		}
		path = abs + ":" + path
	}
	args := append(m.shell[1:len(m.shell):len(m.shell)], "-c", m.here(s.Body), "ferry")
	for _, a := range s.Args {
		args = append(args, m.here(a))
	}
	cmd := exec.CommandContext(ctx, m.shell[0], args...)
	cmd.Env = append(os.Environ(), "PATH="+path, "HERE="+m.dir)
	cmd.WaitDelay = 3 * time.Second // a loaded machine is no unknown answer
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
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

// knob sets one of the stand-in's, for the default listener.
func (m *machine) knob(name, text string) { m.t.Helper(); m.write("lsnr/listener/"+name, text+"\n") }

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
func (m *machine) process(pid int, program string, args ...string) {
	m.t.Helper()
	d := fmt.Sprintf("proc/%d", 4200000+pid)
	m.write(d+"/cmdline", strings.Join(append([]string{program}, args...), "\x00")+"\x00")
	if err := os.Symlink(program, filepath.Join(m.dir, d, "exe")); err != nil {
		m.t.Fatal(err)
	}
}

// up is a listener that runs, without the kit's doing.
func (m *machine) up() *machine {
	m.process(1, m.home+"/bin/tnslsnr", "LISTENER", "-inherit")
	m.knob("up", "4200001")
	return m
}

func (m *machine) instance() kits.Instance {
	db := map[string]map[string]string{m.name: {"oracle_sid": "ORCL", "oracle_home": m.home}}
	return kits.Instance{
		Tag: "service/LSNR.LISTENER", Kit: "listener", Cluster: "service", Node: kits.Node{Name: m.name},
		Attrs:    map[string]string{FieldHome: m.home},
		Tuning:   map[string]string{CheckTimeout: "30", StartTimeout: "60", StopTimeout: "30", ResolveTimeout: "1"}, // of a busy machine
		Children: []kits.Relative{{Tag: "service/ORCL", Kit: "oracle", On: db}},
	}
}

// quick is for what is to hang.
func quick(in kits.Instance) kits.Instance {
	in.Tuning = map[string]string{CheckTimeout: "1", StartTimeout: "10", StopTimeout: "1", ResolveTimeout: "1"}
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

func TestConformance(t *testing.T) {
	for _, shell := range [][]string{{"dash"}, {"busybox", "sh"}, {"bash", "--posix"}} {
		t.Run(shell[0], func(t *testing.T) {
			if _, err := exec.LookPath(shell[0]); err != nil {
				t.Skipf("left out: %s is not installed", shell[0])
			}
			w := world{newMachine(t, "A"), newMachine(t, "B")}
			w.a.shell, w.b.shell = shell, shell
			kittest.Conformance(t, Kit{}, w)
		})
	}
}

func TestScriptsAreClean(t *testing.T) {
	for name, body := range map[string]string{"check": checkSh, "start": startSh, "stop": stopSh, "bring": bringSh} {
		kittest.Lint(t, name, prelude(body))
	}
	kittest.Lint(t, "conf", orainst.Prelude+"\n"+confSh)
	kittest.Lint(t, "files", filesSh)
}

func want(t *testing.T, what string, r kits.Report, o kits.Outcome, code, text string) {
	t.Helper()
	if r.Outcome != o || r.Reason.Code != code || !strings.Contains(r.Reason.Text, text) {
		t.Errorf("%s: got %v %s %q (output %q), want %v %s %q", what, r.Outcome, r.Reason.Code, r.Reason.Text, r.Output, o, code, text)
	}
}
