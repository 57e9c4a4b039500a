package datakeeper

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/kits"
)

const (
	goodFinal = "@final 4 uuid=" + someUUID + " events=40 time=1700000000 clean=yes features=1 dev=0 roles=0,1,2"
	goodLeg   = "@leg uuid=" + someUUID + " events=40 time=1700000000 clean=yes features=1 dev=2 roles=0,1,2"
)

// said are the answers of two nodes' scripts.
type saidOn map[string]string

func (s saidOn) on(node string) kits.Host { return saidHost{node, s[node]} }

type saidHost struct{ node, text string }

func (h saidHost) Node() string { return h.node }

func (h saidHost) Run(context.Context, kits.Script) (kits.Result, error) {
	if h.text == "" {
		return kits.Result{}, errors.New("no answer")
	}
	return kits.Result{Stdout: "@begin\n" + h.text + "\n@end\n"}, nil
}

// A copy is complete only when all that is said of it fits.
func TestSettle(t *testing.T) {
	was := func(o, n string) func(string) string {
		return func(s string) string { return strings.Replace(s, o, n, 1) }
	}
	same := func(s string) string { return s }
	for _, c := range []struct {
		name       string
		final, leg func(string) string
		change     func(*Record)
		settled    bool
	}{
		{"all fits", same, same, nil, true},
		{"an earlier generation's end", was("@final 4", "@final 3"), same, nil, false},
		{"another array's end", was("22222222", "22222223"), same, nil, false},
		{"no end", func(string) string { return "" }, same, nil, false},
		{"an end that cannot be read", was("events=40", "events="), same, nil, false},
		{"the source was dirty", was("clean=yes", "clean=no"), same, nil, false},
		{"the source had bad blocks", was("features=1", "features=9"), same, nil, false},
		{"the source had given it up", was("0,1,2", "0,1,65534"), same, nil, false},
		{"the source was alone", was("0,1,2", "0,65534,65534"), same, nil, false},
		{"fewer events", same, was("events=40", "events=39"), nil, false},
		{"as many events, but of earlier", same, was("1700000000", "1699999999"), nil, false},
		{"it is dirty", same, was("clean=yes", "clean=no"), nil, false},
		{"it is being recovered", same, was("features=1", "features=3"), nil, false},
		{"another array", same, was("22222222", "22222223"), nil, false},
		{"it had no place", same, was("0,1,2", "0,1,65535"), nil, false},
		{"it has the source's number", same, was("dev=2", "dev=0"), nil, false},
		{"a number that is none", same, was("dev=2", "dev=7"), nil, false},
		{"other members", same, was("0,1,2", "0,65534,2"), nil, false},
		{"it was started anew", same, func(string) string { return "@failed rebooted" }, nil, false},
		{"a flush that failed", same, func(string) string { return "@failed flush /dev/sdb" }, nil, false},
		{"no answer", same, func(string) string { return "" }, nil, false},
		{"out on record", same, same, func(r *Record) { r.out("LK_S_A", "it does not answer", noon) }, false},
		{"its source had failed", same, same, func(r *Record) { r.Bad = true }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := estate("LK_S_A")
			in.Record = keptRecord(c.change)
			words := saidOn{"LK_P_A": "@up 1\n" + idle + "\n" + c.final(goodFinal), "LK_S_A": c.leg(goodLeg)}
			rec, why := Kit{}.Settle(t.Context(), words.on, in)
			if (rec != nil) != c.settled || why.Text == "" {
				t.Fatalf("%s: %s", rec, why.Text)
			}
			if !c.settled {
				return
			}
			in.Record = rec
			if _, no := (Kit{}).Promote(in, false, noon); no != nil {
				t.Errorf("refused: %s", no.Text)
			}
			if in.Doubtful = true; true {
				if _, no := (Kit{}).Promote(in, false, noon); no == nil || no.Code != "datakeeper.doubtful" {
					t.Errorf("in doubt: %+v", no)
				}
			}
			in.Doubtful = false
			kept := Kit{}.Keep(in, map[string]kits.Pulse{"LK_P_A": said(runs, nearGood, farGood, still)}, noon)
			if r, err := decode(kept.Record); err != nil || r.Legs["LK_S_A"].Complete {
				t.Errorf("an array runs, and it counts as complete: %s", kept.Record)
			}
		})
	}
}

// Before the stop: only a copy that follows at this moment has a prospect, and only where lagging is all that is wrong.
func TestProspect(t *testing.T) {
	lags := kits.Eligibility{Outcome: kits.Failed, Reason: kits.Why(codeAsynchronous, "it lags")}
	lost := strings.Replace(farGood, "connected=yes", "connected=no", 1)
	for _, c := range []struct {
		name      string
		source    string
		no        kits.Eligibility
		ok, ready bool
	}{
		{"it runs with the leg", runs + "\n" + farGood + "\n" + still, lags, true, false},
		{"it has been stopped", idle + "\n" + goodFinal, lags, true, true},
		{"it has been stopped without the leg", idle + "\n" + strings.Replace(goodFinal, "0,1,2", "0", 1), lags, false, false},
		{"it is down", idle, lags, false, false},
		{"no answer", "", lags, false, false},
		{"the connection is lost", runs + "\n" + lost + "\n" + still, lags, false, false},
		{"an older connection", runs + "\n" + strings.Replace(farGood, "number=2", "number=1", 1) + "\n" + still, lags, false, false},
		{"another generation", strings.Replace(runs, "@gen 4", "@gen 3", 1) + "\n" + farGood + "\n" + still, lags, false, false},
		{"a tool is missing", runs + "\n" + farGood + "\n" + still, kits.Eligibility{Outcome: kits.Failed, Reason: kits.Why("datakeeper.no-tool", "no mdadm")}, false, false},
		{"nothing is known", runs + "\n" + farGood + "\n" + still, kits.Eligibility{}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := estate("LK_S_A")
			in.Record = keptRecord(nil)
			words := saidOn{}
			if c.source != "" {
				words["LK_P_A"] = "@up 1\n" + c.source
			}
			el, ready := Kit{}.Prospect(t.Context(), words.on, in, c.no)
			if (el.Outcome == kits.OK) != c.ok || ready != c.ready {
				t.Errorf("%+v, ready %t", el, ready)
			}
			if !c.ok && el.Reason.Code != c.no.Reason.Code {
				t.Errorf("the refusal became %+v", el.Reason)
			}
		})
	}
}
