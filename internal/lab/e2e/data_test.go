package e2e

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/lab"
)

// The tests of the data: PostgreSQL over a file system over a mirror of four disks with volatile write caches, and a client
// that writes numbered rows and notes every one that was acknowledged.

const (
	dataFile = "../../../examples/cross-region-postgresql.toml"

	pgTag     = hierarchy.Tag("service/pg-15")
	fsTag     = hierarchy.Tag("service/pgdata")
	mirrorTag = hierarchy.Tag("service/datakeeper-pgdata")

	dataDiskMB = 128
)

// dataLab are four guests; the tests that use them have names that begin with TestData.
var dataLab = sync.OnceValue(func() *lab.Shared { return shared.Another(lab.Options{Topology: topology()}) })

// database is a site with the PostgreSQL estate.
type database struct {
	*site
	disks map[string]*lab.VolatileDisk
	seed  uint64
	begun time.Time
	rows  int         // the highest number given out
	rnd   *rand.Rand  // of a campaign
	far   atomic.Bool // the client is, and finds the database, in the Standby Region
}

// mark logs how far the test is.
func (d *database) mark(format string, a ...any) {
	d.t.Helper()
	d.t.Logf("%6.1f s  %s", time.Since(d.begun).Seconds(), fmt.Sprintf(format, a...))
}

// newDatabase prepares bare guests as an administrator would, a file system with an empty database on LK_P_A's disk, and
// takes the estate up: every leg is in sync when it returns.
func newDatabase(t testing.TB, seed uint64, change ...func(*hierarchy.Estate)) *database {
	t.Helper()
	d := &database{disks: map[string]*lab.VolatileDisk{}, seed: seed}
	d.site = newSiteOf(remember(t), dataLab(), dataFile, append([]func(*hierarchy.Estate){onVolatileDisks}, change...)...)
	t.Logf("seed %d", seed)
	for _, g := range d.l.Guests() {
		disk, err := d.l.NewVolatileDisk(ctx(t), g.Name(), dataDiskMB, seed)
		must(t, err)
		d.disks[g.Name()] = disk
		t.Cleanup(func() { g.Spoil(); disk.Close() })
	}
	onGuestOf(t, d.site, "LK_P_A", `set -e
mkfs.ext4 -q -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 `+lab.VolatileDevice+`
mkdir -p /pgdata && mount `+lab.VolatileDevice+` /pgdata
install -d -o postgres -g postgres -m 700 /pgdata/15
cd / && runuser -u postgres -- /usr/lib/postgresql/15/bin/initdb --data-checksums -N -D /pgdata/15 >/dev/null
cat >>/pgdata/15/postgresql.conf <<'X'
listen_addresses = '*'
shared_buffers = 16MB
max_connections = 20
min_wal_size = 32MB
max_wal_size = 48MB
checkpoint_timeout = 30s
autovacuum_naptime = 10s
X
echo 'host all all 0.0.0.0/0 trust' >>/pgdata/15/pg_hba.conf
umount /pgdata`)
	d.startEngine()
	d.must("apply", d.file, "--yes")
	d.until("all nodes alive", func(sn *api.Snapshot) bool { return allAlive(sn) && allKnown(sn) })
	d.begun = time.Now()
	d.put(pgTag, "LK_P_A")
	d.mark("in service on LK_P_A")
	d.untilInSync("LK_P_B", "LK_S_A", "LK_S_B")
	d.sql("create table rows (n bigint primary key, at timestamptz default now())")
	return d
}

func onGuestOf(t testing.TB, s *site, node, script string) {
	t.Helper()
	if out, err := s.l.Guest(node).Sh(ctx(t), script); err != nil {
		t.Fatalf("%s: %v\n%s", node, err, out)
	}
}

// onVolatileDisks fits the example to the lab's disks.
func onVolatileDisks(e *hierarchy.Estate) {
	for i := range e.Res {
		r := &e.Res[i]
		for k := range r.On {
			if r.Kit == "datakeeper" {
				r.On[k].Attrs["disk"] = lab.VolatileDevice
			}
		}
	}
}

// live is what the mirror says of a node.
func live(sn *api.Snapshot, node, key string) string {
	for _, r := range sn.Resources {
		if r.Tag == mirrorTag && r.Data != nil {
			return r.Data.Nodes[node][key]
		}
	}
	return ""
}

