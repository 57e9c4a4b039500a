package r53sim

import (
	"context"
	"net/http"
	"time"
)

// perform lets the fault strike, if there is one, and runs the action.
func (s *Server) perform(ctx context.Context, c *call) *apiError {
	if c.fault = s.faultFor(c); c.fault != nil {
		if refused := c.strike(ctx); refused != nil {
			return refused
		}
	}
	s.settle()
	out, refused := c.run()
	s.settle()
	c.out = out
	return refused
}

// strike applies what a fault does before the action runs.
func (c *call) strike(ctx context.Context) *apiError {
	f := c.fault
	if f.Delay > 0 || f.Hang {
		c.hold(ctx, f.Hang, f.Delay)
	}
	if f.Unreachable {
		c.drop()
	}
	if f.Code == "" {
		return nil
	}
	refused := refuse(f.Code, "%s", f.Message)
	refused.list = []string{f.Message}
	if f.Status != 0 {
		refused.status = f.Status
	}
	return refused
}

// hold keeps the caller waiting; when the caller leaves first, nothing happens any more.
func (c *call) hold(ctx context.Context, forEver bool, d time.Duration) {
	var timer <-chan time.Time
	if !forEver {
		t := time.NewTimer(d)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-timer:
	case <-c.fault.removed:
	case <-c.s.closed:
		c.drop()
	case <-ctx.Done():
		c.drop()
	}
}

// drop ends the connection without an answer, net/http's way.
func (c *call) drop() {
	c.dropped = true
	panic(http.ErrAbortHandler)
}

// reply writes the answer, or keeps it from the caller when the fault says so.
func (c *call) reply(ctx context.Context, w http.ResponseWriter, refused *apiError) {
	if c.fault != nil && c.fault.HangAfter {
		c.hold(ctx, true, 0)
		c.drop()
	}
	if c.fault != nil && c.fault.DropAfter {
		c.drop()
	}
	for name, values := range c.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("X-Amzn-Requestid", c.requestID)
	w.Header().Set("Date", c.at.UTC().Format(http.TimeFormat))
	status, doc := max(c.out.status, http.StatusOK), []byte(nil)
	if refused != nil {
		status, doc = refused.status, refusal(refused, c.requestID, c.s.options().LegacyErrors)
	} else {
		doc = document(c.out.root)
	}
	w.WriteHeader(status)
	_, _ = w.Write(doc) // the caller may be gone; that is its business
}
