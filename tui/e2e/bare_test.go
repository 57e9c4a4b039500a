package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/examples"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/account"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
)

// service are the servers of a bare estate.
var service = []string{"LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B"}

// postgresDisks are the data disks of the nodes, not all of one name.
var postgresDisks = map[string]string{"LK_P_A": "nvme1n1", "LK_P_B": "nvme1n1", "LK_S_A": "sdb", "LK_S_B": "nvme1n1"}

// bareEstate is the four service nodes of the seed with the name and the address that
// clients use, none of it in service, and nothing else: what a wizard makes is the first of
// its kind. All nodes reach each other.
func bareEstate(t *testing.T) *hierarchy.Estate {
	t.Helper()
	e, err := config.Load(strings.NewReader(examples.CrossRegion), "examples/cross-region.toml", registry(account.Account{}))
	if err != nil {
		t.Fatal(err)
	}
	e.Servers, e.Cluster = e.Servers[:len(service)], e.Cluster[:1]
	for i := range e.Servers {
		e.Servers[i].Tuning["LCMHBEATTIME"], e.Servers[i].Tuning["LKCHECKINTERVAL"] = "1", "5"
	}
	var names []hierarchy.Resource
	for _, r := range e.Res {
		if r.Cluster == "service" && r.Kit != "app" {
			names = append(names, r)
		}
	}
	e.Res = names
	return e
}

// bareWorld brings it up behind a socket, in real time. prepare puts things on the nodes
// before anybody looks.
func bareWorld(t *testing.T, prepare func(nodes *nodesim.World) error) *desked {
	t.Helper()
	s, err := sim.New(bareEstate(t), sim.Options{Nodes: nodesim.Options{CommandTime: 5 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := prepare(s.Nodes); err != nil {
		t.Fatal(err)
	}
	aws := account.New(s)
	e, err := engine.Open(t.Context(), engine.Options{
		Store: store.NewDisk().Open(), Kits: registry(aws), Cloud: aws, Nodes: s.Nodes.DialContext,
		Who: "test@host (1)", Automation: true, Version: "test", Here: func(string) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := e.Apply(t.Context(), api.Apply{Estate: s.Definition, By: "anna"}); err != nil {
		t.Fatal(err)
	}
	d := serveDesk(t, api.As(e, api.Caller{Who: "anna", Role: api.Administrator}))
	d.bare = s
	return d
}
