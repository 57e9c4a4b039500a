package postgresql

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// bins is where Debian's package has the binaries.
const bins = "/usr/lib/postgresql/15/bin"

// need leaves the test out where there is no PostgreSQL or we are not root, except where
// FERRY_REQUIRE_REAL=1 says that it must be there.
func need(t *testing.T) {
	t.Helper()
	_, err := os.Stat(bins + "/postgres")
	if err == nil && os.Getuid() == 0 {
		return
	}
	if os.Getenv("FERRY_REQUIRE_REAL") == "1" {
		t.Fatalf("PostgreSQL 15 must be installed, and the test run by root: %v", err)
	}
	t.Skipf("left out: it takes root and the package postgresql-15 (%v)", err)
}

// cluster is a data directory as initdb leaves it, made once: it takes a second.
var cluster = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "ferry-pg")
	if err != nil {
		return "", err
	}
	if err := own(dir); err != nil {
		return "", err
	}
	out, err := as("postgres", bins+"/initdb", "-D", dir+"/data", "--auth-local=peer", "--auth-host=scram-sha-256", "--no-sync", "-k", "--wal-segsize=1").CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return dir + "/data", nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := cluster(); err == nil {
		_ = os.RemoveAll(filepath.Dir(dir))
	}
	os.Exit(code)
}

func as(who, name string, args ...string) *exec.Cmd {
	cmd := exec.Command("runuser", append([]string{"-u", who, "--", name}, args...)...)
	cmd.Dir = "/"
	return cmd
}

func own(p string) error {
	u, err := user.Lookup("postgres")
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chmod(p, 0o755); err != nil {
		return err
	}
	return os.Chown(p, uid, gid)
}

// machine is a node made of this machine's shell, tools and PostgreSQL. Only systemd is
// played, by the small scripts in testdata/bin: the lab has the real one.
type machine struct {
	t     *testing.T
	name  string
	dir   string // what is its own: units, /etc, sockets
	data  string // the data directory, which may be shared with another machine
	port  string
	shell []string
}

// newMachine makes one with a cluster of its own.
func newMachine(t *testing.T, name string) *machine {
	m := newBareMachine(t, name)
	from, err := cluster()
	if err != nil {
		t.Fatal(err)
	}
	m.must(exec.Command("cp", "-a", from, m.data))
	m.configure("listen_addresses = '127.0.0.1'", "max_connections = 12", "shared_buffers = 2MB", "unix_socket_directories = '"+m.dir+"/s'")
	t.Cleanup(m.endAll)
	return m
}

// newBareMachine makes one without any data.
func newBareMachine(t *testing.T, name string) *machine {
	need(t)
	dir, err := os.MkdirTemp("", "ferrypg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	m := &machine{t: t, name: name, dir: dir, data: filepath.Join(dir, "da ta"), port: freePort(t), shell: []string{"dash"}}
	for _, d := range []string{"units", "run/systemd/units", "etc", "s"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"", "s"} {
		if err := own(filepath.Join(dir, d)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// freePort is one that nobody listens on at the moment.
func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func (m *machine) must(cmd *exec.Cmd) string {
	m.t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}

func (m *machine) configure(lines ...string) {
	m.t.Helper()
	f, err := os.OpenFile(m.data+"/postgresql.conf", os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		m.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(strings.Join(lines, "\n") + "\n"); err != nil {
		m.t.Fatal(err)
	}
}

// processes are those that work in the data directory, found without the kit's help.
func (m *machine) processes() []int {
	var out []int
	all, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, p := range all {
		if at, err := os.Readlink(p); err == nil && at == m.data {
			if exe, _ := os.Readlink(filepath.Dir(p) + "/exe"); exe != bins+"/postgres" {
				continue
			}
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(p)))
			out = append(out, pid)
		}
	}
	return out
}

// endAll kills what a failed test has left, by process id.
func (m *machine) endAll() {
	for range 50 {
		left := m.processes()
		for _, pid := range left {
			if p, err := os.FindProcess(pid); err == nil {
				_ = p.Kill()
			}
		}
		if len(left) == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
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
	body = strings.ReplaceAll(body, "etc=/etc\n", "etc="+m.dir+"/etc\n")
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
	if errs.Len() > 0 {
		m.t.Logf("%s says on stderr: %s", s.Name, errs.String())
	}
	return kits.Result{Exit: cmd.ProcessState.ExitCode(), Stdout: out.String(), Stderr: errs.String()}, nil
}

func (m *machine) instance() kits.Instance {
	return kits.Instance{
		Tag: "service/pg-1", Kit: "postgresql", Node: kits.Node{Name: m.name},
		Attrs:  map[string]string{FieldData: m.data, FieldBin: bins, FieldPort: m.port, FieldSocket: m.dir + "/s"},
		Tuning: map[string]string{StopTimeout: "5", ImmediateTimeout: "7", CheckTimeout: "3", StartTimeout: "90"},
	}
}

func (m *machine) check() kits.Report { return Kit{}.Check(m.t.Context(), m, m.instance()) }
func (m *machine) start() kits.Report { return Kit{}.Start(m.t.Context(), m, m.instance()) }
func (m *machine) stop() kits.Report  { return Kit{}.Stop(m.t.Context(), m, m.instance()) }
func (m *machine) recover() kits.Report {
	return Kit{}.Recover(m.t.Context(), m, m.instance())
}

func (m *machine) up() {
	m.t.Helper()
	want(m.t, "start", m.start(), kits.OK, "", "")
}

// postmaster is the server's process id.
func (m *machine) postmaster() int {
	m.t.Helper()
	b, err := os.ReadFile(m.data + "/postmaster.pid")
	if err != nil {
		m.t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		m.t.Fatal(err)
	}
	return pid
}

// psql runs a statement as a client would, and returns what it printed.
func (m *machine) psql(sql string) string {
	m.t.Helper()
	return strings.TrimSpace(m.must(as("postgres", bins+"/psql", "-XAtq", "-h", m.dir+"/s", "-p", m.port, "-d", "postgres", "-c", sql)))
}

func want(t *testing.T, what string, r kits.Report, o kits.Outcome, code, text string) {
	t.Helper()
	if r.Outcome != o || r.Reason.Code != code || !strings.Contains(r.Reason.Text, text) {
		t.Fatalf("%s: got %v %s %q (presence %q, output %q), want %v %s %q", what, r.Outcome, r.Reason.Code, r.Reason.Text, r.Presence, r.Output, o, code, text)
	}
}
