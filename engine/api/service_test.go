//go:build unix

package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/user"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
)

// one use of every call, with what the engine must have been asked ("ME" is the
// caller's user name) and what the client must have got.
type use struct {
	name string
	need Role
	do   func(ctx context.Context, c *Client) (any, error)
	ask  string
	got  string
	// audit is the summary that must be on the trail; "-" = nothing is.
	audit string
}

func uses() []use {
	cmd := Command{By: "mallory", ConfirmRegion: "ap-southeast-1",
		Goal: plan.Goal{Kind: plan.GoalInService, Tag: "service/ip-www", Node: "LK_P_B", By: "mallory", Force: true}}
	said := "in-service service/ip-www LK_P_B force=true by=ME goal.by=ME region=ap-southeast-1 by ME"
	return []use{
		{"whoami", Guest, func(ctx context.Context, c *Client) (any, error) { return c.Whoami(ctx) }, "", `"who":"ME"`, "-"},
		{"snapshot", Guest, func(ctx context.Context, c *Client) (any, error) { return c.Snapshot(ctx) }, "snapshot by ME", `"revision":7`, "-"},
		{"events", Guest, func(ctx context.Context, c *Client) (any, error) { return c.Events(ctx, 41, 5) }, "events 41 5 by ME", `"seq":42`, "-"},
		{"operations", Guest, func(ctx context.Context, c *Client) (any, error) { return c.Operations(ctx, 0) }, "operations 10000 by ME", `"id":"op-1"`, "-"},
		{"definition", Guest, func(ctx context.Context, c *Client) (any, error) { return c.Export(ctx) }, "export by ME", `"name":"figure-1"`, "-"},
		{"preview", Guest, func(ctx context.Context, c *Client) (any, error) { return c.Preview(ctx, cmd) }, "preview " + said, `"crosses":"ap-southeast-1"`, "-"},
		{"compare", Guest, func(ctx context.Context, c *Client) (any, error) {
			return c.Apply(ctx, Apply{Estate: &hierarchy.Estate{Name: "e"}, DryRun: true, By: "mallory"})
		}, "apply e dry=true by=ME by ME", `"op":"add"`, "-"},
		{"choices", Operator, func(ctx context.Context, c *Client) (any, error) {
			return c.Choices(ctx, "ip", "interface", "LK_P_A", map[string]string{"a": "b"})
		}, "choices ip interface LK_P_A map[a:b] by ME", `["eth0","ens5"]`, "-"},
		{"children", Operator, func(ctx context.Context, c *Client) (any, error) {
			return c.Children(ctx, Prospect{Kit: "openswan", Tag: "vpn/t", On: map[string]map[string]string{"VPN_P_A": {"connection": "vpn1"}}})
		}, "children openswan vpn/t map[VPN_P_A:map[connection:vpn1]] by ME", `"tag":"ec2-vpn1"`, "-"},
		{"submit", Operator, func(ctx context.Context, c *Client) (any, error) { return c.Submit(ctx, cmd) }, "submit " + said, `"op":"op-2"`,
			"in-service service/ip-www on LK_P_B, forced, crossing to ap-southeast-1"},
		{"answer", Operator, func(ctx context.Context, c *Client) (any, error) {
			return nil, c.Answer(ctx, Answer{Question: "q-1", Kind: "yes", Typed: "ap-southeast-1", By: "mallory"})
		}, `answer q-1 yes "ap-southeast-1" by=ME by ME`, "null", "yes to question q-1 ap-southeast-1"},
		{"graceful-stop", Operator, func(ctx context.Context, c *Client) (any, error) { return nil, c.GracefulStop(ctx, "LK_P_A") },
			"graceful stop LK_P_A by ME", "null", "LK_P_A"},
		{"hold", Operator, func(ctx context.Context, c *Client) (any, error) {
			return nil, c.SetHold(ctx, Hold{Scope: "service", Until: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Why: "disk swap", By: "mallory"})
		}, `hold "service" until=2026-01-02T03:04:05Z why="disk swap" by=ME by ME`, "null", "service until 2026-01-02T03:04:05Z disk swap"},
		{"apply", Administrator, func(ctx context.Context, c *Client) (any, error) {
			return c.Apply(ctx, Apply{Estate: &hierarchy.Estate{Name: "e"}, By: "mallory"})
		}, "apply e dry=false by=ME by ME", `"op":"add"`, "definition of e"},
		{"tuning", Administrator, func(ctx context.Context, c *Client) (any, error) {
			return nil, c.SetTuning(ctx, "", "LKCHECKINTERVAL", "120")
		}, "tuning  LKCHECKINTERVAL=120 by ME", "null", `LKCHECKINTERVAL="120" on every node`},
		{"watch", Guest, func(ctx context.Context, c *Client) (any, error) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			_, err := c.Watch(ctx, 3)
			return nil, err
		}, "watch 3 by ME", "null", "-"},
	}
}

