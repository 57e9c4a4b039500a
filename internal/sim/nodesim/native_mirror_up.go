package nodesim

import (
	"fmt"
	"strconv"
	"time"
)

// bootedAt is when the node was switched on last.
func (n *Node) bootedAt() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.since
}

// endServer: no process of our server is left, nor what it held. mu is held.
func (k *mirrorWork) endServer() {
	if l := k.leg(); l != nil && l.server != nil {
		l.server.dead = true
		l.server = nil
	}
}

// buildLeg puts the leg together; made says that the metadata file is new.
func (k *mirrorWork) buildLeg(mayMake bool) (made bool, err error) {
	if k.leg() != nil {
		return false, nil
	}
	d := k.n.disks.find(k.path)
	if d == nil {
		return false, refuseWork("no-disk", k.path)
	}
	if user := k.used(d); user != "" {
		return false, refuseWork("in-use", user)
	}
	id, ierr := k.n.fs.read(k.idFile())
	switch {
	case ierr != nil:
		if k.n.fs.put(k.idFile(), []byte(k.identity(d)), 0o644) != nil {
			return false, refuseWork("metadata-file", k.idFile())
		}
	case string(id) != k.identity(d):
		return false, refuseWork("other-disk", k.path)
	}
	if text, merr := k.n.fs.read(k.metaFile); merr != nil || len(text) == 0 {
		if !mayMake {
			return false, refuseWork("no-metadata", k.metaFile)
		}
		k.m.count++
		text = []byte("metadata " + strconv.Itoa(k.m.count) + "\n")
		if k.n.fs.put(k.metaFile, text, 0o644) != nil {
			return false, refuseWork("metadata-file", k.metaFile)
		}
		k.m.metas[string(text)], made = &mdMeta{dirty: map[int]bool{}}, true
	}
	k.n.fs.loadModules(mirrorModules...)
	if k.n.disks.claim(d.name, "ferry."+k.slug+".leg") != nil {
		return made, refuseWork("in-use", d.name)
	}
	k.m.count++
	l := &mirrorLeg{n: k.n, slug: k.slug, disk: d.name, dm: "dm-" + strconv.Itoa(k.m.count), metaFile: k.metaFile}
	k.m.at(k.n).legs[k.slug] = l
	return made, nil
}

// dropLeg takes it apart, unless it is served. mu is held.
func (k *mirrorWork) dropLeg() {
	l := k.leg()
	if l == nil || l.server.lives() {
		return
	}
	_ = k.n.disks.claim(l.disk, "") // it was there a moment ago
	delete(k.m.at(k.n).legs, k.slug)
}

// assemble starts the array on the own leg alone.
func (k *mirrorWork) assemble() error {
	l := k.leg()
	if l == nil {
		return refuseWork("leg")
	}
	meta, disk := k.m.meta(l), k.n.disks.find(l.disk)
	switch {
	case disk == nil:
		return refuseWork("no-disk", k.path)
	case meta == nil || meta.uuid == "":
		return refuseWork("no-superblock", k.metaFile)
	case meta.uuid != k.uuid:
		return refuseWork("other-array", meta.uuid)
	case meta.half != "":
		return refuseWork("assemble")
	case k.n.disks.find(k.device) != nil:
		return refuseWork("device-taken", k.device)
	}
	now := contentOf(disk.volume)
	if meta.seen != nil && !same(meta.seen[""], now[""]) {
		// That it was not unmounted stands on it since it was mounted; here it shows when the power has gone.
		meta.dirty[chunkOf("", meta.chunks())] = true
	}
	meta.seen = now
	meta.begin(k.n.name, time.Now())
	a := &mdArray{device: k.device, disks: meta.disks, conns: map[string]*nbdConn{}}
	d := &blockDev{
		links: []string{k.device}, size: meta.sectors * 512, volume: disk.volume, volatile: true,
		frozen: func() <-chan struct{} { return k.m.frozen(l) },
		sysfs:  func() map[string]string { return map[string]string{"md": "", "md/array_state": "clean\n"} },
	}
	for i := 127; i >= 0; i-- {
		d.name = "md" + strconv.Itoa(i)
		if k.n.disks.find(d.name) == nil {
			break
		}
	}
	if k.n.disks.add(d) != nil {
		return refuseWork("assemble")
	}
	a.name, l.array = d.name, a
	return nil
}

// running answers for an array that is there already, and takes a newer generation over when it runs since from.
func (k *mirrorWork) running(from int) (bool, error) {
	running, gen := false, 0
	err := k.locked(func() error {
		if l := k.leg(); l == nil || l.array == nil {
			return nil
		}
		running = true
		if gen, _ = k.stored(); gen > k.gen || gen < from {
			return refuseWork("other-generation", strconv.Itoa(gen))
		}
		return nil
	})
	if running && err == nil && gen != k.gen {
		err = k.store()
	}
	return running, err
}

// stale refuses what is older than this node knows.
func (k *mirrorWork) stale(force bool) error {
	if gen, _ := k.stored(); gen > k.gen && !force {
		return refuseWork("newer-here", strconv.Itoa(gen))
	}
	return nil
}

// steps does one thing after the other, each with the time that its commands take before it.
func (k *mirrorWork) inTurn(doing ...func() error) error {
	for _, do := range doing {
		if err := k.tick(3); err != nil {
			return err
		}
		if err := k.locked(do); err != nil {
			return err
		}
	}
	return nil
}

func (k *mirrorWork) started(did string) error {
	return k.locked(func() error {
		l := k.leg()
		if l == nil || l.array == nil {
			return refuseWork("assemble")
		}
		k.say(fmt.Sprintf("@array %s\n@did %s\n", l.array.name, did))
		return nil
	})
}

