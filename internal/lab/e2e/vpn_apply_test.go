package e2e

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/lab"
)

// applyDiskMB has room for an empty database; three copies of it are made.
const applyDiskMB = 72

// serviceNodes are those with a data disk.
var serviceNodes = []string{"LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B"}

// bareEstate is the PostgreSQL estate on eight guests as an administrator prepares them: both tunnels up, an empty database on the
// disk of LK_P_A, which is mounted nowhere, and empty disks on the other service nodes. Its far copies go through the tunnels.
func bareEstate(t testing.TB, seed uint64) *database {
	t.Helper()
	d := &database{disks: map[string]*lab.VolatileDisk{}, seed: seed, begun: time.Now()}
	d.site = newSiteOf(remember(t), eight(), dataFile, onVolatileDisks, short)
	for _, n := range serviceNodes {
		disk, err := d.l.NewVolatileDisk(ctx(t), n, applyDiskMB, seed)
		must(t, err)
		d.disks[n] = disk
		t.Cleanup(func() { d.l.Guest(n).Spoil(); disk.Close() })
	}
	onGuestOf(t, d.site, "LK_P_A", `set -e
mkfs.ext4 -q -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 `+lab.VolatileDevice+`
mkdir -p /pgdata && mount `+lab.VolatileDevice+` /pgdata
install -d -o postgres -g postgres -m 700 /pgdata/15
cd / && runuser -u postgres -- /usr/lib/postgresql/15/bin/initdb --data-checksums --wal-segsize=1 -N -D /pgdata/15 >/dev/null
printf '%s\n' "listen_addresses = '*'" 'shared_buffers = 16MB' 'max_wal_size = 8MB' 'min_wal_size = 4MB' >>/pgdata/15/postgresql.conf
echo 'host all all 0.0.0.0/0 trust' >>/pgdata/15/pg_hba.conf
umount /pgdata`)
	for _, g := range d.l.Guests() {
		t.Cleanup(g.Spoil)
		onGuestOf(t, d.site, g.Name(), ownedAndHeld)
	}
	for _, c := range []string{"vpn1", "vpn2"} {
		must(t, d.l.WaitTunnel(ctx(t), c))
	}
	d.mark("eight guests prepared")
	return d
}

// applied is one run of apply --in-service that is cut off, or runs to its end when after is 0.
type applied struct {
	out, errs string
	code      int
}

func (d *database) apply(after time.Duration, more ...string) applied {
	d.t.Helper()
	c, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := d.l.Command(c, lab.EngineNS, ferryBinary, append([]string{"apply", d.file, "--in-service", "--yes"}, more...)...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = d.env(), &out, &errs
	must(d.t, cmd.Start())
	if after > 0 {
		defer time.AfterFunc(after, func() { _ = cmd.Process.Kill() }).Stop()
	}
	_ = cmd.Wait()
	a := applied{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
	d.mark("apply, cut off after %s: exit %d", after, a.code)
	return a
}

// TestVPNApplyFromBareNodes: one command from eight bare guests to everything in service: tunnels, routes, name, mirror, database. The
// command is killed at a random moment, the engine under it as well; run again it goes on, and once more it does nothing.
func TestVPNApplyFromBareNodes(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 0))
	d := bareEstate(t, seed)
	t.Logf("seed %d", seed)
	d.startEngine()

	d.apply(time.Duration(500+rnd.IntN(15000)) * time.Millisecond)
	restarted := make(chan struct{})
	after := time.Duration(500+rnd.IntN(15000)) * time.Millisecond
	go func() {
		defer close(restarted)
		time.Sleep(after)
		d.killEngine()
		d.startEngine()
	}()
	second := d.apply(0)
	<-restarted
	d.mark("the engine was killed after %s", after)
	if t.Logf("what it said then:\n%s", second.out); second.code != 0 && second.code != 1 && second.code != 190 {
		t.Errorf("while the engine was killed: exit %d\n%s", second.code, second.errs)
	}
	last := d.apply(0, "--wait-sync")
	for try := 1; last.code == 1 && try < 6; try++ { // on a busy machine a node may not answer in time; it says what to do then
		t.Logf("to the end: exit %d\n%s%s", last.code, last.errs, last.out)
		last = d.apply(0, "--wait-sync")
	}
	if last.code != 0 {
		t.Fatalf("to the end: exit %d\n%s%s", last.code, last.errs, last.out)
	}
	t.Logf("what was left:\n%s%s", last.errs, last.out)

	d.holds(pgTag, "LK_P_A")
	d.holds(vpnPrimary, "VPN_P_A")
	d.holds(vpnStandby, "VPN_S_A")
	d.leads("ap-northeast-1", "VPN_P_A")
	d.leads("ap-southeast-1", "VPN_S_A")
	d.untilInSync("LK_P_B", "LK_S_A", "LK_S_B")
	d.oneServes("LK_P_A")
	d.sql("create table rows (n bigint primary key)")
	d.sql("insert into rows select generate_series(1, 100)")
	if got := d.sql("select count(*) from rows"); got != "100" {
		t.Errorf("%s rows", got)
	}

	before := d.done()
	again := d.apply(0)
	if again.code != 0 || !strings.Contains(again.out, "nothing to do: the definition is in force, and everything is in service") {
		t.Errorf("a second time: exit %d\n%s%s", again.code, again.errs, again.out)
	}
	if got := d.done(); !slices.Equal(got, before) {
		t.Errorf("a second time it did something: %q, before %q", got, before)
	}
	d.until("nothing differs", func(*api.Snapshot) bool {
		_, _, code := d.ferry("diff", d.file)
		return code == 0
	})
	d.mark("diff finds nothing")
	d.doctorIsSilent()
	d.countedUnderTunnels()
}

