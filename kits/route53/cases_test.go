package route53_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/r53sim"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/route53"
)

// The tests in this file are SPEC 7's "AWS" cases that concern Route 53, each under its own name.

func TestThrottledIsNeverAFailure(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		remove := e.Inject(r53sim.Throttle("*", 0))
		want(t, e.check(t, "LK_P_A", "LK_P_A"), kits.OK, true, "route53.throttled")
		want(t, e.check(t, "LK_P_B", "LK_P_A"), kits.Unknown, false, "route53.throttled")
		want(t, e.start(t, "LK_S_A"), kits.OK, true, "route53.throttled")
		if got := e.eligible(t, "LK_S_A"); got.Outcome != kits.OK || got.Reason.Code != "route53.throttled" {
			t.Errorf("eligible: %+v", got)
		}
		calls := len(e.Calls())
		remove()
		if calls < 20 || calls > 120 {
			t.Errorf("%d calls while throttled", calls)
		}
		e.wantHeld(t, primary)
		e.Inject(r53sim.Throttle("*", 4))
		want(t, e.start(t, "LK_S_A"), kits.OK, false, "route53.changed") // a while of it is waited out
		e.wantHeld(t, standby)
	})
}

// Twelve nodes start at once against an account that AWS throttles at ten calls a second: the engine stays below.
func TestFiveCallsASecondAreKept(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		e.SetBucket(r53sim.AccountBucket())
		done := make(chan kits.Report)
		for range 12 {
			go func() { done <- e.check(t, "LK_P_A", "LK_P_A") }()
		}
		for range 12 {
			want(t, <-done, kits.OK, false, "")
		}
		calls := e.Calls()
		slices.SortFunc(calls, func(a, b r53sim.Call) int { return a.At.Compare(b.At) })
		for i := 10; i < len(calls); i++ {
			if took := calls[i].At.Sub(calls[i-10].At); took < time.Second {
				t.Errorf("eleven calls within %s", took)
			}
		}
		if took := calls[len(calls)-1].At.Sub(calls[0].At); len(calls) != 24 || took < 3*time.Second || took > 6*time.Second {
			t.Errorf("%d calls within %s", len(calls), took)
		}
	})
}

func TestMoveInsideARegionChangesNothingAndDoesNotWait(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		e.SetSyncLag(time.Hour)
		began := time.Now()
		want(t, e.start(t, "LK_P_B"), kits.OK, false, "route53.right")
		if w := e.writes(); len(w) > 0 || time.Since(began) > 0 || len(e.Calls()) != 1 {
			t.Errorf("written %v, %d calls, after %s", w, len(e.Calls()), time.Since(began))
		}
		if fx := e.kit.Effects(kits.ActStart, e.on("LK_P_B", "LK_P_A")); len(fx) > 0 {
			t.Errorf("effects %v", fx)
		}
	})
}

func TestCrossingDeletesTheExactOldValueInOneBatch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		e.SetSyncLag(40 * time.Second)
		e.tuning[route53.TTL] = "30"
		began := time.Now()
		want(t, e.start(t, "LK_S_A"), kits.OK, false, "route53.changed")
		if took := time.Since(began); took != 40*time.Second {
			t.Errorf("waited %s for a change that needs 40 s, asked every 20 s", took)
		}
		batch := "DELETE www.example.com. A 10.1.0.10; CREATE www.example.com. A 10.2.0.10"
		if w := e.writes(); len(w) != 1 || w[0] != batch {
			t.Errorf("written %q, want %q once", w, batch)
		}
		if r, _ := e.Record(zoneID, wwwName, "A"); r.TTL != 30 {
			t.Errorf("TTL %d, tuned 30", r.TTL)
		}
		want(t, e.check(t, "LK_S_A", "LK_S_A"), kits.OK, false, "")
		want(t, e.start(t, "LK_P_A"), kits.OK, false, "route53.changed") // and back: the TTL of 30 is part of the old value
		e.wantHeld(t, primary)
	})
}

func TestAbsentRecordIsCreatedOnly(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		if err := e.RemoveRecord(zoneID, wwwName, "A"); err != nil {
			t.Fatal(err)
		}
		// The list would begin at www2, which is another name.
		want(t, e.check(t, "LK_P_A", "LK_P_A"), kits.Failed, false, "route53.no-record")
		effects, err := e.kit.Preview(t.Context(), e.on("LK_P_A", ""))
		if err != nil || !slices.Equal(effects, []kits.Effect{{Kind: "record", What: "www.example.com A, TTL 10 s, created", To: primary}}) {
			t.Errorf("preview %+v, %v", effects, err)
		}
		want(t, e.act(t, kits.ActRecover, e.on("LK_P_A", "LK_P_A")), kits.OK, false, "route53.changed")
		if w := e.writes(); len(w) != 1 || w[0] != "CREATE www.example.com. A 10.1.0.10" {
			t.Errorf("written %q", w)
		}
	})
}

