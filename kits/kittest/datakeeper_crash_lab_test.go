package kittest_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The source loses its power under a writer, at a random moment, with the link cut before or not; the other node takes over where that is
// allowed; the old source comes back, is brought up to date, and both disks are equal. FERRY_SEED repeats the moments, FERRY_RUNS plays more rounds.
func TestMirrorCrash(t *testing.T) {
	seed, runs := uint64(time.Now().UnixNano()), 3
	if s := os.Getenv("FERRY_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	if s := os.Getenv("FERRY_RUNS"); s != "" {
		runs, _ = strconv.Atoi(s)
	}
	t.Logf("FERRY_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 6))
	m, w := ready(t)
	source, acks, partial := "LK_P_A", 0, 0
	for i := range runs {
		target := other(source)
		w.start(source, int64(i+1))
		time.Sleep(time.Duration(300+r.IntN(2500)) * time.Millisecond)
		fault := "power-off"
		switch r.IntN(4) {
		case 0: // the link first: the writes freeze, perhaps the exclusion is recorded, perhaps the source goes on alone
			fault = "cut, then power-off"
			m.must(m.lab.Cut(t.Context(), source, target))
			time.Sleep(time.Duration(r.IntN(4000)) * time.Millisecond)
		case 1:
			fault = "target's power-off, then the source's"
			m.must(m.lab.Guest(target).PowerOff(t.Context()))
			time.Sleep(time.Duration(r.IntN(4000)) * time.Millisecond)
		case 2:
			fault = "power-off while the engine is away"
			m.lost()
			time.Sleep(time.Duration(r.IntN(1000)) * time.Millisecond)
		}
		m.must(m.lab.Guest(source).PowerOff(t.Context()))
		w.end()
		acks += w.acks
		m.must(m.lab.Heal(t.Context()))
		m.power(target)
		start := time.Now()
		took := target
		if no := m.promote(target, false); no != nil {
			took = source
			m.power(source)
			m.mustPromote(source)
		}
		outage := time.Since(start).Round(time.Millisecond)
		w.checkOn(took)
		if m.stop == nil {
			m.begin()
		}
		m.power(source)
		back := m.inSync(other(took))
		m.sameDisks()
		m.mu.Lock()
		for _, h := range m.history {
			if strings.Contains(h, "resync:partial") {
				partial++
			}
		}
		m.history = nil
		m.mu.Unlock()
		t.Logf("round %d: %s of %s, %d acknowledged, start on %s %v, the other in sync after %v", i+1, fault, source, w.acks, took, outage, back)
		source = took
	}
	t.Logf("%d rounds, %d acknowledged writes, 0 lost, %d partial resyncs", runs, acks, partial)
}

func (m *mirror) power(node string) {
	m.t.Helper()
	if m.lab.Guest(node).Running() {
		return
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	m.must(m.lab.Guest(node).PowerOn(ctx))
	m.must(m.lab.Guest(node).WaitSSH(ctx))
}
