// Package e2e drives the built ferry command against the lab: real sshd on real
// guests, virtual IPs and route tables that really move, faults from outside. Its
// tests are the end-to-end tests of the house; TestReport prints the figures of
// make lab-report.
//
// The estate is examples/cross-region.toml, fitted to the lab: only the service
// cluster, fast heartbeats, the lab's keys and its simulated EC2.
package e2e
