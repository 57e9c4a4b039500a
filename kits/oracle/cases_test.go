package oracle

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

func TestCheck(t *testing.T) {
	const ok, bad, dunno = kits.OK, kits.Failed, kits.Unknown
	for name, c := range map[string]struct {
		do         func(m *machine)
		o          kits.Outcome
		presence   kits.Presence
		impaired   bool
		code, text string
	}{
		"open":      {func(m *machine) { m.up() }, ok, kits.Present, false, "", ""},
		"nothing":   {func(*machine) {}, bad, kits.Absent, false, "oracle.not-running", "does not run on A"},
		"started":   {func(m *machine) { m.up().knob("status", "STARTED") }, bad, kits.Present, false, "oracle.not-open", "is started"},
		"mounted":   {func(m *machine) { m.up().knob("status", "MOUNTED") }, bad, kits.Present, false, "oracle.not-open", "is mounted"},
		"hung":      {func(m *machine) { m.up().knob("hung", "") }, dunno, kits.Present, false, "oracle.hung", "within 1 s"},
		"coming up": {func(m *machine) { m.up().remove("state/ORCL/status") }, dunno, kits.Present, false, "oracle.changing", "ORA-01034"},
		"going down": {func(m *machine) {
			m.up().knob("login", "ORA-01089: immediate shutdown or close in progress - no operations are permitted")
		}, dunno, kits.Present, false, "oracle.changing", "ORA-01089"},
		"PMON has gone":              {func(m *machine) { m.up().remove("proc/4200001") }, bad, kits.Present, false, "oracle.remains", "lost its PMON"},
		"password expired":           {func(m *machine) { m.up().knob("login", "ORA-28001: the password has expired") }, ok, kits.Present, true, "oracle.account", "ORA-28001"},
		"account locked":             {func(m *machine) { m.up().knob("login", "ORA-28000: the account is locked") }, ok, kits.Present, true, "oracle.account", "ORA-28000"},
		"not in the dba group":       {func(m *machine) { m.up().knob("login", "ORA-01017: invalid username/password; logon denied") }, dunno, kits.Present, false, "oracle.no-login", "OSDBA"},
		"no process free":            {func(m *machine) { m.up().knob("login", "ORA-00020: maximum number of processes (300) exceeded") }, ok, kits.Present, true, "oracle.full", "PROCESSES"},
		"archiver stuck":             {func(m *machine) { m.up().knob("archiver", "FAILED") }, ok, kits.Present, true, "oracle.archiver-stuck", "make room"},
		"a log switch waits":         {func(m *machine) { m.up().knob("waits", "ARCHIVE LOG") }, ok, kits.Present, true, "oracle.archiver-stuck", ""},
		"its destination fails":      {func(m *machine) { m.up().knob("dest", "ERROR") }, ok, kits.Present, true, "oracle.archiver-stuck", ""},
		"recovery area nearly full":  {func(m *machine) { m.up().knob("used", "93") }, ok, kits.Present, true, "oracle.recovery-area", "93 %"},
		"restricted":                 {func(m *machine) { m.up().knob("restricted", "") }, ok, kits.Present, true, "oracle.restricted", "disable restricted session"},
		"suspended":                  {func(m *machine) { m.up().knob("database", "SUSPENDED") }, ok, kits.Present, true, "oracle.suspended", "alter system resume"},
		"read only":                  {func(m *machine) { m.up().knob("mode", "READ ONLY") }, ok, kits.Present, true, "oracle.read-only", "open read only"},
		"a physical standby":         {func(m *machine) { m.up().knob("mode", "READ ONLY"); m.knob("role", "PHYSICAL STANDBY") }, ok, kits.Present, true, "oracle.standby-role", "Data Guard"},
		"a mounted physical standby": {func(m *machine) { m.up().knob("status", "MOUNTED"); m.knob("role", "PHYSICAL STANDBY") }, ok, kits.Present, true, "oracle.standby-role", "mounted"},
		"files elsewhere":            {func(m *machine) { m.up().knob("data", "/u02/oradata/ORCL") }, ok, kits.Present, true, "oracle.files-outside", "data files in /u02/oradata/ORCL"},
		"no sqlplus":                 {func(m *machine) { m.up(); m.remove("u01/app/oracle/product/19.0.0/dbhome_1/bin/sqlplus") }, dunno, kits.Present, false, "oracle.no-sqlplus", ""},
		"the SID is a prefix": {func(m *machine) {
			m.process(5, "ora_pmon_ORCL2", m.home+"/bin/oracle")
			m.process(6, "ora_pmon_A_ORCL", m.home+"/bin/oracle")
			m.process(7, "oracleORCL2 (LOCAL=NO)", m.home+"/bin/oracle")
		}, bad, kits.Absent, false, "oracle.not-running", ""},
		"another case": {func(m *machine) { m.process(5, "ora_pmon_orcl", m.home+"/bin/oracle") }, bad, kits.Absent, false, "oracle.not-running", ""},
		"another home": {func(m *machine) { m.process(5, "ora_pmon_ORCL", "/u01/app/oracle/product/12.2.0/bin/oracle") }, bad, kits.Absent, false, "oracle.other-home", "/u01/app/oracle/product/12.2.0"},
		"both homes": {func(m *machine) {
			m.up().process(5, "ora_pmon_ORCL", "/u01/app/oracle/product/12.2.0/bin/oracle")
		}, ok, kits.Present, false, "", ""},
		"a patched program": {func(m *machine) {
			m.knob("status", "OPEN")
			m.process(1, "ora_pmon_ORCL", m.home+"/bin/oracle (deleted)")
		}, ok, kits.Present, false, "", ""},
		"a program that is not shown": {func(m *machine) { m.write("proc/4200001/cmdline", "ora_pmon_ORCL\x00") }, dunno, "", false, "oracle.unsure", "ORACLE_HOME"},
		"somebody who looks for it":   {func(m *machine) { m.process(9, "grep\x00ora_pmon_ORCL", "/bin/grep") }, bad, kits.Absent, false, "oracle.not-running", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, "A")
			c.do(m)
			in := m.instance()
			if name == "hung" {
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
		"status": "OPEN", "mode": "READ WRITE", "role": "PRIMARY", "archiver": "STARTED", "version": "19.0.0.0.0", "logins": "ALLOWED",
		"log-mode": "ARCHIVELOG", "pdbs": "ORCLPDB1 read write", "recovery-area": m.dir + "/oradata/fra, 31 %", "since": "2026-11-20 09:14:03",
	} {
		if d[k] != v {
			t.Errorf("%s: %q, want %q", k, d[k], v)
		}
	}
	if u := m.read("users"); strings.Trim(u, "\n") != "oracle" {
		t.Errorf("it ran as %q", u)
	}
}

// SPEC 7, nodes: "expired monitor account is not a failover".
func TestMonitorsLogin(t *testing.T) {
	for said, c := range map[string]struct {
		code string
		good bool
	}{
		"": {"", true},
		"ORA-28002: the password will expire within 7 days":                 {"oracle.account", false},
		"ORA-28001: the password has expired":                               {"oracle.account", false},
		"ORA-28000: the account is locked":                                  {"oracle.account", false},
		"ORA-01017: invalid username/password; logon denied":                {"oracle.account", false},
		"ORA-12541: TNS:no listener":                                        {"oracle.monitor", false},
		"ORA-00257: Archiver error. Connect AS SYSDBA only until resolved.": {"oracle.archiver-stuck", false},
	} {
		m := newMachine(t, "A").up()
		if said != "" {
			m.knob("monitor", said)
		}
		in := m.instance()
		in.Attrs[FieldMonitor] = "/@ORCL_MON"
		r := Kit{}.Check(t.Context(), m, in)
		want(t, said, r, kits.OK, c.code, "")
		if r.Impaired == c.good {
			t.Errorf("%q: impaired %v", said, r.Impaired)
		}
		if !strings.Contains(m.read("logins"), "-S -L /@ORCL_MON\n") {
			t.Errorf("it did not log in: %s", m.read("logins"))
		}
	}
}

// SPEC 7, nodes: "ORA-01081, MOUNTED, backup mode → brought open or said plainly".
func TestStart(t *testing.T) {
	for name, c := range map[string]struct {
		do         func(m *machine)
		o          kits.Outcome
		code, text string
		permanent  bool
	}{
		"nothing runs":       {func(*machine) {}, kits.OK, "", "", false},
		"started before":     {func(m *machine) { m.up().knob("status", "STARTED") }, kits.OK, "", "", false},
		"mounted before":     {func(m *machine) { m.up().knob("status", "MOUNTED") }, kits.OK, "", "", false},
		"open before":        {func(m *machine) { m.up() }, kits.OK, "", "", false},
		"restricted by hand": {func(m *machine) { m.up().knob("restricted", "") }, kits.OK, "oracle.restricted", "", false},
		"backup mode":        {func(m *machine) { m.knob("backup", "3") }, kits.OK, "", "", false},
		"restored files":     {func(m *machine) { m.knob("backup", "3"); m.knob("behind", "1") }, kits.Failed, "oracle.backup-mode", "media recovery", true},
		"no spfile": {func(m *machine) {
			m.knob("nomount-error", "ORA-01078: failure in processing system parameters\nLRM-00109: could not open parameter file '/u01/dbs/initORCL.ora'")
		}, kits.Failed, "oracle.no-spfile", "ORA-01078", true},
		"no memory": {func(m *machine) { m.knob("nomount-error", "ORA-27102: out of memory") }, kits.Failed, "oracle.memory", "", false},
		"not mounted": {func(m *machine) {
			m.knob("mount-error", "ORA-00205: error in identifying control file, check alert log for more info")
		}, kits.Failed, "oracle.files-missing", "is the file system mounted", false},
		"mounted twice": {func(m *machine) { m.knob("mount-error", "ORA-01102: cannot mount database in EXCLUSIVE mode") }, kits.Failed, "oracle.mounted-elsewhere", "", false},
		"needs recovery": {func(m *machine) {
			m.knob("open-error", "ORA-01113: file 7 needs media recovery\nORA-01110: data file 7: '/oradata/users01.dbf'")
		}, kits.Failed, "oracle.media-recovery", "ORA-01113", true},
		"something else":      {func(m *machine) { m.knob("open-error", "ORA-00600: internal error code, arguments: [x]") }, kits.Failed, "oracle.not-up", "ORA-00600", false},
		"a physical standby":  {func(m *machine) { m.knob("role", "PHYSICAL STANDBY") }, kits.Failed, "oracle.standby-role", "Data Guard", true},
		"open read only":      {func(m *machine) { m.up().knob("mode", "READ ONLY") }, kits.Failed, "oracle.read-only", "", true},
		"another home has it": {func(m *machine) { m.process(5, "ora_pmon_ORCL", "/u01/12.2/bin/oracle") }, kits.Failed, "oracle.other-home", "", true},
		"an old segment":      {func(m *machine) { m.knob("memory", "") }, kits.Failed, "oracle.not-up", "ORA-01081", false},
		"no dba":              {func(m *machine) { m.knob("login", "ORA-01031: insufficient privileges") }, kits.Failed, "oracle.no-login", "OSDBA", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, "A")
			c.do(m)
			r := Kit{}.Start(t.Context(), m, m.instance())
			want(t, name, r, c.o, c.code, c.text)
			if r.Permanent != c.permanent {
				t.Errorf("permanent: %v", r.Permanent)
			}
			if name == "a physical standby" && strings.TrimSpace(m.read("state/ORCL/status")) != "MOUNTED" {
				t.Error("the standby was opened")
			}
		})
	}
}

