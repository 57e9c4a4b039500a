package awscloud

import (
	"context"
	"sync"
	"time"
)

// Route 53 counts the calls of a whole account, whoever makes them: ten a second, with room for a burst, beside limits
// per action. Half of that leaves room for the people and the other programs of the account.
const (
	dnsPerSecond = 5
	dnsBurst     = 5
)

// rate spaces calls out. It is shared by everything that calls through one Cloud, whatever the credentials: two profiles
// may well belong to one account.
type rate struct {
	every time.Duration
	burst time.Duration

	mu   sync.Mutex
	next time.Time // when the next call may go out, had there been no burst
}

func newRate(perSecond, burst int) *rate {
	every := time.Second / time.Duration(perSecond)
	return &rate{every: every, burst: every * time.Duration(burst-1)}
}

// wait lets the caller through when it is its turn; an error when the context ends before. Turns are given in the order
// of asking; one that was given up is not handed on.
func (r *rate) wait(ctx context.Context) error {
	r.mu.Lock()
	now := time.Now()
	turn := r.next
	if floor := now.Add(-r.burst); turn.Before(floor) {
		turn = floor
	}
	if deadline, ok := ctx.Deadline(); ok && turn.After(deadline) {
		r.mu.Unlock()
		return context.DeadlineExceeded
	}
	r.next = turn.Add(r.every)
	r.mu.Unlock()
	if d := turn.Sub(now); d > 0 && !pause(ctx, d) {
		return ctx.Err()
	}
	return ctx.Err()
}
