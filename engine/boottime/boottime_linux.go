package boottime

import (
	"time"

	"golang.org/x/sys/unix"
)

// System is the kernel's CLOCK_BOOTTIME.
func System() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil {
		return 0 // older than Linux 2.6.39: the monotonic clock has to do
	}
	return time.Duration(t.Nano())
}
