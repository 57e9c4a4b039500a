package api

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// The headers by which a program of an administrator says for whom it calls: ferry serve
// for the people on its SSH sessions. An older engine knows neither, so who sends them
// must look at what whoami answers (Client.For does).
const (
	forHeader     = "Ferry-For"
	forRoleHeader = "Ferry-For-Role"
)

// maxName is the longest name that one may call for.
const maxName = 64

// onBehalf is the caller that a request is for. Only an administrator may call for
// others, whatever role it asks for: who may do so may name anybody. The name tells both,
// the person and who vouches for it.
func onBehalf(peer identity, h http.Header) identity {
	name, word := h.Get(forHeader), h.Get(forRoleHeader)
	if peer.err != nil || name == "" && word == "" {
		return peer
	}
	if peer.caller.Role < Administrator {
		peer.err = &Error{Kind: KindDenied, Message: fmt.Sprintf("%s may not call for somebody else: that needs the role administrator", peer.caller.Who),
			Hint: "the user that ferry serve runs as belongs into the group ferry-admin"}
		return peer
	}
	var role Role
	_ = role.UnmarshalText([]byte(word))
	if !PlainName(name) || role == Nobody {
		peer.err = &Error{Kind: KindUsage, Message: fmt.Sprintf("a call for %.80q as %.20q is not understood", name, word),
			Hint: "a name has up to 64 letters, digits and . _ - @; a role is guest, operator or administrator"}
		return peer
	}
	peer.caller = Caller{Who: viaName(name, peer.caller.Who), Role: role}
	return peer
}

// viaName names a person and who vouches for it.
func viaName(name, peer string) string { return name + " (via " + peer + ")" }

// PlainName tells whether a person may have a name (Client.For): up to 64 letters, digits
// and . _ - @, which may stand in records and on screens as they are.
func PlainName(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for _, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '.' && c != '_' && c != '-' && c != '@' {
			return false
		}
	}
	return true
}

// For is a client of the same engine that acts for a person with a role: the engine
// records "NAME (via PEER)" and lets through what that role may do. It is refused unless
// this process is an administrator there. An engine that does not know how to is an error,
// since it would let everything through as an administrator's own call.
func (c *Client) For(ctx context.Context, person Caller) (*Client, error) {
	if !PlainName(person.Who) || person.Role == Nobody {
		return nil, &Error{Kind: KindUsage, Message: fmt.Sprintf("nobody can act for %.80q as %s", person.Who, person.Role)}
	}
	own, err := c.Whoami(ctx)
	if err != nil {
		return nil, err
	}
	out := *c
	out.person = &person
	got, err := out.Whoami(ctx)
	if err != nil {
		return nil, err
	}
	if want := (Caller{Who: viaName(person.Who, own.Who), Role: person.Role}); got != want {
		return nil, &Error{Kind: KindUnavailable, Message: fmt.Sprintf("the engine on %s does not know how to act for somebody else: it takes %s for %s, %s", c.where, person.Who, got.Who, got.Role),
			Hint: "update the engine; it is older than this program"}
	}
	return &out, nil
}

// mark says in a request for whom it is.
func (c *Client) mark(h http.Header) {
	if c.person != nil {
		h.Set(forHeader, c.person.Who)
		h.Set(forRoleHeader, c.person.Role.String())
	}
}

// As is a service that only does what a caller's role allows, in the caller's name. It is
// what the socket's server does, for a service that is not behind a socket or that is
// shared between several people. Closing it does not close s. What s does not offer beside
// Service is an error of the call (NoDoctor tells one of them).
func As(s Service, c Caller) Whole { return &restricted{s, c} }

// Whole is a Service with what may be offered beside it.
type Whole interface {
	Service
	Doctor
	Orderer
}

// restricted judges every call before it is made.
type restricted struct {
	s Service
	c Caller
}

// Whoami tells who this service is for.
func (r *restricted) Whoami(context.Context) (Caller, error) { return r.c, nil }

// allowed is the call's result when the role allows it.
func allowed[T any](ctx context.Context, r *restricted, need Role, call string, f func(context.Context) (T, error)) (T, error) {
	if err := r.c.may(need, call); err != nil {
		var none T
		return none, err
	}
	return f(WithCaller(ctx, r.c))
}

func (r *restricted) do(ctx context.Context, need Role, call string, f func(context.Context) error) error {
	_, err := allowed(ctx, r, need, call, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) })
	return err
}

