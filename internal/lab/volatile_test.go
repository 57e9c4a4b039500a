package lab_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/internal/lab"
)

// What was flushed survives a power-off; of what was only written, some is lost.
func TestVolatileDiskForgetsWhatWasNotFlushed(t *testing.T) {
	l := estate.Lab(t)
	g := l.Guest("LK_P_A")
	defer g.Spoil()
	d, err := l.NewVolatileDisk(t.Context(), "LK_P_A", 8, 1)
	if err != nil {
		t.Fatal(err)
	}
	sh := func(script string) string {
		t.Helper()
		out, err := g.Sh(t.Context(), script)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out)
	}
	fill := "tr '\\0' F </dev/zero | dd of=" + lab.VolatileDevice + " bs=64k count=16 iflag=fullblock oflag=direct 2>/dev/null"
	sh(fill + " conv=fsync")
	before := d.Stats()
	if before.Flushes == 0 || !bytes.Equal(d.Stable()[:1<<20], bytes.Repeat([]byte("F"), 1<<20)) {
		t.Fatalf("a flush did not reach the disk: %+v", before)
	}
	sh(strings.Replace(fill, "tr '\\0' F", "tr '\\0' W", 1) + " conv=notrunc")
	if got := sh("dd if=" + lab.VolatileDevice + " bs=1M count=1 iflag=direct 2>/dev/null | tr -d W | wc -c"); got != "0" {
		t.Errorf("%s bytes are not what was written last", got)
	}
	if err := g.PowerOff(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := d.Stats()
	t.Logf("%+v", after)
	if after.Lost < 50 || after.Kept < 50 || after.Lost+after.Kept != 256 {
		t.Errorf("of 256 blocks in the cache %d were lost and %d kept", after.Lost, after.Kept)
	}
	if err := g.PowerOn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := g.WaitSSH(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Attach(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := sh("dd if=" + lab.VolatileDevice + " bs=1M count=1 iflag=direct 2>/dev/null | tr -d W | wc -c")
	if want := after.Lost * 4096; left != strconv.Itoa(want) {
		t.Errorf("%s bytes are old, want %d", left, want)
	}
}