func (d *database) untilInSync(nodes ...string) {
	d.t.Helper()
	slow := time.AfterFunc(patience/3, d.tellOfMirrors) // by then, whoever waits hangs
	defer slow.Stop()
	defer func() { d.mark("%s in sync", strings.Join(nodes, ", ")) }()
	d.until(strings.Join(nodes, ", ")+" in sync", func(sn *api.Snapshot) bool {
		return !slices.ContainsFunc(nodes, func(n string) bool { return live(sn, n, "state") != "Target, in sync" })
	})
}

// tellOfMirrors logs what the kernels of the service nodes are at: arrays, network disks, and where tasks hang.
func (d *database) tellOfMirrors() {
	for _, n := range serviceNodes {
		c, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		out, err := d.l.Guest(n).Sh(c, `cat /proc/mdstat
grep . /sys/block/md*/md/sync_action /sys/block/md*/md/array_state /sys/block/md*/md/suspend_* /sys/block/md*/md/sync_completed /sys/block/md*/md/bitmap/*
for d in /sys/block/nbd*; do [ ! -e $d/pid ] || echo "${d##*/} $(cat $d/pid) inflight $(cat $d/inflight)"; done
for d in /sys/block/md*/md/dev-*; do echo "${d#/sys/block/} $(cat $d/state) $(cat $d/errors)"; done
for d in /sys/block/md*; do echo "${d##*/} inflight $(cat $d/inflight)"; done
for d in /sys/block/dm-*; do echo "${d##*/} $(cat $d/dm/name) suspended $(cat $d/dm/suspended) inflight $(cat $d/inflight)"; done
ps -eo pid,stat,wchan:30,etimes,args --no-headers | awk '$2 ~ /^D/ || /mdadm|nbd|dmsetup|md[0-9]|postgres/'
for p in $(ps -eo pid,stat,comm --no-headers | awk '$2 ~ /^D/ || $3 ~ /^md[0-9]/ { print $1 }'); do echo "== $p $(cat /proc/$p/comm)"; cat /proc/$p/stack 2>/dev/null; done
dmesg 2>/dev/null | tail -n 25`)
		cancel()
		d.t.Logf("%s (%v):\n%s", n, err, out)
	}
}

