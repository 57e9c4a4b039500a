package main

import (
	"context"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine"
	"github.com/ferry-ha/ferry/engine/api"
)

// surgery is a socket behind which the engine is a doctor, too.
type surgery struct{ socket }

func (c surgery) Examine(ctx context.Context, q api.Examination) (*api.Diagnosis, error) {
	return call(c.socket, func(e *engine.Engine) (*api.Diagnosis, error) { return e.Examine(ctx, q) })
}

func (c surgery) Mend(ctx context.Context, m api.Mending) (*api.Mended, error) {
	return call(c.socket, func(e *engine.Engine) (*api.Mended, error) { return e.Mend(ctx, m) })
}

// TestTheFirstApplyLooksAtTheServers: before anything is in force, and without putting it in force.
func TestTheFirstApplyLooksAtTheServers(t *testing.T) {
	for _, how := range []string{"", " --in-service"} {
		bareSite(t, "cross-region-postgresql.toml", func(s *site) {
			s.doctor = true
			s.sim.Nodes.Node("LK_S_B").Remove("setsid")
			if said := s.must(107, "apply FILE --no-doctor"+how); strings.Contains(said, "node.tools") {
				t.Errorf("apply --no-doctor%s looks:\n%s", how, said)
			}
			s.must(107, "apply FILE"+how, "fail    node.tools  LK_S_B", "LK_S_B lacks setsid", "fix: install the packages")
			now, err := call(socket{s}, func(e *engine.Engine) (string, error) {
				e2, err := e.Export(s.t.Context())
				return e2.Name, err
			})
			if err != nil || now != "" {
				t.Errorf("apply%s without a yes has put %q in force (%v)", how, now, err)
			}
			s.must(0, "apply FILE --yes", "node.tools  LK_S_B", "in force")
		})
	}
}
