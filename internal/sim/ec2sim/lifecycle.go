package ec2sim

import "time"

type stateChange struct {
	id            string
	before, after State
	// then is what will follow by itself; its do is nil when nothing will.
	then transition
}

func stopInstances(c *call) ([]element, *apiError) {
	return c.changeStates(stop)
}

func startInstances(c *call) ([]element, *apiError) {
	return c.changeStates(start)
}

// changeStates does one thing to all instances of a call, or to none when one of them refuses.
func (c *call) changeStates(do func(c *call, i *Instance, region string) (stateChange, []Event, *apiError)) ([]element, *apiError) {
	ids := c.params.list("InstanceId")
	if len(ids) == 0 {
		return nil, missing("instanceId")
	}
	var changes []stateChange
	refused := c.change(func(sc scope) ([]Event, *apiError) {
		var all []Event
		if _, refused := sc.pickInstances(ids); refused != nil {
			return nil, refused
		}
		for _, id := range ids {
			i := sc.instance(id)
			before := i.State
			x, events, refused := do(c, i, sc.r.Name)
			if refused != nil {
				return nil, refused
			}
			x.id, x.before = id, before
			changes, all = append(changes, x), append(all, events...)
		}
		c.scheduleAll(changes)
		return all, nil
	})
	if refused == nil {
		c.s.settle() // with timings of zero the new state is there for the next read
	}
	return []element{set("instancesSet", changes, func(x stateChange) []element {
		return []element{
			leaf("instanceId", x.id), branch("currentState", stateXML(x.after)...), branch("previousState", stateXML(x.before)...),
		}
	})}, refused
}

// scheduleAll plans what follows the changes. The server's lock is held.
func (c *call) scheduleAll(changes []stateChange) {
	for _, x := range changes {
		if x.then.do != nil && !c.params.on("DryRun") {
			c.s.schedule(x.id, x.then)
		}
	}
}

// stop begins to stop an instance. Only SkipOsShutdown pulls the plug at once: Force asks the guest politely first.
func stop(c *call, i *Instance, region string) (stateChange, []Event, *apiError) {
	skip, force := c.params.on("SkipOsShutdown"), c.params.on("Force")
	switch {
	case i.State == Stopped, i.State == Stopping && !skip && !force:
		return stateChange{after: i.State}, nil, nil
	case i.State != Running && i.State != Stopping:
		return stateChange{}, nil, refuse("IncorrectInstanceState", "This instance '%s' is not in a state from which it can be stopped.", i.ID)
	}
	events, timings := setState(i, Stopping), c.s.opts.Timings
	wait := timings.Stop
	if force {
		wait = timings.ForceStop
	}
	if skip {
		wait = timings.SkipOS
		events = append(events, setPower(i, Stopped)...)
	}
	then := inRegion(region, i.ID, c.at.Add(wait), func(i *Instance) []Event {
		return append(setPower(i, Stopped), setState(i, Stopped)...)
	})
	return stateChange{after: Stopping, then: then}, events, nil
}

func start(c *call, i *Instance, region string) (stateChange, []Event, *apiError) {
	switch {
	case i.State == Running || i.State == Pending:
		return stateChange{after: i.State}, nil, nil
	case i.State != Stopped:
		return stateChange{}, nil, refuse("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be started.", i.ID)
	}
	i.Launched = c.at
	events := append(setState(i, Pending), setPower(i, Running)...)
	then := inRegion(region, i.ID, c.at.Add(c.s.opts.Timings.Start), func(i *Instance) []Event { return setState(i, Running) })
	return stateChange{after: Pending, then: then}, events, nil
}

// inRegion is a transition of one instance; events carry the region's name.
func inRegion(region, id string, at time.Time, do func(*Instance) []Event) transition {
	return transition{at: at, do: func(w *World) []Event {
		i := w.Instance(id)
		if i == nil {
			return nil
		}
		events := do(i)
		for n := range events {
			events[n].Region = region
		}
		return events
	}}
}

// setState changes what EC2 says.
func setState(i *Instance, to State) []Event {
	if i.State == to {
		return nil
	}
	from := i.State
	i.State = to
	return []Event{{Kind: StateChanged, Subject: i.ID, From: string(from), To: string(to)}}
}

// setPower changes what is so.
func setPower(i *Instance, to State) []Event {
	if i.Actual == to {
		return nil
	}
	from := i.Actual
	i.Actual = to
	return []Event{{Kind: PowerChanged, Subject: i.ID, From: string(from), To: string(to)}}
}
