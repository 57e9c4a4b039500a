package nodesim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/expand"
)

// The scripts of kits/datakeeper, by their names: what they say and what they leave is what the real ones do (see that
// package's comment for the answers), on the mirrors of mirror.go. The lab plays the scripts themselves.

// mirrorVerbs are the scripts, by the name that the kit gives them.
func mirrorVerbs() map[string]func(*mirrorWork) error {
	return map[string]func(*mirrorWork) error{
		"pulse": (*mirrorWork).pulse, "check": (*mirrorWork).pulse,
		"create": (*mirrorWork).create, "start": (*mirrorWork).start, "recover": (*mirrorWork).start, "stop": (*mirrorWork).stop,
		"serve": (*mirrorWork).serve, "dirty": (*mirrorWork).dirty, "connect": (*mirrorWork).connect, "add": (*mirrorWork).add, "exclude": (*mirrorWork).exclude,
		"thaw": (*mirrorWork).thaw, "settle": (*mirrorWork).settle, "verify": (*mirrorWork).verify, "uncache": (*mirrorWork).uncache, "eligible": (*mirrorWork).eligible, "disks": (*mirrorWork).disks,
	}
}

// mirrorScript answers one of them; ok is false for any other script.
func (n *Node) mirrorScript(ctx context.Context, p process, name string) (exit int, ok bool) {
	verb, ours := strings.CutPrefix(name, "datakeeper/")
	if !ours || len(p.args) < 7 {
		return 0, false
	}
	do := mirrorVerbs()[verb]
	if do == nil {
		return 0, false
	}
	st := &shellState{node: n, p: p, pipes: map[string]*bytes.Buffer{}}
	s := &steps{ctx: ctx, st: st, env: expand.ListEnviron(environment(p.env)...)}
	gen, _ := strconv.Atoi(p.args[6])
	a := p.args
	k := &mirrorWork{steps: s, n: n, m: n.world.mirrors, slug: a[0], tag: a[1], uuid: a[2], path: a[3], metaFile: a[4], device: a[5], gen: gen, args: a[7:]}
	if s.ended() {
		return terminated, true
	}
	s.say("@begin\n")
	return k.conclude(do(k)), true
}

// mirrorWork is one script under way.
type mirrorWork struct {
	*steps
	n *Node
	m *mirrors

	slug, tag, uuid, path, metaFile, device string
	gen                                     int
	args                                    []string
}

// refusedWork is why a script did not do its work.
type refusedWork struct{ code, said string }

func (r *refusedWork) Error() string { return r.code }

func refuseWork(code string, more ...string) error {
	return &refusedWork{code: strings.Join(append([]string{code}, more...), " ")}
}

// errCut: the script has been cut off.
var errCut = errors.New("cut off")

func (k *mirrorWork) conclude(err error) int {
	var r *refusedWork
	switch {
	case errors.As(err, &r):
		k.say("@failed " + r.code + "\n")
	case err != nil || k.ended():
		return terminated
	}
	k.say("@end\n")
	return 0
}

// tick is the time that some commands take, after which the script may have been cut off.
func (k *mirrorWork) tick(commands int) error {
	if sleep(k.ctx, time.Duration(commands)*k.n.world.opts.CommandTime) != nil || k.ended() {
		return errCut
	}
	return nil
}

// wait is the scripts' pause.
func (k *mirrorWork) wait() error {
	if sleep(k.ctx, 100*time.Millisecond) != nil || k.ended() {
		return errCut
	}
	return nil
}

// locked does something with all mirrors, everything worked out before and after.
func (k *mirrorWork) locked(f func() error) error {
	k.m.sync()
	defer k.m.sync()
	k.m.mu.Lock()
	defer k.m.mu.Unlock()
	return f()
}

func (k *mirrorWork) opt(i int) string {
	if i <= len(k.args) {
		return k.args[i-1]
	}
	return ""
}

func (k *mirrorWork) number(i int) int {
	v, _ := strconv.Atoi(k.opt(i))
	return v
}

// leg is ours, when it is put together; mu is held.
func (k *mirrorWork) leg() *mirrorLeg { return k.m.leg(k.n, k.slug) }

