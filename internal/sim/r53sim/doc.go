// Package r53sim is Amazon Route 53's control plane as an HTTP endpoint: REST-XML 2013-04-01, so that the unmodified
// aws-sdk-go-v2, boto3 or aws command line talk to it. The DNS servers that answer from its zones are package dnssim.
//
//	s, err := r53sim.New(r53sim.World{
//		Keys:  []r53sim.Key{{ID: "AKIA…", Secret: "…"}},
//		Zones: []r53sim.Zone{{ID: "Z1", Name: "example.jp", Records: []r53sim.Record{
//			{Name: "www.example.jp", Type: "A", TTL: 10, Values: []string{"10.1.0.10"}},
//		}}},
//	}, r53sim.Options{SyncLag: 40 * time.Second})
//	http.Serve(listener, s)           // or s.Transport() without a network
//	s.Record("example.jp", "www.example.jp", "A")
//
// As on the real one, requests are signed for us-east-1 whatever region the caller lives in: an SDK whose endpoint is
// overridden takes the signing region from its own configuration, so set it there.
//
// A zone has versions. A change makes a new one at once (that is what ListResourceRecordSets shows) which is PENDING
// until SyncLag has passed and INSYNC afterwards; name servers see it then (Server.Served), or after a lag of their
// own. Fault.Lost, Fault.Stuck and Fault.Lag bend that for single changes, Fault.DropAfter and Fault.HangAfter keep
// the answer from a caller whose change was made, and the other faults refuse, delay or cut off calls. Options.Bucket
// throttles an account as AWS does. Everything that happens is told to Server.OnChange and every call is logged
// (Server.Calls), so that a test can say "a check never writes".
//
// Time is Options.Clock's, by default time.Now, which in a testing/synctest bubble is the bubble's.
//
// Not simulated: health checks (their ids are only checked for being known), traffic policies, CIDR routing, DNSSEC,
// tags beyond reading them. Nothing here is product: only tests, the demo and the lab import it.
package r53sim
