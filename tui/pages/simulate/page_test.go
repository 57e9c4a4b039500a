package simulate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

func open(t testing.TB, scene string, keys ...string) (*Page, *ui.Context, *uitest.Service) {
	t.Helper()
	s := uitest.Scene(t, scene)
	svc := &uitest.Service{Snap: s}
	c := uitest.Context(t, s, text.English, svc)
	p := New(c, "")
	uitest.Run(p, p.Init())
	p.ticks(t, keys...)
	return p, c, svc
}

// ticks puts the cursor on rows by their keys, and presses space on each.
func (p *Page) ticks(t testing.TB, keys ...string) {
	t.Helper()
	for _, k := range keys {
		p.derive()
		at := slices.IndexFunc(p.rows, func(r row) bool { return r.key == k })
		if at < 0 {
			t.Fatalf("there is no row %q", k)
		}
		p.list.At, p.key = at, k
		uitest.Press(t, p, "space")
	}
}

func (p *Page) said(t testing.TB) string {
	t.Helper()
	p.derive()
	return strings.Join(strings.Fields(strings.Join(p.lines(100), " ")), " ")
}

func TestGolden(t *testing.T) {
	for _, x := range []struct {
		name, scene string
		keys        []string
		read        bool
	}{
		{"begin", uitest.Calm, nil, false},
		{"one-node", uitest.Calm, []string{"node LK_P_A"}, false},
		{"one-node-read", uitest.Calm, []string{"node LK_P_A"}, true},
		{"region", uitest.Calm, []string{"region ap-northeast-1"}, true},
		{"service-nodes", uitest.Calm, []string{"node LK_P_A", "node LK_P_B"}, true},
		{"resource", uitest.Calm, []string{"res service/www"}, true},
		{"repaired", uitest.Calm, []string{"works", "res service/www"}, false},
		{"failover", uitest.Failover, []string{"node LK_P_B"}, true},
		{"trouble", uitest.Trouble, []string{"node LK_P_A"}, true},
		{"fresh", uitest.Fresh, nil, false},
	} {
		uitest.Golden(t, x.name, uitest.Scene(t, x.scene), func(c *ui.Context) ui.Page {
			p := New(c, "")
			uitest.Run(p, p.Init())
			p.ticks(t, x.keys...)
			if x.read {
				p.Do("read")
			}
			return p
		})
	}
}

func TestOneNodeFailsOverByItself(t *testing.T) {
	p, _, svc := open(t, uitest.Calm, "node LK_P_A")
	got := p.said(t)
	for _, want := range []string{"If LK_P_A is lost:", "It moves by itself; nobody is asked.", "LK_P_A → LK_P_B", "LK_S_A could take it, but LK_P_B has the better priority"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not said:\n%s", want, got)
		}
	}
	if len(svc.Asked()) > 0 {
		t.Errorf("the engine was asked for %v", svc.Asked())
	}
}

// Of a region's service nodes that are lost the other region has its own eyes as long as
// a tunnel works; with the VPN nodes lost as well it has none, and nobody is asked.
func TestARegionAsksAPerson(t *testing.T) {
	p, _, _ := open(t, uitest.Calm, "region ap-northeast-1")
	if got := p.said(t); !strings.Contains(got, "Nothing moves, and nobody is asked.") {
		t.Errorf("without a tunnel:\n%s", got)
	}
	p, _, _ = open(t, uitest.Calm, "node LK_P_A", "node LK_P_B")
	got := p.said(t)
	for _, want := range []string{"A PERSON WOULD BE ASKED", "(only after a person's yes)", "LK_P_A → LK_S_A"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not said:\n%s", want, got)
		}
	}
}

func TestZonesAndRegionsStandForTheirServers(t *testing.T) {
	p, _, _ := open(t, uitest.Calm, "node LK_P_A", "node VPN_P_A")
	marks := func() map[string]string {
		p.derive()
		out := map[string]string{}
		for i := range p.rows {
			out[p.rows[i].key] = p.box(&p.rows[i])
		}
		return out
	}
	m := marks()
	if m["zone ap-northeast-1 ap-northeast-1a"] != p.c.On || m["region ap-northeast-1"] != p.c.Skipped || m["region ap-southeast-1"] != p.c.Off {
		t.Errorf("marks: %v", m)
	}
	p.ticks(t, "region ap-northeast-1")
	if m = marks(); m["node LK_P_B"] != p.c.On || m["zone ap-northeast-1 ap-northeast-1c"] != p.c.On {
		t.Errorf("the region ticks its servers: %v", m)
	}
	p.ticks(t, "region ap-northeast-1")
	if m = marks(); m["node LK_P_A"] != p.c.Off || p.asked != "" || p.out != nil {
		t.Errorf("and unticks them: %v, %q", m, p.asked)
	}
}