// psql runs one statement as a client in the region where the database is meant to be; it waits as long as the server does.
func (d *database) psql(c context.Context, statement string) (string, error) {
	region, host := d.estate.Regions[0].Name, "10.1.0.10"
	if d.far.Load() {
		region, host = farRegion, "10.2.0.10"
	}
	cmd := d.l.Command(c, lab.ClientNS(region), "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statement,
		"host="+host+" user=postgres dbname=postgres connect_timeout=2 tcp_user_timeout=3000 keepalives_idle=1 keepalives_interval=1 keepalives_count=3")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(errs.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

func (d *database) sql(statement string) string {
	d.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		c, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		out, err := d.psql(c, statement)
		cancel()
		if err == nil {
			return out
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("%s: %v", statement, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// writer writes numbered rows, one after the other, until it is stopped.
type writer struct {
	d    *database
	stop context.CancelFunc
	done chan struct{}

	mu    sync.Mutex
	acked []int
	at    []time.Time   // when the row of the same index in acked was acknowledged
	gap   time.Duration // the longest time between two acknowledgements
	last  time.Time
}

func (d *database) write() *writer {
	c, cancel := context.WithCancel(context.Background())
	w := &writer{d: d, stop: cancel, done: make(chan struct{}), last: time.Now()}
	go func() {
		defer close(w.done)
		for c.Err() == nil {
			d.rows++
			one, end := context.WithTimeout(c, 40*time.Second)
			_, err := d.psql(one, fmt.Sprintf("insert into rows (n) values (%d)", d.rows))
			end()
			if err == nil {
				w.acknowledged()
			} else {
				time.Sleep(50 * time.Millisecond)
			}
		}
	}()
	d.t.Cleanup(w.end)
	return w
}

func (w *writer) acknowledged() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acked, w.at = append(w.acked, w.d.rows), append(w.at, time.Now())
	w.gap = max(w.gap, time.Since(w.last))
	w.last = time.Now()
}

func (w *writer) end() { w.stop(); <-w.done }

// count is how many rows were acknowledged so far.
func (w *writer) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked)
}

// more waits for n more acknowledgements.
func (w *writer) more(n int) {
	w.d.t.Helper()
	want := w.count() + n
	slow := time.AfterFunc(patience/6, w.d.tellOfMirrors) // by then, writes hang
	defer slow.Stop()
	deadline := time.Now().Add(patience)
	for w.count() < want {
		if time.Now().After(deadline) {
			out, _, _ := w.d.ferry("status")
			w.d.t.Fatalf("%d rows acknowledged, waited for %d\n%s", w.count(), want, out)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// lost ends the writer and looks for every acknowledged row: those that are not there.
func (w *writer) lost() (lost []int) {
	w.d.t.Helper()
	w.end()
	there := map[int]bool{}
	for _, l := range strings.Fields(w.d.sql("select n from rows")) {
		n, err := strconv.Atoi(l)
		must(w.d.t, err)
		there[n] = true
	}
	for _, n := range w.acked {
		if !there[n] {
			lost = append(lost, n)
		}
	}
	return lost
}

// sound demands that no acknowledged row is lost, the database's checksums and indexes are right, one node is the source, and the
// disks of all legs that are to be in sync are the same, block for block.
func (d *database) sound(w *writer, active string, inSync ...string) {
	d.t.Helper()
	if lost := w.lost(); len(lost) > 0 {
		d.t.Errorf("%d of %d acknowledged rows are lost: %v", len(lost), len(w.acked), lost[:min(20, len(lost))])
	}
	d.untilInSync(inSync...)
	d.sql("create extension if not exists amcheck")
	d.sql("select bt_index_check(c.oid, true) from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam where a.amname = 'btree' and c.relpersistence = 'p'")
	d.oneSource(active)
	d.mark("rows and indexes are right")
	for _, n := range serviceNodes { // two connections that are made at once must not reach for the same device
		out, err := d.l.Guest(n).Sh(ctx(d.t), "dmesg | grep 'nbd.*already in use' || true")
		if err != nil || out != "" {
			d.t.Errorf("%s: %v %s", n, err, out)
		}
	}
	d.must("out-of-service", string(pgTag), "--yes")
	onGuestOf(d.t, d.site, active, "/usr/lib/postgresql/15/bin/pg_checksums --check -D /pgdata/15 >/dev/null")
	d.mark("checksums are right")
	d.must("out-of-service", string(fsTag), "--yes")
	d.until("nothing in flight", func(sn *api.Snapshot) bool {
		return !slices.ContainsFunc(inSync, func(n string) bool { return live(sn, n, "backlog") != "" })
	})
	d.must("out-of-service", string(mirrorTag), "--yes")
	want := d.disks[active].Stable()
	for _, n := range inSync {
		if diff := differ(want, d.disks[n].Stable()); len(diff) > 0 {
			d.t.Errorf("%d blocks of %s differ from those of %s: %v; writes and flushes: %+v", len(diff), n, active, diff[:min(20, len(diff))], d.disks[n].Stats())
			d.tellPast(diff[:min(4, len(diff))], active, n)
		}
	}
	d.t.Logf("%d rows acknowledged, longest gap %.1f s, none lost, disks of %s equal", len(w.acked), w.gap.Seconds(), strings.Join(append([]string{active}, inSync...), ", "))
}

// tellPast prints what happened to some blocks of the disks of some nodes.
func (d *database) tellPast(blocks []int, nodes ...string) {
	d.t.Helper()
	for _, b := range blocks {
		for _, n := range nodes {
			d.t.Logf("block %d of %s:\n  %s", b, n, strings.Join(d.disks[n].Past(int64(b)), "\n  "))
		}
	}
}

// differ lists the blocks of 4 KiB that are not the same.
func differ(a, b []byte) (blocks []int) {
	for i := 0; i < len(a); i += 4096 {
		if !bytes.Equal(a[i:i+4096], b[i:i+4096]) {
			blocks = append(blocks, i/4096)
		}
	}
	return blocks
}

// oneSource: the array runs on one node only, of those that have power.
func (d *database) oneSource(active string) {
	d.t.Helper()
	var all []string
	for _, g := range d.l.Guests() {
		all = append(all, g.Name())
	}
	d.oneSourceOf(all, active)
}

func (d *database) oneSourceOf(nodes []string, active string) {
	d.t.Helper()
	for _, n := range nodes {
		g := d.l.Guest(n)
		if !g.Running() {
			continue
		}
		out, err := g.Sh(ctx(d.t), "grep -c '^md[0-9]* : active raid1' /proc/mdstat; true")
		if runs := strings.TrimSpace(out) != "0"; err != nil || runs != (g.Name() == active) {
			d.t.Errorf("an array runs on %s: %v (%v), and the source is %s", g.Name(), runs, err, active)
		}
	}
}
