package ec2

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// Start points every wanted route to the node and waits until AWS shows it. All of them are written, also those that
// read as right already: the read may be older than the last change, and writing twice does no harm. So a start that
// stopped half-way is finished by the next one.
func (k Kit) Start(ctx context.Context, _ kits.Host, in kits.Instance) kits.Report {
	if isEIP(in) {
		return k.startEIP(ctx, in)
	}
	entries, bad := k.read(ctx, in)
	if bad != nil {
		return *bad
	}
	if failed := k.put(ctx, in, entries); len(failed) > 0 {
		return partial(in, entries, failed)
	}
	return k.await(ctx, in)
}

// Recover is a start: it rewrites what does not point here.
func (k Kit) Recover(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	return k.Start(ctx, h, in)
}

// Stop leaves the routes and the Elastic IP as they are: they go on serving until another node takes them, and a dead API cannot keep a
// hierarchy from stopping.
func (Kit) Stop(_ context.Context, _ kits.Host, in kits.Instance) kits.Report {
	what := "the routes to " + in.Node.Name + " are left as they are until another node takes them"
	if isEIP(in) {
		what = fmt.Sprintf("the Elastic IP %s is left with %s until another node takes it", in.Attrs[FieldElasticIP], in.Node.Name)
	}
	return kits.Report{Outcome: kits.OK, Reason: kits.Why("ec2.left", what, "node", in.Node.Name)}
}

// atOnce bounds the writes under way: enough that three tables take no longer than one, few enough not to be throttled.
const atOnce = 4

// put writes the entries and gives back which could not be written, and why. An error in one table does not keep the
// others from being changed: a route that points to the right node is better than none that does.
func (k Kit) put(ctx context.Context, in kits.Instance, todo []entry) map[int]error {
	access, eni := accessOf(in), eniOf(in)
	failed := map[int]error{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i, e := range todo {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := k.cloud.PutRoute(ctx, access, e.table, e.dest, eni); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[i] = err
			}
		})
	}
	wg.Wait()
	return failed
}

// partial reports a start that did not get through: which routes were changed, which were not, and why. Only a refusal
// is a failure; anything else leaves open whether the change was made.
func partial(in kits.Instance, todo []entry, failed map[int]error) kits.Report {
	var done, open, why []string
	r := kits.Report{Outcome: kits.Unknown, Details: map[string]string{}}
	for i, e := range todo {
		err := failed[i]
		if err == nil {
			done = append(done, e.where())
			r.Details[e.where()] = "changed to " + name(in, eniOf(in))
			continue
		}
		open, why = append(open, e.where()), append(why, err.Error())
		r.Details[e.where()] = "not known to be changed"
		if kind := cloud.KindOf(err); kind.Answered() {
			r.Outcome = kits.Failed
			r.Permanent = kind == cloud.Refused
			r.Details[e.where()] = "not changed"
		}
	}
	changed := "none was changed"
	if len(done) > 0 {
		changed = fmt.Sprintf("%d of %d were changed (%s)", len(done), len(todo), strings.Join(done, ", "))
		r.Presence = kits.Present
	}
	r.Reason = kits.Why("ec2.partial",
		fmt.Sprintf("routes to %s are not all in place: %s; open: %s: %s; in service again takes up the rest", in.Node.Name, changed, strings.Join(open, ", "), joined(why)),
		"node", in.Node.Name, "done", strings.Join(done, ", "), "open", strings.Join(open, ", "))
	return r
}

// The pauses between looks after a change (doubling), and how long the kit goes on looking. Reads usually show a
// change at once; ten times the lag seen on EC2 is room enough.
const (
	firstLook = 100 * time.Millisecond
	slowLook  = 2 * time.Second
	lookFor   = 30 * time.Second
)

// await looks until AWS shows everything as it should be.
func (k Kit) await(ctx context.Context, in kits.Instance) kits.Report {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	wait, last := firstLook, kits.Report{}
	for {
		r := k.look(ctx, in)
		if r.Outcome == kits.OK {
			return r
		}
		if r.Outcome == kits.Failed || last.Reason.Code == "" {
			last = r // a later look that was cut off says less than an earlier one that was not
		}
		if !pause(ctx, wait) {
			return unseenYet(in, last)
		}
		wait = min(2*wait, slowLook)
	}
}

// unseenYet: AWS accepted the change and does not show it. A blackhole is an answer, everything else is not.
func unseenYet(in kits.Instance, last kits.Report) kits.Report {
	if last.Reason.Code == "ec2.blackhole" {
		return last
	}
	last.Outcome = kits.Unknown
	last.Reason = kits.Why("ec2.not-seen", fmt.Sprintf(
		"AWS accepted the change for %s but does not show it yet: %s", in.Node.Name, last.Reason.Text), "node", in.Node.Name)
	return last
}
