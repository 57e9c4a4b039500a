package nodesim

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/openswan"
	"github.com/ferry-ha/ferry/sshexec/wire"
)

func openswanJob() wire.Job {
	s := openswan.Kit{}.CheckScript(kits.Instance{
		Tag: "vpn/openswan-vpn1", Kit: "openswan", Node: kits.Node{Name: "L", Address: "10.1.0.1"},
		Attrs: map[string]string{openswan.FieldConnection: "vpn1"}, Tuning: map[string]string{openswan.PingTimeout: "2"},
	})
	return wire.Job{Body: s.Body, Args: s.Args, Deadline: s.Deadline}
}

// Like the other native answers (native_test.go): known by its checksum, and equal to what
// the interpreter makes of the kit's script, in every state of a tunnel.
func TestNativeOpenswanCheck(t *testing.T) {
	j := openswanJob()
	if natives()[outline(j.Body)] == nil {
		t.Errorf("the kit's check is no longer answered in Go. When this test passes otherwise, its new checksum is %q; else its answer in Go has to follow.", outline(j.Body))
	}
	type tunnelState struct {
		before, meanwhile func(w *World, l, r *Node)
		change            func(j *wire.Job)
	}
	states := map[string]tunnelState{
		"well":         {},
		"killed":       {before: func(_ *World, l, _ *Node) { l.KillIPsec() }},
		"stopped":      {before: func(_ *World, l, _ *Node) { l.StopIPsec() }},
		"starting":     {before: func(_ *World, l, _ *Node) { l.StopIPsec(); l.StartIPsec(); time.Sleep(time.Second) }},
		"frozen":       {before: func(_ *World, l, _ *Node) { l.FreezeIPsec() }},
		"thaws":        {before: func(_ *World, l, _ *Node) { l.FreezeIPsec() }, meanwhile: func(_ *World, l, _ *Node) { time.Sleep(8 * time.Second); l.ThawIPsec() }},
		"cut":          {before: func(w *World, _, _ *Node) { w.Cut("L", "R") }},
		"cut for long": {before: func(w *World, _, _ *Node) { w.Cut("L", "R"); time.Sleep(2 * time.Minute) }},
		"heals":        {before: func(w *World, _, _ *Node) { w.Cut("L", "R"); time.Sleep(2 * time.Minute) }, meanwhile: func(w *World, _, _ *Node) { time.Sleep(time.Second); w.Heal("L", "R") }},
		"no data":      {before: func(w *World, _, _ *Node) { w.BlockESP("L", "R") }},
		"another key":  {before: func(_ *World, _, r *Node) { _ = r.SetSharedKey("vpn1", "another"); r.ReloadSecrets() }},
		"peer off":     {before: func(_ *World, _, r *Node) { r.PowerOff() }},
		"part lost":    {before: func(_ *World, l, _ *Node) { l.LosePart(0) }},
		"twice up":     {before: func(_ *World, l, _ *Node) { l.Exec(context.Background(), "ipsec auto --up vpn1") }},
		"no sources": {before: func(_ *World, l, _ *Node) {
			l.Exec(context.Background(), "sed -i -e /sourceip/d /etc/ipsec.d/vpn1.conf; ipsec auto --replace vpn1")
		}},
		"not loaded":   {before: func(_ *World, l, _ *Node) { l.Exec(context.Background(), "ipsec auto --delete vpn1") }},
		"no tools":     {before: func(_ *World, l, _ *Node) { l.Remove("ping", "ipsec") }},
		"another name": {change: func(j *wire.Job) { j.Args = []string{"vpn", "1"} }},
		"no name":      {change: func(j *wire.Job) { j.Args = []string{"", "1"} }},
		"odd patience": {change: func(j *wire.Job) { j.Args = []string{"vpn1", "x"} }},
		"off":          {before: func(_ *World, l, _ *Node) { l.PowerOff() }},
	}
	for k := range 12 { // between any two commands
		at := time.Duration(5*k+2) * time.Millisecond
		states[fmt.Sprint("deadline after ", at)] = tunnelState{change: func(j *wire.Job) { j.Deadline = at }}
		states[fmt.Sprint("power lost after ", at)] = tunnelState{meanwhile: func(_ *World, l, _ *Node) { time.Sleep(at); l.PowerOff() }}
		states[fmt.Sprint("hangs for a second after ", at)] = tunnelState{meanwhile: func(_ *World, l, _ *Node) { time.Sleep(at); l.Hang(); time.Sleep(time.Second); l.Resume() }}
	}
	foreseen := 0
	for name, st := range states {
		var said [2]string
		for way, native := range []native{nil, openswanNative} {
			synctest.Test(t, func(t *testing.T) {
				w, l, r := twoVPN(t)
				w.opts.CommandTime = 5 * time.Millisecond
				w.interpretAll = native == nil
				w.overheard = func(_ process, _ string, yes bool) {
					if yes {
						foreseen++
					}
				}
				j := openswanJob()
				if st.change != nil {
					st.change(&j)
				}
				w.natives[outline(j.Body)] = native
				if st.before != nil {
					st.before(w, l, r)
				}
				frame, began := make(chan wire.Frame, 1), time.Now()
				go func() { frame <- l.runScript(l.life(), j) }()
				if st.meanwhile != nil {
					st.meanwhile(w, l, r)
				}
				f := <-frame
				errs := strings.NewReplacer("context deadline exceeded\n", "", "context canceled\n", "").Replace(string(f.Stderr))
				said[way] = fmt.Sprintf("%s %d after %v\n%s--- err\n%s", f.Status, f.Exit, time.Since(began), f.Stdout, errs)
			})
		}
		if said[0] != said[1] {
			t.Errorf("%s:\ninterpreted:\n%s\nin Go:\n%s", name, said[0], said[1])
		}
	}
	if foreseen < len(states)/2 {
		t.Errorf("it was answered in Go only %d times", foreseen)
	}
}
