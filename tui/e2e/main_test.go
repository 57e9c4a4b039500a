package e2e

import (
	"fmt"
	"os"
	"os/signal"
	"testing"
)

// scratch is where the built program lies.
var scratch string

// TestMain lets the runtime's goroutine for signals begin outside of any bubble: the
// first Notify starts it, and inside a bubble that ends the process.
func TestMain(m *testing.M) {
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, os.Interrupt)
	signal.Stop(ch)
	dir, err := os.MkdirTemp("", "ferry-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	scratch = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}
