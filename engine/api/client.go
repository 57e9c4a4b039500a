package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

// Client is a Service over a socket. Every error it returns is an *Error, or wraps
// context.Canceled. It may be used from many goroutines.
type Client struct {
	where string // for messages
	http  *http.Client
	// silence is how long a watch may be without a sign of life.
	silence time.Duration
	// person is for whom it calls; nil = for this process's own user.
	person *Caller
}

var _ Service = (*Client)(nil)

// Dial reaches the engine on a socket and makes sure that it answers. No engine there
// is KindUnavailable, a socket that the user may not open is KindDenied.
func Dial(ctx context.Context, path string) (*Client, error) {
	return DialFunc(ctx, path, func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	})
}

// DialFunc reaches the engine over connections that dial makes, for example through
// SSH to the socket of another machine. Where names the place in messages.
func DialFunc(ctx context.Context, where string, dial func(context.Context) (net.Conn, error)) (*Client, error) {
	c := &Client{where: where, silence: 3 * watchBeat, http: httpOver(dial)}
	if _, err := c.Whoami(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// httpOver speaks HTTP over the connections that dial makes.
func httpOver(dial func(context.Context) (net.Conn, error)) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext:     func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		MaxIdleConns:    4,
		IdleConnTimeout: time.Minute,
	}}
}

// Find reaches the first engine among ClientSockets. When none answers, the error is
// that of the first socket that gave another one than "nobody is there".
func Find(ctx context.Context) (*Client, error) {
	var told error
	for _, path := range ClientSockets() {
		c, err := Dial(ctx, path)
		if err == nil {
			return c, nil
		}
		if told == nil || AsError(told).Kind == KindUnavailable {
			told = err
		}
	}
	return nil, told
}

// Whoami tells who the engine takes this process for, and what it may do.
func (c *Client) Whoami(ctx context.Context) (Caller, error) {
	var out Caller
	return out, c.get(ctx, quick, "whoami", nil, &out)
}

// Snapshot implements Service.
func (c *Client) Snapshot(ctx context.Context) (*Snapshot, error) {
	out := new(Snapshot)
	return answer(out, c.get(ctx, quick, "snapshot", nil, out))
}

// Events implements Service.
func (c *Client) Events(ctx context.Context, after int64, limit int) ([]Event, error) {
	var out eventsAnswer
	err := c.get(ctx, quick, "events", url.Values{"after": {strconv.FormatInt(after, 10)}, "limit": {strconv.Itoa(limit)}}, &out)
	return out.Events, err
}

// Operations implements Service.
func (c *Client) Operations(ctx context.Context, limit int) ([]Operation, error) {
	var out operationsAnswer
	err := c.get(ctx, quick, "operations", url.Values{"limit": {strconv.Itoa(limit)}}, &out)
	return out.Operations, err
}

// Export implements Service.
func (c *Client) Export(ctx context.Context) (*hierarchy.Estate, error) {
	out := new(hierarchy.Estate)
	return answer(out, c.get(ctx, quick, "definition", nil, out))
}

// Preview implements Service.
func (c *Client) Preview(ctx context.Context, cmd Command) (*Preview, error) {
	out := new(Preview)
	return answer(out, c.post(ctx, slow, "preview", cmd, out))
}

// Submit implements Service. A command without an id gets one, so that a caller who
// does not learn the outcome may send the same command again.
func (c *Client) Submit(ctx context.Context, cmd Command) (*Submitted, error) {
	if cmd.ID == "" {
		cmd.ID = rand.Text()
	}
	out := new(Submitted)
	return answer(out, c.post(ctx, quick, "submit", cmd, out))
}

// Answer implements Service.
func (c *Client) Answer(ctx context.Context, a Answer) error {
	return c.post(ctx, quick, "answer", a, nil)
}

// Apply implements Service.
func (c *Client) Apply(ctx context.Context, a Apply) (*Applied, error) {
	name := "apply"
	if a.DryRun {
		name = "compare"
	}
	out := new(Applied)
	return answer(out, c.post(ctx, slow, name, a, out))
}

