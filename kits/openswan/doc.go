// Package openswan is the kit for one IPsec connection between two regions, kept
// up by Openswan or Libreswan. Its child is an ec2 resource: that one's routes lead
// the traffic for the peer region to the node whose tunnel is to carry it.
//
// # What it protects
//
// Each VPN node of a region has a tunnel of its own to its twin in the other
// region. All of them run all the time: the daemon may start at boot, and nothing
// is switched off when a node goes out of service. "In service" on a node means
// that the routes point to it. So Stop leaves the daemon and the tunnel as they are,
// and Presence repeats who is active instead of looking for something on the node.
//
// # Facts
//
// The wizard and Eligible read ipsec.conf, with its includes, also= and
// "conn %default", as the administrator wrote it (conf.go, resolve.go). A file that
// is not understood in full is refused with its name and the line; nothing is guessed. Which
// side is this node's is found by its addresses, not by the words left and right.
//
// The check takes its facts from the daemon: what is loaded is what carries the
// traffic. The script finds the addresses to ping in "ipsec status"; the judge reads the
// same lines again by itself and calls the check unknown when the script pinged
// something else. That both agree with ipsec.conf is asked by Eligible.
//
// # The check
//
// One script, on active and standby nodes alike:
//
//  1. the daemon runs and answers; if not, failed at once, nothing more is asked
//  2. the peer's private address answers a ping from our private address: through the tunnel
//  3. the peer's public address answers a ping
//  4. the daemon says that the tunnel is up, every part of it
//
// Each no is a failure by itself: a tunnel whose link was cut still counts as up for
// a minute, and only the ping tells. Pings go on each second until one is answered or the time is
// over, so that a single lost packet is no failure. Stages 3 and 4 are also asked
// when 2 failed, because the reason reads differently then.
//
// The tools' return codes are not believed: "auto --up" returns 0 for a tunnel
// that does not come up. What is judged is what status and trafficstatus print, and what
// cannot be read is Unknown. A daemon that gives no answer is only called hung when it is stopped,
// or when it kept silent twice while the node had time for other things.
//
// # Recovery
//
// A dead daemon is started by systemd, a hung one killed first. A tunnel that is
// not there is brought up; one that is there and carries nothing is renewed. When the
// peer's public address keeps silent too, the way is lost and the tunnel is left alone:
// then it carries again as soon as the way is back. In the end
// the check decides: OPENSWAN_CHECK_TRY_COUNT times, OPENSWAN_CHECK_INTERVAL apart.
// Start does the same, but only where its first check fails.
//
// The kit reports what is true on one node. What follows from active and standby
// together (both failed is no reason to move) is the engine's decision.
package openswan
