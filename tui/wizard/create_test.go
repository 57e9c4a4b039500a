package wizard

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

func calm(t testing.TB, svc *uitest.Service) *ui.Context {
	s := uitest.Scene(t, uitest.Calm)
	svc.Snap = s
	return uitest.Context(t, s, text.English, svc)
}

// wish presses enter on the summary and gives what comes out of it.
func wish(t *testing.T, p ui.Page) ui.Wish {
	t.Helper()
	for _, m := range uitest.Press(t, p, "enter") {
		if d, ok := m.(ui.DoMsg); ok {
			return d.Wish
		}
	}
	t.Fatalf("no wish comes out:\n%s", uitest.Screen(t, p, 110, 37))
	return ui.Wish{}
}

func screen(t *testing.T, p ui.Page) string { return uitest.Screen(t, p, 110, 37) }

func TestCreate(t *testing.T) {
	intelligent := hierarchy.Intelligent
	tests := []struct {
		name    string
		cluster string
		keys    []string
		want    edit.Create
		command string
	}{
		{
			"ip, one address per region", "service",
			keys(kitIP, []string{"down", "space", "down", "space", "down", "space", "enter", "10.1.0.99", "tab", "10.2.0.99", "enter"}),
			edit.Create{Cluster: "service", Tag: "ip-1", Kit: "ip", Switchback: intelligent, Fields: map[string]string{}, On: []edit.Place{
				{Server: "LK_P_A", Priority: 1, Fields: map[string]string{"address": "10.1.0.99"}},
				{Server: "LK_P_B", Priority: 2, Fields: map[string]string{"address": "10.1.0.99"}},
				{Server: "LK_S_A", Priority: 3, Fields: map[string]string{"address": "10.2.0.99"}},
			}},
			"ferry resource create ip service/ip-1 --on LK_P_A,LK_P_B,LK_S_A --address LK_P_A=10.1.0.99 --address LK_P_B=10.1.0.99 --address LK_S_A=10.2.0.99",
		},
		{
			"ip, one server, automatic, a tag of one's own", "service",
			keys(toIP, []string{"tab", "right", "enter", "down", "down", "space", "enter", "10.1.0.98", "down", "down", "eth1", "down", "ip-www", "enter"}),
			edit.Create{Cluster: "service", Tag: "ip-www", Kit: "ip", Switchback: hierarchy.Automatic, Fields: map[string]string{"address": "10.1.0.98", "interface": "eth1"},
				On: []edit.Place{{Server: "LK_P_B", Priority: 1}}},
			"ferry resource create ip service/ip-www --on LK_P_B --switchback automatic --address 10.1.0.98 --interface eth1",
		},
		{
			"ec2 over what stands there", "service",
			keys(toEC2, []string{"enter", "enter", "down", "right", "enter"}),
			edit.Create{Cluster: "service", Tag: "ec2-route53-2", Kit: "ec2", Switchback: intelligent, Fields: map[string]string{"ip": "ip-route53"}},
			"ferry resource create ec2 service/ec2-route53-2 --ip ip-route53",
		},
		{
			"route53", "service",
			[]string{"left", "enter", "enter", "down", "down", "example.com", "down", "api", "down", "right", "enter"},
			edit.Create{Cluster: "service", Tag: "route53-api", Kit: "route53", Switchback: intelligent, Fields: map[string]string{"zone": "example.com", "host": "api", "ip": "ip-route53"}},
			"ferry resource create route53 service/route53-api --zone example.com --host api --ip ip-route53",
		},
		{
			"app that needs something, with words to quote", "service",
			[]string{"enter", "www", "enter", "/opt/it's/shop-start -v", "down", "down", "/opt/shop-stop", "down", "down", "/opt/shop-check", "enter"},
			edit.Create{
				Cluster: "service", Tag: "app-shop", Kit: "app", Switchback: intelligent, Needs: []string{"www"},
				Fields: map[string]string{"start": "/opt/it's/shop-start -v", "stop": "/opt/shop-stop", "check": "/opt/shop-check"},
			},
			`ferry resource create app service/app-shop --needs www --start '/opt/it'\''s/shop-start -v' --stop /opt/shop-stop --check /opt/shop-check`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := calm(t, &uitest.Service{})
			p := Create(c, tt.cluster)
			uitest.Press(t, p, tt.keys...)
			w := wish(t, p)
			if !reflect.DeepEqual(w.Edit, tt.want) {
				t.Errorf("the wish is\n%#v, want\n%#v", w.Edit, tt.want)
			}
			if w.Command != tt.command {
				t.Errorf("the command is\n%s, want\n%s", w.Command, tt.command)
			}
			if _, err := edit.Make(c.Est.Estate, c.Kits, w.Edit); err != nil {
				t.Errorf("the wish cannot be made: %v", err)
			}
			if got := uitest.Press(t, p, "y"); len(got) != 1 || got[0].(ui.CopyMsg).Text != tt.command {
				t.Errorf("y gives %v", got)
			}
		})
	}
}

