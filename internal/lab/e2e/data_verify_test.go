package e2e

import (
	"fmt"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/internal/lab"
	"github.com/ferry-ha/ferry/kits"
)

// The copies of a mirror are compared, on real arrays.

// blockSize is in what differences are counted.
const blockSize = 4096

// comparison has the copies compared under whatever writes, when blocks of one of them have changed by themselves: it is said how
// many differ and on which node, that copy is not promoted, and nothing is repaired. Copied in full it is equal again.
func (d *database) comparison(active, rotten string) {
	d.t.Helper()
	blocks := d.unused(3)
	for _, b := range blocks {
		d.rot(rotten, b)
	}
	if said := d.verify(); said.Code != "datakeeper.differ" {
		d.t.Errorf("%d blocks of %s changed: %s", len(blocks), rotten, said.Text)
	}
	d.untilEvent("where they differ", func(e api.Event) bool {
		if e.Reason.Because == nil || e.Reason.Because.Code != "datakeeper.located" {
			return false
		}
		where := e.Reason.Because.Args["where"]
		if want := fmt.Sprintf("%s: %d", rotten, len(blocks)); where != want || e.Reason.Because.Args["unread"] != "-" {
			d.t.Errorf("located at %q, want %q: %s", where, want, e.Reason.Because.Text)
		}
		d.mark("%s", e.Reason.Because.Text)
		return true
	})
	d.until(rotten+" is no copy to be promoted", func(sn *api.Snapshot) bool { return live(sn, rotten, "promote") == "differs" })
	for try := 1; ; try++ { // on a busy machine it may be refused because a node did not answer in time
		_, errs, code := d.ferry("in-service", string(pgTag), "--on", rotten, "--yes")
		if code == 107 && strings.Contains(errs, "differ") {
			break
		}
		if code == 0 || try == 6 {
			d.t.Fatalf("a copy that differs: exit %d\n%s", code, errs)
		}
		time.Sleep(5 * time.Second)
	}
	d.holds(pgTag, active)
	for _, b := range blocks {
		if at := d.disks[rotten].Stable()[b*blockSize]; at != rot {
			d.t.Errorf("block %d of %s was repaired in silence: %#x", b, rotten, at)
		}
		if at := d.disks[active].Stable()[b*blockSize]; at == rot {
			d.t.Errorf("block %d of %s was overwritten with what nobody wrote", b, active)
		}
	}
	d.must("resource", "set", string(mirrorTag), "--on", rotten, "paused=true", "--yes")
	d.until(rotten+" paused", func(sn *api.Snapshot) bool { return live(sn, rotten, "state") == "Target, paused" })
	d.must("resource", "set", string(mirrorTag), "--on", rotten, "paused=", "--yes")
	d.untilInSync(rotten)
	if said := d.verify(); said.Code != "datakeeper.equal" {
		d.t.Errorf("copied in full: %s", said.Text)
	}
}

// rot is what a rotten block consists of.
const rot = 0xa5

// rot writes a block beneath the mirror.
func (d *database) rot(node string, block int) {
	d.t.Helper()
	onGuestOf(d.t, d.site, node, fmt.Sprintf("tr '\\0' '\\%o' </dev/zero | dd of=%s bs=%d seek=%d count=1 iflag=fullblock oflag=direct conv=notrunc,fsync 2>&1", rot, lab.VolatileDevice, blockSize, block))
}

// unused are blocks of zeros in the middle of the longest run of them, which nothing will use so soon.
func (d *database) unused(n int) (blocks []int) {
	d.t.Helper()
	disk := d.disks["LK_P_A"].Stable()
	zero := string(make([]byte, blockSize))
	best, at, run := 0, 0, 0
	for b := range len(disk) / blockSize {
		if string(disk[b*blockSize:(b+1)*blockSize]) != zero {
			run = 0
			continue
		}
		if run++; run > best {
			best, at = run, b
		}
	}
	if best < 40*n {
		d.t.Fatalf("the longest run of unused blocks is of %d", best)
	}
	for i := range n {
		blocks = append(blocks, at-best/2+16*i)
	}
	return blocks
}

// verify orders a comparison and waits for what is said at its end: by the task, or, when it takes longer, by a pulse later.
func (d *database) verify() (said kits.Reason) {
	d.t.Helper()
	began, goesOn := time.Now(), int64(0)
	d.must("resource", "verify", string(mirrorTag))
	d.untilEvent("the end of the comparison", func(e api.Event) bool {
		if e.At.Before(began) || e.Tag != mirrorTag {
			return false
		}
		if said = e.Reason; said.Because != nil {
			said = *said.Because
		}
		ended := said.Code == "datakeeper.equal" || said.Code == "datakeeper.differ"
		switch {
		case said.Code == "datakeeper.comparing":
			goesOn = e.Seq
		case e.Reason.Code == "keep-task-done":
			return ended
		}
		return ended && goesOn > 0 && e.Seq > goesOn
	})
	d.mark("compared in %.1f s: %s", time.Since(began).Seconds(), said.Text)
	return said
}
