package hierarchy

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	now := figure1()
	now.Tuning = map[string]string{"CONFIRMSODEF": "1", "LKCHECKINTERVAL": "360"}
	now.Servers[0].SSH.Port = 2222
	now.Servers[1].SwitchOnShutdown = true
	now.Servers[4].Tuning = map[string]string{"LKCHECKINTERVAL": "260"}
	now.Flags = []Flag{{Viewer: "LK_P_A", Peer: "LK_S_A", Confirm: true}}
	now.Res[1].On[0].Attrs["address"] = "10.1.0.11"
	now.Res[2].On[0].Priority, now.Res[2].On[1].Priority = 2, 1
	now.Res = now.Res[1:]
	var lines []string
	for _, c := range Diff(figure1(), now) {
		lines = append(lines, fmt.Sprintf("%s %s: %q → %q", c.Op, c.What, c.From, c.To))
	}
	want := `add tuning LKCHECKINTERVAL: "" → "360"
change server LK_P_A: ssh.port: "" → "2222"
change server LK_P_B: on_shutdown: "do not switch over" → "switch over"
add tuning LKCHECKINTERVAL of server VPN_P_A: "" → "260"
change resource service/ip-route53: on.LK_P_A.address: "10.1.0.10" → "10.1.0.11"
change resource service/ec2-route53: on.LK_P_A: "priority 1" → "priority 2"
change resource service/ec2-route53: on.LK_P_B: "priority 2" → "priority 1"
add flag on LK_P_A for LK_S_A: "" → "confirm"
remove resource service/www: "kit app on LK_P_A, LK_P_B, LK_S_A, LK_S_B" → ""`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestDiffOfEqualDefinitionsIsEmpty(t *testing.T) {
	shuffled := figure1()
	shuffled.Res[0], shuffled.Res[2] = shuffled.Res[2], shuffled.Res[0]
	shuffled.Servers[0], shuffled.Servers[3] = shuffled.Servers[3], shuffled.Servers[0]
	on := shuffled.Res[0].On
	on[0], on[3] = on[3], on[0]
	if c := Diff(figure1(), shuffled); len(c) != 0 {
		t.Errorf("order counts: %v", c)
	}
}

// TestDiffSeesEveryField changes each string, number and boolean of a full
// definition in turn: a field that Diff forgets would be applied unseen.
func TestDiffSeesEveryField(t *testing.T) {
	full := func() *Estate {
		e := figure1()
		e.SSH = SSH{"u", 22, "i", "k", "j", "c"}
		e.Regions[0] = Region{"r", "v", []string{"c"}, "p", "e", "d", []string{"t"}}
		e.Servers[0].SSH, e.Servers[0].Tuning = e.SSH, map[string]string{"A": "1"}
		e.Cluster[0] = Cluster{"service", []string{"LK_P_A"}, "m", []string{"h"}, false, "f"}
		e.Paths = []CommPath{{"service", "a", "b", "1", "2", 3, "v"}}
		e.Flags = []Flag{{"a", "b", false, false}}
		e.Res[0].Attrs = map[string]string{"start": "x"}
		return e
	}
	n := 0
	for {
		e := full()
		left := n
		where, done := poke(reflect.ValueOf(e).Elem(), "Estate", &left)
		if !done {
			break
		}
		if len(Diff(full(), e)) == 0 {
			t.Errorf("a change of %s goes unnoticed", where)
		}
		n++
	}
	if n < 60 {
		t.Errorf("only %d values were changed", n)
	}
}

// poke changes the n-th plain value below v and tells where it was.
func poke(v reflect.Value, path string, n *int) (string, bool) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if w, ok := poke(v.Field(i), path+"."+v.Type().Field(i).Name, n); ok {
				return w, true
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if w, ok := poke(v.Index(i), fmt.Sprintf("%s[%d]", path, i), n); ok {
				return w, true
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if *n--; *n < 0 {
				v.SetMapIndex(k, reflect.ValueOf("changed"))
				return path + "[" + k.String() + "]", true
			}
		}
	default:
		if *n--; *n >= 0 {
			return "", false
		}
		switch v.Kind() {
		case reflect.String:
			v.SetString("changed")
		case reflect.Int:
			v.SetInt(77)
		case reflect.Bool:
			v.SetBool(!v.Bool())
		}
		return path, true
	}
	return "", false
}
