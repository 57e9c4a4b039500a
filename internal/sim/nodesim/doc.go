// Package nodesim simulates the nodes of an estate: machines that speak real SSH
// and run our scripts, on a network whose links can be cut, so that the whole
// system runs on any laptop without root.
//
// What is real: the SSH protocol (golang.org/x/crypto/ssh, with host keys and
// authorized keys), the framing of package wire, and the scripts, which are
// interpreted as shell. What is played: the kernel. A node has interfaces with
// addresses, a file system in memory of which /var/lib survives a power-off and
// /run does not, services that listen on ports, transient units, a boot id. The
// commands the scripts call (cmd_*.go) work on that and on nothing else; no
// program of the machine that the simulation runs on is ever started. A command
// nobody wrote here ends with 127, as a missing one does.
//
// The wrapper that surrounds jobs on a real node (locks, record, named units,
// deadlines, bounded output) is not interpreted but done in Go: jobs.go, units.go.
// So are the few scripts that run every few seconds, heartbeats and the commonest
// checks, with the same result in the same time: native.go.
//
// # Faults
//
// A World is cut (between two, or a node from everybody), slowed down, and its
// nodes are powered off, hung and resumed; see World's methods. The party
// named Engine is where the console and the engine run, Client where clients are.
//
//   - Power off: everything not on disk is gone; connections fall silent, as they do
//     in reality, and break when the node is up again.
//   - Hang: the kernel answers (ping, TCP connections are accepted), no program runs.
//   - Cut: packets vanish in both directions. What was sent is delivered late when the
//     cut heals, as TCP would.
//
// # Tunnels
//
// Some nodes run an IPsec daemon (AddTunnel; ipsec.go, cmd_ipsec.go, ipsec_status.go): a
// Libreswan that loads the node's own ipsec.conf and secrets and says what the real one
// was recorded to say, its lies included. "auto --up" of a tunnel in the making ends with
// 0; a cut link shows "up" for a minute; a one-sided --down is undone by the peer; a
// killed daemon is back after 4 s. Two ends make a tunnel when packets pass between their
// public addresses, their keys are the same and their networks fit. Nothing of it runs in
// the background: what would have happened is worked out when somebody looks.
//
// With SetRoutes private traffic between nodes goes hop by hop as the routes and the
// tunnels lead it (way.go), both ways. The engine's and a client's own connections do
// not, nor what a jump host passes on.
//
// # Mirrors
//
// Disks mirrored by kits/datakeeper are played, too (mirror.go): every leg has its own content, superblock and bitmap,
// writes wait while a leg does not answer, and a resync takes its time. The kit's scripts are answered in Go, by their names
// (native_mirror.go).
//
// # Time
//
// All waiting is done with timers and channels and no lock is held meanwhile, so
// that the package works in a testing/synctest bubble, where an hour passes in
// a moment. Connections are buffered in memory: with net.Pipe SSH deadlocks.
//
// # Limits
//
// Shell: what mvdan.cc/sh interprets of POSIX; no file descriptors above 2, no
// signals. A pipeline's stages run one after the other. There is no awk.
// A connection that is open already does not notice when its tunnel goes. IPsec keys
// are not renewed, and there is one daemon version: Libreswan 4.10, IKEv2, shared keys.
// Writes are durable at once, also without sync: a script that forgets to flush
// is found out by the lab only.
package nodesim
