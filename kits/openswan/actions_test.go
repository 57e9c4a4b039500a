package openswan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

func TestRecoverStartsADaemonThatIsDead(t *testing.T) {
	m := newMachine(t)
	m.remove("proc/77")
	m.write("on-start/status", readLines(t, m, "status")...)
	m.write("status", "whack: Pluto is not running")
	r := Kit{}.Recover(t.Context(), m, instance())
	want(t, "recover", r, kits.OK, "", "")
	if !strings.Contains(m.calls(), "systemctl start ipsec.service") || strings.Contains(m.calls(), "systemctl kill") ||
		!strings.Contains(r.Output, "@did started") {
		t.Errorf("%s\n%s", m.calls(), r.Output)
	}
}

func TestRecoverKillsADaemonThatHangs(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.process("pluto", "T (stopped)")
	m.write("hang")
	want(t, "recover", Kit{}.Recover(t.Context(), m, instance()), kits.OK, "", "")
	if !strings.Contains(m.calls(), "systemctl kill -s KILL ipsec.service") {
		t.Error(m.calls())
	}
}

// systemd is bringing it back already: it is awaited, not killed.
func TestRecoverLeavesADaemonThatIsStarting(t *testing.T) {
	m := newMachine(t)
	m.write("on-start/status", readLines(t, m, "status")...)
	m.write("on-start/status.rc", "0")
	m.write("status", `whack: is Pluto running?  connect() for "/run/pluto/pluto.ctl" failed (111 Connection refused)`)
	m.write("status.rc", "33")
	want(t, "recover", Kit{}.Recover(t.Context(), m, instance()), kits.OK, "", "")
	if strings.Contains(m.calls(), "kill") || strings.Contains(m.calls(), " restart ") {
		t.Error(m.calls())
	}
}

// With Openswan, which has no list of the traffic, another connection's tunnel is not ours.
func TestRecoverOfOpenswanBringsUpOurOwn(t *testing.T) {
	m := newMachine(t)
	m.write("old")
	m.write("ping-private", answered("172.16.0.5"))
	m.write("ping-public", answered("54.254.156.254"))
	m.write("on-up/status", openswanStatus)
	down := openswanStatus[:strings.Index(openswanStatus, "000 #3")]
	for _, n := range []string{"#2", "#3"} {
		down = strings.ReplaceAll(down, "newest IPsec SA: "+n, "newest IPsec SA: #0")
	}
	m.write("status", down+`000 #9: "other":500 STATE_QUICK_I2 (sent QI2, IPsec SA established); newest IPSEC; eroute owner`)
	want(t, "recover", Kit{}.Recover(t.Context(), m, instance()), kits.OK, "", "")
	if !strings.Contains(m.calls(), "ipsec auto --up vpn1") {
		t.Error(m.calls())
	}
}

func TestRecoverBringsATunnelUp(t *testing.T) {
	m := newMachine(t)
	m.write("on-up/status", readLines(t, m, "status")...)
	m.write("on-up/traffic", readLines(t, m, "traffic")...)
	m.state("vpn-peerdown", "back+12s")
	want(t, "recover", Kit{}.Recover(t.Context(), m, instance()), kits.OK, "", "")
	down, up := strings.Index(m.calls(), "ipsec auto --down vpn1"), strings.Index(m.calls(), "ipsec auto --up vpn1")
	if down < 0 || up < down || strings.Contains(m.calls(), "systemctl") {
		t.Errorf("an attempt that waits must end before the next begins:\n%s", m.calls())
	}
}

// The tool says 0 and "initiating", and nothing comes of it.
func TestUpThatReturnsZeroIsNotBelieved(t *testing.T) {
	m := newMachine(t)
	m.state("vpn-more2", "peer-pluto-stopped+6s")
	m.write("up", "000 initiating all conns with alias='vpn1'")
	m.write("ping-private", unanswered("10.2.0.1"))
	r := Kit{}.Recover(t.Context(), m, instance())
	want(t, "recover", r, kits.Failed, "openswan.no-ping", "it is trying")
	if !strings.Contains(r.Output, "initiating all conns") {
		t.Errorf("what the tool said is lost: %q", r.Output)
	}
}

