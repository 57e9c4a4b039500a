package engine_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/plan"
)

// Random misfortune for the database on its mirror: whatever happens, no acknowledged row is lost as long as nobody forces
// anything, and all legs are equal in the end.

// A seed draws the same schedule each time; what happens between its events may differ by an instant, so one that failed is
// run a few times.
var (
	mirrorSeed  = flag.Uint64("mirror.seed", 1, "first seed of the mirror's chaos")
	mirrorSeeds = flag.Int("mirror.seeds", 3, "how many seeds")
	mirrorKills = flag.Bool("mirror.kills", true, "engines are killed, too")
)

func TestMirrorChaos(t *testing.T) {
	for seed := *mirrorSeed; seed < *mirrorSeed+uint64(*mirrorSeeds); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { mirrorChaos(t, seed) })
		})
	}
}

type misfortune struct {
	*dataBench
	*rand.Rand
	said []string
}

func (m *misfortune) say(format string, args ...any) {
	m.said = append(m.said, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

func mirrorChaos(t *testing.T, seed uint64) {
	b := newDataBench(t)
	m := &misfortune{b, rand.New(rand.NewPCG(seed, 0x6d6972726f72)), nil}
	defer b.close()
	b.until("all nodes alive", alive)
	b.put(pgTag, "LK_P_A")
	b.legsIn("LK_P_A")
	end := m.clients()
	for range 8 + m.IntN(12) {
		m.event()
		time.Sleep(time.Duration(m.IntN(15000)) * time.Millisecond)
	}
	m.heal()
	time.Sleep(2 * time.Minute)
	at := m.someone()
	end()
	if at == "" {
		t.Fatalf("it is in service nowhere\n%s\n%s", strings.Join(m.said, "\n"), b.story())
	}
	b.legsIn(at)
	b.write(1)
	b.kept(at)
	b.equal(append([]string{at}, b.sim.MirrorLegs(dataTag)...)...)
	if t.Failed() {
		t.Log(strings.Join(m.said, "\n"))
	}
}

// clients write to every node that would take it, by whatever way: also to one that is not the source any more.
func (m *misfortune) clients() (end func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(200 * time.Millisecond):
			}
			for _, n := range m.sim.MirrorLegs(dataTag) {
				m.next++
				row := m.next
				ctx, cancel := context.WithTimeout(m.t.Context(), 2*time.Second)
				_, addr := m.where(n)
				if m.sim.Nodes.PostgresWrite(ctx, func(netip.Addr) (string, bool) { return n, true }, addr, row) == nil {
					m.rows = append(m.rows, row)
				}
				cancel()
			}
		}
	}()
	return func() { close(stop); <-done }
}

func (m *misfortune) one(of ...string) string { return of[m.IntN(len(of))] }

// later undoes something after a while.
func (m *misfortune) later(what string, undo func()) {
	after := time.Duration(1000+m.IntN(40000)) * time.Millisecond
	ctx := m.t.Context()
	go func() {
		select {
		case <-time.After(after):
			m.say("%s", what)
			undo()
		case <-ctx.Done():
		}
	}()
}

func (m *misfortune) event() {
	a, c := m.one("LK_P_A", "LK_P_B", "LK_P_A", "LK_P_B", "LK_S_A"), m.one("LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B")
	world := m.sim.Nodes
	kinds := 10
	if *mirrorKills {
		kinds = 12
	}
	switch m.IntN(kinds) {
	case 0, 1:
		m.say("power off %s", a)
		m.off(a)
		m.later("power on "+a, func() { _ = m.sim.PowerOn(a) })
	case 2, 3, 4:
		if a != c {
			m.say("cut %s %s", a, c)
			world.Cut(a, c)
			m.later("join "+a+" "+c, func() { world.Heal(a, c) })
		}
	case 5:
		m.say("isolate %s", a)
		world.CutNode(a)
		m.later("rejoin "+a, func() { world.HealNode(a) })
	case 6:
		m.say("cut engine %s", a)
		world.Cut("engine", a)
		m.later("join engine "+a, func() { world.Heal("engine", a) })
	case 7:
		m.say("hang %s", a)
		m.node(a).Hang()
		m.later("resume "+a, m.node(a).Resume)
	case 8:
		err := m.sim.KillMirrorServer(dataTag, a)
		m.say("kill server of %s: %v", a, err)
	case 9:
		to := m.one("LK_P_A", "LK_P_B")
		_, err := m.eng.Submit(m.t.Context(), api.Command{Goal: plan.Goal{Kind: plan.GoalInService, Tag: pgTag, Node: to}, By: "anna"})
		m.say("submit %s: %v", to, err)
	default:
		m.say("kill engine")
		m.line.Tear()
		m.revive()
	}
}

// heal ends whatever lasts.
func (m *misfortune) heal() {
	m.say("heal")
	time.Sleep(time.Minute) // what ends by itself has ended
	m.sim.Nodes.HealAll()
	for _, n := range m.sim.MirrorLegs(dataTag) {
		m.node(n).Resume()
		_ = m.sim.PowerOn(n)
	}
}

// someone is where it is in service; where it is nowhere a person tries the nodes one after the other, without force.
func (m *misfortune) someone() string {
	for range 2 {
		for _, n := range m.sim.MirrorLegs(dataTag) {
			m.until("nothing under way", func(s *api.Snapshot) bool { return len(s.Running) == 0 })
			s := m.snapshot()
			if at := active(s, pgTag); at != "" && slices.Equal(m.sim.MirrorSources(dataTag), []string{at}) && stateOn(s, pgTag, at) == "ISP" {
				return at
			}
			c := api.Command{Goal: plan.Goal{Kind: plan.GoalInService, Tag: pgTag, Node: n}, By: "anna"}
			if strings.HasPrefix(n, "LK_S") {
				c.ConfirmRegion = far
			}
			s2, err := m.eng.Submit(m.t.Context(), c)
			m.say("a person tries %s: %v", n, err)
			if err == nil {
				m.ended(s2.Op)
			}
			time.Sleep(30 * time.Second)
		}
	}
	return ""
}
