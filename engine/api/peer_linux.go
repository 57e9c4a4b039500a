package api

import (
	"encoding/binary"
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// peer asks the kernel who is connected and with which groups. The groups are those of
// the process, so a directory service that this program knows nothing of counts, too.
func peer(fd int) (credential, error) {
	c, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return credential{}, err
	}
	out := credential{uid: c.Uid, gids: []uint32{c.Gid}}
	if more, err := peerGroups(fd); err == nil { // since Linux 4.13; the user database has to do before
		out.gids = append(out.gids, more...)
	}
	return out, nil
}

// peerGroups reads the supplementary groups, which have no wrapper in x/sys. A buffer
// that is too small makes the kernel tell the size.
func peerGroups(fd int) ([]uint32, error) {
	size := uint32(64 * 4)
	for range 2 {
		buf := make([]byte, max(size, 4))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&buf[0])), uintptr(unsafe.Pointer(&size)), 0)
		if errors.Is(errno, unix.ERANGE) {
			continue
		}
		if errno != 0 {
			return nil, errno
		}
		var out []uint32
		for i := 0; i+4 <= int(size); i += 4 {
			out = append(out, binary.NativeEndian.Uint32(buf[i:]))
		}
		return out, nil
	}
	return nil, unix.ERANGE
}
