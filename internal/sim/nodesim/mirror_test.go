package nodesim

import (
	"context"
	"fmt"
	"path"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// pair is a mirror played by hand: the scripts with the arguments that a test gives them, in any order and as wrongly as it likes.
type mirrorPair struct {
	*mirrorBed
	t *testing.T
}

const pairUUID = "01234567:89abcdef:01234567:89abcdef"

// do runs a script of the kit on a node and returns what it said.
func (p *mirrorPair) do(node, verb string, gen int, stdin string, args ...string) string {
	p.t.Helper()
	in := []string{"service-data", "service/data", pairUUID, "/dev/vdb", "/var/lib/ferry/mirror/service-data.meta", "/dev/md/data", fmt.Sprint(gen)}
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	res, err := p.Host(node).Run(ctx, kits.Script{Name: "datakeeper/" + verb, Body: "exit 1", Args: append(in, args...), Stdin: []byte(stdin), Deadline: time.Minute, Mutates: verb != "pulse"})
	if err != nil {
		p.t.Fatalf("%s on %s: %v", verb, node, err)
	}
	return res.Stdout
}

func (p *mirrorPair) wants(said, want string) {
	p.t.Helper()
	if !strings.Contains(said, want) {
		p.t.Errorf("it said\n%swant %q", said, want)
	}
}

const (
	pairA = "LK_P_A"
	pairB = "LK_P_B"
)

// joins brings other's leg into source's array.
func (p *mirrorPair) joins(source, other string, gen, number int, how, dirty string) string {
	p.t.Helper()
	p.wants(p.do(other, "serve", gen, "", addresses[other], addresses[source], "10809", "first", "0"), "@serves 10809")
	p.wants(p.do(source, "connect", gen, dirty, other, addresses[other], "10809", fmt.Sprint(number), "freeze", how, "0"), "@did connected")
	return p.do(source, "add", gen, "", other, fmt.Sprint(number), "2", "0", "0")
}

// mirroredPair has A as the source, its file system mounted, and B in sync.
func mirroredPair(t *testing.T, f func(p *mirrorPair)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &mirrorPair{newMirrorBed(t), t}
		p.wants(p.do(pairA, "create", 1, "", "", "0", "0", "existing", "ext4", "2", "service-data", ""), "@did created")
		p.mount(pairA)
		p.put(pairA, "first")
		p.wants(p.joins(pairA, pairB, 1, 1, "full", ""), "@did full")
		p.settled(pairA)
		p.same(true)
		f(p)
	})
}

func (p *mirrorPair) mount(node string) {
	p.t.Helper()
	if code, out := p.World.Node(node).Exec(p.t.Context(), "mkdir -p /d && mount /dev/md/data /d"); code != 0 {
		p.t.Fatal(out)
	}
}

func (p *mirrorPair) put(node, name string) {
	p.t.Helper()
	if err := p.World.Node(node).WriteFile(path.Join("/d", name), name+" by "+node+"\n", false); err != nil {
		p.t.Fatal(err)
	}
}

