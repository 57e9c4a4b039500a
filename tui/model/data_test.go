package model

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/kits"
)

func mirror(d *api.DataStatus) *api.ResourceStatus {
	return &api.ResourceStatus{Tag: "c/m", Data: d, On: []api.InstanceStatus{{Server: "z", Priority: 1}, {Server: "a", Priority: 2}, {Server: "m", Priority: 3}}}
}

func TestLegsAreToldApart(t *testing.T) {
	legs := Legs(mirror(&api.DataStatus{Nodes: map[string]map[string]string{
		"a":     {"state": "Source, writes wait", "generation": "7", "array": "md127"},
		"m":     {"state": "Target, resyncing 42 %", "percent": "42", "mode": "synchronous", "speed": "1.0 MiB/s", "last": "2026-03-01T01:00:00Z", "age": "2h"},
		"z":     {"state": "Target, in sync, does not answer", "mode": "synchronous", "since": "2026-03-01T01:00:00Z", "percent": "140"},
		"ghost": {"state": "something new", "last": "never"},
	}}))
	var order []string
	for _, l := range legs {
		order = append(order, fmt.Sprintf("%s:%v:%s:%d:%s", l.Node, l.Source, l.State, l.Percent, l.Promote))
	}
	want := []string{"a:true:writes wait:-1:yes", "z:false:in sync, does not answer:-1:yes", "m:false:resyncing:42:half", "ghost:false:something new:-1:never"}
	if !slices.Equal(order, want) {
		t.Errorf("got  %q\nwant %q", order, want)
	}
	if l := legs[0]; l.Generation != "7" || len(l.Rest) != 1 || l.Rest["array"] != "md127" {
		t.Errorf("%+v", l)
	}
	if l := legs[2]; !l.Last.Equal(time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC)) || len(l.Rest) != 0 {
		t.Errorf("%+v", l)
	}
	if s, takers := DataSource(legs); s != "a" || !slices.Equal(takers, []string{"z"}) {
		t.Errorf("source %q, takers %q", s, takers)
	}
	if Legs(nil) != nil || Legs(&api.ResourceStatus{}) != nil {
		t.Error("there are legs where there is no data")
	}
}

// Nobody may be called free who is not plainly a complete, synchronous copy.
func TestWhoMayBePromoted(t *testing.T) {
	leg := func(state, mode, last string) map[string]string {
		return map[string]string{"state": state, "mode": mode, "last": last}
	}
	doubt := func(d *api.DataStatus) { d.Doubtful = true }
	bad := func(d *api.DataStatus) { d.Impaired = kits.Why("datakeeper.source-bad", "…") }
	for _, x := range []struct {
		live map[string]string
		set  func(*api.DataStatus)
		want Promote
	}{
		{leg("Target, in sync", "synchronous", ""), nil, Free},
		{leg("Target, in sync", "synchronous", ""), doubt, Doubtful},
		{leg("Target, in sync", "synchronous", ""), bad, Free},
		{leg("Target, in sync", "asynchronous", ""), nil, Asynchronous},
		{leg("Target, in sync", "synchronous, writes go on alone", ""), nil, GoesOnAlone},
		{leg("Target, in sync", "", ""), nil, GoesOnAlone},
		{leg("Target, resyncing 99 %", "synchronous", ""), nil, HalfCopied},
		{leg("Target, half copied", "synchronous", ""), nil, HalfCopied},
		{leg("Target, connecting", "synchronous", "never"), nil, NeverComplete},
		{leg("Target, connecting", "synchronous", ""), nil, OutOfDate},
		{leg("Target, out of sync", "synchronous", "never"), nil, NeverComplete},
		{leg("Target, out of sync", "synchronous", ""), nil, OutOfDate},
		{leg("Target, not connected", "synchronous", ""), nil, OutOfDate},
		{leg("Target, paused", "synchronous", ""), nil, OutOfDate},
		{leg("", "", ""), nil, NotKnown},
		{leg("Source", "", ""), nil, Free},
		{leg("Source, no answer", "", ""), nil, Free},
		{leg("Source", "", ""), doubt, Doubtful},
		{leg("Source", "", ""), bad, SourceBad},
		{map[string]string{"state": "Target, in sync", "mode": "synchronous", "promote": "stale"}, nil, OutOfDate},
		{map[string]string{"state": "Target, out of sync", "promote": "yes"}, nil, Free},
	} {
		d := &api.DataStatus{Nodes: map[string]map[string]string{"n": x.live}}
		if x.set != nil {
			x.set(d)
		}
		if got := Legs(mirror(d))[0].Promote; got != x.want {
			t.Errorf("%v doubtful=%v: %q, want %q", x.live, d.Doubtful, got, x.want)
		}
	}
}