// countedUnderTunnels: a client writes while the tunnels of a side are switched over, and while the database moves to the other
// region, whose copy came through them. No acknowledged row is lost.
func (d *database) countedUnderTunnels() {
	d.t.Helper()
	d.rows = 100 // are there
	w := d.write()
	w.more(10)
	d.put(vpnPrimary, "VPN_P_B")
	d.leads("ap-northeast-1", "VPN_P_B")
	d.mark("the tunnel of VPN_P_B is used")
	w.more(10)
	d.untilInSync("LK_P_B", "LK_S_A", "LK_S_B")
	d.cross("LK_S_A")
	w.more(10)
	if lost := w.lost(); len(lost) > 0 {
		d.t.Errorf("%d of %d acknowledged rows are lost: %v", len(lost), len(w.acked), lost)
	}
	d.oneSourceOf(serviceNodes, "LK_S_A")
	d.mark("%d rows acknowledged, longest gap %.1f s, none lost", len(w.acked), w.gap.Seconds())
}

// doctorIsSilent: doctor finds nothing on the nodes, between them or in AWS, but what the lab itself is: without witnesses, and
// checked more often than a cluster over two regions should be.
func (d *database) doctorIsSilent() {
	d.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Second) {
		out, errs, code := d.ferry("doctor", "--except", "estate.quorum", "--except", "estate.tuning")
		if code == 0 && strings.Count(out, "\n") == 1 {
			d.mark("doctor: %s", strings.TrimSpace(out))
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("doctor: exit %d\n%s%s", code, out, errs)
		}
	}
}

// oneServes: of the service nodes, one has the array and the virtual IP.
func (d *database) oneServes(active string) {
	d.t.Helper()
	for _, n := range serviceNodes {
		out, err := d.l.Guest(n).Sh(ctx(d.t), "grep -c '^md[0-9]* : active raid1' /proc/mdstat; ip -o addr show to 10.1.0.10 | grep -c .; true")
		want := map[bool]string{true: "1 1", false: "0 0"}[n == active]
		if got := strings.Join(strings.Fields(out), " "); err != nil || got != want {
			d.t.Errorf("%s has arrays and virtual IPs %q (%v), want %q", n, got, err, want)
		}
	}
}

// done are all operations that moved something.
func (d *database) done() []string {
	var out []string
	for _, t := range []hierarchy.Tag{pgTag, vpnPrimary, vpnStandby} {
		out = append(out, d.moved(t.Cluster())...)
	}
	return out
}
