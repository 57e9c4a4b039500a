package e2e

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/lab"
)

// TestPackage lives with the real Debian package on a guest from its first
// installation to its purge. The package is the one in FERRY_DEB, which make test has
// just built; without that the test has the same script build one.
func TestPackage(t *testing.T) {
	lab.SkipUnlessEnabled(t)
	deb := debPackage(t)
	b := newBox(t, deb)
	t.Run("installed", b.installed)
	t.Run("started", b.started)
	t.Run("roles", b.roles)
	t.Run("watches", b.watches)
	t.Run("restarted", b.restarted)
	t.Run("beside root's engine", b.besideRoots)
	t.Run("upgraded", b.upgraded)
	t.Run("removed", b.removed)
	t.Run("purged", b.purged)
	t.Run("installed again", b.installedAgain)
}

// debPackage is the path of the package under test.
func debPackage(t *testing.T) string {
	t.Helper()
	deb := os.Getenv("FERRY_DEB")
	if deb == "" {
		if out, err := exec.CommandContext(long(t), "sh", "../../house/package.sh").CombinedOutput(); err != nil {
			t.Fatalf("building the package: %v\n%s", err, out)
		}
		all, err := filepath.Glob("../../../dist/release/*_amd64.deb")
		if err != nil || len(all) != 1 {
			t.Fatalf("packages built: %q, %v; want one", all, err)
		}
		deb = all[0]
	}
	if _, err := os.Stat(deb); err != nil {
		t.Fatalf("FERRY_DEB: %v", err)
	}
	return deb
}

// box is the guest that the package is tried on.
type box struct {
	l       *lab.Lab
	g       *lab.Guest
	version string // of the package
}

// newBox brings the package to a guest, as /root/ferry.deb.
func newBox(t *testing.T, deb string) *box {
	t.Helper()
	l := shared.Lab(t)
	b := &box{l: l, g: l.Guest("LK_S_B")}
	t.Cleanup(b.g.Spoil)
	f, err := os.Open(deb)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	put := l.Command(ctx(t), lab.EngineNS, "ssh", "-F", l.SSHConfig().Config, "-l", "root", b.g.Name(), "cat >/root/ferry.deb")
	put.Stdin = f
	if out, err := put.CombinedOutput(); err != nil {
		t.Fatalf("copying the package: %v\n%s", err, out)
	}
	// The image was made without manuals; a real system installs what a package brings.
	b.must(t, "rm -f /etc/dpkg/dpkg.cfg.d/*")
	b.version = strings.TrimSpace(b.must(t, "dpkg-deb -f /root/ferry.deb Version"))
	return b
}

// must runs a script as root that has to succeed.
func (b *box) must(t *testing.T, script string) string {
	t.Helper()
	out, err := b.g.Sh(ctx(t), "set -e; exec 2>&1\n"+script)
	if err != nil {
		t.Fatalf("%s\n%v\n%s\n%s", script, err, out, b.journal(t))
	}
	return out
}

// keys gives the engine what it logs in to nodes with, where its user looks for it, and
// root a definition of the lab's estate.
func (b *box) keys(t *testing.T) {
	t.Helper()
	estate := example(t)
	fit(b.l, estate)
	files := b.l.SSHConfig()
	estate.SSH = hierarchy.SSH{User: "ferry"}
	b.put(t, "/srv/estate.toml", config.Export(estate, registry()))
	b.must(t, "install -d -m 700 -o ferry-engine -g ferry-engine /var/lib/ferry-engine/.ssh")
	for from, to := range map[string]string{files.Identity: "id_ed25519", files.KnownHosts: "known_hosts"} {
		body, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		b.put(t, "/root/"+to, body)
		b.must(t, "install -m 600 -o ferry-engine -g ferry-engine /root/"+to+" /var/lib/ferry-engine/.ssh/")
	}
}

// put writes a small file.
func (b *box) put(t *testing.T, path string, body []byte) {
	t.Helper()
	b.must(t, "base64 -d >"+path+" <<'X'\n"+base64.StdEncoding.EncodeToString(body)+"\nX")
}

