// Package ec2sim is Amazon EC2 as an HTTP endpoint: the Query protocol in, XML out, so that the unmodified
// aws-sdk-go-v2, boto3 or aws command line talk to it.
//
// It serves several regions and several accounts from one handler: region and access key come from the credential
// scope of the SigV4 signature, which is verified. What it knows is a World: VPCs, subnets, route tables,
// instances, interfaces and addresses as plain Go data. Every change makes a new World, the old ones are kept for a
// while, and a read that must lag behind the writes (Server.SetReadLag, Fault.Stale) simply answers from an older one.
//
// Two things are kept apart that are one thing in most emulators: what an instance *is* (Instance.Actual) and what EC2
// says it is (Instance.State). Server.SetInstanceState changes the first at once and the second a StateLag later.
// A route to an interface whose instance EC2 believes to be stopped reads back as blackhole.
//
// The package is used by the simulated estate, by the lab (whose routers follow the route tables through
// Server.OnChange) and by the tests of the ec2 kit and of kits/awscloud. Server is an http.Handler; Server.Transport
// is the same thing as an http.RoundTripper without a network, for tests in testing/synctest bubbles.
//
// Faults are given on demand (Server.Inject) and every call is logged (Server.Calls), so that a test can say "a check
// never writes". Nothing here is product: only tests, the demo and the lab import it.
package ec2sim