func TestEveryCallArrives(t *testing.T) {
	r := start(t, nil)
	c := r.dial(t)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range uses() {
		t.Run(u.name, func(t *testing.T) {
			r.trail = nil
			got, err := u.do(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.ReplaceAll(u.ask, "ME", me.Username); want != "" && r.last() != want {
				t.Errorf("the engine was asked %q\n                  not %q", r.last(), want)
			}
			b, _ := json.Marshal(got)
			if want := strings.ReplaceAll(u.got, "ME", me.Username); !strings.Contains(string(b), want) {
				t.Errorf("the client got %s without %s", b, want)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			switch {
			case u.audit == "-" && len(r.trail) != 0:
				t.Errorf("audited %+v", r.trail)
			case u.audit != "-" && (len(r.trail) != 1 || r.trail[0].Summary != u.audit || r.trail[0].Call != u.name ||
				r.trail[0].Who != me.Username || r.trail[0].Role != Administrator || r.trail[0].Err != nil):
				t.Errorf("audited %+v", r.trail)
			}
		})
	}
}

// Every call with every role: the higher ones pass, the lower ones are refused and
// the engine never hears of it.
func TestRoles(t *testing.T) {
	for _, role := range []Role{Nobody, Guest, Operator, Administrator} {
		r := start(t, func(o *Options) {
			o.credential = as(role)
			o.Groups = Groups{Guest: "no-such-group", Operator: "no-such-group", Administrator: "no-such-group"}
			mine, err := user.LookupGroupId(fmt.Sprint(groupOfTest(t)))
			if err != nil {
				t.Fatal(err)
			}
			switch role {
			case Guest:
				o.Groups.Guest = mine.Name
			case Operator:
				o.Groups.Operator = mine.Name
			}
		})
		c, err := Dial(t.Context(), r.opts.Socket)
		if role == Nobody {
			if AsError(err).Kind != KindDenied || !strings.Contains(err.Error(), "uid 54323 may not use") {
				t.Errorf("nobody got %v", err)
			}
			c = &Client{where: r.opts.Socket, silence: watchBeat, http: unixClient(r.opts.Socket)}
		} else if err != nil {
			t.Fatal(err)
		}
		for _, u := range uses() {
			before := r.last()
			r.trail = nil
			_, err := u.do(t.Context(), c)
			switch {
			case role >= u.need && err != nil:
				t.Errorf("%s as %s: %v", u.name, role, err)
			case role < u.need && (err == nil || AsError(err).Kind != KindDenied || ExitCode(err) != 77 || AsError(err).Hint == ""):
				t.Errorf("%s as %s gave %v", u.name, role, err)
			case role < u.need && r.last() != before:
				t.Errorf("%s as %s: the engine was asked %q", u.name, role, r.last())
			case role < u.need && (len(r.trail) != 1 || r.trail[0].Err == nil || r.trail[0].Role != role):
				t.Errorf("%s as %s: audited %+v", u.name, role, r.trail)
			}
		}
		_ = c.Close()
	}
}

func TestAPeerWithoutAName(t *testing.T) {
	r := start(t, func(o *Options) {
		o.credential = func(net.Conn) (credential, error) { return credential{}, errors.New("no word from the kernel") }
	})
	_, err := Dial(t.Context(), r.opts.Socket)
	if AsError(err).Kind != KindDenied || !strings.Contains(err.Error(), "cannot tell who is calling") {
		t.Fatal(err)
	}
}

// Every kind of error arrives as it was sent, whatever the HTTP status.
func TestErrorsTravel(t *testing.T) {
	r := start(t, nil)
	c := r.dial(t)
	exits := map[ErrorKind]int{KindFailed: 1, KindUsage: 64, KindUnavailable: 69, KindBusy: 75, KindDenied: 77, KindConfig: 78,
		KindNoSuch: 105, KindNoQuorum: 106, KindUnsafe: 107, KindTimeout: 124, "from-the-future": 1}
	for kind, exit := range exits {
		want := Error{Kind: kind, Message: "LK_P_A: 日本 \"quoted\"", Hint: "do this", Code: "policy.some-reason"}
		r.set(fmt.Errorf("wrapped: %w", &want))
		_, err := c.Submit(t.Context(), Command{})
		var got *Error
		if !errors.As(err, &got) || *got != want || ExitCode(err) != exit {
			t.Errorf("%s: sent %+v, got %+v, exit %d", kind, want, got, ExitCode(err))
		}
	}
	r.set(errors.New("plain"))
	if err := c.Answer(t.Context(), Answer{}); AsError(err).Kind != KindFailed || err.Error() != "plain" {
		t.Errorf("a plain error arrived as %v", err)
	}
	if snap, err := c.Snapshot(t.Context()); snap != nil || err == nil {
		t.Errorf("half a snapshot beside an error: %v, %v", snap, err)
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0}, {errors.New("x"), 1}, {&Error{Kind: KindDegraded}, 190}, {fmt.Errorf("x: %w", &Error{Kind: KindUnsafe}), 107},
		{context.DeadlineExceeded, 124}, {fmt.Errorf("x: %w", context.DeadlineExceeded), 124}, {context.Canceled, 1},
	} {
		if got := ExitCode(c.err); got != c.want {
			t.Errorf("%v: %d, not %d", c.err, got, c.want)
		}
	}
}

func unixClient(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
}

// Requests that no client of ours sends.
func TestBadRequests(t *testing.T) {
	r := start(t, nil)
	h := unixClient(r.opts.Socket)
	t.Cleanup(h.CloseIdleConnections)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		text                     string
	}{
		{"no JSON", "POST", "submit", "goal=x", 400, "cannot be read"},
		{"nothing", "POST", "submit", "", 400, "cannot be read"},
		{"unknown field", "POST", "submit", `{"goal":{"forse":true}}`, 400, `unknown field \"forse\"`},
		{"two objects", "POST", "answer", `{"question":"a"} {"question":"b"}`, 400, "more than one object"},
		{"wrong type", "POST", "submit", `{"goal":{"force":"yes"}}`, 400, "cannot be read"},
		{"too large", "POST", "submit", `{"id":"` + strings.Repeat("x", maxSmall) + `"}`, 400, "larger than 262144 bytes"},
		{"definition too large", "POST", "apply", `{"by":"` + strings.Repeat("x", maxLarge) + `"}`, 400, "larger than 2097152 bytes"},
		{"no definition", "POST", "apply", `{}`, 400, "holds no definition"},
		{"bad number", "GET", "events?after=x", "", 400, `after must be a number from 0 on, not \"x\"`},
		{"negative number", "GET", "watch?after=-1", "", 400, "after must be"},
		{"unknown path", "GET", "shutdown", "", 400, "does not know GET /v1/shutdown"},
		{"wrong method", "GET", "submit", "", 400, "does not know GET /v1/submit"},
		{"most events", "GET", "events?limit=999999999", "", 200, `"seq":1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := r.last()
			req, _ := http.NewRequestWithContext(t.Context(), c.method, "http://x/v1/"+c.path, bytes.NewBufferString(c.body))
			resp, err := h.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			b, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != c.status || !strings.Contains(string(b), c.text) || resp.Header.Get(versionHeader) != Version {
				t.Errorf("%d %s", resp.StatusCode, b)
			}
			if c.status != 200 && r.last() != before {
				t.Errorf("the engine was asked %q", r.last())
			}
		})
	}
}

// A large definition passes.
func TestALargeDefinition(t *testing.T) {
	r := start(t, nil)
	e := &hierarchy.Estate{Name: "large"}
	for i := range 2000 {
		e.Res = append(e.Res, hierarchy.Resource{Tag: hierarchy.Tag(fmt.Sprint("service/app-", i)), Kit: "app", Attrs: map[string]string{"start": strings.Repeat("x", 200)}})
	}
	if _, err := r.dial(t).Apply(t.Context(), Apply{Estate: e}); err != nil {
		t.Fatal(err)
	}
}

// A bug in one call is an error of that call.
func TestAPanic(t *testing.T) {
	r := start(t, nil)
	c := r.dial(t)
	r.set(explosive{})
	_, err := c.Operations(t.Context(), 1)
	if AsError(err).Kind != KindFailed || !strings.Contains(err.Error(), "bug in /v1/operations") {
		t.Fatalf("got %v", err)
	}
	r.set(nil)
	if _, err := c.Operations(t.Context(), 1); err != nil {
		t.Fatalf("the server did not survive: %v", err)
	}
}

// explosive is an error that panics when it is read.
type explosive struct{}

func (explosive) Error() string { panic("boom") }
