package wizard

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// toSummary leads to the summary of an ip on LK_P_A and LK_S_A.
var toSummary = keys(kitIP, []string{"down", "space", "down", "down", "space", "enter"}, []string{"10.1.0.99", "down", "10.2.0.99", "enter"})

// surgery is a wizard before a doctor, and what the doctor was asked.
func surgery(t *testing.T, l text.Lang, found []doctor.Finding, err error) (*Window, *[]api.Examination) {
	t.Helper()
	var asked []api.Examination
	s := uitest.Scene(t, uitest.Calm)
	d := &uitest.Doctor{Service: &uitest.Service{Snap: s}, ExamineOf: func(e api.Examination) (*api.Diagnosis, error) {
		asked = append(asked, e)
		return &api.Diagnosis{At: uitest.Clock, Findings: found}, err
	}}
	return Create(uitest.Context(t, s, l, d), "service").(*Window), &asked
}

func said(v doctor.Verdict, check, text, command string) doctor.Finding {
	return doctor.Finding{Check: check, Where: "LK_P_A", Nodes: []string{"LK_P_A"}, Verdict: v, Reason: kits.Why("doctor."+check, text),
		Fix: doctor.Fix{Text: "mend it", Node: "LK_P_A", Command: command}}
}

// What speaks against the wish stands at the top of the summary, with the fix; the doctor
// is asked once, about the servers concerned, and keeps nobody from going on.
func TestTheDoctorBeforeAChange(t *testing.T) {
	p, asked := surgery(t, text.English, []doctor.Finding{
		said(doctor.Fail, "node.space", "no space \x1b[1mleft", "rm -rf /var/tmp/old"), said(doctor.Unknown, "node.hosts", "it did not say", ""),
		said(doctor.Fail, "mirror.disks", "too small", ""), said(doctor.Warn, "node.clock-held", "wrong clock", ""), said(doctor.Pass, "node.tools", "", "")}, nil)
	uitest.Press(t, p, toSummary[:len(toSummary)-1]...)
	if len(*asked) != 0 {
		t.Fatal("the doctor was asked before the summary")
	}
	uitest.Press(t, p, toSummary[len(toSummary)-1])
	if len(*asked) != 1 || !slices.Equal((*asked)[0].Nodes, []string{"LK_P_A", "LK_S_A"}) {
		t.Fatalf("the doctor was asked %+v", *asked)
	}
	s := screen(t, p)
	for _, want := range []string{"What doctor finds against it", "FAIL: node.space  LK_P_A", "How to mend: mend it", "On LK_P_A, as root: rm -rf /var/tmp/old", "UNKNOWN: node.hosts", "Doctor finds 1 thing against it"} {
		if !strings.Contains(s, want) {
			t.Errorf("the summary lacks %q:\n%s", want, s)
		}
	}
	for _, never := range []string{"mirror.disks", "clock-held", "node.tools"} {
		if strings.Contains(s, never) {
			t.Errorf("the summary speaks of %s:\n%s", never, s)
		}
	}
	if got := uitest.Press(t, p, "pgup", "enter", "enter"); len(got) != 1 {
		t.Errorf("going on gives %v", got)
	} else if _, ok := got[0].(ui.DoMsg); !ok {
		t.Errorf("going on gives %T", got[0])
	}
	if len(*asked) != 1 {
		t.Errorf("the same was asked again: %+v", *asked)
	}
}

// While it looks, and when it finds nothing or cannot look, one line says so.
func TestTheDoctorsLine(t *testing.T) {
	for _, x := range []struct {
		lang  text.Lang
		found []doctor.Finding
		err   error
		want  string
	}{
		{text.English, nil, nil, "finds nothing against it"},
		{text.Japanese, nil, nil, "支障は見つかりませんでした"},
		{text.English, nil, errors.New("the line is cut"), "could not look: the line is cut"},
		{text.English, []doctor.Finding{said(doctor.Unknown, "node.reached", "no answer", "")}, nil, "could not make 1 check"},
	} {
		p, _ := surgery(t, x.lang, x.found, x.err)
		uitest.Press(t, p, toSummary...)
		if s := screen(t, p); !strings.Contains(s, x.want) {
			t.Errorf("the summary lacks %q:\n%s", x.want, s)
		}
		if a := p.finishing(); a.ID != "finish" || a.Off != "" {
			t.Errorf("%s: one cannot go on: %+v", x.want, a)
		}
	}
	p, _ := surgery(t, text.English, nil, nil)
	uitest.Press(t, p, toSummary...)
	clear(p.checkups)
	cmd := p.examine()
	if s := screen(t, p); cmd == nil || !strings.Contains(s, "you need not wait") {
		t.Errorf("the summary does not say that the doctor looks:\n%s", s)
	}
	if a := p.finishing(); a.Off != "" {
		t.Errorf("the doctor is waited for: %s", a.Off)
	}
}

// An engine that is no doctor is not spoken of.
func TestWithoutADoctor(t *testing.T) {
	c := calm(t, &uitest.Service{})
	p := Create(c, "service").(*Window)
	uitest.Press(t, p, toSummary...)
	if s := screen(t, p); strings.Contains(strings.ToLower(s), "doctor") {
		t.Errorf("the summary speaks of a doctor:\n%s", s)
	}
}
