package openswan

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/kittest"
)

// machine runs the kit's real scripts in a real shell. ipsec, ping and systemctl are stand-ins that repeat
// files (testdata/bin): what is tried with it is the scripts' plumbing, not IPsec. That is the lab's.
type machine struct {
	t     *testing.T
	dir   string
	shell []string
	quick bool // the waiting times of the scripts cut short
}

func newMachine(t *testing.T) *machine {
	m := &machine{t: t, dir: t.TempDir(), shell: []string{"sh"}, quick: true}
	m.process("pluto", "S (sleeping)")
	m.up()
	return m
}

func (m *machine) Node() string { return "VPN_P_A" }

func (m *machine) Run(ctx context.Context, s kits.Script) (kits.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Deadline)
	defer cancel()
	bin, err := filepath.Abs("testdata/bin")
	if err != nil {
		return kits.Result{}, err
	}
	body := strings.Replace(s.Body, "proc=/proc\n", "proc="+m.dir+"/proc\n", 1)
	if m.quick {
		body = strings.Replace(body, "ask=6\n", "ask=1\n", 1)
		body = strings.ReplaceAll(body, "sleep 1\n", "sleep 0.01\n")
	}
	args := append(m.shell[1:len(m.shell):len(m.shell)], "-c", body, "ferry")
	scriptArgs := append([]string(nil), s.Args...)
	for i, a := range scriptArgs {
		if a == confPath {
			scriptArgs[i] = m.dir + "/etc/ipsec.conf"
		}
	}
	cmd := exec.CommandContext(ctx, m.shell[0], append(args, scriptArgs...)...)
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
	said := strings.ReplaceAll(out.String(), m.dir+"/etc/", "/etc/")
	return kits.Result{Exit: cmd.ProcessState.ExitCode(), Stdout: said}, nil
}

func (m *machine) write(name string, lines ...string) {
	m.t.Helper()
	p := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) remove(name string) {
	if err := os.RemoveAll(filepath.Join(m.dir, name)); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) calls() string {
	b, _ := os.ReadFile(filepath.Join(m.dir, "calls"))
	return string(b)
}

// process shows a process the way the kernel does.
func (m *machine) process(name, state string) {
	m.write("proc/1/comm", "systemd")
	m.write("proc/1/status", "Name:\tsystemd", "State:\tS (sleeping)")
	m.write("proc/77/comm", name)
	m.write("proc/77/status", "Name:\t"+name, "State:\t"+state)
}

// theirIP gives the recorded status the peer's address, which the recorded configuration did not have.
func theirIP(lines []string) []string {
	return strings.Split(strings.ReplaceAll(strings.Join(lines, "\n"), "their_ip=unset", "their_ip=10.2.0.1"), "\n")
}

// full puts a state's lines into the head of the complete recording.
func full(t testing.TB, file, state string) (status, traffic []string) {
	all, _ := captured(t, "vpn-up", "ipsec status (up)")
	lines, traffic := captured(t, file, state)
	for _, l := range all {
		if !strings.Contains(l, `"vpn1/1x1"`) {
			status = append(status, l)
		} else if strings.Contains(l, "their_ip") {
			status = append(status, lines[1:]...)
			status = append(status, l)
		}
	}
	return theirIP(status), traffic
}

const reply64 = "64 bytes from %: icmp_seq=1 ttl=64 time=0.412 ms"

func answered(addr string) string {
	return "PING " + addr + " (" + addr + ") 56(84) bytes of data.\n" + strings.Replace(reply64, "%", addr, 1) +
		"\n\n--- " + addr + " ping statistics ---\n1 packets transmitted, 1 received, 0% packet loss, time 0ms"
}

func unanswered(addr string) string {
	return "PING " + addr + " (" + addr + ") 56(84) bytes of data.\n\n--- " + addr +
		" ping statistics ---\n5 packets transmitted, 0 received, 100% packet loss, time 4102ms"
}

// up is the tunnel as it should be.
func (m *machine) up() {
	status, traffic := captured(m.t, "vpn-up", "ipsec status (up)")
	m.write("status", theirIP(status)...)
	m.write("traffic", append(traffic, `006 #3: "vpn1/1x1", type=ESP, add_time=1795374644, inBytes=84, outBytes=252, maxBytes=2^63B, id='10.9.0.2'`)...)
	m.write("ping-private", answered("10.2.0.1"))
	m.write("ping-public", answered("10.9.0.2"))
}

