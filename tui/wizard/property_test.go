package wizard

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// drawn is a kit of which nothing is known but its fields.
type drawn struct {
	name   string
	fields []kits.Field
}

func (d drawn) Name() string                                   { return d.name }
func (drawn) Traits() kits.Traits                              { return kits.Traits{} }
func (d drawn) Fields() []kits.Field                           { return d.fields }
func (drawn) Tunables() []kits.Tunable                         { return nil }
func (drawn) Validate(kits.Instance) []kits.Problem            { return nil }
func (drawn) Effects(kits.Action, kits.Instance) []kits.Effect { return nil }
func (drawn) Timeout(kits.Action, kits.Instance) time.Duration { return time.Second }
func (drawn) Eligible(context.Context, kits.Host, kits.Instance) kits.Eligibility {
	return kits.Eligibility{}
}
func (drawn) Check(context.Context, kits.Host, kits.Instance) kits.Report   { return kits.Report{} }
func (drawn) Start(context.Context, kits.Host, kits.Instance) kits.Report   { return kits.Report{} }
func (drawn) Stop(context.Context, kits.Host, kits.Instance) kits.Report    { return kits.Report{} }
func (drawn) Recover(context.Context, kits.Host, kits.Instance) kits.Report { return kits.Report{} }
func (drawn) Choices(context.Context, kits.Host, kits.Instance, string) ([]string, error) {
	return nil, nil
}

func drawField(t *rapid.T, i int) kits.Field {
	f := kits.Field{
		Name:     fmt.Sprintf("f%d", i),
		Label:    rapid.SampledFrom([]string{"Disk", "Mount point with a long name", "語", "", "evil\x1b[2J"}).Draw(t, "label"),
		Help:     rapid.SampledFrom([]string{"", "A help.", strings.Repeat("long ", 60)}).Draw(t, "help"),
		Kind:     rapid.SampledFrom([]kits.FieldKind{kits.KindText, kits.KindAddress, kits.KindNetmask, kits.KindCIDRs, kits.KindChoice, kits.KindPath, kits.KindDuration, kits.KindBool, kits.KindResource, kits.KindSecret}).Draw(t, "kind"),
		Required: rapid.Bool().Draw(t, "required"),
		PerNode:  rapid.Bool().Draw(t, "per node"),
	}
	if f.Kind == kits.KindSecret {
		f.Required = false // no definition could have it
	}
	switch f.Kind {
	case kits.KindChoice:
		f.Choices = rapid.SampledFrom([][]string{nil, {"one"}, {"one", "two", "three"}}).Draw(t, "choices")
		if f.Choices != nil && rapid.Bool().Draw(t, "has default") {
			f.Default = f.Choices[0]
		}
	case kits.KindDuration:
		f.Default = rapid.SampledFrom([]string{"", "30"}).Draw(t, "default")
	case kits.KindText:
		f.Default = rapid.SampledFrom([]string{"", "x"}).Draw(t, "default")
	}
	return f
}

var someKeys = []string{
	"tab", "shift+tab", "down", "up", "left", "right", "space", "enter", "enter", "pgup", "pgdown", "backspace", "ctrl+o", "ctrl+r", "home", "end",
	"10.1.0.99", "a", "3", "ip-route53", "/dev/sdb", "255.255.255.0", "10.5.0.0/16", "true", "日本", "'", " ",
}

// TestAnyKit: whatever a kit declares and whatever is pressed, nothing panics, every
// screen is whole, an answer is only changed at its question, and a wish that comes out can
// be made.
func TestAnyKit(t *testing.T) {
	snap := uitest.Scene(t, uitest.Calm)
	rapid.Check(t, func(rt *rapid.T) {
		svc := &uitest.Service{Snap: snap, ChoicesOf: func(string, string, string, map[string]string) ([]string, error) {
			return []string{"one", "two", "10.1.0.98", "evil\x1b]0;x\a"}, nil
		}}
		c := uitest.Context(t, snap, text.English, svc)
		var fields []kits.Field
		for i := range rapid.IntRange(0, 12).Draw(rt, "fields") {
			fields = append(fields, drawField(rt, i))
		}
		reg := uitest.Kits()
		reg["drawn"] = drawn{"drawn", fields}
		c.Kits = reg
		p := Create(c, rapid.SampledFrom([]string{"", "service", "nowhere"}).Draw(rt, "cluster")).(*Window)
		p.form.Set("kit", "drawn")
		p.derive()
		w, h := rapid.IntRange(1, 160).Draw(rt, "w"), rapid.IntRange(1, 40).Draw(rt, "h")
		for range rapid.IntRange(0, 60).Draw(rt, "presses") {
			press(rt, c, p, rapid.SampledFrom(someKeys).Draw(rt, "key"))
			if rapid.IntRange(0, 9).Draw(rt, "look") == 0 {
				whole(rt, p, w, h)
				p.Update(ui.Click{X: rapid.IntRange(0, w).Draw(rt, "x"), Y: rapid.IntRange(0, h).Draw(rt, "y")})
			}
		}
		whole(rt, p, w, h)
	})
}

