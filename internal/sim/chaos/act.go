package chaos

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
)

// deed is what an event does. Arguments that do not fit, a node that a smaller estate
// does not have any more, make it do nothing.
type deed func(w *stack, a []string)

// deeds are all events by name, with their arguments:
//
//	power-off N, power-on N, reboot N, shutdown N (in good order), hang N, resume N, disk-full N, disk-free N
//	cut A B, join A B (also "engine"), isolate A, rejoin A, cut-regions R S, join-regions
//	kill N RES, break N RES, mend N RES, by-hand N RES
//	script N RES start|stop|check fails|hangs|slow|unknown
//	ec2 WHAT ACTION, ec2-well, ec2-lag D
//	r53 WHAT ACTION, r53-well, r53-lag D
//	kill-engine D, kill-engine-at COMMITS before|after D, stall D, depose D (D: until the next one, or the end)
//	store-full, store-free
//	tunnel N cut|join|block|allow|change-key|restore-key, ipsec N kill|stop|freeze|thaw|break|mend|flush
//	submit GOAL RES N|- confirm|plain, answer KIND BY newest|oldest
var deeds = map[string]deed{
	"power-off": onNode(func(w *stack, n *nodesim.Node) { _ = w.sim.PowerOff(n.Name()) }),
	"power-on":  onNode(func(w *stack, n *nodesim.Node) { w.powerOn(n.Name()) }),
	"reboot":    onNode(func(w *stack, n *nodesim.Node) { n.PowerOff(); n.PowerOn() }),
	"shutdown":  onNode(func(w *stack, n *nodesim.Node) { w.shutdown(n) }),
	"hang":      onNode(func(w *stack, n *nodesim.Node) { w.mark(func(e *eyes) { e.hung[n.Name()] = true }); n.Hang() }),
	"resume":    onNode(func(w *stack, n *nodesim.Node) { w.mark(func(e *eyes) { e.hung[n.Name()] = false }); n.Resume() }),
	"disk-full": onNode(func(w *stack, n *nodesim.Node) {
		w.mark(func(e *eyes) { e.full[n.Name()] = true })
		n.SetDiskFull(true)
	}),
	"disk-free": onNode(func(w *stack, n *nodesim.Node) {
		w.mark(func(e *eyes) { e.full[n.Name()] = false })
		n.SetDiskFull(false)
	}),

	"cut":          func(w *stack, a []string) { w.cut(a, true) },
	"join":         func(w *stack, a []string) { w.cut(a, false) },
	"isolate":      func(w *stack, a []string) { w.isolate(a, true) },
	"rejoin":       func(w *stack, a []string) { w.isolate(a, false) },
	"cut-regions":  func(w *stack, a []string) { w.cutRegions(a) },
	"join-regions": func(w *stack, _ []string) { w.joinRegions() },

	"kill":    onPlace(func(w *stack, n *nodesim.Node, r *Resource) { w.kill(n, r, false) }),
	"break":   onPlace(func(w *stack, n *nodesim.Node, r *Resource) { w.kill(n, r, true) }),
	"mend":    onPlace(func(w *stack, n *nodesim.Node, r *Resource) { w.mend(n, r) }),
	"by-hand": onPlace(func(w *stack, n *nodesim.Node, r *Resource) { w.byHand(n, r) }),
	"script":  func(w *stack, a []string) { w.script(a) },

	"ec2":      func(w *stack, a []string) { w.ec2(a) },
	"ec2-well": func(w *stack, _ []string) { w.ec2Well() },
	"ec2-lag":  func(w *stack, a []string) { w.sim.EC2.SetStateLag(duration(a, 0)) },

	"r53":      func(w *stack, a []string) { w.r53(a) },
	"r53-well": func(w *stack, _ []string) { w.r53Well() },
	"r53-lag":  func(w *stack, a []string) { w.sim.Route53.SetSyncLag(duration(a, 0)) },

	"kill-engine":    func(w *stack, a []string) { w.killEngine(duration(a, 0)) },
	"kill-engine-at": func(w *stack, a []string) { w.killEngineAt(a) },
	"stall":          func(w *stack, a []string) { w.stall(duration(a, 0)) },
	"depose":         func(w *stack, a []string) { w.depose(duration(a, 0)) },
	"store-full":     func(w *stack, _ []string) { w.disk.Fill(true) },
	"store-free":     func(w *stack, _ []string) { w.disk.Fill(false) },

	"tunnel": onTunnel,
	"ipsec": func(w *stack, a []string) {
		if n := w.sim.Nodes.Node(arg(a, 0)); n != nil {
			onIPsec(w, n, arg(a, 1))
		}
	},

	"submit": func(w *stack, a []string) { w.submit(a) },
	"answer": func(w *stack, a []string) { w.answer(a) },
}

