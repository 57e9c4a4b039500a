package model

import (
	"testing"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// A snapshot keeps what A says of reaching B with B (engine: Node.Sights).
func TestSaysReadsTheNodeThatIsSpokenOf(t *testing.T) {
	e := New(&api.Snapshot{Nodes: []api.NodeStatus{
		{Name: "A", Verdict: policy.Alive, Peers: map[string]string{"B": "ok"}},
		{Name: "B", Verdict: policy.Presumed, Peers: map[string]string{"A": "failed"}},
	}}, nil)
	if got := e.Says("A", "B"); got != kits.Failed {
		t.Errorf("A says of B: %v", got)
	}
	if got := e.Says("B", "A"); got != kits.Unknown {
		t.Errorf("B is lost, what it said last counts as %v", got)
	}
	if got := e.Says("A", "C"); got != kits.Unknown {
		t.Errorf("nobody knows C: %v", got)
	}
}
