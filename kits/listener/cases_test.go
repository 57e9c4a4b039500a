package listener

import (
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		do         func(m *machine, in kits.Instance)
		o          kits.Outcome
		presence   kits.Presence
		impaired   bool
		code, text string
	}{
		"works":          {func(m *machine, _ kits.Instance) { m.up() }, kits.OK, kits.Present, false, "", ""},
		"nothing":        {func(*machine, kits.Instance) {}, kits.Failed, kits.Absent, false, "listener.not-running", "does not run on A"},
		"hung":           {func(m *machine, _ kits.Instance) { m.up().knob("hung", "") }, kits.Failed, kits.Present, false, "listener.hung", "within 1 s"},
		"nobody listens": {func(m *machine, _ kits.Instance) { m.up().remove("lsnr/listener/up") }, kits.Failed, kits.Present, false, "listener.no-answer-there", "TNS-12541"},
		"refuses": {func(m *machine, _ kits.Instance) {
			m.up().knob("said", "TNS-01189: The listener could not authenticate the user")
		}, kits.Unknown, kits.Present, false, "listener.refused", "TNS-01189"},
		"deaf":            {func(m *machine, _ kits.Instance) { m.up().knob("deaf", "") }, kits.Failed, kits.Present, false, "listener.address-silent", "www.example.com:1521: TNS-12541"},
		"a port is stuck": {func(m *machine, _ kits.Instance) { m.up().write("silent-1521", "") }, kits.Failed, kits.Present, false, "listener.address-silent", "within 1 s"},
		"another port": {func(m *machine, in kits.Instance) {
			in.Attrs[FieldAddresses] = "tcp:www.example.com:1529"
			m.up()
		}, kits.Failed, kits.Present, false, "listener.not-listening", "tcp:www.example.com:1529"},
		"chosen addresses": {func(m *machine, in kits.Instance) {
			in.Attrs[FieldAddresses] = "tcp:www.example.com:1521, ipc:EXTPROC1521"
			m.up()
		}, kits.OK, kits.Present, false, "", ""},
		"the database is not registered": {func(m *machine, _ kits.Instance) { m.up().remove("lsnr/listener/services") }, kits.OK, kits.Present, true, "listener.no-service", "ORCL"},
		"it is blocked":                  {func(m *machine, _ kits.Instance) { m.up().knob("services", "ORCL BLOCKED") }, kits.OK, kits.Present, true, "listener.service-blocked", "blocked"},
		"a service of listener.ora":      {func(m *machine, _ kits.Instance) { m.up().knob("services", "ORCL UNKNOWN") }, kits.OK, kits.Present, false, "", ""},
		"blocked for one, ready for another": {func(m *machine, _ kits.Instance) {
			m.up().knob("services", "ORCL READY\nORCL BLOCKED")
		}, kits.OK, kits.Present, false, "", ""},
		"the other of two": {func(m *machine, _ kits.Instance) {
			m.process(2, m.home+"/bin/tnslsnr", "LSNR2", "-inherit")
			m.process(3, m.home+"/bin/tnslsnr", "LISTENER2", "-inherit")
			m.process(4, m.home+"/bin/tnslsnr", "LISTENER_X", "-inherit")
		}, kits.Failed, kits.Absent, false, "listener.not-running", ""},
		"another case": {func(m *machine, _ kits.Instance) {
			m.process(1, m.home+"/bin/tnslsnr", "Listener", "-inherit")
			m.knob("up", "4200001")
		}, kits.OK, kits.Present, false, "", ""},
		"another home": {func(m *machine, _ kits.Instance) {
			m.process(1, "/u01/12.2/bin/tnslsnr", "LISTENER", "-inherit")
		}, kits.Failed, kits.Absent, false, "listener.other-home", "/u01/12.2"},
		"somebody who looks for it": {func(m *machine, _ kits.Instance) {
			m.process(1, "/usr/bin/vi", "tnslsnr", "LISTENER")
			m.process(2, m.home+"/bin/lsnrctl", "tnslsnr", "LISTENER")
		}, kits.Failed, kits.Absent, false, "listener.not-running", ""},
		"a program that is not shown": {func(m *machine, _ kits.Instance) {
			m.write("proc/4200001/cmdline", m.home+"/bin/tnslsnr\x00LISTENER\x00-inherit\x00")
		}, kits.Unknown, "", false, "listener.unsure", "ORACLE_HOME"},
		"no lsnrctl": {func(m *machine, _ kits.Instance) {
			m.up().remove("u01/app/oracle/product/19.0.0/dbhome_1/bin/lsnrctl")
		}, kits.Unknown, kits.Present, false, "listener.no-lsnrctl", ""},
		"a very long owner's name": {func(m *machine, in kits.Instance) {
			in.Attrs[FieldUser] = "oracle_production_database_owner"
			m.up()
		}, kits.OK, kits.Present, false, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, "A")
			in := m.instance()
			c.do(m, in)
			if name == "hung" || name == "a port is stuck" {
				in = quick(in)
			}
			r := Kit{}.Check(t.Context(), m, in)
			want(t, name, r, c.o, c.code, c.text)
			if r.Presence != c.presence || r.Impaired != c.impaired {
				t.Errorf("presence %q, impaired %v; want %q, %v", r.Presence, r.Impaired, c.presence, c.impaired)
			}
		})
	}
}

