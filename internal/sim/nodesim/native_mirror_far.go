package nodesim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// letGo ends a connection and takes it out of the array. mu is held.
func (m *mirrors) letGo(l *mirrorLeg, c *nbdConn) {
	if disk := l.n.disks.find(l.disk); disk != nil {
		m.cutShort(l, c, contentOf(disk.volume), time.Now())
	}
	m.end(l, c)
	c.errors = true
	if meta := m.meta(l); meta != nil && c.member != nil {
		meta.events++
	}
	c.member = nil
	delete(l.array.conns, c.to)
	m.settleThaw(l.array)
}

func (k *mirrorWork) serve() error {
	address, port, only, sectors := k.opt(1), k.number(3), k.opt(4), int64(k.number(5))
	if err := k.inTurn(
		func() error {
			if l := k.leg(); l != nil && l.array != nil {
				return refuseWork("runs-here", l.array.name)
			}
			if err := k.stale(false); err != nil {
				return err
			}
			k.endServer()
			return nil
		},
		func() error {
			made, err := k.buildLeg(true)
			if made {
				k.say("@fresh\n")
			}
			if err != nil {
				return err
			}
			if d := k.n.disks.find(k.path); d == nil || d.size/512 < sectors {
				return refuseWork("too-small", k.path)
			}
			return nil
		},
		k.forgetFinal, k.store,
		func() error { k.m.at(k.n).served[k.slug] = fmt.Sprint(k.gen, k.uuid); return nil },
	); err != nil {
		return err
	}
	if err := k.tick(5); err != nil {
		return err
	}
	return k.locked(func() error {
		l := k.leg()
		if l == nil {
			return refuseWork("leg")
		}
		for k.taken(port) {
			if only == "only" {
				return refuseWork("port-taken", strconv.Itoa(port))
			}
			port++
		}
		l.server = &nbdServer{n: k.n, slug: k.slug, boot: k.n.bootCount(), addr: ownAddress(address), port: port, source: k.opt(2)}
		d := k.n.disks.find(l.disk)
		if d == nil {
			return refuseWork("no-disk", k.path)
		}
		k.say(fmt.Sprintf("@serves %d\n@size %d\n", port, d.size/512+16384))
		return nil
	})
}

// taken tells that somebody listens on a port. mu is held.
func (k *mirrorWork) taken(port int) bool {
	for _, l := range k.m.at(k.n).legs {
		if l.server.lives() && l.server.port == port {
			return true
		}
	}
	return k.n.listens(port)
}

func (k *mirrorWork) dirty() error {
	if err := k.inTurn(
		func() error {
			if l := k.leg(); l != nil && l.array != nil {
				return refuseWork("runs-here", l.array.name)
			}
			k.endServer()
			_, err := k.buildLeg(false)
			return err
		},
	); err != nil {
		return err
	}
	return k.locked(func() error {
		meta := k.m.meta(k.leg())
		switch {
		case meta == nil || meta.uuid == "":
			return refuseWork("no-superblock", k.metaFile)
		case meta.uuid != k.uuid:
			return refuseWork("other-array", meta.uuid)
		}
		k.say(fmt.Sprintf("@chunk %d\n@chunks %d\n", mirrorChunk, meta.chunks()))
		var all []int
		for c := range meta.dirty {
			all = append(all, c)
		}
		slices.Sort(all)
		for _, c := range all {
			k.say("|" + strconv.Itoa(c) + "\n")
		}
		return nil
	})
}

// joining is what a script is told of a leg that is to come in.
type joining struct {
	node, address   string
	port, number    int
	mode, how       string
	members         int
	patience, speed int
}

// connect connects another node's leg. Nothing is written to it yet, and the array does not know it.
func (k *mirrorWork) connect() error {
	j := joining{node: k.opt(1), address: k.opt(2), port: k.number(3), number: k.number(4), mode: k.opt(5), how: k.opt(6), patience: k.number(7)}
	if err := k.tick(5); err != nil {
		return err
	}
	if err := k.locked(func() error { return k.former(j) }); err != nil {
		return err
	}
	c, err := k.connectTo(j)
	if err != nil {
		return err
	}
	if err := k.tick(3); err != nil {
		return err
	}
	return k.locked(func() error {
		if !c.gone {
			c.number, c.how, c.dirty = j.number, j.how, string(k.st.p.stdin)
		}
		k.say("@did connected\n")
		return nil
	})
}

