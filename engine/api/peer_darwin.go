package api

import "golang.org/x/sys/unix"

// solLocal is the level of options of local sockets on this system.
const solLocal = 0

// peer asks the kernel who is connected.
func peer(fd int) (credential, error) {
	c, err := unix.GetsockoptXucred(fd, solLocal, unix.LOCAL_PEERCRED)
	if err != nil {
		return credential{}, err
	}
	n := min(int(c.Ngroups), len(c.Groups))
	return credential{uid: c.Uid, gids: c.Groups[:max(n, 0)]}, nil
}