func TestWhatIsLostNowIsLostInIt(t *testing.T) {
	p, _, _ := open(t, uitest.Failover)
	if got := p.said(t); !strings.Contains(got, "If LK_P_A is lost:") {
		t.Errorf("LK_P_A is lost now:\n%s", got)
	}
	p.ticks(t, "node LK_P_B")
	if got := p.said(t); !strings.Contains(got, "A PERSON WOULD BE ASKED") {
		t.Errorf("with LK_P_B lost, too:\n%s", got)
	}
	p.ticks(t, "node LK_P_A") // as if it were back
	if got := p.said(t); !strings.Contains(got, "LK_P_B → LK_P_A") {
		t.Errorf("with LK_P_A there:\n%s", got)
	}
	uitest.Press(t, p, "x")
	if p.asked != "" || p.down("LK_P_A") {
		t.Errorf("x leaves %q", p.asked)
	}
}

func TestRepairOnTheSpot(t *testing.T) {
	p, _, _ := open(t, uitest.Calm, "res service/www")
	if got := p.said(t); !strings.Contains(got, "LK_P_A → LK_P_B") {
		t.Errorf("beyond repair:\n%s", got)
	}
	p.ticks(t, "works")
	if got := p.said(t); !strings.Contains(got, "repaired on the spot; nothing moves") {
		t.Errorf("repaired:\n%s", got)
	}
}

func TestCommand(t *testing.T) {
	p, _, _ := open(t, uitest.Calm, "node LK_P_A", "res service/www", "works")
	out := uitest.Press(t, p, "y")
	want := "ferry export | ferry simulate -f - --active service=LK_P_A --active vpn-primary=VPN_P_A --active vpn-standby=VPN_S_A --fail node=LK_P_A --fail resource=service/www@LK_P_A --repair-works"
	if len(out) != 1 || out[0].(ui.CopyMsg).Text != strings.ReplaceAll(want, " --active vpn-primary=VPN_P_A --active vpn-standby=VPN_S_A", vpn(p)) {
		t.Errorf("copied %v", out)
	}
}

// vpn is what the example says about the clusters of VPN nodes, if they have resources.
func vpn(p *Page) string {
	s := ""
	for _, w := range p.situation().active {
		if strings.HasPrefix(w, "vpn-") {
			s += " --active " + w
		}
	}
	return s
}

// The command's words describe the very situation that was simulated.
func TestCommandMeansTheSame(t *testing.T) {
	for _, scene := range []string{uitest.Calm, uitest.Failover, uitest.Trouble} {
		p, c, _ := open(t, scene, "node LK_P_A", "res service/ip-route53")
		s := p.situation()
		im, err := policy.Imagine(c.Est.Index, s.active, s.fails)
		if err != nil {
			t.Fatal(err)
		}
		im.Unrepairable = s.imagined.Unrepairable
		a, err := policy.Simulate(c.Est.Index.Estate(), c.Kits, c.Now, im)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := fmt.Sprint(a.Decisions), fmt.Sprint(p.out.out.Decisions); got != want {
			t.Errorf("%s: the command would decide %s, the page %s", scene, got, want)
		}
	}
}

func TestNothingTicked(t *testing.T) {
	p, _, _ := open(t, uitest.Calm)
	for _, a := range p.Actions() {
		if a.ID != "tick" && a.Off == "" {
			t.Errorf("%s can be done with nothing ticked", a.ID)
		}
	}
	uitest.Press(t, p, "enter", "y", "x", "tab", "right")
	if p.reading {
		t.Error("there is nothing to read")
	}
}

