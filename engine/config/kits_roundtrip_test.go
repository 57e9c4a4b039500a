package config_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// TestExamplesWithAnyFieldsSurviveExport draws fields of all kits for the examples' resources, also per server. Whatever is a good
// definition then is read back from its export as the same.
func TestExamplesWithAnyFieldsSurviveExport(t *testing.T) {
	reg := realKits(t)
	files, err := filepath.Glob("../../examples/*.toml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	changed := map[string]int{}
	for _, file := range files {
		start, err := config.LoadFile(file, reg)
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			e := copied(start)
			for range rapid.IntRange(0, 12).Draw(t, "changes") {
				before := copied(e)
				kit := drawField(t, e, reg)
				if len(hierarchy.Validate(e, reg)) > 0 {
					e = before
					continue
				}
				changed[kit]++
			}
			want := hierarchy.Normalize(e)
			text := config.Export(e, reg)
			back, err := config.Load(bytes.NewReader(text), "export.toml", reg)
			if err != nil || !reflect.DeepEqual(back, want) {
				t.Fatalf("%s: %v\n%v\n%s", file, err, hierarchy.Diff(want, back), text)
			}
			if again := config.Export(back, reg); !bytes.Equal(again, text) {
				t.Fatalf("%s: two exports differ", file)
			}
		})
	}
	for _, kit := range []string{"datakeeper", "filesystem", "postgresql", "oracle", "listener", "openswan", "ec2", "ip", "route53", "app"} {
		if changed[kit] == 0 {
			t.Errorf("no field of kit %s was ever changed to something good", kit)
		}
	}
}

func copied(e *hierarchy.Estate) *hierarchy.Estate {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	out := &hierarchy.Estate{}
	if err := json.Unmarshal(text, out); err != nil {
		panic(err)
	}
	return out
}

// drawField gives a resource's field a value, or takes it away, for all servers or for one.
func drawField(t *rapid.T, e *hierarchy.Estate, reg kits.Registry) (kit string) {
	r := &e.Res[rapid.IntRange(0, len(e.Res)-1).Draw(t, "resource")]
	fields := reg[r.Kit].Fields()
	f := fields[rapid.IntRange(0, len(fields)-1).Draw(t, "field")]
	attrs := &r.Attrs
	if rapid.Bool().Draw(t, "one server") {
		attrs = &r.On[rapid.IntRange(0, len(r.On)-1).Draw(t, "server")].Attrs
	}
	if rapid.IntRange(0, 9).Draw(t, "left out") == 0 {
		delete(*attrs, f.Name)
		return r.Kit
	}
	if *attrs == nil {
		*attrs = map[string]string{}
	}
	(*attrs)[f.Name] = drawValue(t, f)
	return r.Kit
}

func drawValue(t *rapid.T, f kits.Field) string {
	if len(f.Choices) > 0 {
		return rapid.SampledFrom(f.Choices).Draw(t, f.Name)
	}
	n := strconv.Itoa(rapid.IntRange(1, 200).Draw(t, "number"))
	switch f.Kind {
	case kits.KindBool:
		return rapid.SampledFrom([]string{"true", "false"}).Draw(t, f.Name)
	case kits.KindAddress:
		return "10.77.0." + n
	case kits.KindNetmask:
		return "255.255.255.255"
	case kits.KindCIDRs:
		return rapid.SampledFrom([]string{"10.9.0.0/16", "10.9.0.0/16,10.8.0.0/16"}).Draw(t, f.Name)
	case kits.KindDuration:
		return rapid.SampledFrom([]string{"30", "90s", "2m"}).Draw(t, f.Name)
	case kits.KindPath:
		return rapid.SampledFrom([]string{"/srv/a", "/dev/disk/by-id/nvme-vol0" + n, "/dev/md/m" + n, "/opt/ö \"x\"/" + n}).Draw(t, f.Name)
	}
	return rapid.SampledFrom([]string{n, "a" + n, "5" + n + "0", "/srv/" + n, "/dev/vd" + n, "noatime,nodev", "東京 \"q\" \\", "# no comment"}).Draw(t, f.Name)
}
