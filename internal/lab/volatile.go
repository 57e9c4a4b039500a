package lab

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"
)

// VolatileDisk is a disk of a guest that has a write cache which is lost with the power, as real disks have: what was
// written and not flushed may be there after a power-off or not, each block for itself. The data disk of [GuestSpec] forgives
// a missing flush, because the page cache of the machine that the lab runs on survives.
//
// The guest reaches it over the management network as [VolatileDevice], a network block device that the harness serves.
// [Guest.PowerOff] loses the cache; [VolatileDisk.Attach] joins it after a boot.
type VolatileDisk struct {
	guest *Guest
	ln    net.Listener

	mu     sync.Mutex
	rnd    *rand.Rand
	stable []byte
	cache  map[int64][]byte // by block: what was written since the last flush
	stats  VolatileStats
	past   map[int64][]string // by block: the last things that happened to it
	over   bool
}

// VolatileStats count what happened to a volatile disk since it was made.
type VolatileStats struct {
	Writes, Flushes int // requests
	// Lost and Kept are blocks that were in the cache when the power went.
	Lost, Kept int
}

const (
	// VolatileDevice is the disk as the guest sees it. Kits take numbers from below.
	VolatileDevice = "/dev/nbd15"
	volatileExport = "volatile"
	volatileBlock  = 4096
)

// NewVolatileDisk gives a guest such a disk, all zeros, and attaches it. What is lost is chosen by seed. The disk ends with
// the lab.
func (l *Lab) NewVolatileDisk(ctx context.Context, guest string, sizeMB int, seed uint64) (*VolatileDisk, error) {
	g := l.Guest(guest)
	d := &VolatileDisk{guest: g, rnd: rand.New(rand.NewPCG(seed, uint64(g.index))), stable: make([]byte, sizeMB<<20), cache: map[int64][]byte{}, past: map[int64][]string{}}
	ln, err := l.Listen(managementNS, "tcp4", mgmtAddr(g.region, mgmtHost)+":0")
	if err != nil {
		return nil, fmt.Errorf("serving a disk to %s: %w", guest, err)
	}
	d.ln = ln
	g.mu.Lock()
	g.volatile = d
	g.mu.Unlock()
	l.mu.Lock()
	l.disks = append(l.disks, ln)
	l.mu.Unlock()
	go d.serve(ln)
	return d, d.Attach(ctx)
}

// Attach joins the disk to its guest, which must have booted.
func (d *VolatileDisk) Attach(ctx context.Context) error {
	_, port, _ := net.SplitHostPort(d.ln.Addr().String())
	_, err := d.guest.Sh(ctx, fmt.Sprintf("modprobe nbd && nbd-client -c %[1]s >/dev/null || nbd-client -N %[2]s %[3]s %[4]s %[1]s -timeout 0",
		VolatileDevice, volatileExport, mgmtAddr(d.guest.region, mgmtHost), port))
	if err != nil {
		return fmt.Errorf("attaching the disk of %s: %w", d.guest.Name(), err)
	}
	return nil
}

// Close ends the disk: what is on it is gone. The guest should have no power then, or be spoiled.
func (d *VolatileDisk) Close() error {
	d.guest.mu.Lock()
	if d.guest.volatile == d {
		d.guest.volatile = nil
	}
	d.guest.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over, d.stable, d.cache, d.past = true, nil, nil, nil
	return d.ln.Close()
}

// Stats tell what the disk has seen.
func (d *VolatileDisk) Stats() VolatileStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}

// Stable is a copy of what is on the disk for good, without what is in the cache.
func (d *VolatileDisk) Stable() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]byte(nil), d.stable...)
}

// rememberPast is how many things a disk knows of each of its blocks.
const rememberPast = 40

// note remembers what happened to a block. The caller holds mu.
func (d *VolatileDisk) note(block int64, what string, b []byte) {
	h := fnv.New32a()
	_, _ = h.Write(b)
	past := append(d.past[block], fmt.Sprintf("%s %s %08x", time.Now().Format("15:04:05.000"), what, h.Sum32()))
	d.past[block] = past[max(0, len(past)-rememberPast):]
}

// Past tells what happened to a block of 4 KiB, oldest first: when, what, and a sum of its contents. A write that waits in the
// cache and one that went to the disk are told apart; of flushes, that which brought the block to the disk.
func (d *VolatileDisk) Past(block int64) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	past := slices.Clone(d.past[block])
	if b := d.cache[block]; b != nil {
		past = append(past, "in the cache still")
	}
	return past
}

// lose is the end of the power: every block in the cache is on the disk or is not.
func (d *VolatileDisk) lose() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for n, b := range d.cache {
		if d.rnd.IntN(2) == 0 {
			d.stats.Lost++
			d.note(n, "lost", b)
			continue
		}
		d.stats.Kept++
		d.note(n, "kept", b)
		copy(d.stable[n*volatileBlock:], b)
	}
	d.cache = map[int64][]byte{}
}

// each calls f for every block that a range touches, with what of the block it is.
func each(off int64, n int, f func(block int64, from, to, at int)) {
	for at := 0; at < n; {
		block, from := (off+int64(at))/volatileBlock, int((off+int64(at))%volatileBlock)
		to := min(volatileBlock, from+n-at)
		f(block, from, to, at)
		at += to - from
	}
}

// inside is false for everything once the disk is closed.
func (d *VolatileDisk) inside(off uint64, n uint32) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return off <= uint64(len(d.stable)) && uint64(n) <= uint64(len(d.stable))-off
}

func (d *VolatileDisk) read(p []byte, off int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return
	}
	copy(p, d.stable[off:])
	each(off, len(p), func(block int64, from, to, at int) {
		if b := d.cache[block]; b != nil {
			copy(p[at:], b[from:to])
		}
	})
}

func (d *VolatileDisk) write(p []byte, off int64, through bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return
	}
	d.stats.Writes++
	each(off, len(p), func(block int64, from, to, at int) {
		b := d.cache[block]
		if b == nil {
			b = append([]byte(nil), d.stable[block*volatileBlock:(block+1)*volatileBlock]...)
		}
		copy(b[from:to], p[at:])
		d.cache[block] = b
		d.note(block, "written", b)
		if through {
			d.note(block, "through", b)
			copy(d.stable[block*volatileBlock:], b)
			delete(d.cache, block)
		}
	})
}

func (d *VolatileDisk) flush() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats.Flushes++
	for n, b := range d.cache {
		d.note(n, "flushed", b)
		copy(d.stable[n*volatileBlock:], b)
	}
	d.cache = map[int64][]byte{}
}
