package main

import (
	"context"
	"encoding/json"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine/adopt"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/fleet"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/examples"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/kits"
)

// adoptScene is a simulated estate whose engine is lost, as FERRY_FAKE_ADOPT says:
// gone, alive (its heartbeat was a moment ago), nocopy, mixed (LK_S_B belongs to
// another estate). Its keys lie in FERRY_FAKE_KEYS. It comes up at the first connection.
func adoptScene(getenv func(string) string, reg func() kits.Registry) fleet.Dialer {
	world := sync.OnceValue(func() *sim.Sim { return lostEstate(getenv, reg()) })
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		return world().Nodes.DialContext(ctx, network, addr)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func lostEstate(getenv func(string) string, reg kits.Registry) *sim.Sim {
	s := must(sim.New(must(config.Load(strings.NewReader(examples.CrossRegion), "cross-region.toml", reg)), sim.Options{Dir: getenv("FERRY_FAKE_KEYS")}))
	write := func(node, file, text string) {
		if err := s.Nodes.Node(node).WriteFile("/var/lib/ferry/"+file, text, false); err != nil {
			panic(err)
		}
	}
	for _, node := range []string{"LK_P_B", "LK_S_A", "LK_S_B"} {
		id, name, epoch := "e1", "cross-region", uint64(4)
		if getenv("FERRY_FAKE_ADOPT") == "mixed" && node == "LK_S_B" {
			id, name, epoch = "e2", "osaka", 9
		}
		write(node, "record", "estate="+id+"\nengine=a1\nepoch=4\nleader=root@bastion (7)\nsince=2026-03-01T08:00:00Z\n")
		if getenv("FERRY_FAKE_ADOPT") == "nocopy" {
			continue
		}
		def := *s.Definition
		def.Name = name
		c := adopt.Copy{Version: adopt.Version, Estate: id, Engine: "a1", Epoch: epoch, Serial: 12, At: clock.Add(-time.Hour), Who: "root@bastion (7)",
			Since: clock.Add(-9 * time.Hour), Definition: &def, Entities: map[string]json.RawMessage{
				"claim/service/www": must(json.Marshal(hierarchy.Claim{Number: 3, Node: "LK_P_A", At: clock, By: "anna"}))}}
		write(node, "copy", string(must(c.Encode())))
	}
	write("LK_P_B", "claims", "claim service/www 5\n")
	if getenv("FERRY_FAKE_ADOPT") == "alive" {
		write("LK_S_A", "beat", "beat a1\n")
	}
	if err := s.Nodes.Node("LK_P_A").ReplaceHostKey(); err != nil {
		panic(err)
	}
	return s
}
