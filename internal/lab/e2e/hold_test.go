package e2e

import (
	"os"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/lab"
)

// TestHold keeps the lab up with an estate file for looking around; FERRY_HOLD says for how long.
func TestHold(t *testing.T) {
	d, err := time.ParseDuration(os.Getenv("FERRY_HOLD"))
	if err != nil {
		t.Skip("for looking around by hand; set FERRY_HOLD=10m")
	}
	s := newSite(t)
	t.Logf("ip netns exec %s env %v %s", s.l.NetNS(lab.EngineNS), s.env()[len(s.env())-8:], ferryBinary)
	t.Logf("estate %s ssh %s", s.file, s.l.SSHConfig().Config)
	time.Sleep(d)
}