func TestWrongValuesStayOnTheirPage(t *testing.T) {
	p := Create(calm(t, &uitest.Service{}), "service")
	uitest.Press(t, p, kitIP...)
	if strings.Contains(screen(t, p), "at least one server") {
		t.Error("what was not answered yet is called wrong")
	}
	uitest.Press(t, p, "enter")
	if s := screen(t, p); !strings.Contains(s, "at least one server") {
		t.Errorf("a resource without a server goes on:\n%s", s)
	}
	uitest.Press(t, p, "space", "down", "space", "backspace", "1", "enter")
	if s := screen(t, p); !strings.Contains(s, "LK_P_A has this priority") {
		t.Errorf("two servers of one priority:\n%s", s)
	}
	uitest.Press(t, p, "space", "enter", "10.0.0.77")
	if s := screen(t, p); !strings.Contains(s, "10.0.0.0/16") {
		t.Errorf("the kit's opinion is not shown while one types (an address inside the VPC):\n%s", s)
	}
	uitest.Press(t, p, "enter", "backspace", "backspace", "backspace", "backspace", "backspace", "backspace", "1.0.77")
	if s := screen(t, p); strings.Contains(s, "! ") {
		t.Errorf("a mended value is still called wrong:\n%s", s)
	}
	uitest.Press(t, p, "tab", "255.0.255.0", "enter")
	if s := screen(t, p); !strings.Contains(s, "netmask like") || strings.Contains(s, "Your answers") {
		t.Errorf("a netmask with a hole:\n%s", s)
	}
	uitest.Press(t, p, "tab", "tab", "ip-route53")
	if s := screen(t, p); !strings.Contains(s, "ip-route53 already") {
		t.Errorf("a tag that is taken:\n%s", s)
	}
}

func TestNothingIsLostGoingBack(t *testing.T) {
	p := Create(calm(t, &uitest.Service{}), "service")
	uitest.Press(t, p, kitIP...)
	uitest.Press(t, p, "down", "space", "enter", "10.1.0.99", "enter", "pgup", "pgup", "pgup")
	uitest.Press(t, p, "left", "left", "enter", "enter") // ec2: its servers follow
	if s := screen(t, p); !strings.Contains(s, "Destinations") || strings.Contains(s, "10.1.0.99") {
		t.Errorf("another kit has its own fields:\n%s", s)
	}
	uitest.Press(t, p, "down", "down", "10.5.0.0/16", "pgup", "pgup", "right", "right", "enter", "enter", "enter")
	if s := screen(t, p); !strings.Contains(s, "10.1.0.99") || strings.Contains(s, "10.5.0.0") {
		t.Errorf("the first kit's answers are gone:\n%s", s)
	}
	uitest.Press(t, p, "pgup", "pgup", "pgup", "left", "left", "enter", "enter")
	if s := screen(t, p); !strings.Contains(s, "10.5.0.0/16") {
		t.Errorf("the second kit's answers are gone:\n%s", s)
	}
}

func TestAFieldPerServer(t *testing.T) {
	p := Create(calm(t, &uitest.Service{}), "service")
	uitest.Press(t, p, kitIP...)
	uitest.Press(t, p, "down", "space", "down", "space", "enter", "10.1.0.99", "down", "down", "eth0", "ctrl+o", "down", "eth1", "enter")
	got := wish(t, p).Edit.(edit.Create)
	want := []edit.Place{{Server: "LK_P_A", Priority: 1, Fields: map[string]string{"interface": "eth0"}}, {Server: "LK_P_B", Priority: 2, Fields: map[string]string{"interface": "eth1"}}}
	if !reflect.DeepEqual(got.On, want) || got.Fields["address"] != "10.1.0.99" {
		t.Errorf("got %+v %v", got.On, got.Fields)
	}
	uitest.Press(t, p, "pgup", "down", "down", "ctrl+o", "enter")
	if got := wish(t, p).Edit.(edit.Create); got.Fields["interface"] != "eth0" || got.On[1].Fields != nil {
		t.Errorf("asked once again, it is %+v", got)
	}
}

