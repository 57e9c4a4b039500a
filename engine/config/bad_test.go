package config

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// badFiles are definitions with something wrong, made from twoNodes by replacing a
// text or adding lines at the end. What a person reads about each stands in
// testdata/bad.golden.
var badFiles = []struct{ what, old, new string }{
	{"unknown key: misspelt", `kit = "app"`, "kit = \"app\"\nswichback = \"intelligent\""},
	{"unknown key: nothing like it", `zone = "ap-northeast-1a"`, `rack = 7`},
	{"unknown key: of another table", `kit = "ec2"`, "kit = \"ec2\"\nservers = [\"NODE_A\"]"},
	{"unknown key: a kit's field misspelt", `on.NODE_B = { priority = 2, address =`, `on.NODE_B = { priority = 2, adress =`},
	{"unknown table", "[server.NODE_B]", "[servers.NODE_B]"},
	{"unknown table: a dot in a name without quotes", "[cluster.service.resource.www]", "[cluster.service.resource.LSNR.ORCL]"},
	{"unknown tuning name", "", "[tuning]\nLKCHECKINTERVALS = 5"},
	{"cycle", `kit = "ip"`, "kit = \"ip\"\nneeds = [\"www\"]"},
	{"needs itself", `needs = ["ip-www"]`, `needs = ["ip-www", "ec2-www"]`},
	{"duplicate tag", "", "[cluster.service.resource.www]\nkit = \"app\""},
	{"duplicate server", "[server.NODE_B]", "[server.NODE_A]"},
	{"duplicate key", `kit = "app"`, "kit = \"app\"\nkit = \"ip\""},
	{"duplicate priority", `on.NODE_B = { priority = 2`, `on.NODE_B = { priority = 1`},
	{"duplicate server in on", `on = ["NODE_A", "NODE_B"]`, `on = ["NODE_A", "NODE_B", "NODE_A"]`},
	{"duplicate server address", `address = "10.0.10.10"`, `address = "10.0.0.10"`},
	{"duplicate virtual IP", "", "[cluster.service.resource.ip-2]\nkit = \"ip\"\naddress = \"10.1.0.10\"\non = [\"NODE_A\", \"NODE_B\"]"},
	{"virtual IP inside the CIDR", `on.NODE_A = { priority = 1, address = "10.1.0.10"`, `on.NODE_A = { priority = 1, address = "10.0.0.99"`},
	{"virtual IP that is none", `on.NODE_A = { priority = 1, address = "10.1.0.10"`, `on.NODE_A = { priority = 1, address = "10.1.0"`},
	{"virtual IP missing on one node", `, address = "10.1.0.10" }` + "\n\n", " }\n\n"},
	{"unknown node in a cluster", `servers = ["NODE_A", "NODE_B"]`, `servers = ["NODE_A", "NODE_B", "NODE_C"]`},
	{"unknown node in on", "on.NODE_B = { priority = 2", "on.NODEB = { priority = 2"},
	{"unknown node in a flag", "", "[flag.NODE_A]\nNODE_X = \"confirm\""},
	{"unknown region", `region = "ap-northeast-1"`, `region = "ap-notheast-1"`},
	{"unknown kit", `kit = "ec2"`, `kit = "ec3"`},
	{"unknown child", `needs = ["ec2-www"]`, `needs = ["ec2-wwww"]`},
	{"unknown child: deleted, but still needed", `[cluster.service.resource.ip-www]`, `[cluster.service.resource.other]`},
	{"unknown flag", "", "[flag.NODE_A]\nNODE_B = \"ask\""},
	{"child of another cluster", "", "[server.X]\nregion = \"ap-northeast-1\"\naddress = \"10.0.0.5\"\n[cluster.vpn]\nservers = [\"X\"]\n" +
		"[cluster.vpn.resource.a]\nkit = \"app\"\nstart = \"/a\"\nneeds = [\"service/www\"]\non = [\"X\"]"},
	{"parent where its child is not", `on.NODE_B = { priority = 2, address = "10.1.0.10" }`, ``},
	{"required field missing", `start = "/opt/www/start"`, ``},
	{"missing name", "name = \"two-nodes\"", ""},
	{"priority missing", "on.NODE_B = { priority = 2,", "on.NODE_B = {"},
	{"wrong type: text for a list", `servers = ["NODE_A", "NODE_B"]`, `servers = "NODE_A"`},
	{"wrong type: number for text", `address = "10.0.10.10"`, `address = 10`},
	{"wrong type: text for a number", `on.NODE_B = { priority = 2`, `on.NODE_B = { priority = "2"`},
	{"wrong type: table for text", `kit = "app"`, "kit = { name = \"app\" }"},
	{"wrong type: text for a table", "", "[flag]\nNODE_A = \"confirm\""},
	{"wrong type: date", `vpc = "vpc-0a1"`, `vpc = 2026-11-22`},
	{"wrong type: one bracket for a path", "", "[cluster.service.path]\nfrom = \"NODE_A\""},
	{"wrong type: true for a path field", `start = "/opt/www/start"`, `start = true`},
	{"secret in the file", `kit = "ec2"`, "kit = \"ec2\"\nkey = \"s3cr3t\""},
	{"bad duration", `start = "/opt/www/start"`, "start = \"/opt/www/start\"\nstart_timeout = \"soon\""},
	{"bad tuning values", "", "[server.NODE_A.tuning]\nLCMHBEATTIME = 0\nNOBCASTPING = 2\nCONFIRMSOTO = 1.5"},
	{"bad shutdown strategy", `address = "10.0.10.10"`, "address = \"10.0.10.10\"\non_shutdown = \"move\""},
	{"two problems in one file", "kit = \"ec2\"\nneeds = [\"ip-www\"]", "kit = \"ec3\"\nneeds = [\"ipwww\"]"},
	{"crossing: CONFIRMSODEF left at 0", "cidrs = [\"10.0.0.0/16\"]\n\n[server.NODE_A]\nregion = \"ap-northeast-1\"",
		"cidrs = [\"10.0.0.0/16\"]\n\n[region.ap-southeast-1]\n\n[server.NODE_A]\nregion = \"ap-southeast-1\""},
	{"path: unknown server and no address", "", "[[cluster.service.path]]\nfrom = \"NODE_A\"\nto = \"NODE_C\"\nweight = 1"},
	{"not TOML: no quotes", `kit = "app"`, `kit = app`},
	{"not TOML: quote left open", `kit = "app"`, `kit = "app`},
	{"not TOML: bracket left open", `servers = ["NODE_A", "NODE_B"]`, `servers = ["NODE_A", "NODE_B"`},
	{"nested too deeply", `start = "/opt/www/start"`, "start = " + strings.Repeat("[", 40) + strings.Repeat("]", 40)},
	{"notify: no channel", "", "[notify.ops]\nevents = [\"failover\"]"},
	{"notify: unknown kind of event", "", "[notify.ops]\nchannel = \"exec\"\ncommand = [\"/bin/page\"]\nevents = [\"failovers\"]"},
	{"notify: a field of another channel", "", "[notify.ops]\nchannel = \"exec\"\ncommand = [\"/bin/page\"]\nurl = \"https://example.com\""},
	{"notify: exec without a whole path", "", "[notify.ops]\nchannel = \"exec\"\ncommand = [\"page\", \"now\"]"},
	{"notify: a password in the url", "", "[notify.ops]\nchannel = \"webhook\"\nurl = \"https://a:b@example.com\""},
	{"notify: the key itself", "", "[notify.ops]\nchannel = \"webhook\"\nurl = \"https://example.com\"\nsecret = \"s3cr3t\""},
	{"notify: mail with everything wrong", "", "[notify.ops]\nchannel = \"mail\"\nsmtp = \"mail\"\nto = [\"oncall\"]\nuser = \"ferry\"\ntls = \"none\"\npassword_file = \"secret\""},
	{"notify: no ARN, and too patient", "", "[notify.ops]\nchannel = \"sns\"\ntopic = \"ferry\"\ntimeout = 900"},
	{"control character in a name", "[server.NODE_B]", "[server.\"NODE\\u001b_B\"]"},
}

