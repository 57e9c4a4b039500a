package adopt

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/examples"
	"github.com/ferry-ha/ferry/internal/allkits"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/ec2"
	"github.com/ferry-ha/ferry/kits/route53"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func registry(t testing.TB) kits.Registry {
	t.Helper()
	return allkits.Of(ec2.New(nil), route53.New(nil))
}

func definition(t testing.TB) *hierarchy.Estate {
	t.Helper()
	e, err := config.Load(strings.NewReader(examples.CrossRegion), "cross-region.toml", registry(t))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// claim is a claim as a copy holds it.
func claim(number uint64, node string, given uint64, released bool) json.RawMessage {
	b, err := json.Marshal(stored{Claim: hierarchy.Claim{Number: number, Node: node, At: noon, By: "anna"}, Released: released, Given: given})
	if err != nil {
		panic(err)
	}
	return b
}

func copyOf(t testing.TB, epoch uint64, serial int64, entities map[string]json.RawMessage) *Copy {
	return &Copy{Version: Version, Estate: "e1", Engine: "a", Epoch: epoch, Serial: serial, At: noon, Who: "anna@bastion (7)", Since: noon,
		Definition: definition(t), Entities: entities}
}

func TestCopySurvivesTheFile(t *testing.T) {
	e := definition(t)
	rapid.Check(t, func(r *rapid.T) {
		c := &Copy{Version: Version, Estate: rapid.StringMatching(`[0-9a-f]{16}`).Draw(r, "estate"), Engine: "x",
			Epoch: rapid.Uint64Min(1).Draw(r, "epoch"), Serial: rapid.Int64Min(0).Draw(r, "serial"), At: noon, Since: noon,
			Who: rapid.String().Draw(r, "who"), Definition: e, Entities: map[string]json.RawMessage{}}
		c.Who = strings.ToValidUTF8(c.Who, "?")
		for range rapid.IntRange(0, 5).Draw(r, "claims") {
			tag := rapid.StringMatching(`claim/[a-z]{1,5}/[a-z]{1,9}`).Draw(r, "tag")
			c.Entities[tag] = claim(rapid.Uint64().Draw(r, "number"), "LK_P_A", 1, rapid.Bool().Draw(r, "released"))
		}
		file, err := c.Encode()
		if err != nil {
			r.Fatal(err)
		}
		again, err := c.Encode()
		if err != nil || !bytes.Equal(file, again) {
			r.Fatal("the same copy gives other bytes")
		}
		got, err := Parse(file)
		if err != nil || !reflect.DeepEqual(got, c) {
			r.Fatalf("got %+v, %v\nwant %+v", got, err, c)
		}
		// Whatever one byte becomes, it is refused or it says the same.
		i := rapid.IntRange(0, len(file)-1).Draw(r, "byte")
		bad := slices.Clone(file)
		bad[i] ^= byte(1 << rapid.IntRange(0, 7).Draw(r, "bit"))
		if got, err := Parse(bad); err == nil && !reflect.DeepEqual(got, c) {
			r.Fatalf("byte %d changed and another copy was believed", i)
		}
		if _, err := Parse(file[:i]); err == nil {
			r.Fatalf("a file cut off at %d was believed", i)
		}
	})
}

func TestCopiesThatCannotBeUsed(t *testing.T) {
	good, err := copyOf(t, 3, 9, nil).Encode()
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(good), "\n")
	nameless := copyOf(t, 3, 9, nil)
	nameless.Definition = &hierarchy.Estate{}
	empty, err := nameless.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file, says string
		damaged    bool
	}{
		"nothing":         {"", "does not begin like one", true},
		"something else":  {"[estate]\nname = \"x\"\n", "does not begin like one", true},
		"a later version": {"ferry-copy 2 3 9 00\n", `version "2", this program knows 1`, false},
		"another head":    {strings.Replace(string(good), "ferry-copy 1 3 9", "ferry-copy 1 4 9", 1), "first line says other", true},
		"no checksum":     {"ferry-copy 1 3 9\n" + body, "its checksum differs", true},
		"no estate":       {string(empty), "definition is missing", true},
	} {
		_, err := Parse([]byte(c.file))
		if err == nil || !strings.Contains(err.Error(), c.says) || errors.Is(err, ErrDamaged) != c.damaged {
			t.Errorf("%s: %v", name, err)
		}
	}
	huge := copyOf(t, 3, 9, map[string]json.RawMessage{})
	for i := range 30_000 { // what does not compress
		huge.Entities[fmt.Sprintf("claim/service/%x", sha256.Sum256(fmt.Append(nil, i)))] = claim(uint64(i), "LK_P_A", 1, false)
	}
	if _, err := huge.Encode(); err == nil || !strings.Contains(err.Error(), "more than the 1048576") {
		t.Errorf("a copy that no request can carry: %v", err)
	}
}

