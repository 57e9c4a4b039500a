package e2e

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ferry-ha/ferry/internal/lab"
)

// packet is what passed on a wire, each kind once.
type packet struct {
	From, To netip.Addr
	Protocol string // "icmp", "udp PORT", "ip NUMBER"
}

// Private tells whether an end is an address that only a VPC knows.
func (p packet) Private() bool { return p.From.IsPrivate() || p.To.IsPrivate() }

// sniff listens on the internet between two regions. The function that it gives ends that.
func sniff(t *testing.T, l *lab.Lab, region, other string) func() []packet {
	t.Helper()
	fd := -1
	err := l.InNetNS(lab.RouterNS(region), func() error {
		dev, err := net.InterfaceByName(l.InternetLink(other))
		if err != nil {
			return err
		}
		all := uint16(unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8)
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(all)); err != nil {
			return err
		}
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}); err != nil {
			return err
		}
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: dev.Index})
	})
	must(t, err)
	var seen []packet
	end, ended := make(chan struct{}), make(chan struct{})
	stop := sync.OnceFunc(func() { close(end); <-ended; unix.Close(fd) })
	t.Cleanup(stop)
	go func() {
		defer close(ended)
		b := make([]byte, 2048)
		for {
			select {
			case <-end:
				return
			default:
			}
			n, _, err := unix.Recvfrom(fd, b, 0)
			if err != nil {
				continue
			}
			if p, ok := readPacket(b[:n]); ok && !slices.Contains(seen, p) {
				seen = append(seen, p)
			}
		}
	}()
	return func() []packet {
		stop()
		if len(seen) == 0 {
			t.Error("nothing was seen on the internet")
		}
		return seen
	}
}

func readPacket(b []byte) (packet, bool) {
	if len(b) < 28 || b[0]>>4 != 4 {
		return packet{}, false
	}
	p := packet{From: netip.AddrFrom4([4]byte(b[12:16])), To: netip.AddrFrom4([4]byte(b[16:20])), Protocol: fmt.Sprint("ip ", b[9])}
	head := int(b[0]&15) * 4
	switch later := binary.BigEndian.Uint16(b[6:])&0x1fff != 0; {
	case b[9] == unix.IPPROTO_ICMP:
		p.Protocol = "icmp"
	case b[9] == unix.IPPROTO_UDP && later:
		p.Protocol = "udp 4500" // the rest of a packet that was too long
	case b[9] == unix.IPPROTO_UDP && len(b) >= head+4:
		p.Protocol = fmt.Sprint("udp ", binary.BigEndian.Uint16(b[head+2:]))
	}
	return p, true
}
