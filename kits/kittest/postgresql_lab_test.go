package kittest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/lab"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/kittest"
	"github.com/ferry-ha/ferry/kits/kittest/onlab"
	"github.com/ferry-ha/ferry/kits/postgresql"
)

const (
	pgMount = "/pgdata"
	pgData  = "/pgdata/ma in"
	pgBin   = "/usr/lib/postgresql/15/bin"
)

func pgInstance(g *lab.Guest) kits.Instance {
	node := g.Spec().Name
	return kits.Instance{
		Tag: "service/pg", Kit: "postgresql",
		Attrs: map[string]string{postgresql.FieldData: pgData, postgresql.FieldBin: pgBin, postgresql.FieldVersion: "15"},
		Children: []kits.Relative{{Tag: "service/fs", Kit: "filesystem", On: map[string]map[string]string{
			node: {"mount_point": pgMount},
		}}},
	}
}

// newPostgresWorld has a cluster on the data disk of each guest, mounted.
func newPostgresWorld(t *testing.T) *labWorld {
	w := newLabWorld(t, pgInstance)
	for _, n := range w.Nodes() {
		onGuest(t, w, n, `
			mkdir -p /pgdata
			if ! grep -q " /pgdata " /proc/mounts; then
				mkfs.ext4 -q -F /dev/ubdb && mount /dev/ubdb /pgdata
			fi
			chown postgres:postgres /pgdata
			if [ ! -e "$1/PG_VERSION" ]; then
				cd / && runuser -u postgres -- /usr/lib/postgresql/15/bin/initdb -k --no-sync -A peer -D "$1" >/dev/null
			fi`, pgData)
	}
	t.Cleanup(func() {
		w.Hosts = onlab.New(t, w.lab) // the test may have closed its connections
		for _, n := range w.Nodes() {
			onGuest(t, w, n, `umount /pgdata && dd if=/dev/zero of=/dev/ubdb bs=64k count=16 conv=fsync 2>/dev/null`)
		}
	})
	return w
}

// onGuest does what the world needs, as root.
func onGuest(t *testing.T, w *labWorld, node, body string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute) // initdb on a slow guest
	defer cancel()
	res, err := w.Host(node).Run(ctx, kits.Script{Name: "world", Body: body, Args: args, Deadline: 3 * time.Minute})
	if err != nil || res.Exit != 0 {
		t.Fatalf("on %s: %v, exit %d\n%s%s", node, err, res.Exit, res.Stdout, res.Stderr)
	}
	return strings.TrimSpace(res.Stdout)
}

func TestKitPostgresqlInTheLab(t *testing.T) {
	w := newPostgresWorld(t)
	kittest.Conformance(t, postgresql.Kit{}, w)
	t.Run("outlives its caller", func(t *testing.T) { postgresOutlives(t, w) })
	t.Run("killed, with a child that is stuck", func(t *testing.T) { postgresKilled(t, w) })
	t.Run("not mounted", func(t *testing.T) { postgresUnmounted(t, w) })
	t.Run("starts at boot", func(t *testing.T) { postgresAtBoot(t, w) })
}

// The server outlives the unit, the shell and the connection it was started from.
func postgresOutlives(t *testing.T, w *labWorld) {
	in := w.Instance("LK_P_A")
	if r := (postgresql.Kit{}).Start(t.Context(), w.Host("LK_P_A"), in); r.Outcome != kits.OK {
		t.Fatal(r)
	}
	w.Pool.Close()
	w.Hosts = onlab.New(t, w.lab)
	r := (postgresql.Kit{}).Check(t.Context(), w.Host("LK_P_A"), in)
	if r.Outcome != kits.OK || r.Presence != kits.Present || r.Impaired {
		t.Fatalf("after its caller has gone: %+v", r)
	}
	t.Logf("%v", r.Details)
}

