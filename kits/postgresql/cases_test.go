package postgresql

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

func kill(t *testing.T, pid int, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatalf("signal %v to %d: %v", sig, pid, err)
	}
}

// alive: the process is there and no zombie.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(b), ") ")
	return err == nil && !strings.HasPrefix(rest, "Z")
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for range 1000 {
		if f() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s: not within 10 s", what)
}

// session is a client that stays connected and runs a statement; it returns its server process.
func (m *machine) session(sql string) int {
	m.t.Helper()
	cmd := as("postgres", bins+"/psql", "-XAtq", "-h", m.dir+"/s", "-p", m.port, "-d", "postgres", "-c", "set application_name='busy'", "-c", sql)
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	pid := 0
	eventually(m.t, "a client's session", func() bool {
		pid, _ = strconv.Atoi(m.psql("select pid from pg_stat_activity where application_name='busy' and state='active' limit 1"))
		return pid != 0
	})
	return pid
}

// sleeper is a process of the user postgres that is no server.
func sleeper(t *testing.T) int {
	cmd := exec.Command("setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd.Process.Pid
}

func (m *machine) writeLock(pid int) {
	m.t.Helper()
	p := m.data + "/postmaster.pid"
	text := fmt.Sprintf("%d\n%s\n1700000000\n%s\n%s/s\n127.0.0.1\n   123456         1\nready   \n", pid, m.data, m.port, m.dir)
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
	if err := own(p); err != nil {
		m.t.Fatal(err)
	}
	_ = os.Chmod(p, 0o600)
}

func TestStaleLockFiles(t *testing.T) {
	t.Parallel()
	other := newMachine(t, "B")
	other.up()
	for what, pid := range map[string]int{
		"of a process that is gone":     dead(t),
		"of another program":            sleeper(t),
		"of another cluster's server":   other.postmaster(),
		"of another cluster's children": children(t, other)[0],
		"of the first process":          1,
	} {
		t.Run(what, func(t *testing.T) {
			m := newMachine(t, "A")
			m.writeLock(pid)
			want(t, "check", m.check(), kits.Failed, "postgresql.gone", "does not run")
			want(t, "stop", m.stop(), kits.OK, "", "")
			want(t, "start", m.start(), kits.OK, "", "")
			want(t, "stop", m.stop(), kits.OK, "", "")
		})
	}
	want(t, "the other cluster", other.check(), kits.OK, "", "")
}

// dead is the id of a process that has ended.
func dead(t *testing.T) int {
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

func children(t *testing.T, m *machine) []int {
	t.Helper()
	var out []int
	for _, p := range m.processes() {
		if p != m.postmaster() {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		t.Fatal("a server without children")
	}
	return out
}

func TestServerKilled(t *testing.T) {
	m := newMachine(t, "A")
	m.up()
	m.psql("create table n(i int); insert into n select generate_series(1, 1000)")
	kill(t, m.postmaster(), syscall.SIGKILL)
	eventually(t, "its children go", func() bool { return len(m.processes()) == 0 })
	r := m.check()
	want(t, "check", r, kits.Failed, "postgresql.gone", "does not run")
	if r.Presence != kits.Absent {
		t.Errorf("presence %q", r.Presence)
	}
	want(t, "recover", m.recover(), kits.OK, "", "")
	if got := m.psql("select count(*) from n"); got != "1000" {
		t.Errorf("%s rows are left of 1000", got)
	}
}

// A child that is stuck survives its server, and would let another server fail.
func TestChildSurvivesItsServer(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	m.up()
	child := m.session("select pg_sleep(1000)")
	kill(t, child, syscall.SIGSTOP)
	kill(t, m.postmaster(), syscall.SIGKILL)
	eventually(t, "the others go", func() bool { return len(m.processes()) == 1 })
	r := m.check()
	want(t, "check", r, kits.Failed, "postgresql.orphans", strconv.Itoa(child))
	if r.Presence != kits.Present {
		t.Errorf("presence %q", r.Presence)
	}
	in := m.instance()
	in.Tuning[KillLast] = "0"
	want(t, "start that may not kill", Kit{}.Start(t.Context(), m, in), kits.Failed, "postgresql.orphans-stay", strconv.Itoa(child))
	if !alive(child) {
		t.Fatal("it was killed")
	}
	want(t, "recover", m.recover(), kits.OK, "", "")
	if alive(child) {
		t.Error("the child of the dead server lives")
	}
}

func TestStopOfOrphans(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	m.up()
	child := m.session("select pg_sleep(1000)")
	kill(t, child, syscall.SIGSTOP)
	kill(t, m.postmaster(), syscall.SIGKILL)
	in := m.instance()
	in.Tuning[ImmediateTimeout] = "1"
	r := Kit{}.Stop(t.Context(), m, in)
	want(t, "stop", r, kits.OK, "", "")
	if alive(child) || r.Presence != kits.Absent {
		t.Errorf("the child lives: %v, presence %q", alive(child), r.Presence)
	}
}

func TestStopWithClients(t *testing.T) {
	m := newMachine(t, "A")
	m.up()
	m.session("begin; create table x(); select pg_sleep(1000)")
	r := m.stop()
	want(t, "stop", r, kits.OK, "", "")
	if r.Details["stop"] != "fast" {
		t.Errorf("%+v", r.Details)
	}
}

func TestFastStopHangs(t *testing.T) {
	t.Parallel()
	m, other := newMachine(t, "A"), newMachine(t, "B")
	m.up()
	other.up()
	kill(t, m.session("select pg_sleep(1000)"), syscall.SIGSTOP)
	in := m.instance()
	in.Tuning[StopTimeout] = "1"
	r := Kit{}.Stop(t.Context(), m, in)
	want(t, "stop", r, kits.OK, "", "")
	if r.Details["stop"] != "immediate" || len(m.processes()) > 0 {
		t.Errorf("%+v, left: %v", r.Details, m.processes())
	}
	want(t, "the other cluster", other.check(), kits.OK, "", "")
	want(t, "start", m.start(), kits.OK, "", "")
}

func TestServerHangs(t *testing.T) {
	t.Parallel()
	m, other := newMachine(t, "A"), newMachine(t, "B")
	m.up()
	other.up()
	pm := m.postmaster()
	kill(t, pm, syscall.SIGSTOP)
	r := m.check()
	want(t, "check", r, kits.Unknown, "postgresql.no-answer", "did not answer within 3 s")
	if r.Presence != kits.Present {
		t.Errorf("presence %q", r.Presence)
	}
	in := m.instance()
	in.Tuning[StopTimeout], in.Tuning[ImmediateTimeout], in.Tuning[KillLast] = "1", "1", "0"
	want(t, "stop that may not kill", Kit{}.Stop(t.Context(), m, in), kits.Failed, "postgresql.still-running", strconv.Itoa(pm))
	in.Tuning[KillLast] = "1"
	r = Kit{}.Stop(t.Context(), m, in)
	want(t, "stop", r, kits.OK, "", "")
	if r.Details["stop"] != "killed" || len(m.processes()) > 0 {
		t.Errorf("%+v, left: %v", r.Details, m.processes())
	}
	if left, _ := filepath.Glob(m.dir + "/s/.s*"); len(left) > 0 {
		t.Errorf("its socket is left: %v", left)
	}
	want(t, "the other cluster", other.check(), kits.OK, "", "")
	want(t, "start", m.start(), kits.OK, "", "")
}

func TestHangThatCountsAsFailed(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	m.up()
	pm := m.postmaster()
	kill(t, pm, syscall.SIGSTOP)
	in := m.instance()
	in.Tuning[StopTimeout], in.Tuning[ImmediateTimeout], in.Tuning[CheckTimeout] = "1", "1", "1"
	want(t, "recover, when it does not count", Kit{}.Recover(t.Context(), m, in), kits.Unknown, "postgresql.no-answer", "")
	if !alive(pm) {
		t.Fatal("it was ended")
	}
	in.Tuning[HangFails] = "1"
	want(t, "check", Kit{}.Check(t.Context(), m, in), kits.Failed, "postgresql.no-answer", "")
	want(t, "recover", Kit{}.Recover(t.Context(), m, in), kits.OK, "", "")
	if alive(pm) {
		t.Error("the server that hangs is left")
	}
}

func TestRefusedConnections(t *testing.T) {
	m := newMachine(t, "A")
	m.up()
	for _, name := range []string{"nosuch", `we"ird 'x'; \q $(id)`, "-V"} {
		in := m.instance()
		in.Attrs[FieldDBUser] = name
		r := Kit{}.Check(t.Context(), m, in)
		want(t, name, r, kits.OK, "postgresql.refused", "")
		if !r.Impaired || !strings.Contains(r.Reason.Text, name) {
			t.Errorf("%+v", r)
		}
	}
	for range 12 {
		cmd := as("postgres", bins+"/psql", "-XAtq", "-h", m.dir+"/s", "-p", m.port, "-d", "postgres", "-c", "select pg_sleep(1000)")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	}
	eventually(t, "too many clients", func() bool { return len(m.processes()) >= 12+6 }) // beside the server and its own five
	want(t, "too many clients", m.check(), kits.OK, "postgresql.refused", "")
	want(t, "stop", m.stop(), kits.OK, "", "")
}

// A role may have any name, and arrives as it is.
func TestOddRole(t *testing.T) {
	m := newMachine(t, "A")
	if err := os.WriteFile(m.data+"/pg_hba.conf", []byte("local all all trust\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.up()
	in := m.instance()
	in.Attrs[FieldDBUser] = `mon "it' or`
	m.psql(`create role "mon ""it' or" login`)
	r := Kit{}.Check(t.Context(), m, in)
	want(t, "check", r, kits.OK, "", "")
	if r.Impaired || !strings.HasPrefix(r.Details["version"], "15.") || r.Details["connections"] == "" || r.Details["checkpoint"] == "" {
		t.Errorf("%+v", r)
	}
	m.psql("alter system set default_transaction_read_only = on")
	m.psql("select pg_reload_conf()")
	eventually(t, "read-only", func() bool { r = m.check(); return r.Impaired })
	want(t, "read-only", r, kits.OK, "postgresql.read-only", "")
}

func TestStandby(t *testing.T) {
	m := newMachine(t, "A")
	m.up()
	want(t, "stop", m.stop(), kits.OK, "", "")
	m.must(as("postgres", "touch", m.data+"/standby.signal"))
	r := m.start()
	want(t, "start", r, kits.Failed, "postgresql.signal", "standby.signal")
	if !r.Permanent || len(m.processes()) > 0 {
		t.Errorf("%+v", r)
	}
	m.must(as("postgres", bins+"/pg_ctl", "-w", "-s", "-D", m.data, "-l", m.dir+"/log", "-o", "-p "+m.port, "start"))
	r = m.check()
	want(t, "started by hand", r, kits.OK, "postgresql.standby", "as a standby")
	if !r.Impaired {
		t.Error("not impaired")
	}
	want(t, "stop of one started by hand", m.stop(), kits.OK, "", "")
}

func TestSocketIsGone(t *testing.T) {
	m := newMachine(t, "A")
	m.up()
	pm := m.postmaster()
	sock := m.dir + "/s/.s.PGSQL." + m.port
	if err := os.Remove(sock); err != nil {
		t.Fatal(err)
	}
	r := m.check()
	want(t, "check", r, kits.OK, "postgresql.no-socket", "answers over TCP")
	want(t, "recover of what works", m.recover(), kits.OK, "postgresql.no-socket", "")
	if m.postmaster() != pm {
		t.Error("a server with clients was restarted")
	}
	want(t, "stop", m.stop(), kits.OK, "", "")
	m.configure("listen_addresses = ''")
	m.up()
	if err := os.Remove(sock); err != nil {
		t.Fatal(err)
	}
	want(t, "check", m.check(), kits.Failed, "postgresql.unreachable", "nobody can connect")
	want(t, "recover", m.recover(), kits.OK, "", "")
}

func TestOtherPort(t *testing.T) {
	m := newMachine(t, "A")
	port := freePort(t)
	m.must(as("postgres", bins+"/pg_ctl", "-w", "-s", "-D", m.data, "-l", m.dir+"/log", "-o", "-p "+port, "start"))
	r := m.check()
	want(t, "check", r, kits.Unknown, "postgresql.other-port", port)
	if r.Presence != kits.Present {
		t.Error("a server of this data directory runs")
	}
	want(t, "stop", m.stop(), kits.OK, "", "")
}

func TestTwoClustersOneSocket(t *testing.T) {
	m, other := newMachine(t, "A"), newMachine(t, "B")
	other.up()
	in := m.instance()
	in.Attrs[FieldPort], in.Attrs[FieldSocket] = other.port, other.dir+"/s"
	r := Kit{}.Start(t.Context(), m, in)
	want(t, "start", r, kits.Failed, "postgresql.died", "")
	want(t, "check", Kit{}.Check(t.Context(), m, in), kits.Failed, "postgresql.gone", "")
	want(t, "stop", Kit{}.Stop(t.Context(), m, in), kits.OK, "", "")
	want(t, "the other cluster", other.check(), kits.OK, "", "")
}

func TestDataAndBinariesDiffer(t *testing.T) {
	m := newMachine(t, "A")
	for _, c := range [][2]string{{"14", "postgresql.version"}, {"1", "postgresql.version"}, {"", "postgresql.version"}, {"15", ""}} {
		version, code := c[0], c[1]
		if err := os.WriteFile(m.data+"/PG_VERSION", []byte(version+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := own(m.data + "/PG_VERSION"); err != nil {
			t.Fatal(err)
		}
		r := m.start()
		if r.Reason.Code != code || code != "" && (r.Outcome != kits.Failed || !r.Permanent || len(m.processes()) > 0) {
			t.Errorf("version %q: %+v", version, r)
		}
	}
}

func TestBrokenConfiguration(t *testing.T) {
	m := newMachine(t, "A")
	m.configure("shared_preload_libraries = 'nosuchlibrary'")
	want(t, "start", m.start(), kits.Failed, "postgresql.died", "nosuchlibrary")
	m.configure("this is = not = a setting")
	r := m.start()
	want(t, "start", r, kits.Failed, "postgresql.config", "postgresql.conf")
	if !r.Permanent {
		t.Error("trying again would help?")
	}
}

// As Debian keeps it: the configuration outside, with the data directory's place in it.
func TestConfigurationElsewhere(t *testing.T) {
	m, other := newMachine(t, "A"), newMachine(t, "B")
	conf := m.dir + "/etc/it's.conf"
	text := m.must(exec.Command("cat", m.data+"/postgresql.conf"))
	text += "data_directory = '" + m.data + "'\nhba_file = '" + m.data + "/pg_hba.conf'\nlogging_collector = on\n"
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(m.data + "/postgresql.conf"); err != nil {
		t.Fatal(err)
	}
	in := m.instance()
	in.Attrs[FieldConfig], in.Attrs[FieldLog] = conf, m.dir+"/a log"
	want(t, "start", Kit{}.Start(t.Context(), m, in), kits.OK, "", "")
	want(t, "stop", Kit{}.Stop(t.Context(), m, in), kits.OK, "", "")
	if log, err := os.ReadFile(m.dir + "/a log"); err != nil || !strings.Contains(string(log), "redirecting log output") {
		t.Errorf("the log file: %q %v", log, err)
	}
	ino := other.instance()
	ino.Attrs[FieldConfig] = conf
	r := Kit{}.Start(t.Context(), other, ino)
	want(t, "another cluster's configuration", r, kits.Failed, "postgresql.other-data", m.data)
	if len(other.processes())+len(m.processes()) > 0 {
		t.Error("something was started")
	}
	in.Attrs[FieldConfig] = m.dir + "/nosuch"
	want(t, "missing", Kit{}.Start(t.Context(), m, in), kits.Failed, "postgresql.no-config", "nosuch")
}

func TestSocketDirectoryIsAdded(t *testing.T) {
	m := newMachine(t, "A")
	in := m.instance()
	in.Attrs[FieldSocket] = m.dir + "/more"
	want(t, "start", Kit{}.Start(t.Context(), m, in), kits.OK, "", "")
	if m.psql("select 1") != "1" {
		t.Error("the old socket is gone")
	}
	want(t, "stop", Kit{}.Stop(t.Context(), m, in), kits.OK, "", "")
}

// Replaying is progress: a start that is over says so, leaves the server at it, and the next awaits it.
func TestLongReplay(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	m.configure("checkpoint_timeout = 1h", "max_wal_size = 1GB")
	m.up()
	m.psql("create table n as select i, repeat('x', 200) from generate_series(1, 150000) i")
	kill(t, m.postmaster(), syscall.SIGKILL)
	eventually(t, "its children go", func() bool { return len(m.processes()) == 0 })
	in := m.instance()
	in.Tuning[StartTimeout] = "2"
	done := make(chan kits.Report, 1)
	go func() { done <- Kit{}.Start(t.Context(), m, in) }()
	startup := 0
	eventually(t, "the replay begins", func() bool { startup = titled(m, "startup"); return startup != 0 })
	kill(t, startup, syscall.SIGSTOP)
	r := <-done
	if r.Outcome == kits.OK {
		t.Skip("left out: the replay was over before it could be stopped")
	}
	want(t, "start", r, kits.Failed, "postgresql.not-ready", "within 2 s")
	r = m.check()
	want(t, "check", r, kits.Unknown, "postgresql.starting", "starting")
	pm := m.postmaster()
	kill(t, startup, syscall.SIGCONT)
	want(t, "the next start", m.start(), kits.OK, "", "")
	if m.postmaster() != pm || m.psql("select count(*) from n") != "150000" {
		t.Error("another server, or rows are lost")
	}
}

// titled finds a child by what it says of itself.
func titled(m *machine, word string) int {
	for _, pid := range m.processes() {
		if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); strings.HasPrefix(string(b), "postgres: "+word) {
			return pid
		}
	}
	return 0
}

// A child that crashes makes the server start anew by itself.
func TestChildCrashes(t *testing.T) {
	m := newMachine(t, "A")
	m.up()
	pm := m.postmaster()
	kill(t, m.session("select pg_sleep(1000)"), syscall.SIGKILL)
	var r kits.Report
	eventually(t, "it heals", func() bool {
		r = m.check()
		if r.Outcome == kits.Failed {
			t.Fatalf("a server that restarts itself: %+v", r)
		}
		return r.Outcome == kits.OK
	})
	if m.postmaster() != pm {
		t.Error("another server")
	}
}