// state puts a recorded state into force.
func (m *machine) state(file, name string) {
	status, traffic := full(m.t, file, name)
	m.write("status", status...)
	m.write("traffic", traffic...)
}

func instance() kits.Instance {
	return kits.Instance{
		Tag: "vpn-primary/openswan-vpn1", Kit: "openswan", Cluster: "vpn-primary",
		Node:   kits.Node{Name: "VPN_P_A", Address: "10.9.0.1"},
		Attrs:  map[string]string{FieldConnection: "vpn1"},
		Active: "VPN_P_A",
		Tuning: map[string]string{PingTimeout: "1", CheckInterval: "0", CheckTries: "2"},
		Children: []kits.Relative{{Tag: "vpn-primary/ec2-vpn1", Kit: "ec2", On: map[string]map[string]string{
			"VPN_P_A": {"type": "route-table", "destinations": "10.2.0.0/24"},
		}}},
	}
}

func want(t *testing.T, what string, r kits.Report, o kits.Outcome, code, text string) {
	t.Helper()
	if r.Outcome != o || r.Reason.Code != code || !strings.Contains(r.Reason.Text, text) {
		t.Errorf("%s: got %v %s %q (output %q), want %v %s %q", what, r.Outcome, r.Reason.Code, r.Reason.Text, r.Output, o, code, text)
	}
}

func TestScriptsAreClean(t *testing.T) {
	for name, body := range map[string]string{"check": checkSh, "conf": confSh, "stop": stopSh, "recover": recoverSh} {
		kittest.Lint(t, name, libSh+"\n"+body)
	}
}

func TestCheckOfATunnelThatWorks(t *testing.T) {
	for _, shell := range [][]string{{"dash"}, {"busybox", "sh"}, {"bash", "--posix"}} {
		if _, err := exec.LookPath(shell[0]); err != nil {
			t.Logf("%s is not installed, left out", shell[0])
			continue
		}
		m := newMachine(t)
		m.shell = shell
		r := Kit{}.Check(t.Context(), m, instance())
		want(t, shell[0], r, kits.OK, "", "")
		d := r.Details
		if r.Presence != kits.Present || d["state"] != "up" || d["ike"] != "established" || d["peer"] != "10.9.0.2" ||
			d["peer-private"] != "10.2.0.1" || d["in"] != "84" || d["out"] != "252" || d["ping"] != "0.4 ms" || d["age"] == "" {
			t.Errorf("%s: %+v", shell[0], r)
		}
		for _, call := range []string{"ping -n -c 1 -w 1 -W 1 -I 10.1.0.1 10.2.0.1\n", "ping -n -c 1 -w 1 -W 1 10.9.0.2\n"} {
			if !strings.Contains(m.calls(), call) {
				t.Errorf("%s: %q was not called in\n%s", shell[0], call, m.calls())
			}
		}
	}
}

func TestCheckOfOpenswan(t *testing.T) {
	m := newMachine(t)
	m.write("old")
	m.write("status", openswanStatus)
	m.write("ping-private", answered("172.16.0.5"))
	m.write("ping-public", answered("54.254.156.254"))
	r := Kit{}.Check(t.Context(), m, instance())
	want(t, "check", r, kits.OK, "", "")
	if r.Details["peer-private"] != "172.16.0.5" || r.Details["in"] != "1024" {
		t.Errorf("%+v", r.Details)
	}
}

// SPEC 7, nodes: "IKE SA up but ping fails = failed". The link was cut 12 seconds ago.
func TestIKEUpButPingFailsIsFailed(t *testing.T) {
	m := newMachine(t)
	m.state("vpn-peerdown", "cut+12s")
	m.write("ping-private", unanswered("10.2.0.1"))
	m.write("ping-private.rc", "1")
	r := Kit{}.Check(t.Context(), m, instance())
	want(t, "data path dead", r, kits.Failed, "openswan.no-ping", "although the daemon says that it is up")
	if r.Details["state"] != "up, peer does not answer" || r.Details["ike"] != "established" || r.Details["ping"] != "no answer" {
		t.Errorf("%+v", r.Details)
	}
	m.write("ping-public", unanswered("10.9.0.2"))
	want(t, "peer region gone", Kit{}.Check(t.Context(), m, instance()), kits.Failed, "openswan.no-ping", "nor does its public address 10.9.0.2")
}

