package main

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/examples"
	"github.com/ferry-ha/ferry/kits"
)

// examined is the fake engine with a doctor: it judges, with the real checks, two VPN nodes of the example that were asked one
// question each. One of them passes no packets on.
type examined struct {
	*fake
	reg kits.Registry
}

func (e examined) Examine(_ context.Context, q api.Examination) (*api.Diagnosis, error) {
	estate, err := config.Load(strings.NewReader(examples.CrossRegion), "cross-region.toml", e.reg)
	if err != nil {
		return nil, err
	}
	ask := []doctor.Question{{Verb: "first", About: "/proc/sys/net/ipv4/ip_forward"}}
	said := func(text string) *doctor.Facts {
		f := doctor.Read(ask, kits.Result{Stdout: text}, clock, clock)
		return &f
	}
	all := doctor.Examine(doctor.Case{Index: hierarchy.NewIndexFor(estate, e.reg),
		Nodes: map[string]*doctor.Facts{"VPN_P_A": said("@0 0\n@end\n"), "VPN_P_B": said("@0 1\n@end\n")}})
	all = slices.DeleteFunc(all, func(f doctor.Finding) bool { return !slices.Contains(q.Checks, f.Check) })
	return &api.Diagnosis{At: clock, Took: 1154 * time.Millisecond, Trips: 2, Findings: all}, nil
}

func (examined) Mend(context.Context, api.Mending) (*api.Mended, error) {
	return nil, &api.Error{Kind: api.KindFailed, Message: "nothing is mended here"}
}

// examinedDeps is the wiring with that engine.
func examinedDeps(getenv func(string) string) deps {
	d := fakeDeps(getenv)
	d.dial = func(context.Context, string) (api.Service, error) {
		return examined{newFake(getenv), d.registry()}, nil
	}
	return d
}

// adoptWords are what a survey needs to log in to the nodes of the lost estate.
func adoptWords(dir string) string {
	return " --user root --identity " + filepath.Join(dir, "key") + " --known-hosts " + filepath.Join(dir, "known_hosts")
}
