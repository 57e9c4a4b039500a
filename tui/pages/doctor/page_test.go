package doctor_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/kits"
	page "github.com/ferry-ha/ferry/tui/pages/doctor"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// finding is one as the engine gives it.
func finding(v doctor.Verdict, check, where, said string, fix doctor.Fix, nodes ...string) doctor.Finding {
	f := doctor.Finding{Check: check, Where: where, Verdict: v, Nodes: nodes, Fix: fix}
	if said != "" {
		f.Reason = kits.Why("doctor."+check, said, "where", where)
	}
	return f
}

const sysctl = "printf 'net.ipv4.ip_forward = 1\\n' >/etc/sysctl.d/90-ferry-vpn-forwarding.conf && sysctl -q -p /etc/sysctl.d/90-ferry-vpn-forwarding.conf"

// sick is an estate with something of everything, and hostile text in it.
func sick() []doctor.Finding {
	out := []doctor.Finding{
		finding(doctor.Fail, "vpn.forwarding", "VPN_P_A", "net.ipv4.ip_forward is 0 on VPN_P_A", doctor.Fix{Text: "write it into /etc/sysctl.d on VPN_P_A", Node: "VPN_P_A", Command: sysctl, Safe: true}, "VPN_P_A"),
		finding(doctor.Fail, "aws.source-dest-check", "LK_P_B", "source/dest check of eni-0b is on, and LK_P_B carries 10.1.0.10", doctor.Fix{Text: "switch it off", Command: "aws ec2 modify-network-interface-attribute --network-interface-id eni-0b --no-source-dest-check", Safe: true, Interface: "eni-0b", Region: "ap-northeast-1"}, "LK_P_B"),
		finding(doctor.Fail, "same.users", "service", "postgres is 26 on LK_P_A and 113 on LK_P_B", doctor.Fix{Text: "usermod -u 26 postgres on LK_P_B, and chown of its files"}, "LK_P_A", "LK_P_B"),
		finding(doctor.Unknown, "node.reached", "LK_S_B", "LK_S_B could not be asked: dial tcp 172.16.10.11:22: i/o timeout\x1b[31m", doctor.Fix{Text: "look whether it runs and can be reached from the engine; ferry server show LK_S_B"}, "LK_S_B"),
		finding(doctor.Warn, "node.clock-held", "LK_P_A", "nothing holds the clock of LK_P_A right", doctor.Fix{Text: "install chrony there and start it: systemctl enable --now chrony (chronyd)"}, "LK_P_A"),
		finding(doctor.Warn, "vpn.secrets", "VPN_S_A", "/etc/ipsec.secrets can be read by others on VPN_S_A", doctor.Fix{Text: "chmod 600 /etc/ipsec.secrets", Node: "VPN_S_A", Command: "chmod 600 '/etc/ipsec.\u202esecrets'", Safe: true}, "VPN_S_A"),
	}
	return append(out, healthy()...)
}

func healthy() []doctor.Finding {
	var out []doctor.Finding
	for _, n := range []string{"LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B"} {
		out = append(out, finding(doctor.Pass, "node.tools", n, "", doctor.Fix{}, n), finding(doctor.Pass, "node.space", n, "", doctor.Fix{}, n))
	}
	return out
}

// patient is a doctor that finds what it is given, and whose fixes help.
func patient(t testing.TB, found []doctor.Finding) *uitest.Doctor {
	s := uitest.Scene(t, uitest.Calm)
	d := &uitest.Doctor{Service: &uitest.Service{Snap: s}}
	d.ExamineOf = func(q api.Examination) (*api.Diagnosis, error) {
		out := &api.Diagnosis{At: uitest.Ago(12 * time.Second), Took: 1400 * time.Millisecond, Trips: 1}
		for _, f := range found {
			if len(q.Nodes) == 0 || slices.ContainsFunc(f.Nodes, func(n string) bool { return slices.Contains(q.Nodes, n) }) {
				out.Findings = append(out.Findings, f)
			}
		}
		return out, nil
	}
	d.MendOf = func(m api.Mending) (*api.Mended, error) {
		check, where, _ := strings.Cut(m.Finding, "@")
		return &api.Mended{Gone: true, After: []doctor.Finding{finding(doctor.Pass, check, where, "", doctor.Fix{}, where)}, Output: "done\x1b]0;x\x07"}, nil
	}
	return d
}

// opened is the page after it has examined.
func opened(c *ui.Context, arg string) *page.Page {
	p := page.New(c, arg)
	uitest.Run(p, p.Init())
	return p
}

func at(t *testing.T, found []doctor.Finding) (*uitest.Doctor, *ui.Context, *page.Page) {
	t.Helper()
	d := patient(t, found)
	c := uitest.Context(t, d.Snap, text.English, d)
	return d, c, opened(c, "")
}