func (p *mirrorPair) settled(source string) {
	p.t.Helper()
	for range 600 {
		if s := p.World.Node(source).Mirror("service-data"); len(s.InSync) == 1 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	p.t.Fatalf("not in sync: %+v", p.World.Node(source).Mirror("service-data"))
}

// same demands that the disks are equal, or that they are not.
func (p *mirrorPair) same(want bool) {
	p.t.Helper()
	diff, err := p.MirrorDiffers(pairA, "vdb", pairB, "vdb")
	if err != nil || (len(diff) == 0) != want {
		p.t.Errorf("they differ in %v (%v)", diff, err)
	}
}

// writes tells whether a write on the source's file system comes back within a moment.
func (p *mirrorPair) writes(node string) bool {
	ctx, cancel := context.WithTimeout(p.t.Context(), 3*time.Second)
	defer cancel()
	code, _ := p.World.Node(node).Exec(ctx, "echo x >/d/x && sync /d/x")
	return code == 0
}

func TestMirrorFreezesUntilItIsToldToGoOn(t *testing.T) {
	mirroredPair(t, func(p *mirrorPair) {
		p.Cut(pairA, pairB)
		if p.writes(pairA) {
			p.t.Error("a write was done without the other leg")
		}
		p.wants(p.do(pairA, "pulse", 1, ""), "connected=yes flights=1")
		p.wants(p.do(pairA, "exclude", 1, "", pairB+"=1"), "@did newer") // it is not older than the record
		if p.writes(pairA) {
			p.t.Error("a newer connection was excluded")
		}
		p.wants(p.do(pairA, "exclude", 1, "", pairB+"=2"), "@did excluded")
		if !p.writes(pairA) {
			p.t.Error("it does not go on")
		}
		p.same(false)
		p.Heal(pairA, pairB)
		p.wants(p.joins(pairA, pairB, 1, 2, "partial", ""), "@did partial")
		p.settled(pairA)
		p.same(true)
	})
}

func TestMirrorGoesOnWhenTheLinkIsBack(t *testing.T) {
	mirroredPair(t, func(p *mirrorPair) {
		p.Cut(pairA, pairB)
		done := make(chan bool)
		go func() {
			code, _ := p.World.Node(pairA).Exec(p.t.Context(), "echo y >/d/y && sync /d/y")
			done <- code == 0
		}()
		time.Sleep(time.Minute)
		select {
		case <-done:
			p.t.Fatal("it was done without the other leg")
		default:
		}
		p.Heal(pairA, pairB)
		if !<-done {
			p.t.Error("it failed")
		}
		p.same(true)
	})
}

// diverged: A wrote alone while B became the source and wrote, too.
func diverged(p *mirrorPair) {
	p.t.Helper()
	p.Cut(pairA, pairB)
	p.put(pairA, "alone") // it is on A's disk and waits for B
	p.World.Node(pairA).PowerOff()
	p.wants(p.do(pairB, "start", 2, "", "", "0", "0"), "@did assembled")
	p.mount(pairB)
	p.put(pairB, "second")
	p.HealAll()
	p.World.Node(pairA).PowerOn()
	time.Sleep(time.Minute)
}

func TestPartialResyncOfAnOldSource(t *testing.T) {
	for what, c := range map[string]struct {
		how   string
		merge bool
		same  bool
	}{
		"with its own bits merged":          {"partial", true, true},
		"without them it is silently wrong": {"partial", false, false},
		"a full one needs no bits":          {"full", false, true},
	} {
		t.Run(what, func(t *testing.T) {
			mirroredPair(t, func(p *mirrorPair) {
				diverged(p)
				said := p.do(pairA, "dirty", 2, "")
				p.wants(said, "@chunk 65536")
				var bits []string
				for l := range strings.Lines(said) {
					if n, ok := strings.CutPrefix(strings.TrimSpace(l), "|"); ok {
						bits = append(bits, n)
					}
				}
				if len(bits) == 0 {
					p.t.Fatalf("no bits in\n%s", said)
				}
				if !c.merge {
					bits = nil
				}
				p.wants(p.joins(pairB, pairA, 2, 5, c.how, strings.Join(bits, " ")), "@did "+c.how)
				p.settled(pairB)
				p.same(c.same)
				p.put(pairB, "third") // life goes on, and hides nothing
				p.same(c.same)
			})
		})
	}
}

// A server process that is left alive still writes what the old connection had sent, over what is newer. The kit's scripts end it.
func TestLatePackets(t *testing.T) {
	for _, killed := range []bool{true, false} {
		t.Run(fmt.Sprintf("killed=%v", killed), func(t *testing.T) {
			mirroredPair(t, func(p *mirrorPair) {
				b := p.World.Node(pairB)
				b.Hang()
				p.put(pairA, "late")
				p.wants(p.do(pairA, "pulse", 1, ""), "@far")
				p.World.Node(pairA).PowerOff() // what it sent lies with the server
				if killed {
					if err := b.KillMirrorServer("service-data"); err != nil {
						p.t.Fatal(err)
					}
				}
				b.Resume()
				_, err := b.OnDisk("vdb", "/late")
				if (err == nil) == killed {
					p.t.Errorf("on the disk: %v", err)
				}
			})
		})
	}
}

func TestHalfACopyDoesNotStart(t *testing.T) {
	mirroredPair(t, func(p *mirrorPair) {
		p.SetMirrorSpeed(1 << 20) // a full resync takes a quarter of an hour
		p.wants(p.do(pairA, "exclude", 1, "", pairB+"=9"), "@did excluded")
		p.put(pairA, "more")
		p.wants(p.joins(pairA, pairB, 1, 9, "full", ""), "@did full")
		p.wants(p.do(pairA, "pulse", 1, ""), "sync_action=recover")
		time.Sleep(time.Minute)
		p.World.Node(pairA).PowerOff()
		p.wants(p.do(pairB, "start", 2, "", "", "0", "0"), "@failed assemble")
	})
}

// The old source is cut off alive: what waits there gets an error when it is let go, and nobody hears of success.
func TestThawOfAStray(t *testing.T) {
	mirroredPair(t, func(p *mirrorPair) {
		p.Cut(pairA, pairB)
		p.wants(p.do(pairB, "start", 2, "", "", "0", "0"), "@did assembled")
		done := make(chan bool, 1)
		go func() {
			code, _ := p.World.Node(pairA).Exec(p.t.Context(), "echo z >/d/z && sync /d/z")
			done <- code == 0
		}()
		time.Sleep(5 * time.Second)
		p.wants(p.do(pairA, "thaw", 1, ""), "@failed source-here") // it is of that generation itself
		p.wants(p.do(pairA, "thaw", 2, ""), "@did thawed")
		if <-done {
			p.t.Error("a write was reported as done on a node that is no source any more")
		}
		if s := p.World.Node(pairA).Mirror("service-data"); !s.Errors || s.Frozen {
			p.t.Errorf("%+v", s)
		}
	})
}