func TestRecoverLoadsAConnectionThatIsNotThere(t *testing.T) {
	m := newMachine(t)
	m.write("on-up/status", readLines(t, m, "status")...)
	m.write("on-up/traffic", readLines(t, m, "traffic")...)
	m.write("status", "000 using kernel interface: xfrm")
	m.write("traffic", "")
	want(t, "recover", Kit{}.Recover(t.Context(), m, instance()), kits.OK, "", "")
	if !strings.Contains(m.calls(), "ipsec auto --add vpn1") {
		t.Error(m.calls())
	}
}

func TestAStartWhereTheTunnelWorksTouchesNothing(t *testing.T) {
	m := newMachine(t)
	for _, what := range []string{"start", "start again"} {
		r := Kit{}.Start(t.Context(), m, instance())
		want(t, what, r, kits.OK, "", "")
		if r.Presence != kits.Present {
			t.Errorf("%+v", r)
		}
	}
	untouched(t, m)
}

func TestStopLeavesDaemonAndTunnel(t *testing.T) {
	m := newMachine(t)
	for _, what := range []string{"stop", "stop again"} {
		r := Kit{}.Stop(t.Context(), m, instance())
		want(t, what, r, kits.OK, "", "")
		if r.Presence != kits.Absent || r.Details["state"] != "up" {
			t.Errorf("%s: %+v", what, r)
		}
	}
	untouched(t, m)
	want(t, "the tunnel afterwards", Kit{}.Check(t.Context(), m, instance()), kits.OK, "", "")
}

func TestStopWithADaemonThatHangsEndsInItsTime(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.write("hang")
	in := instance()
	in.Tuning[RemoveTimeout] = "3"
	begin := time.Now()
	want(t, "stop", Kit{}.Stop(t.Context(), m, in), kits.OK, "", "")
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
	untouched(t, m)
}

func untouched(t *testing.T, m *machine) {
	t.Helper()
	for _, word := range []string{"systemctl", "auto"} {
		if strings.Contains(m.calls(), word) {
			t.Errorf("something was touched:\n%s", m.calls())
		}
	}
}