const mirrorLib = "/var/lib/ferry/mirror"

// stored is the generation and the array that this node last took part in.
func (k *mirrorWork) stored() (gen int, uuid string) {
	text, err := k.n.fs.read(path.Join(mirrorLib, k.slug+".gen"))
	w := strings.Fields(string(text))
	if err != nil || len(w) < 2 {
		return 0, "-"
	}
	gen, _ = strconv.Atoi(w[0])
	return gen, w[1]
}

func (k *mirrorWork) store() error {
	if k.n.fs.put(path.Join(mirrorLib, k.slug+".gen"), fmt.Appendf(nil, "%d %s\n", k.gen, k.uuid), 0o644) != nil {
		return refuseWork("gen-file")
	}
	return nil
}

// used is who has the disk beside our leg: where it is mounted.
func (k *mirrorWork) used(d *blockDev) string {
	k.n.fs.mu.Lock()
	defer k.n.fs.mu.Unlock()
	for _, m := range k.n.fs.mounts {
		if m.dev == d {
			return m.point
		}
	}
	if d.owner != "" && d.owner != "ferry."+k.slug+".leg" {
		return d.owner
	}
	return ""
}

// pulse is the look of every heartbeat.
func (k *mirrorWork) pulse() error {
	if err := k.tick(2); err != nil {
		return err
	}
	up := time.Since(k.n.bootedAt()) / (10 * time.Millisecond)
	gen, uuid := k.stored()
	disk := "no"
	if k.n.disks.find(k.path) != nil {
		disk = "yes"
	}
	return k.locked(func() error {
		l := k.leg()
		dm := "none"
		if l != nil {
			dm = l.dm
		}
		final := k.final(l)
		k.say(fmt.Sprintf("@up %d\n@gen %d uuid=%s\n@disk %s\n@leg %s\n", up, gen, uuid, disk, dm))
		k.say(final)
		if l == nil {
			return nil
		}
		if l.array != nil {
			k.sayArray(l)
			k.sayFars(l.array)
			k.say("@still clean\n")
		}
		if l.server.lives() {
			k.say(fmt.Sprintf("@server %d\n", l.server.port))
		}
		return nil
	})
}

func (k *mirrorWork) sayArray(l *mirrorLeg) {
	a, degraded, action, completed, speed := l.array, l.array.disks-1, "idle", "none", "none"
	sectors := int64(0)
	if meta := k.m.meta(l); meta != nil {
		sectors = meta.sectors
	}
	for _, c := range a.orderly() {
		switch mb := c.member; {
		case mb == nil || mb.faulty:
		case mb.inSync:
			degraded--
		default:
			action, completed, speed = "recover", "0/"+strconv.FormatInt(sectors, 10), strconv.FormatInt(k.m.speed>>10, 10)
			if whole := mb.ends.Sub(mb.began); whole > 0 {
				done := min(float64(time.Since(mb.began))/float64(whole), 1)
				completed = fmt.Sprintf("%d/%d", int64(done*float64(sectors)), sectors)
			}
		}
	}
	k.say(fmt.Sprintf("@array %s array_state=clean raid_disks=%d degraded=%d sync_action=%s sync_completed=%s sync_speed=%s mismatch_cnt=0 size=%d ro=0\n",
		a.name, a.disks, degraded, action, completed, speed, sectors))
	state := "in_sync"
	if a.errors {
		state = "in_sync,write_error" // md keeps its last member, and marks what it could not write
	}
	k.say("@own state=" + state + " bad=no\n")
}