// former takes apart what is left of a connection of before. mu is held.
func (k *mirrorWork) former(j joining) error {
	l, err := k.ours()
	if err != nil {
		return err
	}
	if c := l.array.conns[j.node]; c != nil {
		if c.member != nil {
			return refuseWork("still-there", j.node)
		}
		k.undo(c)
	}
	return nil
}

// ours is the leg on which the array of the record's generation runs. mu is held.
func (k *mirrorWork) ours() (*mirrorLeg, error) {
	l := k.leg()
	if l == nil || l.array == nil {
		return nil, refuseWork("not-running")
	}
	if gen, _ := k.stored(); gen != k.gen {
		return nil, refuseWork("other-generation", strconv.Itoa(gen))
	}
	return l, nil
}

// add gives a connected leg to the array.
func (k *mirrorWork) add() error {
	j := joining{node: k.opt(1), number: k.number(2), members: k.number(3), speed: k.number(5)}
	if err := k.tick(5); err != nil {
		return err
	}
	var c *nbdConn
	did := ""
	if err := k.locked(func() (err error) { c, did, err = k.connected(j); return err }); err != nil {
		return err
	}
	if did == "" {
		var err error
		if did, err = k.addTo(c, j); err != nil {
			return err
		}
	}
	k.say("@did " + did + "\n")
	return nil
}

// connected is the connection that add is about; did is set when there is nothing to do. mu is held.
func (k *mirrorWork) connected(j joining) (c *nbdConn, did string, err error) {
	l, err := k.ours()
	if err != nil {
		return nil, "", err
	}
	c = l.array.conns[j.node]
	switch {
	case c == nil:
		return nil, "not-connected", nil
	case c.member != nil && c.number == j.number:
		return nil, "already", nil
	case c.member != nil && c.number >= 0:
		return nil, "", refuseWork("still-there", j.node)
	case c.member != nil, c.number != j.number, c.how == "":
		k.undo(c)
		return nil, "", refuseWork("again", j.node)
	}
	c.number = -1
	l.array.disks = max(l.array.disks, j.members)
	if meta := k.m.meta(l); meta != nil {
		meta.disks = l.array.disks
	}
	return c, "", nil
}

// addTo waits until the array takes writes, and adds.
func (k *mirrorWork) addTo(c *nbdConn, j joining) (did string, err error) {
	if err := k.thawed(15 * time.Second); err != nil {
		if errors.Is(err, errCut) {
			return "", err
		}
		_ = k.locked(func() error { k.undo(c); return nil })
		return "", refuseWork("add", c.to)
	}
	if err := k.locked(func() (err error) { did, err = k.give(c, j); return err }); err != nil {
		return "", err
	}
	if err := k.tick(5); err != nil {
		return "", err
	}
	return did, k.locked(func() error {
		if c.gone || c.member == nil {
			return refuseWork("add", c.to)
		}
		c.member.writeMostly, c.number = true, j.number
		return nil
	})
}

func (k *mirrorWork) undo(c *nbdConn) {
	if l := k.leg(); l != nil && l.array != nil && l.array.conns[c.to] == c {
		k.m.letGo(l, c)
	}
}

// connectTo makes the connection; nobody who answers is waited for as nbd-client does.
func (k *mirrorWork) connectTo(j joining) (*nbdConn, error) {
	nobody := refuseWork("connect", j.address+":"+strconv.Itoa(j.port))
	target := k.n.world.lookup(j.address)
	if target == nil || !k.n.world.passes(k.n.name, target, j.address, "") || !target.runs(target.bootCount()) {
		if sleep(k.ctx, 6*time.Second) != nil || k.ended() {
			return nil, errCut
		}
		return nil, nobody
	}
	if sleep(k.ctx, 2*k.n.world.rtt(k.n.name, target.name)) != nil {
		return nil, errCut
	}
	c := &nbdConn{from: k.n.name, to: j.node, address: j.address, mode: j.mode, number: -1, connected: true, flows: true}
	if j.mode != "freeze" {
		c.patience = time.Duration(j.patience) * time.Second
	}
	return c, k.locked(func() error {
		l, err := k.ours()
		if err != nil {
			return err
		}
		for _, t := range k.m.at(target).legs {
			if s := t.server; s.lives() && s.port == j.port && s.addr == ownAddress(j.address) && s.slug == k.slug {
				c.server = s
			}
		}
		if s := c.server; s == nil || s.client != nil || !k.n.Carries(s.source) {
			return nobody
		}
		k.m.count++
		c.server.client, c.dm, c.nbd = c, "dm-"+strconv.Itoa(k.m.count), "nbd"+strconv.Itoa(k.m.count)
		l.array.conns[j.node] = c
		return nil
	})
}

