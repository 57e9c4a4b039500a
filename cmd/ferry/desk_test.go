package main

import (
	"strings"
	"testing"
	"time"
)

// tells demands that a command's output holds each part.
func (d *desk) tells(code int, line string, parts ...string) {
	d.t.Helper()
	got := d.ferry(code, line)
	for _, p := range parts {
		if !strings.Contains(got, p) {
			d.t.Errorf("ferry %s does not say %q:\n%s", line, p, got)
		}
	}
}

// TestChangesAtTheDesk drives the commands that change the definition against a real
// engine: what is created can be used, what is in service is safe.
func TestChangesAtTheDesk(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.tells(0, "resource list", "service/www", "ISP LK_P_A")
		d.tells(0, "resource show www", "▶ISP", "start")
		d.tells(0, "server show LK_P_A", "[x]               [ ]             LK_S_A")

		d.tells(0, "resource create ip ip-two --address 10.1.0.20 --on LK_P_A,LK_P_B --yes", "1 change in force", "ferry in-service ip-two")
		time.Sleep(5 * time.Second)
		d.tells(0, "in-service ip-two --on LK_P_B --yes", "done")
		d.tells(107, "resource unextend ip-two --from LK_P_B --yes", "is in service on LK_P_B", "ferry out-of-service ip-two")
		d.tells(0, "in-service ip-two --on LK_P_A --yes", "done")
		d.tells(0, "resource unextend ip-two --from LK_P_B --yes", "1 change in force")
		d.tells(0, "resource recover ip-two --yes", "done")
		d.tells(107, "resource delete ip-two --yes", "is in service on LK_P_A")
		d.tells(0, "out-of-service ip-two --yes", "done")
		d.tells(0, "resource delete ip-two --yes", "1 change in force")
		d.tells(105, "resource show ip-two", `no resource "ip-two"`)

		d.tells(78, "resource delete ec2-route53 --yes", "service/route53-www needs it")
		d.tells(107, "resource set ip-route53 netmask=255.255.255.0 --yes", "is in service on LK_P_A")
		d.tells(0, "tuning set LKCHECKINTERVAL 30 --yes", "1 change in force", "note: LK_P_A keeps its own LKCHECKINTERVAL: 10")
		d.tells(0, "tuning get LKCHECKINTERVAL --on LK_P_A", "server LK_P_A  10")
		d.tells(0, "server block-failover LK_P_A LK_P_B on --yes", "block")
		d.tells(0, "server shutdown-strategy LK_P_A switch-over --yes", "switch over")
		d.tells(0, "dependency list", "service/www")
	})
}

// TestDeletedByForceKeepsRunning: nothing is taken away from a node without a word,
// and the word is true.
func TestDeletedByForceKeepsRunning(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.tells(0, "resource delete www --force --yes", "service/www keeps running on LK_P_A")
		d.tells(0, "resource list", "service/ip-route53", "ISP LK_P_A")
		if got, err := d.sim.Ask("ap-northeast-1", "10.1.0.10:8080"); err != nil || got == "" {
			t.Errorf("what was deleted by force does not run any more: %q, %v", got, err)
		}
	})
}

// TestHoldAtTheDesk: under a hold nothing is recovered; after it, it is.
func TestHoldAtTheDesk(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.tells(0, "hold --for 10m --why maintenance", "the whole estate", "maintenance")
		d.tells(0, "status", "HOLD", "the whole estate", "maintenance")
		if err := d.sim.PowerOff("LK_P_A"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		d.tells(0, "operations -n 1", "in service")
		d.tells(0, "hold --release", "nothing is held")
		time.Sleep(2 * time.Minute)
		d.tells(0, "resource list", "ISP LK_P_B")
		d.tells(105, "hold --release", "is not held")
	})
}
