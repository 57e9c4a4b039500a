package house

import (
	"os/exec"
	"strings"
	"testing"
)

// Which failures of CI may have a second try: few, against the real clock, and nothing beside them.
func TestAgain(t *testing.T) {
	const (
		well     = "ok  \tgithub.com/ferry-ha/ferry/engine\t0.1s\n"
		terminal = "--- FAIL: TestTmuxWizards (221.40s)\n    --- FAIL: TestTmuxWizards/Route53 (183.60s)\nFAIL\nFAIL\tgithub.com/ferry-ha/ferry/tui/e2e\t300.1s\n"
		real     = "--- FAIL: TestConformance (1.40s)\n--- FAIL: TestBusybox (1.40s)\nFAIL\nFAIL\tgithub.com/ferry-ha/ferry/kits/app\t30.1s\n"
		virtual  = "--- FAIL: TestRandomMisfortune (21.40s)\nFAIL\nFAIL\tgithub.com/ferry-ha/ferry/internal/sim/chaos\t300.1s\n"
		broken   = "FAIL\tgithub.com/ferry-ha/ferry/tui/e2e [build failed]\n"
		ended    = "FAIL\nfailed\n"
		tmux     = "github.com/ferry-ha/ferry/tui/e2e:TestTmuxWizards\n"
	)
	for _, c := range []struct{ name, out, again string }{
		{"nothing failed", well + "passed\n", ""},
		{"a terminal", well + terminal + ended, tmux},
		{"a terminal and daemons", terminal + well + real + ended, tmux + "github.com/ferry-ha/ferry/kits/app:TestConformance\ngithub.com/ferry-ha/ferry/kits/app:TestBusybox\n"},
		{"too many", terminal + terminal + real + ended, ""},
		{"virtual time", virtual + ended, ""},
		{"virtual time too", terminal + virtual + ended, ""},
		{"does not build", broken + ended, ""},
		{"does not build beside", terminal + broken + ended, ""},
		{"a crash", "panic: nil\n" + terminal + ended, ""},
		{"a race", "WARNING: DATA RACE\n" + terminal + ended, ""},
	} {
		cmd := exec.Command("sh", "again.sh")
		cmd.Stdin = strings.NewReader(c.out)
		out, err := cmd.Output()
		if (err == nil) != (c.again != "") || err == nil && string(out) != c.again {
			t.Errorf("%s: %q, %v; want %q", c.name, out, err, c.again)
		}
	}
}