func TestBackupModeIsLeftWhereTuned(t *testing.T) {
	m := newMachine(t, "A")
	m.knob("backup", "3")
	in := m.instance()
	in.Tuning[EndBackup] = "0"
	r := Kit{}.Start(t.Context(), m, in)
	want(t, "start", r, kits.Failed, "oracle.backup-mode", "alter database end backup")
	if m.read("state/ORCL/ended") != "" {
		t.Error("the backup was ended")
	}
	in.Tuning[EndBackup] = "1"
	want(t, "start", Kit{}.Start(t.Context(), m, in), kits.OK, "", "")
}

func TestParameterFiles(t *testing.T) {
	for file, startup := range map[string]string{
		"":                     "startup nomount",
		"/oradata/init.ora":    "startup nomount pfile='/oradata/init.ora'",
		"/oradata/spfileX.ora": "startup nomount pfile='HERE/run/ferry-oracle-service_2fORCL.ora'",
	} {
		m := newMachine(t, "A")
		in := m.instance()
		in.Attrs[FieldSPFile] = file
		want(t, file, Kit{}.Start(t.Context(), m, in), kits.OK, "", "")
		if got := strings.TrimSpace(strings.ReplaceAll(m.read("state/ORCL/startups"), m.dir, "HERE")); got != startup {
			t.Errorf("%q: %q, want %q", file, got, startup)
		}
		if strings.HasSuffix(file, "spfileX.ora") && m.read("run/ferry-oracle-service_2fORCL.ora") != "spfile='/oradata/spfileX.ora'\n" {
			t.Errorf("it points to %q", m.read("run/ferry-oracle-service_2fORCL.ora"))
		}
	}
}

