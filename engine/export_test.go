package engine

import "time"

// Slept lets the engine believe that so much time has passed since its last tick, as
// after a laptop's sleep or a jump of the clock; negative = the clock went back.
func (e *Engine) Slept(gap time.Duration) {
	_ = e.look(func() { e.lastTick = e.lastTick.Add(-gap) })
}
