package e2e

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/sim"
)

// TestNoSecretIsLeftAnywhere looks for the secret access key and the login's private key
// after a run with everything in it: an apply, a move, a loss, a question, an answer. It
// looks on every node (files of ferry's, the journal, every process's arguments and
// environment), in the engine's log and state, in the arguments of this machine's
// processes, and in what the commands print. The engine's own environment is where the
// user puts the key, and is left out.
func TestNoSecretIsLeftAnywhere(t *testing.T) {
	s := running(t)
	if err := s.l.Guest("LK_P_B").PowerOff(ctx(t)); err != nil {
		t.Fatal(err)
	}
	if err := s.l.Guest("LK_P_A").PowerOff(ctx(t)); err != nil {
		t.Fatal(err)
	}
	q := s.question()
	s.must("confirm", "yes", q.ID, "--region", farRegion, "--node-is-off", q.From)
	s.until("everything on LK_S_A", activeOn("LK_S_A"))
	time.Sleep(4 * time.Second) // the copies of the last changes reach the nodes

	secrets := s.secrets()
	for _, node := range []string{"LK_S_A", "LK_S_B"} {
		out, err := s.l.Guest(node).Sh(ctx(t), `sudo -n true 2>/dev/null
for f in $(find /var/lib/ferry /run/ferry /etc/ferry /tmp -type f 2>/dev/null); do cat "$f"; done
journalctl --no-pager -o cat 2>/dev/null
for p in /proc/[0-9]*; do tr '\0' ' ' <$p/cmdline; tr '\0' ' ' <$p/environ; done 2>/dev/null
echo the-end`)
		if err != nil || !strings.Contains(out, "the-end") || !strings.Contains(out, "estate=") {
			t.Fatalf("%s could not be looked through: %v", node, err)
		}
		scan(t, node, []byte(out), secrets)
	}
	scan(t, "the engine's log", []byte(s.log.tail(1<<20)), secrets)
	err := filepath.WalkDir(filepath.Join(s.dir, "state"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		scan(t, path, text, secrets)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, l := range lines {
		text, _ := os.ReadFile(l) // gone is fine
		scan(t, l, text, secrets)
	}
	for _, args := range [][]string{{"status", "-o", "json"}, {"events", "-o", "json"}, {"operations", "-o", "json"}, {"export"}, {"info", "-o", "json"}} {
		scan(t, "ferry "+strings.Join(args, " "), []byte(s.must(args...)), secrets)
	}
}

// secrets are what must not be found, by name.
func (s *site) secrets() map[string][]byte {
	key, err := os.ReadFile(s.l.SSHConfig().Identity)
	if err != nil {
		s.t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(key), []byte("\n"))
	return map[string][]byte{"the secret access key": []byte(sim.SecretKey), "the login's private key": lines[len(lines)/2]}
}

func scan(t *testing.T, where string, text []byte, secrets map[string][]byte) {
	t.Helper()
	for name, s := range secrets {
		if bytes.Contains(text, s) {
			t.Errorf("%s is in %s", name, where)
		}
	}
}