func TestUpsertErrorIsNotSuccess(t *testing.T) {
	for what, test := range map[string]struct {
		code string
		want string
	}{
		"refused batch": {"InvalidChangeBatch", "route53.refused"}, "bad input": {"InvalidInput", "route53.refused"}, "denied": {"AccessDenied", "route53.refused"},
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				e := newEstate(t, nil)
				e.Inject(r53sim.Fault{Action: "Change*", Code: test.code, Message: "it does not please"})
				r := e.start(t, "LK_S_A")
				want(t, r, kits.Failed, false, test.want)
				if !strings.Contains(r.Reason.Text, "it does not please") || !strings.Contains(r.Reason.Text, "www.example.com to 10.2.0.10") {
					t.Errorf("it says: %s", r.Reason.Text)
				}
				e.wantHeld(t, primary)
			})
		})
	}
}

func TestGetChangeErrorIsNotSuccess(t *testing.T) {
	for _, code := range []string{"NoSuchChange", "AccessDenied", "InternalFailure"} {
		inBubble(t, func(t *testing.T) {
			e := newEstate(t, nil)
			e.SetSyncLag(time.Hour)
			e.Inject(r53sim.Fault{Action: "GetChange", Code: code})
			want(t, e.start(t, "LK_S_A"), kits.OK, true, "route53.pending")
			e.tuning[route53.Strict] = "1"
			e.put(t, primary)
			want(t, e.start(t, "LK_S_A"), kits.Failed, false, "route53.pending")
		})
	}
}

func TestInSyncWithAnotherValueIsFailed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		e.Inject(r53sim.Fault{Action: "Change*", Lost: true})
		r := e.start(t, "LK_S_A")
		want(t, r, kits.Failed, false, "route53.other-value")
		if !strings.Contains(r.Reason.Text, "reports the change of www.example.com to 10.2.0.10 as done, but the record holds 10.1.0.10") {
			t.Errorf("it says: %s", r.Reason.Text)
		}
	})
}

func TestPriorRequestNotCompleteIsTriedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		e.Inject(r53sim.Fault{Action: "Change*", Code: "PriorRequestNotComplete", Times: 6})
		want(t, e.start(t, "LK_S_A"), kits.OK, false, "route53.changed")
		e.wantHeld(t, standby)
		e.Inject(r53sim.Fault{Action: "Change*", Code: "PriorRequestNotComplete"})
		want(t, e.start(t, "LK_P_A"), kits.OK, true, "route53.busy") // never a failure either
		e.wantHeld(t, standby)
	})
}

func TestTrailingDotsNameTheSameRecord(t *testing.T) {
	for zone, ok := range map[string]bool{"example.com": true, "example.com.": true, "Example.COM": true, "example.com (Z1EXAMPLE)": true, "example.com. (Z1EXAMPLE)": true, "example.org": false} {
		inBubble(t, func(t *testing.T) {
			e := newEstate(t, nil)
			e.zone = zone
			r := e.check(t, "LK_P_A", "LK_P_A")
			if ok {
				want(t, r, kits.OK, false, "")
				e.check(t, "LK_P_A", "LK_P_A")
			} else {
				want(t, r, kits.Failed, false, "route53.no-record")
			}
		})
	}
}

// An older plan never overwrites a newer record: whoever was slow is refused, and what the other wrote stays.
func TestAnOlderPlanNeverOverwritesANewerRecord(t *testing.T) {
	const newer = "192.0.2.77"
	for what, hold := range map[string]r53sim.Fault{
		"the call is on its way for long":  {Action: "Change*", Delay: 3 * time.Second, Times: 1},
		"the first try is lost on the way": {Action: "Change*", Unreachable: true, Times: 1},
		"the first tries are throttled":    r53sim.Throttle("Change*", 3),
		"an earlier change is under way":   {Action: "Change*", Code: "PriorRequestNotComplete", Times: 2},
		"the first try stalls":             {Action: "Change*", Hang: true, Times: 1},
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				e := newEstate(t, nil)
				e.Inject(hold)
				time.AfterFunc(50*time.Millisecond, func() { e.put(t, newer) })
				r := e.start(t, "LK_S_A")
				want(t, r, kits.Failed, false, "route53.overtaken")
				e.wantHeld(t, newer)
				for _, part := range []string{"held 10.1.0.10 when it began", "now holds 192.0.2.77", "Find out who writes it"} {
					if !strings.Contains(strings.Replace(r.Reason.Text, "it held", "held", 1), part) {
						t.Errorf("%q is not in: %s", part, r.Reason.Text)
					}
				}
				if r.Permanent {
					t.Error("a person may start it again")
				}
				want(t, e.start(t, "LK_S_A"), kits.OK, false, "route53.changed") // a start that has seen the newer value may replace it
			})
		})
	}
}

