package resource

import (
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// happened are events and operations of service/www, with others between.
func happened(t testing.TB) (events []api.Event, ops []api.Operation) {
	p := uitest.Plan(t, uitest.Scene(t, uitest.Calm), plan.Goal{Kind: plan.GoalInService, Tag: "service/www", Node: "LK_P_B", By: "anna"})
	ops = []api.Operation{uitest.RunOp(p, "op-11", len(p.Steps))}
	ops[0].Began, ops[0].Ended = uitest.Ago(3*time.Hour), uitest.Ago(3*time.Hour-time.Minute)
	failed := uitest.RunOp(p, "op-9", 3)
	failed.Began, failed.Outcome, failed.Reason = uitest.Ago(30*time.Hour), policy.OpRolledBack, kits.Why("x", "start ended with 1 on LK_P_B")
	ops = append(ops, failed)
	add := func(seq int64, ago time.Duration, severity, text string, set func(*api.Event)) {
		e := api.Event{Seq: seq, Event: policy.Event{At: uitest.Ago(ago), Kind: "state", Severity: severity, Tag: "service/www", Node: "LK_P_A", Reason: kits.Why("test", text)}}
		if set != nil {
			set(&e)
		}
		events = append(events, e)
	}
	add(3, 30*time.Hour, "error", "service/www on LK_P_B: it could not be started.", nil)
	add(4, 29*time.Hour, "info", "Somebody else's event.", func(e *api.Event) { e.Tag = "service/other" })
	add(5, 3*time.Hour, "info", "anna asked to put service/www in service on LK_P_A.", func(e *api.Event) { e.Tag, e.Op = "", "op-11" })
	add(6, 3*time.Minute, "warning", "service/www on LK_P_A: ISP to OSF: check ended with 1:\x1b[31m connection refused.", nil)
	return events, ops
}

func with(t testing.TB, c *ui.Context, tag string) *Page {
	p := New(c, tag)
	events, ops := happened(t)
	p.Update(loaded{tag: p.tag, events: events, ops: ops})
	return p
}

func TestScreens(t *testing.T) {
	for _, x := range []struct{ scene, tag, name string }{
		{uitest.Calm, "service/ec2-route53", "calm"},
		{uitest.Moving, "service/www", "moving"},
		{uitest.Failover, "service/route53-www", "failover"},
		{uitest.Trouble, "service/www", "trouble"},
		{uitest.Trouble, "service/ip-route53", "stale"},
		{uitest.Trouble, "", "choose"},
		{uitest.Fresh, "", "fresh"},
		{uitest.Calm, "service/nobody", "gone"},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := uitest.Scene(t, x.scene)
			for i := range s.Resources {
				s.Resources[i].On[0].Details = map[string]string{"route 10.1.0.10/32 in rtb-primary": "eni-lkpa (LK_P_A)", "listens\x1b[2J": "0.0.0.0:80\u202e"}
			}
			uitest.Golden(t, x.name, s, func(c *ui.Context) ui.Page {
				if s.Estate == nil || x.tag == "" {
					return New(c, x.tag)
				}
				return with(t, c, x.tag)
			})
		})
	}
}