// arg is the i-th argument, empty when it is not there.
func arg(a []string, i int) string {
	if i < len(a) {
		return a[i]
	}
	return ""
}

func duration(a []string, i int) time.Duration {
	d, _ := time.ParseDuration(arg(a, i)) // nothing said: at once
	return d
}

func onNode(do func(*stack, *nodesim.Node)) deed {
	return func(w *stack, a []string) {
		if n := w.sim.Nodes.Node(arg(a, 0)); n != nil {
			do(w, n)
		}
	}
}

func onPlace(do func(*stack, *nodesim.Node, *Resource)) deed {
	return func(w *stack, a []string) {
		n, r := w.sim.Nodes.Node(arg(a, 0)), w.sc.Shape.find(arg(a, 1))
		if n != nil && r != nil {
			do(w, n, r)
		}
	}
}

// mark notes what the scenario did.
func (w *stack) mark(f func(*eyes)) {
	w.eyes.mu.Lock()
	defer w.eyes.mu.Unlock()
	f(w.eyes)
}

func (w *stack) powerOn(node string) {
	w.mark(func(e *eyes) { e.hung[node] = false })
	_ = w.sim.PowerOn(node) // a node that is no server cannot be named here
}

// holdUp is how long a node may be kept from going down: two minutes, SPEC 6's good
// order as the stop hook promises it, and what its last commands take.
const holdUp = 130 * time.Second

// shutdown shuts a node down in good order, which goes on while other things happen.
func (w *stack) shutdown(n *nodesim.Node) {
	if !n.Powered() || w.someLeave(n.Name()) {
		return
	}
	w.mark(func(e *eyes) { e.leaves(n.Name()) })
	go func() {
		n.Shutdown()
		if !n.Powered() { // else somebody pulled the plug before and put it back in
			_ = w.sim.PowerOff(n.Name()) // EC2 sees it, too
		}
		w.mark(func(e *eyes) { e.gone(n.Name()) })
	}()
}

// someLeave tells whether one of the nodes, or any, is going down in good order.
func (w *stack) someLeave(nodes ...string) bool {
	w.eyes.mu.Lock()
	defer w.eyes.mu.Unlock()
	if len(nodes) == 0 {
		return len(w.eyes.leaving) > 0
	}
	return slices.ContainsFunc(nodes, func(n string) bool { return !w.eyes.leaving[n].IsZero() })
}

func (w *stack) known(name string) bool {
	return name == nodesim.Engine || w.sim.Nodes.Node(name) != nil
}

func (w *stack) cut(a []string, cut bool) {
	x, y := arg(a, 0), arg(a, 1)
	if !w.known(x) || !w.known(y) || x == y {
		return
	}
	w.mark(func(e *eyes) { e.cuts[pair(x, y)] = cut })
	if cut {
		w.sim.Nodes.Cut(x, y)
	} else {
		w.sim.Nodes.Heal(x, y)
	}
}