// A recovery clears away what is in the way; a start leaves that to a person.
func TestRecoverAfterACrash(t *testing.T) {
	m := newMachine(t, "A")
	m.knob("memory", "")
	want(t, "recover", Kit{}.Recover(t.Context(), m, m.instance()), kits.OK, "", "")
	if got := m.read("state/ORCL/shutdowns"); got != "abort\n" {
		t.Errorf("shutdowns: %q", got)
	}
}

// A start whose caller was cut off goes on in its unit; the next one awaits it.
func TestStartIsNotRunTwice(t *testing.T) {
	m := newMachine(t, "A")
	m.knob("slow", "1")
	ctx := m.until("state/ORCL/startups")
	if r := (Kit{}).Start(ctx, m, m.instance()); r.Outcome != kits.Unknown {
		t.Fatalf("a start that was cut off: %+v", r)
	}
	want(t, "start", Kit{}.Start(t.Context(), m, m.instance()), kits.OK, "", "")
	if got := strings.Count(m.read("state/ORCL/startups"), "startup"); got != 1 {
		t.Errorf("it was started %d times", got)
	}
}

// A stop does not wait for a start that goes on, and that one brings nothing up afterwards.
func TestStopDuringAStart(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	m.knob("slow", "6")
	ctx := m.until("state/ORCL/startups")
	if r := (Kit{}).Start(ctx, m, m.instance()); r.Outcome != kits.Unknown {
		t.Fatalf("a start that was cut off: %+v", r)
	}
	want(t, "stop", Kit{}.Stop(t.Context(), m, m.instance()), kits.OK, "", "")
	time.Sleep(4 * time.Second) // the start would be through
	want(t, "check", Kit{}.Check(t.Context(), m, m.instance()), kits.Failed, "oracle.not-running", "")
}

