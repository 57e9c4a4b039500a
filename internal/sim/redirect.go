package sim

import "github.com/ferry-ha/ferry/engine/hierarchy"

// Redirect is a definition of these nodes with the ssh settings that lead to the simulated ones.
func (s *Sim) Redirect(e *hierarchy.Estate) *hierarchy.Estate { return s.redirect(e) }