// SPEC 7, nodes: "pluto dead and empty status = failed".
func TestPlutoDeadAndEmptyStatusIsFailed(t *testing.T) {
	for said, rc := range map[string]string{
		"": "0",
		`whack: is Pluto running?  connect() for "/run/pluto/pluto.ctl" failed (111 Connection refused)`: "33",
		`whack: Pluto is not running (no "/run/pluto/pluto.ctl")`:                                        "33",
	} {
		m := newMachine(t)
		m.remove("proc/77")
		m.write("status", said)
		m.write("status.rc", rc)
		want(t, said, Kit{}.Check(t.Context(), m, instance()), kits.Failed, "openswan.daemon-dead", "does not run on VPN_P_A")
		if strings.Contains(m.calls(), "ping") {
			t.Errorf("after a daemon that is dead something else was asked: %s", m.calls())
		}
	}
}

func TestDaemonThatHangs(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.write("hang")
	want(t, "no answer, and the node had time", Kit{}.Check(t.Context(), m, instance()), kits.Failed, "openswan.daemon-hung", "does not answer")
	m.process("pluto", "T (stopped)")
	want(t, "stopped", Kit{}.Check(t.Context(), m, instance()), kits.Failed, "openswan.daemon-hung", "")
}

func TestOtherFailures(t *testing.T) {
	for name, c := range map[string]struct {
		do         func(*machine)
		o          kits.Outcome
		code, text string
	}{
		"status says down although pings pass": {func(m *machine) { m.state("vpn-more", "both-down ") }, kits.Failed, "openswan.tunnel-down", "vpn1/1x1"},
		"connecting":                           {func(m *machine) { m.state("vpn-peerdown", "cut+60s") }, kits.Failed, "openswan.tunnel-down", "it is trying"},
		"public address silent":                {func(m *machine) { m.write("ping-public", unanswered("10.9.0.2")) }, kits.Failed, "openswan.no-public-ping", "ICMP"},
		"another answers":                      {func(m *machine) { m.write("ping-private", answered("10.2.0.99")) }, kits.Unknown, "openswan.unreadable", "ping"},
		"our address is not here":              {func(m *machine) { m.write("ping-private", "ping: bind: Cannot assign requested address") }, kits.Failed, "openswan.no-ping", "Cannot assign"},
		"ping may not ping":                    {func(m *machine) { m.write("ping-private", "ping: socket: Operation not permitted") }, kits.Unknown, "openswan.unreadable", ""},
		"not loaded": {func(m *machine) {
			m.write("status", "000 using kernel interface: xfrm", "000 Total IPsec connections: loaded 0, active 0")
		}, kits.Failed, "openswan.not-loaded", ""},
		"it came down meanwhile":  {func(m *machine) { m.write("traffic", "") }, kits.Unknown, "openswan.changing", ""},
		"senseless status":        {func(m *machine) { m.write("status", "Segmentation fault") }, kits.Unknown, "openswan.unreadable", ""},
		"traffic nobody can read": {func(m *machine) { m.write("traffic", "what") }, kits.Unknown, "openswan.unreadable", ""},
		"no rightsourceip": {func(m *machine) {
			status, _ := captured(m.t, "vpn-up", "ipsec status (up)")
			m.write("status", status...)
		}, kits.Unknown, "openswan.no-address", "rightsourceip"},
	} {
		m := newMachine(t)
		c.do(m)
		want(t, name, Kit{}.Check(t.Context(), m, instance()), c.o, c.code, c.text)
	}
}

func TestPresenceRepeatsTheClaim(t *testing.T) {
	m := newMachine(t)
	for active, p := range map[string]kits.Presence{"VPN_P_A": kits.Present, "VPN_P_B": kits.PresenceUnknown, "": kits.Absent} {
		in := instance()
		in.Active = active
		if r := (Kit{}).Check(t.Context(), m, in); r.Outcome != kits.OK || r.Presence != p {
			t.Errorf("active %q: %+v", active, r)
		}
	}
	m.write("ping-private", unanswered("10.2.0.1"))
	in := instance()
	in.Active = "VPN_P_B"
	if r := (Kit{}).Check(t.Context(), m, in); r.Outcome != kits.Failed || r.Presence != kits.Absent {
		t.Errorf("a standby that failed: %+v", r)
	}
}
