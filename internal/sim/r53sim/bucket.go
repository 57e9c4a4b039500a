package r53sim

import "time"

// level is how full an account's token bucket is.
type level struct {
	tokens float64
	at     time.Time
}

// throttled takes a token from the account's bucket and says whether there was none.
func (s *Server) throttled(account string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.opts.Bucket
	if b.Burst <= 0 {
		return false
	}
	l := s.levels[account]
	if l == nil {
		l = &level{tokens: float64(b.Burst), at: now}
		s.levels[account] = l
	}
	if passed := now.Sub(l.at); passed > 0 {
		l.tokens, l.at = min(float64(b.Burst), l.tokens+passed.Seconds()*b.Rate), now
	}
	if l.tokens < 1 {
		return true
	}
	l.tokens--
	return false
}
