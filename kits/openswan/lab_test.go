package openswan

import (
	"os"
	"testing"

	"github.com/ferry-ha/ferry/kits"
)

// What the check's script brought back from nodes behind Elastic IPs, whose tunnels have four parts and both ends of which
// bring them up: a real Libreswan 4.10 in the lab.
func TestChecksAsTheLabGaveThem(t *testing.T) {
	const ok, failed, unknown = kits.OK, kits.Failed, kits.Unknown
	for name, c := range map[string]struct {
		conn    string
		outcome kits.Outcome
		code    string
		state   string // as the panel has it
		ike     string
	}{
		"up":             {"vpn1", ok, "", "up", "established"}, // eight Child SAs for four parts, as both ends initiated
		"up-peer":        {"vpn1", ok, "", "up", "established"},
		"left-over":      {"vpn2", ok, "", "up", "established"}, // SAs of before the recovery are still there
		"way-lost":       {"vpn1", failed, "openswan.no-ping", "up, peer does not answer", "established"},
		"data-path-dead": {"vpn1", failed, "openswan.no-ping", "up", "established"},
		"peer-gone":      {"vpn2", failed, "openswan.no-ping", "up", "established"},
		"peer-stopped":   {"vpn2", failed, "openswan.no-ping", "connecting", "no"},
		"wrong-secret":   {"vpn1", failed, "openswan.no-ping", "down", "no"},
		"not-loaded":     {"vpn2", failed, "openswan.not-loaded", "not loaded", "no"},
		"hung":           {"vpn1", failed, "openswan.daemon-hung", "", ""},
		"stopped":        {"vpn1", failed, "openswan.daemon-dead", "", ""},
		// One part is up anew; the others' requests wait for an IKE SA that is dead, whose own part still counts as traffic.
		"part-missing": {"vpn1", failed, "openswan.tunnel-down", "partly up", "established"},
		// The parts were established after the status and before the traffic were asked.
		"coming-up":    {"vpn1", unknown, "openswan.changing", "connecting", "established"},
		"cut-for-long": {"vpn1", failed, "openswan.no-ping", "connecting", "established"},
	} {
		b, err := os.ReadFile("testdata/lab/" + name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		in := instance()
		in.Attrs[FieldConnection] = c.conn
		r := Kit{}.JudgeCheck(in, kits.Result{Stdout: string(b)}, nil)
		if r.Outcome != c.outcome || r.Reason.Code != c.code || r.Details["state"] != c.state || r.Details["ike"] != c.ike {
			t.Errorf("%s: %v %s (%s) %v", name, r.Outcome, r.Reason.Code, r.Reason.Text, r.Details)
		}
	}
}

// A part that is down while an SA of it is left over is down; one whose SA the status did not know yet is coming up.
func TestALeftOverIsNoChange(t *testing.T) {
	l := look{trafficKnown: true, tunnel: tunnel{parts: []part{{name: "vpn1/1x1"}}, sas: map[int]bool{4: true}}}
	for sa, want := range map[int]bool{4: false, 5: true} {
		l.traffic = traffic{names: map[string][]int{"vpn1/1x1": {sa}}}
		if got := l.contradicts(); got != want {
			t.Errorf("SA #%d in the list of the traffic: a change is %t, want %t", sa, got, want)
		}
	}
}
