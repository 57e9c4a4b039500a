package route53_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/internal/sim/r53sim"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/awscloud"
	"github.com/ferry-ha/ferry/kits/cloud"
	"github.com/ferry-ha/ferry/kits/route53"
)

// edit is somebody else writing the record during a start.
type edit struct {
	after time.Duration
	value string
}

// trouble is what goes wrong during a start: lossy faults only, nothing that refuses.
func troubleGen() *rapid.Generator[r53sim.Fault] {
	return rapid.Custom(func(t *rapid.T) r53sim.Fault {
		f := r53sim.Fault{
			Action: rapid.SampledFrom([]string{"*", "Change*", "List*", "GetChange"}).Draw(t, "action"),
			After:  rapid.IntRange(0, 3).Draw(t, "after"), Times: rapid.IntRange(1, 12).Draw(t, "times"),
		}
		switch rapid.IntRange(0, 7).Draw(t, "kind") {
		case 0:
			f.Unreachable = true
		case 1:
			f.DropAfter = true
		case 2:
			f.HangAfter = true
		case 3:
			f.Hang = true
		case 4:
			f.Code = "Throttling"
		case 5:
			f.Code = "PriorRequestNotComplete"
		case 6:
			f.Code = "InternalFailure"
		case 7:
			f.Delay = time.Duration(rapid.IntRange(1, 9000).Draw(t, "delay")) * time.Millisecond
		}
		return f
	})
}

// watcher notes what a start read first.
type watcher struct {
	cloud.DNS
	mu    sync.Mutex
	first string
}

func (w *watcher) Record(ctx context.Context, a cloud.Access, zone, name, kind string) (cloud.Record, bool, error) {
	r, found, err := w.DNS.Record(ctx, a, zone, name, kind)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil && w.first == "" {
		w.first = strings.Join(r.Values, ",")
	}
	return r, found, err
}

func (w *watcher) read() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.first
}

// Whatever is lost, late or written by others: a start replaces nothing but what it read when it began, says OK only of
// what is so, and does not fail for want of answers.
func TestStartUnderRandomTrouble(t *testing.T) {
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "AKIAFERRY", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"} {
		t.Setenv(name, value)
	}
	rapid.Check(t, func(rt *rapid.T) {
		faults := rapid.SliceOfN(troubleGen(), 0, 4).Draw(rt, "faults")
		var edits []edit
		for n := range rapid.IntRange(0, 2).Draw(rt, "edits") {
			edits = append(edits, edit{time.Duration(rapid.IntRange(1, 20_000).Draw(rt, "at"))*time.Millisecond + 7*time.Microsecond, fmt.Sprintf("192.0.2.%d", n+1)})
		}
		lag := time.Duration(rapid.IntRange(0, 120).Draw(rt, "lag")) * time.Second
		mute := rapid.Bool().Draw(rt, "mute")
		var wrong []string
		synctest.Test(t, func(t *testing.T) {
			e := newEstate(t, nil)
			e.SetSyncLag(lag)
			e.mute = mute
			w := &watcher{DNS: awscloud.New(awscloud.Options{Transport: e.Transport()})}
			e.kit = route53.New(w).Asking(e.ask)
			e.OnChange(func(ev r53sim.Event) {
				if from := strings.Join(ev.From, ","); ev.Kind == r53sim.RecordChanged && ev.KeyID != "" && from != w.read() {
					wrong = append(wrong, fmt.Sprintf("%s was replaced by a start that had read %s", from, w.read()))
				}
			})
			for _, f := range faults {
				e.Inject(f)
			}
			for _, x := range edits {
				time.AfterFunc(x.after, func() { e.put(t, x.value) })
			}
			r := e.start(t, "LK_S_A")
			holds := e.holds()
			switch {
			case r.Outcome == kits.OK && !r.Impaired && holds != standby:
				wrong = append(wrong, fmt.Sprintf("OK, %q, but the record holds %s", r.Reason.Text, holds))
			case r.Outcome != kits.OK && len(edits) == 0:
				wrong = append(wrong, fmt.Sprintf("%s for want of answers: %s", r.Outcome, r.Reason.Text))
			case r.Outcome == kits.Unknown:
				wrong = append(wrong, "unknown: "+r.Reason.Text)
			case r.Outcome == kits.OK && r.Impaired && r.Reason.Text == "":
				wrong = append(wrong, "impaired without a reason")
			}
			e.ClearFaults()
			time.Sleep(3 * time.Minute) // stragglers come home
		})
		if len(wrong) > 0 {
			rt.Fatalf("faults %+v, edits %v, lag %s: %s", faults, edits, lag, strings.Join(wrong, "; "))
		}
	})
}

func FuzzZoneAndHost(f *testing.F) {
	f.Add("example.com", "www")
	f.Add("example.com. (Z1)", "www.example.com.")
	f.Add("a'b (Z1, private)", "*")
	f.Add("", `\052`)
	f.Fuzz(func(t *testing.T, zone, host string) {
		in := (&estate{zone: zone}).on("LK_P_A", "")
		in.Attrs[route53.FieldHost] = host
		k := route53.New(nil)
		problems := k.Validate(in)
		for _, p := range problems {
			if p.Text == "" || p.Fix == "" {
				t.Errorf("%q, %q: %+v", zone, host, p)
			}
		}
		fx := k.Effects(kits.ActStart, in)
		if len(problems) == 0 && len(fx) != 1 {
			t.Errorf("%q, %q: effects %+v", zone, host, fx)
		}
	})
}
