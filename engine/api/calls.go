package api

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of requests. A definition is the largest thing that travels: an estate of a
// hundred servers takes some 200 kB.
const (
	maxSmall = 256 << 10
	maxLarge = 2 << 20
	// maxList is the most events or operations one call may ask for; 0 asks for it.
	maxList = 10_000
)

// How long an answer may take. Preview asks every node of a hierarchy.
const (
	quick = 15 * time.Second
	slow  = 90 * time.Second
)

// call is one path of the API.
type call struct {
	name, method, path string
	need               Role
	mutates            bool // reported to Audit
	limit              int64
	timeout            time.Duration
	// run reads what it needs from the request and asks the service. The summary says
	// in one line what was asked for.
	run func(ctx context.Context, s Service, r *request) (answer any, summary string, err error)
}

// request is what a call may look at.
type request struct {
	caller Caller
	query  url.Values
	decode func(into any) error
}

// number reads a query parameter; a missing one is 0.
func (r *request) number(name string) (int64, error) {
	text := r.query.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, &Error{Kind: KindUsage, Message: fmt.Sprintf("%s must be a number from 0 on, not %q", name, text)}
	}
	return n, nil
}

// limit reads the parameter limit within bounds.
func (r *request) limit() (int, error) {
	n, err := r.number("limit")
	if n == 0 || n > maxList {
		n = maxList
	}
	return int(n), err
}

// The objects that travel beside the Service's own types.
type (
	eventsAnswer struct {
		Events []Event `json:"events"`
	}
	operationsAnswer struct {
		Operations []Operation `json:"operations"`
	}
	choicesAnswer struct {
		Choices []string `json:"choices"`
	}
	childrenAnswer struct {
		Found []Found `json:"found"`
	}
	empty          struct{}
	choicesRequest struct {
		Kit   string            `json:"kit"`
		Field string            `json:"field"`
		Node  string            `json:"node,omitempty"`
		Attrs map[string]string `json:"attrs,omitempty"`
	}
	tuningRequest struct {
		Node  string `json:"node,omitempty"`
		Name  string `json:"name"`
		Value string `json:"value,omitempty"`
	}
	nodeRequest struct {
		Node string `json:"node"`
	}
	failure struct {
		Error *Error `json:"error"`
	}
)

// calls are all paths but watch.
func calls() []call {
	return append(slices.Concat(reads(), writes(), doctorCalls()), notifyCall(), orderCall())
}

func reads() []call {
	get := func(name string, run func(ctx context.Context, s Service, r *request) (any, error)) call {
		return call{name: name, method: "GET", path: "/v1/" + name, need: Guest, timeout: quick,
			run: func(ctx context.Context, s Service, r *request) (any, string, error) {
				answer, err := run(ctx, s, r)
				return answer, "", err
			}}
	}
	return []call{
		get("whoami", func(_ context.Context, _ Service, r *request) (any, error) { return r.caller, nil }),
		get("snapshot", func(ctx context.Context, s Service, _ *request) (any, error) { return s.Snapshot(ctx) }),
		get("definition", func(ctx context.Context, s Service, _ *request) (any, error) { return s.Export(ctx) }),
		get("events", func(ctx context.Context, s Service, r *request) (any, error) {
			after, err := r.number("after")
			if err != nil {
				return nil, err
			}
			limit, err := r.limit()
			if err != nil {
				return nil, err
			}
			all, err := s.Events(ctx, after, limit)
			return eventsAnswer{all}, err
		}),
		get("operations", func(ctx context.Context, s Service, r *request) (any, error) {
			limit, err := r.limit()
			if err != nil {
				return nil, err
			}
			all, err := s.Operations(ctx, limit)
			return operationsAnswer{all}, err
		}),
	}
}

// post makes a call that takes one object.
func post[T any](name string, need Role, mutates bool, timeout time.Duration,
	run func(ctx context.Context, s Service, in *T, c Caller) (answer any, summary string, err error)) call {
	return call{name: name, method: "POST", path: "/v1/" + name, need: need, mutates: mutates, limit: maxSmall, timeout: timeout,
		run: func(ctx context.Context, s Service, r *request) (any, string, error) {
			in := new(T)
			if err := r.decode(in); err != nil {
				return nil, "", err
			}
			return run(ctx, s, in, r.caller)
		}}
}