const www, address = hierarchy.Tag("service/www"), hierarchy.Tag("service/ip-route53")

func node(name string, c *Copy, epoch uint64, claims map[hierarchy.Tag]uint64) Said {
	return Said{Node: name, Estate: "e1", Engine: "a", Epoch: epoch, Claims: claims, Copy: c, Beat: -1}
}

func TestClaimsAreTheHighestOfCopiesAndRecords(t *testing.T) {
	old := copyOf(t, 3, 5, map[string]json.RawMessage{"claim/service/www": claim(9, "LK_P_B", 9, false)})
	newer := copyOf(t, 3, 8, map[string]json.RawMessage{
		"claim/service/www":        claim(7, "LK_P_A", 7, true),
		"claim/service/ip-route53": claim(7, "LK_P_A", 8, false),
		"meta":                     json.RawMessage(`{"automation":true,"seq":41}`),
		"loss/service/ip-route53":  json.RawMessage(`{"id":"x","at":"LK_P_A","refused":{"code":"no"}}`),
		"loss/service/ec2-route53": json.RawMessage(`{"id":"y","at":"LK_P_A"}`),
		"op/op-000003":             json.RawMessage(`{"id":"op-000003"}`),
	})
	s := Survey{node("LK_S_A", old, 3, nil), node("LK_S_B", newer, 4, map[hierarchy.Tag]uint64{address: 10}), {Node: "LK_P_A", Err: "gone"}}
	st, err := s.Rebuild("e1", registry(t), noon)
	if err != nil {
		t.Fatal(err)
	}
	if st.Epoch != 4 || s.Leader("e1").Node != "LK_S_B" {
		t.Errorf("epoch %d", st.Epoch)
	}
	want := []Claim{
		{Tag: address, Claim: hierarchy.Claim{Number: 10, Node: "LK_S_B", By: "record of LK_S_B"}, Given: 10, Record: true},
		{Tag: www, Claim: hierarchy.Claim{Number: 9, Node: "LK_P_B", At: noon, By: "anna"}, Given: 9},
	}
	if !reflect.DeepEqual(st.Claims, want) {
		t.Errorf("got %+v\nwant %+v", st.Claims, want)
	}
	w := world(t, st)
	if w.Active(www) != "LK_P_B" || w.Active(address) != "LK_S_B" || w.Seq != 41 || len(w.Ops) != 0 || len(w.Losses) != 1 || w.Losses[address].Refused == nil {
		t.Errorf("world: %s %s seq %d, %d operations, losses %+v", w.Active(www), w.Active(address), w.Seq, len(w.Ops), w.Losses)
	}
}

