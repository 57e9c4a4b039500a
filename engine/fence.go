package engine

import (
	"context"
	"fmt"
	"net"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// fence stops a node's instance and reports OK only once EC2 says that it is stopped.
// It is safe to repeat. Failed means that the stop was refused or cannot be asked for;
// everything else, a wait that ended too early above all, leaves it unknown.
func (e *Engine) fence(ctx context.Context, s plan.Step) kits.Report {
	srv := e.index.Load().Server(s.Node)
	if bad := e.cannotFence(s.Node, srv); bad.Code != "" {
		return kits.Report{Outcome: kits.Failed, Permanent: true, Reason: bad}
	}
	if err := e.opts.Cloud.Stop(ctx, srv.Region, srv.Instance); err != nil {
		return kits.Report{Reason: kits.Why("fence.unknown",
			fmt.Sprintf("%s (%s) is not known to be stopped: %v", s.Node, srv.Instance, err), "node", s.Node, "instance", srv.Instance)}
	}
	return kits.Report{Outcome: kits.OK, Reason: kits.Why("fence.stopped",
		fmt.Sprintf("EC2 says that %s (%s) is stopped", s.Node, srv.Instance), "node", s.Node, "instance", srv.Instance)}
}

// cannotFence is why nothing is even tried; without a code it can be.
func (e *Engine) cannotFence(node string, srv *hierarchy.Server) kits.Reason {
	switch {
	case srv == nil:
		return kits.Why("fence.no-such-server", node+" is not a server of this estate any more", "node", node)
	case srv.Instance == "":
		return kits.Why("fence.no-instance", fmt.Sprintf("the definition gives no instance for %s; add instance = \"i-…\" to its server", node), "node", node)
	case e.opts.Cloud == nil:
		return kits.Why("fence.no-cloud", "this engine has no access to EC2", "node", node)
	case e.opts.Here(srv.Address):
		return kits.Why("fence.self", fmt.Sprintf("the engine itself runs on %s and never stops that instance; run the engine elsewhere, or stop the node by hand and answer that it is off", node), "node", node)
	}
	return kits.Reason{}
}

// ownAddress tells that the address is one of this machine's.
func ownAddress(address string) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true // then better no fence than the wrong one
	}
	want := net.ParseIP(address)
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && want != nil && n.IP.Equal(want) {
			return true
		}
	}
	return false
}