func postgresKilled(t *testing.T, w *labWorld) {
	w.Hosts = onlab.New(t, w.lab)
	in, h := w.Instance("LK_P_A"), w.Host("LK_P_A")
	onGuest(t, w, "LK_P_A", `cd / && runuser -u postgres -- psql -qc 'create table n(i int)' -c 'insert into n select generate_series(1, 500)' postgres
		runuser -u postgres -- psql -qc 'select pg_sleep(10000)' postgres >/dev/null 2>&1 &
		sleep 2
		p=$(cd / && runuser -u postgres -- psql -Atqc "select pid from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'" postgres)
		kill -STOP "$p"
		kill -KILL "$(head -n 1 "$1/postmaster.pid")"; sleep 2`, pgData)
	r := (postgresql.Kit{}).Check(t.Context(), h, in)
	if r.Outcome != kits.Failed {
		t.Fatalf("check: %+v", r)
	}
	t.Logf("check: %s", r.Reason.Text)
	if r := (postgresql.Kit{}).Recover(t.Context(), h, in); r.Outcome != kits.OK {
		t.Fatalf("recover: %+v", r)
	}
	if got := onGuest(t, w, "LK_P_A", `cd / && runuser -u postgres -- psql -Atqc 'select count(*) from n' postgres`); got != "500" {
		t.Errorf("%s rows are left of 500", got)
	}
	if r := (postgresql.Kit{}).Stop(t.Context(), h, in); r.Outcome != kits.OK || r.Presence != kits.Absent {
		t.Fatalf("stop: %+v", r)
	}
}

func postgresUnmounted(t *testing.T, w *labWorld) {
	w.Hosts = onlab.New(t, w.lab)
	in, h := w.Instance("LK_P_B"), w.Host("LK_P_B")
	onGuest(t, w, "LK_P_B", "umount /pgdata")
	r := (postgresql.Kit{}).Start(t.Context(), h, in)
	if r.Outcome != kits.Failed || r.Reason.Code != "postgresql.not-mounted" {
		t.Errorf("start without its file system: %+v", r)
	}
	if left := onGuest(t, w, "LK_P_B", "ls -A /pgdata | wc -l; mount /dev/ubdb /pgdata"); left != "0" {
		t.Errorf("%s files were made beneath the mount point", left)
	}
}

func postgresAtBoot(t *testing.T, w *labWorld) {
	w.Hosts = onlab.New(t, w.lab)
	in, h := w.Instance("LK_P_A"), w.Host("LK_P_A")
	dir := "/etc/postgresql/15/ferry"
	onGuest(t, w, "LK_P_A", `mkdir -p "$2" && printf "data_directory = '%s'\n" "$1" >"$2/postgresql.conf" && echo auto >"$2/start.conf"`, pgData, dir)
	e := (postgresql.Kit{}).Eligible(t.Context(), h, in)
	state := onGuest(t, w, "LK_P_A", "systemctl is-enabled postgresql.service; ls -l /etc/systemd/system/postgresql* /etc/systemd/system/*.wants/postgresql*; systemctl show -p Environment -p ExecStart postgresql.service; true")
	t.Logf("the umbrella: %s", state)
	if strings.HasPrefix(state, "enabled") && (e.Outcome != kits.Failed || e.Reason.Code != "postgresql.starts-at-boot") {
		t.Errorf("a cluster that starts at boot: %+v", e)
	}
	onGuest(t, w, "LK_P_A", `systemctl unmask postgresql@.service 2>&1; systemctl enable postgresql@15-ferry.service 2>&1`)
	e = (postgresql.Kit{}).Eligible(t.Context(), h, in)
	if e.Outcome != kits.Failed || e.Reason.Code != "postgresql.starts-at-boot" {
		t.Errorf("an instance that starts at boot: %+v", e)
	}
	t.Logf("%s", e.Reason.Text)
	onGuest(t, w, "LK_P_A", `systemctl disable postgresql@15-ferry.service 2>&1; rm -r "$1"`, dir)
	if e = (postgresql.Kit{}).Eligible(t.Context(), h, in); e.Outcome != kits.OK {
		t.Errorf("nothing starts it: %+v", e)
	}
}