// world is the rebuilt one.
func world(t *testing.T, st *State) *policy.World {
	t.Helper()
	w, err := policy.Load(st.Definition, registry(t), st.Entities)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestReleasedStaysReleased(t *testing.T) {
	c := copyOf(t, 3, 5, map[string]json.RawMessage{"claim/service/www": claim(9, "LK_P_B", 9, true)})
	before := copyOf(t, 3, 4, map[string]json.RawMessage{"claim/service/www": claim(9, "LK_P_B", 9, false)})
	s := Survey{node("LK_P_A", before, 3, nil), node("LK_P_B", c, 3, map[hierarchy.Tag]uint64{www: 9})}
	st, err := s.Rebuild("e1", registry(t), noon)
	if err != nil {
		t.Fatal(err)
	}
	if w := world(t, st); w.Active(www) != "" || w.HighestClaim(www) != 9 {
		t.Errorf("held by %q", w.Active(www))
	}
}

func TestOneNumberOnTwoNodesIsDual(t *testing.T) {
	a := map[string]json.RawMessage{"claim/service/www": claim(9, "LK_P_B", 9, false)}
	b := map[string]json.RawMessage{"claim/service/www": claim(9, "LK_S_A", 9, false)}
	for name, s := range map[string]Survey{
		"a record against the copy": {node("LK_S_A", copyOf(t, 3, 5, a), 3, map[hierarchy.Tag]uint64{www: 9})},
		"two records":               {node("LK_S_A", copyOf(t, 3, 5, nil), 3, map[hierarchy.Tag]uint64{www: 9}), node("LK_S_B", nil, 3, map[hierarchy.Tag]uint64{www: 9})},
		"two copies":                {node("LK_S_A", copyOf(t, 3, 5, a), 3, nil), node("LK_S_B", copyOf(t, 3, 6, b), 3, nil)},
	} {
		st, err := s.Rebuild("e1", registry(t), noon)
		if err != nil {
			t.Fatal(err)
		}
		if len(st.Claims) != 1 || len(st.Claims[0].Also) != 1 {
			t.Errorf("%s: %+v", name, st.Claims)
		}
		w := world(t, st)
		for _, r := range []hierarchy.Ref{{Tag: www, Node: "LK_P_A"}, {Tag: address, Node: "LK_S_B"}} {
			if h := w.Instances[r].Held; h == nil || h.Code != "held-dual" {
				t.Errorf("%s: %v is not held: %v", name, r, h)
			}
		}
		if len(st.Events) == 0 {
			t.Errorf("%s: the policy said nothing", name)
		}
	}
}

func TestOtherEstatesAreLeftOut(t *testing.T) {
	mine := copyOf(t, 3, 5, map[string]json.RawMessage{"claim/service/www": claim(2, "LK_P_B", 2, false)})
	other := copyOf(t, 30, 5, map[string]json.RawMessage{"claim/service/www": claim(20, "LK_S_B", 20, false)})
	other.Estate = "e2"
	other.Definition.Name = "osaka"
	s := Survey{node("LK_S_A", mine, 3, nil), {Node: "LK_S_B", Estate: "e2", Engine: "z", Epoch: 30, Copy: other, Claims: map[hierarchy.Tag]uint64{www: 20}, Beat: time.Second}}
	es := s.Estates()
	if len(es) != 2 || es[0].ID != "e1" || es[1].Name != "osaka" {
		t.Fatalf("%+v", es)
	}
	st, err := s.Rebuild("e1", registry(t), noon)
	if err != nil || st.Epoch != 3 || st.Claims[0].Node != "LK_P_B" || s.Live("e1", time.Minute) != nil || s.Live("e2", time.Minute) == nil {
		t.Errorf("%+v, %v", st, err)
	}
	if _, err := s.Rebuild("e3", registry(t), noon); err == nil {
		t.Error("an estate of which no node has a copy was rebuilt")
	}
}

func TestPatience(t *testing.T) {
	e := definition(t)
	if p := Patience(e); p != time.Minute {
		t.Errorf("with 5 s and 3 beats: %s", p)
	}
	e.Servers[0].Tuning["LCMHBEATTIME"] = "30"
	if p := Patience(e); p != 3*time.Minute {
		t.Errorf("with 30 s and 3 beats: %s", p)
	}
}

// FuzzParse: whatever a node gives, Parse ends with a copy that is complete or an error.
func FuzzParse(f *testing.F) {
	good, err := copyOf(f, 3, 9, nil).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("ferry-copy 1 3 9 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if c, err := Parse(file); err == nil && c.check() != nil {
			t.Errorf("believed %+v", c)
		}
	})
}
