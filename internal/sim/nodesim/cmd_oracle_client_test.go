package nodesim

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/listener"
	"github.com/ferry-ha/ferry/kits/oracle"
)

// A client gets in when listener and database let it, and what was acknowledged is there.
func TestOracleClient(t *testing.T) {
	onOracle(t, func(o oraOne) {
		t := o.t
		connect := func(patience time.Duration) (*OracleSession, error) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			return o.World.ConnectOracle(ctx, func(netip.Addr) (string, bool) { return "LK_P_A", true }, oraVIP+":1521", "ORCL")
		}
		refused := func(want string) {
			t.Helper()
			if _, err := connect(2 * time.Second); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		refused("connection refused")
		o.want(oracle.Kit{}, kits.ActStart, kits.OK, "")
		o.want(listener.Kit{}, kits.ActStart, kits.OK, "")
		s, err := connect(time.Second)
		o.must(err)
		for row := 1; row <= 3; row++ {
			o.must(s.Commit(t.Context(), row))
		}
		o.must(o.node.StickArchiver("ORCL"))
		if err := s.Commit(t.Context(), 4); err == nil || !strings.Contains(err.Error(), "ORA-00257") {
			t.Errorf("a stuck archiver takes a row: %v", err)
		}
		o.must(o.node.FreeArchiver("ORCL"))
		o.must(o.node.FreezeDisk("vdb"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Commit(ctx, 4); err == nil || !strings.Contains(err.Error(), "waits for the disk") {
			t.Errorf("a disk that does not answer takes a row: %v", err)
		}
		o.must(o.node.ThawDisk("vdb"))
		o.must(o.node.HangListener("LISTENER", true))
		refused("TNS-12535")
		o.must(o.node.HangListener("LISTENER", false))
		o.must(o.node.KillOracle("ORCL"))
		if err := s.Commit(t.Context(), 5); err == nil || !strings.Contains(err.Error(), "ORA-03113") {
			t.Errorf("the session outlives its instance: %v", err)
		}
		refused("ORA-12514")
		o.want(oracle.Kit{}, kits.ActRecover, kits.OK, "")
		if s, err = connect(time.Second); err == nil {
			_, err = s.Newest(t.Context())
		}
		o.must(err)
		if row, _ := s.Newest(t.Context()); row != 3 {
			t.Errorf("the newest row is %d", row)
		}
		o.node.PowerOff()
		if err := s.Commit(t.Context(), 6); err == nil {
			t.Error("a machine without power acknowledges a row")
		}
	})
}

// Names are asked of the world's name servers; what stands in /etc/hosts comes first.
func TestNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newOracleBed(t).World.Node("LK_P_A")
		n.world.SetNames(func(name string) []string { return map[string][]string{"db.example.com": {"10.1.0.10"}}[name] })
		for name, want := range map[string]string{"db.example.com": "10.1.0.10", "www.example.com": oraVIP, "nobody.example.com": ""} {
			if got := strings.Join(n.resolve(name), " "); got != want {
				t.Errorf("%s leads to %q, want %q", name, got, want)
			}
		}
	})
}
