// Package lab runs a real estate on one machine: Linux guests with kernels, systemd and sshd of their own, in regions
// whose routers do what a VPC does. End-to-end tests and benchmarks drive it; no product code imports it.
//
// # What stands where
//
// A guest is a User-Mode Linux process: it needs root and a tap device, but neither KVM nor the host's network. One network
// namespace per region is that VPC's router. It is a layer 3 device, as a VPC is: every guest hangs on a tap of its own, no
// broadcast reaches a neighbour, and the router answers ARP only for the addresses of the subnet. A guest therefore never
// "steals" a virtual IP by announcing it: who gets the packets is decided by the region's route table alone
// ([Lab.SetTable]), exactly as with EC2.
//
//	client ── router of region 1 ══ peer link ══ router of region 2 ── client
//	             │      │     \                     /     │      │
//	           guest  guest    \── engine's namespace ──/  guest  guest
//
// The peer link stands for the VPN between the regions, where the topology has no VPN nodes ([FourNodes]). With them
// ([EightNodes]) there is none: what is for the other region goes to the guest that the route table names, through the
// IPsec tunnel that its kernel and its pluto keep, and over the internet between the routers. That one carries public
// addresses only. A VPN node does not know its own: the router translates it, as EC2 does with an Elastic IP, so that the
// tunnels run with NAT traversal. Their pre-shared keys and ipsec.conf come with the seed disk. Units start pluto at boot;
// of the distribution's unit only the loading of a hundred modules is left out, which takes a guest seconds.
//
// The engine's namespace has a link of its own to each router, so
// that its path alone can be cut. A management network that only the harness sees reaches each guest on a second
// interface: [Guest.Sh] works on guests that are cut off from everything else.
//
// # Life of a lab
//
// [Start] boots everything and returns when each guest answers ssh. Tests usually want [Shared], which boots once per test
// binary and calls [Lab.Reset] between tests. [Lab.Close] leaves nothing behind; guests die with the process that started
// them even when that is killed, and the next Start sweeps up what such a process left (namespaces, files).
//
// # Faults
//
// [Guest.PowerOff] pulls the plug: what the guest had not written to its disk is lost, but the host's page cache survives, so
// a missing flush inside the guest's disk driver would not show. [Guest.Hang] stops the guest's kernel. [Lab.Cut] and its
// relatives drop packets in the routers, silently. [Lab.Latency] delays what a guest sends. A tunnel's way is lost by
// [Lab.CutTunnel], in one direction by [Lab.CutTunnelFrom], for what is encrypted alone by [Lab.CutTunnelData]; its daemon by
// [Lab.KillPluto], [Lab.StopPluto], [Lab.HangPluto] and, for as long as wanted, [Lab.BreakPluto]; its agreement by
// [Lab.SetSecret] and [Lab.Unload]. A reset ends all of that and waits until every tunnel carries packets again.
//
// Every wait in this package is bounded, and a guest that does not come up is reported with the tail of its console.
package lab
