// Package ec2 is the kit that moves clients inside AWS: by the route tables of a backend cluster, or by the Elastic IP of
// a frontend cluster (eip.go).
//
// In service on a node means, with route tables: in every route table of the node's VPC that holds a protected
// destination, that route's target is the node's network interface (ENI), and the route is active. Protected destinations
// are the virtual IPs of the IP resources below this one, each as a /32 with the address it has on that node, or the field
// "destinations". With an Elastic IP: it is associated with the node's ENI, at the private address that is wanted.
//
// What to do about a table is worked out in want.go from the definition and from what AWS showed, without any call;
// the rest asks, changes and waits until the change is seen. The kit talks to AWS through Cloud, a small interface that
// kits/awscloud satisfies; nothing runs on the nodes.
//
// # What it never does
//
// A check never writes. Stop leaves routes and address: they stay until another node takes them. A target is always the
// ENI, never the instance, because an instance with several ENIs is refused by AWS. Destinations are compared whole
// (10.1.0.1 is not 10.1.0.10). An answer that is empty, a throttled call, a call without an answer is Unknown.
package ec2
