// Package vpc joins a lab to a simulated EC2: the lab's routers follow the endpoint's route tables, source/dest checks follow
// the interfaces' attribute, and power goes both ways: a guest whose instance is stopped through the API loses power, and
// EC2 learns of a guest that lost power as late as the endpoint's StateLag says.
//
// Interfaces are matched to guests by their private address, so the two descriptions need not agree on ids.
package vpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/internal/lab"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
)

// hookTimeout bounds what one change in EC2 does in the lab; it takes some ten milliseconds.
const hookTimeout = 20 * time.Second

// Link is a lab that follows an endpoint.
type Link struct {
	lab *lab.Lab
	ec2 *ec2sim.Server
	log *slog.Logger

	mu     sync.Mutex // also keeps changes in their order
	closed bool
	err    error // first change that could not be carried into the lab
}

// Follow brings the lab to what the endpoint's world says and keeps it there. Changes made by an API call are in force in the
// lab before the call is answered. Close the link before the lab is reset for the next test.
func Follow(ctx context.Context, l *lab.Lab, ec2 *ec2sim.Server, log *slog.Logger) (*Link, error) {
	k := &Link{lab: l, ec2: ec2, log: log}
	w := ec2.Snapshot()
	if err := errors.Join(k.routes(ctx, &w), k.checks(ctx, &w), k.power(ctx, &w)); err != nil {
		return nil, fmt.Errorf("following the simulated EC2: %w", err)
	}
	ec2.OnChange(k.changed)
	return k, nil
}

// Close ends the following, and says whether any change could not be carried into the lab.
func (k *Link) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	return k.err
}

// changed carries one change into the lab.
func (k *Link) changed(e ec2sim.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), hookTimeout)
	defer cancel()
	w := k.ec2.Snapshot()
	var err error
	switch e.Kind {
	case ec2sim.RouteChanged, ec2sim.StateChanged: // a stopped instance makes routes blackholes
		err = k.routes(ctx, &w)
	case ec2sim.CheckChanged:
		err = k.checks(ctx, &w)
	case ec2sim.PowerChanged:
		err = k.power(ctx, &w)
	}
	if err != nil {
		k.log.Error("carrying a change of the simulated EC2 into the lab", "kind", string(e.Kind), "subject", e.Subject, "error", err)
		k.err = errors.Join(k.err, err)
	}
}

// routes gives every router its region's tables.
func (k *Link) routes(ctx context.Context, w *ec2sim.World) error {
	for _, lr := range k.lab.Topology().Regions {
		r := w.Region(lr.Name)
		if r == nil {
			return fmt.Errorf("the simulated EC2 has no region %s", lr.Name)
		}
		tables, err := k.tables(w, r)
		if err != nil {
			return fmt.Errorf("route tables of %s: %w", r.Name, err)
		}
		if err := k.lab.SetTables(ctx, r.Name, tables); err != nil {
			return err
		}
	}
	return nil
}

// tables are a region's tables in the lab's words. A table that is neither the main one nor associated carries no packets.
func (k *Link) tables(w *ec2sim.World, r *ec2sim.Region) ([]lab.Table, error) {
	var out []lab.Table
	for _, t := range r.RouteTables {
		if !t.Main && len(t.Subnets) == 0 {
			continue
		}
		var lt lab.Table
		for _, id := range t.Subnets {
			for _, s := range r.Subnets {
				if s.ID != id {
					continue
				}
				p, err := netip.ParsePrefix(s.CIDR)
				if err != nil {
					return nil, err
				}
				lt.Subnets = append(lt.Subnets, p)
			}
		}
		for _, rt := range t.Routes {
			if rt.Interface == "" { // local, or a gateway that the lab has not
				continue
			}
			dest, err := netip.ParsePrefix(rt.Destination)
			if err != nil {
				return nil, err
			}
			lt.Routes = append(lt.Routes, k.route(w, dest, rt.Interface))
		}
		if t.Main && len(lt.Subnets) > 0 { // associated in so many words, and the fallback of the others as well
			out = append(out, lab.Table{Routes: lt.Routes})
		}
		out = append(out, lt)
	}
	return out, nil
}

// route is a route to an interface: to its guest, if the lab has one there, and to nothing where EC2 knows it stopped.
func (k *Link) route(w *ec2sim.World, dest netip.Prefix, eni string) lab.Route {
	out := lab.Route{Dest: dest, ENI: eni}
	i := w.Interface(eni)
	if i == nil {
		out.Blackhole = true
		return out
	}
	if in := w.Instance(i.Instance); in == nil || in.State == ec2sim.Stopped || in.State == ec2sim.Terminated {
		out.Blackhole = true
	}
	if g := k.guest(i); g != nil {
		out.ENI = g.Spec().ENI
	}
	return out
}

// guest is the one at an interface's address, if any.
func (k *Link) guest(i *ec2sim.Interface) *lab.Guest {
	for _, g := range k.lab.Guests() {
		if g.Addr().String() == i.PrivateIP {
			return g
		}
	}
	return nil
}

// each goes through the guests that the world has an interface for.
func (k *Link) each(w *ec2sim.World, do func(*lab.Guest, *ec2sim.Interface) error) error {
	var errs []error
	for r := range w.Regions {
		for i := range w.Regions[r].Interfaces {
			if g := k.guest(&w.Regions[r].Interfaces[i]); g != nil {
				errs = append(errs, do(g, &w.Regions[r].Interfaces[i]))
			}
		}
	}
	return errors.Join(errs...)
}

func (k *Link) checks(ctx context.Context, w *ec2sim.World) error {
	return k.each(w, func(g *lab.Guest, i *ec2sim.Interface) error {
		return k.lab.SetSourceDestCheck(ctx, g.Name(), i.SourceDestCheck)
	})
}

// power brings guests to what their instances really are.
func (k *Link) power(ctx context.Context, w *ec2sim.World) error {
	return k.each(w, func(g *lab.Guest, i *ec2sim.Interface) error {
		in := w.Instance(i.Instance)
		switch {
		case in == nil:
			return nil
		case in.Actual == ec2sim.Running:
			return g.PowerOn(ctx)
		default:
			return g.PowerOff(ctx)
		}
	})
}

// PowerOff pulls a guest's plug. EC2 goes on saying "running" for its StateLag.
func (k *Link) PowerOff(ctx context.Context, name string) error {
	if err := k.lab.Guest(name).PowerOff(ctx); err != nil {
		return err
	}
	return k.tell(name, ec2sim.Stopped)
}

// PowerOn gives a guest its power back; see [lab.Guest.WaitSSH].
func (k *Link) PowerOn(ctx context.Context, name string) error {
	if err := k.lab.Guest(name).PowerOn(ctx); err != nil {
		return err
	}
	return k.tell(name, ec2sim.Running)
}

func (k *Link) tell(name string, state ec2sim.State) error {
	w := k.ec2.Snapshot()
	told := false
	err := k.each(&w, func(g *lab.Guest, i *ec2sim.Interface) error {
		if g.Name() != name || told {
			return nil
		}
		told = true
		return k.ec2.SetInstanceState(i.Instance, state)
	})
	if err == nil && !told {
		err = errors.New("the simulated EC2 has no interface with its address")
	}
	if err != nil {
		return fmt.Errorf("telling the simulated EC2 that %s is %s: %w", name, state, err)
	}
	return nil
}
