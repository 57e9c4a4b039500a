package fleet

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/monitor"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/sshexec"
	"github.com/ferry-ha/ferry/sshexec/wire"
)

var _ monitor.Prober = (*Fleet)(nil)

// Pulse runs the function-level heartbeat on the node's heartbeat channel, and
// tells whether the kernel at least accepts a connection when it does not answer.
// Something that answers with a wrong host key is not the node: no path either.
func (f *Fleet) Pulse(ctx context.Context, node string) (path, function bool) {
	n, self, err := f.node(node)
	if err != nil {
		return false, false
	}
	p := n.Beat(ctx, strings.Replace(f.pulse(node), "@ENGINE@", self.Engine, 1))
	f.note(node, explain(node, p))
	if !p.Function {
		f.log.Debug("heartbeat", "node", node, "path", p.Path, "error", p.Err)
	}
	if kind := sshexec.KindOf(p.Err); kind == sshexec.HostKeyUnknown || kind == sshexec.HostKeyChanged {
		return false, false
	}
	word, boot, _ := strings.Cut(p.Output, " ")
	if p.Function && word == "stopping" {
		f.stopping(node)
	}
	if p.Function {
		f.booted(node, boot)
	}
	return p.Path, p.Function && (word == "alive" || word == "stopping")
}

// booted compares a heartbeat's boot with that of the one before.
func (f *Fleet) booted(node, boot string) {
	if boot == "" || boot == "-" {
		return
	}
	f.mu.Lock()
	before := f.boots[node]
	f.boots[node] = boot
	restarted := f.restarted
	f.mu.Unlock()
	if before != "" && before != boot && restarted != nil {
		restarted(node)
	}
}

// OnRestart names who is told of a node that has restarted since its last heartbeat. It
// is called on the heartbeat's way and must not wait.
func (f *Fleet) OnRestart(restarted func(node string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.restarted = restarted
}

// explain is the heartbeat's error for people. A deadline that passed says nothing
// about what to look at; what was reached does.
func explain(node string, p sshexec.Pulse) error {
	switch {
	case sshexec.KindOf(p.Err) != sshexec.Deadline:
		return p.Err
	case p.Path:
		return fmt.Errorf("%s takes connections but ran nothing in time; look at its load, its disks and its console", node)
	}
	return fmt.Errorf("%s did not answer in time; check that it runs, and the route and security group from the engine to it", node)
}

// diskEvery is how often a heartbeat goes down to the disk: a flush a second would
// wear on small volumes.
const diskEvery = 5 * time.Second

// pulse picks the heartbeat's script.
func (f *Fleet) pulse(node string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.flushed[node]) >= diskEvery {
		f.flushed[node] = now
		return diskScript
	}
	return pulseScript
}

// Peers has the node probe its comm paths, all at the same time.
func (f *Fleet) Peers(ctx context.Context, node string, paths []monitor.Path) (map[string]map[string]kits.Outcome, error) {
	n, _, err := f.node(node)
	if err != nil {
		return nil, err
	}
	args := make([]string, 0, 3*len(paths))
	for i, p := range paths {
		from := p.From
		if from == "" {
			from = "-"
		}
		args = append(args, strconv.Itoa(i), p.To, from)
	}
	text, err := n.Watch(ctx, peersScript, args...)
	if err != nil {
		return nil, err
	}
	return parsePeers(text, paths), nil
}

// parsePeers reads peersScript's output; a path without a clear word is Unknown.
func parsePeers(text string, paths []monitor.Path) map[string]map[string]kits.Outcome {
	out := map[string]map[string]kits.Outcome{}
	for _, p := range paths {
		if out[p.Peer] == nil {
			out[p.Peer] = map[string]kits.Outcome{}
		}
		out[p.Peer][p.Name] = kits.Unknown
	}
	for line := range strings.Lines(text) {
		w := strings.Fields(line)
		if len(w) != 2 {
			continue
		}
		i, err := strconv.Atoi(w[0])
		if err != nil || i < 0 || i >= len(paths) {
			continue
		}
		switch w[1] {
		case "0":
			out[paths[i].Peer][paths[i].Name] = kits.OK
		case "1":
			out[paths[i].Peer][paths[i].Name] = kits.Failed
		}
	}
	return out
}

// Batch runs read-only scripts in one round trip and hands each result over as its
// answer comes, and once for every key: with an error for what did not answer.
func (f *Fleet) Batch(ctx context.Context, node string, scripts map[string]kits.Script, each func(key string, r kits.Result, err error)) {
	left := make(map[string]bool, len(scripts))
	jobs := make([]wire.Job, 0, len(scripts))
	for key, s := range scripts {
		left[key] = true
		jobs = append(jobs, jobOf(key, s))
	}
	n, _, err := f.node(node)
	if err == nil {
		err = n.RunEach(ctx, jobs, func(fr wire.Frame) {
			delete(left, fr.ID)
			r, bad := resultOf(node, scripts[fr.ID], fr)
			each(fr.ID, r, bad)
		})
	}
	if err == nil {
		err = fmt.Errorf("%s did not answer for this check", node)
	}
	for key := range left {
		each(key, kits.Result{}, err)
	}
}

// Settle awaits or ends every unit on the node whose name begins with the prefix.
// An error means that something may still run there.
func (f *Fleet) Settle(ctx context.Context, node, prefix string) error {
	n, _, err := f.node(node)
	if err != nil {
		return err
	}
	units, err := n.Units(ctx)
	if err != nil {
		return err
	}
	for _, u := range units {
		if !strings.HasPrefix(u.Name, prefix+"-") || u.State != wire.UnitRunning && u.State != wire.UnitStarting {
			continue
		}
		if fr, err := n.Await(ctx, u.Name, settleWait, 0); err == nil && fr.Status != wire.Deadline && fr.Status != wire.Error {
			continue
		}
		if err := n.EndUnit(ctx, u.Name); err != nil {
			return err
		}
	}
	return nil
}

// settleWait is how long an orphaned script is left to end by itself: what it
// finishes need not be done again.
const settleWait = 10 * time.Second