func readLines(t *testing.T, m *machine, name string) []string {
	t.Helper()
	res, err := m.Run(t.Context(), kits.Script{Name: "read", Body: `cat "$HERE/` + name + `"`, Deadline: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimRight(res.Stdout, "\n"), "\n")
}

// labConf is the recorded tunnel's configuration, with the peer's sourceip that SPEC demands.
const labConf = `conn vpn1
    left=10.9.0.1
    leftid=10.9.0.1
    leftsubnets={10.1.0.0/24}
    leftsourceip=10.1.0.1
    right=10.9.0.2
    rightid=10.9.0.2
    rightsubnets={10.2.0.0/24}
    rightsourceip=10.2.0.1
    auto=start`

func (m *machine) conf(text string) {
	m.write("etc/ipsec.conf", "# comments", "config setup", "\tlogfile=/var/log/pluto.log", "", `include "ipsec.d/*.conf"`)
	m.write("etc/ipsec.d/a b.conf", text)
	m.write("etc/ipsec.d/other.conf", "include /etc/none/*.conf", "include deep/*", "conn vpn2", " also=vpn1")
	m.write("etc/ipsec.d/deep/x", "conn vpn3", "\tleft=10.9.0.1", "\tright=%any")
}

func TestEligible(t *testing.T) {
	for _, shell := range []string{"dash", "bash"} {
		m := newMachine(t)
		m.shell = []string{shell}
		m.conf(labConf)
		if e := (Kit{}).Eligible(t.Context(), m, instance()); e.Outcome != kits.OK {
			t.Errorf("%s: %+v", shell, e)
		}
		untouched(t, m)
	}
	for name, c := range map[string]struct {
		do         func(*machine)
		o          kits.Outcome
		code, text string
	}{
		"no sourceip":   {func(m *machine) { m.conf(strings.Replace(labConf, "rightsourceip=", "#", 1)) }, kits.Failed, "openswan.conf", "rightsourceip"},
		"no connection": {func(m *machine) { m.conf("conn vpn1x") }, kits.Failed, "openswan.conf", "no conn vpn1"},
		"a slip":        {func(m *machine) { m.conf(labConf + "\nleft=1.2.3.4") }, kits.Failed, "openswan.conf", "/etc/ipsec.d/a b.conf, line 11"},
		"no file":       {func(m *machine) { m.remove("etc") }, kits.Failed, "openswan.conf", "there is no /etc/ipsec.conf"},
		"edited, not loaded": {func(m *machine) {
			m.conf(strings.Replace(labConf, "rightsourceip=10.2.0.1", "rightsourceip=10.2.0.7", 1))
		},
			kits.Failed, "openswan.not-reloaded", "rightsourceip"},
		"tunnel down":          {func(m *machine) { m.state("vpn-more", "both-down ") }, kits.Failed, "openswan.tunnel-down", ""},
		"includes in a circle": {func(m *machine) { m.write("etc/ipsec.d/c.conf", "include ../ipsec.d/c.conf") }, kits.Failed, "openswan.conf", "more than ten deep"},
		"too large":            {func(m *machine) { m.write("etc/ipsec.conf", strings.Repeat("# words\n", confRoom/8+1)) }, kits.Failed, "openswan.conf", "larger than"},
	} {
		m := newMachine(t)
		m.conf(labConf)
		c.do(m)
		e := Kit{}.Eligible(t.Context(), m, instance())
		if e.Outcome != c.o || e.Reason.Code != c.code || !strings.Contains(e.Reason.Text, c.text) {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestChoicesAndDestinations(t *testing.T) {
	m := newMachine(t)
	m.conf(labConf)
	got, err := Kit{}.Choices(t.Context(), m, instance(), FieldConnection)
	slices.Sort(got)
	if err != nil || !slices.Equal(got, []string{"vpn1", "vpn2", "vpn3"}) {
		t.Errorf("%q %v", got, err)
	}
	con, err := Kit{}.Connection(t.Context(), m, instance())
	if err != nil || fmt.Sprint(PeerSubnets(con)) != "[10.2.0.0/24]" || con.Local.Source.String() != "10.1.0.1" {
		t.Errorf("%+v %v", con, err)
	}
}

// replay answers each script from a list, and notes when it was asked.
type replay struct {
	begin time.Time
	list  []string
	asked []string
}

func (*replay) Node() string { return "VPN_P_A" }

func (h *replay) Run(_ context.Context, s kits.Script) (kits.Result, error) {
	h.asked = append(h.asked, fmt.Sprintf("%s +%v", strings.Join(append([]string{s.Name}, s.Args[1:]...), " "), time.Since(h.begin)))
	if len(h.list) == 0 {
		return kits.Result{}, errors.New("no answer within the deadline")
	}
	out := h.list[0]
	h.list = h.list[1:]
	return kits.Result{Stdout: out}, nil
}

const dead = "@begin\n@status\n|\n@statusend 33\n@pluto none\n@end\n"

// Defaults: three checks, fifteen seconds apart.
func TestTriesAndPausesAfterARecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &replay{begin: time.Now(), list: []string{dead, "@begin\n@end\n", dead, dead, dead, dead}}
		in := instance()
		in.Tuning = nil
		want(t, "recover", Kit{}.Recover(t.Context(), h, in), kits.Failed, "openswan.daemon-dead", "")
		got := strings.Join(h.asked, "\n")
		if exp := "openswan/check 5 +0s\nopenswan/recover restart +0s\nopenswan/check 5 +0s\nopenswan/check 5 +15s\nopenswan/check 5 +30s"; got != exp {
			t.Errorf("got\n%s\nwant\n%s", got, exp)
		}
		if limit := (Kit{}).Timeout(kits.ActRecover, in); time.Since(h.begin) > limit {
			t.Errorf("the tries alone are longer than %v", limit)
		}
	})
}

func TestRecoveryThatIsCalledOffEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		h := &replay{begin: time.Now(), list: []string{dead, "@begin\n@end\n", dead, dead, dead, dead}}
		in := instance()
		in.Tuning = map[string]string{CheckInterval: "3600"}
		want(t, "recover", Kit{}.Recover(ctx, h, in), kits.Failed, "openswan.daemon-dead", "")
		if took := time.Since(h.begin); took != 20*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// What the conformance tests ask of every kit. They themselves do not fit: they expect a resource that is out of
// service to fail its check, and this one's works everywhere.
func TestNoAnswerAndSenselessAnswers(t *testing.T) {
	in := instance()
	for _, out := range []string{
		"", "@", "OK\nOK\n", "\x00\xff\xfe@end\n@begin\n", "@begin\n@end\n", "@end\n@begin\n", "@begin\n@status\n|000 using kernel interface: xfrm\n@statusend 0\n",
		"@begin\n@status\n|000 using kernel interface: xfrm\n|000 \"vpn1\": 10.0.0.0/8===1.2.3.4...\n@statusend 0\n@end\n", "no answer",
	} {
		for i := range 5 {
			h := &replay{list: []string{out, out, out, out, out, out}}
			if out == "no answer" {
				h.list = nil
			}
			var o kits.Outcome
			var why kits.Reason
			switch i {
			case 4:
				e := Kit{}.Eligible(t.Context(), h, in)
				o, why = e.Outcome, e.Reason
			default:
				r := []func(context.Context, kits.Host, kits.Instance) kits.Report{Kit{}.Check, Kit{}.Start, Kit{}.Stop, Kit{}.Recover}[i](t.Context(), h, in)
				o, why = r.Outcome, r.Reason
			}
			if o == kits.OK || why.Text == "" || out == "no answer" && o != kits.Unknown {
				t.Errorf("%d with %q: %v %+v", i, out, o, why)
			}
		}
	}
}

func TestValidate(t *testing.T) {
	if p := (Kit{}).Validate(instance()); len(p) > 0 {
		t.Fatal(p)
	}
	for _, name := range []string{"", "-x", "a b", "vpn1/1x1", "%default", "a\nb", `a"b`, "$(x)", strings.Repeat("x", 64)} {
		in := instance()
		in.Attrs[FieldConnection] = name
		if p := (Kit{}).Validate(in); len(p) != 1 || p[0].Field != FieldConnection || p[0].Fix == "" {
			t.Errorf("%q: %+v", name, p)
		}
	}
	for _, a := range []kits.Action{kits.ActEligible, kits.ActCheck, kits.ActStart, kits.ActStop, kits.ActRecover} {
		if (Kit{}).Timeout(a, instance()) <= 0 {
			t.Errorf("%s has no deadline", a)
		}
	}
}

func FuzzJudge(f *testing.F) {
	f.Add(dead)
	f.Add("@begin\n@status\n|000 using kernel interface: xfrm\n@statusend 0\n@traffic 1\n@trafficend 0\n@end\n")
	f.Add("@begin\n@status\n|" + strings.ReplaceAll(openswanStatus, "\n", "\n|") + "\n@statusend 0\n@ping private -I 10.0.0.5 172.16.0.5\n|" +
		strings.ReplaceAll(answered("172.16.0.5"), "\n", "\n|") + "\n@pingend 0\n@ping public 54.254.156.254\n|" + strings.Replace(reply64, "%", "54.254.156.254", 1) +
		"\n@pingend 0\n@traffic 1795374700\n@trafficend 0\n@end\n")
	f.Fuzz(func(t *testing.T, s string) {
		in := instance()
		r := Kit{}.JudgeCheck(in, kits.Result{Stdout: s}, nil)
		if r.Outcome == kits.OK && !(strings.Contains(s, "established") && strings.Count(s, " bytes from ") >= 2 && strings.Contains(s, "@end")) {
			t.Errorf("ok from %q", s)
		}
		if strings.ContainsAny(fmt.Sprint(r), "\x1b\x00\x07") {
			t.Errorf("control characters from %q: %+v", s, r)
		}
		if files, _, err := readFiles(kits.Result{Stdout: s}); err == nil {
			_, _ = parseConf(files)
		}
	})
}

func TestRemedies(t *testing.T) {
	part := func(ups ...bool) (tn tunnel) {
		for i, up := range ups {
			tn.parts = append(tn.parts, part{name: fmt.Sprint("vpn1/1x", i+1), up: up})
		}
		return tn
	}
	silent := ping{asked: true, silent: true}
	failed := kits.Report{Outcome: kits.Failed}
	for name, c := range map[string]struct {
		l    look
		r    kits.Report
		want string
	}{
		"works":                      {look{daemon: daemonRuns, tunnel: part(true)}, kits.Report{Outcome: kits.OK}, ""},
		"nobody knows":               {look{}, kits.Report{}, ""},
		"no daemon":                  {look{daemon: daemonDead}, failed, remedyRestart},
		"hangs":                      {look{daemon: daemonHung}, failed, remedyRestart},
		"not loaded":                 {look{daemon: daemonRuns}, failed, remedyLoad},
		"down":                       {look{daemon: daemonRuns, tunnel: part(false, false), private: silent}, failed, remedyUp},
		"down in part":               {look{daemon: daemonRuns, tunnel: part(true, false)}, failed, remedyRenew},
		"up and carries nothing":     {look{daemon: daemonRuns, tunnel: part(true, true), private: silent}, failed, remedyRenew},
		"down, and no way there":     {look{daemon: daemonRuns, tunnel: part(false), private: silent, public: silent}, failed, ""},
		"up, and no way there":       {look{daemon: daemonRuns, tunnel: part(true), private: silent, public: silent}, failed, ""},
		"only the public one silent": {look{daemon: daemonRuns, tunnel: part(true), public: silent}, failed, ""},
	} {
		if got := remedy(c.l, c.r); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestRefusal(t *testing.T) {
	for said, want := range map[string]string{
		"003 \"vpn1/2x2\" #8: IKE SA authentication request rejected by peer: AUTHENTICATION_FAILED\n036 x\n": "AUTHENTICATION_FAILED",
		"003 \"vpn1\" #8: rejected by peer: \n": "",
		"rejected by peer: \x1b[31mRED":         "",
		"000 initiating all conns":              "",
	} {
		if got := refusal(said); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
}

// A secret that was changed is read again before the next attempt; a tunnel that is up in part, or carries nothing, is renewed.
func TestRenewReadsTheSecretsFirst(t *testing.T) {
	m := newMachine(t)
	m.write("ping-private", unanswered("10.2.0.1"))
	m.write("on-up/ping-private", answered("10.2.0.1"))
	want(t, "recover", Kit{}.Recover(t.Context(), m, instance()), kits.OK, "", "")
	last := -1
	for _, call := range []string{"--rereadsecrets", "auto --down vpn1", "auto --up vpn1"} {
		at := strings.Index(m.calls(), call)
		if at <= last {
			t.Errorf("%q is not where it belongs in\n%s", call, m.calls())
		}
		last = at
	}
}

// A name that validation would refuse never gets to a command line.
func TestANameThatIsNoneIsNotPassedOn(t *testing.T) {
	in := instance()
	in.Attrs[FieldConnection] = "-x $(reboot)"
	if s := (Kit{}).CheckScript(in); s.Args[0] != "" {
		t.Errorf("%q", s.Args)
	}
}