func writes() []call {
	apply := post("apply", Administrator, true, slow, applyAs(false))
	compare := post("compare", Guest, false, slow, applyAs(true))
	apply.limit, compare.limit = maxLarge, maxLarge
	return []call{
		apply, compare,
		post("preview", Guest, false, slow, func(ctx context.Context, s Service, in *Command, c Caller) (any, string, error) {
			answer, err := s.Preview(ctx, in.asked(c))
			return answer, in.summary(), err
		}),
		post("submit", Operator, true, quick, func(ctx context.Context, s Service, in *Command, c Caller) (any, string, error) {
			answer, err := s.Submit(ctx, in.asked(c))
			return answer, in.summary(), err
		}),
		post("answer", Operator, true, quick, func(ctx context.Context, s Service, in *Answer, c Caller) (any, string, error) {
			in.By = c.Who
			return empty{}, in.summary(), s.Answer(ctx, *in)
		}),
		post("tuning", Administrator, true, quick, func(ctx context.Context, s Service, in *tuningRequest, _ Caller) (any, string, error) {
			where := in.Node
			if where == "" {
				where = "every node"
			}
			return empty{}, fmt.Sprintf("%s=%q on %s", in.Name, in.Value, where), s.SetTuning(ctx, in.Node, in.Name, in.Value)
		}),
		post("hold", Operator, true, quick, func(ctx context.Context, s Service, in *Hold, c Caller) (any, string, error) {
			in.By = c.Who
			return empty{}, in.summary(), s.SetHold(ctx, *in)
		}),
		post("graceful-stop", Operator, true, quick, func(ctx context.Context, s Service, in *nodeRequest, _ Caller) (any, string, error) {
			return empty{}, in.Node, s.GracefulStop(ctx, in.Node)
		}),
		post("choices", Operator, false, slow, func(ctx context.Context, s Service, in *choicesRequest, _ Caller) (any, string, error) {
			all, err := s.Choices(ctx, in.Kit, in.Field, in.Node, in.Attrs)
			return choicesAnswer{all}, "", err
		}),
		post("children", Operator, false, slow, func(ctx context.Context, s Service, in *Prospect, _ Caller) (any, string, error) {
			all, err := s.Children(ctx, *in)
			return childrenAnswer{all}, "", err
		}),
	}
}

// applyAs applies or only compares; the path decides, not what the body says.
func applyAs(dry bool) func(context.Context, Service, *Apply, Caller) (any, string, error) {
	return func(ctx context.Context, s Service, in *Apply, c Caller) (any, string, error) {
		if in.Estate == nil {
			return nil, "", &Error{Kind: KindUsage, Message: "the request holds no definition", Hint: `send {"estate": {…}}`}
		}
		in.By, in.DryRun = c.Who, dry
		answer, err := s.Apply(ctx, *in)
		return answer, "definition of " + in.Estate.Name, err
	}
}

// summary is the hold's line in the audit log.
func (h Hold) summary() string {
	scope := h.Scope
	if scope == "" {
		scope = "the whole estate"
	}
	if h.Until.IsZero() {
		return scope + " released"
	}
	return strings.TrimSpace(fmt.Sprintf("%s until %s %s", scope, h.Until.UTC().Format(time.RFC3339), h.Why))
}

// summary is the answer in one line.
func (a Answer) summary() string {
	s := strings.TrimSpace(fmt.Sprintf("%s to question %s %s", a.Kind, a.Question, a.Typed))
	for _, c := range a.Accept {
		s += fmt.Sprintf(", accepting %s for %s on %s", c.Price.Code, c.Tag, c.Node)
	}
	return s
}

// asked is the command with the names that the kernel vouches for.
func (c Command) asked(by Caller) Command {
	c.By, c.Goal.By = by.Who, by.Who
	return c
}

// summary is the command in one line.
func (c Command) summary() string {
	s := fmt.Sprintf("%s %s", c.Goal.Kind, c.Goal.Tag)
	if c.Goal.Node != "" {
		s += " on " + c.Goal.Node
	}
	if c.Goal.Force {
		s += ", forced"
	}
	if c.ConfirmRegion != "" {
		s += ", crossing to " + c.ConfirmRegion
	}
	return s
}
