package lab_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/lab"
)

// mirrorSh are the steps by hand of what kits/datakeeper does: a leg is the data disk and, behind it, room for md's
// superblock and bitmap on a loop device.
const mirrorSh = `
leg() {
  modprobe -a loop dm-mod dm-multipath dm-round-robin nbd raid1
  [ -e /var/lib/meta ] || truncate -s 8M /var/lib/meta
  loop=$(losetup -f --show /var/lib/meta)
  data=$(blockdev --getsz /dev/ubdb) meta=$(blockdev --getsz $loop)
  printf '0 %s linear /dev/ubdb 0\n%s %s linear %s 0\n' $data $data $meta $loop | dmsetup create leg
  dmsetup mknodes
}
unserve() { pkill -KILL -x nbd-server; while pgrep -x nbd-server >/dev/null; do sleep 0.05; done; }
serve() {
  unserve
  mkdir -p /etc/nbd-server
  printf '%s\n' '[generic]' 'user = root' 'group = root' '[leg]' 'exportname = /dev/mapper/leg' 'sync = true' 'flush = true' 'fua = false' 'trim = false' >/etc/nbd-server/config
  nbd-server -C /etc/nbd-server/config -p /run/nbd-server.pid
}
connect() { # ADDRESS NUMBER
  for try in 1 2 3 4 5 6 7 8 9 10; do
    timeout 5 nbd-client -N leg $1 10809 /dev/nbd$2 -timeout 0 </dev/null >/dev/null 2>&1 && return 0
    sleep 0.2
  done
  return 1
}
queue() { # NAME NUMBER
  table $2 | dmsetup create $1
  dmsetup mknodes
}
table() { echo "0 $(blockdev --getsz /dev/mapper/leg) multipath 3 queue_if_no_path queue_mode bio 0 1 1 round-robin 0 1 1 /dev/nbd$1 1"; }
# another: puts a new connection under a queue. The old one's number is not free before the queue has let go of it.
another() { # NAME NUMBER
  table $2 | dmsetup reload $1 && dmsetup suspend --noflush --nolockfs $1 && dmsetup resume $1
}
exclude() { # NAME NUMBER
  dmsetup message $1 0 fail_if_no_path
  timeout 5 nbd-client -d /dev/nbd$2 >/dev/null
}
create() {
  echo y | mdadm --create /dev/md10 --metadata=1.0 --level=1 --raid-devices=2 --bitmap=internal --bitmap-chunk=${1:-64K} \
    --size=$(($(blockdev --getsize64 /dev/ubdb) / 1024)) --assume-clean --run /dev/mapper/leg missing 2>/dev/null
}
whole() { # after a re-add md takes a moment before it begins
  echo 50000 >/sys/block/md10/md/sync_speed_min
  for try in $(seq 600); do grep -q '\[UU\]' /proc/mdstat && return 0; sleep 0.1; done
  cat /proc/mdstat >&2; return 1
}
# settled: what is the same on both sides is no longer marked; md takes its marks away some seconds later.
settled() {
  for try in $(seq 60); do [ "$(dirty 256 | wc -l)" -lt 20 ] && return 0; sleep 0.5; done
  dirty 256 | wc -l >&2; return 1
}
sum() { dd if=${1:-/dev/ubdb} bs=1M iflag=direct 2>/dev/null | sha256sum | cut -c1-16; }
ms() { begun=$(date +%s%N); "$@" >/dev/null 2>&1; echo $((($(date +%s%N) - begun) / 1000000)); }
commit() { dd if=/dev/zero of=/mnt/commit bs=4k count=$1 oflag=dsync conv=notrunc; }
# dirty: the chunks that the bitmap of a leg that is not in use marks, as md numbers them. It lies before the superblock,
# which is 8 KiB before the end: a head of 256 bytes, then a bit for each chunk.
dirty() {
  end=$(blockdev --getsize64 /dev/mapper/leg); sb=$((end / 512 - 16)); sb=$((sb / 8 * 8))
  dd if=/dev/mapper/leg bs=512 skip=$((sb - 16)) count=16 iflag=direct 2>/dev/null | od -An -v -tu1 -w1 -j256 -N$1 | awk '{ for (b = 0; b < 8; b++) if (int($1 / 2 ^ b) % 2) print (NR - 1) * 8 + b }'
}
`

