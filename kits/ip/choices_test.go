package ip

import (
	"slices"
	"testing"

	"github.com/ferry-ha/ferry/kits/kittest"
)

func TestInterfacesOffered(t *testing.T) {
	out := `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
2: eth0@if5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000\    link/ether 02:00:00:00:00:0a brd ff:ff:ff:ff:ff:ff
3: ens6: <BROADCAST,MULTICAST> mtu 9001 qdisc noop state DOWN mode DEFAULT group default qlen 1000\    link/ether 02:00:00:00:00:0b brd ff:ff:ff:ff:ff:ff
nonsense
9: a b: <X> y`
	if got := interfacesIn(out); !slices.Equal(got, []string{"eth0", "ens6"}) {
		t.Errorf("got %q", got)
	}
}

func TestInterfacesOfThisKernel(t *testing.T) {
	w := newWorld(t)
	got, err := Kit{}.Choices(t.Context(), w.Host(kittest.NodeA), instanceOn(kittest.NodeA), FieldInterface)
	if err != nil || !slices.Contains(got, kittest.Cable) || slices.Contains(got, "lo") {
		t.Errorf("got %q, %v; want %s among them and no lo", got, err, kittest.Cable)
	}
}
