package route53

import (
	"strconv"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// The tuning names, with the seed product's defaults.
const (
	TTL         = "ROUTE53_TTL"
	RecordPause = "ROUTE53_RECORD_INTERVAL"
	RecordTries = "ROUTE53_RECORD_TRY_COUNT"
	ChangePause = "ROUTE53_CHANGEID_INTERVAL"
	ChangeTries = "ROUTE53_CHANGEID_TRY_COUNT"
	CheckPause  = "ROUTE53_RECORDCHECK_INTERVAL"
	CheckTries  = "ROUTE53_RECORDCHECK_TRY_COUNT"
	Strict      = "ROUTE53_STRICT"
)

// Tunables are the names this kit reads.
func (Kit) Tunables() []kits.Tunable {
	return []kits.Tunable{
		{Name: TTL, Default: "10", Unit: "s", Help: "TTL of the A record"},
		{Name: RecordPause, Default: "2", Unit: "s", Help: "pause between two tries to update the A record"},
		{Name: RecordTries, Default: "3", Unit: "count", Help: "tries to update the A record"},
		{Name: ChangePause, Default: "20", Unit: "s", Help: "pause between two questions whether the change is INSYNC"},
		{Name: ChangeTries, Default: "4", Unit: "count", Help: "questions whether the change is INSYNC"},
		{Name: CheckPause, Default: "2", Unit: "s", Help: "pause between two tries to read the A record in a check"},
		{Name: CheckTries, Default: "3", Unit: "count", Help: "tries to read the A record in a check"},
		{Name: Strict, Default: "0", Unit: "0/1", Help: "1 = a change still PENDING at the end, or a Route 53 out of reach, fails the start"},
	}
}

// tries is how often something is tried, and the pause between two tries.
type tries struct {
	count int
	pause time.Duration
}

// total is the longest all tries may take when one takes up to each.
func (t tries) total(each time.Duration) time.Duration {
	return time.Duration(t.count)*each + time.Duration(t.count-1)*t.pause
}

// tuning is what is in force on the node.
type tuning struct {
	ttl           int64
	write, change tries
	check         tries
	strict        bool
}

// tuned reads the tuning. A value that cannot be read, which the definition's validation does not let through, counts as
// the default.
func tuned(in kits.Instance) tuning {
	return tuning{
		ttl:    int64(number(in, TTL, 10, 0, 1<<31-1)),
		write:  triesOf(in, RecordTries, 3, RecordPause, 2),
		change: triesOf(in, ChangeTries, 4, ChangePause, 20),
		check:  triesOf(in, CheckTries, 3, CheckPause, 2),
		strict: number(in, Strict, 0, 0, 1) == 1,
	}
}

func triesOf(in kits.Instance, count string, defCount int, pause string, defPause int) tries {
	return tries{
		count: number(in, count, defCount, 1, 1000),
		pause: time.Duration(number(in, pause, defPause, 0, 3600)) * time.Second,
	}
}

// number reads a whole number, also one written as a duration of whole seconds ("20s").
func number(in kits.Instance, name string, def, least, most int) int {
	text := in.Tune(name, "")
	n, err := strconv.Atoi(text)
	if d, derr := time.ParseDuration(text); err != nil && derr == nil {
		n, err = int(d/time.Second), nil
	}
	if err != nil || n < least || n > most {
		return def
	}
	return n
}

// The limits of single questions. A call that Route 53 answers takes a tenth of a second; a start with a control plane
// that is silent must not keep the service waiting for longer than the tries of a few of these.
const (
	callLimit = 8 * time.Second
	askLimit  = 5 * time.Second
	slack     = 5 * time.Second
)

// Timeout is the longest an action may take: all its tuned tries, each with the slowest answer.
func (Kit) Timeout(a kits.Action, in kits.Instance) time.Duration {
	t := tuned(in)
	read := 2 * callLimit // the zone's id, and the record
	switch a {
	case kits.ActStart, kits.ActRecover:
		return t.write.total(read) + t.write.total(2*callLimit) + t.change.total(callLimit+askLimit) + t.write.total(read) + 2*(callLimit+askLimit) + slack
	case kits.ActEligible:
		return 3*callLimit + askLimit + slack
	case kits.ActStop:
		return slack
	}
	return t.check.total(read) + callLimit + askLimit + slack
}
