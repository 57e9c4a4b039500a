// Package ip is the kit for virtual IP addresses.
//
// One resource stands for one name and several addresses: the field "address" is
// given per node and differs from region to region. In service means: the
// address is on the right interface of the node, with the right prefix length,
// and the link is up. Nothing is asked of the cloud here; that is the ec2 kit.
//
// What is judged and where: the scripts under sh/ only print what iproute2 says,
// in sections, and carry changes out; every judgement is made in Go (look.go,
// judge.go), so that it can be tested on captured output. What cannot be parsed
// is Unknown.
//
// # Who else answers
//
// An address that another node answers for is not "here": presence is read from
// this node's own address list, never from a ping. Whether somebody else holds
// the address as well is asked by ARP in a check, and only when the broadcast
// ping is wanted too (NOBCASTPING=0). In a VPC both are meaningless: there is no
// broadcast, and the route table, not ARP, decides who gets the packets. Neither
// eligibility nor start asks by ARP: before a switchover the rightful holder
// answers, after a failure half a second of waiting would lengthen the outage,
// and a left-over answer must not keep the service down. It is shown as impaired
// by the next check instead.
//
// # Quiet after a reboot
//
// An address that a node's own configuration brings up at boot makes the node not
// eligible; the file is named.
package ip
