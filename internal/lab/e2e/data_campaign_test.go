package e2e

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
)

// misfortunes of the database inside its region. Each is followed by its end, when the service is back.
var misfortunes = []struct {
	name string
	do   func(d *database, active, other string)
	end  func(d *database, active, other string)
}{
	{"source loses power", func(d *database, a, _ string) { must(d.t, d.l.Guest(a).PowerOff(ctx(d.t))) }, func(d *database, a, _ string) { d.powerOn(a) }},
	{"target loses power", func(d *database, _, o string) { must(d.t, d.l.Guest(o).PowerOff(ctx(d.t))) }, func(d *database, _, o string) { d.powerOn(o) }},
	{"link between them cut", func(d *database, a, o string) { must(d.t, d.l.Cut(ctx(d.t), a, o)) }, func(d *database, _, _ string) { must(d.t, d.l.Heal(ctx(d.t))) }},
	{"the target's server killed", func(d *database, _, o string) { onGuestOf(d.t, d.site, o, "pkill -KILL -x nbd-server; true") }, func(*database, string, string) {}},
	{"PostgreSQL killed", func(d *database, a, _ string) { onGuestOf(d.t, d.site, a, "pkill -KILL -o -x postgres; true") }, func(*database, string, string) {}},
	{"moved by a person", func(d *database, _, o string) { d.ferry("in-service", string(pgTag), "--on", o, "--yes") }, func(*database, string, string) {}},
	{"engine killed", func(d *database, _, _ string) { d.killEngine() }, func(d *database, _, _ string) { d.startEngine() }},
	{"source loses power in a move", func(d *database, a, o string) {
		done := make(chan struct{})
		go func() { defer close(done); d.ferry("in-service", string(pgTag), "--on", o, "--yes") }()
		time.Sleep(time.Duration(d.rnd.IntN(4000)) * time.Millisecond)
		must(d.t, d.l.Guest(a).PowerOff(ctx(d.t)))
		<-done
	}, func(d *database, a, _ string) { d.powerOn(a) }},
}

// TestDataCampaign: one misfortune after the other, at random moments, under a writer; after each of them no acknowledged
// row is lost, there is one source, and all disks are equal. FERRY_RUNS says how many (1; `make data-long` plays 100), the
// seed is printed and FERRY_SEED repeats what it draws.
func TestDataCampaign(t *testing.T) {
	runs, err := strconv.Atoi(os.Getenv("FERRY_RUNS"))
	if err != nil {
		runs = 1
	}
	seed, err := strconv.ParseUint(os.Getenv("FERRY_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	d := newDatabase(t, seed)
	d.rnd = rand.New(rand.NewPCG(seed, 1))
	for run := range runs {
		active := activeAt(d.snapshot(), pgTag)
		other := map[string]string{"LK_P_A": "LK_P_B", "LK_P_B": "LK_P_A"}[active]
		if other == "" {
			t.Fatalf("the database is on %q", active)
		}
		w := d.write()
		w.more(5)
		time.Sleep(time.Duration(d.rnd.IntN(3000)) * time.Millisecond)
		m := misfortunes[d.rnd.IntN(len(misfortunes))]
		d.mark("run %d: %s, on %s", run, m.name, active)
		m.do(d, active, other)
		time.Sleep(time.Duration(d.rnd.IntN(8000)) * time.Millisecond)
		m.end(d, active, other)
		w.more(5)
		sn := d.until("one of the two has it, and nothing moves", func(sn *api.Snapshot) bool {
			at := activeAt(sn, pgTag)
			return allAlive(sn) && (at == active || at == other) && len(sn.Running) == 0 && activeAt(sn, mirrorTag) == at
		})
		active = activeAt(sn, pgTag)
		var legs []string
		for _, g := range d.l.Guests() {
			if g.Name() != active {
				legs = append(legs, g.Name())
			}
		}
		d.sound(w, active, legs...)
		if t.Failed() {
			t.Fatalf("run %d: %s", run, m.name)
		}
		if run+1 < runs {
			d.put(pgTag, active)
		}
	}
}

func (d *database) snapshot() *api.Snapshot {
	return d.until("the engine answers", func(*api.Snapshot) bool { return true })
}
