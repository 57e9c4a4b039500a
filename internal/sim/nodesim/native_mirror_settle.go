package nodesim

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// How an array ends, and what a leg's superblock says then.

// begin writes the superblock as an array does that starts on a node's own leg: dirty, and with nobody else.
func (m *mdMeta) begin(node string, now time.Time) {
	if !slices.Contains(m.members, node) {
		m.members = append(m.members, node)
	}
	m.events++
	m.clean, m.stamp, m.active = false, now.Unix(), map[string]bool{node: true}
}

// line is the superblock as the scripts print it, on a leg of that node's.
func (m *mdMeta) line(node string) string {
	clean, features := "no", 1
	if m.clean {
		clean = "yes"
	}
	if m.half != "" {
		features |= 2
	}
	var roles []string
	for i, n := range m.members {
		if m.active[n] {
			roles = append(roles, fmt.Sprint(i))
		} else {
			roles = append(roles, "65534")
		}
	}
	return fmt.Sprintf("uuid=%s events=%d time=%d clean=%s features=%d dev=%d roles=%s",
		m.uuid, m.events, m.stamp, clean, features, slices.Index(m.members, node), strings.Join(roles, ","))
}

func (k *mirrorWork) finalFile() string { return path.Join(mirrorLib, k.slug+".final") }

func (k *mirrorWork) forgetFinal() error {
	if _, err := k.n.fs.read(k.finalFile()); err == nil && k.n.fs.remove(k.finalFile(), false) != nil {
		return refuseWork("gen-file")
	}
	return nil
}

// final is what the pulse says of how the last array ended.
func (k *mirrorWork) final(l *mirrorLeg) string {
	text, err := k.n.fs.read(k.finalFile())
	if err != nil || len(text) == 0 || l != nil && l.array != nil {
		return ""
	}
	return "@final " + strings.TrimSpace(string(text)) + "\n"
}

// answered waits until each member has answered everything, or was given up: md ends an array no sooner.
func (k *mirrorWork) answered(limit time.Duration) error {
	end := time.Now().Add(limit)
	for {
		open := false
		_ = k.locked(func() error { open = k.open(); return nil })
		switch {
		case !open:
			return nil
		case time.Now().After(end):
			return refuseWork("stop")
		}
		if err := k.wait(); err != nil {
			return err
		}
	}
}

// open tells that something is on its way to a member. mu is held.
func (k *mirrorWork) open() bool {
	l := k.leg()
	if l == nil || l.array == nil || l.array.errors {
		return false
	}
	disk, meta := k.n.disks.find(l.disk), k.m.meta(l)
	if disk == nil || meta == nil {
		return false
	}
	src := contentOf(disk.volume)
	return slices.ContainsFunc(l.array.orderly(), func(c *nbdConn) bool {
		if c.member == nil || c.member.faulty || !c.member.inSync || c.gone || !k.m.pending(c, src, meta) {
			return false
		}
		c.asked = c.asked || !c.flows
		return true
	})
}

// keepFinal writes the superblocks of all members for the last time, and notes what they say. mu is held.
func (k *mirrorWork) keepFinal(l *mirrorLeg) {
	meta := k.m.meta(l)
	if meta == nil || l.array.errors {
		return
	}
	meta.events++
	meta.clean, meta.stamp, meta.active = true, time.Now().Unix(), map[string]bool{k.n.name: true}
	var have []*nbdConn
	for _, c := range l.array.orderly() {
		// One that is not reached is not told, and is marked faulty for that.
		if c.member == nil || c.member.faulty || !c.member.inSync || !c.flows || k.m.served(c) == nil {
			continue
		}
		meta.active[c.to] = true
		have = append(have, c)
	}
	for _, c := range have {
		k.m.shareMeta(c, meta)
	}
	gen, _ := k.stored()
	_ = k.n.fs.put(k.finalFile(), fmt.Appendf(nil, "%d %s\n", gen, meta.line(k.n.name)), 0o644) // without it the stop is one all the same
}

// settle ends the leg's server and tells what the leg's superblock says. What was answered is on the disk: the servers write
// through.
func (k *mirrorWork) settle() error {
	mine := func() error {
		if l := k.leg(); l != nil && l.array != nil {
			return refuseWork("runs-here", l.array.name)
		}
		gen, uuid := k.stored()
		switch {
		case gen != k.gen || uuid != k.uuid:
			return refuseWork("not-served", fmt.Sprint(gen))
		case k.m.at(k.n).served[k.slug] != fmt.Sprint(k.gen, k.uuid):
			return refuseWork("rebooted")
		}
		return nil
	}
	if err := k.inTurn(mine,
		func() error { k.endServer(); return nil },
		func() error { _, err := k.buildLeg(false); return err },
		mine,
	); err != nil {
		return err
	}
	return k.locked(func() error {
		l := k.leg()
		if l == nil {
			return refuseWork("leg")
		}
		meta := k.m.meta(l)
		if meta == nil || meta.uuid == "" {
			return refuseWork("no-superblock", k.metaFile)
		}
		k.say("@leg " + meta.line(k.n.name) + "\n")
		return nil
	})
}