// route53Zones is a wizard whose cursor is on the hosted zone.
var route53Zone = []string{"left", "enter", "enter", "down", "down"}

func TestChoicesAreLoadedAndNarrowed(t *testing.T) {
	var asked []string
	svc := &uitest.Service{ChoicesOf: func(kit, field, node string, attrs map[string]string) ([]string, error) {
		asked = append(asked, strings.Join([]string{kit, field, node, attrs["profile"]}, " "))
		return []string{"example.com (Z1)", "example.org (Z2)", "bad\x1b[31m"}, nil
	}}
	p := Create(calm(t, svc), "service")
	uitest.Press(t, p, route53Zone...)
	if s := screen(t, p); !strings.Contains(s, "example.org (Z2)") || strings.Contains(s, "bad") {
		t.Errorf("the choices:\n%s", s)
	}
	uitest.Press(t, p, "org", "right")
	if s := screen(t, p); strings.Count(s, "example.org (Z2)") != 2 || strings.Contains(s, "(Z1)") {
		t.Errorf("narrowed and chosen:\n%s", s)
	}
	uitest.Press(t, p, "up", "ops", "down")
	want := []string{"route53 profile LK_P_A ", "route53 zone LK_P_A ", "route53 zone LK_P_A ops"}
	if len(asked) < 3 || asked[len(asked)-1] != want[2] {
		t.Errorf("asked %q, want the zones again for another profile", asked)
	}
	if s := screen(t, p); !strings.Contains(s, "example.org (Z2)") {
		t.Errorf("loading again took the answer away:\n%s", s)
	}
}

func TestChoicesThatFailOrAreNone(t *testing.T) {
	err := error(&api.Error{Kind: api.KindFailed, Message: "AccessDenied for\x1b[2J route53:ListHostedZones"})
	svc := &uitest.Service{ChoicesOf: func(string, string, string, map[string]string) ([]string, error) { return nil, err }}
	p := Create(calm(t, svc), "service")
	uitest.Press(t, p, route53Zone...)
	if s := screen(t, p); !strings.Contains(s, "AccessDenied") || !strings.Contains(s, "ctrl+r") {
		t.Errorf("why there are none:\n%s", s)
	}
	err = nil
	uitest.Press(t, p, "ctrl+r")
	if s := screen(t, p); strings.Contains(s, "nothing to choose from") || strings.Contains(s, "AccessDenied") || strings.Contains(s, "loading") {
		t.Errorf("with an empty answer it is not simply asked for:\n%s", s)
	}
	uitest.Press(t, p, "example.net", "down", "api", "down", "ip-route53", "enter")
	if got := wish(t, p).Edit.(edit.Create); got.Fields["zone"] != "example.net" {
		t.Errorf("what was typed is %v", got.Fields)
	}
}

// Where nothing but a choice can be the answer, it is told that there is none.
func TestNoChoiceWhereOneIsNeeded(t *testing.T) {
	w := Create(calm(t, &uitest.Service{}), "vpn-primary").(*Window)
	for _, only := range []bool{true, false} {
		q := question{live: &source{kit: "openswan", field: "connection", node: "VPN_P_A", only: only}}
		w.lives[q.live.key()] = &live{}
		w.choices(&q)
		if told := strings.Contains(q.Notice, "nothing to choose from"); told != only {
			t.Errorf("only %v: %q", only, q.Notice)
		}
	}
}

func TestALateAnswerOverwritesNothing(t *testing.T) {
	svc := &uitest.Service{ChoicesOf: func(_, field, _ string, _ map[string]string) ([]string, error) { return []string{"late-" + field}, nil }}
	p := Create(calm(t, svc), "service")
	uitest.Press(t, p, route53Zone[:3]...)
	p.Update(tea.KeyPressMsg{Code: tea.KeyDown})
	slow := p.Update(tea.KeyPressMsg{Code: tea.KeyDown}) // on the zone: it is being loaded
	if s := screen(t, p); !strings.Contains(s, "loading") {
		t.Errorf("no sign of loading:\n%s", s)
	}
	uitest.Press(t, p, "mine.example", "down", "api")
	uitest.Run(p, slow)
	s := screen(t, p)
	if !strings.Contains(s, "mine.example") || strings.Contains(s, "late-zone") {
		t.Errorf("the late answer shows where it does not belong:\n%s", s)
	}
	uitest.Press(t, p, "up")
	if got := p.(*Window).form.Answer("k/route53/zone"); got != "mine.example" {
		t.Errorf("the answer became %q", got)
	}
}