func TestReadingAndBack(t *testing.T) {
	p, _, _ := open(t, uitest.Calm, "node LK_P_A")
	p.View(80, 21)
	uitest.Press(t, p, "enter")
	if !p.reading {
		t.Fatal("enter does not read")
	}
	p.View(80, 21)
	uitest.Press(t, p, "pgdown")
	if p.scroll.Top == 0 {
		t.Error("the result does not scroll")
	}
	uitest.Press(t, p, "esc")
	if p.reading {
		t.Error("esc does not go back to the list")
	}
	if uitest.Press(t, p, "space"); p.asked != "" {
		t.Error("the cursor is not where it was")
	}
}

func TestFilterNarrowsTheList(t *testing.T) {
	p, _, _ := open(t, uitest.Calm)
	p.Filter("lk_s")
	p.derive()
	for _, r := range p.rows {
		if !strings.Contains(r.name, "LK_S") {
			t.Errorf("%q is shown", r.name)
		}
	}
	uitest.Press(t, p, "space")
	if !p.down("LK_S_A") {
		t.Error("what is under the cursor is not ticked")
	}
	p.Filter("no such thing")
	uitest.Screen(t, p, 80, 21)
	uitest.Press(t, p, "space", "down", "G")
}

// What is in service changes: the result follows, and the cursor stays.
func TestFollowsTheEstate(t *testing.T) {
	p, c, _ := open(t, uitest.Calm, "node LK_P_B")
	if got := p.said(t); !strings.Contains(got, "Nothing moves") {
		t.Errorf("LK_P_B holds nothing:\n%s", got)
	}
	s := uitest.Scene(t, uitest.Calm)
	for i := range s.Resources {
		if strings.HasPrefix(string(s.Resources[i].Tag), "service/") {
			s.Resources[i].Active = "LK_P_B"
		}
	}
	c.Est = model.New(s, uitest.Kits())
	uitest.Run(p, p.Update(ui.Fresh{}))
	if got := p.said(t); !strings.Contains(got, "LK_P_B → LK_P_A") {
		t.Errorf("now it holds the service:\n%s", got)
	}
	if p.current().key != "node LK_P_B" {
		t.Errorf("the cursor is on %s", p.current().key)
	}
	// The same snapshot again runs nothing; a new definition does.
	if cmd := p.Update(ui.Fresh{}); cmd != nil {
		t.Error("it runs although nothing changed")
	}
	p.Update(ui.Happened{Event: api.Event{Event: policy.Event{Kind: "definition"}}})
	if cmd := p.Update(ui.Fresh{}); cmd == nil {
		t.Error("a new definition changes nothing")
	}
}

// While a run is under way another tick waits for its end, and then only the last
// situation counts.
func TestOneRunAtATime(t *testing.T) {
	p, _, _ := open(t, uitest.Calm)
	p.nodes["LK_P_A"] = true
	first := p.run()
	p.nodes["LK_P_B"] = true
	if p.run() != nil {
		t.Fatal("two runs at once")
	}
	uitest.Run(p, first)
	if got := p.said(t); !strings.Contains(got, "LK_P_A, LK_P_B are lost") {
		t.Errorf("the last situation is not shown:\n%s", got)
	}
}

// A parent that runs where its child does not cannot be imagined: it is left out and said.
func TestTornHierarchyIsLeftOut(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	for i := range s.Resources {
		if s.Resources[i].Tag == "service/ip-route53" {
			s.Resources[i].Active = "LK_P_B"
		}
	}
	c := uitest.Context(t, s, text.English, nil)
	p := New(c, "")
	p.ticks(t, "node LK_P_A", "res service/www")
	got := p.said(t)
	if !strings.Contains(got, "Left out: 3 resources") || strings.Contains(got, "cannot be imagined") {
		t.Errorf("not said:\n%s", got)
	}
}

// Where the estate of now differs from the imagined one, that is said.
func TestWhatIsLeftOutIsSaid(t *testing.T) {
	p, _, _ := open(t, uitest.Trouble, "node LK_P_A")
	got := p.said(t)
	for _, want := range []string{"Automation is off now", "A maintenance hold is in force now", "not known now: LK_S_A, LK_S_B"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not said:\n%s", want, got)
		}
	}
	p, _, _ = open(t, uitest.Calm, "node LK_P_A")
	if got = p.said(t); strings.Contains(got, "now") {
		t.Errorf("nothing is left out:\n%s", got)
	}
}

