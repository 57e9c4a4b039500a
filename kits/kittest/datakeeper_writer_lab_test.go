package kittest_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// writerProgram writes numbered blocks of 4 KiB to random places of the mirror, each durably, and says so after each. Four processes, each
// with places of its own, so that several writes are under way at any moment. It ends at the first error.
const writerProgram = `
use strict; use Time::HiRes; $| = 1;
my ($dev, $first, $seed, $slots) = @ARGV;
for my $w (0..3) {
  next if fork;
  srand($seed * 4 + $w);
  sysopen(my $f, $dev, 2 | 010000 | 04000000) or die "open: $!"; # O_RDWR|O_DSYNC|O_SYNC
  for (my $n = $first; ; $n++) {
    my $slot = int(rand($slots)) * 4 + $w;
    sysseek($f, $slot * 4096, 0);
    my $done = syswrite($f, pack("NN", $slot, $n) x 512, 4096);
    unless (defined $done && $done == 4096) { print "error $w $!\n"; exit 0 }
    printf "ack %d %d %.3f\n", $slot, $n, Time::HiRes::time();
  }
}
while (wait != -1) {}
`

// slots times four places of 4 KiB: all over 256 MiB, few enough to be overwritten now and then.
const slots = 16384

// writer is the client whose every acknowledged write must survive.
type writer struct {
	m     *mirror
	node  string
	acked map[int]int // by place: the newest number that was acknowledged
	done  chan struct{}
	stop  context.CancelFunc
	base  int // numbers begin above it
	// what one run said
	acks   int
	times  []float64
	errors []string
}

func newWriter(m *mirror) *writer { return &writer{m: m, acked: map[int]int{}} }

// start begins to write on a node, with numbers that were never used.
func (w *writer) start(node string, seed int64) {
	first := w.base + 1
	for _, n := range w.acked {
		first = max(first, n+100000)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	w.node, w.stop, w.done = node, cancel, make(chan struct{})
	w.acks, w.times, w.errors = 0, nil, nil
	script := fmt.Sprintf("cat >/run/writer.pl <<'X'\n%sX\nexec setsid perl /run/writer.pl %s %d %d %d", writerProgram, mirrorDev, first, seed, slots)
	go func() {
		defer close(w.done)
		out, _ := w.m.lab.Guest(node).Sh(ctx, script)
		w.read(out)
	}()
}

func (w *writer) read(out string) {
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		switch {
		case !strings.HasSuffix(line, "\n"): // cut off: not heard
		case len(f) == 4 && f[0] == "ack":
			slot, _ := strconv.Atoi(f[1])
			n, _ := strconv.Atoi(f[2])
			at, _ := strconv.ParseFloat(f[3], 64)
			w.acked[slot] = max(w.acked[slot], n)
			w.acks++
			w.times = append(w.times, at)
		case len(f) > 0:
			w.errors = append(w.errors, strings.TrimSpace(line))
		}
	}
}

// end has the writer stop; its processes are ended where the node still runs.
func (w *writer) end() {
	if w.m.lab.Guest(w.node).Running() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		w.m.lab.Guest(w.node).Sh(ctx, `for p in /proc/[0-9]*; do case $(tr '\0' ' ' <$p/cmdline) in "perl /run/writer.pl"*) kill -9 ${p##*/};; esac; done 2>/dev/null`)
		cancel()
	}
	select {
	case <-w.done:
	case <-time.After(10 * time.Second):
		w.stop()
		<-w.done
	}
	w.stop()
}

// ended waits until the writer ended by itself.
func (w *writer) ended(limit time.Duration) {
	w.m.t.Helper()
	select {
	case <-w.done:
	case <-time.After(limit):
		w.m.fatal("the writer on %s still waits after %v", w.node, limit)
	}
	w.stop()
}

// longestPause between two acknowledgements, in seconds.
func (w *writer) longestPause() float64 {
	gap := 0.0
	for i := 1; i < len(w.times); i++ {
		gap = max(gap, w.times[i]-w.times[i-1])
	}
	return gap
}

// checkOn reads every place on a node, past the page cache: nothing that was acknowledged may be missing.
func (w *writer) checkOn(node string) {
	w.m.t.Helper()
	out := w.m.sh(node, `cat >/run/reader.pl <<'X'
use strict; sysopen(my $f, $ARGV[0], 0) or die; my $b;
for my $s (0..$ARGV[1] * 4 - 1) { sysseek($f, $s * 4096, 0); sysread($f, $b, 4096);
 my ($slot, $n) = unpack("NN", $b); next unless $n; my $whole = $b eq (pack("NN", $slot, $n) x 512) ? "whole" : "torn"; print "$s $slot $n $whole\n" }
X
blockdev --flushbufs `+mirrorDev+`; perl /run/reader.pl `+mirrorDev+" "+strconv.Itoa(slots))
	has := map[int]int{}
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		s, _ := strconv.Atoi(f[0])
		slot, _ := strconv.Atoi(f[1])
		n, _ := strconv.Atoi(f[2])
		if slot == s {
			has[s] = n
		}
	}
	lost := 0
	for slot, n := range w.acked {
		if has[slot] < n {
			lost++
			if lost < 6 {
				w.m.t.Logf("place %d has %d, %d was acknowledged", slot, has[slot], n)
			}
		}
	}
	if lost > 0 {
		w.m.fatal("%d of %d acknowledged places are lost on %s", lost, len(w.acked), node)
	}
}

// ready is a mirror with a writer, in sync, its engine running.
func ready(t *testing.T) (*mirror, *writer) {
	m := newMirror(t, "data-only")
	m.mustPromote("LK_P_A")
	m.begin()
	t.Logf("in sync after %v", m.inSync("LK_P_B"))
	return m, newWriter(m)
}