// is demands what a script prints.
func (b *box) is(t *testing.T, what, script, want string) {
	t.Helper()
	if got := strings.TrimSpace(b.must(t, script)); got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// exits demands a script's exit code.
func (b *box) exits(t *testing.T, script string, want int) {
	t.Helper()
	out, err := b.g.Sh(ctx(t), "exec 2>&1\n"+script)
	code := 0
	var sh *lab.ShError
	switch {
	case errors.As(err, &sh):
		code = sh.Exit
	case err != nil:
		t.Fatalf("%s: %v", script, err)
	}
	if code != want {
		t.Errorf("%s: exit %d, want %d\n%s", script, code, want, out)
	}
}

func (b *box) journal(t *testing.T) string {
	out, _ := b.g.Sh(ctx(t), "journalctl -n 40 --no-pager")
	return out
}

// answers waits until the service's engine answers root, and says which process it is.
func (b *box) answers(t *testing.T) (pid string) {
	t.Helper()
	return strings.TrimSpace(b.must(t, `
i=0
until printf 'GET /v1/whoami HTTP/1.0\r\nHost: ferry\r\n\r\n' | socat -t 5 - UNIX:/run/ferry/engine.sock 2>/dev/null | grep -q '"role"'; do
  i=$((i+1)); [ $i -lt 150 ] || { systemctl status ferry --no-pager; exit 1; }; sleep 0.2
done
systemctl show --property MainPID --value ferry`))
}

// role is what the engine takes a user for: the answer's HTTP status and the role.
func (b *box) role(t *testing.T, user string) string {
	t.Helper()
	out, _ := b.g.Sh(ctx(t), `printf 'GET /v1/whoami HTTP/1.0\r\nHost: ferry\r\n\r\n' |
		runuser -u `+user+` -- socat -t 5 - UNIX:/run/ferry/engine.sock 2>&1`)
	head, body, found := strings.Cut(out, "\r\n\r\n")
	var who struct{ Role string }
	if !found || json.Unmarshal([]byte(body), &who) != nil {
		return strings.TrimSpace(out)
	}
	if !strings.Contains(head, " 200 ") {
		return head
	}
	return who.Role
}

func (b *box) installed(t *testing.T) {
	b.must(t, "dpkg -i /root/ferry.deb")
	b.is(t, "it is switched on", "systemctl is-enabled ferry || :", "disabled")
	b.is(t, "it runs", "systemctl is-active ferry || :", "inactive")
	var v struct{ Program, Commit string }
	if err := json.Unmarshal([]byte(b.must(t, "ferry version -o json")), &v); err != nil {
		t.Fatal(err)
	}
	// dpkg's tilde sorts a version before the release that it leads to.
	if of := strings.TrimPrefix(strings.Replace(v.Program, "-", "~", 1), "v"); v.Commit == "" || strings.TrimSuffix(of, "+dirty") != b.version {
		t.Errorf("version %s of commit %q in package %s", v.Program, v.Commit, b.version)
	}
	b.is(t, "the manual", "zcat /usr/share/man/man1/ferry.1.gz | grep -c '^.TH'", "1")
	b.is(t, "bash's completion", "bash -c '. /usr/share/bash-completion/completions/ferry; complete -p ferry' | grep -c __start_ferry", "1")
	b.must(t, "[ -s /usr/share/zsh/vendor-completions/_ferry ] && [ -s /usr/share/fish/vendor_completions.d/ferry.fish ]")
	b.is(t, "groups", "getent group ferry ferry-operator ferry-admin ferry-engine | wc -l", "4")
	b.is(t, "the engine's login", "getent passwd ferry-engine | cut -d: -f6,7", "/var/lib/ferry-engine:/usr/sbin/nologin")
	// No engine and no estate yet. Root's command opens the state by itself, and leaves files of root's in it.
	b.exits(t, "ferry status", 105)
}

func (b *box) started(t *testing.T) {
	b.keys(t)
	b.must(t, "systemctl start ferry")
	pid := b.answers(t)
	b.is(t, "the engine's user", "ps -o user:20= -p "+pid, "ferry-engine")
	b.is(t, "state that is not the engine's", "find /var/lib/ferry-engine ! -user ferry-engine", "")
	b.is(t, "the state's mode", "stat -c %a /var/lib/ferry-engine", "700")
	b.is(t, "whose /run/ferry is", "stat -c '%U %a' /run/ferry", "root 755")
	b.is(t, "the socket", "stat -c '%U %G %a' /run/ferry-engine/engine.sock", "ferry-engine ferry 660")
	b.is(t, "what systemd does not understand of the unit", "journalctl -q --no-pager _PID=1 | grep -c 'ferry.service:[0-9]' || :", "0")
	b.is(t, "what the engine may gain", "grep -cE '^(CapEff:\t0+|CapBnd:\t0+|NoNewPrivs:\t1)$' /proc/"+pid+"/status", "3")
	b.exits(t, "ferry status", 105) // the engine answers now: no estate is defined
	b.must(t, "ferry info | grep 'an engine answers'")
}

func (b *box) roles(t *testing.T) {
	b.must(t, `useradd stranger
useradd --groups ferry watcher
useradd mover; usermod -aG ferry,ferry-operator mover
useradd --groups ferry,ferry-admin chief
useradd --groups ferry-admin outside`)
	for user, want := range map[string]string{"watcher": "guest", "mover": "operator", "chief": "administrator", "root": "administrator"} {
		if got := b.role(t, user); got != want {
			t.Errorf("the engine takes %s for %q, want %q", user, got, want)
		}
	}
	// The socket lets in the group ferry alone; a role without it opens no door.
	for _, user := range []string{"stranger", "outside"} {
		if got := b.role(t, user); !strings.Contains(got, "Permission denied") {
			t.Errorf("the socket lets %s in: %s", user, got)
		}
		b.exits(t, "runuser -u "+user+" -- ferry status", 77)
	}
	b.must(t, "[ -s /usr/share/doc/ferry/examples/single-region.toml ]")
	const apply = " -- ferry apply /srv/estate.toml --yes"
	b.exits(t, "runuser -u watcher"+apply, 77)
	b.exits(t, "runuser -u mover"+apply, 77)
	b.exits(t, "runuser -u watcher -- ferry export", 105)
	b.must(t, "runuser -u chief"+apply)
	b.must(t, "runuser -u watcher -- ferry export >/root/before.toml")
	b.must(t, "runuser -u watcher -- ferry events | grep -v '^$'")
}

// watches: behind its walls the engine still logs in to its nodes.
func (b *box) watches(t *testing.T) {
	b.must(t, `i=0
until [ "$(ferry status -o json | jq '[.nodes[] | select(.verdict == "alive")] | length')" = 4 ]; do
  i=$((i+1)); [ $i -lt 90 ] || { ferry status; exit 1; }; sleep 1
done`)
}

func (b *box) restarted(t *testing.T) {
	same := func(what string) {
		t.Helper()
		b.is(t, "the definition after "+what, "ferry export 2>/dev/null | diff /root/before.toml - && echo same", "same")
	}
	first := b.answers(t)
	b.must(t, "systemctl restart ferry")
	second := b.answers(t)
	if first == second {
		t.Errorf("process %s before and after the restart", first)
	}
	same("a restart")
	b.must(t, "kill -9 "+second+"; while [ -e /proc/"+second+" ]; do sleep 0.05; done")
	if third := b.answers(t); third == second {
		t.Errorf("process %s before and after kill -9", second)
	}
	same("kill -9")
	b.must(t, "systemctl stop ferry")
	b.exits(t, "[ -e /run/ferry/engine.sock ] || [ -L /run/ferry/engine.sock ]", 1)
	b.is(t, "whose /run/ferry is, where this node's locks are", "stat -c '%U %a' /run/ferry", "root 755")
	same("the stop, asked by root's own command")
	b.must(t, "systemctl start ferry")
	b.answers(t)
	same("a start over what root's command wrote")
}

// besideRoots: an engine that root runs by hand keeps its socket as long as it lives;
// what it leaves there when it is killed is in nobody's way.
func (b *box) besideRoots(t *testing.T) {
	b.must(t, `systemctl stop ferry
setsid ferry engine --state-dir /root/other </dev/null >/root/other.log 2>&1 &
echo $! >/root/other.pid
i=0
until ferry info | grep -q 'an engine answers'; do
  i=$((i+1)); [ $i -lt 100 ] || { cat /root/other.log; exit 1; }; sleep 0.2
done
if systemctl start ferry; then echo "it started beside root's engine"; exit 1; fi
[ -S /run/ferry/engine.sock ] && [ ! -L /run/ferry/engine.sock ]
kill -9 $(cat /root/other.pid)`)
	// The service tries again by itself.
	b.must(t, "i=0; until [ -L /run/ferry/engine.sock ]; do i=$((i+1)); [ $i -lt 150 ]; sleep 0.2; done")
	b.answers(t)
}

func (b *box) upgraded(t *testing.T) {
	b.must(t, "echo FERRY_ENGINE_OPTIONS=--observe >>/etc/default/ferry")
	before := b.answers(t)
	b.must(t, "dpkg -i /root/ferry.deb")
	after := b.answers(t)
	if before == after {
		t.Error("the old program still runs after the upgrade")
	}
	b.is(t, "its options after the upgrade", "tr '\\0' ' ' </proc/"+after+"/cmdline", "/usr/bin/ferry engine --observe")
	b.is(t, "it is switched on", "systemctl is-enabled ferry || :", "disabled")
}

func (b *box) removed(t *testing.T) {
	b.must(t, "systemctl enable ferry")
	pid := b.answers(t)
	b.must(t, "dpkg -r ferry")
	b.exits(t, "[ -e /proc/"+pid+" ]", 1)
	b.is(t, "what is left to start it", "ls /etc/systemd/system/multi-user.target.wants | grep -cx ferry.service || :", "0")
	b.exits(t, "[ -e /usr/bin/ferry ] || [ -L /run/ferry/engine.sock ]", 1)
	b.must(t, "[ -e /var/lib/ferry-engine/ferry.lock ] && grep -q observe /etc/default/ferry")
}

func (b *box) purged(t *testing.T) {
	b.must(t, "mkdir -p /var/lib/ferry && echo kept >/var/lib/ferry/test && dpkg -P ferry")
	b.is(t, "left after the purge", "ls -d /var/lib/ferry-engine /etc/default/ferry /usr/libexec/ferry 2>/dev/null || :", "")
	b.is(t, "what this machine keeps as a node, for whichever engine protects it", "cat /var/lib/ferry/test", "kept")
}

func (b *box) installedAgain(t *testing.T) {
	b.must(t, "dpkg -i /root/ferry.deb && systemctl start ferry")
	b.answers(t)
	b.exits(t, "ferry status", 105)
}