func TestWhatTheCheckTells(t *testing.T) {
	m := newMachine(t, "A").up()
	d := Kit{}.Check(t.Context(), m, m.instance()).Details
	for k, v := range map[string]string{
		"alias": "LISTENER", "version": "19.0.0.0.0", "services": "ORCL ready", "answers": "www.example.com:1521",
		"uptime": "0 days 2 hr. 26 min. 4 sec", "since": "23-NOV-2026 09:14:03",
	} {
		if d[k] != v {
			t.Errorf("%s: %q, want %q", k, d[k], v)
		}
	}
}

func TestStart(t *testing.T) {
	for name, c := range map[string]struct {
		do         func(m *machine, in kits.Instance)
		o          kits.Outcome
		code, text string
		permanent  bool
	}{
		"nothing runs":   {func(*machine, kits.Instance) {}, kits.OK, "", "", false},
		"runs already":   {func(m *machine, _ kits.Instance) { m.up() }, kits.OK, "", "", false},
		"another home's": {func(m *machine, _ kits.Instance) { m.process(1, "/u01/12.2/bin/tnslsnr", "LISTENER", "-inherit") }, kits.Failed, "listener.other-home", "", true},
		"the name leads elsewhere": {func(m *machine, _ kits.Instance) { m.write("hosts", "www.example.com 10.2.0.10\n") },
			kits.Failed, "listener.not-resolved", "resolves to 10.2.0.10 on A", false},
		"the name leads nowhere": {func(m *machine, _ kits.Instance) { m.write("hosts", "") }, kits.Failed, "listener.not-resolved", "resolves to nothing", false},
		"the address is not up":  {func(m *machine, in kits.Instance) { in.Attrs[FieldName] = "lsnr2"; m.write("addresses", "10.0.0.10\n") }, kits.Failed, "listener.not-resolved", "10.1.0.10", false},
		"an address alike": {func(m *machine, in kits.Instance) {
			in.Attrs[FieldName] = "lsnr2"
			m.write("addresses", "10.1.0.101\n110.1.0.10\n")
		}, kits.Failed, "listener.not-resolved", "10.1.0.10", false},
		"the other of two": {func(m *machine, in kits.Instance) {
			in.Attrs[FieldName] = "LSNR2"
			m.write("lsnr/lsnr2/services", "ORCL READY\n")
		}, kits.OK, "", "", false},
		"the port is taken": {func(m *machine, _ kits.Instance) {
			m.knob("start-error", "TNS-12542: TNS:address already in use\n TNS-12560: TNS:protocol adapter error\n  TNS-00512: Address already in use")
		}, kits.Failed, "listener.address-taken", "TNS-12542", false},
		"something else":   {func(m *machine, _ kits.Instance) { m.knob("start-error", "TNS-12999: nobody knows") }, kits.Failed, "listener.not-up", "TNS-12999", false},
		"no such listener": {func(_ *machine, in kits.Instance) { in.Attrs[FieldName] = "LSNR3" }, kits.Failed, "listener.conf", "defines no listener LSNR3", true},
		"a file nobody can read": {func(m *machine, _ kits.Instance) {
			m.write("u01/app/oracle/product/19.0.0/dbhome_1/network/admin/listener.ora", "LISTENER = (")
		}, kits.Failed, "listener.conf", "line 1", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, "A")
			in := m.instance()
			c.do(m, in)
			r := Kit{}.Start(t.Context(), m, in)
			want(t, name, r, c.o, c.code, c.text)
			if r.Permanent != c.permanent {
				t.Errorf("permanent: %v", r.Permanent)
			}
		})
	}
}

// SPEC 1: before the listener starts, wait until that node resolves the name to the active virtual IP.
func TestStartWaitsForTheName(t *testing.T) {
	m := newMachine(t, "A")
	m.write("hosts", "www.example.com 10.2.0.10\n")
	in := m.instance()
	in.Tuning[ResolveTimeout] = "20"
	go func() {
		time.Sleep(500 * time.Millisecond)
		m.write("hosts", "www.example.com 10.1.0.10\n")
	}()
	want(t, "start", Kit{}.Start(t.Context(), m, in), kits.OK, "", "")
	if got := m.read("registered"); got != "ORCL "+m.home+" alter system register; exit \n" {
		t.Errorf("registered: %q", got)
	}
}