// mirror is a lab of three nodes with data disks, for the report.
type mirror struct {
	t       *testing.T
	a, b, s *lab.Guest
	l       *lab.Lab
}

func newMirror(t *testing.T) *mirror {
	top := lab.FourNodes()
	top.Guests = top.Guests[:3]
	for i := range top.Guests {
		top.Guests[i].DataMB = 128
	}
	l, err := lab.Start(t.Context(), lab.Options{Topology: top})
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return &mirror{t, l.Guest("LK_P_A"), l.Guest("LK_P_B"), l.Guest("LK_S_A"), l}
}

func (m *mirror) sh(g *lab.Guest, script string) string {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), 2*time.Minute)
	defer cancel()
	out, err := g.Sh(ctx, mirrorSh+script)
	if err != nil {
		m.t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(out)
}

func (m *mirror) same(what string, g *lab.Guest) {
	m.t.Helper()
	if a, b := m.sh(m.a, "sum"), m.sh(g, "sum"); a != b {
		m.t.Errorf("%s: the disks differ", what)
	} else {
		m.t.Logf("%s: both disks %s", what, a)
	}
}

func report(t *testing.T) {
	if os.Getenv("FERRY_REPORT") != "1" {
		t.Skip("figures are taken by make lab-report (FERRY_REPORT=1)")
	}
}

// TestReportMirror takes the figures of docs/replication.md: that a file system survives byte for byte, what a frozen leg
// does and how it thaws, and what a leg in another region costs per commit.
func TestReportMirror(t *testing.T) {
	report(t)
	m := newMirror(t)
	for _, fs := range []string{"mkfs.ext4 -q -E nodiscard", "mkfs.ext4 -q -b 1024 -E nodiscard"} {
		m.sh(m.a, fs+" /dev/ubdb && mkdir -p /mnt && mount /dev/ubdb /mnt && dd if=/dev/urandom of=/mnt/f bs=1M count=30 2>/dev/null; umount /mnt")
		before := m.sh(m.a, "sum")
		after := m.sh(m.a, "leg && create && sum && sum /dev/md10; mdadm --stop /dev/md10 2>/dev/null; dmsetup remove leg; losetup -D; rm /var/lib/meta")
		if after != before+"\n"+before {
			t.Errorf("%s: %s before, then %s", fs, before, after)
		}
	}
	m.sh(m.b, "leg && serve")
	m.sh(m.a, "leg && create && connect 10.0.10.10 0 && queue mb 0 && mdadm /dev/md10 --add /dev/mapper/mb && whole && echo writemostly >/sys/block/md10/md/dev-dm-1/state")
	m.same("after the first sync", m.b)
	m.postgres()
	m.freeze()
	m.far()
}

// postgres puts a database on the mirror.
func (m *mirror) postgres() {
	m.sh(m.a, `mount /dev/md10 /mnt && rm -f /mnt/f && mkdir -p /mnt/pg && chown postgres /mnt/pg
cd / && runuser -u postgres -- /usr/lib/postgresql/15/bin/initdb -D /mnt/pg >/dev/null
runuser -u postgres -- /usr/lib/postgresql/15/bin/pg_ctl -D /mnt/pg -w -l /tmp/pg.log -o "-k /tmp -h ''" start >/dev/null
runuser -u postgres -- psql -qh /tmp -c 'create table t (n int)' postgres`)
}

const insert = `cd / && runuser -u postgres -- psql -qh /tmp -c 'insert into t values (1)' postgres`

