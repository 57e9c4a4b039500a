package orainst

import (
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/kittest"
)

func TestScriptsAreClean(t *testing.T) {
	kittest.Lint(t, "prelude", Prelude)
	kittest.Lint(t, "find", FindScript)
}

func TestOratab(t *testing.T) {
	got := ParseOratab("/etc/oratab", strings.Split(`# a comment
*:/u01/app/oracle/product/19.0.0/dbhome_1:N
ORCL:/u01/app/oracle/product/19.0.0/dbhome_1:N		# line added by Agent
ORCL2:/u01/app/oracle/product/12.2.0/dbhome_1/:Y
+ASM:/u01/app/grid:N
#OLD:/u01/old:Y
bad:u01:Y
odd:/u01/$(rm):Y
SHORT:/u01/short
`, "\n"))
	for i, want := range []Database{
		{"ORCL", "/u01/app/oracle/product/19.0.0/dbhome_1", false, "/etc/oratab"},
		{"ORCL2", "/u01/app/oracle/product/12.2.0/dbhome_1", true, "/etc/oratab"},
		{"bad", "", true, "/etc/oratab"},
		{"odd", "", true, "/etc/oratab"},
		{"SHORT", "/u01/short", false, "/etc/oratab"},
	} {
		if i >= len(got) || got[i] != want {
			t.Errorf("%d: %+v, want %+v", i, got, want)
		}
	}
	if len(got) != 5 {
		t.Errorf("%+v", got)
	}
}

func TestAnswers(t *testing.T) {
	a, err := ParseAnswer(kits.Result{Stdout: "@begin\n@pmon\n@oratab /etc/oratab\n|ORCL:/u01/x:Y\n|@end\n@pmon 12\n@rc 124\n@end\n"})
	if err != nil {
		t.Fatal(err)
	}
	if m, _ := a.Get("pmon"); m.Rest != "12" {
		t.Errorf("the later look does not count: %+v", m)
	}
	if d := a.Databases(); len(d) != 1 || !d[0].Boot || a.Code("rc") != 124 || a.Code("none") != -1 || !TimedOut(124) {
		t.Errorf("%+v", a)
	}
	for _, s := range []string{"", "@begin\n", "@end\n", "@begin\nx\n@end\n", "@begin\n@end\nmore\n", "|a\n@end\n"} {
		if _, err := ParseAnswer(kits.Result{Stdout: s}); err == nil {
			t.Errorf("%q passes for an answer", s)
		}
	}
	if _, err := ParseAnswer(kits.Result{Stdout: "@begin\n@end\n", Truncated: true}); err == nil {
		t.Error("an answer that was cut passes")
	}
}

func TestCodes(t *testing.T) {
	got := Codes("ERROR:\nORA-28001: the password has expired\n TNS-12560: TNS:protocol adapter error\nXORA-00001: no\nLRM-00109: could not open\x1b[2J\n")
	if len(got) != 3 || got[0].Code != "ORA-28001" || got[1].Text != "TNS:protocol adapter error" || strings.Contains(got[2].Text, "\x1b") {
		t.Errorf("%+v", got)
	}
	if Has("ORA-01034: x\nORA-27101: y", "ORA-27101", "ORA-01081") != "ORA-27101" || Has("ORA-01034", "ORA-0103") != "" {
		t.Error("a code is not found, or a part of one is")
	}
}

func TestBoots(t *testing.T) {
	b := Boot{Unit: "S99oracledb", Path: "/etc/rc.d/rc3.d/S99oracledb", Lines: []string{"export ORACLE_SID=ORCL2", "# about ORCL_OLD and XORCL"}}
	if b.HasWord("ORCL") || !b.HasWord("ORCL2") {
		t.Error("a part of a word counts, or a word does not")
	}
	for unit, want := range map[string]string{"S99oracledb": "systemctl disable oracledb", "dbora.service": "systemctl disable dbora.service"} {
		if got := (Boot{Unit: unit}).SwitchOff(); got != want {
			t.Errorf("%s: %q", unit, got)
		}
	}
}

func TestPathsAndNames(t *testing.T) {
	for _, p := range []string{"/u01/app/oracle/product/19.0.0/dbhome_1", "/opt/oracle-19c+x"} {
		if !HomePath(p) {
			t.Errorf("%q is refused", p)
		}
	}
	for _, p := range []string{"", "/", "u01", "/u01/", "/u01//x", "/u01/../x", "/u01/a b", "/u01/$x", "/u01/%i", "/u01/'", "/u01/x\n"} {
		if HomePath(p) {
			t.Errorf("%q is taken", p)
		}
	}
	seen := map[string]string{}
	for _, tag := range []string{"a/b", "a-b", "a_b", "a/b-r1", "a_2fb", "ä"} {
		u := UnitName(tag)
		if seen[u] != "" || strings.Contains(strings.TrimPrefix(u, "ferry-oracle-"), "-") {
			t.Errorf("%q and %q: %s", tag, seen[u], u)
		}
		seen[u] = tag
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add("@begin\n@oratab /etc/oratab\n|ORCL:/u01/x:Y\n@boot /etc/x.service\n|dbstart\n@end\n")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAnswer(kits.Result{Stdout: s})
		if err != nil {
			return
		}
		for _, d := range a.Databases() {
			if !SIDName.MatchString(d.SID) || d.Home != "" && !HomePath(d.Home) {
				t.Errorf("%+v from %q", d, s)
			}
		}
		for _, b := range a.Boots() {
			b.HasWord("ORCL")
			b.SwitchOff()
		}
	})
}
