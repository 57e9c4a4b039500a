//go:build unix

package api

import (
	"context"
	"fmt"
	"net/http"
	"os/user"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// Every call, made by an administrator's program for a person of every role: what the
// role allows arrives in the person's name, everything else is refused.
func TestCallsForOtherPeople(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	name := "anna (via " + me.Username + ")"
	for _, role := range []Role{Guest, Operator, Administrator} {
		r := start(t, nil)
		c, err := r.dial(t).For(t.Context(), Caller{Who: "anna", Role: role})
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range uses() {
			r.trail = nil
			before := len(r.asked)
			_, err := u.do(t.Context(), c)
			if role < u.need {
				kindOf(t, err, KindDenied, u.name, name)
				if len(r.asked) != before {
					t.Errorf("%s reached the engine for a %s", u.name, role)
				}
				if len(r.trail) != 1 || r.trail[0].Who != name || r.trail[0].Role != role || r.trail[0].Err == nil {
					t.Errorf("%s refused to %s is audited %+v", u.name, role, r.trail)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s for %s: %v", u.name, role, err)
			}
			if want := strings.ReplaceAll(u.ask, "ME", name); want != "" && r.last() != want {
				t.Errorf("the engine was asked %q\n                  not %q", r.last(), want)
			}
			if u.audit != "-" && (len(r.trail) != 1 || r.trail[0].Who != name || r.trail[0].Role != role) {
				t.Errorf("%s is audited %+v", u.name, r.trail)
			}
		}
	}
}

// Nobody but an administrator calls for others, not even as a guest, and what is asked
// that way never reaches the engine.
func TestOnlyAdministratorsCallForOthers(t *testing.T) {
	for _, role := range []Role{Nobody, Guest, Operator} {
		r := start(t, func(o *Options) { o.credential, o.Groups = as(role), groupsOf(t, role) })
		for _, wanted := range []Role{Guest, Operator, Administrator} {
			c := forged(t, r, "anna", wanted.String())
			_, err := c.Submit(t.Context(), Command{})
			kindOf(t, err, KindDenied)
			if strings.Contains(r.last(), "submit") {
				t.Errorf("a %s submitted as %s", role, wanted)
			}
		}
	}
}

func TestNamesThatAreNone(t *testing.T) {
	r := start(t, nil)
	for _, bad := range []struct{ who, role string }{
		{"", "guest"}, {"anna", ""}, {"anna", "root"}, {"anna", "nobody"}, {"an na", "guest"}, {"anna)", "guest"},
		{"\u202eanna", "guest"}, {strings.Repeat("a", maxName+1), "guest"},
	} {
		_, err := forged(t, r, bad.who, bad.role).Snapshot(t.Context())
		kindOf(t, err, KindUsage)
	}
	if _, err := r.dial(t).For(t.Context(), Caller{Who: "x y", Role: Guest}); err == nil {
		t.Error("a client for a name that is none")
	}
	if _, err := r.dial(t).For(t.Context(), Caller{Who: "anna"}); err == nil {
		t.Error("a client for nobody")
	}
}

// An engine that knows nothing of the headers would take every call for an
// administrator's: For must not give out such a client.
func TestForAtAnEngineThatIsOlder(t *testing.T) {
	r := start(t, nil)
	c := r.dial(t)
	c.http = &http.Client{Transport: deaf{c.http.Transport}}
	if _, err := c.For(t.Context(), Caller{Who: "anna", Role: Guest}); err == nil {
		t.Error("an older engine was trusted")
	} else {
		kindOf(t, err, KindUnavailable, "update the engine")
	}
}

// deaf takes the headers out, as an older engine does not see them.
type deaf struct{ next http.RoundTripper }

func (d deaf) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Del(forHeader)
	r.Header.Del(forRoleHeader)
	return d.next.RoundTrip(r)
}

// forged is a client that sends the headers without asking whether it may.
func forged(t *testing.T, r *rig, who, role string) *Client {
	t.Helper()
	c := &Client{where: r.opts.Socket, silence: 3 * watchBeat}
	c.http = &http.Client{Transport: liar{unixClient(r.opts.Socket).Transport, who, role}}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

type liar struct {
	next      http.RoundTripper
	who, role string
}

func (l liar) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(forHeader, l.who)
	r.Header.Set(forRoleHeader, l.role)
	return l.next.RoundTrip(r)
}

// As judges exactly as the server does: the same calls with the same needs.
func TestAsIsTheServersTable(t *testing.T) {
	needs := map[string]Role{"watch": Guest}
	for _, c := range calls() {
		needs[c.name] = c.need
	}
	delete(needs, "whoami")          // which answers everybody
	delete(needs, notifyCall().name) // not of Service: a restricted one does not have it
	for _, role := range []Role{Nobody, Guest, Operator, Administrator} {
		f := &able{fake{updates: make(chan Update)}}
		s := As(f, Caller{Who: "anna", Role: role})
		for name, do := range everyCall() {
			before := len(f.asked)
			err := do(t.Context(), s)
			switch {
			case role < needs[name]:
				kindOf(t, err, KindDenied)
				if len(f.asked) != before {
					t.Errorf("%s reached the engine for a %s", name, role)
				}
			case err != nil:
				t.Errorf("%s for %s: %v", name, role, err)
			case !strings.HasSuffix(f.last(), "by anna") || strings.Contains(f.last(), "mallory"):
				t.Errorf("%s: the engine was asked %q", name, f.last())
			}
		}
		if len(everyCall()) != len(needs) {
			t.Errorf("%d calls tried, the server has %d", len(everyCall()), len(needs))
		}
	}
}

// A service that can do no more than Service says so when it is asked, to those who may ask.
func TestAsOfAPlainService(t *testing.T) {
	s := As(&fake{}, Caller{Who: "anna", Role: Operator})
	_, err := s.Examine(t.Context(), Examination{})
	kindOf(t, err, KindUnavailable)
	if !NoDoctor(err) {
		t.Errorf("%v does not say that there is no doctor", err)
	}
	kindOf(t, s.Order(t.Context(), Order{}), KindUnavailable)
	_, err = s.Mend(t.Context(), Mending{})
	if kindOf(t, err, KindDenied); NoDoctor(err) {
		t.Error("a refusal is taken for a missing doctor")
	}
}

// able is a fake that can do what an engine offers beside Service.
type able struct{ fake }

func (a *able) Examine(ctx context.Context, e Examination) (*Diagnosis, error) {
	return &Diagnosis{}, a.note(ctx, "examine %v", e.Checks)
}

func (a *able) Mend(ctx context.Context, m Mending) (*Mended, error) {
	return &Mended{Gone: true}, a.note(ctx, "mend %s %s", m.Finding, m.Command)
}

func (a *able) Order(ctx context.Context, o Order) error {
	return a.note(ctx, "order %s of %s by=%s", o.Task, o.Tag, o.By)
}

func everyCall() map[string]func(context.Context, Whole) error {
	one := func(_ any, err error) error { return err }
	cmd := Command{By: "mallory"}
	cmd.Goal.By = "mallory"
	return map[string]func(context.Context, Whole) error{
		"snapshot":      func(ctx context.Context, s Whole) error { return one(s.Snapshot(ctx)) },
		"watch":         func(ctx context.Context, s Whole) error { return one(s.Watch(ctx, 0)) },
		"events":        func(ctx context.Context, s Whole) error { return one(s.Events(ctx, 0, 1)) },
		"operations":    func(ctx context.Context, s Whole) error { return one(s.Operations(ctx, 1)) },
		"definition":    func(ctx context.Context, s Whole) error { return one(s.Export(ctx)) },
		"preview":       func(ctx context.Context, s Whole) error { return one(s.Preview(ctx, cmd)) },
		"compare":       func(ctx context.Context, s Whole) error { return one(s.Apply(ctx, dry(true))) },
		"apply":         func(ctx context.Context, s Whole) error { return one(s.Apply(ctx, dry(false))) },
		"choices":       func(ctx context.Context, s Whole) error { return one(s.Choices(ctx, "ip", "interface", "n", nil)) },
		"children":      func(ctx context.Context, s Whole) error { return one(s.Children(ctx, Prospect{})) },
		"submit":        func(ctx context.Context, s Whole) error { return one(s.Submit(ctx, cmd)) },
		"answer":        func(ctx context.Context, s Whole) error { return s.Answer(ctx, Answer{By: "mallory"}) },
		"hold":          func(ctx context.Context, s Whole) error { return s.SetHold(ctx, Hold{By: "mallory"}) },
		"graceful-stop": func(ctx context.Context, s Whole) error { return s.GracefulStop(ctx, "n") },
		"examine":       func(ctx context.Context, s Whole) error { return one(s.Examine(ctx, Examination{})) },
		"mend":          func(ctx context.Context, s Whole) error { return one(s.Mend(ctx, Mending{})) },
		"order":         func(ctx context.Context, s Whole) error { return s.Order(ctx, Order{By: "mallory"}) },
		"tuning":        func(ctx context.Context, s Whole) error { return s.SetTuning(ctx, "", "X", "1") },
	}
}

// groupsOf makes this process's group the one that gives a role.
func groupsOf(t *testing.T, role Role) Groups {
	t.Helper()
	mine, err := user.LookupGroupId(fmt.Sprint(groupOfTest(t)))
	if err != nil {
		t.Fatal(err)
	}
	g := Groups{Guest: "no-such-group", Operator: "no-such-group", Administrator: "no-such-group"}
	switch role {
	case Guest:
		g.Guest = mine.Name
	case Operator:
		g.Operator = mine.Name
	}
	return g
}

func dry(yes bool) Apply {
	return Apply{Estate: &hierarchy.Estate{Name: "e"}, DryRun: yes, By: "mallory"}
}

// Whoever examines a definition of his own says where the engine logs in: that is an administrator's.
func TestADraftIsForAdministrators(t *testing.T) {
	draft := Examination{Estate: &hierarchy.Estate{Name: "x"}}
	for role, refused := range map[Role]bool{Guest: true, Operator: true, Administrator: false} {
		c := Caller{Who: "anna", Role: role}
		_, direct := As(&fake{}, c).Examine(t.Context(), draft)
		r := start(t, nil)
		via, err := r.dial(t).For(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		_, served := via.Examine(t.Context(), draft)
		for how, err := range map[string]error{"in the process": direct, "over the socket": served} {
			if denied := err != nil && AsError(err).Kind == KindDenied; denied != refused {
				t.Errorf("%s, %s: %v", role, how, err)
			}
		}
	}
}