// freeze cuts the link under a commit, and lets it go on: by itself after a short cut, by a connection made anew after a
// longer one, and by excluding the leg.
func (m *mirror) freeze() {
	frozen := func(cure func()) string {
		must(m.t, m.l.Cut(m.t.Context(), "LK_P_A", "LK_P_B"))
		m.sh(m.a, `rm -f /run/done; (date +%s%N >/run/begun; `+insert+` 2>/run/err; echo $? $(date +%s%N) >/run/done) >/dev/null 2>&1 & sleep 3; [ ! -e /run/done ] || echo "not frozen" >&2; [ ! -e /run/done ]`)
		if got := m.sh(m.a, `timeout 2 ls /mnt >/dev/null && grep -c '\[UU\]' /proc/mdstat`); got != "1" {
			m.t.Errorf("frozen, md says %s", got)
		}
		cure()
		return m.sh(m.a, `for i in $(seq 300); do [ -s /run/done ] && break; sleep 0.1; done; cat /run/err; read -r rc at </run/done; read -r begun </run/begun; cure=$(cat /run/cure); echo "rc $rc, $(((at - begun) / 1000000)) ms in all, $(((at - cure) / 1000000)) ms after the cure"`)
	}
	now := "date +%s%N >/run/cure; "
	m.t.Logf("short cut: %s", frozen(func() { m.sh(m.a, now); must(m.t, m.l.Heal(m.t.Context())) }))
	m.t.Logf("server killed, connection made anew: %s", frozen(func() {
		must(m.t, m.l.Heal(m.t.Context()))
		m.sh(m.b, "serve")
		m.sh(m.a, now+"timeout 5 nbd-client -d /dev/nbd0 >/dev/null; connect 10.0.10.10 2 && another mb 2")
	}))
	m.sh(m.a, "sync")
	m.same("after both", m.b)
	m.t.Logf("excluded: %s", frozen(func() { m.sh(m.a, now+"exclude mb 2") }))
	must(m.t, m.l.Heal(m.t.Context()))
	m.t.Logf("3 MB later, re-added in %s ms", m.sh(m.a, "mdadm /dev/md10 --remove /dev/mapper/mb 2>/dev/null; dmsetup remove mb; dd if=/dev/urandom of=/mnt/z bs=1M count=3 conv=fsync 2>/dev/null"))
	m.sh(m.b, "serve")
	m.t.Logf("partial resync of 3 MB: %s ms", m.sh(m.a, "connect 10.0.10.10 0 && queue mb 0 && again() { mdadm /dev/md10 --re-add --write-mostly /dev/mapper/mb && whole; }; ms again"))
	m.sh(m.a, "sync; "+insert)
	m.sh(m.a, "cd /; runuser -u postgres -- /usr/lib/postgresql/15/bin/pg_ctl -D /mnt/pg -m fast stop >/dev/null; sync")
	m.same("in the end", m.b)
}