func TestStartIsNotRunTwice(t *testing.T) {
	m := newMachine(t, "A")
	m.knob("slow", "1")
	ctx := m.until("controls") // lsnrctl was called
	if r := (Kit{}).Start(ctx, m, m.instance()); r.Outcome != kits.Unknown {
		t.Fatalf("a start that was cut off: %+v", r)
	}
	want(t, "start", Kit{}.Start(t.Context(), m, m.instance()), kits.OK, "", "")
	if got := m.read("lsnr/listener/starts"); got != "start\n" {
		t.Errorf("starts: %q", got)
	}
}

// SPEC 7, nodes: "two listeners, long owner names → the right process".
func TestOnlyTheRightListenerIsStopped(t *testing.T) {
	m := newMachine(t, "A").up()
	m.process(2, m.home+"/bin/tnslsnr", "LSNR2", "-inherit")
	m.process(3, m.home+"/bin/tnslsnr", "LISTENER2", "-inherit")
	m.process(4, "/u01/12.2/bin/tnslsnr", "LISTENER", "-inherit")
	in := m.instance()
	in.Attrs[FieldUser] = "oracle_production_database_owner"
	want(t, "stop", Kit{}.Stop(t.Context(), m, in), kits.OK, "", "")
	for _, p := range []string{"2", "3", "4"} {
		if m.read("proc/420000"+p+"/cmdline") == "" {
			t.Errorf("process %s was ended", p)
		}
	}
	if m.read("proc/4200001/cmdline") != "" || m.read("killed") != "" {
		t.Errorf("it is still there, or something was killed: %q", m.read("killed"))
	}
}

func TestStopOfAListenerThatHangs(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A").up()
	m.knob("hung", "")
	m.process(2, m.home+"/bin/tnslsnr", "LSNR2", "-inherit")
	want(t, "stop", Kit{}.Stop(t.Context(), m, quick(m.instance())), kits.OK, "", "")
	if got := m.read("killed"); got != "kill -TERM 4200001\n" {
		t.Errorf("killed: %q", got)
	}
}

func TestStopOfWhatCannotBeTold(t *testing.T) {
	m := newMachine(t, "A")
	m.write("proc/4200001/cmdline", m.home+"/bin/tnslsnr\x00LISTENER\x00-inherit\x00")
	want(t, "stop", Kit{}.Stop(t.Context(), m, m.instance()), kits.Unknown, "listener.unsure", "")
	if m.read("killed") != "" {
		t.Errorf("killed: %q", m.read("killed"))
	}
}

func TestRecover(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A").up()
	r := Kit{}.Recover(t.Context(), m, m.instance())
	want(t, "recover of what works", r, kits.OK, "", "")
	if m.read("lsnr/listener/starts") != "" {
		t.Error("it was started anew")
	}
	m.knob("deaf", "")
	go func() { // it is deaf until it is started anew
		for m.read("lsnr/listener/up") != "" {
			time.Sleep(5 * time.Millisecond)
		}
		m.remove("lsnr/listener/deaf")
	}()
	want(t, "recover", Kit{}.Recover(t.Context(), m, m.instance()), kits.OK, "", "")
	if m.read("lsnr/listener/starts") != "start\n" {
		t.Errorf("starts: %q", m.read("lsnr/listener/starts"))
	}
}

func TestProtectionLevels(t *testing.T) {
	for level, c := range map[string]struct{ stopped, monitored bool }{Full: {true, true}, Intermediate: {false, true}, Minimal: {false, false}} {
		m := newMachine(t, "A").up()
		in := m.instance()
		in.Attrs[FieldProtection], in.Active = level, "A"
		if r := (Kit{}).Check(t.Context(), m, in); r.Outcome != kits.OK || r.Presence != kits.Present {
			t.Errorf("%s: %+v", level, r)
		}
		m.knob("deaf", "")
		if r := (Kit{}).Check(t.Context(), m, in); (r.Outcome == kits.Failed) != c.monitored {
			t.Errorf("%s, deaf: %+v", level, r)
		}
		if r := (Kit{}).Stop(t.Context(), m, in); r.Outcome != kits.OK || r.Presence != kits.Absent {
			t.Errorf("%s, stop: %+v", level, r)
		}
		if (m.read("lsnr/listener/up") == "") != c.stopped {
			t.Errorf("%s: stopped %v", level, !c.stopped)
		}
		in.Active = "B"
		if r := (Kit{}).Check(t.Context(), m, in); r.Outcome != kits.Failed || r.Presence != kits.Absent {
			t.Errorf("%s, out of service: %+v", level, r)
		}
	}
}