func (k *mirrorWork) start() error {
	if running, err := k.running(k.number(4)); running || err != nil {
		if err != nil {
			return err
		}
		return k.started("already")
	}
	if err := k.stale(k.opt(1) == "force"); err != nil {
		return err
	}
	if err := k.inTurn(
		func() error { k.endServer(); return nil },
		func() error { _, err := k.buildLeg(false); return err },
		k.forgetFinal, k.store, k.assemble,
	); err != nil {
		return err
	}
	return k.started("assembled")
}

func (k *mirrorWork) create() error {
	if running, err := k.running(k.number(9)); running || err != nil {
		if err != nil {
			return err
		}
		return k.started("already")
	}
	if err := k.stale(k.opt(1) == "force"); err != nil {
		return err
	}
	did := "created"
	if err := k.inTurn(
		func() error { k.endServer(); return nil },
		func() error { _, err := k.buildLeg(true); return err },
		k.forgetFinal, k.makeArray, k.store, k.assemble, k.makeFileSystem,
	); err != nil {
		return err
	}
	return k.started(did)
}

// makeArray writes the superblock beside the disk, whose bytes stay.
func (k *mirrorWork) makeArray() error {
	kind, rebuild := k.opt(4), k.opt(8)
	l := k.leg()
	if l == nil {
		return refuseWork("leg")
	}
	meta, disk := k.m.meta(l), k.n.disks.find(l.disk)
	if meta == nil || disk == nil {
		return refuseWork("no-disk", k.path)
	}
	if meta.uuid == k.uuid && rebuild != "rebuild" {
		return nil
	}
	if meta.uuid != "" && rebuild != "rebuild" {
		return refuseWork("other-array", meta.uuid)
	}
	known := disk.volume.clone().fsType
	switch {
	case disk.size < 4<<20:
		return refuseWork("too-small", k.path)
	case rebuild != "":
	case kind == "existing" && known == "":
		return refuseWork("no-file-system", "nothing")
	case kind == "new" && known != "":
		return refuseWork("not-empty", known)
	}
	sectors := disk.size / 512
	k.m.keepMeta(l, &mdMeta{uuid: k.uuid, sectors: sectors - sectors%8, disks: max(k.number(6), 2), dirty: map[int]bool{}, seen: contentOf(disk.volume)})
	return nil
}

func (k *mirrorWork) makeFileSystem() error {
	l := k.leg()
	if k.opt(4) != "new" || k.opt(8) != "" || l == nil || l.array == nil {
		return nil
	}
	md := k.n.disks.find(l.array.name)
	if md == nil || md.volume.clone().fsType != "" {
		return nil
	}
	if !k.n.disks.unused(md, func(v *volume) {
		fresh := newVolume(k.opt(5))
		v.fsType, v.uuid, v.files = fresh.fsType, fresh.uuid, fresh.files
	}) {
		return refuseWork("mkfs", k.opt(5))
	}
	return nil
}

// waiting is a connection that has no path, or whose requests do not come back. mu is held.
func (k *mirrorWork) waiting() string {
	if l := k.leg(); l != nil && l.array != nil {
		for _, c := range l.array.orderly() {
			if !c.connected || c.asked && !c.flows {
				return c.to
			}
		}
	}
	return ""
}

func (k *mirrorWork) stop() error {
	if err := k.tick(5); err != nil {
		return err
	}
	if err := k.stopArray(); err != nil {
		return err
	}
	if err := k.tick(5); err != nil {
		return err
	}
	if err := k.locked(func() error { k.dropLeg(); return nil }); err != nil {
		return err
	}
	k.say("@stopped\n")
	return nil
}

func (k *mirrorWork) stopArray() error {
	user, there := "", false
	look := func() error {
		l := k.leg()
		if there = l != nil && l.array != nil; there {
			user = k.waiting()
		}
		return nil
	}
	if err := k.locked(k.held); err != nil {
		return err
	}
	_ = k.locked(look)
	for left := k.number(1) * 10; there && user != "" && left > 0; left-- {
		if err := k.wait(); err != nil {
			return err
		}
		_ = k.locked(look)
	}
	switch {
	case !there:
		return nil
	case user != "":
		return refuseWork("frozen", user)
	}
	// The superblocks of all members are written for the last time.
	if err := k.thawed(30 * time.Second); err != nil {
		return err
	}
	if err := k.answered(30 * time.Second); err != nil {
		return err
	}
	return k.locked(k.endArray)
}

// held refuses while something stands on the array.
func (k *mirrorWork) held() error {
	l := k.leg()
	if l == nil || l.array == nil {
		return nil
	}
	if md := k.n.disks.find(l.array.name); md != nil {
		if user := k.used(md); user != "" {
			return refuseWork("held", user)
		}
	}
	return nil
}

// thawed waits until the array takes writes.
func (k *mirrorWork) thawed(limit time.Duration) error {
	var l *mirrorLeg
	_ = k.locked(func() error { l = k.leg(); return nil })
	if l == nil {
		return nil
	}
	thaw := k.m.frozen(l)
	if thaw == nil {
		return nil
	}
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-thaw:
		return nil
	case <-t.C:
		return refuseWork("stop")
	case <-k.ctx.Done():
		return errCut
	}
}

func (k *mirrorWork) endArray() error {
	l := k.leg()
	if l == nil || l.array == nil {
		return nil
	}
	a := l.array
	k.keepFinal(l)
	if err := k.n.disks.remove(a.name); err != nil && k.n.disks.find(a.name) != nil {
		return refuseWork("held", a.name)
	}
	for _, c := range a.orderly() {
		k.m.letGo(l, c)
	}
	l.array = nil
	if a.thaw != nil {
		close(a.thaw)
		a.thaw = nil
	}
	return nil
}
