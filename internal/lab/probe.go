package lab

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// attemptTimeout is how long one attempt of a probe waits. It is below the second after which TCP repeats its first packet,
// so that an attempt tells about the moment it was made.
const attemptTimeout = 900 * time.Millisecond

// Client is a machine in a region's first subnet that uses the service.
type Client struct {
	lab *Lab
	ns  string
}

// Client is the one in the first region.
func (l *Lab) Client() *Client { return l.ClientIn(l.top.Regions[0].Name) }

// ClientIn is the client in a region.
func (l *Lab) ClientIn(region string) *Client { return &Client{lab: l, ns: ClientNS(region)} }

// Ask connects once and returns the line it is given.
func (c *Client) Ask(ctx context.Context, addr string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	if _, err := netip.ParseAddrPort(addr); err != nil {
		return "", fmt.Errorf("asking %q: %w", addr, err)
	}
	conn, err := c.lab.Dial(ctx, c.ns, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	line, err := bufio.NewReader(io.LimitReader(conn, 256)).ReadString('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(line), nil
}

// Attempt is one try of a probe.
type Attempt struct {
	Start, End time.Time
	Answer     string // who answered; empty when Err is set
	Err        error
}

// Probe asks again and again, without waiting for earlier attempts, and remembers every answer.
type Probe struct {
	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	ended    []Attempt
	underway map[time.Time]bool // by the time they began
}

// Probe starts asking addr (numeric, with port) at fixed intervals, until [Probe.Stop] or the end of ctx.
func (c *Client) Probe(ctx context.Context, addr string, every time.Duration) *Probe {
	ctx, cancel := context.WithCancel(ctx)
	p := &Probe{cancel: cancel, done: make(chan struct{}), underway: map[time.Time]bool{}}
	// Attempts end by themselves within attemptTimeout: the end of the probe cuts none short, so each says something.
	go p.loop(ctx, every, func() (string, error) { return c.Ask(context.WithoutCancel(ctx), addr) })
	return p
}

// ProbeName is Probe by name: each attempt first asks resolve where the name leads (which may remember, as resolvers do),
// then that address on port.
func (c *Client) ProbeName(ctx context.Context, resolve func(context.Context) (netip.Addr, error), port uint16, every time.Duration) *Probe {
	ctx, cancel := context.WithCancel(ctx)
	p := &Probe{cancel: cancel, done: make(chan struct{}), underway: map[time.Time]bool{}}
	go p.loop(ctx, every, func() (string, error) {
		ctx := context.WithoutCancel(ctx)
		addr, err := resolve(ctx)
		if err != nil {
			return "", err
		}
		return c.Ask(ctx, netip.AddrPortFrom(addr, port).String())
	})
	return p
}

func (p *Probe) loop(ctx context.Context, every time.Duration, ask func() (string, error)) {
	defer close(p.done)
	var wg sync.WaitGroup
	defer wg.Wait()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for ctx.Err() == nil {
		a := Attempt{Start: time.Now()}
		p.begin(a.Start)
		wg.Go(func() {
			a.Answer, a.Err = ask()
			a.End = time.Now()
			p.end(a)
		})
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

func (p *Probe) begin(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.underway[at] = true
}

func (p *Probe) end(a Attempt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.underway, a.Start)
	p.ended = append(p.ended, a)
}

// Stop ends the probe, waits for what is under way (less than a second) and returns all attempts, by the time they began.
func (p *Probe) Stop() []Attempt {
	p.cancel()
	<-p.done
	return p.Attempts()
}

// Attempts are those that began before the oldest one still under way, by the time they began: a record without holes.
func (p *Probe) Attempts() []Attempt {
	p.mu.Lock()
	defer p.mu.Unlock()
	var oldest time.Time
	for at := range p.underway {
		if oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	out := slices.Clone(p.ended)
	if !oldest.IsZero() {
		out = slices.DeleteFunc(out, func(a Attempt) bool { return a.Start.After(oldest) })
	}
	slices.SortFunc(out, func(a, b Attempt) int { return a.Start.Compare(b.Start) })
	return out
}

// WaitAnswer returns when an attempt that began after the call was answered by name ("" for anybody).
func (p *Probe) WaitAnswer(ctx context.Context, name string) error {
	return p.wait(ctx, fmt.Sprintf("an answer of %q", name), func(a Attempt) bool {
		return a.Err == nil && (name == "" || a.Answer == name)
	})
}

// WaitFailure returns when an attempt that began after the call failed.
func (p *Probe) WaitFailure(ctx context.Context) error {
	return p.wait(ctx, "a failure", func(a Attempt) bool { return a.Err != nil })
}

func (p *Probe) wait(ctx context.Context, what string, is func(Attempt) bool) error {
	from := time.Now()
	for {
		if p.seen(func(a Attempt) bool { return a.Start.After(from) && is(a) }) {
			return nil
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("waiting for %s: %w (%s)", what, err, p.last())
		}
	}
}

// seen asks of every attempt that has ended, whatever is still under way.
func (p *Probe) seen(is func(Attempt) bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.ended, is)
}

func (p *Probe) last() string {
	all := p.Attempts()
	if len(all) == 0 {
		return "no attempt ended yet"
	}
	a := all[len(all)-1]
	return fmt.Sprintf("last answer %q, last error %v", a.Answer, a.Err)
}

// Outage is a time without service, as the client saw it.
type Outage struct {
	From   time.Time     // when the first attempt that failed began
	To     time.Time     // when the first attempt that succeeded after it had its answer; zero while it lasts
	Gap    time.Duration // from when the last attempt answered before it began to To: never shorter than the real outage
	Before string        // who answered last before
	After  string        // who answered first after
	Failed int           // attempts that failed
}

// Length is To − From, or up to now while the outage lasts. The zero value has none.
func (o Outage) Length() time.Duration {
	switch {
	case o.From.IsZero():
		return 0
	case o.To.IsZero():
		return time.Since(o.From)
	}
	return o.To.Sub(o.From)
}

func (o Outage) String() string {
	return fmt.Sprintf("%v without service (%d attempts failed), %s before, %s after", o.Length().Round(time.Millisecond), o.Failed, orNobody(o.Before), orNobody(o.After))
}

func orNobody(s string) string {
	if s == "" {
		return "nobody"
	}
	return s
}

// Outages finds the times without service in attempts sorted by their beginning. An attempt that fails between two that
// succeed is one, too.
func Outages(attempts []Attempt) []Outage {
	var out []Outage
	var open *Outage
	var lastOK Attempt
	for _, a := range attempts {
		switch {
		case a.Err != nil && open == nil:
			open = &Outage{From: a.Start, Before: lastOK.Answer, Failed: 1}
		case a.Err != nil:
			open.Failed++
		default:
			if open != nil {
				open.To, open.After = a.End, a.Answer
				open.Gap = a.End.Sub(open.From)
				if !lastOK.Start.IsZero() {
					open.Gap = a.End.Sub(lastOK.Start)
				}
				out, open = append(out, *open), nil
			}
			lastOK = a
		}
	}
	if open != nil {
		out = append(out, *open)
	}
	return out
}

// Outage is the longest one in [Probe.Attempts]; the zero value when there was none. Ask after [Probe.Stop], or allow for a
// second's delay.
func (p *Probe) Outage() Outage {
	var longest Outage
	for _, o := range Outages(p.Attempts()) {
		if longest.From.IsZero() || o.Length() > longest.Length() {
			longest = o
		}
	}
	return longest
}