func TestEligible(t *testing.T) {
	unit := func(text string) func(m *machine, _ kits.Instance) {
		return func(m *machine, _ kits.Instance) {
			m.write("etc/systemd/system/multi-user.target.wants/dbora.service", "[Service]\n"+text+"\n")
		}
	}
	for name, c := range map[string]struct {
		do         func(m *machine, in kits.Instance)
		o          kits.Outcome
		code, text string
	}{
		"in order":         {func(*machine, kits.Instance) {}, kits.OK, "", ""},
		"runs":             {func(m *machine, _ kits.Instance) { m.up() }, kits.OK, "", ""},
		"no listener.ora":  {func(m *machine, _ kits.Instance) { m.remove("u01/app/oracle/product/19.0.0/dbhome_1/network") }, kits.Failed, "listener.conf", "there is no "},
		"no such address":  {func(_ *machine, in kits.Instance) { in.Attrs[FieldAddresses] = "tcp:www.example.com:1522" }, kits.Failed, "listener.conf", "not among the addresses"},
		"no such user":     {func(_ *machine, in kits.Instance) { in.Attrs[FieldUser] = "nobody7" }, kits.Failed, "listener.no-user", ""},
		"no home":          {func(m *machine, _ kits.Instance) { m.remove("u01/app/oracle/product/19.0.0/dbhome_1/bin/tnslsnr") }, kits.Failed, "listener.no-home", "bin/tnslsnr"},
		"dbstart":          {unit("ExecStart=/u01/bin/dbstart /u01"), kits.Failed, "listener.starts-at-boot", "systemctl disable dbora.service"},
		"by name":          {unit("ExecStart=/u01/bin/lsnrctl start listener"), kits.Failed, "listener.starts-at-boot", ""},
		"without a name":   {unit("ExecStart=/u01/bin/lsnrctl start"), kits.Failed, "listener.starts-at-boot", ""},
		"another listener": {unit("ExecStart=/u01/bin/lsnrctl start LISTENER2"), kits.OK, "", ""},
		"another default": {func(m *machine, in kits.Instance) {
			in.Attrs[FieldName] = "LSNR2"
			unit("ExecStart=/u01/bin/dbstart /u01")(m, in)
		}, kits.OK, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, "A")
			in := m.instance()
			c.do(m, in)
			e := Kit{}.Eligible(t.Context(), m, in)
			if e.Outcome != c.o || e.Reason.Code != c.code || !strings.Contains(e.Reason.Text, c.text) {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestChoices(t *testing.T) {
	m := newMachine(t, "A")
	for field, want := range map[string]string{
		FieldHome: m.home, FieldOra: m.home + "/network/admin/listener.ora", FieldName: "LISTENER LSNR2", FieldUser: "",
		FieldAddresses: "tcp:www.example.com:1521 ipc:EXTPROC1521", FieldProtection: "",
	} {
		got, err := Kit{}.Choices(t.Context(), m, m.instance(), field)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %v %v, want %s", field, got, err, want)
		}
	}
}

func TestValidate(t *testing.T) {
	for field, value := range map[string]string{
		FieldHome: "u01", FieldName: "a b", FieldOra: "/etc/other.ora", FieldUser: "Root;", FieldAddresses: "www.example.com", FieldProtection: "some",
	} {
		in := newMachine(t, "A").instance()
		in.Attrs[field] = value
		p := Kit{}.Validate(in)
		if len(p) != 1 || p[0].Field != field || p[0].Fix == "" {
			t.Errorf("%s=%q: %+v", field, value, p)
		}
	}
}

func FuzzJudge(f *testing.F) {
	f.Add("@begin\n@process 12\n@status\n|Alias                     LISTENER\n|  (DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=h)(PORT=1)))\n|The command completed successfully\n@statusend 0\n@ping (DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=h)(PORT=1)))\n|OK (0 msec)\n@pingend 0\n@end\n")
	f.Add("@begin\n@unresolved h 1.2.3.4\n@process\n@end\n")
	f.Fuzz(func(t *testing.T, s string) {
		in := kits.Instance{Tag: "t", Node: kits.Node{Name: "A"}}
		res := kits.Result{Stdout: s}
		for _, r := range []kits.Report{(Kit{}).JudgeCheck(in, res, nil), judgeStart(in, res, nil), judgeStop(in, res, nil)} {
			if r.Outcome != kits.Unknown && !(strings.HasPrefix(s, "@begin") && strings.Contains(s, "@end") && strings.Contains(s, "@process")) {
				t.Errorf("%v from %q", r.Outcome, s)
			}
			if strings.ContainsAny(r.Reason.Text+r.Output, "\x1b\x00\x07") {
				t.Errorf("control characters from %q", s)
			}
		}
	})
}