func TestScreens(t *testing.T) {
	for _, x := range []struct {
		name, arg string
		found     []doctor.Finding
		keys      []string
	}{
		{"sick", "", sick(), nil},
		{"detail", "", sick(), []string{"down", "down", "enter"}},
		{"passed", "LK_P_A", sick(), []string{"a"}},
		{"healthy", "", healthy(), nil},
	} {
		s := uitest.Scene(t, uitest.Calm)
		uitest.Golden(t, x.name, s, func(c *ui.Context) ui.Page {
			p := opened(uitest.Context(t, s, c.Printer.Lang, patient(t, x.found)), x.arg)
			uitest.Press(t, p, x.keys...)
			return p
		})
	}
}

func TestScreenWhileItRuns(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	uitest.Golden(t, "running", s, func(c *ui.Context) ui.Page {
		p := page.New(uitest.Context(t, s, c.Printer.Lang, patient(t, nil)), "")
		p.Init() // and nothing comes back yet
		return p
	})
}

func TestScreenOfTheFix(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	uitest.Golden(t, "mend", s, func(c *ui.Context) ui.Page {
		p := opened(uitest.Context(t, s, c.Printer.Lang, patient(t, sick())), "VPN_P_A")
		return window(t, uitest.Press(t, p, "x"))
	})
}

// window is the one that a key opened.
func window(t *testing.T, msgs []tea.Msg) ui.Page {
	t.Helper()
	for _, m := range msgs {
		if s, ok := m.(ui.ShowMsg); ok {
			return s.Window
		}
	}
	t.Fatalf("no window was opened: %v", msgs)
	return nil
}

func shows(t *testing.T, p ui.Page, words ...string) {
	t.Helper()
	screen := uitest.Screen(t, p, 200, 57)
	for _, w := range words {
		if !strings.Contains(screen, w) {
			t.Errorf("the page does not say %q:\n%s", w, screen)
		}
	}
}

func hides(t *testing.T, p ui.Page, words ...string) {
	t.Helper()
	screen := uitest.Screen(t, p, 200, 57)
	for _, w := range words {
		if strings.Contains(screen, w) {
			t.Errorf("the page says %q:\n%s", w, screen)
		}
	}
}

func off(t *testing.T, p ui.Page, id string) string {
	t.Helper()
	for _, a := range p.Actions() {
		if a.ID == id {
			return a.Off
		}
	}
	t.Fatalf("no action %s", id)
	return ""
}

// goTo moves the cursor to the finding of a check.
func goTo(t *testing.T, p ui.Page, check string) {
	t.Helper()
	uitest.Press(t, p, "home")
	for range 20 {
		if strings.Contains(uitest.Screen(t, p, 200, 57), ": "+check+"  ") {
			return
		}
		uitest.Press(t, p, "down")
	}
	t.Fatalf("the cursor does not come to %s", check)
}

// Only the key, and then the window's, carries a fix out: the very command, nothing else.
func TestMending(t *testing.T) {
	d, _, p := at(t, sick())
	goTo(t, p, "vpn.forwarding")
	w := window(t, uitest.Press(t, p, "x"))
	shows(t, w, sysctl, "On VPN_P_A, as root:")
	if len(d.Asked()) != 0 {
		t.Fatalf("asked %v before anybody said yes", d.Asked())
	}
	if got := uitest.Press(t, w, "esc"); len(got) != 1 || got[0] != (ui.CloseMsg{Window: w}) {
		t.Errorf("esc gives %v", got)
	}
	if len(d.Asked()) != 0 {
		t.Fatalf("esc asked %v", d.Asked())
	}
	msg := w.Do("go")() // every page and window hears it
	w.Update(msg)
	p.Update(msg)
	if want := []any{api.Mending{Finding: "vpn.forwarding@VPN_P_A", Command: sysctl, Nodes: []string{"VPN_P_A"}}}; !reflect.DeepEqual(d.Asked(), want) {
		t.Errorf("asked %v", d.Asked())
	}
	shows(t, w, "Put right", "done")
	hides(t, p, "ip_forward is 0")
	if uitest.Press(t, w, "enter"); len(d.Asked()) != 1 {
		t.Error("enter sent it a second time")
	}
}

