package ec2sim

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// call is one request on its way through the endpoint.
type call struct {
	s         *Server
	requestID string
	at        time.Time
	action    string
	service   string
	params    params
	asked     map[string]string // the parameters as they came, for the log
	region    string
	keyID     string
	account   string
	arn       string
	body      []element
	fault     *armedFault
	dropped   bool
}

// maxBody bounds a request: the largest real one is far below.
const maxBody = 1 << 20

// read takes a request apart and finds out who sent it. The call is never nil.
func (s *Server) read(r *http.Request) (*call, *apiError) {
	c := &call{s: s, at: s.clock(), requestID: s.nextRequestID()}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return c, refuse("MalformedQueryString", "reading the request: %v", err)
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return c, refuse("MalformedQueryString", "The query string contains a syntax error: %v", err)
	}
	for name, v := range r.URL.Query() {
		values[name] = v
	}
	c.params, c.action = params(values), values.Get("Action")
	c.asked = c.params.flat()
	key, sig, refused := authenticate(s.present(), r, body, c.at)
	c.region, c.service, c.keyID = sig.Region, sig.Service, sig.KeyID
	if refused != nil {
		return c, refused
	}
	c.account, c.arn = key.Account, key.ARN
	return c, s.permitted(key, c)
}

func (s *Server) permitted(key *Key, c *call) *apiError {
	if c.action == "" {
		return missing("Action")
	}
	if s.present().Region(c.region) == nil && c.service != "sts" {
		return errAuth() // what a region that the account has not switched on answers
	}
	for _, pattern := range key.Deny {
		if ok, err := path.Match(pattern, c.action); ok && err == nil {
			return refuse("UnauthorizedOperation", "You are not authorized to perform this operation. User: %s is not authorized to perform: ec2:%s", key.ARN, c.action)
		}
	}
	return nil
}

func (s *Server) nextRequestID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", s.requests)
}

// perform lets the fault strike, if there is one, and runs the action.
func (s *Server) perform(ctx context.Context, c *call) *apiError {
	run, known := actions()[c.action]
	if !known {
		return refuse("InvalidAction", "The action %s is not valid for this web service.", c.action)
	}
	if c.fault = s.faultFor(c); c.fault != nil {
		if refused := c.strike(ctx); refused != nil {
			return refused
		}
	}
	if c.empty() {
		c.params = c.params.withoutIDs() // else the ids asked for would be refused as unknown
	}
	body, refused := run(c)
	c.body = body
	return refused
}

// strike applies what a fault does before the action runs.
func (c *call) strike(ctx context.Context) *apiError {
	f := c.fault
	if f.Delay > 0 || f.Hang {
		c.hold(ctx)
	}
	if f.Unreachable {
		c.drop()
	}
	if f.Code == "" {
		return nil
	}
	refused := refuse(f.Code, "%s", f.Message)
	if f.Status != 0 {
		refused.status = f.Status
	}
	return refused
}

// hold keeps the caller waiting; when the caller leaves first, nothing happens any more.
func (c *call) hold(ctx context.Context) {
	var timer <-chan time.Time
	if !c.fault.Hang {
		t := time.NewTimer(c.fault.Delay)
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

// reply writes the answer, or drops the connection when the fault says so.
func (c *call) reply(w http.ResponseWriter, refused *apiError) {
	if c.fault != nil && c.fault.DropAfter {
		c.drop()
	}
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	w.Header().Set("X-Amzn-Requestid", c.requestID)
	w.Header().Set("Date", c.at.UTC().Format(http.TimeFormat))
	status, doc := http.StatusOK, answer(c.action, c.requestID, c.body)
	switch {
	case refused != nil && c.service == "sts":
		status, doc = stsRefusal(refused, c.requestID)
	case refused != nil:
		status, doc = refused.status, refusal(refused, c.requestID)
	case c.service == "sts":
		doc = stsAnswer(c.action, c.requestID, c.body)
	}
	w.WriteHeader(status)
	_, _ = w.Write(doc) // the caller may be gone; that is its business
}

// view is what a read sees: the caller's part of the region, as old as the read lag and the fault make it.
func (c *call) view() scope {
	lag := c.s.lag()
	if c.fault != nil {
		lag += c.fault.Stale
	}
	sc := scope{account: c.account, r: c.s.asOf(c.at.Add(-lag)).Region(c.region)}
	if c.empty() {
		sc.r = &Region{Name: c.region}
	}
	return sc
}

// empty says whether a fault lets this call answer that there is nothing.
func (c *call) empty() bool {
	return c.fault != nil && c.fault.Empty && strings.HasPrefix(c.action, "Describe")
}

// change validates and carries out a write on the present world. With DryRun, nothing is kept.
func (c *call) change(do func(sc scope) ([]Event, *apiError)) *apiError {
	return c.s.update(c.at, func(w *World) ([]Event, *apiError) {
		events, refused := do(scope{account: c.account, r: w.Region(c.region)})
		if refused == nil && c.params.on("DryRun") {
			return nil, errDryRun()
		}
		for i := range events {
			events[i].Region, events[i].Action, events[i].KeyID = c.region, c.action, c.keyID
		}
		return events, refused
	})
}

// done is the body of an answer that only says that it worked.
func done() []element { return []element{leaf("return", true)} }
