// Package sim is a simulated estate: nodes that speak SSH and interpret ferry's
// scripts (nodesim), and EC2 as an HTTP endpoint (ec2sim), put together from a
// definition. It serves the demo and the tests; the unmodified engine, kits and
// SSH client work on it. Openswan resources become IPsec tunnels between the nodes, and
// what the regions say to each other goes through them as the route tables lead it;
// faults.go and tunnels.go hold what can be broken from outside. It decides nothing and knows no policy.
package sim
