package edit

import (
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// mirrorKit makes every other server's disk a copy.
type mirrorKit struct{ toyKit }

func (mirrorKit) Overwrites(in kits.Instance) (string, map[string]string) {
	lost := map[string]string{}
	for node, attrs := range in.On {
		if node != in.Node.Name {
			lost[node] = attrs["disk"]
		}
	}
	return in.Attrs["disk"], lost
}

// Whoever extends data to a server is told by name what is overwritten there, and of nothing else.
func TestExtendNamesWhatItOverwrites(t *testing.T) {
	reg := toyKits()
	reg["mirror"] = mirrorKit{toyKit{"mirror", []kits.Field{{Name: "disk", Label: "Disk", Kind: kits.KindPath, Required: true, PerNode: true}}}}
	e := estate()
	e.Res = append(e.Res, hierarchy.Resource{Tag: "service/data", Kit: "mirror", Cluster: "service", Switchback: hierarchy.Intelligent,
		On: []hierarchy.Placement{{Server: "LK_P_A", Priority: 1, Attrs: map[string]string{"disk": "/dev/sdb"}}}})
	res, err := Make(e, reg, Extend{Tag: "data", Server: "LK_P_B", Fields: map[string]map[string]string{"data": {"disk": "/dev/sdc"}}})
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(res.Notes, "\n"); notes != "/dev/sdc on LK_P_B is OVERWRITTEN by service/data: it becomes a copy, and what is on it now is lost for good" {
		t.Errorf("notes: %s", notes)
	}
}
