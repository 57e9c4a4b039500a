package r53sim

import "time"

// View says how a name server sees the zones. The zero value sees what is INSYNC now.
type View struct {
	// Own makes the server follow changes Lag after they were accepted, INSYNC or not, instead of when they are INSYNC.
	// Stuck changes reach it too.
	Own bool
	Lag time.Duration
	// Ago is how old the content is: a server that has been cut off from the others.
	Ago time.Duration
}

// Served are the zones with the records that a name server with this view answers from. A zone that has not reached it
// yet is left out.
func (s *Server) Served(v View) []Zone {
	now := s.clock().Add(-v.Ago)
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Zone
	for _, z := range s.zones {
		for i := len(z.versions) - 1; i >= 0; i-- {
			reached := z.versions[i].insync
			if v.Own {
				reached = z.versions[i].at.Add(v.Lag)
			}
			if !reached.After(now) {
				out = append(out, z.full(z.versions[i].records))
				break
			}
		}
	}
	return out
}
