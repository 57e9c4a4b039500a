package demo

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/r53sim"
)

// The client asks every askCalm while it is served, and every askKeen while it is not: an outage's end is measured
// well, and nobody pays for much writing.
const (
	askCalm = 500 * time.Millisecond
	askKeen = 100 * time.Millisecond
)

// askLimit is how long the client waits for an answer.
const askLimit = time.Second

// Probe is what a client of the service finds at this moment.
type Probe struct {
	Name    string // what it asks for: "www.example.com"
	Address string // what the name leads to; empty when it leads nowhere
	Node    string // who acknowledged its last row; empty when nobody did
	Problem string // why not
	Since   time.Time
	// Outage is how long the last one lasted that is over; 0 = there was none yet.
	Outage time.Duration
	// Served: it was served at least once.
	Served bool
	// Row is the number of the newest row that was acknowledged, Lost how many acknowledged ones were not there any more.
	Row, Lost int
}

// client uses the service by its name, from the first region, as its users do: of a database it
// is one that writes one numbered row after the other and notes what was acknowledged.
type client struct {
	sim        *sim.Sim
	zone, host string
	region     string
	port       string
	data       estateData // without a SID the service is a program that answers who it is

	mu   sync.Mutex
	last Probe
}

// of points the client at the estate's first name and its database.
func (c *client) of(s *sim.Sim, data estateData) {
	c.sim, c.data = s, data
	if len(s.Definition.Regions) > 0 {
		c.region = s.Definition.Regions[0].Name
	}
	for _, r := range s.Definition.Res {
		switch {
		case r.Kit == "route53" && c.zone == "":
			zone, _, _ := strings.Cut(r.Attrs["zone"], " ")
			c.zone, c.host = strings.TrimSuffix(zone, "."), r.Attrs["host"]
		case r.Kit == "app" && c.port == "":
			c.port = strconv.Itoa(s.Port(r.Tag))
		case r.Kit == "listener" && c.port == "":
			c.port = strconv.Itoa(s.ListenerPort(r.Tag))
		}
	}
	c.last = Probe{Name: c.host + "." + c.zone, Since: time.Now()}
}

// wrong is the address that the wrong record leads to: nobody's, by RFC 5737.
const wrong = "192.0.2.66"

func (c *client) run(ctx context.Context) {
	for {
		pause := askKeen
		if c.look(ctx) {
			pause = askCalm
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// look asks once and keeps when what it finds began; it tells whether it was served.
func (c *client) look(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	address, node, row, err := c.ask(ctx)
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.last
	if p.Node != node {
		if p.Node == "" && p.Served {
			p.Outage = now.Sub(p.Since)
		}
		p.Since = now
	}
	p.Address, p.Node, p.Problem = address, node, ""
	if err != nil {
		p.Problem = err.Error()
	}
	p.Served = p.Served || node != ""
	if row > 0 {
		p.Lost += max(0, p.Row-row+1)
		p.Row = row
	}
	c.last = p
	return node != ""
}

// ask finds who serves. A database's client writes the row after the newest one that is there: without an error it
// was acknowledged.
func (c *client) ask(ctx context.Context) (address, node string, row int, err error) {
	if address = c.resolve(); address == "" {
		return "", "", 0, errors.New("the name leads nowhere")
	}
	where := net.JoinHostPort(address, c.port)
	if c.data.sid == "" {
		node, err = c.sim.Ask(c.region, where)
		return address, node, 0, err
	}
	s, err := c.sim.ConnectDatabase(ctx, c.region, where, c.data.sid)
	if err == nil {
		row, err = s.Newest(ctx)
	}
	if err == nil {
		row++
		err = s.Commit(ctx, row)
	}
	if err != nil {
		return address, "", 0, err
	}
	return address, s.Node, row, nil
}

// resolve asks a name server that has what Route 53 calls INSYNC.
func (c *client) resolve() string {
	for _, z := range c.sim.Route53.Served(r53sim.View{}) {
		if strings.TrimSuffix(z.Name, ".") != c.zone {
			continue
		}
		if values, _ := z.Resolve(c.host+"."+c.zone+".", "A"); len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

// Probe is what a client finds at this moment.
func (d *Demo) Probe() Probe {
	d.client.mu.Lock()
	defer d.client.mu.Unlock()
	return d.client.last
}

// addressOn is the virtual IP of the estate's IP resource on a node.
func (d *Demo) addressOn(node string) string {
	x := hierarchy.NewIndex(d.sim.Definition)
	for _, r := range d.sim.Definition.Res {
		if r.Kit == "ip" {
			return hierarchy.InstanceOf(x, r.Tag, node, "").Attrs["address"]
		}
	}
	return ""
}