func (w *stack) isolate(a []string, cut bool) {
	x := arg(a, 0)
	if !w.known(x) {
		return
	}
	w.mark(func(e *eyes) { e.isolated[x] = cut })
	if cut {
		w.sim.Nodes.CutNode(x)
	} else {
		w.sim.Nodes.HealNode(x)
	}
}

func (w *stack) cutRegions(a []string) {
	for _, x := range w.sc.Shape.Nodes {
		for _, y := range w.sc.Shape.Nodes {
			if x.Region == arg(a, 0) && y.Region == arg(a, 1) {
				w.cut([]string{x.Name, y.Name}, true)
			}
		}
	}
}

func (w *stack) joinRegions() {
	for _, x := range w.sc.Shape.Nodes {
		for _, y := range w.sc.Shape.Nodes {
			if x.Region < y.Region {
				w.cut([]string{x.Name, y.Name}, false)
			}
		}
	}
}

// byOwnHand does something to a resource on a node as an administrator or an accident would.
func (w *stack) byOwnHand(n *nodesim.Node, r *Resource, do func()) {
	p := place{r.Name, n.Name()}
	w.mark(func(e *eyes) { e.hand[p], e.fault[p] = true, time.Now() })
	do()
	w.mark(func(e *eyes) { delete(e.hand, p) })
}

// exec runs a command on the node unless nothing can run there now.
func (w *stack) exec(n *nodesim.Node, command string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = n.Exec(ctx, command) // what it came to is seen
}

func (w *stack) kill(n *nodesim.Node, r *Resource, broken bool) {
	w.byOwnHand(n, r, func() {
		switch {
		case r.Kit == "app" && broken:
			n.Break(r.Name)
		case r.Kit == "app":
			n.Kill(r.Name)
		case r.Kit == "ip" && broken:
			w.cable(n, false)
		case r.Kit == "ip" && n.Powered():
			w.exec(n, "ip addr del "+w.address(r, n.Name())+"/32 dev eth0")
		case r.Kit == "ec2":
			w.steal(r, n.Name())
		case r.Kit == "route53":
			w.rename(r)
		}
	})
}

func (w *stack) address(r *Resource, node string) string { return w.sc.Shape.virtual(r, node) }

// ipOf is the address whose routes an ec2 resource keeps, or that a name leads to.
func (w *stack) ipOf(r *Resource) *Resource { return w.sc.Shape.ipBelow(r) }

// steal turns a node's region's route to another node, as somebody at the AWS console might.
func (w *stack) steal(r *Resource, node string) {
	region := w.sc.Shape.regionOf(node)
	for _, n := range w.sc.Shape.Nodes {
		if n.Region == region && n.Name != node {
			_ = w.sim.EC2.SetRoute("rtb-"+region, ec2sim.Route{Destination: w.address(w.ipOf(r), node) + "/32", Interface: "eni-" + n.Name})
			return
		}
	}
}

// mend makes the resource able to work there again; it starts nothing.
func (w *stack) mend(n *nodesim.Node, r *Resource) {
	p := place{r.Name, n.Name()}
	switch r.Kit {
	case "app":
		w.mark(func(e *eyes) { e.lying[p] = false })
		n.Mend(r.Name)
		for what, command := range plain(r.Name) {
			_ = n.WriteFile(scriptPath(r.Name, what), "#!/bin/sh\n"+command+"\n", true)
		}
	case "ip":
		w.cable(n, true)
	}
}

// cable pulls a node's cable or plugs it in, which every address on it feels; ssh does
// not, see nodesim.
func (w *stack) cable(n *nodesim.Node, in bool) {
	_ = n.SetCable("eth0", in)
	w.mark(func(e *eyes) {
		for _, r := range e.shape.Resources {
			if r.Kit == "ip" {
				e.lying[place{r.Name, n.Name()}] = !in
			}
		}
	})
}

// plain are the commands of an application that works.
func plain(service string) map[string]string {
	return map[string]string{"start": "systemctl start " + service, "stop": "systemctl stop " + service, "check": "systemctl is-active --quiet " + service}
}

