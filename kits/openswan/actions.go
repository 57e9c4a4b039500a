package openswan

import (
	"context"
	_ "embed" // the scripts, kept as files so that shellcheck and editors know them
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

//go:embed sh/lib.sh
var libSh string

//go:embed sh/check.sh
var checkSh string

//go:embed sh/conf.sh
var confSh string

//go:embed sh/recover.sh
var recoverSh string

//go:embed sh/stop.sh
var stopSh string

// CheckScript asks all four stages in one go.
func (k Kit) CheckScript(in kits.Instance) kits.Script {
	return script("check", checkSh, k.Timeout(kits.ActCheck, in), in, strconv.Itoa(tuned(in).ping))
}

// Check runs the check's script by itself.
func (k Kit) Check(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	_, r := lookAt(ctx, k, h, in)
	return r
}

// lookAt is one check, with what it found beside the report; the zero look where it found nothing.
func lookAt(ctx context.Context, k Kit, h kits.Host, in kits.Instance) (look, kits.Report) {
	res, err := h.Run(ctx, k.CheckScript(in))
	l, bad := readCheck(in, res, err)
	if bad != nil {
		return look{}, *bad
	}
	return l, judge(in, l)
}

// Start makes sure that the tunnel works on this node: the routes of the EC2 child
// lead here by now. Where it does not work it is repaired as Recover does.
func (k Kit) Start(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	return k.bring(ctx, h, in)
}

// Recover repairs the daemon or the tunnel, and checks until it works or the tries are used up.
func (k Kit) Recover(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	return k.bring(ctx, h, in)
}

// A tunnel that changes while it is looked at is negotiated just now; its parts follow each other within seconds.
const (
	restTries = 3
	restPause = 2 * time.Second
)

func (k Kit) bring(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	l, r := lookAt(ctx, k, h, in)
	for try := 0; l.contradicts() && try < restTries && pause(ctx, restPause); try++ {
		l, r = lookAt(ctx, k, h, in)
	}
	what := remedy(l, r)
	if what == "" && r.Outcome != kits.Failed {
		return r // it works, or nobody knows: then nothing is touched
	}
	said := ""
	if what != "" {
		said = k.repair(ctx, h, in, what)
	}
	r = k.settle(ctx, h, in)
	if r.Output == "" {
		r.Output = said
	}
	if word := refusal(said); word != "" && r.Outcome == kits.Failed {
		r.Reason = refused(in, word).Reason
	}
	return r
}

// refusal is the peer's own word for why it wants no tunnel, like AUTHENTICATION_FAILED, from what the attempt printed:
//
//	003 "vpn1/2x2" #8: IKE SA authentication request rejected by peer: AUTHENTICATION_FAILED
func refusal(said string) string {
	for line := range strings.Lines(said) {
		_, word, ok := strings.Cut(strings.TrimSpace(line), " rejected by peer: ")
		if ok && word != "" && strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == "" {
			return kits.OneLine(word, 40)
		}
	}
	return ""
}

func refused(in kits.Instance, word string) kits.Report {
	hint := "compare the connection on both ends"
	if word == "AUTHENTICATION_FAILED" {
		hint = "the pre-shared keys or the identities (leftid, rightid) of the two ends do not match"
	}
	return failed(in, "openswan.refused", "the peer refuses the tunnel %s of %s with %s: %s", in.Attrs[FieldConnection], in.Node.Name, word, hint)
}

// The remedies, as the script knows them.
const (
	remedyRestart = "restart" // the daemon
	remedyLoad    = "load"    // the connection into the daemon, and up
	remedyUp      = "up"      // a tunnel that is not there
	remedyRenew   = "renew"   // a tunnel that is there and carries nothing, or is there in part
)

// remedy chooses what may help; empty when nothing on this node does.
func remedy(l look, r kits.Report) string {
	t := l.tunnel
	switch {
	case r.Outcome != kits.Failed:
		return ""
	case l.daemon != daemonRuns:
		return remedyRestart
	case len(t.parts) == 0:
		return remedyLoad
	case l.public.silent:
		// The way to the peer is lost, which nothing here mends; a tunnel that is left alone carries again at once when
		// the way is back, one that was torn down must be negotiated first.
		return ""
	case len(t.down()) == len(t.parts):
		return remedyUp
	case l.private.silent || !t.up():
		return remedyRenew
	}
	return ""
}

// repair carries a remedy out and gives what the tools said. Whether it helped is for the check to say.
func (Kit) repair(ctx context.Context, h kits.Host, in kits.Instance, what string) string {
	s := script("recover", recoverSh, repairBound, in, what)
	s.Mutates = true
	res, err := h.Run(ctx, s)
	if err != nil {
		return kits.Clean(err.Error(), kits.OutputLimit)
	}
	return output(res)
}

// settle checks until it works, as often and as far apart as tuned.
func (k Kit) settle(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	t := tuned(in)
	for try := 1; ; try++ {
		r := k.Check(ctx, h, in)
		if r.Outcome == kits.OK || try >= t.tries || ctx.Err() != nil {
			return r
		}
		if !pause(ctx, time.Duration(t.pause)*time.Second) {
			return r
		}
	}
}

// pause waits; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// Stop leaves the daemon and the tunnel as they are and only tells what they are: in
// service means that the routes lead here, and those are the EC2 child's.
func (k Kit) Stop(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	limit := tuned(in).remove
	ask := min(3, limit-2) // room for the way there and back
	res, err := h.Run(ctx, script("stop", stopSh, k.Timeout(kits.ActStop, in), in, strconv.Itoa(max(0, ask))))
	if err != nil {
		return unknown(in, "openswan.no-answer", "%s did not answer: %v", in.Node.Name, err)
	}
	a, perr := parseAnswer(res)
	if _, stayed := a.get("stayed"); perr != nil || !stayed {
		r := unknown(in, "openswan.unreadable", "what %s said to the stop cannot be read", in.Node.Name)
		r.Output = output(res)
		return r
	}
	r := kits.Report{Outcome: kits.OK, Presence: kits.Absent, Output: output(res)}
	if m, ok := a.get("status"); ok && a.daemon() == daemonRuns {
		if t, err := parseStatus(m.lines, in.Attrs[FieldConnection]); err == nil {
			r.Details = map[string]string{"connection": in.Attrs[FieldConnection], "state": stateWord(t)}
		}
	}
	return r
}

// script puts the common prelude before a body. The connection's name is the first argument; one that is
// no name, which validation refuses, is not let near a command line.
func script(name, body string, bound time.Duration, in kits.Instance, args ...string) kits.Script {
	conn := in.Attrs[FieldConnection]
	if !connName.MatchString(conn) {
		conn = ""
	}
	return kits.Script{
		Name: "openswan/" + name, Body: libSh + "\n" + body, Deadline: bound,
		Args: append([]string{conn}, args...),
	}
}