func TestStartThatHangsEndsInItsTime(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	m.knob("hung", "")
	begin := time.Now()
	want(t, "start", Kit{}.Start(t.Context(), m, quick(m.instance())), kits.Failed, "oracle.start-hung", "alert log")
	if took := time.Since(begin); took > 25*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestStop(t *testing.T) {
	for name, c := range map[string]struct {
		do        func(m *machine)
		o         kits.Outcome
		code      string
		shutdowns string
		by        string
	}{
		"open":             {func(m *machine) { m.up() }, kits.OK, "", "immediate\n", "shutdown immediate"},
		"nothing":          {func(*machine) {}, kits.OK, "", "", ""},
		"mounted":          {func(m *machine) { m.up().knob("status", "MOUNTED") }, kits.OK, "", "immediate\n", "shutdown immediate"},
		"immediate hangs":  {func(m *machine) { m.up().knob("immediate-hangs", "") }, kits.OK, "", "abort\n", "shutdown abort"},
		"in a backup":      {func(m *machine) { m.up().knob("online-backup", "") }, kits.OK, "", "immediate\n", "shutdown immediate"},
		"PMON has gone":    {func(m *machine) { m.up().remove("proc/4200001") }, kits.OK, "", "immediate\n", "shutdown immediate"},
		"refused":          {func(m *machine) { m.up().knob("login", "ORA-01031: insufficient privileges") }, kits.OK, "", "", "kill"},
		"another home":     {func(m *machine) { m.process(7, "ora_pmon_ORCL", "/u01/12.2/bin/oracle") }, kits.OK, "", "", ""},
		"the SID's prefix": {func(m *machine) { m.process(7, "ora_pmon_ORCL2", m.home+"/bin/oracle") }, kits.OK, "", "", ""},
		"cannot be told":   {func(m *machine) { m.write("proc/4200001/cmdline", "ora_pmon_ORCL\x00") }, kits.Unknown, "oracle.unsure", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, "A")
			c.do(m)
			in := m.instance()
			if name == "immediate hangs" {
				in = quick(in)
			}
			r := Kit{}.Stop(t.Context(), m, in)
			want(t, name, r, c.o, c.code, "")
			if got := m.read("state/ORCL/shutdowns"); got != c.shutdowns {
				t.Errorf("shutdowns %q, want %q", got, c.shutdowns)
			}
			if r.Details["stopped-by"] != c.by {
				t.Errorf("stopped by %q, want %q", r.Details["stopped-by"], c.by)
			}
			if name == "another home" || name == "the SID's prefix" {
				if m.read("proc/4200007/cmdline") == "" {
					t.Error("somebody else's process was ended")
				}
			}
		})
	}
}

