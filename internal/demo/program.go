package demo

import (
	"fmt"
	"sync"

	"github.com/ferry-ha/ferry/internal/sim"
)

// units are the services that the estate's applications are.
func (d *Demo) units() []string {
	var out []string
	for _, r := range d.sim.Definition.Res {
		if r.Kit == "app" {
			out = append(out, sim.ServiceName(r))
		}
	}
	return out
}

// program is the node on which the service's program runs; empty when there is none.
func (d *Demo) program() (node string, units []string) {
	for _, name := range d.servers() {
		for _, u := range d.units() {
			if d.sim.Nodes.Node(name).Running(u) {
				node, units = name, append(units, u)
			}
		}
		if node != "" {
			return node, units
		}
	}
	return "", nil
}

// killService ends the program once. Nothing has to be mended: that is what ferry does.
func (d *Demo) killService() *Breakage {
	return &Breakage{ID: "service/kill", Kind: "kill", Group: groupService, Passing: true,
		broken: func() bool { return false },
		breaks: func() error {
			node, units := d.program()
			for _, u := range units {
				d.sim.Nodes.Node(node).Kill(u)
			}
			return nil
		},
		mends: func() error { return nil }}
}

// programFails ends the program where it runs and lets no start succeed there.
func (d *Demo) programFails() *Breakage {
	var mu sync.Mutex
	at := ""
	return &Breakage{ID: "service/start", Kind: "start", Group: groupService,
		broken: func() bool { mu.Lock(); defer mu.Unlock(); return at != "" },
		breaks: func() error {
			mu.Lock()
			defer mu.Unlock()
			node, units := d.program()
			if node == "" {
				return fmt.Errorf("the service runs nowhere at this moment")
			}
			for _, u := range units {
				d.sim.Nodes.Node(node).Break(u)
			}
			at = node
			return nil
		},
		mends: func() error {
			mu.Lock()
			defer mu.Unlock()
			for _, u := range d.units() {
				d.sim.Nodes.Node(at).Mend(u)
			}
			at = ""
			return nil
		}}
}