// far replaces the leg by one that is 80 ms away, with small and with large chunks of the bitmap: a mark is written to every
// leg, and waited for, before what it stands for.
func (m *mirror) far() {
	figure := func(name, prepare string, count int) {
		var per []float64
		m.sh(m.a, prepare+fmt.Sprintf("\ncommit %d 2>/dev/null", count)) // the blocks are there then, as in a database's log
		for range 7 {
			ms, _ := strconv.Atoi(m.sh(m.a, fmt.Sprintf("ms commit %d", count)))
			per = append(per, float64(ms)/float64(count))
		}
		slices.Sort(per)
		m.t.Logf("%-52s %6.1f ms per commit (%.1f–%.1f)", name, per[3], per[0], per[6])
	}
	figure("a synchronous leg near by", "true", 100)
	m.sh(m.a, "umount /mnt; mdadm --stop /dev/md10 2>/dev/null; dmsetup remove mb; nbd-client -d /dev/nbd0 >/dev/null; dmsetup remove leg; losetup -D; true")
	for _, chunk := range []string{"64K", "16M"} {
		m.sh(m.s, "unserve; dmsetup remove leg; losetup -D; rm -f /var/lib/meta; leg && serve")
		m.sh(m.a, "rm -f /var/lib/meta; leg && create "+chunk+" && mkfs.ext4 -q -E nodiscard /dev/md10 && mount /dev/md10 /mnt")
		figure(chunk+": no leg", "true", 200)
		m.sh(m.a, "connect 172.16.0.10 1 && queue ms 1 && mdadm /dev/md10 --add /dev/mapper/ms && whole")
		must(m.t, m.l.Latency(m.t.Context(), "LK_S_A", 80*time.Millisecond, 0))
		figure(chunk+": synchronous, 80 ms", "true", 20)
		figure(chunk+": write-behind, flushes passed on, 80 ms", "echo writemostly >/sys/block/md10/md/dev-dm-1/state; echo 4096 >/sys/block/md10/md/bitmap/backlog", 20)
		figure(chunk+": write-behind, no flushes, 80 ms", "for d in nbd1 dm-1; do echo 'write through' >/sys/block/$d/queue/write_cache; done", 100)
		must(m.t, m.l.Latency(m.t.Context(), "LK_S_A", 0, 0))
		m.sh(m.a, "umount /mnt; mdadm --stop /dev/md10 2>/dev/null; dmsetup remove ms; nbd-client -d /dev/nbd1 >/dev/null; dmsetup remove leg; losetup -D; sleep 1")
	}
}

// TestReportMerge loses the source while it writes, writes on the other side, and joins the old source again with the union
// of both bitmaps. FERRY_RUNS says how often (20); the seed is printed, FERRY_SEED repeats it.
func TestReportMerge(t *testing.T) {
	report(t)
	runs, err := strconv.Atoi(os.Getenv("FERRY_RUNS"))
	if err != nil {
		runs = 20
	}
	seed, err := strconv.ParseUint(os.Getenv("FERRY_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("FERRY_SEED=%d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	m := newMirror(t)
	m.sh(m.b, "leg && serve")
	m.sh(m.a, "leg && create && connect 10.0.10.10 0 && queue mb 0 && mdadm /dev/md10 --add /dev/mapper/mb && whole")
	src, dst := m.a, m.b
	scribble := func(n int) string {
		var b strings.Builder
		for range n {
			fmt.Fprintf(&b, "dd if=/dev/urandom of=/dev/md10 bs=4k seek=%d count=%d oflag=direct conv=notrunc 2>/dev/null\n", rnd.IntN(32000), 1+rnd.IntN(64))
		}
		return b.String()
	}
	chunks := 0
	for run := range runs {
		m.sh(src, "settled")
		m.sh(src, "( "+scribble(400)+" ) >/dev/null 2>&1 & true")
		time.Sleep(time.Duration(200+rnd.IntN(1500)) * time.Millisecond)
		must(t, src.PowerOff(t.Context()))
		m.sh(dst, `unserve; blockdev --flushbufs /dev/mapper/leg
mdadm --assemble --run /dev/md10 /dev/mapper/leg >&2; cat /proc/mdstat >&2; grep -q '^md10 : active .*raid1' /proc/mdstat`)
		m.sh(dst, scribble(5))
		must(t, src.PowerOn(t.Context()))
		must(t, src.WaitSSH(t.Context()))
		dirty := strings.Fields(m.sh(src, "leg && dirty 256 && serve"))
		chunks += len(dirty)
		m.sh(dst, fmt.Sprintf(`echo %s >/sys/block/md10/md/bitmap_set_bits
connect %s 0 && queue mb 0 && mdadm /dev/md10 --re-add /dev/mapper/mb && whole`, strings.Join(dirty, " "), src.Addr()))
		a, b := m.sh(src, "sum"), m.sh(dst, "sum")
		if a != b {
			t.Fatalf("run %d: the disks differ after %d dirty chunks of the old source were merged", run, len(dirty))
		}
		src, dst = dst, src
		if run == runs-1 {
			break
		}
	}
	t.Logf("%d runs, every comparison equal, %d dirty chunks of the old sources in all", runs, chunks)
}