func TestClosingAsksOnce(t *testing.T) {
	p := Create(calm(t, &uitest.Service{}), "service")
	if got := uitest.Press(t, p, "esc"); len(got) != 1 {
		t.Errorf("nothing was typed, and esc gives %v", got)
	}
	uitest.Press(t, p, "right")
	if got := uitest.Press(t, p, "esc"); len(got) != 0 || !strings.Contains(screen(t, p), "will be lost") {
		t.Errorf("esc loses what was answered: %v", got)
	}
	uitest.Press(t, p, "left")
	if got := uitest.Press(t, p, "esc"); len(got) != 0 {
		t.Error("another key between did not take esc back")
	}
	if got := uitest.Press(t, p, "esc"); len(got) != 1 {
		t.Errorf("esc twice gives %v", got)
	}
}

func TestWhoMayNotCreate(t *testing.T) {
	c := calm(t, &uitest.Service{})
	c.Role = api.Operator
	p := Create(c, "service")
	uitest.Press(t, p, keys(kitIP, []string{"down", "space", "enter", "10.1.0.99", "enter"})...)
	got := uitest.Press(t, p, "enter")
	if len(got) != 1 || !strings.Contains(got[0].(ui.SayMsg).Text, "administrator") {
		t.Errorf("an operator gets %v", got)
	}
}

func TestWithoutAnEstate(t *testing.T) {
	s := uitest.Scene(t, uitest.Fresh)
	c := uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
	for _, p := range []ui.Page{Create(c, ""), Create(c, "service"), Extend(c, "service/www")} {
		uitest.Press(t, p, "enter", "tab", "down", "pgup", "pgdown", "ctrl+o", "x")
		screen(t, p)
	}
	if s := screen(t, Create(c, "")); !strings.Contains(s, "ferry apply") {
		t.Errorf("what to do:\n%s", s)
	}
}

func TestAfterCreate(t *testing.T) {
	c := calm(t, &uitest.Service{})
	p := Create(c, "service")
	uitest.Press(t, p, keys(kitIP, []string{"down", "space", "enter", "10.1.0.99", "enter"})...)
	w := wish(t, p)
	var question ui.Page
	closed := false
	for _, m := range uitest.Run(p, w.Then()) {
		switch m := m.(type) {
		case ui.ShowMsg:
			question = m.Window
		case ui.CloseMsg:
			closed = m.Window == p
		}
	}
	if question == nil || !closed {
		t.Fatal("the wizard is not closed, or nothing is asked")
	}
	if got := uitest.Press(t, question, "e"); len(got) != 1 || !strings.Contains(got[0].(ui.SayMsg).Text, "has not told") {
		t.Errorf("before the engine knows the resource: %v", got)
	}
	res, err := edit.Make(c.Est.Estate, c.Kits, w.Edit)
	if err != nil {
		t.Fatal(err)
	}
	s := uitest.Of(res.Estate, "LK_P_A")
	for i := range s.Resources {
		if s.Resources[i].Tag == "service/ip-1" {
			s.Resources[i].Active = ""
		}
	}
	c.Est = uitest.Context(t, s, text.English, &uitest.Service{Snap: s}).Est
	var extend ui.Page
	for _, m := range uitest.Press(t, question, "e") {
		if m, ok := m.(ui.ShowMsg); ok {
			extend = m.Window
		}
	}
	if extend == nil || !strings.Contains(extend.Title(), "service/ip-1") {
		t.Fatalf("e gives %v", extend)
	}
	for _, m := range uitest.Press(t, question, "i") {
		if m, ok := m.(ui.DoMsg); ok {
			want := &plan.Goal{Kind: plan.GoalInService, Tag: "service/ip-1", Node: "LK_P_A"}
			if !reflect.DeepEqual(m.Wish.Goal, want) {
				t.Errorf("i gives %+v", m.Wish.Goal)
			}
			return
		}
	}
	t.Error("i gives nothing")
}

func TestTheEngineIsAway(t *testing.T) {
	svc := &uitest.Service{ChoicesOf: func(string, string, string, map[string]string) ([]string, error) {
		return nil, errors.New("the engine does not answer")
	}}
	c := calm(t, svc)
	p := Create(c, "service")
	uitest.Press(t, p, keys(kitIP, []string{"down", "space", "enter", "10.1.0.99", "enter"})...)
	c.Lost = uitest.Clock
	if got := uitest.Press(t, p, "enter"); len(got) != 1 || !got[0].(ui.SayMsg).Bad {
		t.Errorf("finishing without an engine gives %v", got)
	}
}

