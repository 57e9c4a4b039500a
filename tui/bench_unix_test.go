//go:build unix

package tui

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// BenchmarkIdle is the console while nothing happens and nobody presses a key, with its
// clock going on: processor time per second, in thousandths, and bytes written.
func BenchmarkIdle(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("resources=%d/nodes=16", n), func(b *testing.B) {
			out, _, end := started(b, n)
			defer end()
			out.quiet()
			before, cpu := out.total(), processorTime(b)
			began := time.Now()
			for b.Loop() {
				time.Sleep(5 * time.Second)
			}
			seconds := time.Since(began).Seconds()
			b.ReportMetric(float64((processorTime(b)-cpu).Microseconds())/1000/seconds, "cpu-ms/s")
			b.ReportMetric(float64(out.total()-before)/seconds, "B/s")
		})
	}
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
