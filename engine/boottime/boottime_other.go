//go:build !linux

package boottime

import "time"

// System is the wall clock: what else counts sleep differs from system to system, and
// a clock that was set forward ends a step early, which is the safe side.
func System() time.Duration { return time.Duration(time.Now().UnixNano()) }