// TestTheEstateChangesMeanwhile: what was answered and where the cursor is survive every
// new snapshot, even one without an estate.
func TestTheEstateChangesMeanwhile(t *testing.T) {
	c := calm(t, &uitest.Service{})
	was := c.Est
	p := Create(c, "service").(*Window)
	uitest.Press(t, p, keys(kitIP, []string{"down", "space", "enter", "10.1.0.99", "tab"})...)
	same := uitest.Context(t, uitest.Scene(t, uitest.Failover), text.English, &uitest.Service{}).Est
	c.Est = same
	uitest.Run(p, p.Update(ui.Fresh{}))
	if p.question() == nil || p.question().field != "netmask" {
		t.Errorf("a fresh snapshot moves the cursor:\n%s", screen(t, p))
	}
	none := uitest.Scene(t, uitest.Fresh)
	c.Est = uitest.Context(t, none, text.English, &uitest.Service{Snap: none}).Est
	uitest.Run(p, p.Update(ui.Fresh{}))
	uitest.Press(t, p, "enter", "tab", "x", "pgup")
	screen(t, p)
	c.Est = was
	uitest.Run(p, p.Update(ui.Fresh{}))
	uitest.Press(t, p, "enter", "enter", "enter")
	if w := wish(t, p); w.Edit.(edit.Create).Fields["address"] != "10.1.0.99" {
		t.Errorf("the answers are gone: %+v", w.Edit)
	}
	gone := uitest.Scene(t, uitest.Calm)
	gone.Estate.Cluster[0].Servers = []string{"LK_S_A"}
	c.Est = uitest.Context(t, gone, text.English, &uitest.Service{Snap: gone}).Est
	uitest.Run(p, p.Update(ui.Fresh{}))
	if got := p.problems(); len(got) == 0 {
		t.Error("the chosen server is no longer in the cluster, and nothing is said")
	}
}

// An Elastic IP has no IP resource: where there is none to follow, its servers are asked at
// once, and where there is one, the refusal says how they can be asked.
func TestServersOfWhatNeedsNothing(t *testing.T) {
	p := Create(calm(t, &uitest.Service{}), "vpn-primary")
	uitest.Press(t, p, keys(toEC2, []string{"enter"})...)
	if s := screen(t, p); !strings.Contains(s, "VPN_P_B") || !strings.Contains(s, "[ ]") {
		t.Fatalf("the servers are not asked:\n%s", s)
	}
	uitest.Press(t, p, "down", "down", "space", "enter", "right", "down", "down", "down", "54.0.0.1", "enter")
	if got := wish(t, p).Edit.(edit.Create); len(got.On) != 1 || got.On[0].Server != "VPN_P_A" || got.Fields["type"] != "elastic-ip" {
		t.Errorf("got %+v", got)
	}
	p = Create(calm(t, &uitest.Service{}), "service")
	uitest.Press(t, p, keys(toEC2, []string{"enter", "enter", "right", "enter"})...)
	if s := strings.Join(strings.Fields(screen(t, p)), " "); !strings.Contains(s, "switch off “Servers of what it needs”") {
		t.Errorf("nothing says what to do:\n%s", s)
	}
	uitest.Press(t, p, "pgup", "down", "space", "down", "space", "enter", "down", "down", "down", "54.0.0.1", "enter")
	if got := wish(t, p).Edit.(edit.Create); len(got.On) != 1 || got.On[0].Server != "LK_P_A" {
		t.Errorf("got %+v", got)
	}
}

// With the cursor where it begins, Tab goes round a page of two questions, and whoever
// makes a tunnel reads that its routes come along.
func TestATunnelsTwoQuestions(t *testing.T) {
	var down []string
	asked := 0
	p := Create(calm(t, tunnels(&down, &asked)), "vpn-primary").(*Window)
	uitest.Press(t, p, toOpenswan...)
	if s := strings.Join(strings.Fields(screen(t, p)), " "); !strings.Contains(s, "comes along") {
		t.Errorf("the kit's page does not say what comes along:\n%s", s)
	}
	uitest.Press(t, p, "enter")
	if s := screen(t, p); !strings.Contains(s, "nothing but what comes along") {
		t.Errorf("the servers' page does not say what comes along:\n%s", s)
	}
	uitest.Press(t, p, "down", "space", "enter", "vpn2", "tab")
	for i, want := range []string{"tag", "k/openswan/connection", "tag"} {
		if got := p.question().ID; got != want {
			t.Errorf("after %d: on %s, want %s", i+1, got, want)
		}
		uitest.Press(t, p, "tab")
	}
}