func TestErrorsAreSaid(t *testing.T) {
	p, _, _ := open(t, uitest.Calm, "node LK_P_A")
	p.out = &result{situation: p.situation(), err: fmt.Errorf("bad \x1b[2J thing")}
	if got := p.said(t); !strings.Contains(got, "cannot be imagined") || strings.ContainsRune(strings.ReplaceAll(got, "\x1b[", ""), 0x1b) {
		t.Errorf("%q", got)
	}
	uitest.Screen(t, p, 80, 21)
	uitest.Screen(t, p, 120, 37)
}

func large(tb testing.TB, n int) *Page {
	c := uitest.Context(tb, uitest.Large(n), text.English, nil)
	return New(c, "")
}

func TestManyResources(t *testing.T) {
	p := large(t, 300)
	p.ticks(t, "node NODE_01")
	if p.out == nil || p.out.err != nil {
		t.Fatalf("%+v", p.out)
	}
	p.Do("read")
	for range 20 {
		uitest.Screen(t, p, 80, 21)
		uitest.Press(t, p, "pgdown")
	}
}

// Ten thousand are decided with the tick.
func TestTenThousandResources(t *testing.T) {
	p := large(t, 10_000)
	p.ticks(t, "res service/app-00000")
	if p.out == nil || p.out.err != nil || len(p.out.out.Decisions) == 0 {
		t.Fatalf("%+v", p.out)
	}
}

// In a still larger estate a tick decides nothing by itself.
func TestVeryManyResourcesWaitForEnter(t *testing.T) {
	p := large(t, atOnce+1)
	p.ticks(t, "node NODE_16") // where nothing is in service
	if p.out != nil || p.running || !strings.Contains(p.said(t), "Press enter") {
		t.Fatalf("running %v: %s", p.running, p.said(t))
	}
	cmd := p.Do("read")
	if !p.running || !strings.Contains(p.said(t), "deciding") {
		t.Fatalf("enter does not run it: %s", p.said(t))
	}
	uitest.Run(p, cmd)
	if p.out == nil || p.out.err != nil || !strings.Contains(p.said(t), "Nothing moves") {
		t.Errorf("%+v", p.out)
	}
	p.Do("choose")
	p.ticks(t, "node NODE_15")
	if p.running || !strings.Contains(p.said(t), "Press enter") {
		t.Errorf("another tick: %s", p.said(t))
	}
	uitest.Press(t, p, "x")
	if p.out != nil || p.want != "" {
		t.Error("x leaves something")
	}
}

func BenchmarkView(b *testing.B) {
	for _, n := range []int{10, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := large(b, n)
			for b.Loop() {
				p.View(200, 57)
			}
		})
	}
}

// What a tick costs the screen, and the run beside it: of one resource, of the server that
// holds everything, of its whole region, whose loss asks a person about every hierarchy.
func BenchmarkTick(b *testing.B) {
	for _, n := range []int{10, 1000, 10000} {
		for _, what := range []string{"res service/app-00000", "node NODE_01", "region ap-northeast-1"} {
			p := large(b, n)
			p.derive()
			for i := range p.rows {
				if p.rows[i].key == what {
					p.tick(&p.rows[i])
				}
			}
			b.Run(fmt.Sprint("situation/", what, "/", n), func(b *testing.B) {
				for b.Loop() {
					p.situation()
				}
			})
			s := p.situation()
			b.Run(fmt.Sprint("simulate/", what, "/", n), func(b *testing.B) {
				for b.Loop() {
					out, err := policy.SimulateOn(p.c.Est.Index, p.c.Kits, p.c.Now, s.imagined)
					if err != nil || len(out.Decisions) == 0 {
						b.Fatal("nothing decided", err)
					}
				}
			})
		}
	}
}

// In ASCII nothing else is drawn, whatever the window.
func TestASCII(t *testing.T) {
	p, c, _ := open(t, uitest.Calm, "node LK_P_A")
	*c.Theme = *theme.New(theme.Mono, true)
	for _, w := range []int{54, 74, 110, 200} {
		for i, r := range uitest.Screen(t, p, w, 30) {
			if r > 0x7e {
				t.Fatalf("%d columns: %q at %d", w, r, i)
			}
		}
	}
}