func TestRoute53DownServiceUpDNSRedManualStepShown(t *testing.T) {
	for what, down := range map[string]r53sim.Fault{"route53.unreachable": r53sim.Down(), "route53.timeout": {Hang: true}} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				e := newEstate(t, nil)
				remove := e.Inject(down)
				if got := e.eligible(t, "LK_S_A"); got.Outcome != kits.OK || got.Reason.Code != what {
					t.Errorf("eligible: %+v", got)
				}
				began := time.Now()
				r := e.start(t, "LK_S_A")
				want(t, r, kits.OK, true, what)
				if took := time.Since(began); took > 45*time.Second {
					t.Errorf("the service waited %s for a Route 53 that is down", took)
				}
				command := `aws route53 change-resource-record-sets --hosted-zone-id Z1EXAMPLE --change-batch '{"Changes":[{"Action":"UPSERT","ResourceRecordSet":{"Name":"www.example.com.","Type":"A","TTL":10,"ResourceRecords":[{"Value":"10.2.0.10"}]}}]}'`
				if r.Reason.Args["command"] != command || !strings.Contains(r.Reason.Text, command) || r.Presence != kits.PresenceUnknown {
					t.Errorf("it says: %s", r.Reason.Text)
				}
				r = e.check(t, "LK_S_A", "LK_S_A") // not read is not failed, but red
				want(t, r, kits.OK, true, what)
				if r.Reason.Args["command"] != command {
					t.Errorf("the check says: %s", r.Reason.Text)
				}
				want(t, e.check(t, "LK_S_B", "LK_S_A"), kits.Unknown, false, what)
				remove()
				want(t, e.check(t, "LK_S_A", "LK_S_A"), kits.Failed, false, "route53.other-value")
				want(t, e.act(t, kits.ActRecover, e.on("LK_S_A", "LK_S_A")), kits.OK, false, "route53.changed") // heals by itself
				want(t, e.check(t, "LK_S_A", "LK_S_A"), kits.OK, false, "")

				e.tuning[route53.Strict] = "1"
				e.Inject(down)
				want(t, e.start(t, "LK_P_A"), kits.Failed, false, what)
				want(t, e.check(t, "LK_P_A", "LK_P_A"), kits.Unknown, false, what)
			})
		})
	}
}

// Inside a region nothing is to be changed; the name servers say so while the control plane is down.
func TestRoute53DownButNameServersAnswerRight(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		e.Inject(r53sim.Down())
		r := e.start(t, "LK_P_B")
		want(t, r, kits.OK, true, "route53.unreachable")
		if !strings.Contains(r.Reason.Text, "but the record is right: 4 of 4 name servers answer it") || r.Reason.Args["command"] != "" {
			t.Errorf("it says: %s", r.Reason.Text)
		}
	})
}

func TestAStandbyCheckNeverWrites(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		e.put(t, "192.0.2.9") // wrong for everybody
		for _, node := range []string{"LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B"} {
			r := e.check(t, node, "LK_P_A")
			if node == "LK_P_A" {
				want(t, r, kits.Failed, false, "route53.other-value")
			} else {
				want(t, r, kits.OK, false, "route53.elsewhere")
			}
			if r.Presence != kits.Absent {
				t.Errorf("%s: presence %q", node, r.Presence)
			}
			e.eligible(t, node)
			if _, err := e.kit.Preview(t.Context(), e.on(node, "LK_P_A")); err != nil {
				t.Error(err)
			}
			if _, err := e.kit.Choices(t.Context(), nil, e.on(node, ""), route53.FieldZone); err != nil {
				t.Error(err)
			}
		}
		if w := e.Writes(); len(w) > 0 || len(e.Calls()) < 12 {
			t.Errorf("written %v in %d calls", w, len(e.Calls()))
		}
		e.put(t, primary)
		for node, presence := range map[string]kits.Presence{"LK_P_B": kits.Present, "LK_S_A": kits.Absent} {
			if r := e.check(t, node, "LK_P_A"); r.Presence != presence {
				t.Errorf("%s: presence %q", node, r.Presence)
			}
		}
	})
}