// SetTuning implements Service.
func (c *Client) SetTuning(ctx context.Context, node, name, value string) error {
	return c.post(ctx, quick, "tuning", tuningRequest{Node: node, Name: name, Value: value}, nil)
}

// Choices implements Service.
func (c *Client) Choices(ctx context.Context, kit, field, node string, attrs map[string]string) ([]string, error) {
	var out choicesAnswer
	err := c.post(ctx, slow, "choices", choicesRequest{Kit: kit, Field: field, Node: node, Attrs: attrs}, &out)
	return out.Choices, err
}

// Children implements Service.
func (c *Client) Children(ctx context.Context, p Prospect) ([]Found, error) {
	var out childrenAnswer
	err := c.post(ctx, slow, "children", p, &out)
	return out.Found, err
}

// SetHold implements Service.
func (c *Client) SetHold(ctx context.Context, h Hold) error {
	return c.post(ctx, quick, "hold", h, nil)
}

// GracefulStop implements Service.
func (c *Client) GracefulStop(ctx context.Context, node string) error {
	return c.post(ctx, quick, "graceful-stop", nodeRequest{Node: node}, nil)
}

// Close gives the connections up; the engine goes on.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// answer keeps half-read documents from callers.
func answer[T any](out *T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *Client) get(ctx context.Context, within time.Duration, name string, query url.Values, out any) error {
	return c.do(ctx, within, http.MethodGet, name+"?"+query.Encode(), nil, out)
}

func (c *Client) post(ctx context.Context, within time.Duration, name string, in, out any) error {
	b, err := Marshal(in)
	if err != nil {
		return &Error{Kind: KindFailed, Message: fmt.Sprintf("the request cannot be written as JSON: %v", err)}
	}
	return c.do(ctx, within, http.MethodPost, name, b, out)
}

// do makes one exchange. It waits a little longer than the server would, whose own
// message is the better one.
func (c *Client) do(ctx context.Context, within time.Duration, method, path string, body []byte, out any) error {
	ctx, cancel := context.WithTimeout(ctx, within+5*time.Second)
	defer cancel()
	r, err := c.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxAnswer)).Decode(out); err != nil {
		return c.broken(ctx, err)
	}
	return nil
}

// send makes the request and turns every answer but a good one into an error.
func (c *Client) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://ferry/v1/"+path, bytes.NewReader(body))
	if err != nil {
		return nil, &Error{Kind: KindUsage, Message: err.Error()}
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	c.mark(req.Header)
	r, err := c.http.Do(req)
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	if r.Header.Get(versionHeader) == Version && r.StatusCode == http.StatusOK {
		return r, nil
	}
	defer r.Body.Close()
	var f failure
	if err := json.NewDecoder(io.LimitReader(r.Body, maxSmall)).Decode(&f); err != nil || f.Error == nil || r.Header.Get(versionHeader) == "" {
		return nil, &Error{Kind: KindUnavailable, Message: fmt.Sprintf("what answers on %s is not a ferry engine (%s)", c.where, r.Status),
			Hint: "look what listens there, or set " + SocketEnv}
	}
	return nil, f.Error
}

// broken says in a person's words why there was no answer.
func (c *Client) broken(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("asking the engine on %s: %w", c.where, context.Canceled)
	case ctx.Err() != nil:
		return &Error{Kind: KindTimeout, Message: fmt.Sprintf("the engine on %s gave no answer in time", c.where), cause: ctx.Err(), Hint: "it may still do what was asked; `ferry operations` tells"}
	case errors.Is(err, fs.ErrPermission):
		return &Error{Kind: KindDenied, Message: fmt.Sprintf("you may not open the engine's socket %s", c.where), cause: err,
			Hint: "an administrator can add you to the group ferry (and ferry-operator or ferry-admin to act)"}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return &Error{Kind: KindUnavailable, Message: fmt.Sprintf("no engine runs on %s", c.where), cause: err,
			Hint: "start one with `ferry engine` (or systemctl start ferry)"}
	}
	return &Error{Kind: KindUnavailable, Message: fmt.Sprintf("the connection to the engine on %s broke: %v", c.where, err), cause: err,
		Hint: "what was accepted goes on when the engine runs again; `ferry operations` tells"}
}