func badText(old, new string) string {
	if old == "" {
		return twoNodes + "\n" + new + "\n"
	}
	return strings.Replace(twoNodes, old, new, 1)
}

func TestBadFilesInWords(t *testing.T) {
	var b strings.Builder
	for _, c := range badFiles {
		if !strings.Contains(twoNodes, c.old) {
			t.Fatalf("%s: the text to replace is not there: %q", c.what, c.old)
		}
		_, err := Load(strings.NewReader(badText(c.old, c.new)), "estate.toml", toyKits())
		fmt.Fprintf(&b, "== %s\n", c.what)
		for line := range strings.Lines(c.new) {
			if len(line) > 100 {
				line = line[:40] + "…\n"
			}
			fmt.Fprintf(&b, "   | %s\n", strings.TrimSuffix(line, "\n"))
		}
		fmt.Fprintf(&b, "%v\n\n", err)
	}
	golden(t, "bad.golden", b.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s; see what changed with -rewrite and git diff. Got:\n%s", file, got)
	}
}

// TestEveryBadFileIsRefusedAtItsLine holds for every case, whatever the golden file
// says: an error of the right type, at a line that exists, and with a fix or a
// message from the TOML decoder.
func TestEveryBadFileIsRefusedAtItsLine(t *testing.T) {
	if _, err := Load(strings.NewReader(twoNodes), "estate.toml", toyKits()); err != nil {
		t.Fatalf("the good definition: %v", err)
	}
	for _, c := range badFiles {
		text := badText(c.old, c.new)
		e, err := Load(strings.NewReader(text), "estate.toml", toyKits())
		var errs *Errors
		if !errors.As(err, &errs) || e != nil || len(errs.Problems) == 0 {
			t.Errorf("%s: not refused: %v", c.what, err)
			continue
		}
		lines := strings.Count(text, "\n") + 1
		for _, p := range errs.Problems {
			if p.Line < 1 || p.Line > lines || p.Col < 1 || p.Message == "" {
				t.Errorf("%s: %+v", c.what, p)
			}
			if p.Fix == "" && !strings.HasPrefix(p.Message, "not valid TOML here") {
				t.Errorf("%s: no fix: %s", c.what, p.Message)
			}
		}
	}
}

func TestLoadRefusesHugeFiles(t *testing.T) {
	_, err := Load(strings.NewReader(strings.Repeat("#", MaxSize+1)), "big.toml", nil)
	if err == nil || !strings.Contains(err.Error(), "big.toml:1:1: the file is larger than 16 MiB") {
		t.Errorf("got %v", err)
	}
	_, err = LoadFile(filepath.Join(t.TempDir(), "none.toml"), nil)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestErrorsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(twoNodes)
	for i := range 200 {
		fmt.Fprintf(&b, "key%d = 1\n", i)
	}
	_, err := Load(strings.NewReader(b.String()), "e.toml", toyKits())
	if n := strings.Count(err.Error(), "\n"); n > 2*shown+1 || !strings.HasSuffix(err.Error(), "and 150 more") {
		t.Errorf("%d lines, ending in %q", n, err.Error()[len(err.Error())-60:])
	}
}