// Nothing is ended that is not this instance's, also when everything else fails.
func TestOnlyOwnProcessesAreKilled(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A").up()
	m.knob("login", "ORA-01031: insufficient privileges")
	m.process(3, "oracleORCL (LOCAL=NO)", m.home+"/bin/oracle")
	m.process(4, "oracleORCL2 (LOCAL=NO)", m.home+"/bin/oracle")
	m.process(5, "ora_pmon_ORCL2", m.home+"/bin/oracle")
	m.process(6, "ora_pmon_ORCL", "/u01/12.2/bin/oracle")
	m.process(7, "vi\x00ora_pmon_ORCL.log", "/bin/vi")
	want(t, "stop", Kit{}.Stop(t.Context(), m, m.instance()), kits.OK, "", "")
	if got := m.read("killed"); got != "kill -KILL 4200001 4200002 4200003\n" {
		t.Errorf("killed: %q", got)
	}
	m = newMachine(t, "A").up()
	m.knob("login", "ORA-01031: insufficient privileges")
	m.here("") // processes that wait for a disk do not go
	for _, p := range []string{"1", "2"} {
		m.remove("proc/420000" + p)
		m.write("proc/420000"+p+"/cmdline", "ora_pmon_ORCL\x00")
	}
	if r := (Kit{}).Stop(t.Context(), m, m.instance()); r.Outcome != kits.Unknown {
		t.Errorf("what cannot be told apart was stopped: %+v", r)
	}
	if m.read("killed") != "" {
		t.Errorf("killed: %q", m.read("killed"))
	}
}

// Whatever shutdown said: what is left is left.
func TestStopIsOnlyDoneWhenNothingIsLeft(t *testing.T) {
	in := newMachine(t, "A").instance()
	const said = "@begin\n@did shutdown abort\n|ORACLE instance shut down.\n@didend 0\n@did kill 12 13\n@pmon\n"
	r := judgeStop(in, kits.Result{Stdout: said + "@left 13\n@end\n"}, nil)
	want(t, "one is left", r, kits.Failed, "oracle.still-running", "wait for a disk")
	if r.Presence != kits.Present {
		t.Errorf("%+v", r)
	}
	want(t, "none is left", judgeStop(in, kits.Result{Stdout: said + "@left\n@end\n"}, nil), kits.OK, "", "")
	want(t, "cut off", judgeStop(in, kits.Result{Stdout: said + "@left\n"}, nil), kits.Unknown, "oracle.unreadable", "")
}

