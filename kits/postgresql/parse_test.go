package postgresql

import (
	"os"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/kits"
)

// What the real server and psql 15.18 said, as the scripts hand it on, and what it means. Written after the
// sources are collation, stalled, restarting, no-role and input-output (in German, which a server may speak).
func TestRealAnswers(t *testing.T) {
	for file, c := range map[string]struct {
		o        kits.Outcome
		impaired bool
		code     string
	}{
		"well":             {kits.OK, false, ""},
		"collation":        {kits.OK, true, "postgresql.collation"},
		"stalled":          {kits.OK, true, "postgresql.stalled"},
		"too-many-clients": {kits.OK, true, "postgresql.refused"},
		"no-role":          {kits.OK, true, "postgresql.refused"},
		"peer-failed":      {kits.OK, true, "postgresql.refused"},
		"denied":           {kits.OK, true, "postgresql.refused"},
		"restarting":       {kits.Unknown, false, "postgresql.starting"},
		"starting":         {kits.Unknown, false, "postgresql.starting"},
		"silent":           {kits.Unknown, false, "postgresql.no-answer"},
		"canceled":         {kits.Unknown, false, "postgresql.no-answer"},
		"input-output":     {kits.Failed, false, "postgresql.error"},
		"gone":             {kits.Failed, false, "postgresql.gone"},
		"no-psql":          {kits.Unknown, false, "postgresql.check-unknown"},
	} {
		text, err := os.ReadFile("testdata/check-" + file + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		r := Kit{}.JudgeCheck(kits.Instance{Tag: "pg", Node: kits.Node{Name: "A"}}, kits.Result{Stdout: string(text)}, nil)
		if r.Outcome != c.o || r.Impaired != c.impaired || r.Reason.Code != c.code {
			t.Errorf("%s: %v %v %s %q, want %v %v %s", file, r.Outcome, r.Impaired, r.Reason.Code, r.Reason.Text, c.o, c.impaired, c.code)
		}
		// An answer that was cut off anywhere is never a yes.
		whole := strings.Index(string(text), "\n@out\n")
		for i := range whole {
			if r := (Kit{}).JudgeCheck(kits.Instance{}, kits.Result{Stdout: string(text[:i])}, nil); r.Outcome != kits.Unknown {
				t.Errorf("%s, cut at %d: %+v", file, i, r)
			}
		}
	}
}

func TestSetting(t *testing.T) {
	for line, want := range map[string][2]string{
		"port = 5433\t# (change requires restart)": {"port", "5433"},
		"PORT 5433": {"port", "5433"},
		"data_directory = '/var/lib/pg''s/x # y' # where": {"data_directory", "/var/lib/pg's/x # y"},
		"data_directory='/a b'":                           {"data_directory", "/a b"},
		`unix_socket_directories = '/a, /b\'c'`:           {"unix_socket_directories", "/a, /b'c"},
		"unix_socket_directories = ''":                    {"unix_socket_directories", ""},
		"#port = 5432":                                    {},
		"":                                                {},
		"port":                                            {},
		"port = ":                                         {},
		"data_directory = '/open":                         {},
		"data_directory = /var/lib/x y":                   {},
	} {
		name, value, ok := setting(line)
		if ok != (want[0] != "") || ok && (name != want[0] || value != want[1]) {
			t.Errorf("%q: %q %q %v", line, name, value, ok)
		}
	}
}

func TestMajorOf(t *testing.T) {
	for v, want := range map[string]string{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)": "15", "postgres (PostgreSQL) 18beta2": "18",
		"postgres (PostgreSQL) 9.6.24": "9.6", "postgres (PostgreSQL) 9": "", "postgres: error while loading shared libraries": "", "": "",
	} {
		if got := majorOf(v); got != want {
			t.Errorf("%q: %q, want %q", v, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	for text, want := range map[string]bool{
		"data_directory = '/pg/data'": true, "PGDATA=/pg/data/ X": true, "PGDATA=/pg/data": true, "PGDATA=/pg/data2 /pg/data": true,
		"PGDATA=/pg/data2": false, "PGDATA=/pg/data/base": false, "": false,
	} {
		if names(text, "/pg/data") != want {
			t.Errorf("%q", text)
		}
	}
}

func FuzzSetting(f *testing.F) {
	f.Add("port = 5432 # x")
	f.Add("data_directory = 'a''b\\'c'")
	f.Fuzz(func(t *testing.T, line string) {
		if name, _, ok := setting(line); ok && (name == "" || strings.HasPrefix(name, "#")) {
			t.Errorf("%q gives %q", line, name)
		}
	})
}

func FuzzJudge(f *testing.F) {
	all, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range all {
		if b, err := os.ReadFile("testdata/" + e.Name()); err == nil {
			f.Add(string(b))
		}
	}
	f.Add("@refuse version 14 15\n@out\n")
	f.Add("@postmaster -\n@did died\n@out\nFATAL: x")
	f.Add("@postmaster 7\n@status starting\n@stale 9\n@did done\n@out\n")
	f.Fuzz(func(t *testing.T, s string) {
		in := kits.Instance{Tag: "t", Node: kits.Node{Name: "A"}, Attrs: map[string]string{FieldData: "/pg"}}
		res := kits.Result{Stdout: s}
		for what, r := range map[string]kits.Report{"check": Kit{}.JudgeCheck(in, res, nil), "start": judgeStart(in, "start", res, nil), "stop": judgeStop(in, res, nil)} {
			if r.Outcome == kits.OK && !(strings.Contains(s, "@postmaster ") && strings.Contains(s, "@out")) {
				t.Errorf("%s: ok from %q", what, s)
			}
			if what == "stop" && r.Outcome == kits.OK && (!strings.Contains(s, "@postmaster -") || r.Presence != kits.Absent) {
				t.Errorf("stopped, from %q", s)
			}
			if r.Outcome != kits.OK && r.Reason.Text == "" {
				t.Errorf("%s: no reason from %q", what, s)
			}
			if strings.ContainsAny(r.Reason.Text+r.Output+r.Reason.Args["what"], "\x1b\x00\x07") {
				t.Errorf("control characters from %q", s)
			}
		}
		a, err := parse(res)
		if err == nil {
			judgeEligible(in, a)
			discover(a).offer(in, FieldData)
		}
	})
}