func (w *stack) byHand(n *nodesim.Node, r *Resource) {
	if !n.Powered() {
		return
	}
	w.byOwnHand(n, r, func() {
		switch r.Kit {
		case "app":
			w.exec(n, "systemctl start "+r.Name)
		case "ip":
			w.exec(n, "ip addr add "+w.address(r, n.Name())+"/32 dev eth0")
		}
	})
}

// script makes one of an application's scripts on one node go wrong.
func (w *stack) script(a []string) {
	n, r, what := w.sim.Nodes.Node(arg(a, 0)), w.sc.Shape.find(arg(a, 1)), arg(a, 2)
	if n == nil || r == nil || r.Kit != "app" || plain(r.Name)[what] == "" {
		return
	}
	text := plain(r.Name)[what]
	switch arg(a, 3) {
	case "fails":
		text = "exit 1"
		w.mark(func(e *eyes) { e.lying[place{r.Name, n.Name()}] = what == "check" })
	case "hangs":
		text = "sleep 600"
	case "slow":
		text = "sleep 6; " + text
	case "unknown":
		text = "exit 124"
	}
	_ = n.WriteFile(scriptPath(r.Name, what), "#!/bin/sh\n"+text+"\n", true)
}

// ec2 makes calls go wrong until ec2-well.
func (w *stack) ec2(a []string) {
	f := ec2sim.Fault{Action: arg(a, 1)}
	if f.Action == "*" {
		f.Action = ""
	}
	switch arg(a, 0) {
	case "throttle":
		f.Code = "RequestLimitExceeded"
	case "error":
		f.Code, f.Status = "InternalError", 500
	case "hang":
		f.Hang = true
	case "empty":
		f.Empty = true
	case "stale":
		f.Stale, f.Action = 30*time.Second, "DescribeRouteTables"
	case "drop":
		f.DropAfter = true
	case "unreachable":
		f.Unreachable = true
	}
	if f.Empty || f.Stale > 0 {
		w.mark(func(e *eyes) { e.cloudLies = true })
	}
	w.faults = append(w.faults, w.sim.EC2.Inject(f))
}

func (w *stack) ec2Well() {
	for _, remove := range w.faults {
		remove()
	}
	w.faults = nil
	w.mark(func(e *eyes) { e.cloudLies = false })
}

// routed is the node to which a region's route for the ec2 resource's address points.
func (w *stack) routed(r *Resource, node string) string {
	world := w.sim.EC2.Snapshot()
	region := w.sc.Shape.regionOf(node)
	t := world.Table(sim.TableOf(*w.sim.Definition.Region(region)))
	if t == nil {
		return ""
	}
	for _, route := range t.Routes {
		if route.Destination == w.address(w.ipOf(r), node)+"/32" && len(route.Interface) > len("eni-") {
			return route.Interface[len("eni-"):]
		}
	}
	return ""
}

func (w *stack) killEngine(next time.Duration) {
	if w.proc != nil {
		w.proc.crash()
		w.proc = nil
	}
	w.restart = time.Now().Add(next)
}

func (w *stack) killEngineAt(a []string) {
	n, err := strconv.Atoi(arg(a, 0))
	if err != nil || w.proc == nil {
		return
	}
	w.proc.store.dieAt(n, arg(a, 1) == "after")
	w.nextAfter = duration(a, 2)
}

func (w *stack) stall(d time.Duration) {
	if w.proc != nil {
		w.proc.store.stall(d)
	}
}

// depose lets a second engine take the lead while the first does not know it yet.
func (w *stack) depose(d time.Duration) {
	if w.proc == nil {
		return
	}
	w.disk.Depose()
	w.old = append(w.old, w.proc)
	w.oldUntil = time.Now().Add(d)
	w.proc, w.restart = nil, time.Now()
}
