package e2e

import (
	"testing"

	"github.com/ferry-ha/ferry/internal/sim/nodesim"
)

// postgresNodes have PostgreSQL, and a disk; on the first one's there is a database.
func postgresNodes(nodes *nodesim.World) error {
	const bin, version, size = "/usr/lib/postgresql/15/bin", "15.18", 1 << 30
	for _, n := range service {
		fs := map[bool]string{true: "ext4"}[n == "LK_P_A"]
		if err := nodes.Node(n).AddDisk(postgresDisks[n], size, fs); err != nil {
			return err
		}
		if err := nodes.Node(n).InstallPostgres(bin, version); err != nil {
			return err
		}
	}
	return nodes.Node("LK_P_A").FillDiskFiles("nvme1n1", nodesim.PostgresFiles("/15", version, 5432))
}

// From nodes with a disk each to a database on a mirror of four, in a terminal of 80 × 24.
func TestTmuxPostgreSQLOnAMirror(t *testing.T) {
	t.Parallel()
	d := bareWorld(t, postgresNodes)
	w := &walk{d.console(t, 80, 24), d}
	w.see("OSU")

	w.begins("datakeeper")
	placed("LK_P_A")(w)
	w.press("Enter")
	w.page("Hierarchy type", []step{
		live("Source disk", "disk", "/dev/nvme1n1"),
		refused("Source disk", "nvme1n1", "is not the path"),
		turned("Source disk", "/dev/nvme1n1"),
		refused("Port", "99999", "is not a port"),
		refused("Mount point", "pgdata", "cannot be a mount point"),
		typed("Mount point", "/pgdata"),
		defaulted("Tag", "datakeeper-pgdata"),
		defaulted("File system tag", "pgdata"),
	})
	w.summed("ferry resource create datakeeper datakeeper-pgdata --on LK_P_A --disk /dev/nvme1n1 && ferry resource create filesystem pgdata --needs datakeeper-pgdata --mount-point /pgdata",
		"service/pgdata is created", "+ resource service/datakeeper-pgdata", "+ resource service/pgdata")
	w.starts("LK_P_A")
	w.later()

	w.begins("postgresql")
	typed("Needs", "pgdata")(w)
	holding("data_dir")(w) // the cursor will be on it at once
	w.press("Enter")
	w.page("Data directory", []step{
		live("Data directory", "data_dir", "/pgdata/15"),
		refused("Data directory", "pgdata", "is not a plain absolute path"),
		turned("Data directory", "/pgdata/15"),
		live("Binaries", "bin_dir", "/usr/lib/postgresql/15/bin"),
		refused("Port", "0", "is not a port"),
		refused("OS user", "root", "cannot be the owner"),
		live("Major version", "version", "15"),
		refused("Tag", "pgdata", "There is a resource pgdata already"),
		typed("Tag", "pg-15"),
	})
	w.summed("ferry resource create postgresql pg-15 --needs pgdata --data-dir /pgdata/15 --bin-dir /usr/lib/postgresql/15/bin --version 15", "service/pg-15 is created")
	w.starts("LK_P_A")

	d.Sim().Nodes.SetMirrorSpeed(1 << 30)
	for _, to := range service[1:] {
		if to == "LK_S_B" { // the last one is copied as slowly as can be looked at
			d.Sim().Nodes.SetMirrorSpeed(40 << 20)
		}
		disk := "/dev/" + postgresDisks[to]
		w.press("e")
		w.see("Extend service/pg-15")
		w.page("Target server", []step{turned("Target server", to)})
		holding("disk")(w)
		w.press("Enter")
		w.page("Source disk", []step{live("Source disk", "disk", disk)})
		w.press("Enter")
		w.agreed(to, disk, "LK_P_A", "/dev/nvme1n1")
		w.summed("ferry resource extend service/pg-15 --to "+to, "service/pg-15 is extended to "+to, "on."+to)
	}
	w.later()

	w.press(":")
	w.write("datakeeper-pgdata")
	w.press("Enter")
	w.see("Replication")
	w.choose("PageDown", "resyncing")
	w.see("%")
	w.until("three disks follow", func(string) bool { return count(d.says(t, "resource", "show", "datakeeper-pgdata"), "  in sync ") >= 3 })
	w.gone("resyncing")
	mirrored(t, d, postgresDisks)
	w.until("everything is in service, and whole", func(string) bool { return count(d.says(t, "resource", "list"), "ISP LK_P_A") == 3 })
	w.press("q")
	w.see("ended with 0")
}
