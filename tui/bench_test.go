package tui

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/colorprofile"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/pages/hierarchies"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// screenWriter is the terminal's end: it counts bytes and tells of every write.
type screenWriter struct {
	mu    sync.Mutex
	bytes int
	wrote chan time.Time
	at    time.Time     // of the write that next saw
	first time.Duration // until the first screen
}

func (w *screenWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.bytes += len(p)
	w.mu.Unlock()
	select {
	case w.wrote <- time.Now():
	default:
	}
	return len(p), nil
}

func (w *screenWriter) total() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes
}

// next waits for a write; false after five seconds without one.
func (w *screenWriter) next() bool {
	select {
	case w.at = <-w.wrote:
		return true
	case <-time.After(5 * time.Second):
		return false
	}
}

// quiet waits until nothing was written for a while.
func (w *screenWriter) quiet() {
	for {
		select {
		case <-w.wrote:
		case <-time.After(60 * time.Millisecond):
			return
		}
	}
}

// BenchmarkKeyPress runs the whole program on a pipe: from the byte of a key to the
// first byte of the frame that answers it, and how much is written for it.
func BenchmarkKeyPress(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprintf("resources=%d/nodes=16", n), func(b *testing.B) { benchKeys(b, n) })
	}
}

// started runs the program on an estate of so many resources until its first screen is
// there (out.first is how long that took); end ends it.
func started(b *testing.B, resources int) (out *screenWriter, keys *io.PipeWriter, end func()) {
	b.Helper()
	svc := &uitest.Service{Snap: uitest.Large(resources)}
	in, keys := io.Pipe()
	out = &screenWriter{wrote: make(chan time.Time, 1)}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	began := time.Now()
	go func() {
		done <- Run(ctx, Options{Kits: uitest.Kits(), In: in, Out: out, Width: 200, Height: 60, Served: true,
			Env: []string{"TERM=xterm-256color"}, Colors: colorprofile.TrueColor,
			Desks: []Desk{{Name: "bench", Connect: func(context.Context) (api.Service, error) { return svc, nil }}}})
	}()
	for out.total() < 1000 { // bars, tabs and the page
		if !out.next() {
			b.Fatal("no first screen")
		}
	}
	out.first = time.Since(began)
	return out, keys, func() {
		cancel()
		_ = keys.Close()
		<-done
	}
}

func benchKeys(b *testing.B, resources int) {
	out, keys, end := started(b, resources)
	defer end()
	out.quiet()
	var took []time.Duration
	before := out.total()
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		out.quiet()
		b.StartTimer()
		pressed := time.Now()
		_, _ = keys.Write([]byte{"jk"[i%2]})
		if !out.next() {
			b.Fatal("no frame after a key")
		}
		took = append(took, out.at.Sub(pressed))
	}
	b.StopTimer()
	out.quiet()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(out.total()-before)/float64(len(took)), "B/key")
	b.ReportMetric(float64(out.first.Milliseconds()), "first-screen-ms")
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MiB")
}

// BenchmarkFrame is one key and the frame after it, without a terminal.
func BenchmarkFrame(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprintf("resources=%d/nodes=16", n), func(b *testing.B) {
			svc := &uitest.Service{Snap: uitest.Large(n)}
			a := onService(b, svc, 200, 60)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				a.Update(key("jk"[i%2 : i%2+1]))
				_ = a.View()
			}
		})
	}
}

// BenchmarkFresh is what a new snapshot costs the screen: applying it and the frame after
// it, while keys wait. (It was made beside the screen: BenchmarkNew, tui/model.)
func BenchmarkFresh(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprintf("resources=%d/nodes=16", n), func(b *testing.B) {
			svc := &uitest.Service{Snap: uitest.Large(n)}
			a := onService(b, svc, 200, 60)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				est := model.New(svc.Snap, uitest.Kits())
				hierarchies.Prepare(est)
				b.StartTimer()
				a.Update(freshMsg{0, est, time.Now()})
				_ = a.View()
			}
		})
	}
}