func TestEligible(t *testing.T) {
	for name, c := range map[string]struct {
		do         func(m *machine, in kits.Instance)
		o          kits.Outcome
		code, text string
	}{
		"in order, not running": {func(*machine, kits.Instance) {}, kits.OK, "", ""},
		"in order, open":        {func(m *machine, _ kits.Instance) { m.up() }, kits.OK, "", ""},
		"no such user":          {func(_ *machine, in kits.Instance) { in.Attrs[FieldUser] = "nobody7" }, kits.Failed, "oracle.no-user", "nobody7"},
		"a long name":           {func(_ *machine, in kits.Instance) { in.Attrs[FieldUser] = "oracle_production_database_owner" }, kits.OK, "", ""},
		"no home":               {func(_ *machine, in kits.Instance) { in.Attrs[FieldHome] = "/u01/nowhere" }, kits.Failed, "oracle.no-home", "/u01/nowhere/bin/sqlplus"},
		"no parameter file": {func(m *machine, _ kits.Instance) {
			m.remove("u01/app/oracle/product/19.0.0/dbhome_1/dbs/spfileORCL.ora")
		}, kits.Failed, "oracle.no-spfile", "spfileORCL.ora"},
		"oratab says Y":        {func(m *machine, _ kits.Instance) { m.write("etc/oratab", "ORCL:"+m.home+":Y # yes\n") }, kits.Failed, "oracle.starts-at-boot", "sed -i 's|^\\(ORCL:[^:]*\\):[Yy]|\\1:N|' /etc/oratab"},
		"the other oratab too": {func(m *machine, _ kits.Instance) { m.write("var/opt/oracle/oratab", "ORCL:"+m.home+":y\n") }, kits.Failed, "oracle.starts-at-boot", "/var/opt/oracle/oratab"},
		"ORCL2 may":            {func(m *machine, _ kits.Instance) { m.write("etc/oratab", "ORCL:"+m.home+":N\nORCL2:"+m.home+":Y\n") }, kits.OK, "", ""},
		"a unit": {func(m *machine, _ kits.Instance) {
			m.write("etc/systemd/system/multi-user.target.wants/orcl-db.service", "[Service]\nUser=oracle\nEnvironment=ORACLE_SID=ORCL\nExecStart="+"/bin/sh -c 'echo startup | sqlplus / as sysdba'\n")
		}, kits.Failed, "oracle.starts-at-boot", "systemctl disable orcl-db.service"},
		"a unit's script": {func(m *machine, _ kits.Instance) {
			m.write("opt/start-all.sh", "#!/bin/sh\nORACLE_SID=ORCL\nexport ORACLE_SID\necho startup | sqlplus / as sysdba\n")
			m.write("etc/systemd/system/multi-user.target.wants/orcl-db.service", "[Service]\nExecStart=-/opt/start-all.sh now\n")
		}, kits.Failed, "oracle.starts-at-boot", "orcl-db.service"},
		"another database's unit": {func(m *machine, _ kits.Instance) {
			m.write("etc/systemd/system/multi-user.target.wants/orcl-db.service", "[Service]\nEnvironment=ORACLE_SID=ORCL2\nExecStart=/bin/sh -c 'echo startup | sqlplus / as sysdba'\n")
		}, kits.OK, "", ""},
		"dbora, but oratab says N": {func(m *machine, _ kits.Instance) {
			m.write("etc/systemd/system/multi-user.target.wants/dbora.service", "[Service]\nExecStart="+m.home+"/bin/dbstart "+m.home+"\n")
		}, kits.OK, "", ""},
		"an init script": {func(m *machine, _ kits.Instance) {
			m.write("etc/rc.d/rc3.d/S99oracledb", "export ORACLE_SID=ORCL\nsqlplus / as sysdba <<E\nstartup\nE\n")
		}, kits.Failed, "oracle.starts-at-boot", "systemctl disable oracledb"},
		"Oracle Restart": {func(m *machine, _ kits.Instance) {
			m.process(11, "/u01/app/grid/bin/ohasd.bin\x00reboot", "/u01/app/grid/bin/ohasd.bin")
		}, kits.Failed, "oracle.restart", "Clusterware"},
		"redo elsewhere":       {func(m *machine, _ kits.Instance) { m.up().knob("redo", m.dir+"/oradata/ORCL\n/u03/redo") }, kits.Failed, "oracle.files-outside", "redo files in /u03/redo"},
		"a name alike":         {func(m *machine, _ kits.Instance) { m.up().knob("data", m.dir+"/oradata2/ORCL") }, kits.Failed, "oracle.files-outside", "oradata2"},
		"a disk group":         {func(m *machine, _ kits.Instance) { m.up().knob("data", "+DATA/ORCL/") }, kits.Failed, "oracle.files-outside", "+DATA/ORCL/"},
		"a standby's database": {func(m *machine, _ kits.Instance) { m.up().knob("role", "PHYSICAL STANDBY") }, kits.Failed, "oracle.standby-role", ""},
		"another home runs it": {func(m *machine, _ kits.Instance) { m.process(5, "ora_pmon_ORCL", "/u01/12.2/bin/oracle") }, kits.Failed, "oracle.other-home", ""},
		"it hangs":             {func(m *machine, _ kits.Instance) { m.up().knob("hung", "") }, kits.Unknown, "oracle.hung", ""},
		"no systemd":           {func(m *machine, _ kits.Instance) { m.remove("run/systemd") }, kits.Failed, "oracle.no-tool", "systemd"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, "A")
			in := m.instance()
			c.do(m, in)
			if name == "it hangs" {
				in = quick(in)
			}
			e := Kit{}.Eligible(t.Context(), m, in)
			if e.Outcome != c.o || e.Reason.Code != c.code || !strings.Contains(e.Reason.Text, c.text) {
				t.Errorf("%+v", e)
			}
		})
	}
}