// give makes the leg a member: with the bitmap's help, or as a new one. mu is held.
func (k *mirrorWork) give(c *nbdConn, j joining) (did string, err error) {
	l, err := k.ours()
	if err != nil {
		return "", err
	}
	t, meta := k.m.served(c), k.m.meta(l)
	if c.gone || t == nil || meta == nil || !c.flows || k.m.meta(t) == nil {
		k.undo(c)
		return "", refuseWork("add", c.to)
	}
	has := k.m.meta(t)
	if did = c.how; did == "partial" {
		if err := meta.merge(c.dirty); err != nil {
			return "", err
		}
		if has.uuid != meta.uuid || has.half == "full" || has.events < meta.cleared {
			k.say("@refused\n|mdadm: --re-add for /dev/mapper/ferry." + k.slug + ".x." + c.to + " to /dev/" + l.array.name + " is not possible\n")
			did = "full"
		}
	}
	full := did == "full"
	bytes := int64(len(meta.dirty)) * mirrorChunk
	meta.events++
	if !slices.Contains(meta.members, c.to) {
		meta.members = append(meta.members, c.to)
	}
	own := meta.copy()
	if own.half = "bitmap"; full {
		own.half, bytes = "full", meta.sectors*512
	}
	k.m.keepMeta(t, own)
	speed := k.m.speed
	if limit := int64(j.speed) << 10; limit > 0 {
		speed = min(limit, speed)
	}
	now := time.Now()
	takes := 200*time.Millisecond + time.Duration(float64(bytes)/float64(speed)*float64(time.Second))
	c.member = &mdMember{full: full, began: now, ends: now.Add(takes)}
	return did, nil
}

// merge sets the bits of what the other side wrote on its own.
func (m *mdMeta) merge(dirty string) error {
	for f := range strings.FieldsSeq(dirty) {
		from, to, two := strings.Cut(f, "-")
		if !two {
			to = from
		}
		a, aerr := strconv.Atoi(from)
		b, berr := strconv.Atoi(to)
		if aerr != nil || berr != nil {
			return refuseWork("dirty", f)
		}
		for i := a; i <= b; i++ {
			m.dirty[i] = true
		}
	}
	return nil
}

// exclude ends connections that are older than the record knows.
func (k *mirrorWork) exclude() error {
	if err := k.tick(5); err != nil {
		return err
	}
	did := "already"
	if err := k.locked(func() error {
		l := k.leg()
		if l == nil || l.array == nil {
			return nil
		}
		for _, arg := range k.args {
			node, below, _ := strings.Cut(arg, "=")
			limit, _ := strconv.Atoi(below)
			c := l.array.conns[node]
			switch {
			case c == nil:
			case max(c.number, 0) < limit:
				k.m.letGo(l, c)
				did = "excluded"
			case did != "excluded":
				did = "newer"
			}
		}
		return nil
	}); err != nil {
		return err
	}
	k.say("@did " + did + "\n")
	return nil
}

// thaw lets a source that is none any more go, with errors.
func (k *mirrorWork) thaw() error {
	if err := k.tick(5); err != nil {
		return err
	}
	if gen, _ := k.stored(); gen >= k.gen {
		return refuseWork("source-here", strconv.Itoa(gen))
	}
	did := "already"
	if err := k.locked(func() error {
		l := k.leg()
		if l == nil || l.array == nil {
			return nil
		}
		did = "thawed"
		l.array.errors = true
		k.n.disks.breakOff(l.array.name)
		for _, c := range l.array.orderly() {
			k.m.letGo(l, c)
		}
		return nil
	}); err != nil {
		return err
	}
	k.say("@did " + did + "\n")
	return nil
}

// breakOff lets a device answer with errors, and ends whoever uses it. What is written from now on reaches no disk.
func (t *diskTable) breakOff(name string) {
	d := t.find(name)
	if d == nil {
		return
	}
	t.sameVolume(name, d.volume.clone())
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	d.fault.broken = true
	for pid, p := range t.procs {
		if m := t.fs.mountOf(p.Path); m != nil && m.dev == d && !p.Kernel {
			t.end(pid)
		}
	}
}