func TestStopLeavesTheRecordAlsoWhileTheAPIIsDown(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		e.Inject(r53sim.Down())
		want(t, e.act(t, kits.ActStop, e.on("LK_P_A", "LK_P_A")), kits.OK, false, "route53.left")
		if len(e.Calls()) > 0 || e.holds() != primary {
			t.Errorf("%d calls, the record holds %s", len(e.Calls()), e.holds())
		}
	})
}

// The answer is lost after the change was made, so there is no id to ask about.
func TestAnswerLostAfterTheChangeEndsWell(t *testing.T) {
	for what, f := range map[string]r53sim.Fault{"dropped": {Action: "Change*", DropAfter: true, Times: 1}, "stalled": {Action: "Change*", HangAfter: true, Times: 1}} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				e := newEstate(t, nil)
				e.SetSyncLag(30 * time.Second)
				remove := e.Inject(f)
				want(t, e.start(t, "LK_S_A"), kits.OK, false, "route53.changed") // the name servers say that it is everywhere
				if w := e.writes(); len(w) != 1 {
					t.Errorf("written %d times: %q", len(w), w)
				}
				remove()
				e.mute = true
				e.Inject(f)
				want(t, e.start(t, "LK_P_A"), kits.OK, true, "route53.pending") // nobody says so: in service, impaired
				e.wantHeld(t, primary)
				want(t, e.check(t, "LK_P_A", "LK_P_A"), kits.OK, false, "")
			})
		})
	}
}

func TestStillPendingIsImpairedAndHealsByItself(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		e.SetSyncLag(100 * time.Second)
		began := time.Now()
		r := e.start(t, "LK_S_A")
		want(t, r, kits.OK, true, "route53.pending")
		if took := time.Since(began); took != time.Minute { // 4 questions, 20 s between
			t.Errorf("the start took %s", took)
		}
		for _, part := range []string{"0 of 4 name servers answer it, 4 still answer 10.1.0.10", "raise ROUTE53_CHANGEID_TRY_COUNT by 1 or 2 (now 4)"} {
			if !strings.Contains(r.Reason.Text, part) {
				t.Errorf("%q is not in: %s", part, r.Reason.Text)
			}
		}
		want(t, e.check(t, "LK_S_A", "LK_S_A"), kits.OK, true, "route53.spreading")
		time.Sleep(40 * time.Second)
		want(t, e.check(t, "LK_S_A", "LK_S_A"), kits.OK, false, "")

		e.tuning[route53.ChangeTries] = "6"
		want(t, e.start(t, "LK_P_A"), kits.OK, false, "route53.changed") // raised by two, as the message says
	})
}

func TestStrictFailsAStartThatEndsPending(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		e.tuning[route53.Strict] = "1"
		e.SetSyncLag(100 * time.Second)
		r := e.start(t, "LK_S_A")
		want(t, r, kits.Failed, false, "route53.pending")
		if !strings.Contains(r.Reason.Text, "the start failed although the record may be right") {
			t.Errorf("it says: %s", r.Reason.Text)
		}
		want(t, e.start(t, "LK_S_A"), kits.OK, false, "route53.right") // the seed's own advice: start it once more
	})
}

func TestEveryCallCarriesKeyAndHomeRegion(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		e.start(t, "LK_S_A") // a signature for another region than us-east-1 is refused by the endpoint
		for _, c := range e.Calls() {
			if c.KeyID != "AKIAFERRY" || c.Code != "" {
				t.Errorf("%s as %q: %s", c.Action, c.KeyID, c.Code)
			}
		}
		e.ResetCalls()
		in := e.on("LK_S_A", "LK_S_A")
		in.Attrs[route53.FieldCredentials], in.Attrs[route53.FieldProfile] = route53.CredProfile, "nobody"
		r := e.act(t, kits.ActCheck, in)
		want(t, r, kits.OK, true, "route53.unauthorized")
		if !strings.Contains(r.Reason.Text, "add the profile nobody to ~/.aws/config") || len(e.Calls()) > 0 {
			t.Errorf("%d calls; %s", len(e.Calls()), r.Reason.Text)
		}
	})
}
