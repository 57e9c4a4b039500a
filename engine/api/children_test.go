package api

import (
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/kits"
)

func TestAllServersMustTakeIt(t *testing.T) {
	p := Prospect{Kit: "openswan", Tag: "vpn/t", On: map[string]map[string]string{"A": nil, "B": nil}}
	says := func(server string, o kits.Outcome, text string) Found {
		return Found{Server: server, Eligible: kits.Eligibility{Outcome: o, Reason: kits.Why("openswan.x", text)}}
	}
	yes := says("A", kits.OK, "")
	for name, c := range map[string]struct {
		found []Found
		text  []string
	}{
		"both may":                 {[]Found{yes, says("B", kits.OK, "")}, nil},
		"one may not":              {[]Found{yes, says("B", kits.Failed, "the tunnel is down")}, []string{"vpn/t cannot be put on B: the tunnel is down"}},
		"one does not say":         {[]Found{yes, says("B", kits.Unknown, "B did not answer")}, []string{"B did not answer"}},
		"nor why":                  {[]Found{yes, says("B", kits.Unknown, "")}, []string{"nobody can tell"}},
		"both may not":             {[]Found{says("A", kits.Failed, "a"), says("B", kits.Failed, "b")}, []string{"put on A: a", "put on B: b"}},
		"one was not asked at all": {[]Found{yes}, []string{"B: it was not asked"}},
	} {
		no := p.Refusal(c.found)
		if (no == nil) != (c.text == nil) {
			t.Errorf("%s: %v", name, no)
			continue
		}
		for _, text := range c.text {
			if !strings.Contains(no.Message, text) || no.Kind != KindUnsafe || no.Hint == "" {
				t.Errorf("%s: %+v", name, no)
			}
		}
	}
}