func press(rt *rapid.T, c *ui.Context, p *Window, key string) {
	before := map[string]string{}
	for _, pg := range p.pages {
		for _, q := range pg.asks {
			before[q.ID] = p.form.Answer(q.ID)
		}
	}
	at := ""
	if q := p.question(); q != nil {
		at = q.ID
	}
	for _, m := range uitest.Press(nil0{}, p, key) {
		d, ok := m.(ui.DoMsg)
		if !ok {
			continue
		}
		if _, err := edit.Make(c.Est.Estate, c.Kits, d.Wish.Edit); err != nil {
			rt.Fatalf("the wish cannot be made: %v", err)
		}
	}
	for id, v := range before {
		if id != at && v != "" && p.form.Answer(id) != v {
			rt.Fatalf("%s at %s changed %s from %q to %q", key, at, id, v, p.form.Answer(id))
		}
	}
}

// good is an answer of a field's kind.
func good(f kits.Field, i int) string {
	switch f.Kind {
	case kits.KindAddress:
		return fmt.Sprintf("10.1.0.%d", 50+i)
	case kits.KindNetmask:
		return "255.255.255.0"
	case kits.KindCIDRs:
		return "10.5.0.0/16"
	case kits.KindChoice:
		if len(f.Choices) > 0 {
			return f.Choices[len(f.Choices)-1]
		}
	case kits.KindDuration:
		return "45"
	case kits.KindBool:
		return "true"
	case kits.KindResource:
		return "www"
	}
	return fmt.Sprintf("it's %d", i)
}

// TestAnyKitComesToItsWish: with every field answered well, the wish comes out, it can
// be made, and what was answered stands in the new definition; with one that is wrong, that
// one is named and no wish comes out.
func TestAnyKitComesToItsWish(t *testing.T) {
	snap := uitest.Scene(t, uitest.Calm)
	rapid.Check(t, func(rt *rapid.T) {
		c := uitest.Context(t, snap, text.English, &uitest.Service{Snap: snap})
		var fields []kits.Field
		for i := range rapid.IntRange(0, 12).Draw(rt, "fields") {
			fields = append(fields, drawField(rt, i))
		}
		reg := uitest.Kits()
		reg["drawn"] = drawn{"drawn", fields}
		c.Kits = reg
		p := Create(c, "service").(*Window)
		p.form.Set("kit", "drawn")
		all := []string{"LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B"}
		names := slices.ContainsFunc(fields, func(f kits.Field) bool { return f.Kind == kits.KindResource })
		if !names { // else the servers follow
			all = all[:rapid.IntRange(1, 4).Draw(rt, "servers")]
			for i, s := range all {
				p.form.Set("on/"+s, fmt.Sprint(i+1))
			}
		}
		uitest.Press(t, p, "enter", "enter")
		want := map[string]string{}
		spoilt := ""
		bad := rapid.IntRange(-8, 11).Draw(rt, "the wrong one")
		for i, q := range p.pages[p.at].asks {
			f, _ := fieldOf(fields, q.field)
			if q.field == "" || f.Kind == kits.KindSecret {
				continue
			}
			v := good(f, i)
			if i == bad && f.Kind == kits.KindAddress {
				v, spoilt = "10.1", q.ID
			}
			p.form.Set(q.ID, v)
			for _, n := range all {
				if len(q.nodes) == 0 || slices.Contains(q.nodes, n) {
					want[f.Name+" "+n] = v
				}
			}
		}
		uitest.Run(p, p.renew())
		uitest.Press(t, p, "enter")
		if spoilt != "" {
			if p.onSummary() || len(p.shown()) == 0 {
				rt.Fatalf("a wrong value of %s goes through", spoilt)
			}
			return
		}
		for _, m := range uitest.Press(t, p, "enter") {
			d, ok := m.(ui.DoMsg)
			if !ok {
				continue
			}
			res, err := edit.Make(c.Est.Estate, c.Kits, d.Wish.Edit)
			if err != nil {
				rt.Fatalf("the wish cannot be made: %v", err)
			}
			arrived(rt, res, fields, want)
			return
		}
		if len(p.problems()) == 0 {
			rt.Fatalf("neither a wish nor a problem:\n%s", p.View(110, 40))
		}
		rt.Fatalf("good answers are refused: %+v", p.problems())
	})
}