func TestWhatIsNotMended(t *testing.T) {
	d, c, p := at(t, sick())
	for check, want := range map[string]string{"same.users": "does not mend", "vpn.secrets": "cannot be shown", "vpn.forwarding": ""} {
		goTo(t, p, check)
		if got := off(t, p, "mend"); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("mending %s is off because %q", check, got)
		}
	}
	goTo(t, p, "vpn.forwarding")
	c.Role = api.Operator
	if off(t, p, "mend") == "" {
		t.Error("an operator may mend")
	}
	c.Role, c.ReadOnly = api.Administrator, true
	if off(t, p, "mend") == "" || off(t, p, "again") != "" {
		t.Error("who only looks may mend, or may not examine")
	}
	c.ReadOnly, d.Err = false, &api.Error{Kind: api.KindUnsafe, Message: "what would mend it is not what was shown any more"}
	w := window(t, uitest.Press(t, p, "x"))
	uitest.Press(t, w, "enter")
	shows(t, w, "not what was shown any more")
	hides(t, w, "not known whether")
	shows(t, p, "ip_forward is 0")
}

// A lost answer is no refusal: it may have been done.
func TestMendingWithoutAnAnswer(t *testing.T) {
	d, _, p := at(t, sick())
	goTo(t, p, "vpn.forwarding")
	d.Err = &api.Error{Kind: api.KindTimeout, Message: "no answer"}
	w := window(t, uitest.Press(t, p, "x"))
	uitest.Press(t, w, "enter")
	shows(t, w, "not known whether the engine carried it out")
}

func TestGuestsDoNotExamine(t *testing.T) {
	d := patient(t, sick())
	c := uitest.Context(t, d.Snap, text.English, d)
	c.Role = api.Guest
	p := page.New(c, "")
	if cmd := p.Init(); cmd != nil {
		t.Error("a guest's page examines")
	}
	shows(t, p, "operator")
}

func TestNoDoctor(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	p := opened(uitest.Context(t, s, text.English, &uitest.Service{Snap: s}), "")
	shows(t, p, "cannot examine an estate")
}

// What was found stays when looking again comes to nothing, with its age.
func TestAgain(t *testing.T) {
	d, _, p := at(t, sick())
	goTo(t, p, "node.clock-held")
	first := d.ExamineOf
	d.ExamineOf = func(api.Examination) (*api.Diagnosis, error) { return nil, errors.New("the line \x1b is cut") }
	uitest.Press(t, p, "ctrl+r")
	hides(t, p, "\x1b")
	shows(t, p, "is cut", "ip_forward is 0", "12s ago")
	d.ExamineOf = first
	cmd := p.Do("again")
	if off(t, p, "again") == "" {
		t.Error("two examinations at once")
	}
	uitest.Run(p, cmd)
	hides(t, p, "is cut")
	shows(t, p, ": node.clock-held  ") // the cursor is where it was
	late := p.Do("again")
	newer := p.Do("again")
	uitest.Run(p, newer)
	d.ExamineOf = func(api.Examination) (*api.Diagnosis, error) { return nil, errors.New("late") }
	uitest.Run(p, late)
	hides(t, p, "late")
}

func TestPassedAndFilter(t *testing.T) {
	_, _, p := at(t, sick())
	hides(t, p, "node.tools")
	uitest.Press(t, p, "a")
	shows(t, p, "node.tools", "8 passed")
	p.Filter("lk_p_b")
	hides(t, p, "VPN_P_A")
	shows(t, p, "LK_P_B")
	p.Filter("nothing like it")
	shows(t, p, "No finding matches")
}

func TestCopyAndServer(t *testing.T) {
	_, _, p := at(t, sick())
	goTo(t, p, "vpn.forwarding")
	if got := uitest.Press(t, p, "y"); len(got) != 1 || got[0].(ui.CopyMsg).Text != sysctl {
		t.Errorf("y gives %v", got)
	}
	if got := uitest.Press(t, p, "s"); len(got) != 1 || got[0] != (ui.GoMsg{Kind: ui.Server, Arg: "VPN_P_A"}) {
		t.Errorf("s gives %v", got)
	}
	goTo(t, p, "vpn.secrets")
	if got := uitest.Press(t, p, "y"); len(got) != 1 || got[0].(ui.CopyMsg).Text != "ferry doctor --check vpn.secrets" {
		t.Errorf("y gives %v", got)
	}
	goTo(t, p, "same.users")
	if off(t, p, "server") == "" {
		t.Error("a finding about two servers leads to one")
	}
}

// The cursor is never on a group's heading, whichever way it goes.
func TestCursor(t *testing.T) {
	_, _, p := at(t, sick())
	for _, keys := range [][]string{{"home"}, {"down", "down", "down"}, {"up"}, {"end"}, {"up", "up", "up"}, {"pgup"}, {"pgdown"}} {
		uitest.Screen(t, p, 80, 21)
		uitest.Press(t, p, keys...)
		if off(t, p, "open") != "" {
			t.Errorf("after %v there is nothing under the cursor", keys)
		}
	}
}

func TestSmall(t *testing.T) {
	_, _, p := at(t, sick())
	for _, z := range [][2]int{{60, 13}, {60, 5}, {30, 3}, {1, 1}} {
		uitest.Screen(t, p, z[0], z[1])
	}
}
