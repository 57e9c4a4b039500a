package e2e

import (
	"testing"

	"github.com/ferry-ha/ferry/internal/sim/nodesim"
)

var oracleSetup = nodesim.OracleSetup{
	Home: "/u01/app/oracle/product/19.0.0/dbhome_1", SID: "ORCL", Owner: "oracle", Data: "/oradata/ORCL",
	ListenerOra: "LISTENER =\n  (DESCRIPTION =\n    (ADDRESS = (PROTOCOL = TCP)(HOST = www.example.com)(PORT = 1521)))\n" +
		"LSNR2 = (ADDRESS = (PROTOCOL = TCP)(HOST = www.example.com)(PORT = 1522))\n",
}

// oracleNodes have Oracle, and an empty disk each.
func oracleNodes(nodes *nodesim.World) error {
	for _, n := range service {
		if err := nodes.Node(n).AddDisk("nvme1n1", 1<<30, ""); err != nil {
			return err
		}
		if err := nodes.Node(n).InstallOracle(oracleSetup); err != nil {
			return err
		}
		if err := nodes.Node(n).SetHost("www.example.com", "10.1.0.10"); err != nil {
			return err
		}
	}
	nodes.SetMirrorSpeed(1 << 30)
	return nil
}

// The seed's hierarchy from its disks to the listener, on all four servers from the start.
func TestTmuxOracleAndItsListener(t *testing.T) {
	t.Parallel()
	d := bareWorld(t, oracleNodes)
	w := &walk{d.console(t, 80, 24), d}
	w.see("OSU")

	w.begins("datakeeper")
	for _, n := range service {
		placed(n)(w)
	}
	w.press("Enter")
	steps := []step{turned("Hierarchy type", "new")}
	for _, n := range service {
		steps = append(steps, typedAt(n, "/dev/nvme1n1"))
	}
	w.page("Hierarchy type", append(steps,
		turned("File system type", "xfs"),
		typed("Mount point", "/oradata"),
		defaulted("Tag", "datakeeper-oradata"),
		defaulted("File system tag", "oradata"),
	))
	w.press("Enter")
	w.agreed("LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B", "/dev/nvme1n1")
	w.summed("ferry resource create datakeeper datakeeper-oradata --on LK_P_A,LK_P_B,LK_S_A,LK_S_B --hierarchy-type new --disk /dev/nvme1n1 --fs-type xfs && "+
		"ferry resource create filesystem oradata --needs datakeeper-oradata --mount-point /oradata --fs-type xfs",
		"service/oradata is created")
	w.starts("LK_P_A")
	w.later()
	if err := d.Sim().Nodes.Node("LK_P_A").CreateOracle(oracleSetup); err != nil {
		t.Fatal(err)
	}

	w.begins("oracle")
	typed("Needs", "oradata")(w)
	holding("oracle_sid")(w) // the cursor will be on it at once
	w.press("Enter")
	w.page("ORACLE_SID", []step{
		live("ORACLE_SID", "oracle_sid", "ORCL"),
		refused("ORACLE_SID", "OR CL", "cannot be an ORACLE_SID"),
		turned("ORACLE_SID", "ORCL"),
		live("ORACLE_HOME", "oracle_home", oracleSetup.Home),
		refused("Monitor's login", "scott/tiger", "must not hold a password"),
		defaulted("Tag", "ORCL"),
	})
	w.summed("ferry resource create oracle ORCL --needs oradata --oracle-sid ORCL --oracle-home "+oracleSetup.Home, "service/ORCL is created")
	w.starts("LK_P_A")
	w.later()

	w.begins("listener")
	typed("Needs", "ORCL,route53-www")(w)
	holding("oracle_home")(w)
	w.press("Enter")
	w.page("ORACLE_HOME", []step{
		live("ORACLE_HOME", "oracle_home", oracleSetup.Home),
		live("Listener name", "listener_name", "LISTENER", "LSNR2"),
		refused("Addresses", "www:1521", "no address of a listener"),
		turned("Protection level", "intermediate"),
		turned("Protection level", "full"),
		defaulted("Tag", "LSNR.LISTENER"),
	})
	w.summed("ferry resource create listener LSNR.LISTENER --needs ORCL,route53-www --oracle-home "+oracleSetup.Home, "service/LSNR.LISTENER is created")
	w.starts("LK_P_A")
	w.later()

	n := d.Sim().Nodes.Node("LK_P_A")
	if s := n.OracleStatus("ORCL"); s != "OPEN" || !n.ListenerRuns("LISTENER") {
		t.Errorf("the database is %q, its listener runs: %v", s, n.ListenerRuns("LISTENER"))
	}
	mirrored(t, d, map[string]string{"LK_P_A": "nvme1n1", "LK_P_B": "nvme1n1", "LK_S_A": "nvme1n1", "LK_S_B": "nvme1n1"})
	w.until("everything is in service, and whole", func(string) bool { return count(d.says(t, "resource", "list"), "ISP LK_P_A") == 7 })
	w.press("q")
	w.see("ended with 0")
}
