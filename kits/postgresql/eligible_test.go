package postgresql

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/kits"
)

func (m *machine) write(name, text string) {
	m.t.Helper()
	p := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func TestEligible(t *testing.T) {
	wants := "etc/systemd/system/multi-user.target.wants/"
	for what, c := range map[string]struct {
		change func(m *machine, in kits.Instance)
		code   string
		text   string
	}{
		"in order":         {func(*machine, kits.Instance) {}, "", ""},
		"no binaries":      {func(_ *machine, in kits.Instance) { in.Attrs[FieldBin] = "/nowhere" }, "postgresql.no-binaries", "/nowhere/postgres"},
		"no user":          {func(_ *machine, in kits.Instance) { in.Attrs[FieldOSUser] = "nosuchuser7" }, "postgresql.user", "nosuchuser7"},
		"another user":     {func(_ *machine, in kits.Instance) { in.Attrs[FieldOSUser] = "nobody" }, "postgresql.owner", "65534"},
		"another version":  {func(_ *machine, in kits.Instance) { in.Attrs[FieldVersion] = "14" }, "postgresql.version", "is of version 15, not 14"},
		"no configuration": {func(_ *machine, in kits.Instance) { in.Attrs[FieldConfig] = "/nowhere/x.conf" }, "postgresql.no-config", "/nowhere/x.conf"},
		"not mounted":      {func(_ *machine, in kits.Instance) { in.Attrs[FieldData] = "/nowhere/data" }, "", ""},
		"not mounted, other": {func(_ *machine, in kits.Instance) {
			in.Attrs[FieldData], in.Attrs[FieldVersion] = "/nowhere/data", "14"
		}, "postgresql.version", "needs PostgreSQL 14"},
		"standby": {func(m *machine, _ kits.Instance) { m.write("da ta/standby.signal", "") }, "postgresql.signal", "standby.signal"},
		"an instance": {func(m *machine, _ kits.Instance) {
			m.debian("auto", m.data)
			m.write(wants+"postgresql@15-main.service", "")
		}, "postgresql.starts-at-boot", "systemctl disable postgresql@15-main.service"},
		"a masked instance": {func(m *machine, _ kits.Instance) {
			m.debian("manual", m.data)
			m.write(wants+"postgresql@15-main.service", "")
			m.mask("postgresql@15-main.service")
		}, "", ""},
		"an instance of other": {func(m *machine, _ kits.Instance) {
			m.debian("auto", m.data+"2")
			m.write(wants+"postgresql@15-main.service", "")
		}, "", ""},
		"start.conf":            {func(m *machine, _ kits.Instance) { m.debian("# who\nauto", m.data); m.umbrella() }, "postgresql.starts-at-boot", "echo manual >"},
		"start.conf, manual":    {func(m *machine, _ kits.Instance) { m.debian("manual # by ferry", m.data); m.umbrella() }, "", ""},
		"start.conf of another": {func(m *machine, _ kits.Instance) { m.debian("auto", "/elsewhere"); m.umbrella() }, "", ""},
		"no umbrella":           {func(m *machine, _ kits.Instance) { m.debian("auto", m.data) }, "", ""},
		"RHEL's unit":           {func(m *machine, _ kits.Instance) { m.unit("postgresql-15.service", "Environment=PGDATA="+m.data+"/") }, "postgresql.starts-at-boot", "systemctl disable postgresql-15.service"},
		"RHEL's unit, other": {func(m *machine, _ kits.Instance) {
			m.unit("postgresql-15.service", "Environment=PGDATA="+m.data+"2 X=y")
		}, "", ""},
		"SUSE's unit": {func(m *machine, _ kits.Instance) { m.unit("postgresql.service", "Environment=") }, "postgresql.boot-unclear", "postgresql.service"},
	} {
		t.Run(what, func(t *testing.T) {
			m := newBareMachine(t, "A")
			m.write("da ta/PG_VERSION", "15\n")
			if err := own(m.data); err != nil {
				t.Fatal(err)
			}
			in := m.instance()
			c.change(m, in)
			e := Kit{}.Eligible(t.Context(), m, in)
			good := e.Outcome == kits.OK
			if e.Reason.Code != c.code || good != (c.code == "") || !strings.Contains(e.Reason.Text, c.text) || e.Outcome == kits.Unknown {
				t.Errorf("%+v", e)
			}
		})
	}
}

func (m *machine) debian(start, data string) {
	m.write("etc/postgresql/15/main/start.conf", start+"\n")
	m.write("etc/postgresql/15/main/postgresql.conf", "#data_directory = '/none'\ndata_directory = '"+data+"'\t\t# use data in another directory\n")
}

func (m *machine) umbrella() { m.unit(debianUnit, "ExecStart={ path=/bin/true ; argv[]=/bin/true }") }

// unit enables one of which systemctl show says that.
func (m *machine) unit(name, says string) {
	m.write("etc/systemd/system/multi-user.target.wants/"+name, "")
	m.write("units/"+name+".show", says+"\n")
}

func (m *machine) mask(name string) {
	if err := os.Symlink("/dev/null", filepath.Join(m.dir, "etc/systemd/system", name)); err != nil {
		m.t.Fatal(err)
	}
}

func TestPortIsTaken(t *testing.T) {
	m := newMachine(t, "A")
	in := m.instance()
	l, err := net.Listen("tcp", "127.0.0.1:"+m.port)
	if err != nil {
		t.Fatal(err)
	}
	e := Kit{}.Eligible(t.Context(), m, in)
	if e.Outcome != kits.Failed || e.Reason.Code != "postgresql.port-taken" {
		t.Errorf("by another program: %+v", e)
	}
	_ = l.Close()
	m.up()
	if e := (Kit{}).Eligible(t.Context(), m, in); e.Outcome != kits.OK {
		res, _ := m.Run(t.Context(), script("eligible", libSh+"\n"+eligibleSh, kits.ActEligible, in))
		t.Errorf("by its own server: %+v\n%s", e, res.Stdout)
	}
}

func TestChoices(t *testing.T) {
	m := newMachine(t, "A")
	m.configure("port = 5999")
	in := m.instance()
	want := map[string]string{
		FieldBin: bins, FieldPort: "5999", FieldSocket: m.dir + "/s", FieldOSUser: "postgres", FieldDBUser: "postgres", FieldVersion: "15", FieldData: m.data,
	}
	for field, first := range want {
		got, err := Kit{}.Choices(t.Context(), m, in, field)
		if err != nil || len(got) == 0 || got[0] != first {
			t.Errorf("%s: %q %v, want %q first", field, got, err, first)
		}
	}
	in.Attrs = map[string]string{}
	in.Children = []kits.Relative{{Kit: "filesystem", On: map[string]map[string]string{"A": {"mount_point": m.dir}}}}
	if got, err := (Kit{}).Choices(t.Context(), m, in, FieldData); err != nil || !slices.Contains(got, m.data) {
		t.Errorf("beneath the mount point: %q %v", got, err)
	}
	if got, err := (Kit{}).Choices(t.Context(), m, in, FieldLog); err != nil {
		t.Errorf("logs: %q %v", got, err)
	}
}

// What distributions' nodes say, line by line.
func TestDiscover(t *testing.T) {
	in := func(attrs ...string) kits.Instance {
		i := kits.Instance{Attrs: map[string]string{}}
		for j := 0; j < len(attrs); j += 2 {
			i.Attrs[attrs[j]] = attrs[j+1]
		}
		return i
	}
	for what, c := range map[string]struct {
		file, field string
		in          kits.Instance
		want        []string
	}{
		"Debian's directories":  {"debian", FieldData, in(), []string{"/var/lib/postgresql/15/main", "/srv/pg 13/data"}},
		"Debian's binaries":     {"debian", FieldBin, in(FieldData, "/var/lib/postgresql/15/main"), []string{"/usr/lib/postgresql/15/bin"}},
		"Debian's file":         {"debian", FieldConfig, in(FieldData, "/var/lib/postgresql/15/main"), []string{"/etc/postgresql/15/main/postgresql.conf"}},
		"the second's port":     {"debian", FieldPort, in(FieldData, "/srv/pg 13/data"), []string{"5433", "5432"}},
		"the second's binaries": {"debian", FieldBin, in(FieldVersion, "13"), []string{"/usr/lib/postgresql/13/bin"}},
		"PGDG on RHEL":          {"pgdg", FieldBin, in(FieldData, "/var/lib/pgsql/18/data"), []string{"/usr/pgsql-18/bin"}},
		"its sockets":           {"pgdg", FieldSocket, in(FieldData, "/var/lib/pgsql/18/data"), []string{"/run/postgresql", "/tmp", "/var/run/postgresql"}},
		"from source":           {"pgdg", FieldBin, in(FieldVersion, "17"), []string{"/usr/local/pgsql/bin"}},
		"its own file":          {"pgdg", FieldConfig, in(FieldData, "/var/lib/pgsql/18/data"), nil},
	} {
		text, err := os.ReadFile("testdata/choices-" + c.file + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		a, err := parse(kits.Result{Stdout: string(text)})
		if err != nil {
			t.Fatal(err)
		}
		if got := discover(a).offer(c.in, c.field); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}

func TestValidate(t *testing.T) {
	good := func() kits.Instance {
		return kits.Instance{Attrs: map[string]string{FieldData: "/pg/da ta", FieldBin: bins}}
	}
	if p := (Kit{}).Validate(good()); len(p) > 0 {
		t.Fatal(p)
	}
	for field, values := range map[string][]string{
		FieldData: {"", "pg", "/", "/a/../b", "/a/", "/a\nb", "/" + strings.Repeat("x", 2000)}, FieldBin: {"", "bin"},
		FieldSocket: {"x", "/" + strings.Repeat("s", 95)}, FieldPort: {"0", "65536", "5432 ", "-1", "http"},
		FieldOSUser: {"root", "-u", "a b", "$(id)"}, FieldDBUser: {"a\nb", strings.Repeat("x", 64)},
		FieldVersion: {"15.3", "fifteen", "9"}, FieldLog: {"log"}, FieldConfig: {"postgresql.conf"},
	} {
		for _, v := range values {
			in := good()
			in.Attrs[field] = v
			p := Kit{}.Validate(in)
			if len(p) != 1 || p[0].Field != field || p[0].Fix == "" {
				t.Errorf("%s=%.20q: %+v", field, v, p)
			}
		}
	}
}

func TestTimeoutsCoverTheLimits(t *testing.T) {
	in := kits.Instance{Tuning: map[string]string{StartTimeout: "1000", StopTimeout: "200", ImmediateTimeout: "30", CheckTimeout: "7"}}
	for a, least := range map[kits.Action]int{kits.ActStart: 1007, kits.ActStop: 243, kits.ActCheck: 16, kits.ActRecover: 1250} {
		if d := (Kit{}).Timeout(a, in); d.Seconds() < float64(least) {
			t.Errorf("%s: %v", a, d)
		}
	}
	in.Tuning[StartTimeout] = "soon"
	if d := (Kit{}).Timeout(kits.ActStart, in); d.Seconds() < 300 || d.Seconds() > 400 {
		t.Errorf("nonsense: %v", d)
	}
}

func TestUnitNamesDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, tag := range []string{"a/b", "a-b", "a_b", "a_2fb", "ä", "a b", "$(x)"} {
		u := UnitName(tag)
		if other, twice := seen[u]; twice {
			t.Errorf("%q and %q share %s", tag, other, u)
		}
		seen[u] = tag
	}
}
