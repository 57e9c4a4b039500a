package kittest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/internal/lab"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/kittest"
	"github.com/ferry-ha/ferry/kits/kittest/onlab"
	"github.com/ferry-ha/ferry/kits/listener"
	"github.com/ferry-ha/ferry/kits/oracle"
)

// There is no Oracle in the lab. What is real here is everything around it: systemd's units, runuser, the kernel's
// /proc, and processes that are called like Oracle's and run from an ORACLE_HOME.

const fakeHome = "/opt/oracle/19c"

func oracleInstance(g *lab.Guest) kits.Instance {
	node := g.Spec().Name
	return kits.Instance{
		Tag: "service/ORCL", Kit: "oracle", Attrs: map[string]string{oracle.FieldSID: "ORCL", oracle.FieldHome: fakeHome},
		Children: []kits.Relative{{Tag: "service//oradata", Kit: "filesystem", On: map[string]map[string]string{node: {"mount_point": "/oradata"}}}},
	}
}

func listenerInstance(*lab.Guest) kits.Instance {
	return kits.Instance{Tag: "service/LSNR.LISTENER", Kit: "listener", Attrs: map[string]string{listener.FieldHome: fakeHome}}
}

func newOracleWorld(t *testing.T, make func(g *lab.Guest) kits.Instance) *labWorld {
	w := newLabWorld(t, make)
	var tools []string
	for _, name := range []string{"sqlplus", "lsnrctl"} {
		b, err := os.ReadFile("testdata/oracle/" + name)
		if err != nil {
			t.Fatal(err)
		}
		tools = append(tools, string(b))
	}
	for _, n := range w.Nodes() {
		onGuest(t, w, n, `
			id oracle >/dev/null 2>&1 || useradd --no-create-home oracle
			mkdir -p "$1/bin" "$1/dbs" "$1/network/admin" /var/lib/fakeora /oradata/ORCL
			chown oracle /var/lib/fakeora
			printf '%s' "$2" >"$1/bin/sqlplus"
			printf '%s' "$3" >"$1/bin/lsnrctl"
			chmod 755 "$1/bin/sqlplus" "$1/bin/lsnrctl"
			cp /bin/cat "$1/bin/oracle"
			cp /bin/dash "$1/bin/tnslsnr"
			: >"$1/dbs/spfileORCL.ora"
			echo "ORCL:$1:N" >/etc/oratab
			echo 'LISTENER = (ADDRESS = (PROTOCOL = TCP)(HOST = localhost)(PORT = 1521))' >"$1/network/admin/listener.ora"
		`, fakeHome, tools[0], tools[1])
	}
	t.Cleanup(func() {
		w.Hosts = onlab.New(t, w.lab) // a test may have closed its connections
		for _, n := range w.Nodes() {
			onGuest(t, w, n, `rm -rf "$1" /var/lib/fakeora /oradata /etc/oratab; userdel oracle`, fakeHome)
		}
	})
	return w
}

func TestKitOracleInTheLab(t *testing.T) {
	kittest.Conformance(t, oracle.Kit{}, newOracleWorld(t, oracleInstance))
}

func TestKitListenerInTheLab(t *testing.T) {
	kittest.Conformance(t, listener.Kit{}, newOracleWorld(t, listenerInstance))
}

// The instance outlives the unit, the shell and the connection it was started from, and its unit goes with it.
func TestInstanceOutlivesItsCallerInTheLab(t *testing.T) {
	w := newOracleWorld(t, oracleInstance)
	in, node := w.Instance("LK_P_A"), "LK_P_A"
	if r := (oracle.Kit{}).Start(t.Context(), w.Host(node), in); r.Outcome != kits.OK {
		t.Fatalf("%+v", r)
	}
	w.Pool.Close()
	again := onlab.New(t, w.lab)
	if r := (oracle.Kit{}).Check(t.Context(), again.Host(node), in); r.Outcome != kits.OK || r.Presence != kits.Present {
		t.Errorf("after its caller has gone: %+v", r)
	}
	const units = `systemctl list-units --all --plain --no-legend 'ferry-oracle-*' | cut -d ' ' -f 1`
	count := func() string {
		res, err := again.Host(node).Run(t.Context(), kits.Script{Name: "units", Body: units})
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(res.Stdout)
	}
	if got := count(); !strings.HasPrefix(got, "ferry-oracle-service_2fORCL-r") {
		t.Errorf("units: %q", got)
	}
	if r := (oracle.Kit{}).Stop(t.Context(), again.Host(node), in); r.Outcome != kits.OK || r.Presence != kits.Absent {
		t.Errorf("stop: %+v", r)
	}
	if got := count(); got != "" {
		t.Errorf("units are left: %q", got)
	}
}