// A directory behind a link lies where the link leads.
func TestLinksAreFollowed(t *testing.T) {
	m := newMachine(t, "A").up()
	if err := symlink(filepath.Join(m.dir, "oradata"), filepath.Join(m.dir, "opt-oradata")); err != nil {
		t.Fatal(err)
	}
	m.knob("data", "/opt-oradata/ORCL")
	if r := (Kit{}).Check(t.Context(), m, m.instance()); r.Outcome != kits.OK || r.Impaired {
		t.Errorf("%+v", r)
	}
}

func TestFilesWithoutAFileSystemBeneath(t *testing.T) {
	m := newMachine(t, "A").up()
	in := m.instance()
	in.Children = nil
	e := Kit{}.Eligible(t.Context(), m, in)
	if e.Outcome != kits.Failed || !strings.Contains(e.Reason.Text, "no file system resource lies beneath") {
		t.Errorf("%+v", e)
	}
}

func TestChoices(t *testing.T) {
	m := newMachine(t, "A")
	in := m.instance()
	in.Attrs = map[string]string{FieldSID: "ORCL"}
	for field, want := range map[string]string{FieldSID: "ORCL ORCL2", FieldHome: m.home, FieldUser: "root", FieldSPFile: ""} {
		got, err := Kit{}.Choices(t.Context(), m, in, field)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %v %v, want %s", field, got, err, want)
		}
	}
}

func TestValidate(t *testing.T) {
	for field, value := range map[string]string{
		FieldSID: "1ORCL", FieldHome: "/u01/x/", FieldUser: "root; rm", FieldSPFile: "/x'y", FieldMonitor: "scott/tiger@ORCL", FieldListeners: "LSNR.OTHER",
	} {
		in := newMachine(t, "A").instance()
		in.Parents = []kits.Relative{{Tag: "service/LSNR.ORCL", Kit: "listener"}}
		in.Attrs[FieldListeners] = "LSNR.ORCL"
		in.Attrs[field] = value
		p := Kit{}.Validate(in)
		if len(p) != 1 || p[0].Field != field || p[0].Fix == "" {
			t.Errorf("%s=%q: %+v", field, value, p)
		}
	}
}

func FuzzJudge(f *testing.F) {
	f.Add("@begin\n@pmon 12\n@state\n|ferry|instance|ORCL|OPEN|ACTIVE|STARTED|ALLOWED|-|NO|19|x|\n|ferry|database|ORCL|READ WRITE|PRIMARY|ARCHIVELOG|CURRENT|\n|ferry|end|\n@stateend 0\n@end\n")
	f.Add("@begin\n@pmon\n@left\n@end\n")
	f.Add("@begin\n@instead 12\n@bring\n|== open\n|ORA-01113: x\n@pmon\n@left\n@end\n")
	f.Fuzz(func(t *testing.T, s string) {
		in := kits.Instance{Tag: "t", Node: kits.Node{Name: "A"}}
		res := kits.Result{Stdout: s}
		for _, r := range []kits.Report{(Kit{}).JudgeCheck(in, res, nil), judgeStart(in, "start", res, nil), judgeStop(in, res, nil)} {
			if r.Outcome != kits.Unknown && !(strings.HasPrefix(s, "@begin") && strings.Contains(s, "@end") && strings.Contains(s, "@pmon")) {
				t.Errorf("%v from %q", r.Outcome, s)
			}
			if strings.ContainsAny(r.Reason.Text+r.Output, "\x1b\x00\x07") {
				t.Errorf("control characters from %q", s)
			}
		}
		judgeEligible(in, res, nil)
	})
}
