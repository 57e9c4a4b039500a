package ec2sim

import (
	"fmt"
	"slices"
)

// SetInstanceState is an instance going on (Running), off (Stopped) or away for good (Terminated) by itself: what is
// so changes at once, what EC2 says a StateLag later.
func (s *Server) SetInstanceState(id string, to State) error {
	if to != Running && to != Stopped && to != Terminated {
		return fmt.Errorf("an instance is really running, stopped or terminated, not %q", to)
	}
	return s.edit(func(w *World) ([]Event, error) {
		i, region := w.Instance(id), w.regionOfInstance(id)
		if i == nil {
			return nil, fmt.Errorf("the world has no instance %s", id)
		}
		events := setPower(i, to)
		for n := range events {
			events[n].Region = region
		}
		now := s.clock()
		s.schedule(id, inRegion(region, id, now.Add(s.opts.StateLag), func(i *Instance) []Event {
			if to == Running && i.State != Running {
				i.Launched = now
			}
			return setState(i, to)
		}))
		return events, nil
	})
}

func (w *World) regionOfInstance(id string) string {
	for _, r := range w.Regions {
		if slices.ContainsFunc(r.Instances, func(i Instance) bool { return i.ID == id }) {
			return r.Name
		}
	}
	return ""
}

// SetStatusChecks sets the two status checks of a running instance (ok, impaired, initializing, insufficient-data).
func (s *Server) SetStatusChecks(id, system, instance string) error {
	return s.edit(func(w *World) ([]Event, error) {
		i := w.Instance(id)
		if i == nil {
			return nil, fmt.Errorf("the world has no instance %s", id)
		}
		i.SystemStatus, i.InstanceStatus = system, instance
		return nil, nil
	})
}

// SetRoute writes a route as somebody at the AWS console would, replacing what was there.
func (s *Server) SetRoute(table string, r Route) error {
	if r.Origin == "" {
		r.Origin = "CreateRoute"
	}
	return s.editTable(table, func(t *RouteTable) ([]Event, error) {
		e := Event{Kind: RouteChanged, Subject: table, Destination: r.Destination, To: r.Interface + r.Gateway}
		if have := t.Route(r.Destination); have != nil {
			e.From = have.Interface + have.Gateway
			*have = r
			return []Event{e}, nil
		}
		t.Routes = append(t.Routes, r)
		return []Event{e}, nil
	})
}

// RemoveRoute takes a route away as somebody at the AWS console would.
func (s *Server) RemoveRoute(table, destination string) error {
	return s.editTable(table, func(t *RouteTable) ([]Event, error) {
		have := t.Route(destination)
		if have == nil {
			return nil, fmt.Errorf("%s has no route to %s", table, destination)
		}
		e := Event{Kind: RouteChanged, Subject: table, Destination: destination, From: have.Interface + have.Gateway}
		t.Routes = slices.DeleteFunc(t.Routes, func(r Route) bool { return r.Destination == destination })
		return []Event{e}, nil
	})
}

// AttachInterface attaches an interface to an instance as a further one, or detaches it when instance is empty.
func (s *Server) AttachInterface(eni, instance string, deviceIndex int) error {
	return s.edit(func(w *World) ([]Event, error) {
		e := w.Interface(eni)
		if e == nil || instance != "" && w.Instance(instance) == nil {
			return nil, fmt.Errorf("the world has no interface %s or no instance %s", eni, instance)
		}
		e.Instance, e.DeviceIndex = instance, deviceIndex
		return nil, nil
	})
}

// SetSourceDestCheck switches an interface's check as somebody at the AWS console would.
func (s *Server) SetSourceDestCheck(eni string, on bool) error {
	return s.edit(func(w *World) ([]Event, error) {
		for _, r := range w.Regions {
			if e := find(r.Interfaces, func(i *Interface) bool { return i.ID == eni }); e != nil {
				events := setCheck(e, on)
				for n := range events {
					events[n].Region = r.Name
				}
				return events, nil
			}
		}
		return nil, fmt.Errorf("the world has no interface %s", eni)
	})
}

// Edit changes the world directly, for what no mutator offers. The change is neither checked nor told to the hooks.
func (s *Server) Edit(change func(w *World)) {
	_ = s.edit(func(w *World) ([]Event, error) { change(w); return nil, nil })
}

func (s *Server) editTable(id string, do func(*RouteTable) ([]Event, error)) error {
	return s.edit(func(w *World) ([]Event, error) {
		for i := range w.Regions {
			if t := find(w.Regions[i].RouteTables, func(t *RouteTable) bool { return t.ID == id }); t != nil {
				events, err := do(t)
				for n := range events {
					events[n].Region = w.Regions[i].Name
				}
				return events, err
			}
		}
		return nil, fmt.Errorf("the world has no route table %s", id)
	})
}

func (s *Server) editACL(id string, egress bool, number int, e *ACLEntry) error {
	return s.edit(func(w *World) ([]Event, error) {
		a := findIn(w, func(r *Region) *NetworkACL { return find(r.ACLs, func(a *NetworkACL) bool { return a.ID == id }) })
		if a == nil {
			return nil, fmt.Errorf("the world has no network ACL %s", id)
		}
		list := &a.In
		if egress {
			list = &a.Out
		}
		before := len(*list)
		*list = slices.DeleteFunc(*list, func(o ACLEntry) bool { return o.Number == number })
		switch {
		case e != nil:
			*list = append(*list, *e)
		case len(*list) == before:
			return nil, fmt.Errorf("%s has no entry %d", id, number)
		}
		return nil, nil
	})
}

// edit is update for the mutators, whose errors are not EC2's.
func (s *Server) edit(do func(w *World) ([]Event, error)) error {
	var failed error
	s.update(s.clock(), func(w *World) ([]Event, *apiError) {
		events, err := do(w)
		if err != nil {
			failed = fmt.Errorf("changing the simulated EC2: %w", err)
			return nil, refuse("InternalError", "%v", err)
		}
		return events, nil
	})
	s.settle()
	return failed
}
