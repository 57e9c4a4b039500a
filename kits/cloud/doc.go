// Package cloud holds the plain words in which kits and the cloud speak of AWS: where and as whom a call is made
// (Access), what was found (RouteTable, Interface, Instance, Address, Zone, Record) and what went wrong (Error with its
// Kind). DNS is the port to Route 53, which more than one kit may need; the other ports stand where they are used.
//
// It exists so that a kit can judge an answer or an error without importing the AWS SDK, which compiles for minutes and
// stays behind kits/awscloud. The package does nothing: no I/O, no SDK types, no decisions. Its one rule is
// how two domain names are compared (DNSName).
package cloud
