package datakeeper

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// The tasks.
const (
	taskExclude = "exclude"
	taskJoin    = "join"
	taskThaw    = "thaw"
	taskVerify  = "verify"
	taskLocate  = "locate"
)

// live is what a panel shows for each node, and sets what is impaired.
func (k *keeping) live() map[string]map[string]string {
	out := map[string]map[string]string{}
	src := k.looks[k.rec.Source]
	running := src != nil && src.array != nil
	for n := range k.in.On {
		switch {
		case n == k.rec.Source:
			out[n] = k.liveSource(src)
		case running:
			out[n] = k.liveLeg(n, src)
		default:
			out[n] = k.liveUnknown(n)
		}
	}
	for n, m := range out {
		m["promote"] = "yes"
		if r := refusal(at(k.in, n), k.rec, k.now); r != nil {
			m["promote"] = strings.TrimPrefix(r.Code, "datakeeper.")
		}
	}
	for _, n := range sortedKeys(out) {
		if n != k.rec.Source && (running || src == nil) && k.kept.Impaired.Code == "" {
			k.impaired(n, src)
		}
	}
	if running && k.rec.Bad {
		k.kept.Impaired = kits.Why("datakeeper.source-bad", fmt.Sprintf("the disk of %s fails under the mirror %s; its data is on the other nodes' disks only", k.rec.Source, k.in.Tag), "tag", k.in.Tag, "node", k.rec.Source)
	}
	return out
}

func (k *keeping) liveSource(l *look) map[string]string {
	m := map[string]string{"state": "Source", "generation": strconv.Itoa(k.rec.Gen)}
	switch {
	case l == nil:
		m["state"] = "Source, no answer"
	case l.array == nil:
		m["state"] = "Source, out of service"
	default:
		m["array"] = l.array.name
		if l.array.mismatches > 0 {
			m["differences"] = fmt.Sprintf("%d sectors at the last comparison", l.array.mismatches)
		}
		if l.array.action == "check" {
			m["state"] = "Source, comparing"
			k.progress(m, l.array)
		}
		if slices.ContainsFunc(values(l.far), func(f farLook) bool { return f.stalled > 0 && f.mode == modeFreeze }) {
			m["state"] = "Source, writes wait"
		}
	}
	return m
}

func (k *keeping) liveLeg(n string, src *look) map[string]string {
	leg := k.rec.Legs[n]
	f, connected := src.far[n]
	m := map[string]string{"mode": modeWord(modeOf(k.in, k.rec.Source, n))}
	switch {
	case paused(k.in, n):
		m["state"] = "Target, paused"
	case leg.State == InSync && f.stalled > 0:
		m["state"] = "Target, in sync, does not answer"
	case leg.Differs > 0:
		m["state"] = "Target, differs"
	case leg.State == InSync:
		m["state"] = "Target, in sync"
	case connected && len(f.member) > 0:
		m["state"] = "Target, resyncing"
		k.progress(m, src.array)
	case connected || leg.State == Syncing:
		m["state"] = "Target, connecting"
	case k.looks[n] == nil:
		m["state"] = "Target, not connected"
	default:
		m["state"] = "Target, out of sync"
	}
	if connected && f.flights > 0 {
		m["backlog"] = fmt.Sprintf("%d writes", f.flights)
	}
	k.lastKnown(m, leg)
	return m
}

func (k *keeping) liveUnknown(n string) map[string]string {
	leg := k.rec.Legs[n]
	m := map[string]string{"mode": modeWord(modeOf(k.in, k.rec.Source, n)), "state": "Target, out of sync"}
	switch leg.State {
	case InSync:
		m["state"] = "Target, in sync"
	case Syncing:
		m["state"] = "Target, half copied"
	}
	k.lastKnown(m, leg)
	return m
}

// lastKnown tells since when a leg is in sync, or until when it was.
func (k *keeping) lastKnown(m map[string]string, leg Leg) {
	if leg.Differs > 0 {
		m["differences"] = fmt.Sprintf("%d blocks of 4 KiB", leg.Differs)
		return // nobody knows since when
	}
	if leg.State == InSync {
		m["since"] = leg.Since.UTC().Format(time.RFC3339)
	} else if leg.Why != "" {
		m["why"] = leg.Why
	}
	switch d, ok := leg.age(k.now); {
	case ok && leg.promotable():
	case ok:
		m["last"], m["age"] = leg.Last.UTC().Format(time.RFC3339), d.Round(time.Second).String()
	default:
		m["last"] = "never"
	}
}

// progress of a resync: percent, speed and how long it still takes.
func (k *keeping) progress(m map[string]string, a *arrayLook) {
	if a.all <= 0 || a.done > a.all {
		return
	}
	m["state"] += fmt.Sprintf(" %d %%", a.done*100/a.all)
	m["percent"] = fmt.Sprintf("%d", a.done*100/a.all)
	m["left"] = fmt.Sprintf("%d MiB", (a.all-a.done)/2048)
	if a.speed > 0 {
		m["speed"] = fmt.Sprintf("%.1f MiB/s", float64(a.speed)/1024)
		m["eta"] = (time.Duration((a.all-a.done)/2/a.speed+1) * time.Second).String()
	}
}

// impaired says what is wrong with a leg. Where the source gave no answer this time (nil), what is on record stands: a
// missing word makes no leg whole.
func (k *keeping) impaired(n string, src *look) {
	leg := k.rec.Legs[n]
	var f farLook
	if src != nil {
		f = src.far[n]
	}
	code, text := "", ""
	switch {
	case leg.State == InSync && f.stalled > 0:
		code, text = "leg-waits", fmt.Sprintf("the disk of %s does not answer %s; writes wait for it", n, k.rec.Source)
	case leg.State == InSync && leg.Differs > 0:
		code, text = "leg-differs", fmt.Sprintf("the disk of %s differs from that of %s (%d blocks of 4 KiB at the last comparison): it is promoted by force only. When it is clear which is right, pause it and let it go on: it is copied in full then", n, k.rec.Source, leg.Differs)
	case leg.State == InSync:
		return
	case paused(k.in, n):
		code, text = "leg-paused", fmt.Sprintf("the disk of %s is paused: it does not follow %s", n, k.rec.Source)
	case leg.State == Syncing:
		code, text = "leg-syncing", fmt.Sprintf("the disk of %s is being brought up to date with %s; until then it is no copy", n, k.rec.Source)
	default:
		code, text = "leg-out", fmt.Sprintf("the disk of %s is out of date: %s", n, leg.Why)
	}
	k.kept.Impaired = kits.Why("datakeeper."+code, text, "tag", k.in.Tag, "node", n, "source", k.rec.Source, "why", leg.Why)
}

func modeWord(mode string) string {
	switch mode {
	case modeFreeze:
		return "synchronous"
	case modeContinue:
		return "synchronous, writes go on alone"
	}
	return "asynchronous"
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func values[K cmp.Ordered, V any](m map[K]V) []V {
	var out []V
	for _, k := range sortedKeys(m) {
		out = append(out, m[k])
	}
	return out
}