func (k *mirrorWork) sayFars(a *mdArray) {
	for _, c := range a.orderly() {
		number, state, path, connected, flights, stalled := "pending", "none", "A", "no", 0, time.Duration(0)
		if c.number >= 0 {
			number = strconv.Itoa(c.number)
		}
		if mb := c.member; mb != nil {
			var words []string
			for _, w := range []struct {
				word string
				is   bool
			}{{"faulty", mb.faulty}, {"in_sync", mb.inSync && !mb.faulty}, {"write_mostly", mb.writeMostly}, {"spare", !mb.inSync && !mb.faulty}} {
				if w.is {
					words = append(words, w.word)
				}
			}
			state = strings.Join(words, ",")
		}
		if c.connected {
			connected = "yes"
		} else if c.asked {
			path = "F"
		}
		if c.asked && !c.flows {
			flights = 1
		}
		if flights == 0 && path == "A" && c.connected {
			c.stuck = time.Time{}
		} else if c.stuck.IsZero() {
			c.stuck = time.Now()
		} else {
			stalled = time.Since(c.stuck) / (10 * time.Millisecond)
		}
		k.say(fmt.Sprintf("@far %s number=%s mode=%s state=%s bad=no path=%s connected=%s flights=%d stalled=%d\n",
			c.to, number, c.mode, state, path, connected, flights, stalled))
	}
}

// eligible asks whether this node could hold a leg.
func (k *mirrorWork) eligible() error {
	if err := k.tick(10); err != nil {
		return err
	}
	for _, t := range k.args {
		if k.n.lacks(t) {
			k.say("@notool " + t + "\n")
		}
	}
	for _, m := range mirrorModules {
		if loaded, file := k.n.fs.hasModule(m); !loaded && !file {
			k.say("@nomodule " + m + "\n")
		}
	}
	d := k.n.disks.find(k.path)
	return k.locked(func() error {
		if l := k.leg(); l != nil && l.array != nil {
			k.say("@runs " + l.array.name + "\n")
		}
		if d == nil {
			k.say("@nodisk\n")
		} else {
			k.say(fmt.Sprintf("@size %d\n", d.size/512))
			if user := k.used(d); user != "" {
				k.say("@used " + user + "\n")
			}
			if id, err := k.n.fs.read(k.idFile()); err == nil && string(id) != k.identity(d) {
				k.say("@otherdisk\n")
			}
		}
		if text, err := k.n.fs.read(k.metaFile); err != nil || len(text) == 0 {
			k.say("@nometa\n")
		}
		return nil
	})
}

func (k *mirrorWork) idFile() string { return path.Join(mirrorLib, k.slug+".disk") }

func (k *mirrorWork) identity(d *blockDev) string {
	return fmt.Sprintf("%s %s-%s %d\n", k.tag, k.n.name, d.name, d.size/512)
}

// disks that nobody uses.
func (k *mirrorWork) disks() error {
	if err := k.tick(5); err != nil {
		return err
	}
	k.n.fs.mu.Lock()
	var free []string
	for name, d := range k.n.disks.devs {
		if !d.volatile && !k.n.disks.inUse(d) {
			free = append(free, fmt.Sprintf("@disk /dev/%s %d\n", name, d.size/512))
		}
	}
	k.n.fs.mu.Unlock()
	slices.Sort(free)
	k.say(strings.Join(free, ""))
	return nil
}

// uncache: nothing stands between a simulated disk and who reads it.
func (k *mirrorWork) uncache() error { return k.tick(2) }

// verify compares the own disk with those of the members that are in sync: eight sectors for each file that differs.
func (k *mirrorWork) verify() error {
	if err := k.tick(3); err != nil {
		return err
	}
	return k.locked(func() error {
		l := k.leg()
		if l == nil || l.array == nil {
			return refuseWork("not-running")
		}
		own, sectors := l.n.disks.find(l.disk), 0
		for _, c := range l.array.orderly() {
			switch {
			case c.member == nil || c.member.faulty:
				continue
			case !c.member.inSync:
				return refuseWork("busy", "recover")
			}
			if t := k.m.leg(k.n.world.Node(c.to), l.slug); t != nil && own != nil {
				if d := t.n.disks.find(t.disk); d != nil {
					sectors += 8 * len(differing(contentOf(own.volume), contentOf(d.volume)))
				}
			}
		}
		k.say(fmt.Sprintf("@compared %d\n", sectors))
		return nil
	})
}

// ownAddress reads an address that a script was given; one that makes no sense is no node's.
func ownAddress(s string) netip.Addr {
	a, _ := netip.ParseAddr(s)
	return a
}
