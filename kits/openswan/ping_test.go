package openswan

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/kittest"
)

// The pings of the check are real here, between two network namespaces; only what the
// daemon says is repeated from a file.
func TestRealPings(t *testing.T) {
	w := kittest.NewNetns(t)
	dir := t.TempDir()
	bin, err := filepath.Abs("testdata/bin")
	if err != nil {
		t.Fatal(err)
	}
	links := map[string]string{"ipsec": filepath.Join(bin, "ipsec")}
	if _, err := exec.LookPath("ping"); err != nil {
		box, err := exec.LookPath("busybox")
		if err != nil {
			t.Skip("left out: neither ping nor busybox is installed")
		}
		links["ping"] = box
	}
	for name, to := range links {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HERE", dir)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	m := &machine{t: t, dir: dir}
	m.up()
	status, _ := captured(t, "vpn-up", "ipsec status (up)")
	m.write("status", strings.NewReplacer("10.9.0.1", kittest.AddrA, "10.9.0.2", kittest.AddrB).Replace(strings.Join(theirIP(status), "\n")))

	w.Do(t, kittest.NodeA, "ip", "addr", "add", "10.1.0.1/32", "dev", "lo")
	w.Do(t, kittest.NodeB, "ip", "addr", "add", "10.2.0.1/32", "dev", "lo")
	w.Do(t, kittest.NodeA, "ip", "route", "add", "10.2.0.0/24", "via", kittest.AddrB)
	w.Do(t, kittest.NodeB, "ip", "route", "add", "10.1.0.0/24", "via", kittest.AddrA)
	check := func() kits.Report { return Kit{}.Check(t.Context(), w.Host(kittest.NodeA), instance()) }

	r := check()
	want(t, "both answer", r, kits.OK, "", "")
	if !strings.HasSuffix(r.Details["ping"], " ms") {
		t.Errorf("the time of the ping is not told: %+v", r.Details)
	}
	w.Do(t, kittest.NodeB, "ip", "route", "del", "10.1.0.0/24")
	want(t, "no way back", check(), kits.Failed, "openswan.no-ping", "although the daemon says that it is up")
	w.Do(t, kittest.NodeA, "ip", "addr", "del", "10.1.0.1/32", "dev", "lo")
	want(t, "our address is gone", check(), kits.Failed, "openswan.no-ping", "")
	w.Do(t, kittest.NodeB, "ip", "link", "set", kittest.Cable, "down")
	want(t, "peer gone", check(), kits.Failed, "openswan.no-ping", "")
}
