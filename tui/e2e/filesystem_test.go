package e2e

import (
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/internal/sim/nodesim"
)

// emptyDisks are nodes with a disk each on which there is nothing.
func emptyDisks(nodes *nodesim.World) error {
	nodes.SetMirrorSpeed(1 << 30)
	for _, n := range service {
		if err := nodes.Node(n).AddDisk(postgresDisks[n], 1<<30, ""); err != nil {
			return err
		}
	}
	return nil
}

// The file system's own wizard, on a mirror that is there already: what it refuses, into service, and to one more server
// with the mirror beneath it. The file system itself was made with the mirror, after a typed word.
func TestTmuxFileSystemOnAMirror(t *testing.T) {
	t.Parallel()
	d := bareWorld(t, emptyDisks)
	w := &walk{d.console(t, 80, 24), d}
	w.see("OSU")

	w.begins("datakeeper")
	steps := []step{turned("Hierarchy type", "new")}
	for _, n := range []string{"LK_P_A", "LK_P_B", "LK_S_B"} {
		placed(n)(w)
		steps = append(steps, typedAt(n, "/dev/nvme1n1"))
	}
	w.press("Enter")
	w.page("Hierarchy type", append(steps, turned("File system type", "xfs"), typed("Tag", "mirror")))
	w.press("Enter")
	w.agreed("LK_P_A", "LK_P_B", "LK_S_B", "/dev/nvme1n1")
	w.summed("ferry resource create datakeeper mirror --on LK_P_A,LK_P_B,LK_S_B --hierarchy-type new --disk /dev/nvme1n1 --fs-type xfs", "service/mirror is created")
	w.starts("LK_P_A")
	w.later()

	w.begins("filesystem")
	typed("Needs", "mirror")(w)
	holding("mount_point")(w) // the cursor will be on it at once
	w.press("Enter")
	w.there("Mount point")
	w.see("loading")
	d.held.release(t)
	w.gone("loading")
	w.page("Mount point", []step{
		refused("Mount point", "data", "cannot be a mount point"),
		refused("Mount point", "/etc/data", "belongs to the system"),
		typed("Mount point", "/data"),
		refused("Device", "sdb", "cannot be the path of"),
		turned("File system type", "xfs"),
		refused("Mount options", "norecovery", "is refused"),
		refused("Mount options", "discard", "discards make the sides"),
		refused("Tag", "mirror", "There is a resource mirror already"),
		defaulted("Tag", "data"),
	})
	w.summed("ferry resource create filesystem data --needs mirror --mount-point /data --fs-type xfs", "service/data is created", "+ resource service/data")
	if at := d.Sim().Nodes.Node("LK_P_A").Mounted("/data"); at != "" {
		t.Errorf("%s is mounted before it is in service", at)
	}
	w.starts("LK_P_A")

	w.press("e")
	w.see("Extend service/data")
	w.page("Target server", []step{turned("Target server", "LK_S_A")})
	holding("disk")(w)
	w.press("Enter")
	w.page("Source disk", []step{live("Source disk", "disk", "/dev/sdb"), refused("Mount point", "/usr/lib/data", "belongs to the system")})
	w.press("Enter")
	w.agreed("LK_S_A", "/dev/sdb", "LK_P_A", "/dev/nvme1n1")
	w.summed("ferry resource extend service/data --to LK_S_A", "service/data is extended to LK_S_A", "on.LK_S_A")
	w.later()

	mirrored(t, d, postgresDisks)
	w.until("both are in service", func(string) bool { return count(d.says(t, "resource", "list"), "ISP LK_P_A") == 2 })
	for _, n := range service {
		if at := d.Sim().Nodes.Node(n).Mounted("/data"); (at != "") != (n == "LK_P_A") {
			t.Errorf("on %s %q is mounted", n, at)
		}
	}
	if out := d.says(t, "resource", "show", "data"); !strings.Contains(out, "LK_S_A") || !strings.Contains(out, "xfs") {
		t.Errorf("ferry resource show says\n%s", out)
	}
	w.press("q")
	w.see("ended with 0")
}
