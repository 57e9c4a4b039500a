package policy

import (
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// beat takes a heartbeat's result and what the node says of its peers.
func (s *step) beat(in Beat) {
	n := s.Nodes[in.Node]
	if n == nil {
		return // not in this definition any more
	}
	n.heard = true
	if in.Function {
		s.reached(in.Node, n)
	} else {
		s.missed(in.Node, n, in.Path)
	}
	for _, peer := range sorted(in.Peers) {
		if p := s.Nodes[peer]; p != nil && peer != in.Node {
			s.sight(peer, p, in.Node, in.Peers[peer])
			s.judgeNode(peer)
		}
	}
	s.judgeNode(in.Node)
}

// reached: the node's function answered the engine itself.
func (s *step) reached(name string, n *Node) {
	had := n.Missed
	n.Missed, n.MissedPath, n.PathOnly, n.missedAt = 0, 0, 0, time.Time{}
	n.Cloud, n.askedCloud = CloudSight{}, time.Time{}
	n.Seen = s.now
	if had > 0 || n.steady.IsZero() {
		n.steady = s.now
	}
	switch {
	case had >= s.beats(name): // judgeNode sees it come back and looks at everything
		n.Returned = s.now
		s.dirt(nodeKey(name))
		n.Sights = nil // what peers said during its absence is about its absence
	case had > 0:
		delete(s.Quorum, name)
		s.unknow(name) // small machines restart within a beat
		s.out(ReadRecord{Node: name})
		s.checkNow(s.x.On(name), name)
	}
	if had > 0 {
		s.touchNode(name)
	}
	switch {
	case n.Graceful && s.now.Sub(n.GracefulAt) > gracefulLimit:
		s.backFromGraceful(name, n)
	case n.Graceful && had == 0: // small machines restart within a beat; its boot tells
		s.out(ReadRecord{Node: name})
	}
}

// unknow: what was known of the node's resources may not be so any more.
func (s *step) unknow(name string) {
	for _, t := range s.x.On(name) {
		in := s.instance(t, name)
		in.fresh, in.known, in.presence = false, false, kits.PresenceUnknown
	}
}

// gracefulLimit is how long a node may take to go down in good order. A node that
// still answers after it is not going down.
const gracefulLimit = 15 * time.Minute

// missed: the node's function did not answer.
func (s *step) missed(name string, n *Node, path bool) {
	n.Missed++
	if path {
		n.MissedPath = 0
		n.PathOnly++
	} else {
		n.MissedPath++
		n.PathOnly = 0
	}
	if n.Missed == 1 {
		n.missedAt, n.takers = s.now, s.takers(name)
	}
	if n.Missed < s.beats(name) {
		s.suspect(n)
	}
	if n.Missed%s.beats(name) == 1%s.beats(name) {
		s.lookAtWays(name, n)
	}
	// The answer may come late or never; no verdict inside a region waits for it.
	if n.Verdict != Dead && (n.askedCloud.IsZero() || s.now.Sub(n.askedCloud) >= askCloudEvery) {
		n.askedCloud = s.now
		s.out(AskCloud{Node: name})
	}
}

// askCloudEvery spaces the questions to EC2 about a missing node: often enough to
// see a stop soon, rarely enough for the API's rate limits.
const askCloudEvery = 5 * time.Second

// sight notes what a peer says of reaching a node.
func (s *step) sight(of string, n *Node, peer string, paths map[string]kits.Outcome) {
	ok, failed, unknown := 0, 0, 0
	for name, o := range paths {
		switch {
		case o == kits.OK:
			ok++
		case o == kits.Failed && s.wayInDoubt(peer, of, name) == "":
			failed++
		default:
			unknown++
		}
	}
	if n.Sights == nil {
		n.Sights = map[string]Sight{}
	}
	v := n.Sights[peer]
	v.At, v.Paths = s.now, paths
	switch {
	case ok > 0:
		v.Reach, v.Missed = kits.OK, 0
	case failed > 0 && unknown == 0:
		v.Reach = kits.Failed
		v.Missed++
	default: // nothing was probed, or a path whose way is in doubt is all that is left
		v.Reach, v.Missed = kits.Unknown, 0
	}
	if ok > 0 && failed > 0 {
		v.Part++
	} else {
		v.Part = 0
	}
	n.Sights[peer] = v
}

// cloudSaid takes EC2's word. It counts only while the node is missing.
func (s *step) cloudSaid(in CloudSaid) {
	n := s.Nodes[in.Node]
	if n == nil || n.Missed == 0 {
		return
	}
	n.Cloud = in.Sight
	s.judgeNode(in.Node)
}

// gracefulStop: the node is being shut down in good order.
func (s *step) gracefulStop(name string) {
	n := s.Nodes[name]
	if n == nil || n.Graceful {
		return
	}
	n.Graceful, n.GracefulAt = true, s.now
	s.dirt(nodeKey(name))
	s.event(Event{Kind: "node", Node: name, Reason: why("node-graceful", "node", name)})
	s.touchNode(name)
}

// backFromGraceful: the node that was shut down is there again.
func (s *step) backFromGraceful(name string, n *Node) {
	if n.Graceful {
		n.Back = s.now
	}
	n.Graceful, n.GracefulAt = false, time.Time{}
	s.dirt(nodeKey(name))
	s.checkNow(s.x.On(name), name)
	s.touchNode(name)
}