func fieldOf(fields []kits.Field, name string) (kits.Field, bool) {
	for _, f := range fields {
		if f.Name == name {
			return f, true
		}
	}
	return kits.Field{}, false
}

// arrived compares what was answered with what holds on each server.
func arrived(rt *rapid.T, res *edit.Result, fields []kits.Field, want map[string]string) {
	for _, r := range res.Estate.Res {
		if r.Kit != "drawn" {
			continue
		}
		for _, p := range r.On {
			for _, f := range fields {
				got := f.Default
				if v := r.Attrs[f.Name]; v != "" {
					got = v
				}
				if v := p.Attrs[f.Name]; v != "" {
					got = v
				}
				if w := want[f.Name+" "+p.Server]; w != "" && w != got || w == "" && f.Kind != kits.KindSecret {
					rt.Fatalf("%s on %s is %q, want %q", f.Name, p.Server, got, w)
				}
			}
		}
	}
}

// nil0 lets uitest.Press be used where no *testing.T is at hand.
type nil0 struct{ testing.TB }

func (nil0) Helper() {}

func whole(rt *rapid.T, p ui.Page, w, h int) {
	lines := strings.Split(p.View(w, h), "\n")
	if len(lines) != h {
		rt.Fatalf("%d lines, want %d", len(lines), h)
	}
	for i, l := range lines {
		if ui.Width(l) != w {
			rt.Fatalf("line %d has %d cells, want %d", i, ui.Width(l), w)
		}
		if strings.Contains(l, "\x1b]") || strings.Contains(l, "\x1b[2J") {
			rt.Fatalf("line %d lets an escape sequence through: %q", i, l)
		}
	}
}

// TestASecretIsNeverAskedNorShown: the definition has no place for one.
func TestASecretIsNeverAskedNorShown(t *testing.T) {
	c := calm(t, &uitest.Service{})
	c.Kits = uitest.Kits()
	c.Kits["vault"] = drawn{"vault", []kits.Field{
		{Name: "name", Label: "Name", Kind: kits.KindText, Required: true},
		{Name: "key", Label: "Secret key", Kind: kits.KindSecret, Default: "hunter2"},
		{Name: "where", Label: "Where", Kind: kits.KindText},
	}}
	p := Create(c, "service")
	uitest.Press(t, p, "left", "enter", "down", "space", "enter", "shop", "down", "there", "enter")
	s := screen(t, p)
	uitest.Press(t, p, "pgup")
	s += screen(t, p)
	uitest.Press(t, p, "enter")
	w := wish(t, p)
	got := w.Edit.(edit.Create)
	if strings.Contains(s+w.Command+fmt.Sprint(got), "hunter2") || !strings.Contains(s, "not kept in the definition") {
		t.Errorf("a secret: %s\n%s", w.Command, s)
	}
	if got.Fields["name"] != "shop" || got.Fields["where"] != "there" || len(got.Fields) != 2 {
		t.Errorf("the fields are %v", got.Fields)
	}
}

// TestAnyKitExtended: the same promises for extending a resource of any kit.
func TestAnyKitExtended(t *testing.T) {
	snap := uitest.Scene(t, uitest.Calm)
	rapid.Check(t, func(rt *rapid.T) {
		var fields []kits.Field
		cr := edit.Create{Cluster: "service", Tag: "it", Kit: "drawn", Needs: []string{}, Fields: map[string]string{}}
		cr.On = []edit.Place{{Server: "LK_P_A", Fields: map[string]string{}}}
		for i := range rapid.IntRange(0, 8).Draw(rt, "fields") {
			f := drawField(rt, i)
			fields = append(fields, f)
			switch where := rapid.IntRange(0, 2).Draw(rt, "where"); {
			case f.Kind == kits.KindSecret || where == 0 && !f.Required:
			case where == 1 && f.PerNode:
				cr.On[0].Fields[f.Name] = good(f, i)
			default:
				cr.Fields[f.Name] = good(f, i)
			}
		}
		reg := uitest.Kits()
		reg["drawn"] = drawn{"drawn", fields}
		res, err := edit.Make(snap.Estate, reg, cr)
		if err != nil {
			rt.Fatal(err)
		}
		s := uitest.Of(res.Estate, "LK_P_A")
		c := uitest.Context(t, s, text.Japanese, &uitest.Service{Snap: s, ChoicesOf: func(string, string, string, map[string]string) ([]string, error) {
			return []string{"10.1.0.98", "x"}, nil
		}})
		c.Kits = reg
		p := Extend(c, "service/it").(*Window)
		for range rapid.IntRange(0, 25).Draw(rt, "presses") {
			press(rt, c, p, rapid.SampledFrom(someKeys).Draw(rt, "key"))
		}
		whole(rt, p, 80, 21)
	})
}
