package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
)

// The tour tells the whole story, of either estate, and loses nothing on the way.
func TestTour(t *testing.T) {
	for _, small := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			if err := runDemo(t.Context(), &out, demoOptions{Style: term.Style{}, Brisk: true, Small: small}); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			want := []string{"$ ferry in-service", "LK_P_B answers", "LK_P_B is powered off too", "$ ferry confirm yes", "(10.2.0.10): LK_S_A answers", "That was the tour"}
			if !small {
				want = append(want, "in-service LSNR.LISTENER", "datakeeper-oradata", "none ever lost", "--accept-data-loss")
			}
			for _, w := range want {
				if !strings.Contains(out.String(), w) {
					t.Errorf("it does not say %q:\n%s", w, out.String())
				}
			}
			if strings.Contains(out.String(), "LOST") {
				t.Errorf("something was lost:\n%s", out.String())
			}
		})
	}
}