func (r *restricted) Snapshot(ctx context.Context) (*Snapshot, error) {
	return allowed(ctx, r, Guest, "snapshot", r.s.Snapshot)
}

func (r *restricted) Watch(ctx context.Context, after int64) (<-chan Update, error) {
	return allowed(ctx, r, Guest, "watch", func(ctx context.Context) (<-chan Update, error) { return r.s.Watch(ctx, after) })
}

func (r *restricted) Events(ctx context.Context, after int64, limit int) ([]Event, error) {
	return allowed(ctx, r, Guest, "events", func(ctx context.Context) ([]Event, error) { return r.s.Events(ctx, after, limit) })
}

func (r *restricted) Operations(ctx context.Context, limit int) ([]Operation, error) {
	return allowed(ctx, r, Guest, "operations", func(ctx context.Context) ([]Operation, error) { return r.s.Operations(ctx, limit) })
}

func (r *restricted) Export(ctx context.Context) (*hierarchy.Estate, error) {
	return allowed(ctx, r, Guest, "definition", r.s.Export)
}

func (r *restricted) Preview(ctx context.Context, c Command) (*Preview, error) {
	return allowed(ctx, r, Guest, "preview", func(ctx context.Context) (*Preview, error) { return r.s.Preview(ctx, c.asked(r.c)) })
}

// Submit gives a command without an id one, as Client does.
func (r *restricted) Submit(ctx context.Context, c Command) (*Submitted, error) {
	if c.ID == "" {
		c.ID = rand.Text()
	}
	return allowed(ctx, r, Operator, "submit", func(ctx context.Context) (*Submitted, error) { return r.s.Submit(ctx, c.asked(r.c)) })
}

func (r *restricted) Answer(ctx context.Context, a Answer) error {
	a.By = r.c.Who
	return r.do(ctx, Operator, "answer", func(ctx context.Context) error { return r.s.Answer(ctx, a) })
}

func (r *restricted) Apply(ctx context.Context, a Apply) (*Applied, error) {
	a.By = r.c.Who
	need, call := Administrator, "apply"
	if a.DryRun {
		need, call = Guest, "compare"
	}
	return allowed(ctx, r, need, call, func(ctx context.Context) (*Applied, error) { return r.s.Apply(ctx, a) })
}

func (r *restricted) SetTuning(ctx context.Context, node, name, value string) error {
	return r.do(ctx, Administrator, "tuning", func(ctx context.Context) error { return r.s.SetTuning(ctx, node, name, value) })
}

func (r *restricted) Choices(ctx context.Context, kit, field, node string, attrs map[string]string) ([]string, error) {
	return allowed(ctx, r, Operator, "choices", func(ctx context.Context) ([]string, error) { return r.s.Choices(ctx, kit, field, node, attrs) })
}

func (r *restricted) Children(ctx context.Context, p Prospect) ([]Found, error) {
	return allowed(ctx, r, Operator, "children", func(ctx context.Context) ([]Found, error) { return r.s.Children(ctx, p) })
}

func (r *restricted) SetHold(ctx context.Context, h Hold) error {
	h.By = r.c.Who
	return r.do(ctx, Operator, "hold", func(ctx context.Context) error { return r.s.SetHold(ctx, h) })
}

func (r *restricted) GracefulStop(ctx context.Context, node string) error {
	return r.do(ctx, Operator, "graceful-stop", func(ctx context.Context) error { return r.s.GracefulStop(ctx, node) })
}

func (r *restricted) Examine(ctx context.Context, e Examination) (*Diagnosis, error) {
	if err := r.c.mayExamine(e); err != nil {
		return nil, err
	}
	return allowed(ctx, r, Operator, "examine", func(ctx context.Context) (*Diagnosis, error) {
		d, err := AsDoctor(r.s)
		if err != nil {
			return nil, err
		}
		return d.Examine(ctx, e)
	})
}

func (r *restricted) Mend(ctx context.Context, m Mending) (*Mended, error) {
	return allowed(ctx, r, Administrator, "mend", func(ctx context.Context) (*Mended, error) {
		d, err := AsDoctor(r.s)
		if err != nil {
			return nil, err
		}
		return d.Mend(ctx, m)
	})
}

func (r *restricted) Order(ctx context.Context, o Order) error {
	o.By = r.c.Who
	return r.do(ctx, Operator, "order", func(ctx context.Context) error {
		s, err := orderer(r.s)
		if err != nil {
			return err
		}
		return s.Order(ctx, o)
	})
}

func (r *restricted) Close() error { return nil }
