// Package dnssim is what stands behind the simulated Route 53: authoritative DNS servers that answer from its zones,
// and a small caching resolver to ask them as a client by name does.
//
//	ns := dnssim.New(route53, dnssim.Options{})
//	ns.Listen("127.0.0.1:0")                       // UDP and TCP; or ServePacket and Serve, or ns.Dial without a network
//	c := dnssim.Client{Servers: []string{ns.Addr().String()}}
//	answer, err := c.LookupA(ctx, "www.example.jp")
//
// A Server shows a change when it is INSYNC, or after a lag of its own (SetView), so that several servers on one
// endpoint disagree for a while as real ones do. It is authoritative for the public zones, and with Options.VPC for the
// private zones of that VPC, which hide the public ones of the same name. Elsewhere it refuses. Control plane and name
// servers are apart: r53sim's faults do not touch the answers here, and the faults here (Inject) not the control plane.
//
// The Client keeps what it was told for as long as the TTL says, which is where most of an outage seen by name comes
// from: Answer tells the server asked, the age and whether it was remembered.
//
// Time is the endpoint's clock for the zones and Client.Clock for the cache; Server.Dial needs no network, so that both
// work in testing/synctest bubbles. Nothing here is product: only tests, the demo and the lab import it.
package dnssim
